"""Reverse mode within a budget of memory: a few values are kept, the others are computed again when their turn comes.

A reverse sweep needs the values of all operations, the last ones first. `adlab.autodiff.checkpoints` says how few can be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from adlab.arithmetic import flags
from adlab.arithmetic.domain import turning
from adlab.autodiff.checkpoints import Budgeted, value_of
from adlab.errors import MethodError
from adlab.function import Function, as_function
from adlab.inputs import FloatArray, coerce_one, takes_at


@dataclass(frozen=True)
class Checkpointed:
    """A gradient, the most values that were alive at once, and the operations that it took.

    Adjoints on the way count as values; the point and the gradient itself do not.
    """

    gradient: FloatArray
    peak: int
    operations: int
    """Evaluations of operations of f, those that were done again included."""
    tape: int
    """What a tape would hold: all operations of f."""

    def __repr__(self) -> str:
        again = self.operations / self.tape if self.tape else 1.0
        return f"<gradient with {self.peak} values alive instead of {self.tape}, each computed {again:.2f} times>"


@takes_at
def checkpointed(f: Any, x: Any, memory: int) -> Checkpointed:
    """The gradient at one point with at most `memory` values alive at once, adjoints on the way included.

    Raises OptionError where the budget is too small, with the least that does; MethodError for operations with bodies, for
    kinks, and where a number leaves binary64's range on the way: `f.gradient(x)` serves those. Raises as calling f does.

    >>> import adlab
    >>> f = adlab.gallery.chain(400)
    >>> found = checkpointed(f, f.point, memory=40)
    >>> found.peak <= 40, bool(found.gradient == f.gradient(f.point))
    (True, True)
    """
    g = as_function(f, x)
    if g.m != 1:
        raise MethodError(f"a gradient needs one output, and this function has m = {g.m}")
    if g.graph.compound or turning(g.graph) or g.within is not None:
        raise MethodError("checkpoints serve functions without loops, solvers and kinks; f.gradient(x) serves this one")
    point = coerce_one(x, g.names)
    g.evaluator.checked(np.array([value_of(g.graph, point.tolist())]), point)
    run = Budgeted(g.graph, point.tolist(), memory)
    flags.clear()
    gradient = run.gradient()
    if flags.raised() or any(map(isnan, gradient)):
        _explain(g, point, gradient)
    return Checkpointed(np.array(gradient), run.peak, run.operations, len(g.graph.operations))


def _explain(g: Function, point: FloatArray, gradient: Sequence[float]) -> None:
    """Raises for a gradient that binary64 has spoiled, or that does not exist."""
    g.evaluator.checked(np.array(gradient), point, derivative=True)
    if flags.known:
        raise MethodError("a number leaves binary64's range on the way; f.gradient(x) goes on with wider numbers")
