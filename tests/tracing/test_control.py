"""Loops and branches that the graph keeps: the same values and derivatives as the loop written out, at any length."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adlab
from adlab.errors import TracingError
from adlab.function import Function
from adlab.tracing.control import cond, scan, where, while_loop
from adlab.tracing.program import Program


def of(function: Callable[[Any], Any], example: list[float]) -> Function:
    return Function.from_graph(Program.of(function, example).path(example).graph)


def kept(x: Any) -> Any:
    state, _ = scan(lambda s, _: (s * 0.5 + np.sin(s) * x[1], None), x[0], length=12)
    return state * x[0]


def unrolled(x: Any) -> Any:
    state = x[0]
    for _ in range(12):
        state = state * 0.5 + np.sin(state) * x[1]
    return state * x[0]


def kept_with_outs(x: Any) -> Any:
    last, outs = scan(lambda s, t: ((s[0] + t * s[1], s[1] * x[2]), s[0] * t), (1.0, x[0]), x)
    return last[0] + np.sum(outs * outs)


def unrolled_with_outs(x: Any) -> Any:
    a, b, total = 1.0, x[0], 0.0
    for t in x:
        total = total + (a * t) ** 2
        a, b = a + t * b, b * x[2]
    return a + total


def nested(x: Any) -> Any:
    def outer(s: Any, _: Any) -> Any:
        inner, _ = scan(lambda u, _: (u * 0.9 + x[1] * s, None), s, length=3)
        return inner * x[0], None

    return scan(outer, x[0], length=4)[0]


def nested_unrolled(x: Any) -> Any:
    s = x[0]
    for _ in range(4):
        u = s
        for _ in range(3):
            u = u * 0.9 + x[1] * s
        s = u * x[0]
    return s


PAIRS = [(kept, unrolled, [1.0, 2.0]),
         (kept_with_outs, unrolled_with_outs, [1.1, 0.7, 1.3]),
         (nested, nested_unrolled, [0.9, 0.3])]  # fmt: skip


@pytest.mark.parametrize(("loop", "written_out", "point"), PAIRS, ids=lambda f: getattr(f, "__name__", ""))
def test_a_scan_is_the_loop_written_out(loop: Any, written_out: Any, point: list[float]) -> None:
    f, g = of(loop, point), of(written_out, point)
    other = [1.1 * x for x in point]
    direction = [0.3 + i for i in range(len(point))]
    for x in (point, other):
        assert f(x) == pytest.approx(g(x), rel=1e-14)
        assert f.gradient(x) == pytest.approx(g.gradient(x), rel=1e-12)
        assert f.gradient(x, method="forward") == pytest.approx(g.gradient(x), rel=1e-12)
        assert f.jvp(x, direction) == pytest.approx(g.jvp(x, direction), rel=1e-12)
        assert f.hessian(x) == pytest.approx(g.hessian(x), rel=1e-10)
    assert f.gradient([point, other]) == pytest.approx(np.array([g.gradient(point), g.gradient(other)]), rel=1e-12)
    assert len(f.graph.operations) < len(g.graph.operations)


def test_a_while_loop_turns_as_often_as_the_point_needs() -> None:
    def f(x: Any) -> Any:
        return while_loop(lambda s: s[0] < 100, lambda s: (s[0] * x[1], s[1] + s[0]), (x[0], 0.0))[1]

    kept = of(f, [1.0, 2.0])
    for x in ([1.0, 2.0], [3.0, 1.3], [200.0, 2.0]):
        turns, a, total = 0, x[0], 0.0
        slope = np.zeros(2)
        while a < 100:
            slope += [x[1] ** turns, x[0] * turns * x[1] ** (turns - 1) if turns else 0.0]
            a, total, turns = a * x[1], total + a, turns + 1
        assert kept(x) == pytest.approx(total, rel=1e-14)
        assert kept.gradient(x) == pytest.approx(slope, rel=1e-12)
        assert kept.gradient(x, method="forward") == pytest.approx(slope, rel=1e-12)


def test_a_branch_computes_and_differentiates_the_one_that_is_taken() -> None:
    def f(x: Any) -> Any:
        return cond(x[0] > 1, lambda y: np.log(y) * x[1], lambda y: y**2, x[0]) + where(x[1] > 0, x[1], -x[0])

    program = Program.of(f, [1.5, 2.0])
    kept = Function.from_graph(program.path([1.5, 2.0]).graph)
    assert kept.gradient([2.0, 3.0]) == pytest.approx([3 / 2, np.log(2) + 1])
    assert kept.gradient([-0.5, 3.0]) == pytest.approx([-1, 1])  # log has no value there, and is not computed
    assert len(program.paths) == 1


def test_a_branch_inside_a_body_is_refused_with_its_line() -> None:
    def f(x: Any) -> Any:
        return scan(lambda s, _: (s * 2 if s > 0 else -s, None), x, length=3)[0]

    with pytest.raises(TracingError, match=r"test_control\.py:\d+.*adlab\.where"):
        Program.of(f, 1.0)


def test_a_body_must_return_what_it_was_given() -> None:
    with pytest.raises(TracingError, match="shape"):
        Program.of(lambda x: scan(lambda s, _: (np.array([s, s]), None), x, length=3)[0], 1.0)


def test_the_reverse_mode_of_a_long_loop_is_right_and_the_graph_stays_small() -> None:
    f = of(lambda x: scan(lambda s, _: (s + x[1] * 1e-4 * (x[0] - s), None), x[0] * 0.0, length=20_000)[0], [1.0, 2.0])
    rate = 1 - 2e-4
    assert f.gradient([1.0, 2.0])[0] == pytest.approx(1 - rate**20_000, rel=1e-10)
    assert f.gradient([1.0, 2.0])[1] == pytest.approx(20_000 * 1e-4 * rate**19_999, rel=1e-10)
    assert len(f.graph.operations) < 10


@pytest.mark.slow
def test_a_million_turns_need_bounded_memory() -> None:
    """The states of every √T-th turn are kept. All states of 100,000 turns would be 2.4 MB of floats, and as much in lists."""

    def long(turns: int) -> Function:
        return of(lambda x: scan(lambda s, _: (s - x[1] / turns * s, None), x[0], length=turns)[0], [1.0, 2.0])

    f, rate = long(10**6), 1 - 2e-6
    assert f.gradient([1.0, 2.0]) == pytest.approx([rate**10**6, -(rate ** (10**6 - 1))], rel=1e-9)
    assert len(f.graph.operations) < 6
    f = long(10**5)
    f.gradient([1.0, 2.0])
    tracemalloc.start()
    try:
        f.gradient([1.0, 2.0])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.5e6, peak


NESTED: dict[str, tuple[Any, list[float]]] = {
    "cond in integral": (lambda p: adlab.integral(
        lambda t: adlab.cond(t < 0.5, lambda: p[0] * t, lambda: p[1] * t * t), 0.0, 1.0), [1.0, 2.0]),
    "cond in root": (lambda p: adlab.root(
        lambda x: x**3 + adlab.cond(x < 0.1, lambda: p[1] * x, lambda: p[0] + 0 * x) - 9, 1.0), [1.0, 2.0]),
    "cond in fixed_point": (lambda p: adlab.fixed_point(
        lambda x: 0.5 * adlab.cond(x > 100, lambda: p[1], lambda: np.cos(x) * p[0]), 0.3), [1.0, 2.0]),
    "cond in ode": (lambda p: adlab.ode(
        lambda t, y: adlab.cond(t > 1, lambda: -p[1] * y, lambda: -p[0] * y), 1.0, [0.0, 1.0, 2.0], steps=40)[-1], [1.0, 2.0]),
    "cond in root in integral": (lambda p: adlab.integral(
        lambda t: adlab.root(lambda x: x - adlab.cond(x > 50, lambda: p[1] * t, lambda: p[0] * t), 0.2), 0.0, 1.0), [1.0, 2.0]),
}  # fmt: skip


@pytest.mark.parametrize("name", NESTED)
def test_numbers_met_only_in_a_branch_that_is_not_taken(name: str) -> None:
    """Inside solvers, and returned by the branch as they are: the code on floats, its graph and differences agree."""
    f, at = NESTED[name]
    traced, x, h = adlab.from_python(f, at), np.array(at), 2.0**-14
    assert traced(x) == pytest.approx(float(f(x)), rel=1e-12)
    sides = [(float(f(x + h * e)) - float(f(x - h * e))) / (2 * h) for e in np.eye(2)]
    assert traced.gradient(x) == pytest.approx(sides, rel=1e-6, abs=1e-8)


def test_a_branch_that_returns_a_number_from_around_it_returns_that_number() -> None:
    """It returned the number's value at the start of the trace, a constant."""
    found = adlab.integral(lambda t: adlab.cond(t < 0.5, lambda: t, lambda: t * t), 0.0, 1.0)
    assert float(found) == pytest.approx(0.125 + (1 - 0.125) / 3, rel=1e-12)
