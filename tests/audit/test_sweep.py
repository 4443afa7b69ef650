"""Sweeps: the same bytes however the work was done, interrupted or not; what hangs or dies costs one row."""

from __future__ import annotations

import csv
import errno
import hashlib
import itertools
import json
import os
import re
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import adlab
from adlab.audit.corpus import Entry
from adlab.audit.crew import batches, by_processes
from adlab.audit.journal import Journal
from adlab.audit.sweep import FORMAT, PATIENCE, _Tasks, sweep
from adlab.audit.task import RIGHT, SweepTask, json_line, row_without
from adlab.errors import GaveUp
from adlab.process import Worker

FILE = [
    {"id": "plain", "expr": "x**2 + sin(y)", "point": {"x": 1, "y": 2}},
    {"id": "no formula", "expr": "x*floor("},
    {"id": "outside", "expr": "log(x)", "point": {"x": -1}},
    {"id": "cancels", "expr": "(x + 1)**(1/3) - x**(1/3)", "point": {"x": 8e13}},
    {"id": "drawn", "expr": "exp(-x*y)", "ranges": {"x": [1, 5], "y": [1e-3, 1e3]}},
]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "formulas.jsonl"
    path.write_text("\n".join(map(json.dumps, FILE)))
    return path


def test_every_partial_is_a_row_and_the_summary_counts_them(corpus: Path, tmp_path: Path) -> None:
    found = sweep(corpus, ["reverse", "central-difference"], out=tmp_path / "rows.jsonl", workers=0)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert found.rows == len(rows) == 2 * (2 + 1 + 2) + 2
    assert dict(found.unserved) == {"refused": 1, "domain": 1}
    mine = [row for row in rows if row["method"] == "reverse"]
    assert found.tallies["reverse"].right == sum(row["digits"] >= RIGHT for row in mine) == 4
    assert found.tallies["reverse"].causes == (("cancellation", 1),)
    assert {row["name"] for row in found.worst} >= {"cancels", "outside", "no formula"}
    assert found.to_markdown()
    assert found.to_dict()["tasks"] == 5


def test_the_rows_are_the_same_bytes_whoever_does_the_work(corpus: Path, tmp_path: Path) -> None:
    alone, crew, pool = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"
    sweep(corpus, ["reverse"], out=alone, workers=0)
    sweep(corpus, ["reverse"], out=crew, workers=1)
    with ThreadPoolExecutor(1) as executor:
        sweep(corpus, ["reverse"], out=pool, executor=executor)
    assert alone.read_bytes() == crew.read_bytes() == pool.read_bytes()
    assert len(list(csv.DictReader(alone.read_text().splitlines()))) == 7


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_that_loses_a_worker_half_way_ends_with_the_same_bytes(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    many, killed = tmp_path / "many.jsonl", list[int]()
    many.write_text("\n".join(json.dumps({"id": f"{k}", "expr": f"sin({k + 1}*x)*exp(-x/{k + 2})", "point": {"x": 1}})
                              for k in range(200)))  # fmt: skip
    sweep(many, ["reverse", "forward"], out=tmp_path / "alone.jsonl", workers=0)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            [first, _] = client.run(os.getpid).values()

        def lose_one(journal: Journal, lines: bytes, tasks: int, add: Any = Journal.add) -> None:
            add(journal, lines, tasks)
            if journal.done >= 100 and not killed:
                os.kill(first, 9)
                killed.append(first)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Journal, "add", lose_one)
            sweep(many, ["reverse", "forward"], out=tmp_path / "dask.jsonl", dask=cluster.scheduler_address)
    assert killed
    assert (tmp_path / "dask.jsonl").read_bytes() == (tmp_path / "alone.jsonl").read_bytes()


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_that_is_not_there_is_a_sentence(corpus: Path) -> None:
    distributed = pytest.importorskip("distributed")
    at_once = distributed.dask.config.set({"distributed.comm.timeouts.connect": "0.2s"})
    with at_once, pytest.raises(adlab.AdlabError, match=r"no Dask cluster answers at tcp://127.0.0.1:9"):
        sweep(corpus, ["reverse"], dask="tcp://127.0.0.1:9")


