"""Operations that do not move: f is differentiable where sqrt(x - x) stands in it, although sqrt is not differentiable at 0."""

from __future__ import annotations

import numpy as np
import pytest

import adlab
from adlab.autodiff.beside import enough_bits

CASES = [  # formula, point, gradient, Hessian
    ("sqrt(x - x)", [1.0], [0], [[0]]),
    ("cbrt(y - y) + 3*y**2", [1.0], [6], [[6]]),
    ("x*y + tanh(x - x)**0.5", [2.0, 5.0], [5, 2], [[0, 1], [1, 0]]),
    ("hypot(sqrt(y - y), x - x)*y", [1.0, 2.0], [0, 0], [[0, 0], [0, 0]]),
    ("x**2*sqrt((y - x)*(x - x)/y)", [1.0, 4.0], [0, 0], [[0, 0], [0, 0]]),
    ("x + sqrt(3*x - 3*y - 3*(x - y))", [0.1, 0.7], [1, 0], [[0, 0], [0, 0]]),
    ("y*sqrt(floor(x) - 2)", [2.5, 4.0], [0, 0], [[0, 0], [0, 0]]),
]


@pytest.mark.parametrize(("text", "x", "gradient", "hessian"), CASES)
def test_what_does_not_move_has_slope_zero_by_every_path(
    text: str, x: list[float], gradient: list[float], hessian: list[list[float]]
) -> None:
    f = adlab.Function(text)
    slope = f.derivative()
    found = [f.gradient(x), f.gradient(x, "forward"), f.gradient([x] * 9)[8], f.vjp(x, [1.0]), np.atleast_1d(slope(x))]
    found += [f.compile("numpy", "gradient")([x] * 9)[0], np.array([f.jvp(x, row)[0] for row in np.eye(f.n)])]
    for each in found:
        assert each == pytest.approx(np.array(gradient), rel=1e-15)
    assert f.hessian(x) == pytest.approx(np.array(hessian), rel=1e-15)
    assert adlab.check(text, lambda *_: gradient, at=[x]).passed


@pytest.mark.parametrize(("text", "x"), [("sqrt(x*y)", [0.0, 0.0]), ("sqrt(x)", [0.0]), ("sqrt(Abs(x))*y", [0.0, 1.0])])
def test_what_moves_is_still_refused(text: str, x: list[float]) -> None:
    with pytest.raises(adlab.DomainError, match="f has no derivative at this point"):
        adlab.gradient(text, x)


@pytest.mark.parametrize("text", ["sqrt(tanh(x) - 1)", "sqrt(erf(x) - 1)", "sqrt(1/cosh(x)**9*0 + tanh(x) - 1)"])
def test_a_zero_that_is_rounded_is_called_so(text: str) -> None:
    with pytest.raises(adlab.DomainError, match="in binary64 f has no derivative at this point, though it may have one"):
        adlab.gradient(text, 300.0)


def test_a_number_too_large_to_follow_at_one_point_changes_no_other_point() -> None:
    first = enough_bits([1.0])
    first.saturated = True
    assert not enough_bits([1.0]).saturated
