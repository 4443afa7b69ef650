"""Every compiled derivative is the function's own, by every backend, at points and over batches."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import adlab

BACKENDS = ["python", "numpy", *["llvm"] * (importlib.util.find_spec("llvmlite") is not None)]
BOTH = pytest.mark.parametrize("backend", BACKENDS)
SECOND = ["hessian", "hvp"]
PAIR = adlab.Function(["x*sin(y)*log(z) + x**2*y", "exp(x/y)*z**3"], ["x", "y", "z"])
POINT = [1.2, 0.7, 2.0]


def own(f: adlab.Function, kind: str, x: np.ndarray, v: np.ndarray) -> np.ndarray:
    """What the function itself says, output by output for second derivatives."""
    if kind in SECOND:
        singles = [f] if f.m == 1 else [adlab.Function(output, f.variables) for output in f.outputs]
        rows = [one.hessian(x) if kind == "hessian" else one.hvp(x, v) for one in singles]
        return rows[0] if f.scalar else np.array(rows)
    if kind == "jvp":
        return f.jvp(x, v)[0] if f.scalar else f.jvp(x, v)
    if kind == "vjp":
        return f.vjp(x, v)
    return f.gradient(x) if kind.endswith("gradient") else f.jacobian(x)


def vector(f: adlab.Function, kind: str) -> list[np.ndarray]:
    if kind not in ("jvp", "vjp", "hvp"):
        return []
    return [np.linspace(0.5, 1.5, f.m if kind == "vjp" else f.n)]


def named() -> list[str]:
    return [name for name in ("worked-example", "speelpenning:4", "logistic-map:4", "rosenbrock:4", "softplus", "planck")
            if name.split(":")[0] in {n.replace("_", "-") for n in dir(adlab.gallery)}]  # fmt: skip


@BOTH
@pytest.mark.parametrize("kind", ["gradient", "jacobian", "hessian", "hvp", "jvp", "vjp"])
@pytest.mark.parametrize("name", named())
def test_gallery_functions_by_every_kind(name, kind, backend):
    f = adlab.gallery.named(name)
    x, extra = np.array(f.point), vector(f, kind)
    expected = own(f, kind, x, *(extra or [x]))
    program = f.compile(backend, kind)
    found = program(x, *extra)
    assert np.shape(found) == np.shape(expected)
    scale = np.abs(expected).max()
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-14 * scale)
    batch = program(np.stack([x, x * 1.01]), *extra)
    assert np.allclose(batch[0], expected, rtol=1e-12, atol=1e-14 * scale)


@BOTH
@pytest.mark.parametrize("kind", ["jacobian", "value_and_jacobian", "hessian", "hvp", "jvp", "vjp"])
def test_several_outputs_each_its_own_domain(kind, backend):
    program, extra = PAIR.compile(backend, kind), vector(PAIR, kind)
    x, outside = np.array(POINT), np.array([1.2, 0.7, -2.0])  # there the first output has no value, and the second has
    found = program(np.stack([x, outside]), *extra)
    if kind == "value_and_jacobian":
        assert np.allclose(found[0][0], PAIR(x), rtol=1e-14)
        assert np.isnan(found[0][1, 0])
        found, kind = found[1], "jacobian"
    assert np.allclose(found[0], own(PAIR, kind, x, *(extra or [x])), rtol=1e-13)
    if kind == "vjp":
        assert np.isnan(found[1]).all()
    else:
        assert np.isnan(found[1][0]).all()
        assert np.isfinite(found[1][1]).all()


@BOTH
@pytest.mark.parametrize("kind", ["jacobian", "hessian", "hvp", "jvp", "vjp"])
def test_chosen_variables_and_constants_are_parts_of_the_whole(kind, backend):
    program = PAIR.compile(backend, kind, wrt=["z", "x"], constants={"y": 0.7})
    given, places = np.array([1.2, 2.0]), [2, 0]
    whole = own(PAIR, "hessian" if kind == "hvp" else kind, np.array(POINT), np.array([0.5, 1.5]) if kind == "vjp" else np.array([1.5, 0, 0.5]))  # noqa: E501
    expected = {
        "jacobian": lambda: whole[:, places], "hessian": lambda: whole[:, places][:, :, places], "jvp": lambda: whole,
        "vjp": lambda: whole[places], "hvp": lambda: whole[:, places][:, :, places] @ [0.5, 1.5],
    }[kind]()  # fmt: skip
    extra = [[0.5, 1.5]] if kind in ("jvp", "vjp", "hvp") else []
    assert np.allclose(program(given, *extra), expected, rtol=1e-13)
    numbers = [*given, *(extra[0] if extra else [])]
    assert np.allclose(np.reshape(program.call(*numbers), expected.shape), expected, rtol=1e-13)


def test_a_constant_keeps_what_has_no_value_without_one():
    f = adlab.Function("a*log(log(x)) + x", ["a", "x"])
    with pytest.raises(adlab.DomainError):
        f([1, 1])
    assert np.isnan(f.compile(constants={"a": 1})([1.0]))
    for x in (-1.0, 0.5, 1.0, 2.0):  # 0*log(…) may be real by way of complex numbers, and is then 0 by every path
        assert np.array_equal(f.compile(constants={"a": 0})([[x]]), f([[0, x]]), equal_nan=True)
        assert np.array_equal(f.compile(derivative="gradient", constants={"a": 0})([[x]])[0], f.jacobian([[0, x]])[0, 0, 1:],
                              equal_nan=True)  # fmt: skip


@BOTH
@pytest.mark.parametrize(("formula", "point"), [
    ("abs(x)*y", [0.0, 2.0]), ("exp(-x**2)*y", [1e200, 1.0]), ("1/x**2 + y", [1e100, 1.0]), ("sqrt(x)*y", [0.0, 1.0]),
    ("Max(x, y)**2", [1.0, 1.0]), ("x**3*y", [1e-160, 1.0]),
])  # fmt: skip
def test_a_compiled_second_derivative_is_the_hessian_or_nan(formula, point, backend):
    f = adlab.Function(formula, ["x", "y"])
    try:
        expected = f.hessian(point)
    except adlab.AdlabError:
        expected = np.full((2, 2), np.nan)
    for given in (point, [point]):
        found = np.reshape(f.compile(backend, "hessian")(given), (2, 2))
        assert np.allclose(found, expected, rtol=1e-13, atol=0, equal_nan=True) or np.isnan(expected).all()
        if np.isnan(expected).all():
            assert not np.isfinite(found).all()


def test_bad_choices_are_refused_in_a_sentence():
    f = adlab.Function("x*y*g", ["x", "y", "g"])
    for options, error, words in [
        ({"derivative": "hess"}, adlab.OptionError, "none of"),
        ({"derivative": "jacobian", "wrt": ["q"]}, adlab.VariableError, "no variable `q`"),
        ({"derivative": "jacobian", "wrt": []}, adlab.VariableError, "one variable or more"),
        ({"derivative": "jacobian", "wrt": ["x", "x"]}, adlab.VariableError, "each once"),
        ({"wrt": ["x"]}, adlab.OptionError, "derivative="),
        ({"constants": {"h": 1}}, adlab.VariableError, "no variable `h`"),
        ({"constants": {"g": "nine"}}, adlab.PointError, "not a finite number"),
        ({"constants": {"x": 1, "y": 1, "g": 1}}, adlab.VariableError, "every variable is fixed"),
        ({"derivative": "jacobian", "wrt": ["g"], "constants": {"g": 1}}, adlab.VariableError, "among the constants"),
        ({"derivative": "jacobian", "wrt": 3}, adlab.OptionError, "names no variable"),
        ({"derivative": "jacobian", "data": 3}, adlab.OptionError, "names no variable"),
        ({"derivative": "jacobian", "data": ["x", "y", "g"]}, adlab.VariableError, "data: every variable"),
        ({"data": "x"}, adlab.OptionError, "data="),
    ]:
        with pytest.raises(error, match=words):
            f.compile(**options)
    one, by = f.variables[0], f.compile(derivative="jacobian", wrt=f.variables[0])
    assert by([1.0, 2.0, 3.0]) == f.compile(derivative="jacobian", data=f.variables[1:])([1.0, 2.0, 3.0]) == [6.0]
    assert f"by {one}" in f.to_python("gradient", wrt=one)
    with pytest.raises(adlab.PointError, match="a point and a vector"):
        f.compile(derivative="jvp")([1, 2, 3])
    with pytest.raises(adlab.PointError, match="vector has shape"):
        f.compile(derivative="jvp")([1, 2, 3], [1, 2])


def test_one_vector_serves_all_points_and_each_point_may_have_its_own():
    program, points = PAIR.compile(derivative="jvp"), np.array([POINT, [0.9, 1.1, 1.5]])
    directions = np.array([[1.0, 0, 0], [0, 2.0, 1.0]])
    each = [PAIR.jvp(x, v) for x, v in zip(points, directions, strict=True)]
    assert np.allclose(program(points, directions), each, rtol=1e-13)
    assert np.allclose(program(points, directions[0])[1], PAIR.jvp(points[1], directions[0]), rtol=1e-13)


def test_a_program_takes_names_too():
    f = adlab.Function(["k*sin(w*t)*g", "exp(-k*t)"], ["k", "w", "g", "t"])
    program = f.compile("python", "jacobian", wrt=["k", "w"], constants={"g": 9.81})
    named = {"t": 0.5, "k": 0.3, "w": 1.2}
    assert np.array_equal(program(named), program([0.3, 1.2, 0.5]))
    rows = program(named | {"t": np.array([0.5, 1.0])})
    assert np.array_equal(rows, program([[0.3, 1.2, 0.5], [0.3, 1.2, 1.0]]))
    with pytest.raises(adlab.PointError, match="no value for w and unknown g"):
        program({"t": 0.5, "k": 0.3, "g": 9.81})
