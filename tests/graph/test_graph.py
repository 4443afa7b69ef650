"""The graph: well formed or refused, each node once, simplified by laws that keep the value, printed within bounds."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import sympy

from adlab import gallery
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.errors import GraphError
from adlab.graph import rules
from adlab.graph.graph import Builder, Graph, Node
from adlab.graph.liveness import last_uses, peak
from adlab.graph.lowering import lower
from adlab.primitives.table import CONSTANT, INPUT, PRIMITIVES
from adlab.text.parser import parse

x, y, z = sympy.symbols("x y z", real=True)
ADD, SIN, MUL = PRIMITIVES["add"], PRIMITIVES["sin"], PRIMITIVES["mul"]
X, Y, TWO = Node(INPUT, (), "x"), Node(INPUT, (), "y"), Node(CONSTANT, (), 2)


def outputs(graph: Graph, *point: float) -> list[float]:
    values = evaluate(graph, list(point), FLOATS)
    return [values[output] for output in graph.outputs]


# --- the checker -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "results", "reason"),
    [
        ((X, Node(SIN, (0,)), Y), (1,), "inputs come first"),
        ((X,), (0,), "the inputs are"),
        ((X, TWO, Node(SIN, (0,))), (2,), "inputs come first"),
        ((X, Y, Node(ADD, (0,))), (2,), "takes 2 operands, not 1"),
        ((X, Y, Node(SIN, (0, 1))), (2,), "takes 1 operands?, not 2"),
        ((X, Y, Node(CONSTANT, (0,), 2)), (2,), "takes 0 operands, not 1"),
        ((X, Y, Node(SIN, (2,))), (2,), "do not all come before it"),
        ((X, Y, Node(ADD, (0, 3)), TWO), (2,), "do not all come before it"),
        ((X, Y, Node(SIN, (-1,))), (2,), "do not all come before it"),
        ((X, Y, Node(SIN, (0,)), Node(SIN, (0,))), (3,), "repeats node 2"),
        ((X, Y, TWO, TWO), (3,), "repeats node 2"),
        ((X, Y), (2,), "outputs"),
        ((X, Y), (-1,), "outputs"),
        ((Y, X), (0,), "the inputs are"),
    ],
)
def test_every_malformation_is_found(nodes: tuple[Node, ...], results: tuple[int, ...], reason: str) -> None:
    with pytest.raises(GraphError, match=reason):
        Graph(("x", "y"), nodes, results).check()


def test_a_well_formed_graph_passes_and_is_returned() -> None:
    graph = Graph(("x", "y"), (X, Y, TWO, Node(ADD, (0, 2)), Node(MUL, (3, 1))), (4, 0))
    assert graph.check() is graph


# --- the builder -------------------------------------------------------------------------------------------------


def test_the_builder_makes_each_node_once() -> None:
    builder = Builder(["x", "y"])
    first = builder.call("add", 0, 1)
    assert builder.call("add", 0, 1) == first
    assert builder.call("add", 1, 0) != first, "as written: nothing is reordered"
    assert builder.call("powi", 0, parameter=2) != builder.call("powi", 0, parameter=3)
    assert builder.constant(Fraction(4, 2)) == builder.constant(2) == builder.constant(2.0)
    assert builder.constant(0.0) == builder.constant(-0.0)
    assert builder.constant(sympy.pi) == builder.constant(sympy.pi)
    builder.finish([first]).check()


def test_dead_code_goes_and_inputs_stay() -> None:
    builder = Builder(["x", "y", "z"])
    used = builder.call("sin", 0)
    builder.call("exp", builder.call("cos", 1))
    result = builder.call("add", used, builder.constant(3))
    graph = builder.finish([result]).check()
    assert graph.inputs == ("x", "y", "z")
    assert [node.primitive.name for node in graph.nodes[3:]] == ["sin", "constant", "add"]


def test_a_builder_on_a_graph_shares_what_it_computes() -> None:
    graph = lower([parse("sin(x*y)")], [x, y])
    builder = Builder.on(graph)
    product = builder.call("mul", 0, 1)
    assert product < len(graph)
    assert builder.call("sin", product) == graph.outputs[0]


# --- simplification ----------------------------------------------------------------------------------------------

Law = Callable[[Builder, int, int], int]

LAWS: dict[str, tuple[Law, Law]] = {
    "a + 0 = a": (lambda b, p, q: b.call("add", p, b.constant(0)), lambda b, p, q: p),
    "0 + a = a": (lambda b, p, q: b.call("add", b.constant(0), p), lambda b, p, q: p),
    "a + -b = a - b": (lambda b, p, q: b.call("add", p, b.call("neg", q)), lambda b, p, q: b.call("sub", p, q)),
    "-a + b = b - a": (lambda b, p, q: b.call("add", b.call("neg", p), q), lambda b, p, q: b.call("sub", q, p)),
    "a - 0 = a": (lambda b, p, q: b.call("sub", p, b.constant(0)), lambda b, p, q: p),
    "0 - a = -a": (lambda b, p, q: b.call("sub", b.constant(0), p), lambda b, p, q: b.call("neg", p)),
    "a - -b = a + b": (lambda b, p, q: b.call("sub", p, b.call("neg", q)), lambda b, p, q: b.call("add", p, q)),
    "--a = a": (lambda b, p, q: b.call("neg", b.call("neg", p)), lambda b, p, q: p),
    "-(a - b) = b - a": (lambda b, p, q: b.call("neg", b.call("sub", p, q)), lambda b, p, q: b.call("sub", q, p)),
    "a*1 = a": (lambda b, p, q: b.call("mul", p, b.constant(1)), lambda b, p, q: p),
    "1*a = a": (lambda b, p, q: b.call("mul", b.constant(1), p), lambda b, p, q: p),
    "a*-1 = -a": (lambda b, p, q: b.call("mul", p, b.constant(-1)), lambda b, p, q: b.call("neg", p)),
    "a*0 = 0": (lambda b, p, q: b.call("mul", p, b.constant(0)), lambda b, p, q: b.constant(0)),
    "-a*b = -(a*b)": (
        lambda b, p, q: b.call("mul", b.call("neg", p), q),
        lambda b, p, q: b.call("neg", b.call("mul", p, q)),
    ),
    "a*(1/b) = a/b": (
        lambda b, p, q: b.call("mul", p, b.call("div", b.constant(1), q)),
        lambda b, p, q: b.call("div", p, q),
    ),
    "(-1/b)*a = -(a/b)": (
        lambda b, p, q: b.call("mul", b.call("div", b.constant(-1), q), p),
        lambda b, p, q: b.call("neg", b.call("div", p, q)),
    ),
    "a/1 = a": (lambda b, p, q: b.call("div", p, b.constant(1)), lambda b, p, q: p),
    "a/-1 = -a": (lambda b, p, q: b.call("div", p, b.constant(-1)), lambda b, p, q: b.call("neg", p)),
    "a/-b = -(a/b)": (
        lambda b, p, q: b.call("div", p, b.call("neg", q)),
        lambda b, p, q: b.call("neg", b.call("div", p, q)),
    ),
    "a**1 = a": (lambda b, p, q: b.call("powi", p, parameter=1), lambda b, p, q: p),
    "2 + 1/3 = 7/3": (
        lambda b, p, q: b.call("add", b.constant(2), b.constant(Fraction(1, 3))),
        lambda b, p, q: b.constant(Fraction(7, 3)),
    ),
    "2*1/3 = 2/3": (
        lambda b, p, q: b.call("mul", b.constant(2), b.constant(Fraction(1, 3))),
        lambda b, p, q: b.constant(Fraction(2, 3)),
    ),
    "2 - 5 = -3": (lambda b, p, q: b.call("sub", b.constant(2), b.constant(5)), lambda b, p, q: b.constant(-3)),
    "2/6 = 1/3": (
        lambda b, p, q: b.call("div", b.constant(2), b.constant(6)),
        lambda b, p, q: b.constant(Fraction(1, 3)),
    ),
    "(a if True else b) = a": (lambda b, p, q: b.call("select", b.constant(1), p, q), lambda b, p, q: p),
    "(a if False else b) = b": (lambda b, p, q: b.call("select", b.constant(0), p, q), lambda b, p, q: q),
    "(a if c else a) = a": (lambda b, p, q: b.call("select", b.call("lt", p, q), p, p), lambda b, p, q: p),
    "a + b = b + a": (lambda b, p, q: b.call("add", q, p), lambda b, p, q: b.call("add", p, q)),
    "a*b = b*a": (lambda b, p, q: b.call("mul", q, p), lambda b, p, q: b.call("mul", p, q)),
}


@pytest.mark.parametrize("law", LAWS)
def test_a_law_makes_both_sides_one_node_and_keeps_the_value(law: str) -> None:
    left, right = LAWS[law]
    simple, plain = Builder(["x", "y"], simplify=True), Builder(["x", "y"])
    assert left(simple, 0, 1) == right(simple, 0, 1)
    short, long = simple.finish([left(simple, 0, 1)]).check(), plain.finish([left(plain, 0, 1)]).check()
    assert len(short.operations) <= len(long.operations)
    for point in [(2.0, 3.0), (-0.7, 0.3), (1e-300, -1e200)]:
        assert outputs(short, *point) == pytest.approx(outputs(long, *point), rel=4e-16, abs=0)


def test_division_by_a_constant_zero_is_not_folded_away() -> None:
    builder = Builder(["x"], simplify=True)
    zero = builder.constant(0)
    quotients = [
        builder.call("div", 0, zero),
        builder.call("div", zero, zero),
        builder.call("div", builder.constant(2), zero),
    ]
    assert all(math.isnan(value) for value in outputs(builder.finish(quotients), 1.0))


def test_nothing_is_divided_into_a_constant_too_long_to_keep() -> None:
    builder = Builder([], simplify=True)
    long = builder.constant(3**200)
    assert builder.value_of(builder.call("mul", long, long)) is None


def random_graph(r: random.Random, size: int, simplify: bool) -> Graph:
    """Operations on random earlier nodes, many of them on 0, 1 and -1."""
    builder = Builder(["x", "y", "z"], simplify=simplify)
    nodes = [0, 1, 2, *(builder.constant(value) for value in (0, 1, -1, 2, Fraction(1, 3)))]
    for _ in range(size):
        name = r.choice(["add", "sub", "mul", "div", "neg", "sin", "powi", "select", "lt"])
        operands = r.choices(nodes, k=PRIMITIVES[name].arity)
        if name == "div":
            operands[1] = r.choice([1, 2, nodes[4], nodes[5]])
        if name == "select":
            operands[0] = builder.call("lt", *r.choices(nodes[:3], k=2))
        nodes.append(builder.call(name, *operands, parameter=r.choice([1, 2]) if name == "powi" else None))
    return builder.finish(nodes[-3:])


@pytest.mark.parametrize("seed", range(60))
def test_a_simplified_program_is_the_same_function_and_no_longer(seed: int) -> None:
    plain = random_graph(random.Random(seed), 12, simplify=False).check()
    built = random_graph(random.Random(seed), 12, simplify=True).check()
    after = rules.simplify(plain).check()
    assert len(after.operations) <= len(plain.operations)
    r = random.Random(seed)
    for _ in range(5):
        point = [r.uniform(0.5, 2) * r.choice([-1, 1]) for _ in range(3)]
        expected = outputs(plain, *point)
        assert outputs(built, *point) == pytest.approx(expected, rel=1e-9, abs=1e-9)
        assert outputs(after, *point) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_simplifying_twice_changes_nothing_more() -> None:
    for seed in range(30):
        once = rules.simplify(random_graph(random.Random(seed), 12, simplify=False))
        assert rules.simplify(once).nodes == once.nodes


# --- what a graph says of itself ---------------------------------------------------------------------------------


def test_operations_are_counted_and_weighed() -> None:
    graph = lower([parse("sin(x)*sin(y) + x**4")], [x, y])
    assert graph.counts() == {"sin": 2, "mul": 1, "powi": 1, "add": 1}
    weight = {name: PRIMITIVES[name].weight() for name in ("sin", "mul", "add")}
    assert graph.weight() == 2 * weight["sin"] + weight["mul"] + 2 + weight["add"], "x**4 by squaring twice"


def test_names_do_not_clash_with_inputs() -> None:
    v1 = sympy.Symbol("v1", real=True)
    graph = lower([sympy.sin(v1) + 1], [v1])
    assert len(set(graph.names)) == len(graph.names)
    assert str(graph).splitlines()[0] == "node1 = sin(v1)"


def test_outputs_are_named_where_they_are_not_the_last_line() -> None:
    assert str(lower([x, sympy.sin(x)], [x])).splitlines() == ["v1 = sin(x)", "outputs: x, v1"]
    assert "outputs" not in str(lower([sympy.sin(x)], [x]))


def test_only_what_depends_on_an_input_is_active() -> None:
    graph = lower([sympy.Mul(sympy.sin(2), x)], [x, y])
    active = {graph.names[i] for i in range(len(graph)) if graph.active[i]}
    assert active == {"x", "y", "v2"}


def test_a_huge_graph_prints_within_bounds() -> None:
    text = str(gallery.chain(20_000).graph)
    assert len(text.splitlines()) < 250
    assert len(text) < 20_000
    assert "more operations" in text
    assert len(repr(gallery.chain(20_000).graph)) < 100


def test_uses_are_listed_once_for_each_operand() -> None:
    graph = lower([sympy.Mul(x, x, evaluate=False) + x], [x])
    assert graph.uses()[0] == [1, 1, 2]


def test_a_value_dies_with_its_last_reader_and_an_output_never() -> None:
    graph = lower([parse("sin(exp(x))*exp(x)"), parse("exp(x)")], [x])
    exp, sin, mul = (graph.nodes[i].primitive.name for i in graph.operations)
    assert (exp, sin, mul) == ("exp", "sin", "mul")
    last = last_uses(graph)
    assert last[graph.operations[1]] == graph.operations[2]
    assert last[graph.operations[0]] == len(graph)
    assert peak(graph) == 2


def test_a_chain_needs_one_place_and_a_tree_as_many_as_it_is_deep() -> None:
    assert peak(lower([parse("sin(cos(exp(x)))")], [x])) == 1
    assert peak(lower([parse("sin(x)*cos(y) + exp(x)*exp(y)")], [x, y])) == 3


def test_the_languages_of_other_tools_are_written() -> None:
    graph = lower([parse("sin(x)*y")], [x, y])
    dot, mermaid = graph.to_dot(), graph.to_mermaid()
    assert dot.startswith("digraph")
    assert dot.count("->") == mermaid.count("-->") == 3
    assert "sin" in dot
    assert "sin" in mermaid


def test_values_of_unusual_nodes() -> None:
    builder: Any = Builder(["x"])
    assert builder.value_of(0) is None
    assert builder.value_of(builder.constant(sympy.E)) == sympy.E
