"""The bench: its problems are one problem in three languages, and its report says what was measured."""

from __future__ import annotations

import json
import math
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

import adlab
from adlab.bench import vouching as measured_vouching
from adlab.bench.commands import read, write
from adlab.bench.contestants import CONTESTANTS, agrees, contestant_of
from adlab.bench.data import DataRow, Streamed, over_data
from adlab.bench.goals import GOALS
from adlab.bench.in_c import CRow, InC, agreed, in_c
from adlab.bench.linearity import FAMILIES, STAGES, Linearity, Run, linearity
from adlab.bench.problems import PROBLEMS
from adlab.bench.race import bench, processor
from adlab.bench.results import Bench, Cell
from adlab.bench.scaling import Scaling, ScalingRow, scaling
from adlab.bench.sparsity import PROBLEMS as MATRICES, SparseMatrices, SparseRow, sparsity
from adlab.bench.startup import startup
from adlab.bench.timing_worker import steady
from adlab.cli.main import main

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
        Cell("worked-example", "adlab", "SymPy", laps={"first": [2e-3, 1e-3], "ready": [0.123], "point": [4e-8], "batch": [3e-9]},
             extra={"operations": [6, 14], "kernel": [2e-8, 5e-8], "nothing": 7e-4, "kept": 0.0456}),
        Cell("worked-example", "torch", "arrays", laps={"first": [1e-3], "point": [9e-6], "batch": [2e-9]}),
        Cell("worked-example", "casadi", "terms", laps={"first": [5e-3], "point": [8e-8], "batch": [6e-9]}),
        Cell("worked-example", "heyoka", "terms", laps={"first": [9e-3], "point": [1e-9]}, status="wrong"),
        Cell("worked-example", "sympy", "SymPy", status="over 60 s", laps={"first": [0.05]}),
    ]  # fmt: skip
    about = {"date": "today", "processor": "one", "rounds": 2, "seconds": 60, "versions": {"python": "3"}}
    return Bench(cells, about)


def test_ratios_are_to_the_best_peer_that_solved_the_problem(contest):
    assert contest.ratio("worked-example", "adlab", "first") == pytest.approx(1.0)
    assert contest.ratio("worked-example", "adlab", "first", ("SymPy", "terms")) == pytest.approx(0.2)
    assert contest.ratio("worked-example", "adlab", "point") == pytest.approx(0.5)
    assert contest.ratio("worked-example", "adlab-numpy", "point") is None


def test_the_table_shows_times_limits_and_who_started_where(contest):
    text = str(contest)
    assert "wrong" in text
    assert "over 60 s" in text
    assert "From a SymPy expression: adlab, sympy;" in text
    assert "in its own language: casadi, heyoka;" in text
    assert "adlab ÷ the best peer given terms: median 0.20, at most 0.5 on 1 of 1 rows" in text
    assert "2.33" in text  # operations
    assert "2.50" in text  # kernel time
    assert "0.7" in text  # from nothing, ms
    assert re.search(r"worked-example +45.6 +123 +wrong", text)  # compiled: from disk, and anew, ms
    assert "Everybody" not in str(contest.digest())


def test_each_goal_says_whether_it_is_met_and_by_how_much_it_is_missed(contest):
    text = " ".join(str(contest.digest()).split())
    assert "first gradient, peers given terms 0.5 yes 1 of 1 0.20 0.20 worked-example –" in text
    assert "a batch 1 no 0 of 1 1.50 1.50 worked-example 50%" in text
    assert "worked-example 0.20 met 0.50 met 1.50 missed" in text
    assert "In a batch adlab takes 1.50 to 1.50 of the time of the best peer, and is ahead of it on 0 of 1 rows." in text


def test_a_goal_for_most_rows_is_met_by_more_than_half():
    def run(*points: float) -> Bench:
        cells = [Cell(f"p{k}", peer, "terms", laps={"point": [time]}) for k, ours in enumerate(points)
                 for peer, time in (("adlab", ours), ("casadi", 1.0))]  # fmt: skip
        return Bench(cells, {})

    everywhere, mostly = (goal for goal in GOALS if goal.figure == "point")
    assert mostly.is_met(run(0.5, 0.6, 0.9))
    assert not mostly.is_met(run(0.5, 0.9))
    assert not everywhere.is_met(run(0.5, 1.1))
    assert everywhere.is_met(run(1.0))
    assert not everywhere.is_met(Bench([], {}))


