"""A user's Python function, made safe to call outside its domain, and tested for answers that change from call to call."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.differences.estimates import STATEFUL, Estimate
from adlab.differences.quotients import one_by_one
from adlab.errors import AdlabError, MethodError

NO_VALUE = (AdlabError, ArithmeticError, AssertionError, ValueError)
"""What a function raises at the point itself to say that it has no value there. Anything else is an error in the call."""


class Callback:
    """A user's function of a number or an array.

    At the point of interest, an exception that is not in `NO_VALUE` raises MethodError. At any other node every exception means
    that the node is outside the domain: the value is NaN, and the first exception is remembered.
    """

    def __init__(self, f: Callable[[Any], Any], alone: bool) -> None:
        self.f, self.alone, self.complaint = f, alone, ""
        self.started = False
        self.vectorised: bool | None = None  # until it is known
        self.extra = 0  # evaluations that finding this out has cost

    def __call__(self, point: npt.NDArray[Any]) -> Any:
        started, self.started = self.started, True
        try:
            return self.f(point[0].item() if self.alone else point)
        except OverflowError:
            return np.inf
        except Exception as reason:  # a user's function may raise anything
            said = f"{type(reason).__name__}: {reason}"
            if not (started or isinstance(reason, NO_VALUE)):
                at = point[0] if self.alone else point.tolist()
                raise MethodError(f"your function raised {type(reason).__name__} at {at}: {reason}") from reason
            self.complaint = self.complaint or said
            return np.nan

    def many(self, points: npt.NDArray[np.float64], shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """f at many points, (N, n) to (N, m): in one call where f takes arrays, else one by one.

        f is asked once, with an array where it takes a number. What comes back counts only if it has the right shape, and is
        to the last bit what f gives at the first point, the last, and one between.
        """
        sample = one_by_one(self, shape)
        if self.vectorised is not False and len(points) > TRIED:
            found = self._at_once(points, shape)
            self.extra += found is None
            if self.vectorised is None and found is not None:
                self.extra += 3
                places = [0, len(points) // 2 + 1, len(points) - 1]
                self.vectorised = np.array_equal(found[places], sample(points[places]), equal_nan=True)
            if found is not None and self.vectorised:
                return found
            self.vectorised = False
        return sample(points)

    def _at_once(self, points: npt.NDArray[np.float64], shape: tuple[int, ...]) -> npt.NDArray[np.float64] | None:
        """What f makes of all points as one array, shape (N, m); None where it does not take them so."""
        given = points[:, 0] if self.alone else points.T
        try:
            with warnings.catch_warnings(action="ignore"):
                found = np.asarray(self.f(given.copy()))
        except Exception:  # anything may come out of a user's function
            return None
        if found.shape != (*shape, len(points)) or found.dtype.kind not in "fiu":
            return None
        return np.asarray(np.moveaxis(found.reshape(-1, len(points)), -1, 0), dtype=np.float64)

    def real(self, point: npt.NDArray[np.float64]) -> Any:
        """The same at a real point. The function takes complex numbers; at a real point its value must have no imaginary part."""
        found = np.asarray(self(point))
        return found.real if found.dtype.kind == "c" else found

    def analytic(self, point: npt.NDArray[np.complex128]) -> Any:
        """The value at a complex point. What f raises there is raised as MethodError."""
        try:
            return self.f(point[0].item() if self.alone else point)
        except Exception as reason:  # a user's function may raise anything
            said = f"your function raised {type(reason).__name__} for a complex argument: {reason}"
            raise MethodError(f"{said}; the complex step needs an f of complex numbers") from reason

    def answers_otherwise(self, point: npt.NDArray[np.float64], centre: npt.NDArray[np.float64]) -> str:
        """How f now differs at a point from its value before; "" if it does not.

        f is called twice: a value that changes at every other call may be the same after an even number of calls.
        """
        answers, before = [self(point.copy()) for _ in range(AGAIN)], centre.tolist()
        if all(isinstance(answer, float) and answer == before for answer in answers):
            return ""
        for again in [np.asarray(answer, dtype=np.float64) for answer in answers]:
            if again.shape != centre.shape or not np.array_equal(again, centre, equal_nan=True):
                return f"f(x) was {centre.tolist()} and is {again.tolist()} when it is called again"
        return ""


TRIED = 8  # points: for fewer, asking costs more than it saves
AGAIN = 2  # evaluations that `answers_otherwise` takes


def held_to_its_word(estimates: list[Estimate], difference: str) -> list[Estimate]:
    """The estimates, without success if f gave another answer when it was called again."""
    if not difference:
        return estimates
    reason = f"{difference}: it depends on more than its argument; make it a function of x alone, with a fixed seed if need be"
    return [replace(e, success=False, flags=(*e.flags, STATEFUL), reason=reason) for e in estimates]
