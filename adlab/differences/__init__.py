"""Finite differences and the complex step: derivatives from values of a function alone.

Nothing here knows of automatic differentiation (`adlab.autodiff`), nor automatic differentiation of this room. So their agreement
is evidence.

Read in this order:

- `stencils`: exact weights, and the order of accuracy that they reach;
- `step_models`: truncation error against roundoff error, and the step between them;
- `quotients`: one difference quotient at one step, with its error;
- `scrutiny`: the second look at a suspicious quotient (kinks, jumps, waves);
- `noise`: how exact the values of f are;
- `near`: the look very near x before any claim of success;
- `step_choice`: a step chosen from the measured noise;
- `estimates`: what a method answers, and the choice among steps;
- `richardson`: the step taken to zero by extrapolation;
- `fits` and `adaptive`: fits that show their own noise;
- `plans`: every scheme as a matrix of weights;
- `quick`: one batch of values, which is enough for what is ordinary;
- `differences`: derivatives and gradients;
- `callback`: a user's Python function: safe to call, called with arrays where it takes them, and called again to see whether it
  depends on more than its argument;
- `complex_step`: the derivative from one complex evaluation, without a subtraction.
"""
