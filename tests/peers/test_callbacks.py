"""Functions that PyTorch, JAX and CasADi lack, as calls back into adlab: values and derivatives of any order."""

from __future__ import annotations

import numpy as np
import pytest

import adlab

BESSEL = adlab.Function("besselj(0, x)*exp(-y) + x*y**2", ["x", "y"])
PAIR = adlab.Function(["besselk(1, x)*y", "x*y"], ["x", "y"])
POINTS = np.array([[0.5, 1.5], [2.0, -0.5]])
NUMBERLESS = adlab.Function(["2", "3"], [])


def test_torch_calls_back_for_values_gradients_and_hessians() -> None:
    torch = pytest.importorskip("torch")
    f, x = BESSEL.to_torch(callback=True), torch.tensor(POINTS, requires_grad=True)
    np.testing.assert_allclose(f(x).detach(), BESSEL(POINTS))
    f(x).sum().backward()
    np.testing.assert_allclose(x.grad, BESSEL.gradient(POINTS))
    hessian = torch.autograd.functional.hessian(f, x.detach()[0])
    np.testing.assert_allclose(hessian, BESSEL.hessian(POINTS[0]), rtol=1e-12)
    assert torch.autograd.gradcheck(PAIR.to_torch(callback=True), (x,))
    assert f(torch.tensor(POINTS, dtype=torch.float32)).dtype == torch.float32


def test_jax_calls_back_under_grad_jit_and_vmap() -> None:
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        f, points = BESSEL.to_jax(callback=True), jax.numpy.asarray(POINTS)
        np.testing.assert_allclose(f(points), BESSEL(POINTS))
        np.testing.assert_allclose(jax.jit(jax.vmap(jax.grad(f)))(points), BESSEL.gradient(POINTS))
        np.testing.assert_allclose(jax.jacrev(jax.grad(f))(points[0]), BESSEL.hessian(POINTS[0]), rtol=1e-12)
        np.testing.assert_allclose(jax.jacrev(PAIR.to_jax(callback=True))(points[1]), PAIR.jacobian(POINTS[1]))


def test_casadi_calls_back_within_its_own_expressions() -> None:
    casadi = pytest.importorskip("casadi")
    f = PAIR.to_casadi(callback=True)
    np.testing.assert_allclose(np.array(f(POINTS[0])).ravel(), PAIR(POINTS[0]))
    x = casadi.MX.sym("x", 2)
    slope = casadi.Function("slope", [x], [casadi.jacobian(f(2 * x), x)])
    np.testing.assert_allclose(np.array(slope(POINTS[0])), 2 * PAIR.jacobian(2 * POINTS[0]))


def test_whole_numbers_no_variables_and_wrong_shapes_are_met_in_torch() -> None:
    torch = pytest.importorskip("torch")
    half = adlab.Function("x/2").to_torch(callback=True)
    assert half(torch.ones(1, dtype=torch.int64)).item() == 0.5
    assert NUMBERLESS.to_torch(callback=True)(torch.zeros(4, 0)).tolist() == [[2, 3]] * 4
    with pytest.raises(adlab.PointError, match=r"has shape \(3,\); give \(1,\)"):
        half(torch.ones(3))


def test_no_variables_and_wrong_shapes_are_met_in_jax() -> None:
    jax = pytest.importorskip("jax")
    assert jax.jacrev(NUMBERLESS.to_jax(callback=True))(jax.numpy.zeros(0)).shape == (2, 0)
    with pytest.raises(adlab.PointError, match=r"has shape \(3,\); give \(1,\)"):
        adlab.Function("x/2").to_jax(callback=True)(jax.numpy.ones(3))


def test_a_jacobian_outlives_the_callback_that_it_was_made_of() -> None:
    pytest.importorskip("casadi")
    slope = adlab.Function("x*y").to_casadi(callback=True).jacobian()
    assert np.array(slope([1.0, 2.0], 0)).ravel().tolist() == [2.0, 1.0]


OUT_OF_RANGE = [("1/x**2", 1e100), ("1/(1 + exp(-x))", -400.0), ("x**2/x", 1e200), ("x/(exp(x) - 1)", 720.0)]


@pytest.mark.parametrize(("formula", "x"), OUT_OF_RANGE)
def test_where_the_range_is_left_on_the_way_a_call_back_has_the_true_derivative(formula: str, x: float) -> None:
    torch = pytest.importorskip("torch")
    f, point = adlab.Function(formula), torch.tensor([x], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(f.to_torch(callback=True)(point), point, create_graph=True)
    (second,) = torch.autograd.grad(slope, point)
    assert slope.tolist() == pytest.approx([float(adlab.truth(f, x).gradient[0])], rel=1e-14, abs=0)
    assert second.tolist() == pytest.approx([float(adlab.truth(f, x, order=2).rows[0][0].value)], rel=1e-14, abs=1e-307)


@pytest.mark.parametrize("name", ["torch", "jax", "casadi"])
def test_where_no_number_exists_it_is_nan(name: str) -> None:
    pytest.importorskip(name)
    f = getattr(adlab.Function("log(x)"), f"to_{name}")(callback=True)
    given = pytest.importorskip("torch").tensor([-1.0]) if name == "torch" else np.array([-1.0])
    assert np.isnan(np.asarray(f(given), dtype=float)).all()
