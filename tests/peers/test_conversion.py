"""A formula as a function of PyTorch, JAX or CasADi: single or double, one point or many, and under their transforms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adlab import gallery
from adlab.errors import MethodError, OptionError, PointError
from adlab.function import Function
from adlab.graph.arithmetic import evaluate

POINTS = np.array([[1.0, 2.0], [2.0, 3.0], [2.0, 5.0]])
f = gallery.worked_example()
two = Function(["x*y", "exp(x)/y"], ["x", "y"])


# --- PyTorch --------------------------------------------------------------------------------------------------------


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch")


def test_torch_values_have_the_shape_and_precision_asked_for(torch: Any) -> None:
    single, double = f.graph.to_torch(torch.float32), f.graph.to_torch()
    assert single(torch.tensor([1.0, 2.0])).dtype == torch.float32
    assert double(POINTS).dtype == torch.float64
    assert double(POINTS).shape == (3,)
    assert two.graph.to_torch()(POINTS).shape == (3, 2)
    assert double(POINTS).numpy() == pytest.approx(f(POINTS), rel=1e-15)
    assert single(POINTS).numpy() == pytest.approx(f(POINTS), rel=1e-6)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # by PyTorch's own first JVP
def test_torch_functions_are_differentiable_and_transformable(torch: Any) -> None:
    lowered, points = f.graph.to_torch(), torch.tensor(POINTS, requires_grad=True)
    lowered(points).sum().backward()
    assert points.grad.numpy() == pytest.approx(f.gradient(POINTS), rel=1e-14)
    by_transforms = torch.func.vmap(torch.func.grad(lowered))(torch.tensor(POINTS))
    assert by_transforms.numpy() == pytest.approx(f.gradient(POINTS), rel=1e-14)
    hessian = torch.func.hessian(lowered)(torch.tensor(POINTS[0]))
    assert hessian.numpy() == pytest.approx(f.hessian(POINTS[0]), rel=1e-13)


def test_torch_trains_a_parameter(torch: Any) -> None:
    """A formula is a layer like any other: here gradient descent finds the minimum of Rosenbrock's function."""
    lowered = gallery.rosenbrock(2).graph.to_torch()
    x = torch.tensor([0.5, 0.5], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([x], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Any:
        optimizer.zero_grad()
        loss = lowered(x)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert x.detach().numpy() == pytest.approx([1.0, 1.0], abs=1e-5)


# --- JAX ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def jax() -> Any:
    return pytest.importorskip("jax")


def test_jax_computes_in_single_unless_told_otherwise(jax: Any) -> None:
    lowered = f.graph.to_jax()
    assert lowered(POINTS).dtype == np.float32
    with jax.enable_x64(True):
        assert lowered(POINTS).dtype == np.float64
        assert np.asarray(lowered(POINTS)) == pytest.approx(f(POINTS), rel=1e-15)
        assert f.graph.to_jax("float32")(POINTS).dtype == np.float32


def test_jax_is_not_let_to_compute_in_single_silently(jax: Any) -> None:
    with pytest.raises(OptionError, match="jax_enable_x64"):
        f.graph.to_jax("float64")(POINTS)


def test_jax_functions_transform(jax: Any) -> None:
    with jax.enable_x64(True):
        lowered = f.graph.to_jax("float64")
        gradients = jax.jit(jax.vmap(jax.grad(lowered)))(POINTS)
        assert np.asarray(gradients) == pytest.approx(f.gradient(POINTS), rel=1e-14)
        assert np.asarray(jax.hessian(lowered)(POINTS[0])) == pytest.approx(f.hessian(POINTS[0]), rel=1e-13)
        assert np.asarray(jax.jacrev(two.graph.to_jax())(POINTS[0])) == pytest.approx(two.jacobian(POINTS[0]))


# --- CasADi ---------------------------------------------------------------------------------------------------------


def test_casadi_functions_take_a_vector_or_columns_of_them() -> None:
    pytest.importorskip("casadi")
    lowered = two.graph.to_casadi("two")
    assert lowered.name() == "two"
    assert lowered(POINTS[0]).full()[:, 0] == pytest.approx(two(POINTS[0]))
    assert pytest.approx(two(POINTS)) == lowered(POINTS.T).full().T
    assert lowered.jacobian()(POINTS[0], 0).full() == pytest.approx(two.jacobian(POINTS[0]))


# --- all ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("convert", ["to_torch", "to_jax"])
def test_a_wrong_shape_is_an_error_with_the_right_one_in_it(convert: str) -> None:
    pytest.importorskip(convert.removeprefix("to_"))
    with pytest.raises(PointError, match=r"takes shape \(2,\) or \(\.\.\., 2\), for x1, x2; not \(3,\)"):
        getattr(f.graph, convert)()(np.ones(3))


@pytest.mark.parametrize("convert", ["to_torch", "to_jax", "to_casadi"])
def test_what_a_framework_lacks_is_refused_by_name(convert: str) -> None:
    pytest.importorskip(convert.removeprefix("to_"))
    with pytest.raises(MethodError, match="`lambertw`"):
        getattr(Function("LambertW(x)").graph, convert)()(np.ones(1))


def test_a_derivative_program_is_a_graph_like_any_other() -> None:
    """adlab's own gradient program runs on JAX's numbers, and so does its reverse sweep."""
    jax = pytest.importorskip("jax")
    from adlab.autodiff.sweeps import reverse
    from adlab.peers.jax import NUMBERS

    with jax.enable_x64(True):
        program = f.derivative("reverse").graph.to_jax("float64")
        assert np.asarray(jax.jit(program)(POINTS)) == pytest.approx(f.gradient(POINTS), rel=1e-14)

        def swept(x: Any) -> Any:
            values = evaluate(f.graph, list(x), NUMBERS)
            adjoint = reverse(f.graph, values, {f.graph.outputs[0]: 1.0}, NUMBERS)
            return [adjoint[0], adjoint[1]]

        assert np.asarray(jax.jit(swept)(POINTS[0])) == pytest.approx(f.gradient(POINTS[0]), rel=1e-14)
