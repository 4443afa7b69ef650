"""Richardson's extrapolation: more digits than a single quotient can have."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from adlab.differences.richardson import richardson


def slope(f: Callable[[float], Any], x: float, step: float | None = None) -> Any:
    """The estimate of f′(x) of a function of one number; its `df` and `error` are floats."""
    return richardson(lambda point: f(float(point[0])), [x], 0, step)


@settings(deadline=None, max_examples=40)
@given(st.floats(-3, 3), st.lists(st.floats(-5, 5), min_size=1, max_size=7))
def test_extrapolation_is_exact_on_polynomials(x: float, coefficients: list[float]) -> None:
    estimate = slope(lambda t: float(np.polyval(coefficients, t)), x)
    exact = float(np.polyval(np.polyder(np.array(coefficients)), x))
    scale = 1 + float(np.polyval(np.abs(coefficients), abs(x) + 1))
    assert estimate.df == pytest.approx(exact, abs=1e-11 * scale)


def test_extrapolation_gains_the_digits_that_a_single_quotient_must_lose() -> None:
    for f, x, exact in ((math.exp, 1.0, math.e), (math.sin, 1.0, math.cos(1.0)), (math.log, 1e-3, 999.99999999999998)):
        estimate = slope(f, x)
        assert estimate.df == pytest.approx(exact, rel=5e-14)
        assert estimate.nfev < 60


def test_it_stops_when_the_error_grows() -> None:
    estimate = slope(math.exp, 1.0, 0.5)
    assert estimate.step > 1e-3


def test_at_the_edge_it_extrapolates_one_side() -> None:
    estimate = slope(lambda x: math.log(x) if x >= 1 else math.nan, 1.0)
    assert estimate.flags == ("left_domain",)
    assert abs(estimate.df - 1) <= 2 * estimate.error < 1e-9
