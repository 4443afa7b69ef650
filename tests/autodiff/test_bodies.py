"""Operations with bodies and several results: every walk, both sweeps, derivative programs, printer and checker."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import sympy
from bodies import REPEAT, Repeated

import adlab
from adlab.arithmetic.arrays import ARRAYS
from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.floats import FLOATS, compile_python
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.programs import derivative
from adlab.autodiff.unrolled import written_out
from adlab.errors import GraphError, MethodError, UnsupportedExpression
from adlab.graph.graph import Builder, Graph, Node
from adlab.graph.lowering import lower
from adlab.graph.rules import splice_all
from adlab.primitives.table import INPUT, PART, PRIMITIVES

X, Y, R = sympy.symbols("x y r", real=True)
BODY = lower([R * X * (1 - X) + Y / 8, sympy.sin(X) * Y], [X, Y, R])
TIMES = 5
POINT = [0.3, 0.7, 3.1]


def looped(times: int = TIMES, body: Graph = BODY) -> Graph:
    """exp(first state) · r + second state, after the loop."""
    builder = Builder(["x", "y", "r"])
    loop = builder.cons(REPEAT, (0, 1, 2), Repeated(body, times))
    first, second = (builder.cons(PART, (loop,), k) for k in range(2))
    product = builder.call("mul", builder.call("exp", first), 2)
    return builder.finish([builder.call("add", product, second), second])


def flat(graph: Graph) -> Graph:
    """The same with every loop written out."""
    builder = Builder(graph.inputs, simplify=True)
    place: list[Any] = list(range(len(graph.inputs)))
    for primitive, operands, parameter in graph.nodes[len(place) :]:
        given = [place[o] for o in operands]
        if primitive is PART:
            place.append(given[0][parameter])
        elif primitive.compound:
            from adlab.graph.rules import splice

            place.append(splice(builder, written_out(primitive, parameter), given))
        else:
            place.append(builder.apply(primitive, given, parameter) if operands else builder.constant(parameter))
    return builder.finish([place[o] for o in graph.outputs])


def outputs(graph: Graph, point: Any, arithmetic: Any = FLOATS) -> list[Any]:
    values = evaluate(graph, point, arithmetic)
    return [values[o] for o in graph.outputs]


def test_a_body_has_the_values_of_what_it_stands_for() -> None:
    graph = looped().check()
    expected = outputs(flat(graph), POINT)
    assert outputs(graph, POINT) == pytest.approx(expected, rel=1e-14)
    assert list(compile_python(graph)(*POINT)) == pytest.approx(expected, rel=1e-14)
    batch = np.array([POINT, [0.1, 0.2, 2.0]]).T
    np.testing.assert_allclose(outputs(graph, list(batch), ARRAYS)[0][0], expected[0], rtol=1e-14)
    bounded = outputs(graph, [Bounded(x) for x in POINT], BOUNDED)
    assert all(abs(b.value - e) <= b.error < 1e-11 for b, e in zip(bounded, expected, strict=True))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_derivatives_of_every_order_are_those_written_out(mode: Any) -> None:
    """Value, first and second derivatives, each program from the one before."""
    graph = looped()
    plain = flat(graph)
    for _ in range(2):
        graph, plain = derivative(graph, mode).check(), derivative(plain, mode)
        assert outputs(graph, POINT) == pytest.approx(outputs(plain, POINT), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("modes", [("reverse", "forward"), ("forward", "reverse")])
def test_mixed_orders_agree_too(modes: tuple[Any, Any]) -> None:
    graph, plain = looped(), flat(looped())
    for mode in modes:
        graph, plain = derivative(graph, mode), derivative(plain, mode)
    assert outputs(graph, POINT) == pytest.approx(outputs(plain, POINT), rel=1e-12, abs=1e-12)


def test_a_derivative_program_is_no_longer_for_more_turns() -> None:
    sizes = {times: len(derivative(looped(times))) for times in (5, 500)}
    assert sizes[5] == sizes[500] < 60
    assert derivative(looped(500)).counts()["repeat_backwards"] == 2  # one for each output


def test_a_function_of_such_a_graph_differentiates() -> None:
    f = adlab.Function.from_graph(looped())
    expected = adlab.Function.from_graph(flat(looped()))
    for method in ("reverse", "forward", "central-difference"):
        np.testing.assert_allclose(f.jacobian(POINT, method=method), expected.jacobian(POINT), rtol=1e-8)
    np.testing.assert_allclose(f.jvp(POINT, [1.0, 2.0, 3.0]), expected.jvp(POINT, [1.0, 2.0, 3.0]), rtol=1e-12)
    np.testing.assert_allclose(f.vjp(POINT, [1.0, 2.0]), expected.vjp(POINT, [1.0, 2.0]), rtol=1e-12)
    program = f.compile(derivative="jacobian")
    np.testing.assert_allclose(program([POINT, POINT])[1], expected.jacobian(POINT), rtol=1e-12)
    with pytest.raises(MethodError, match=r"no form of repeat"):
        f.compile(backend="numpy")


def test_inside_a_branch_that_is_not_taken_a_body_passes_nothing_on() -> None:
    root = lower([sympy.sqrt(X), Y], [X, Y])
    builder = Builder(["x", "y"])
    loop = builder.cons(REPEAT, (0, 1), Repeated(root, 2))
    part = builder.cons(PART, (loop,), 0)
    taken = builder.call("gt", 0, builder.constant(0))
    graph = builder.finish([builder.call("select", taken, part, 1)])
    assert outputs(derivative(graph), [-1.0, 2.0]) == [0.0, 1.0]
    assert outputs(derivative(graph), [16.0, 2.0]) == [pytest.approx(1 / 4 * 16 ** (-3 / 4)), 0.0]
    with pytest.raises(adlab.DomainError, match=r"part 0 of repeat\(x, y; 2 times\) is nan"):
        adlab.Function.from_graph(splice_all(Builder(["x", "y"]), _reading(loop, builder)))([-1.0, 2.0])


def _reading(loop: int, builder: Builder) -> Graph:
    return builder.finish([builder.cons(PART, (loop,), 0)])


def test_a_body_is_printed_below_its_operation() -> None:
    text = str(looped(3))
    assert "v1 = repeat(x, y, r; 3 times)\n    body of x, y, r:\n        v1 = " in text
    assert "v2 = v1[0]" in text


def test_a_body_has_no_formula_and_says_so() -> None:
    with pytest.raises(UnsupportedExpression, match=r"`repeat` is an operation with graphs of its own; it has no array function"):
        REPEAT.array(1.0)


def test_what_does_not_serve_bodies_says_so() -> None:
    f = adlab.Function.from_graph(looped())
    for refused in (lambda: f.trace(POINT), lambda: f.to_python(), lambda: f.graph.to_latex()):
        with pytest.raises(UnsupportedExpression, match=r"does not serve repeat: a loop"):
            refused()


def inputs(*names: str) -> tuple[Node, ...]:
    return tuple(Node(INPUT, (), name) for name in names)


BAD_BODY = Graph(("x",), (Node(INPUT, (), "x"), Node(PRIMITIVES["sin"], (1,))), (1,))
TWICE = Repeated(lower([X * X], [X]), 2)


@pytest.mark.parametrize(("nodes", "output", "message"), [
    ([Node(REPEAT, (0,), TWICE)], 1, "output 1: reads node 1, repeat, as a number; read one of its parts"),
    ([Node(REPEAT, (0,), TWICE), Node(PRIMITIVES["sin"], (1,))], 2, "node 2: reads node 1, repeat, as a number"),
    ([Node(REPEAT, (0,), TWICE), Node(PART, (1,), 1)], 2, "node 2: reads part 1 of node 1, which has parts 0 to 0"),
    ([Node(PART, (0,), 0)], 1, "node 1: reads a part of node 0, which has one result only"),
    ([Node(REPEAT, (0, 0), TWICE), Node(PART, (1,), 0)], 2, "repeat takes 1 operand, not 2"),
    ([Node(REPEAT, (0,), Repeated(BAD_BODY, 2)), Node(PART, (1,), 0)], 2, "node 1: repeat, body: node 1: reads"),
    ([Node(REPEAT, (0,), None), Node(PART, (1,), 0)], 2, "None is no parameter of repeat"),
    ([Node(PRIMITIVES["norm"], (0, 0), 3)], 1, "norm takes 3 operands, not 2"),
    ([Node(PRIMITIVES["norm"], (), 0)], 1, "norm needs an operand"),
    ([Node(PRIMITIVES["norm"], (0,), "x")], 1, "'x' is no parameter of norm"),
])  # fmt: skip
def test_the_checker_names_what_is_wrong(nodes: list[Node], output: int, message: str) -> None:
    with pytest.raises(GraphError) as caught:
        Graph(("x",), (*inputs("x"), *nodes), (output,)).check()
    assert message in str(caught.value)


# --- a variadic primitive ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 40])
def test_norm_of_any_number_of_operands(n: int) -> None:
    names = [f"x{k}" for k in range(n)]
    builder = Builder(names)
    f = adlab.Function.from_graph(builder.finish([builder.cons(PRIMITIVES["norm"], tuple(range(n)), n)]).check())
    for scale in (1.0, 1e200, 1e-200):
        x = scale * (1 + np.arange(n)) * (-1.0) ** np.arange(n)
        length = math.hypot(*x)
        np.testing.assert_allclose(f(x), length, rtol=1e-15)
        np.testing.assert_allclose(f.gradient(x), x / length, rtol=1e-14)
        np.testing.assert_allclose(f.gradient(x, method="forward"), x / length, rtol=1e-14)
        np.testing.assert_allclose(f(np.array([x, x])), [length, length], rtol=1e-15 * (n + 4))
        np.testing.assert_allclose(f.compile(derivative="gradient")(x), x / length, rtol=1e-14)
    x = 1 + np.arange(n) / n
    length = math.hypot(*x)
    np.testing.assert_allclose(f.hessian(x), np.eye(n) / length - np.outer(x, x) / length**3, rtol=1e-12, atol=1e-14)
    assert str(f.graph) == f"v1 = norm({', '.join(names)})"
    with pytest.raises(adlab.DomainError, match=r"needs v1 > 0"):
        f.gradient(np.zeros(n))