class Cut(ThreadPoolExecutor):
    """An executor that is interrupted after some tasks."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if args[0][0].number == 3:
            raise KeyboardInterrupt
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("kept", [0, 7, 200])
def test_a_sweep_that_was_cut_off_ends_with_the_same_bytes(
    corpus: Path, tmp_path: Path, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adlab.audit.crew.AHEAD", 0)
    whole, out = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    sweep(corpus, ["reverse"], out=whole, workers=0)
    with Cut(1) as executor, pytest.raises(KeyboardInterrupt):
        sweep(corpus, ["reverse"], out=out, executor=executor)
    journal = tmp_path / "cut.jsonl.journal"
    assert not out.exists()
    assert journal.exists()
    journal.write_bytes(journal.read_bytes()[: -kept or None])  # the last write may be cut anywhere
    sweep(corpus, ["reverse"], out=out, workers=0, resume=True)
    assert out.read_bytes() == whole.read_bytes()
    assert not journal.exists()


def test_a_journal_of_another_sweep_is_not_gone_on_with(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.journal").write_text('{"adlab":"0"}\n')
    with pytest.raises(adlab.AdlabError, match="another sweep"):
        sweep(corpus, ["reverse"], out=tmp_path / "a.jsonl", resume=True, workers=0)


def test_a_file_that_a_sweep_must_not_touch_is_left_alone(corpus: Path, tmp_path: Path) -> None:
    formulas, finished = corpus.read_bytes(), tmp_path / "rows.csv"
    with pytest.raises(adlab.AdlabError, match="is the file of formulas"):
        sweep(corpus, ["reverse"], out=corpus, workers=0)
    assert corpus.read_bytes() == formulas
    finished.write_text("mine\n")
    with pytest.raises(adlab.AdlabError, match="is finished"):
        sweep(corpus, ["reverse"], out=finished, resume=True, workers=0)
    assert finished.read_text() == "mine\n"
    (folder := tmp_path / "folder.csv").mkdir()
    with pytest.raises(adlab.AdlabError, match="is a directory"):
        sweep(corpus, ["reverse"], out=folder, workers=0)
    assert not (tmp_path / "folder.csv.journal").exists()


def test_a_disk_without_locks_is_no_other_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def unknown(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unknown)
    Journal(tmp_path / "rows.jsonl", {}, resume=False).close()


def test_two_sweeps_never_write_one_file(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    first = Journal(tmp_path / "rows.jsonl", {}, resume=False)
    try:
        with pytest.raises(adlab.AdlabError, match="another sweep writes"):
            Journal(tmp_path / "rows.jsonl", {}, resume=True)
    finally:
        first.close()
    Journal(tmp_path / "rows.jsonl", {}, resume=True).close()


def test_a_journal_that_was_damaged_is_gone_on_with_before_the_damage(corpus: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    sweep(corpus, ["reverse"], out=whole, workers=0)
    first, *rows = whole.read_bytes().splitlines(keepends=True)
    request = {"sweep": FORMAT, "sha256": hashlib.sha256(corpus.read_bytes()).hexdigest(), "methods": ["reverse"],
               "points": None, "patience": PATIENCE}  # fmt: skip
    for damaged in (b"\0" * 40 + b"\n", rows[3], b"7\n", b""):  # no JSON, a block that is missing, no row, the half of a block
        (tmp_path / "cut.jsonl.journal").write_bytes(b"".join([json_line(request), first, damaged, *rows[1:]]))
        sweep(corpus, ["reverse"], out=out, workers=0, resume=True)
        assert out.read_bytes() == whole.read_bytes()
        out.unlink()


@pytest.mark.parametrize("seconds", [0.0, -5.0, float("nan"), float("inf"), "5"])
def test_patience_is_a_number_of_seconds(corpus: Path, seconds: Any) -> None:
    with pytest.raises(adlab.AdlabError, match="a number of seconds"):
        sweep(corpus, ["reverse"], patience=seconds)
    with pytest.raises(adlab.AdlabError, match="a number of seconds"):
        adlab.rules("tanh", "adlab", patience=seconds)


def test_points_are_drawn_as_they_are_asked_for(corpus: Path) -> None:
    tasks = _Tasks(adlab.read(corpus), 10**14)
    assert len(tasks) == 4 * 10**14 + 1
    assert [task.index for task in itertools.islice(tasks, 3)] == [0, 0, 0]


def test_a_row_does_not_say_how_long_its_formula_took() -> None:
    rows = [row_without(GaveUp(f"gave up after {seconds} s: a special function takes too long")) for seconds in (1.63, "2e+03")]
    assert rows[0] == rows[1]
    assert rows[0]["note"] == "gave up: a special function takes too long"


def test_the_worst_rows_of_a_cause_are_of_several_formulas(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    lines = [{"id": f"f{k}", "expr": f"(x + {k})**(1/3) - x**(1/3)", "point": {"x": 8 * 10.0 ** (17 - k)}} for k in range(1, 6)]
    path.write_text("\n".join(map(json.dumps, lines)))
    found = sweep(path, ["reverse", "forward"], workers=0)
    mine = [row for row in found.worst if row["cause"] == "cancellation"]
    assert len({row["name"] for row in mine}) == len(mine) == 3
    assert [row["digits"] for row in mine] == sorted(row["digits"] for row in mine)


def test_every_formula_has_a_row_a_constant_and_one_whose_point_is_not_whole_too(tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    lines = [{"id": "constant", "expr": "3"}, {"id": "half", "expr": "x*y*z", "point": {"y": 1}}, {"id": "x", "expr": "x"}]
    path.write_text("\n".join(map(json.dumps, lines)))
    found = sweep(path, ["reverse"], out=tmp_path / "rows.jsonl", workers=0)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [(row["name"], row["cause"]) for row in rows] == [("constant", "constant"), ("half", "refused"), ("x", "")]
    assert rows[1]["note"] == "the point in the file has no x, z"
    assert dict(found.unserved) == {"constant": 1, "refused": 1}


def test_parquet_holds_the_same_rows(corpus: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    sweep(corpus, ["reverse"], out=tmp_path / "a.parquet", workers=0)
    sweep(corpus, ["reverse"], out=tmp_path / "a.jsonl", workers=0)
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert parquet.read_table(tmp_path / "a.parquet").to_pylist() == rows


WORKER = """
import os, sys, time
def main():
    for line in sys.stdin:
        if line == "die\\n":
            os.kill(os.getpid(), 9)
        if line == "hang\\n":
            time.sleep(1000)
        print(line.strip()[::-1], flush=True)
