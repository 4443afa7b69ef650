"""The compiled core beside the readable Python that it mirrors: the same graphs node for node, the same numbers bit for bit."""

from __future__ import annotations

import gc
import importlib
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from random_expressions import random_expression
from random_graphs import random_graph, random_point
from shares import share
from sympy import Float, Integer, Max, Piecewise, Rational, cos, exp, log, sin, sqrt, symbols, tanh

from adlab import gallery, native
from adlab.autodiff.evaluator import Evaluator
from adlab.autodiff.plain import plain_jacobian, plain_product
from adlab.autodiff.programs import derivative
from adlab.errors import AdlabError
from adlab.graph.graph import Builder, Graph
from adlab.graph.lowering import lower
from adlab.graph.quick import HELPERS
from adlab.graph.tapes import tape_of
from adlab.native import build
from adlab.primitives.table import PRIMITIVES
from adlab.text.traversal import postorder, symbols_of
from adlab.text.unevaluated import product, total

pytestmark = pytest.mark.skipif(native.core is None, reason="the compiled core of these sources was not built here")
X, Y = symbols("x y", real=True)


@contextmanager
def readable() -> Iterator[None]:
    """Leaves the core out."""
    core, native.core = native.core, None
    try:
        yield
    finally:
        native.core = core


def both(make: Callable[[], Any]) -> tuple[Any, Any]:
    """What the core makes, and what Python makes: a result, or the error's class and message."""

    def made() -> Any:
        try:
            return make()
        except (AdlabError, ArithmeticError) as error:
            return type(error), str(error)

    with readable():
        slow = made()
    return made(), slow


def lines(graph: Any) -> Any:
    """Everything that a graph is; an error as it is."""
    if not isinstance(graph, Graph):
        return graph
    nodes = [(p.name, operands, type(parameter), str(parameter)) for p, operands, parameter in graph.nodes]
    return graph.inputs, nodes, graph.outputs


def bits(numbers: Any) -> list[bytes]:
    return [struct.pack("d", number) for number in np.ravel(numbers)]


def same_numbers(graph: Graph, points: Sequence[Sequence[float]]) -> int:
    """Holds the core's partials to those of the readable sweeps. At how many points the core answers."""
    answered = 0
    for point in points:
        found = plain_jacobian(graph, np.array(point, dtype=float))
        if found is not None:
            answered += 1
            with readable():
                assert bits(found) == bits(Evaluator(graph).jacobian(np.array(point, dtype=float))), (str(graph), point)
    return answered


def same_hessians(graph: Graph, point: Sequence[float]) -> int:
    """Holds the core's second derivatives to those of the readable sweep. Whether the core has found them."""
    x, eye = np.array(point, dtype=float), np.eye(len(point))
    with readable():
        slow = Evaluator(graph).second(x, eye)
    assert np.array_equal(Evaluator(graph).second(x, eye), slow, equal_nan=True), (str(graph), point)
    return len(point) > 0 and plain_product(derivative(graph, value=True), x, eye) is not None


def same_programs(graph: Graph) -> int:
    """Holds the core's gradient programs to those that Python writes. How many the core writes."""
    written = 0
    for value in (False, True):
        quick, slow = both(lambda value=value: derivative(graph, "reverse", value))
        assert lines(quick) == lines(slow), str(graph)
        written += "tape" in vars(quick)
    return written


@pytest.mark.parametrize("hundred", share(range(8), one_in=8))
@pytest.mark.parametrize("written", [False, True], ids=["SymPy's order", "written order"])
def test_random_formulas_have_the_same_graph_and_derivatives(written: bool, hundred: int) -> None:
    answered = hessians = 0
    for seed in range(100 * hundred, 100 * hundred + (100 if hundred else 25)):
        formula = random_expression(seed, written)
        variables = sorted(symbols_of([formula]), key=str)
        quick, slow = both(lambda formula=formula, variables=variables: lower([formula], variables))
        assert lines(quick) == lines(slow), formula
        if isinstance(quick, Graph):
            answered += same_numbers(quick, [random_point(seed, len(variables))])
            same_programs(quick)
            hessians += same_hessians(quick, random_point(seed, len(variables)))
    assert answered > 12
    assert hessians > 6


