"""Every backend computes the same thing: what the walk over the graph computes, at every point there is."""

from __future__ import annotations

import importlib.util
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import adlab
from adlab.arithmetic.arrays import ARRAYS
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.programs import derivative
from adlab.compile.existence import with_existence
from adlab.compile.factor import factored
from adlab.compile.program import compile_graph
from adlab.graph.graph import Builder, Graph
from adlab.primitives.table import PRIMITIVES

HAS_LLVM = importlib.util.find_spec("llvmlite") is not None
BACKENDS = ["python", "numpy", *["llvm"] * HAS_LLVM]
BOTH = pytest.mark.parametrize("backend", BACKENDS)

# Signed zeros, subnormals, the ends of domains, what overflows, and what is no number.
EDGES = [0.0, -0.0, 5e-324, -5e-324, 1e-310, 0.25, -0.5, 1.0, -1.0, 1.5, -1.5, 2.0, -3.0, 20.0, 171.5, -7.3, 710.0,
         -750.0, 1e9, 1e155, -1e155, 1.7e308, math.inf, -math.inf, math.nan]  # fmt: skip
TRUTHS = [1.0, 0.0, math.nan]
LOGICAL = ["and", "or", "not", "select"]
PARAMETERS = {"powi": [2, 3, 4, 7, 100], "powr": [Fraction(3, 2), Fraction(2, 3)], "pow": [0, -1],
              "heaviside": [Fraction(1, 2)], "polygamma": [0, 1], "norm": [2, 4]}  # fmt: skip
ULPS = {"gamma": 40, "loggamma": 40, "polygamma": 40, "powi": 8}


def single(primitive, parameter=None) -> Graph:
    builder = Builder([f"x{k}" for k in range(primitive.count(parameter))])
    node = builder.apply(primitive, range(primitive.count(parameter)), parameter)
    return builder.finish([node])


def walked(graph: Graph, points: np.ndarray) -> np.ndarray:
    """The meaning of a program: the graph walked on arrays, each operation masked by its condition."""
    values = evaluate(graph, [np.ascontiguousarray(column) for column in points.T], ARRAYS)
    return np.stack([np.broadcast_to(values[output], len(points)) for output in graph.outputs], axis=-1)


def same(found: np.ndarray, expected: np.ndarray, ulps: float = 8) -> np.ndarray:
    """Where two results are the same number up to rounding, both infinite with one sign, or both NaN."""
    with np.errstate(all="ignore"):
        near = np.abs(found - expected) <= ulps * np.maximum(np.spacing(np.abs(expected)), 5e-324)
    return near | (found == expected) | (np.isnan(found) & np.isnan(expected))


def one_by_one(graph: Graph, points: np.ndarray) -> np.ndarray:
    """The same meaning, walked on floats."""
    rows = [evaluate(graph, point, FLOATS) for point in points.tolist()]
    return np.array([[row[output] for output in graph.outputs] for row in rows])


def cases() -> list:
    """The table, but for the dear special functions: those are one and the same call in every backend."""
    return [
        pytest.param(primitive, parameter, id=f"{name}{'' if parameter is None else f'-{parameter}'}")
        for name, primitive in PRIMITIVES.items()
        for parameter in PARAMETERS.get(name, [None if primitive.parameter_at is None else 1])
        if primitive.weight(parameter) < 100 or name in ("loggamma", "polygamma")
    ]


def edges(primitive, parameter=None) -> np.ndarray:
    values, count = TRUTHS if primitive.name in LOGICAL else EDGES, primitive.count(parameter)
    if count > 3:
        return np.random.default_rng(0).choice(values, (2000, count))
    return np.array(list(itertools.product(values, repeat=count)))


def wrong(found: np.ndarray, graph: Graph, points: np.ndarray, ulps: float) -> list:
    """The points, with what was found and meant, at which a program is neither what the one walk says nor the other."""
    if any(graph.nodes[i].primitive.name == "loggamma" for i in graph.operations):
        finite = np.isfinite(points).all(axis=1)  # infinity at infinity in C, nothing in mpmath
        found, points = found[finite], points[finite]
    meant = one_by_one(graph, points), walked(graph, points)  # which may round differently
    right = np.logical_or(*(same(found, expected, ulps) for expected in meant)).all(axis=1)
    return list(zip(points[~right].tolist(), found[~right].tolist(), meant[0][~right].tolist(), strict=True))[:8]


