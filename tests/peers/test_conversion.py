"""A formula as a function of PyTorch, JAX or CasADi: single or double, one point or many, and under their transforms."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from adlab import gallery
from adlab.arithmetic.numbers import evaluate
from adlab.errors import MethodError, OptionError, PointError
from adlab.function import Function

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


def test_torch_keeps_the_precision_of_a_tensor(torch: Any) -> None:
    lowered = f.graph.to_torch()
    for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        assert lowered(torch.tensor([1.0, 2.0], dtype=kind)).dtype == kind
    assert lowered([1, 2]).dtype == lowered(torch.tensor([1, 2])).dtype == torch.float64
    assert lowered(np.ones((3, 2), np.float32)).dtype == torch.float32
    assert f.graph.to_torch("float32")(POINTS).dtype == f.graph.to_torch(np.float32)(POINTS).dtype == torch.float32


def test_torch_takes_tensors_by_name_and_loses_no_gradient(torch: Any) -> None:
    """Data for one variable, a parameter for the other; a number fits itself to the tensors."""
    lowered, data, parameter = f.graph.to_torch(), torch.tensor([1.0, 2.0, 2.0]), torch.tensor(2.0, requires_grad=True)
    found = lowered({"x1": data, "x2": parameter})
    assert found.shape == (3,)
    assert found.dtype == lowered({"x1": data, "x2": 2}).dtype == torch.float32
    found.sum().backward()
    assert parameter.grad.item() == pytest.approx(sum(f.gradient([[1, 2], [2, 2], [2, 2]])[:, 1]), rel=1e-6)
    first = torch.tensor(1.0, requires_grad=True)
    lowered([first, 2.0]).backward()
    assert first.grad.item() == pytest.approx(f.gradient([1, 2])[0], rel=1e-6)
    by_name = torch.func.grad(lowered)({"x1": torch.tensor(1.0), "x2": torch.tensor(2.0)})
    assert by_name["x2"].item() == pytest.approx(f.gradient([1, 2])[1], rel=1e-6)


def test_torch_has_second_derivatives(torch: Any) -> None:
    x = torch.tensor(POINTS[0], requires_grad=True)
    assert torch.autograd.gradgradcheck(f.graph.to_torch(), x)


def test_a_torch_module_is_part_of_others_copied_and_saved(torch: Any) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), gallery.rosenbrock(2).graph.to_torch())
    x = torch.ones(5, 3)
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(again(x), model(x))
    assert "2 inputs, 7 operations" in repr(model)


@pytest.mark.filterwarnings("ignore")  # PyTorch's tracer imports what it deprecates
@pytest.mark.parametrize("text", ["log((x + 1)**2 + sin(x))", "sec(x)*exp(-x**2/2)/sqrt(2*pi)", "Max(x, 0) + Heaviside(x - 1)"])
def test_torch_compile_follows_a_formula_to_its_end(torch: Any, text: str) -> None:
    """Also where PyTorch lacks a function, and SymPy has composed it: one graph, without a break."""
    lowered, x = Function(text, ["x"]).graph.to_torch(), torch.tensor([[0.5], [1.5]], dtype=torch.float64)
    assert torch.compile(lowered, fullgraph=True, backend="aot_eager")(x) == pytest.approx(lowered(x))


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


def test_jax_keeps_the_precision_of_an_array(jax: Any) -> None:
    lowered = f.graph.to_jax()
    with jax.enable_x64(True):
        for kind in ("bfloat16", "float32", "float64"):
            assert lowered(jax.numpy.array([1.0, 2.0], dtype=kind)).dtype == kind
        assert lowered([1, 2]).dtype == np.float64
    assert lowered([1, 2]).dtype == np.float32


def test_jax_takes_arrays_by_name(jax: Any) -> None:
    with jax.enable_x64(True):
        lowered = f.graph.to_jax()
        assert np.asarray(lowered({"x1": POINTS[:, 0], "x2": 2.0})) == pytest.approx(f({"x1": POINTS[:, 0], "x2": 2.0}))
        gradient = jax.jit(jax.grad(lowered))({"x1": 1.0, "x2": 2.0})
        assert [float(gradient[name]) for name in f.names] == pytest.approx(f.gradient([1, 2]), rel=1e-14)


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


@pytest.mark.parametrize("convert", ["to_torch", "to_jax"])
@pytest.mark.parametrize(
    ("x", "said"),
    [
        ([1 + 1j, 2], "real numbers"), (np.array([1 + 1j, 2]), "real numbers.*complex"), ("abc", "real numbers.*not str"),
        (None, "not NoneType"), ({"x1": 1.0}, "no value for x2"), ({"x1": 1.0, "x2": 2.0, "x3": 3.0}, "unknown x3"),
        ({"x1": np.ones(2), "x2": np.ones(3)}, "real numbers"),
    ],
    ids=["complex", "complex array", "text", "nothing", "one missing", "one too many", "ragged"],
)  # fmt: skip
def test_what_are_no_real_numbers_is_refused_in_a_sentence(convert: str, x: Any, said: str) -> None:
    pytest.importorskip(convert.removeprefix("to_"))
    with pytest.raises(PointError, match=said):
        getattr(f.graph, convert)()(x)


@pytest.mark.parametrize("convert", ["to_torch", "to_jax"])
@pytest.mark.parametrize("dtype", ["float99", "int32", "complex64", int, object()],
                         ids=["float99", "int32", "complex64", "int", "object"])  # fmt: skip
def test_a_precision_that_is_none_is_refused_at_once(convert: str, dtype: Any) -> None:
    pytest.importorskip(convert.removeprefix("to_"))
    with pytest.raises(OptionError, match='such as "float32"'):
        getattr(f.graph, convert)(dtype)


@pytest.mark.parametrize("name", ["two words", "1st", None])
def test_casadi_names_are_checked(name: Any) -> None:
    pytest.importorskip("casadi")
    with pytest.raises(OptionError, match="named by letters"):
        f.graph.to_casadi(name)


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
