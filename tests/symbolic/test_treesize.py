"""Trees are counted without being walked, and the counts are those of walking them."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sympy
from corpora import rows
from counting import calls
from random_expressions import random_expression
from sympy import Integer, Mul, Piecewise, S, cos, exp, sin, sqrt
from sympy.core.basic import Basic

from adlab.gallery import logistic_map, speelpenning
from adlab.graph.graph import Graph
from adlab.graph.lowering import lower
from adlab.symbolic.treesize import (
    EXACT_BITS,
    Distinct,
    tree_depth,
    tree_nodes,
    tree_nodes_of_graph,
    tree_operations,
    tree_operations_of_graph,
)  # fmt: skip
from adlab.text.parser import parse
from adlab.text.unevaluated import applied, flat

x, y, z = sympy.symbols("x y z", real=True)


def depth_by_recursion(node: Basic) -> int:
    return 1 + max(map(depth_by_recursion, node.args)) if node.args else 0


@pytest.mark.parametrize("written", [False, True], ids=["evaluated", "written"])
def test_counts_are_those_of_walking_the_tree(written: bool) -> None:
    for seed in range(150):
        expression = random_expression(seed, written)
        if tree_nodes(expression) > 2000:
            continue
        assert tree_nodes(expression) == sum(1 for _ in sympy.preorder_traversal(expression)), expression
        assert tree_depth(expression) == depth_by_recursion(expression), expression
        assert tree_operations(expression) == sympy.count_ops(expression), expression


@pytest.mark.parametrize(
    "expression",
    [
        S.One, S.Half, Integer(-3), sympy.E, x, -x, x - y, -x - y, 2 * x, -2 * x, x / 2, -x / 2, 2 / x, -1 / x,
        sqrt(x), 1 / sqrt(x), x**-2, exp(-x), sin(x) * exp(-(x**2)), exp(-(x**2)) / sqrt(2 * sympy.pi), 3 * (x + y + z) / 2,
        z / (2 * (x + y + z)), sympy.Max(x, y, 3), sympy.atan2(x, y), Piecewise((x, x < 0), (y * x, True)),
        sympy.Derivative(sympy.Function("f")(x), x), sympy.floor(x) + sympy.Mod(x, y),
        Mul(x, x, 1 / y, evaluate=False), Mul(-1, x + y, evaluate=False), Mul(2, 3, x, evaluate=False),
    ],
    ids=str,
)  # fmt: skip
def test_every_rule_of_count_ops(expression: Any) -> None:
    assert tree_operations(expression) == sympy.count_ops(expression)


@pytest.mark.parametrize("name", ["feynman", "global_optimisation", "nist_strd"])
def test_formulas_of_the_corpora_as_written_and_as_evaluated(name: str) -> None:
    for row in rows(name):
        formula = parse(row["expr"], names=row.get("variables") or row["vars"])
        if tree_nodes(formula) < 200:
            assert tree_operations(formula) == sympy.count_ops(formula), row["id"]
        if tree_nodes(formula) < 30:
            evaluated = formula.doit()
            assert tree_operations(evaluated) == sympy.count_ops(evaluated), row["id"]


# --- the sizes of NUMBERS: what count_ops says, and what nobody could walk -------------------------------------


@pytest.mark.parametrize(
    ("form", "published"),
    [("evaluated", [8, 18, 38, 78, 158, 318]), ("written", [9, 21, 45, 93, 189, 381])],
)
def test_logistic_map_has_the_published_operations(form: Any, published: list[int]) -> None:
    counted = [tree_operations(logistic_map(n, form=form).outputs[0]) for n in range(3, 9)]
    assert counted == published


def test_count_ops_is_not_the_operation_count_of_the_graph() -> None:
    expressions = [sqrt(x), 1 / sqrt(x), x**-2]
    assert [tree_operations(e) for e in expressions] == [2, 3, 2]
    assert [tree_operations_of_graph(lower([e], [x])) for e in expressions] == [1, 2, 2]


@pytest.mark.parametrize(("form", "size"), [("evaluated", 10 * 2**47 - 2), ("written", 12 * 2**47 - 3)])
def test_a_tree_of_10_to_the_15_operations_is_counted_without_being_walked(form: Any, size: int) -> None:
    """Both forms double with n, from 8 and from 9 operations at n = 3."""
    expression = logistic_map(50, form=form).outputs[0]
    assert tree_operations(expression) == size
    assert tree_nodes(expression) > 10**15
    assert calls(lambda: (tree_operations(expression), tree_nodes(expression))) < 100_000


def doubled(times: int) -> Any:
    """x → sin(x)·exp(x): t → 2t + 3 nodes."""
    level: Any = x
    for _ in range(times):
        level = flat(Mul, (applied(sin, level), applied(exp, level)))
    return level


def test_sizes_beyond_the_exact_bits_are_right_to_hundreds_of_digits() -> None:
    for times in (100, EXACT_BITS + 500):
        counted, exact = tree_nodes(doubled(times)), 4 * 2**times - 3
        assert counted == exact or times > EXACT_BITS
        assert abs(counted - exact) * 10**600 < exact


@pytest.mark.slow
def test_depth_is_no_limit() -> None:
    level: Any = x
    for _ in range(20_000):
        level = applied(cos, level)
    assert (tree_depth(level), tree_nodes(level), tree_operations(level)) == (20_000, 20_001, 20_000)


def test_equal_parts_are_one_however_they_came_about() -> None:
    one, other = applied(sin, flat(sympy.Add, (x, y))), applied(sin, flat(sympy.Add, (x, y)))
    distinct = Distinct.of([flat(Mul, (one, other))])
    assert len(distinct.nodes) == len([x, y, x + y, one, one * one])


# --- graphs -----------------------------------------------------------------------------------------------------


def unfolded_by_recursion(graph: Graph, position: int) -> tuple[int, int]:
    """Nodes and operations of the tree below a node."""
    operands = graph.nodes[position].operands
    below = [unfolded_by_recursion(graph, operand) for operand in operands]
    return 1 + sum(nodes for nodes, _ in below), bool(operands) + sum(operations for _, operations in below)


def test_graphs_unfold_to_what_recursion_finds() -> None:
    rng = random.Random(1)
    for seed in range(60):
        expressions = [random_expression(seed, written=True, steps=rng.randint(3, 10)) for _ in range(2)]
        graph = lower(expressions, sorted({s for e in expressions for s in e.free_symbols}, key=str))
        trees = [unfolded_by_recursion(graph, output) for output in graph.outputs]
        assert tree_nodes_of_graph(graph) == sum(nodes for nodes, _ in trees)
        assert tree_operations_of_graph(graph) == sum(operations for _, operations in trees)


def test_a_product_shares_nothing() -> None:
    assert tree_operations_of_graph(speelpenning(1000).graph) == 999
