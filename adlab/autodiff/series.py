"""Taylor coefficients along a line, each checked before it is returned.

They are computed in binary64. Where a number left binary64's range on the way, t is scaled: with a direction 2ᵏ times as long,
coefficient j is 2ᵏʲ times as large. Where that does not help, they are computed again with unlimited exponents.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adlab.arithmetic.domain import steady
from adlab.arithmetic.extended import nearest
from adlab.arithmetic.settled import settled
from adlab.arithmetic.taylor import series
from adlab.arithmetic.taylor_over import extended_series
from adlab.autodiff.evaluator import Evaluator
from adlab.autodiff.watching import watched
from adlab.errors import DomainError, MethodError, OverflowedError
from adlab.inputs import FloatArray
from adlab.primitives.ranges import SMALLEST_NORMAL

LARGEST = 100_000
"""The most nodes × order³ that are computed with unlimited exponents: that takes about three seconds."""


def checked_series(at: Evaluator, point: FloatArray, direction: FloatArray, order: int) -> FloatArray:
    """The coefficients of every output up to t**order, shape (m, order + 1).

    Raises DomainError where there is none, and OverflowedError where one is beyond binary64 or cannot be followed.
    """
    found, left = _in_binary64(at, point, direction, order)
    if left and (k := _scale(found)):
        scaled, left = _in_binary64(at, point, np.ldexp(direction, k), order)
        found = found if left else np.ldexp(scaled, -k * np.arange(order + 1))
    if left:
        found = _extended(at, point, direction, order, np.isnan(found))
    for output, k in np.argwhere(~np.isfinite(found)).tolist():
        if np.isinf(found[output, k]):
            raise OverflowedError(f"coefficient {k} is beyond binary64 at this point (more than 1.8e308); scale v")
        raise DomainError(f"f has no Taylor series here: there is no coefficient {k}, at a kink or at the edge of the domain")
    return found


def _in_binary64(at: Evaluator, point: FloatArray, direction: FloatArray, order: int) -> tuple[FloatArray, bool]:
    """The coefficients, and whether a number left binary64's range on the way."""
    given, along = point.tolist(), direction.tolist()
    rows, left = watched(lambda: series(at.graph, given, along, order))
    found: FloatArray = np.array(rows)
    return found, left or bool(np.isinf(found).any()) or not steady(at.graph)


def _scale(found: FloatArray) -> int:
    """The k with which the last coefficient that is a normal number becomes about as large as the first; 0 for none."""
    if not np.isfinite(found).all():
        return 0
    sizes = np.abs(found).max(axis=0)
    normal = np.flatnonzero(sizes >= SMALLEST_NORMAL)
    if len(normal) < 2:
        return 0
    first, last = int(normal[0]), int(normal[-1])
    return round((math.log2(sizes[first]) - math.log2(sizes[last])) / (last - first))


def _extended(at: Evaluator, point: FloatArray, direction: FloatArray, order: int, nan: Any) -> FloatArray:
    """The coefficients by numbers of unlimited exponent. `nan` marks those that are NaN in binary64."""
    if len(at.graph) * order**3 > LARGEST:
        raise OverflowedError("binary64 leaves its range on the way at this point; scale the variables or v, or lower the order")
    rows = settled(lambda numbers: [
        c for row in extended_series(at.graph, point.tolist(), direction.tolist(), order, numbers) for c in row
    ])  # fmt: skip
    found = np.array([nearest(c) for c in rows]).reshape(nan.shape)
    if (np.isnan(found) & ~nan).any():
        raise OverflowedError("binary64 leaves its range on the way at this point; scale the variables")
    return found


class Coefficients(np.ndarray[Any, Any]):
    """Taylor coefficients: an array, with a bound on each error and, on request, the truth."""

    bounding: Callable[[], Any]
    judging: Callable[[int], Any]

    def __array_finalize__(self, whole: Any) -> None:
        """A part of the array, or what is computed from it, has neither."""
        self.bounding = self.judging = _only_whole

    @property
    def bound(self) -> Any:
        """A bound on the error of each coefficient, an array of the same shape; infinite where none is known."""
        return self.bounding()

    def truth(self, digits: int = 30) -> Any:
        """The coefficients to so many digits, from the formula itself: mpf numbers in an array of the same shape.

        None where there is none. Raises MethodError for a function that has no formula.
        """
        return self.judging(digits)

    def __repr__(self) -> str:
        return repr(np.asarray(self))


def _only_whole(*_: Any) -> Any:
    raise MethodError("the bound and the truth belong to what f.series(…) returns: take the part of .bound, or of .truth()")
