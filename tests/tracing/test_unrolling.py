"""Loops and solvers written out at a point: the same values, the derivative of the iteration, and every step counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from shares import but_slow

import adlab
from adlab.autodiff import unrolling
from adlab.autodiff.unrolling import tally, unrolled
from adlab.tracing.places import at_point

SYSTEM = [[3.0, 1.0, 0.0], [1.0, 2.0, 3.0], [0.0, 2.0, 3.5]]
SOLVERS: dict[str, tuple[Callable[..., Any], list[float]]] = {
    "root": (lambda p: adlab.root(lambda x: x**3 + p[0] * x - p[1], 1.0), [1.0, 3.0]),
    "fixed_point": (lambda p: adlab.fixed_point(lambda x: np.cos(p[0] * x) + p[1], 1.0), [0.7, 0.1]),
    "minimum": (lambda p: adlab.minimum(lambda x: (x - p[0]) ** 2 + p[1] * x**4, 1.0), [1.3, 0.1]),
    "linear_solve": (lambda p: adlab.linear_solve(p[0] * np.array(SYSTEM), p[1] * np.ones(3)).sum(), [3.0, 2.0]),
    "ode": (lambda p: adlab.ode(lambda t, y: -p[0] * y, p[1], [0.0, 1.0], steps=10)[-1], [1.0, 3.0]),
    "integral": (lambda p: adlab.integral(lambda x: np.exp(-p[0] * x * x), 0.0, p[1]), [1.0, 2.0]),
    "while_loop": (lambda p: adlab.while_loop(lambda x: x < 10.0, lambda x: x * p[1], p[0]), [1.1, 1.7]),
    "cond": (lambda p: adlab.cond(p[0] > p[1], np.sin, np.cos, p[0] * p[1]), [1.1, 1.7]),
}


@pytest.mark.parametrize("name", SOLVERS)
def test_what_is_written_out_has_the_same_value_and_derivative(name: str) -> None:
    f, point = at_point(*SOLVERS[name])
    out = adlab.Function.from_graph(unrolled(f.graph, point.tolist()))
    assert not out.graph.compound
    assert out(point) == pytest.approx(f(point), rel=1e-14)
    assert f.gradient(point, method="unrolled") == pytest.approx(f.gradient(point), rel=1e-12)
    assert len(out.graph.operations) <= tally(f.graph, point.tolist()).operations


@pytest.mark.parametrize("name", but_slow(SOLVERS, ["ode", "linear_solve", "integral"]))
def test_comparing_shows_both_and_reverse_mode_is_right(name: str) -> None:
    """Conditioning takes all tangents at once, as arrays, through each of these nodes."""
    found = adlab.compare(*SOLVERS[name], ["reverse", "unrolled"], False)
    digits = [row.digits for row in found.accuracy]
    assert len(digits) == 4
    assert name == "integral" or all(d is not None and d > 14 for d in digits)
    f, point = at_point(*SOLVERS[name])
    forward = f.jacobian(point, method="forward")
    np.testing.assert_allclose(forward, f.jacobian(point), rtol=1e-13)


def priced(fn: Any, x: list[float]) -> dict[str, Any]:
    return {row.method: row for row in adlab.cost(fn, x, ["reverse", "unrolled"], False).rows}


def test_the_adjoint_of_a_loop_needs_little_memory_and_the_unrolled_one_needs_every_step() -> None:
    rows = priced(*SOLVERS["ode"])
    assert rows["f"].operations > 10 * 15
    assert rows["unrolled"].tape > 1.5 * rows["reverse"].tape
    rows = priced(*SOLVERS["root"])
    assert rows["reverse"].ratio < 1.2  # one small system beside all of Newton's steps
    assert rows["unrolled"].ratio > 2


def test_an_iteration_that_has_nothing_to_do_has_no_derivative_of_its_own() -> None:
    found = adlab.compare(SOLVERS["minimum"][0], [1.2, 0.1], ["reverse", "unrolled"], False)  # it starts at the minimum
    digits = {(row.method, row.variable): row.digits or 0.0 for row in found.accuracy}
    assert digits["reverse", "p0"] > 15
    assert digits["unrolled", "p0"] < 1
    assert any("whose derivative has not settled" in sentence.text for sentence in found.verdict)


def test_what_is_too_long_to_be_written_out_is_refused_and_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unrolling, "MOST_NODES", 1000)
    f = adlab.from_python(lambda x: adlab.scan(lambda s, _: (s * 0.9999999 + 1.0, None), x, length=700)[0], 1.0)
    with pytest.raises(adlab.UnsupportedExpression, match="more than 1,000"):
        f.jacobian([1.0], method="unrolled")
    assert adlab.cost(f, [1.0], methods=["reverse"], timed=False).row("reverse").operations


def test_unrolled_is_reverse_mode_where_there_is_nothing_to_unroll() -> None:
    f = adlab.gallery.worked_example()
    assert f.gradient([1, 2], method="unrolled").tolist() == f.gradient([1, 2]).tolist()
    assert "unrolled" not in {row.method for row in adlab.cost(f, [1, 2], timed=False).rows}


def test_the_truth_of_a_loop_whose_body_computes_with_numbers_from_outside() -> None:
    judged = adlab.truth(lambda p: adlab.scan(lambda s, _: (s * -p[0], None), p[1], length=3)[0], [2.0, 3.0], digits=15)
    assert [float(partial) for partial in judged.gradient] == [-36.0, -8.0]
