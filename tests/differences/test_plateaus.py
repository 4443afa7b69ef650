"""Values that are all equal, and quotients that fall to 0: what can be told of the derivative, and what cannot."""

from __future__ import annotations

import math

import numpy as np
import pytest

import adlab

SIXTEEN = np.float16

ROUNDED = [  # equal values around x, and the true derivative
    ("log1p of a small exp", lambda x: -math.log(1 + math.exp(-x)), 40.0, math.exp(-40)),
    ("the same further out", lambda x: math.log(1 + math.exp(-x)), 200.0, -math.exp(-200)),
    ("tanh", math.tanh, 25.0, 4 * math.exp(-50)),
    ("tanh at the last stair", math.tanh, 19.2, 4 * math.exp(-38.4)),
    ("erf", math.erf, 6.5, 2 / math.sqrt(math.pi) * math.exp(-42.25)),
    ("cos near 0", math.cos, 1e-9, -1e-9),
    ("lost beside 1e16", lambda x: (x + 1e16) - 1e16, 0.3, 1.0),
    ("lost beside 1e9", lambda x: (x / 1e8 + 1e9) - 1e9, 0.3, 1e-8),
    ("a sine in 16 bits", lambda x: float(SIXTEEN(math.sin(x))), 1.0, math.cos(1)),
    ("an exp in 16 bits", lambda x: float(SIXTEEN(math.exp(SIXTEEN(x)))), 0.7, math.exp(0.7)),
    ("rounded to a hundredth", lambda x: round(math.sin(x), 2), 0.4, math.cos(0.4)),
    ("exp far below", math.exp, -760.0, 0.0),
    ("1 + x**20", lambda x: 1 + x**20, 0.02, 20 * 0.02**19),
    ("a logistic curve", lambda x: 1 / (1 + math.exp(-x)), 45.0, math.exp(-45)),
]
CONSTANT = [
    ("a clip", lambda x: min(max(x, 0.0), 1.0), 3.0), ("a clip of an array", lambda x: np.clip(x, 0.0, 1.0), -2.0),
    ("a maximum", lambda x: max(x, 1.0), 0.5), ("a rectifier", lambda x: max(x, 0.0), -0.75),
    ("a hinge", lambda x: max(0.0, 1 - x) ** 2, 4.0), ("a smooth bump's outside", lambda x: max(0.0, 1 - x * x) ** 3, 1.75),
    ("constant left of 0", lambda x: 5.0 if x < 0 else 5.0 + x * x, -1.5),
]  # fmt: skip
STAIRS = [("round", lambda x: float(round(x)), 1.2), ("floor", math.floor, 1.5), ("sign", lambda x: math.copysign(1, x), 2.0)]


@pytest.mark.parametrize(("f", "x", "slope"), [row[1:] for row in ROUNDED], ids=[row[0] for row in ROUNDED])
def test_a_function_that_has_been_rounded_to_a_constant_is_refused_or_its_slope_is_within_the_error(f, x, slope) -> None:
    for shifted in (x, x * (1 + 1e-9), x * (1 - 2e-9)):
        found = adlab.difference(f, shifted)
        assert not found.success or abs(found.df - slope) <= 1.01 * found.error
        assert found.error > 0


@pytest.mark.parametrize(("f", "x"), [row[1:] for row in CONSTANT], ids=[row[0] for row in CONSTANT])
def test_a_function_that_is_constant_up_to_a_kink_has_the_slope_0(f, x) -> None:
    found = adlab.difference(f, x)
    assert found.success
    assert found.df == 0
    assert found.error < 1e-11


@pytest.mark.parametrize(("f", "x"), [row[1:] for row in STAIRS], ids=[row[0] for row in STAIRS])
def test_between_two_stairs_values_cannot_tell(f, x) -> None:
    found = adlab.difference(f, x)
    assert not found.success
    assert "values cannot tell" in found.reason


@pytest.mark.parametrize("power", [2.3, 2.5, 3.0, 3.5])
@pytest.mark.parametrize("at", [0.0, 1.0])
def test_a_second_derivative_that_falls_to_0(power: float, at: float) -> None:
    found = adlab.difference(lambda x: abs(x - at) ** power, at, order=2)
    assert not found.success or abs(found.df) <= found.error
    assert found.success or at or power < 2.5


@pytest.mark.parametrize(("f", "slope"), [
    (lambda x: x * abs(x), 0), (lambda x: max(x, 0.0) ** 2, 0), (lambda x: math.sin(x) + x * abs(x), 1),
    (lambda x: abs(x) ** 1.5 + 3 * x, 3), (lambda x: x * math.sqrt(abs(x)), 0), (lambda x: 2 * x * abs(x) - x, -1),
])  # fmt: skip
def test_a_first_derivative_at_a_kink_of_the_second(f, slope: float) -> None:
    found = adlab.difference(f, 0.0)
    assert found.success
    assert abs(found.df - slope) <= 4 * found.error < 1e-5


def test_a_kink_is_told_after_few_evaluations() -> None:
    for f in (abs, lambda x: max(x, 0.0), lambda x: x + 3 * abs(x), lambda x: abs(math.sin(x))):
        found = adlab.difference(f, 0.0)
        assert found.estimates[0].flags == ("kink_in_stencil",)
        assert found.nfev < 70
