"""numericalderivative: central differences with the step of Stepleman and Winarsky, which shrinks while quotients come closer.

It differentiates one function of one number from a first step that it is told, and estimates no error. Its
own search for a first step is left out: for some functions it does not end.
"""

from __future__ import annotations

from collections.abc import Callable

import numericalderivative
import numpy as np

from adlab.inputs import FloatArray
from adlab.peers.shapes import Sampled, Values

FIRST = 2.0**-6
"""The first step, times |x|, or times 1 at 0. From |x| itself the steps end too soon: quotients that are 23 % off come closer."""


def stepleman_winarsky(values: Values, point: FloatArray) -> Sampled:
    """The Jacobian, partial by partial."""
    m = values(point).size
    found = np.empty((m, point.size))
    for j, x in enumerate(point.tolist()):
        for i in range(m):
            search = numericalderivative.SteplemanWinarsky(_along(values, point, i, j), x)
            step, _ = search.find_step(FIRST * (abs(x) or 1.0))
            found[i, j] = search.compute_first_derivative(step)
    return Sampled(found)


def _along(values: Values, point: FloatArray, i: int, j: int) -> Callable[[float], float]:
    """One output as a function of one variable."""

    def f(t: float) -> float:
        moved = point.copy()
        moved[j] = t
        return float(np.ravel(values(moved))[i])

    return f