def test_the_gallery_has_the_same_graphs_and_derivatives() -> None:
    answered = written = hessians = 0
    for name, make in gallery.GALLERY.items():
        f = make()
        if f.independent:
            quick, slow = both(lambda f=f: lower(f.outputs, f.variables))
            assert lines(quick) == lines(slow), name
            answered += same_numbers(quick, [f.point])
            written += same_programs(quick)
            if f.m == 1:
                hessians += same_hessians(quick, f.point)
    assert answered > 10
    assert written > 20
    assert hessians > 5


@pytest.mark.parametrize("branches", [False, True])
def test_random_graphs_have_the_same_partials_and_programs(branches: bool) -> None:
    graphs = [random_graph(seed, m=3, branches=branches) for seed in range(20)]
    answered = sum(same_numbers(graph, [random_point(seed)]) for seed, graph in enumerate(graphs))
    assert answered > 12 or branches
    assert sum(same_programs(derivative(graph)) + same_programs(graph) for graph in graphs[:8]) > 24 or branches


EDGES = [0.0, -0.0, 1.0, -1.0, 1e-320, 1e-160, 1e160, 1e300, -1e300, 710.0, -745.0, 3.0, 0.1, -2.5, 1e15, 2.0**-1022]
"""Zeros, ones, numbers whose squares leave binary64's range, and the ends of exp; 3 and 0.1 are ordinary."""


PARAMETERS: dict[str, tuple[Any, ...]] = {
    "powi": (2, 3, 4, 7), "powr": (Fraction(1, 3), Fraction(5, 2)), "pow": (0, 1), "heaviside": (0.5,),
}  # fmt: skip


def test_every_primitive_has_the_same_partials_at_edge_points() -> None:
    """Of one and two operands, with a parameter where it needs one; what is not plain is left to Python."""
    answered = 0
    for name, primitive in PRIMITIVES.items():
        if primitive.variadic or primitive.special or primitive.arity > 2:
            continue
        for parameter in PARAMETERS.get(name, (None,)):
            builder = Builder(["a", "b"])
            inner = builder.call(name, *range(primitive.arity), parameter=parameter)
            graph = builder.finish([builder.call("mul", inner, inner), inner])
            seconds = EDGES[::6] if primitive.arity == 2 else [1.0]
            answered += same_numbers(graph, [(a, b) for a in EDGES for b in seconds])
    assert answered > 250


FORMULAS: list[Any] = [
    X, Integer(3), X + Rational(1, 3), X * Float("0.1") - Y, X / 3, 2 * X / 7, -X / 3, X**Rational(1, 3), X**Rational(3, 2),
    X**-2, sqrt(X) / Y, 1 / (3 * X), -1 / X, sympy.pi * X, sympy.E**X, 2**X, X**Y, Max(X, Y, 3), Piecewise((X, X > 0), (Y, True)),
    sympy.besselj(0, X), exp(X) - exp(-X), X - Y - 2 * X * Y, -X - Y, (X + Y) ** 10, X ** (2**40), Float(2.5) * X / Y,
    sympy.Mul(X, sympy.sqrt(2)), sympy.Abs(X) * sympy.re(X), sin(X) * cos(X) / tanh(X), log(X, 2), X * 10**40 / Y, X + 10**40,
    sympy.sinc(X), sympy.frac(X), sympy.factorial(X), sympy.Heaviside(X), Piecewise((X, (X > 0) & (Y > 0)), (Y**2, True)),
    total("+-", [Integer(1), X]), total("-+", [X, Y]), total("-", [X]), total("++-", [X, Integer(2), Integer(2)]),
    product("*/*", [X, Integer(3), Integer(3)]), product("*/", [Integer(-1), X]), product("**/", [Rational(1, 3), X, Integer(7)]),
    total("--", [2 * X, product("**", [Integer(-2), Y])]), product("*/", [Rational(1, 3), Integer(7)]), product("**", [X, X]),
    product("*/", [sympy.Float(0.1), sympy.sqrt(3)]) + X, sympy.Sum(X, (Y, 1, 3)), sympy.zeta(X), X + sympy.I, X + sympy.oo,
]  # fmt: skip


def test_chosen_formulas_have_the_same_graph_or_the_same_error() -> None:
    for formula in FORMULAS:
        quick, slow = both(lambda formula=formula: lower([formula, formula * 2], [X, Y]))
        assert lines(quick) == lines(slow), formula
        assert [id(node) for node in postorder([formula])] == [id(node) for node in both(lambda f=formula: postorder([f]))[1]]