@pytest.mark.parametrize("backend", ["python", "numpy"])
@pytest.mark.parametrize(("primitive", "parameter"), cases())
def test_every_primitive_means_the_same_at_every_edge(backend, primitive, parameter):
    graph, points = single(primitive, parameter), edges(primitive, parameter)
    program = compile_graph(graph, [(1,)], backend)
    called = np.array([program.call(*point) for point in points.tolist()])
    for found in (called, program(points)):
        assert wrong(found, graph, points, ULPS.get(primitive.name, 8)) == []


@pytest.mark.skipif(not HAS_LLVM, reason="llvmlite is not installed")
@pytest.mark.parametrize("accuracy", ["fast", "strict"])
@pytest.mark.parametrize("arity", [1, 2, 3])
def test_machine_code_means_the_same_at_every_edge(arity, accuracy):
    """All primitives of one arity in one program, which takes the compiler a tenth of the time."""
    chosen = [param.values for param in cases() if param.values[0].count(param.values[1]) == arity]
    builder = Builder([f"x{k}" for k in range(arity)])
    graph = builder.finish([builder.apply(primitive, range(arity), parameter) for primitive, parameter in chosen])
    program = compile_graph(graph, [(len(chosen),)], "llvm", accuracy)
    points = np.array(list(itertools.product(EDGES, repeat=arity))) if arity < 3 else edges(PRIMITIVES["select"])
    called = np.array([program.call(*point) for point in points.tolist()])
    for found in (called, program(points)):
        for k, (primitive, parameter) in enumerate(chosen):
            if primitive.name not in LOGICAL or arity == 3:
                meant = single(primitive, parameter)
                assert wrong(found[:, [k]], meant, points, ULPS.get(primitive.name, 8)) == [], primitive


@pytest.mark.skipif(not HAS_LLVM, reason="llvmlite is not installed")
@pytest.mark.parametrize("arity", [1, 2, 3])
def test_the_tape_means_the_same_at_every_edge(arity):
    from adlab.compile.llvm.tape import tape_kernel

    for primitive, parameter in [param.values for param in cases() if param.values[0].count(param.values[1]) == arity]:
        graph, points = single(primitive, parameter), edges(primitive, parameter)
        kernel = tape_kernel(graph)
        if kernel is None:
            assert primitive.name in ("powr", "polygamma", "norm", "logaddexp", "ellipticgap")  # several operands, or called back
            continue
        called = np.array([kernel.call(*point) for point in points.tolist()])
        for found in (called, kernel.batch(points)):
            assert wrong(found, graph, points, ULPS.get(primitive.name, 8)) == [], primitive


# --- random programs ---------------------------------------------------------------------------------------------

SMOOTH = ["add", "sub", "mul", "div", "sin", "exp", "log", "sqrt", "tanh", "atan", "neg"]
BRANCHING = [*SMOOTH, "min", "max", "abs", "lt", "select"]


@st.composite
def graphs(draw, names=BRANCHING, inputs=3) -> Graph:
    """A random program; what it computes may leave the domain anywhere."""
    builder = Builder([f"x{k}" for k in range(inputs)])
    for value in draw(st.lists(st.sampled_from([1, 2, Fraction(1, 3), -0.5, 3.7]), max_size=2)):
        builder.constant(value)
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=12)):
        primitive = PRIMITIVES[name]
        places = st.integers(0, len(builder.nodes) - 1)
        operands = [draw(places) for _ in range(primitive.arity)]
        if name == "select":
            operands[0] = builder.call("lt", operands[0], operands[1])
        builder.apply(primitive, operands)
    return builder.finish([len(builder.nodes) - 1])


POINTS = np.array(list(itertools.product([0.0, -1.0, 0.5, 2.0, 800.0], repeat=3)))


@BOTH
@settings(max_examples=25, deadline=None)
@given(graph=graphs())
def test_a_gradient_program_means_the_same_in_every_backend(backend, graph):
    program = with_existence(derivative(graph, "reverse", value=True), 1, values=True)
    expected = walked(program, POINTS)
    kernels = [compile_graph(program, [(4,)], backend)._best]
    if backend == "llvm":
        from adlab.compile.llvm.tape import tape_kernel

        kernels.append(tape_kernel(program))
    for kernel in kernels:
        found = kernel.batch(POINTS)
        assert same(found, expected, 1000).all(), (program, found[~same(found, expected, 1000)])


