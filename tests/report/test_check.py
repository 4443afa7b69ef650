"""Someone's own gradient: ten deliberately broken ones, each named for what it is."""

from __future__ import annotations

import numpy as np
import pytest

import adlab
from adlab.report.check import check
from adlab.testing import assert_gradient

WORKED = "log((x1 + x2)**2 + sin(x1*x2))"
POINTS = [[1.0, 2.0], [2.0, 3.0], [0.3, 0.7]]


def true_gradient(x):
    s = (x[0] + x[1]) ** 2 + np.sin(x[0] * x[1])
    return np.array([2 * (x[0] + x[1]) + x[1] * np.cos(x[0] * x[1]), 2 * (x[0] + x[1]) + x[0] * np.cos(x[0] * x[1])]) / s


def broken(change):
    return lambda x: change(np.array(true_gradient(x)), x)


SLIPS = {
    "factor": (broken(lambda g, x: g * [1, 2]), "wrong by a factor 2 in x2"),
    "half": (broken(lambda g, x: g / 2), "wrong by a factor 1/2 in x1, x2"),
    "sign": (broken(lambda g, x: g * [-1, 1]), "sign of x1"),
    "swapped": (broken(lambda g, x: g[::-1]), "x1 and x2 are in each other's place"),
    "single precision": (broken(lambda g, x: g.astype(np.float32)), "accurate to single precision only in x1, x2"),
    "nothing": (broken(lambda g, x: g * [0, 1]), "nothing arrives at x1"),
    "missing path": (
        lambda x: 2 * (x[0] + x[1]) / ((x[0] + x[1]) ** 2 + np.sin(x[0] * x[1])) * np.ones(2),
        "missing the path through v3 = x1*x2 in x1, x2",
    ),
    "another": (broken(lambda g, x: g + np.sin(g)), "wrong in a way that is none of the usual slips in x1, x2"),
    "not finite": (broken(lambda g, x: g * [np.nan, 1]), "not a finite number in x1"),
    "shape": (lambda x: true_gradient(x)[:1], "the shape is (1,) where (2,) is due"),
}


@pytest.mark.parametrize(("grad", "finding"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_called_by_its_name(grad, finding: str) -> None:
    found = check(WORKED, grad, POINTS)
    assert not found.passed
    assert any(finding in sentence for sentence in found.findings), found.findings


def test_a_transposed_jacobian_is_named() -> None:
    f = adlab.Function(["x*y", "x + sin(y)"])

    def jacobian(x):
        return np.array([[x[1], x[0]], [1, np.cos(x[1])]])

    assert check(f, jacobian, [[1.0, 2.0], [0.5, 3.0]]).passed
    assert "transposed" in check(f, lambda x: jacobian(x).T, [[1.0, 2.0], [0.5, 3.0]]).findings[0]
    wide = adlab.Function(["x*y", "x + sin(y)", "x"])
    assert "transposed" in check(wide, lambda x: np.zeros((2, 3)), [[1.0, 2.0]]).findings[0]


def test_a_right_gradient_passes_at_every_scale() -> None:
    assert check(WORKED, true_gradient, POINTS).passed
    for scale in (1e-200, 1e-8, 1e8, 1e150):
        assert check("x**2", lambda x: 2 * x, at=[scale]).passed


def test_ill_conditioning_is_no_slip() -> None:
    """At 40 the argument of the cosine is 4.6e7: rounding it costs eight digits, and that is allowed for."""
    assert check("cos(723*x**3)", lambda x: -np.sin(723 * x**3) * 723 * 3 * x**2, at=[40.0]).passed


def test_assertion_for_test_suites() -> None:
    assert_gradient(WORKED, true_gradient, POINTS)
    with pytest.raises(AssertionError, match="sign of x1"):
        assert_gradient(WORKED, SLIPS["sign"][0], POINTS)


def test_what_cannot_be_checked_is_said() -> None:
    with pytest.raises(adlab.OptionError, match="function"):
        check(WORKED, 3, POINTS)
    with pytest.raises(adlab.MethodError, match="ZeroDivisionError"):
        check("x", lambda x: 1 / 0, at=[1.0])
    with pytest.raises(adlab.MethodError, match="no truth"):
        check("Abs(x)", np.sign, at=[0.0])
    with pytest.raises(adlab.PointError):
        check(WORKED, true_gradient, at=[])
