"""Long sums side by side, and products inside sums: another order, the same meaning."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import adlab
from adlab.compile.llvm.order import LONG, SIDE_BY_SIDE, calls_together, runs, side_by_side
from adlab.graph.graph import Builder
from adlab.primitives.table import PRIMITIVES


def random_sums(seed: int):
    """A graph of long sums, of products or of bare numbers, some of which need earlier sums or functions of them."""
    draw = np.random.default_rng(seed)
    builder = Builder([f"x{k}" for k in range(6)])
    done = list(range(6))
    for _ in range(40):
        length = int(draw.integers(2, 2 * LONG))
        total = int(draw.choice(done))
        for _ in range(length):
            term = int(draw.choice(done))
            if draw.random() < 0.7:
                term = builder.apply(PRIMITIVES["mul"], (term, int(draw.choice(done))))
            pair = (total, term) if draw.random() < 0.8 else (term, total)
            total = builder.apply(PRIMITIVES[str(draw.choice(["add", "sub"]))], pair)
        done.append(total)
        if draw.random() < 0.5:
            done.append(builder.apply(PRIMITIVES[str(draw.choice(["sin", "tanh"]))], (total,)))
    return builder.finish(done[-4:])


@pytest.mark.parametrize("seed", range(20))
def test_each_operation_comes_once_and_after_its_operands(seed):
    graph = random_sums(seed)
    sums = side_by_side(graph, graph.operations)
    for order in (sums, calls_together(graph, sums, {"sin", "tanh"}, most=4)):
        assert sorted(order) == list(graph.operations)
        place = {i: k for k, i in enumerate(order)}
        assert all(place[a] < place[i] for i in order for a in graph.nodes[i].operands if a in place)


def test_the_rows_of_a_matrix_are_added_side_by_side():
    n = 3 * SIDE_BY_SIDE
    f = adlab.Function([" + ".join(f"{i + j + 2}*x{j}" for j in range(1, n + 1)) for i in range(n)])
    order = side_by_side(f.graph, f.graph.operations)
    assert list(order) != list(f.graph.operations)
    waiting = 0  # steps of a sum directly behind the step before
    for before, i in pairwise(order):
        steps = {f.graph.nodes[k].primitive.name for k in (before, i)} == {"add"}
        waiting += steps and before in f.graph.nodes[i].operands
    assert waiting == 0


def test_a_sum_that_needs_another_comes_after_it():
    text = " + ".join(f"{k}*x{k}" for k in range(2, 12))
    f = adlab.Function([f"sin({text})", f"x1*sin({text}) + {text.replace('2*x2', '3*x2')}"])
    order = side_by_side(f.graph, f.graph.operations)
    place = {i: k for k, i in enumerate(order)}
    assert all(place[a] < place[i] for i in order for a in f.graph.nodes[i].operands if a in place)


def test_calls_of_one_function_that_need_nothing_of_one_another_are_one_run():
    f = adlab.Function(["2*exp(x1/3)", "exp(x2)**2", "exp(exp(x3))", "sin(x1)"])
    order = calls_together(f.graph, f.graph.operations, {"exp"}, most=8)
    found = [len(run) for run in runs(f.graph, order, {"exp"}, most=8) if f.graph.nodes[run[0]].primitive.name == "exp"]
    assert found == [3, 1]


@pytest.mark.parametrize("name", ["log", "tanh", "cosh", "sin", "atanh"])
def test_several_calls_at_once_mean_what_each_means(name):
    pytest.importorskip("llvmlite")
    from adlab.compile.llvm.kernel import LlvmKernel

    f = adlab.Function([f"{name}(x{k})*{k + 1}" for k in range(1, 12)])
    point = [0.1, -0.2, 0.3, -1.0, 0.0, 0.7, -0.9, 0.5, 2.0, 0.99, 1.0]
    found, expected = (LlvmKernel(f.graph, accuracy).call(*point) for accuracy in ("fast", "strict"))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=8 * 2.0**-52)


@pytest.fixture
def fused():
    pytest.importorskip("llvmlite")
    from adlab.compile.llvm.engine import machine

    if not machine().registers.fused:
        pytest.skip("this processor has no fused multiplication and addition")


def test_a_sum_of_a_product_is_rounded_once(fused):
    f = adlab.Function("x*y + z")
    x, y, z = 1 + 2.0**-30, 1 - 2.0**-30, -1.0
    once, twice = float(Fraction(x) * Fraction(y) + Fraction(z)), x * y + z
    assert (once, twice) == (-(2.0**-60), 0)
    for accuracy, expected in (("fast", once), ("strict", twice)):
        program = f.compile("llvm", accuracy=accuracy)
        assert program([x, y, z]) == expected
        assert (program([[x, y, z]] * 9) == expected).all()


def test_a_difference_of_two_products_that_are_equal_is_zero(fused):
    program = adlab.Function("x**2 - y*z").compile("llvm")
    points = np.random.default_rng(3).uniform(1, 2, (99, 1)) * np.ones(3)
    assert (program(points) == 0).all()
    assert all(program(point) == 0 for point in points[:9])
