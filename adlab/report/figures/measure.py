"""The error of a gradient as one number, for the figures that compare methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from adlab.errors import AdlabError
from adlab.function import Function
from adlab.inputs import FloatArray
from adlab.methods import Method
from adlab.precision import CONTEXT, working
from adlab.truth.meanings import exact as exact_number

MOST_DIGITS = 16
"""Digits of binary64: no error is drawn as smaller than its half ulp."""


def relative_error(f: Function, method: Method, point: FloatArray, exact: Sequence[Any]) -> float | None:
    """‖error‖/‖∇f‖ of the gradient at a point. `exact` are the truth's partials. None where the method has no answer."""
    try:
        gradient = method(f, point).jacobian[0].tolist()
    except AdlabError:
        return None
    if not all(map(math.isfinite, gradient)):
        return None
    with working(200):
        exact = [exact_number(value) for value in exact]
        size = CONTEXT.norm(exact)
        error = CONTEXT.norm([exact_number(float(g)) - e for g, e in zip(gradient, exact, strict=True)])
        return float(error / size) if size else math.copysign(math.inf, error) if error else 0.0


def digits(error: float | None) -> float:
    """The correct decimal digits for this relative error: 0 to 16, and 0 where there is no answer.

    >>> digits(1e-7), digits(0.0), digits(None)
    (7.0, 16.0, 0.0)
    """
    if error is None:
        return 0.0
    return min(float(MOST_DIGITS), max(0.0, -math.log10(error))) if error else float(MOST_DIGITS)
