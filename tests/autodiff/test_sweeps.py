"""The two sweeps obey the laws of the derivative, on random graphs and in every arithmetic."""

from __future__ import annotations

import random

import numpy as np
import pytest
from random_graphs import random_graph, random_point

import adlab
from adlab.arithmetic.arrays import ARRAYS
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.sweeps import forward, reverse
from adlab.differences.complex_step import complex_step
from adlab.graph.graph import Builder, Graph
from adlab.precision import UNIT_ROUNDOFF
from adlab.report.conditioning import conditioning

SEEDS = range(60)


def jacobian(graph: Graph, point: list[float], mode: str) -> np.ndarray:
    values = evaluate(graph, point, FLOATS)
    if mode == "reverse":
        rows = [reverse(graph, values, {output: 1.0}, FLOATS) for output in graph.outputs]
        return np.array([[row.get(i, 0.0) for i in range(len(point))] for row in rows])
    columns = [forward(graph, values, {i: 1.0}, FLOATS) for i in range(len(point))]
    return np.array([[column.get(output, 0.0) for column in columns] for output in graph.outputs])


@pytest.mark.parametrize("branches", [False, True], ids=["smooth", "branches"])
@pytest.mark.parametrize("seed", SEEDS)
def test_reverse_is_the_transpose_of_forward(seed: int, branches: bool) -> None:
    """⟨u, J v⟩ = ⟨Jᵀ u, v⟩, to the rounding of the sums themselves."""
    graph, point, rng = random_graph(seed, branches=branches), random_point(seed), random.Random(seed)
    values = evaluate(graph, point, FLOATS)
    u, v = ([rng.gauss(0, 1) for _ in range(count)] for count in (2, 3))
    tangents = forward(graph, values, dict(enumerate(v)), FLOATS)
    seeds: dict[int, float] = {}
    for output, weight in zip(graph.outputs, u, strict=True):
        seeds[output] = seeds.get(output, 0.0) + weight
    adjoints = reverse(graph, values, seeds, FLOATS)
    left = sum(weight * tangents.get(output, 0.0) for weight, output in zip(u, graph.outputs, strict=True))
    right = sum(adjoints.get(i, 0.0) * v[i] for i in range(3))
    size = np.abs(u) @ np.abs(jacobian(graph, point, "reverse")) @ np.abs(v)
    assert abs(left - right) <= 64 * len(graph) * UNIT_ROUNDOFF * size


@pytest.mark.parametrize("seed", SEEDS)
def test_reverse_forward_and_complex_step_agree_as_far_as_conditioning_allows(seed: int) -> None:
    graph, point = random_graph(seed), random_point(seed)
    by_reverse, by_forward = (jacobian(graph, point, mode) for mode in ("reverse", "forward"))
    condition = conditioning(adlab.Function.from_graph(graph), np.array(point)).partials
    allowed = 32 * UNIT_ROUNDOFF * (1 + np.nan_to_num(condition)) * np.abs(by_reverse) + 1e-15
    assert (np.abs(by_reverse - by_forward) <= allowed).all()
    assert (np.abs(by_reverse - complex_step(graph, point)) <= allowed).all()


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_tangents_are_linear_in_the_direction(seed: int) -> None:
    graph, point = random_graph(seed, branches=True), random_point(seed)
    values = evaluate(graph, point, FLOATS)
    columns = jacobian(graph, point, "forward")
    direction = [0.5, -2.0, 3.0]
    tangents = forward(graph, values, dict(enumerate(direction)), FLOATS)
    found = [tangents.get(output, 0.0) for output in graph.outputs]
    assert found == pytest.approx(columns @ direction, rel=1e-12, abs=1e-13 * (1 + np.abs(columns).max()))


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_the_same_loops_sweep_arrays(seed: int) -> None:
    graph = random_graph(seed)
    points = np.array([random_point(seed + k) for k in range(5)])
    values = evaluate(graph, list(points.T), ARRAYS)
    adjoints = reverse(graph, values, {graph.outputs[0]: np.ones(5)}, ARRAYS)
    tangents = forward(graph, values, {0: np.ones(5)}, ARRAYS)
    for k, point in enumerate(points.tolist()):
        expected = jacobian(graph, point, "reverse")
        found = [np.broadcast_to(adjoints.get(i, 0.0), 5)[k] for i in range(3)]
        assert found == pytest.approx(expected[0], rel=1e-12, abs=1e-13)
        first = np.broadcast_to(tangents.get(graph.outputs[0], 0.0), 5)[k]
        assert first == pytest.approx(expected[0, 0], rel=1e-12, abs=1e-13)


def test_an_adjoint_is_the_sum_of_what_its_uses_pass_on() -> None:
    """`note` is told of each contribution with the sum so far; the last sum is the adjoint."""
    graph, point = random_graph(3), random_point(3)
    values = evaluate(graph, point, FLOATS)
    sums: dict[int, float] = {}

    def note(node: int, operand: int, contribution: float, so_far: float) -> None:
        target = graph.nodes[node].operands[operand]
        seed = 1.0 if target == graph.outputs[0] else 0.0
        sums[target] = sums.get(target, seed) + contribution
        assert so_far == sums[target]

    adjoints = reverse(graph, values, {graph.outputs[0]: 1.0}, FLOATS, note)
    assert sums == {node: value for node, value in adjoints.items() if node in sums}


def test_nothing_flows_to_what_does_not_matter() -> None:
    """Constants, variables that do not occur, and operations that no output needs get no adjoint and no tangent."""
    builder = Builder(["x", "unused"])
    constant = builder.call("sqrt", builder.constant(2))
    product = builder.call("mul", 0, constant)
    graph = builder.finish([product])
    values = evaluate(graph, [3.0, 5.0], FLOATS)
    assert set(reverse(graph, values, {graph.outputs[0]: 1.0}, FLOATS)) == {0, graph.outputs[0]}
    assert set(forward(graph, values, {0: 1.0}, FLOATS)) == {0, graph.outputs[0]}


def test_an_operand_used_twice_is_counted_twice() -> None:
    builder = Builder(["x"])
    graph = builder.finish([builder.call("mul", 0, 0)])
    values = evaluate(graph, [3.0], FLOATS)
    assert reverse(graph, values, {1: 1.0}, FLOATS)[0] == 6.0
    assert forward(graph, values, {0: 1.0}, FLOATS)[1] == 6.0


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_a_sweep_that_forgets_leaves_the_adjoints_of_the_inputs(seed: int) -> None:
    graph, point = random_graph(seed), random_point(seed)
    values = evaluate(graph, point, FLOATS)
    for output in graph.outputs:
        kept, left = (reverse(graph, values, {output: 1.0}, FLOATS, keep=keep) for keep in (True, False))
        inputs = range(len(graph.inputs))
        assert {i: left[i] for i in left if i in inputs} == {i: kept[i] for i in kept if i in inputs}
        assert not any(graph.active[i] for i in left if i not in inputs)
