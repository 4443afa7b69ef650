"""Engine 2: the derivatives that were there before automatic differentiation.

Symbolic differentiation works on the expression, finite differences and the complex step on values. Nothing here
knows of engine 1 (`adlab.autodiff`), nor it of this one, so that their agreement is evidence.

To read in order: `stencils` (exact weights, and the order they earn), `step_models` (truncation against roundoff,
and the step between them), `quotients` (one difference quotient, with its error), `differences` (derivatives and
gradients by a fixed scheme), `richardson` (the step taken to zero by extrapolation).
"""