@BOTH
@settings(max_examples=25, deadline=None)
@given(graph=graphs(SMOOTH))
def test_a_gradient_without_its_value_is_nan_where_the_value_is(backend, graph):
    program = derivative(graph, "reverse", value=True)
    values, *_ = walked(graph, POINTS).T
    alone = compile_graph(with_existence(program, 1, values=False), [(3,)], backend)(POINTS)
    together = compile_graph(with_existence(program, 1, values=True), [(4,)], backend)(POINTS)
    inside = np.isfinite(values)
    assert same(alone[inside], together[inside, 1:], 1000).all()
    overflowed = np.isinf(walked(Graph(graph.inputs, graph.nodes, tuple(range(len(graph)))), POINTS)).any(axis=1)
    assert np.isnan(alone[np.isnan(values) & ~overflowed]).all()


# --- existence ---------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(("formula", "outside"), [
    ("log(x)", -1.0), ("log(x)", 0.0), ("atanh(x)", 2.0), ("acoth(x)", 0.5), ("asech(x)", -0.5), ("1/x", 0.0),
    ("loggamma(x)", -1.5), ("sqrt(x - 1)", 0.0), ("log(log(x))", 0.5), ("x*log(-x) + sin(x)", 3.0),
])  # fmt: skip
def test_where_f_has_no_value_it_has_no_derivative(backend, formula, outside):
    f = adlab.Function(formula)
    for kind in ("gradient", "jacobian"):
        program = f.compile(backend, kind)
        assert np.isnan(program([outside])).all()
        assert np.isnan(program(np.full((9, 1), outside))).all()
        assert np.isnan(program.call(outside)).all()


@BOTH
def test_every_component_of_the_gradient_goes_with_the_value(backend):
    f = adlab.Function("log(x) + y")
    found = f.compile(backend, "gradient")([[-1.0, 2.0], [4.0, 2.0]])
    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [0.25, 1.0]


@BOTH
def test_a_branch_not_taken_may_be_outside_its_domain(backend):
    f = adlab.Function("Piecewise((log(x), x > 0), (x**2, True))")
    found = f.compile(backend, "value_and_gradient")([[-3.0], [2.0], [0.0]])
    assert np.allclose(found[0], [9, math.log(2), 0], rtol=1e-15)
    assert np.allclose(found[1], [[-6], [0.5], [0]], rtol=1e-15)


@BOTH
def test_overflow_is_never_an_exception(backend):
    """A value beyond binary64 is infinity. A derivative beyond it is NaN: at a single point `gradient` raises."""
    f = adlab.Function("exp(x) + x**400 + cosh(x)")
    program = f.compile(backend, "value_and_gradient")
    value, slope = program.call(1000.0)
    assert (value, math.isnan(slope)) == (math.inf, True)
    assert program([[1000.0]] * 3)[0].tolist() == [math.inf] * 3