@pytest.mark.parametrize("peer", ["adlab-numpy", "adlab", "casadi"])
def test_a_sparse_jacobian_is_timed_without_its_zeros(peer):
    problem = PROBLEMS["jacobian:broyden:100"]
    kind = contestant_of(peer, problem)
    assert kind is not None
    if not kind.installed():
        pytest.skip(f"{peer} is not installed")
    f = problem.make()
    cell = kind(problem, f)
    assert np.allclose(np.ravel(cell.first()), f.jacobian(f.point).ravel())
    cell.point()()
    cell.batch(np.array([f.point, f.point]))()


def test_the_same_facts_as_plain_data(contest):
    facts = json.loads(json.dumps(contest.to_dict()))
    assert facts["rows"][0]["first"] == 1e-3
    assert facts["rows"][4]["status"] == "over 60 s"
    assert facts["ratios"][0]["batch"] == pytest.approx(1.5)


def test_a_contest_is_run_recorded_shown_and_drawn(tmp_path, capsys):
    path, picture = tmp_path / "bench.json", tmp_path / "bench.svg"
    asked = ["bench", "worked-example", "--peers", "sympy", "--rounds", "1", "--seconds", "50", "--quiet"]
    assert main([*asked, "--json", str(path), "--plot", str(picture)]) == 0
    raced = capsys.readouterr().out
    facts = json.loads(path.read_text(encoding="utf-8"))
    assert {row["peer"] for row in facts["rows"]} >= {"adlab-numpy", "sympy"}
    for row in facts["rows"]:
        assert row["status"] == "ok"
        assert all(row[figure] > 0 for figure in ("batch", "point", "first", "cold"))
    found = read(str(path))
    assert isinstance(found, Bench)
    ours = found.cell("worked-example", "adlab-numpy")
    assert ours is not None
    assert ours.extra["operations"][0] == 6
    assert ours.extra["nothing"] > 0
    assert main(["bench", "--show", str(path)]) == 0
    assert capsys.readouterr().out == raced
    assert "worked-example" in raced
    assert picture.read_text(encoding="utf-8").count("<svg") == 1


@pytest.mark.parametrize(("asked", "said"), [
    (["--linearity", "--show", "x.json"], "--linearity is not a race"),
    (["worked-example", "--startup"], "--startup is not a race"),
    (["worked-example", "--scaling"], "--scaling is not a race"),
    (["--vouching", "--plot", "x.png"], "this measurement has no picture"),
    (["--vouching", "--startup"], "is not a race"),
    (["--data", "--brief"], "only a race has a brief form"),
    (["worked-example", "--data"], "--data is not a race"),
    (["--show", "nowhere.json"], "cannot read nowhere.json"),
])  # fmt: skip
def test_what_does_not_go_together_is_refused(asked, said, capsys):
    assert main(["bench", *asked]) == 2
    assert said in capsys.readouterr().err