"""


def test_a_worker_that_dies_or_hangs_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "echo_worker.py").write_text(WORKER)
    monkeypatch.syspath_prepend(str(tmp_path))
    worker = Worker("echo_worker")
    try:
        assert worker.ask("abc", 60) == "cba"
        assert worker.ask("die", 60) is None
        assert "SIGKILL" in worker.how
        assert worker.ask("abc", 60) == "cba"
        assert worker.ask("hang", 0.2) is None
        assert "no answer within 0.2 s" in worker.how
        assert worker.ask("abc", 60) == "cba"
    finally:
        worker.close()


DEADLY = """
import os, sys
def main():
    for line in sys.stdin:
        for word in line.split():
            if word == "die":
                os._exit(3)
            print(word[::-1])
        sys.stdout.flush()
"""


def test_a_batch_gives_the_answers_that_came_before_its_worker_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deadly_worker.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(str(tmp_path))
    worker = Worker("deadly_worker")
    try:
        assert worker.answers("ab cd ef", 3, 60) == ["ba", "dc", "fe"]
        assert len(worker.answers("ab die cd", 3, 60)) < 3
        assert "exit code 3" in worker.how
        assert worker.answers("gh", 1, 60) == ["hg"]
    finally:
        worker.close()


def test_a_task_that_ends_its_worker_costs_one_row_of_its_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [SweepTask(k, k, Entry(str(k), "x"), (1.0,)) for k in range(64)]

    def answers(worker: Worker, question: str, count: int, seconds: float) -> list[str]:
        numbers = [number for number, _, _ in json.loads(question)]
        worker.how = "its process ended by SIGKILL"
        return [f"{number};" for number in itertools.takewhile(lambda number: number not in (5, 33), numbers)]

    monkeypatch.setattr(Worker, "answers", answers)
    done = list(by_processes(tasks, 64, ["reverse"], 1.0, "formulas.jsonl", 2))
    assert [count for count, _ in done] == [len(batch) for batch in batches(tasks, 64, 2)]
    whole = b"".join(lines for _, lines in done).decode()
    lost = [row for row in whole.replace(";", "\n").splitlines() if row.startswith("{")]
    assert [json.loads(row)["task"] for row in lost] == [5, 33]
    assert [int(word) for word in re.findall(r"(\d+);", whole)] == [k for k in range(64) if k not in (5, 33)]


def test_points_are_drawn_alike_on_every_machine(corpus: Path) -> None:
    drawn = adlab.read(corpus)[4]
    assert drawn.points(2) == drawn.points(3)[:2]
    for x, y in drawn.points(50):
        assert 1 <= x <= 5
        assert 1e-3 <= y <= 1e3
