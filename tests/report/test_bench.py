"""The bench: its problems are one problem in three languages, and its report says what was measured."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

import adlab
from adlab.report.bench import Bench, Cell, bench, processor, run
from adlab.report.bench_peers import CONTESTANTS, agrees
from adlab.report.bench_problems import PROBLEMS
from adlab.report.bench_worker import steady

ARRAYS = SimpleNamespace(
    log=np.log, sin=np.sin, cos=np.cos, sqrt=np.sqrt, tanh=np.tanh, array=np.asarray,
    stack=lambda parts: np.stack(parts, -1), product=lambda x: x.prod(-1),
)  # fmt: skip


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=list(PROBLEMS))
def test_a_problem_is_the_same_in_all_three_languages(problem):
    f = problem.make()
    expected = np.atleast_1d(f(f.point))
    assert np.allclose(problem.scalars(list(f.point), math), expected, rtol=1e-12)
    assert np.allclose(problem.arrays(np.array(f.point), ARRAYS), expected, rtol=1e-12)
    batch = np.array(f.point) * np.array([[1.0], [0.999]])
    assert np.allclose(problem.arrays(batch, ARRAYS)[0], expected, rtol=1e-12)


@pytest.fixture
def contest() -> Bench:
    cells = [
        Cell("worked-example", "adlab", True, laps={"first": [2e-3, 1e-3], "point": [4e-8], "batch": [3e-9]},
             extra={"operations": [6, 14], "kernel": [2e-8, 5e-8]}),
        Cell("worked-example", "casadi", False, laps={"first": [5e-3], "point": [8e-8], "batch": [6e-9]}),
        Cell("worked-example", "heyoka", False, laps={"first": [9e-3], "point": [1e-9]}, status="wrong"),
        Cell("worked-example", "sympy", True, status="over 60 s", laps={"first": [0.05]}),
    ]  # fmt: skip
    about = {"date": "today", "processor": "one", "rounds": 2, "seconds": 60, "versions": {"python": "3"}}
    return Bench(cells, about)


def test_ratios_are_to_the_best_peer_that_solved_the_problem(contest):
    assert contest.ratio("worked-example", "adlab", "first") == pytest.approx(0.2)
    assert contest.ratio("worked-example", "adlab", "point") == pytest.approx(0.5)
    assert contest.ratio("worked-example", "adlab-numpy", "point") is None


def test_the_table_shows_times_limits_and_who_started_where(contest):
    text = str(contest)
    assert "0.20" in text
    assert "wrong" in text
    assert "over 60 s" in text
    assert "From a SymPy expression: adlab, sympy" in text
    assert "2.33" in text  # operations
    assert "2.50" in text  # kernel time


def test_the_same_facts_as_plain_data(contest):
    facts = json.loads(json.dumps(contest.to_dict()))
    assert facts["rows"][0]["first"] == 1e-3
    assert facts["rows"][3]["status"] == "over 60 s"
    assert facts["ratios"][0]["batch"] == pytest.approx(0.5)


def test_a_contest_is_run_and_written(tmp_path):
    path = tmp_path / "bench.json"
    found = run(["worked-example"], ["sympy"], json_path=str(path), quiet=True, rounds=1, seconds=50)
    facts = json.loads(path.read_text(encoding="utf-8"))
    assert {row["peer"] for row in facts["rows"]} >= {"adlab-numpy", "sympy"}
    for row in facts["rows"]:
        assert row["status"] == "ok"
        assert 0 < row["batch"] < row["point"] < row["first"] < 50
    ours = found.cell("worked-example", "adlab-numpy")
    assert ours is not None
    assert ours.extra["operations"][0] == 6


def test_what_takes_too_long_is_ended_and_marked():
    found = bench(["worked-example"], ["sympy"], rounds=1, seconds=0.05)
    assert {cell.status for cell in found.cells} == {"over 0.05 s"}


def test_unknown_names_are_refused_with_those_there_are():
    with pytest.raises(adlab.AdlabError, match="no problem `rosenbruck` in the bench; there are worked-example"):
        bench(["rosenbruck"])
    with pytest.raises(adlab.AdlabError, match="no peer `maple` in the bench; there are adlab"):
        bench(peers=["maple"])


def test_a_peer_with_another_gradient_is_not_timed():
    assert agrees([1.0, 2.0], [1.0 + 1e-12, 2.0])
    assert not agrees([1.0, 2.1], [1.0, 2.0])
    assert not agrees([1.0], [1.0, 2.0])
    assert not agrees([math.nan], [1.0])


def test_a_lap_is_long_enough_to_be_timed():
    best, median = steady(lambda: sum(range(100)))
    assert 1e-7 < best <= median < 1e-3


def test_the_conditions_are_named():
    assert processor()
    assert set(CONTESTANTS) >= {"adlab", "adlab-numpy", "sympy", "casadi", "heyoka", "torch", "jax", "autograd"}