# --- the face ----------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 8193])
def test_a_batch_is_its_points_one_by_one(backend, count):
    f = adlab.Function("log((x1 + x2)**2 + sin(x1*x2))")
    points = np.random.default_rng(count).uniform(0.5, 2, (count, 2))
    value, gradient = f.compile(backend, "value_and_gradient")(points)
    assert value.shape == (count,)
    assert gradient.shape == (count, 2)
    for row in range(0, count, 1 + count // 20):
        assert math.isclose(value[row], f(points[row]), rel_tol=1e-14)
        assert np.allclose(gradient[row], f.gradient(points[row]), rtol=1e-13)


@BOTH
def test_shapes_are_those_of_the_function(backend):
    f = adlab.Function(["x*y", "x + y", "sin(x)"])
    point, batch, grid = np.ones(2), np.ones((5, 2)), np.ones((2, 3, 2))
    value, jacobian = f.compile(backend), f.compile(backend, "jacobian")
    assert value(point).shape == (3,)
    assert value(batch).shape == (5, 3)
    assert value(grid).shape == (2, 3, 3)
    assert jacobian(point).shape == (3, 2)
    assert jacobian(batch).shape == (5, 3, 2)
    assert np.allclose(jacobian(grid)[1, 2], f.jacobian(point), rtol=1e-15)
    assert isinstance(adlab.Function("x**2").compile(backend)(3), float)


@BOTH
def test_strided_points_and_every_kind_of_number_are_read(backend):
    f = adlab.Function("x - 2*y")
    program = f.compile(backend)
    wide = np.arange(40.0).reshape(10, 4)
    assert (program(wide[:, ::2]) == wide[:, 0] - 2 * wide[:, 2]).all()
    assert (program(np.asfortranarray(wide[:, :2])) == wide[:, 0] - 2 * wide[:, 1]).all()
    assert (program([[3, 1], [Fraction(1, 2), 0]]) == [1, 0.5]).all()
    assert program.call(3, 1) == (1.0,)


@BOTH
def test_bound_buffers_are_read_anew_at_every_step(backend):
    f = adlab.Function("x*y + exp(x)")
    program = f.compile(backend, "value_and_gradient")
    for count in (1, 6):
        x, out = np.zeros((count, 2)), np.empty((count, 3))
        step = program.bind(x, out)
        for seed in range(3):
            x[:] = np.random.default_rng(seed).normal(size=x.shape)
            assert step() is None
            assert np.allclose(out[:, 0], program(x)[0], rtol=1e-15)
            assert np.allclose(out[:, 1:], program(x)[1], rtol=1e-15)


@BOTH
def test_what_does_not_fit_is_refused_in_a_sentence(backend):
    f = adlab.Function("x*y")
    program = f.compile(backend, "gradient")
    for wrong in ([1.0], [[1.0, 2, 3]], 3.0, "xy", [1 + 2j, 3], [[1, 2], [3]]):
        with pytest.raises(adlab.PointError, match=r"shape|real numbers"):
            program(wrong)
    with pytest.raises(TypeError):
        program.call(1.0)
    with pytest.raises(adlab.PointError, match="C-contiguous"):
        program.bind(np.ones((4, 4))[:, :2], np.empty((4, 2)))
    with pytest.raises(adlab.PointError, match="4 × 2"):
        program.bind(np.ones((4, 2)), np.empty((4, 3)))
    x, odd = np.ones((4, 2)), np.empty(65, np.uint8)[1:].view(np.float64).reshape(4, 2)
    for buffers in ((x, odd), (odd, x)):
        with pytest.raises(adlab.PointError, match="no multiple of 8"):  # a stream of results would end the process
            program.bind(*buffers)
    with pytest.raises(adlab.PointError, match="share memory"):  # a point that is computed again would be read where it is lost
        program.bind(x, x)


def test_options_are_checked():
    f = adlab.Function(["x", "y"])
    with pytest.raises(adlab.AdlabError, match="'c' is none of 'auto', 'python'"):
        f.compile("c")
    with pytest.raises(adlab.AdlabError, match="nonsense"):
        f.compile(derivative="nonsense")
    with pytest.raises(adlab.MethodError, match='use derivative="jacobian"'):
        f.compile(derivative="gradient")


def test_auto_answers_at_once_and_changes_backend_without_changing_the_answer():
    f = adlab.Function("sin(x*y) + log(x)")
    program = f.compile(derivative="gradient")
    first = program([1.0, 2.0])
    second = program([1.0, 2.0])
    many = program(np.tile([1.0, 2.0], (400_000, 1)))
    assert np.allclose(first, second, rtol=1e-15)
    assert np.allclose(many, first, rtol=1e-14)
    assert np.isnan(program([-1.0, 2.0])).all()


@pytest.mark.parametrize(("name", "mode"), [("logistic-map:6", "forward"), ("speelpenning:4", "reverse")])
def test_the_mode_of_fewer_sweeps_is_compiled_and_forward_where_they_are_as_many(name: str, mode: str) -> None:
    f = adlab.gallery.named(name)
    program = f.compile("python", "value_and_gradient")
    assert program.graph.counts() == factored(with_existence(f.program(mode), 1, True)).counts()
    assert program.call(*f.point)[1:] == pytest.approx(tuple(f.gradient(f.point)), rel=1e-14)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("formula", ["exp(-x**2/2)*y", "1/(1 + exp(-x*y))", "x/(exp(x*y) - 1)", "sqrt(x**200 + y**200)",
                                     "Piecewise((x**200*y, x > y), (1/x**200, True))", "erfc(x)*exp(-x*y)"])  # fmt: skip
def test_rows_that_leave_the_range_are_walked_together_and_are_what_each_is_alone(backend: str, formula: str) -> None:
    f = adlab.Function(formula)
    points = np.random.default_rng(1).uniform(20, 60, (24, 2)) * [1, -1]
    program = f.compile(backend, "value_and_gradient")
    values, slopes = program(points)
    for point, value, slope in zip(points, values, slopes, strict=True):
        alone = f.evaluator.row(point, values=True)
        alone[1:][np.isinf(alone[1:])] = np.nan  # a derivative beyond binary64 has no number
        np.testing.assert_allclose([value, *slope], alone, rtol=1e-11, atol=5e-324)