def test_a_symbol_that_is_equal_but_not_the_same_object_is_the_variable() -> None:
    twin = sympy.Symbol.__xnew__(sympy.Symbol, "x", real=True)
    assert twin is not X
    assert lines(lower([twin + X], [X])) == lines(both(lambda: lower([twin + X], [X]))[1])
    with pytest.raises(AdlabError, match="not among the variables"):
        lower([X + Y], [X])


def test_an_exception_of_a_python_function_reaches_the_caller() -> None:
    def stops(a: float) -> float:
        raise TimeoutError("stopped")

    graph = lower([sin(X)], [X])
    node = graph.nodes[1]._replace(primitive=replace(PRIMITIVES["sin"], name="stops", scalar=stops))
    with pytest.raises(TimeoutError, match="stopped"):
        plain_jacobian(Graph(graph.inputs, (graph.nodes[0], node), (1,)), np.array([1.0]))


def test_nothing_is_lost_in_a_thousand_rounds() -> None:
    """Of formulas, rules, errors and Python's part; the first rounds fill the tables."""

    def turn() -> None:
        for formula in (FORMULAS[11], FORMULAS[17], FORMULAS[18], FORMULAS[40], X + sympy.I):
            with_error = both(lambda formula=formula: lower([formula], [X, Y]))
            if isinstance(with_error[0], Graph):
                plain_jacobian(with_error[0], np.array([0.5, 0.25]))
        postorder(FORMULAS)

    for _ in range(3):
        turn()
    gc.collect()
    before, watched = sys.getrefcount(X), sys.getallocatedblocks()
    for _ in range(50):
        turn()
    gc.collect()
    assert sys.getrefcount(X) - before < 20
    assert sys.getallocatedblocks() - watched < 500


@pytest.mark.parametrize("exponent", [29, 67], ids=["small", "other"])
def test_a_rule_that_is_made_twice_at_once_stays_the_first(monkeypatch: pytest.MonkeyPatch, exponent: int) -> None:
    """A thread that has the first one may be at work with it when another thread is done with the second."""
    make, entered, made, graph = HELPERS["rule"], list[int](), list[Any](), lower([X**exponent], [X])

    def interrupted(*given: Any) -> Any:
        entered.append(1)
        if len(entered) == 1:
            derivative(graph)  # what another thread would do here
        made.append(make(*given))
        return made[-1]

    monkeypatch.setitem(HELPERS, "rule", interrupted)
    derivative(graph)
    held = [sys.getrefcount(rule) for rule in made]
    assert len(held) == 2
    assert held[0] == held[1] + 1  # by the table


def test_a_malformed_tape_is_refused() -> None:
    graph = lower([X * Y], [X, Y])
    tape = tape_of(graph)
    with pytest.raises(ValueError, match="another length"):
        tape.jacobian(np.zeros(3), np.zeros(2))
    with pytest.raises(ValueError, match="comes before"):
        native.core.Tape(1, (graph.nodes[0], graph.nodes[2]), (1,), {}, False)
    with pytest.raises(TypeError):
        native.core.Tape(1, ((1, 2),), (0,), {}, False)


def test_the_switch_leaves_the_core_out() -> None:
    code = "from adlab import native; print(native.core is None)"
    for switch, out in (("0", "True"), ("1", "False")):
        env = {**os.environ, "ADLAB_NATIVE": switch}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        assert done.stdout.strip() == out, done.stderr


@pytest.mark.parametrize("sources", [lambda: "another", (build.HERE / "missing.h").read_text], ids=["changed", "missing"])
def test_a_core_of_other_sources_is_left_out(monkeypatch: pytest.MonkeyPatch, sources: Callable[[], str]) -> None:
    monkeypatch.setattr(build, "fingerprint", sources)
    monkeypatch.delitem(sys.modules, "adlab.native")
    try:
        assert importlib.import_module("adlab.native").core is None
    finally:
        sys.modules["adlab"].native = native  # type: ignore[attr-defined]


def test_a_core_that_cannot_be_compiled_is_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "artifact", lambda: tmp_path / "_core.so")
    for compiler in ("/nowhere/cc", "false"):
        monkeypatch.setenv("CC", compiler)
        assert build.compiled() is None
    assert not [*tmp_path.iterdir()]
