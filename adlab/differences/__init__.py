"""Engine 2: the derivatives that were there before automatic differentiation.

Symbolic differentiation works on the expression, finite differences and the complex step on values. Nothing here
knows of engine 1 (`adlab.autodiff`), nor it of this one, so that their agreement is evidence.

Finite differences, to read in order: `stencils` (exact weights, and the order they earn), `step_models` (truncation
against roundoff, and the step between them), `quotients` (one quotient at one step, with its error), `scrutiny` (the
second look at a suspicious one: kinks, jumps, waves), `noise` (how exact the values of f are), `near` (the look very
near x before any claim of success), `step_choice` (the step chosen by a model that rests on the noise), `estimates`
(what a method answers with, and the choice among steps), `richardson` (the step taken to zero by extrapolation),
`adaptive` (fits that show their own noise), `differences` (derivatives and gradients), `callback` (a user's Python
function, safe to call, and called again to see whether it depends on more than its argument).

Symbolic differentiation, to read in order: `treesize` (how large a tree is, without walking it), `tape` (an expression
as a list of rows), `worker` (what SymPy's own traversals do, in a process that can be stopped), `symbolic`.
"""
