"""Laplacian, divergence, curl, second derivatives along a direction; Taylor coefficients with their bounds and their truth."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import adlab

X = sympy.symbols("x y z", real=True)
POINT = [0.5, 1.25, 2.0]
F = "x**2*sin(y)*z + exp(x*z)/y"


def test_fields_are_what_sympy_says() -> None:
    e = adlab.Function(F).expr
    at = dict(zip(X, POINT, strict=True))
    slopes = [sympy.diff(e, x) for x in X]
    assert adlab.laplacian(F, POINT) == pytest.approx(float(sum(sympy.diff(e, x, 2) for x in X).subs(at)), rel=1e-13)
    assert adlab.divergence(slopes, POINT) == pytest.approx(adlab.laplacian(F, POINT), rel=1e-13)
    np.testing.assert_allclose(adlab.curl(slopes, POINT), 0, atol=1e-12)  # a gradient has no curl
    v = [1.0, -2.0, 0.5]
    assert adlab.second_along(F, POINT, v) == pytest.approx(2 * adlab.Function(F).series(POINT, v, 2)[2], rel=1e-12)


def test_shapes_that_have_no_such_derivative_are_refused() -> None:
    two = ["x", "y"]
    for call in (lambda: adlab.curl(two, [1, 2]), lambda: adlab.divergence("x*y", [1, 2]),
                 lambda: adlab.laplacian(two, [1, 2]), lambda: adlab.second_along(two, [1, 2], [1, 0])):  # fmt: skip
        with pytest.raises(adlab.MethodError):
            call()


def test_fields_beyond_binary64_and_batches_are_refused() -> None:
    large = ["1e308*(x + y)", "1e308*y - 1e308*x", "z"]
    for call in (lambda: adlab.laplacian("7e307*(x**2 + y**2)", [1, 2]), lambda: adlab.divergence(large, [0, 0, 0]),
                 lambda: adlab.curl(large, [0, 0, 0]), lambda: adlab.second_along("x**2", [1], [1e200])):  # fmt: skip
        with pytest.raises(adlab.OverflowedError, match="beyond binary64"):
            call()
    batch = np.ones((4, 3))
    for call in (lambda: adlab.laplacian(F, batch), lambda: adlab.divergence(large, batch),
                 lambda: adlab.curl(large, batch), lambda: adlab.second_along(F, batch, batch[0])):  # fmt: skip
        with pytest.raises(adlab.PointError, match="not a batch"):
            call()


@pytest.mark.parametrize(
    "text", ["tan(x)", "atan(x)*exp(x)", "x**2.5", "erf(x)/x", "Max(x, 0.2)**2", "log(x + sqrt(x))"]
)
def test_every_coefficient_is_within_its_bound_of_the_truth(text) -> None:
    for point in (0.7, 1e-3):
        found = adlab.Function(text).series([point], [1.0], 8)
        truth = found.truth()
        error = np.array([abs(float(true - x)) for true, x in zip(truth, found.tolist(), strict=True)])
        assert (error <= found.bound).all()
    near = adlab.Function("sin(x)/x").series([1e-3], [1.0], 6)
    assert near.bound[6] > 1e3, "the coefficients near 0 have lost their digits, and the bound says so"
    assert float(near.truth()[6]) == pytest.approx(-1 / 5040, rel=1e-5)


def test_bounds_and_truths_have_the_shape_of_the_coefficients() -> None:
    f = adlab.Function(["x*y", "Abs(x)"], ["x", "y"])
    found = f.series([1.0, 2.0], [1.0, 1.0], 3)
    assert found.bound.shape == found.truth().shape == found.shape == (2, 4)
    assert found[0].tolist() == [2.0, 3.0, 1.0, 0.0]
    for none in (lambda: found[0].bound, lambda: (2 * found).truth()):
        with pytest.raises(adlab.MethodError, match="the part of"):
            none()
    with pytest.raises(adlab.MethodError, match="needs a formula"):
        adlab.Function.from_graph(f.graph).series([1.0, 2.0], [1.0, 1.0], 3).truth()
    edge = adlab.Function("Abs(x - 0.1)").series([0.1 + 1e-16], [1.0], 2)
    assert edge.bound.shape == (3,)