def test_a_file_without_a_run_is_refused(tmp_path):
    path = tmp_path / "other.json"
    for text in ("{}", '{"ratios": [], "rows": [1]}', "[]", "?"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(adlab.AdlabError, match=r"other.json holds no run of the bench; record one by"):
            read(str(path))


def test_the_price_of_vouching_is_told_by_function_backend_and_way(monkeypatch):
    monkeypatch.setattr(measured_vouching, "PROBLEMS", ("worked-example",))
    monkeypatch.setattr(measured_vouching, "LAP", 1e-5)
    found = measured_vouching.vouching(rounds=1)
    assert {(cell.backend, cell.way) for cell in found.cells} >= {
        (backend, way) for backend in ("python", "numpy") for way in ("call", "bind", "bind, 1000 points")
    }
    assert all(cell.operations == 16 and min(cell.vouched, cell.bare, cell.ratio) > 0 for cell in found.cells)
    assert measured_vouching.Vouching.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert "numpy, call: " in str(found)


@pytest.mark.slow
def test_time_per_node_is_told_by_family_size_and_stage():
    found = linearity([200, 400], rounds=1)
    assert {run.family for run in found.runs} == set(FAMILIES)
    for run in found.runs:
        assert 100 < run.nodes < 600
        assert run.nodes < run.program_nodes < 5 * run.nodes  # the theorem: value and gradient, at most 5 times
        assert run.memory > 2**24
    assert Linearity.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert len(found.plot().lines) == len(FAMILIES) * len(STAGES)


def test_the_spread_is_the_dearest_node_over_the_cheapest():
    runs = [Run("chain", n, 2 * n, 0.0, n * c, n * 1e-6, n * 4e-6, 1) for n, c in ((1000, 2e-6), (10_000, 3e-6))]
    found = Linearity(runs)
    assert found.spread("chain", "lower") == pytest.approx(1.5)
    assert found.spread("chain", "program") == pytest.approx(1.0)
    assert "lowering 1.50, values and adjoints 1.00" in str(found)


@pytest.mark.slow
def test_what_starting_takes_and_what_is_left_out(tmp_path, capsys):
    found = startup(rounds=1)
    best, typical = found.commands["adlab compare"]
    assert 0 < best <= typical
    assert found.imports["sympy"][1] > 0
    assert "matplotlib" not in found.imports
    assert found.left_out["matplotlib.pyplot"] > 0
    assert "What `adlab compare` imports" in str(found)
    path = str(tmp_path / "startup.json")
    write(path, found.to_dict())
    assert str(read(path)) == str(found)
    assert main(["bench", "--show", path, "--brief"]) == main(["bench", "--show", path, "--plot", "x.png"]) == 2
    said = capsys.readouterr().err
    assert "only a race has a brief form" in said
    assert "has no picture" in said


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
    assert 0 < best <= median


QUICK = ["adlab", "adlab-numpy", "casadi", "ddx"]


@pytest.mark.parametrize(("name", "problem"), [
    *((name, problem) for name in QUICK for problem in ("worked-example", "bundle-adjustment", "hessian:worked-example")),
    ("sympy-forward", "worked-example"), ("sympy", "hessian:worked-example"),
])  # fmt: skip
def test_a_contestant_solves_the_problem_in_each_way(name, problem):
    wanted = PROBLEMS[problem]
    kind = contestant_of(name, wanted)
    if kind is None or not kind.installed():
        pytest.skip(f"{name} does not take part in {problem} here")
    f = wanted.make()
    true = f.jacobian(f.point) if wanted.order == 1 else f.hessian(f.point)
    contestant = kind(wanted, f)
    assert agrees(np.ravel(contestant.first()).tolist(), true.ravel().tolist())
    contestant.point()()
    contestant.batch(np.array([f.point, f.point]))()


def test_zeros_of_a_sparse_hessian_are_left_out_where_the_library_can():
    wanted = PROBLEMS["hessian:rosenbrock:100"]
    kind = contestant_of("adlab-numpy", wanted)
    f = wanted.make()
    assert len(kind(wanted, f).point()()) == 298 < f.n**2


def test_processors_are_compared_recorded_and_shown(tmp_path, capsys):
    found = Scaling(2, [ScalingRow("rosenbrock:100", 10_000, "adlab", 2e-3, 1e-3)])
    path = str(tmp_path / "scaling.json")
    write(path, found.to_dict())
    assert read(path) == found
    assert main(["bench", "--show", path]) == 0
    out = capsys.readouterr().out
    assert "200" in out
    assert "2.00" in out
    assert main(["bench", "--show", path, "--plot", str(tmp_path / "x.png")]) == 2
    assert "has no picture" in capsys.readouterr().err


@pytest.mark.slow
def test_a_loss_over_many_rows_needs_no_more_memory_than_over_few(tmp_path):
    found = over_data([100_000, 3_000_000], rounds=1)
    ours = [row for row in found.over_data if row.system == "adlab"]
    assert all(row.seconds > 0 for row in found.over_data)
    assert ours[1].memory < ours[0].memory + 8_000_000 < 3_000_000 * 3 * 8
    path = str(tmp_path / "data.json")
    write(path, found.to_dict())
    assert read(path) == found
    shown = str(Streamed("x", [DataRow("adlab", 10**6, 0.01, 2_000_000)]))
    assert "1,000,000" in shown
    assert "2.0" in shown


def test_records_of_matrices_and_of_c_are_read_again_and_shown(tmp_path, capsys):
    row = SparseRow("arrow", "Jacobian", (5, 5), 13, {"adlab": 3, "least": 3, "asdex": None}, {"dense": 2e-3, "sparse": 1e-3})
    matrices = SparseMatrices([row], ["asdex"])
    code = InC([CRow("f", 2, 3e-8, 2e-8, 1e-8), CRow("h", 1, 5e-8, 4e-8, 1e-8, "some.jsonl")], {"g": "no gamma in C99"})
    for name, found, words in (("m", matrices, ("arrow, Jacobian", "0.5", "Not installed: asdex")),
                               ("c", code, ("3.00", "2.00", "some.jsonl", "5.00", "Left out: g: no gamma"))):  # fmt: skip
        path = str(tmp_path / f"{name}.json")
        write(path, found.to_dict())
        assert read(path) == found
        assert main(["bench", "--show", path]) == 0
        shown = capsys.readouterr().out
        assert all(word in shown for word in words)


def test_a_gradient_in_c_is_that_of_casadi():
    pytest.importorskip("casadi")
    if shutil.which("gcc") is None:
        pytest.skip("no C compiler")
    several = adlab.Function(["x*y", "y**2", "exp(x)"], name="several")
    bessel = adlab.Function("besselj(0, x)")
    found = in_c([(adlab.gallery.worked_example(), [1, 2]), (several, [1.5, 2]), (bessel, [1.0])], rounds=1)
    assert [(row.function.split()[0], row.partials) for row in found.in_c] == [("worked", 2), ("several", 4)]
    assert all(min(row.plain, row.checked, row.casadi) > 0 for row in found.in_c)
    assert list(found.refused) == ["f = besselj(0, x)"]
    files = {"some.txt": [(adlab.Function("x*y"), [1.0, 2.0]), (adlab.Function("besselk(0, x)"), [1.0])]}
    of_files = in_c([], rounds=1, files=files)
    assert [(row.function, row.source) for row in of_files.in_c] == [("f = x*y", "some.txt")]
    assert of_files.refused["some.txt"].endswith("differ: 1")
    with pytest.raises(adlab.MethodError, match="another gradient"):
        agreed(several, [1.0], np.array([1.0, 2.0]), np.array([1.0, 2.1]))


@pytest.mark.parametrize("name", ["Brusselator", "arrow", pytest.param("bundle adjustment", marks=pytest.mark.slow)])
def test_the_matrices_of_the_bench_are_what_they_are_called(name):
    _, make = MATRICES[name]
    f = make()
    shape, entries, sweeps = {"Brusselator": ((512, 512), 3072, 11), "arrow": ((500, 500), 1498, 3),
                              "bundle adjustment": ((800, 210), 9600, 12)}[name]  # fmt: skip
    assert (f.m, f.n) == shape
    assert (f.coloring.entries, f.coloring.sweeps) == (entries, sweeps)


@pytest.mark.slow
def test_matrices_are_coloured_and_timed_beside_whoever_is_installed(monkeypatch):
    monkeypatch.setattr("adlab.bench.sparsity.PROBLEMS", {name: MATRICES[name] for name in ("arrow", "arrowhead")})
    found = sparsity(rounds=1)
    for row in found.matrices:
        assert row.sweeps["adlab"] in (2, 3)
        assert all(seconds > 0 for seconds in row.times.values())
        assert row.sweeps.get("group_columns") in (None, 500)
        assert row.sweeps.get("asdex") in (None, 2, 500)


@pytest.mark.slow
def test_a_batch_is_timed_on_one_processor_and_on_all():
    pytest.importorskip("llvmlite")
    found = scaling(["worked-example"], rounds=1)
    assert found.processors >= 1
    assert {row.system for row in found.rows} >= {"adlab"}
    assert all(row.one > 0 < row.all for row in found.rows)


def test_the_conditions_are_named():
    assert processor()
    assert set(CONTESTANTS) >= {"adlab", "adlab-numpy", "sympy", "casadi", "heyoka", "torch", "jax", "autograd"}
