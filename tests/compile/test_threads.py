"""A batch on several threads: the same numbers, bit by bit."""

from __future__ import annotations

import copy
import threading

import numpy as np
import pytest

import adlab
from adlab.compile import threads
from adlab.compile.program import BACKENDS

F = adlab.Function("log((x1 + x2)**2 + sin(x1*x2))")


@pytest.fixture(params=[name for name in BACKENDS if name != "python"])
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    if request.param == "llvm":
        pytest.importorskip("llvmlite")
    monkeypatch.setattr(threads, "WORTH", 1000)
    return F.compile(request.param, derivative="value_and_gradient")


def test_any_number_of_threads_gives_the_same_numbers(program) -> None:
    rows = np.random.default_rng(1).normal(size=(5003, 2))
    rows[::1000] *= 1e-170  # rows that binary64 has spoiled are computed again
    program(rows)  # compiled by now
    expected = program(rows)
    for number in (2, 3, "auto"):
        for found, alone in zip(program(rows, threads=number), expected, strict=True):
            np.testing.assert_array_equal(found, alone)


def test_the_blocks_are_computed_on_other_threads(program, monkeypatch) -> None:
    seen, compute = set(), program._watched

    def watched(kernel, rows, out):
        seen.add((threading.current_thread().name, len(rows)))
        return compute(kernel, rows, out)

    program(np.ones((100, 2)))
    monkeypatch.setattr(program, "_watched", watched)
    program(np.ones((3000, 2)), threads=3)
    assert "MainThread" in {name for name, _ in seen}
    assert any(name.startswith("adlab") for name, _ in seen)
    seen.clear()
    program(np.ones((100, 2)), threads=3)  # too few to be worth it
    assert {name for name, _ in seen} <= {"MainThread"}


def test_the_number_is_kept_by_copies_and_files(tmp_path) -> None:
    program = F.compile(derivative="gradient", threads=2)
    program.save(tmp_path / "p.json")
    assert program.threads == copy.deepcopy(program).threads == adlab.load(tmp_path / "p.json").threads == 2


def test_an_error_in_a_block_is_raised() -> None:
    def compute(rows, out):
        if rows[0, 0] > 0:
            raise ValueError("here")
        return rows

    with pytest.raises(ValueError, match="here"):
        threads.in_blocks(compute, np.arange(256.0).reshape(256, 1), 1, threads.WORTH, 2)


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "many", 10**6])
def test_what_is_no_number_of_threads_is_refused(number) -> None:
    with pytest.raises(adlab.AdlabError, match='neither "auto" nor a whole number'):
        F.compile(threads=number)
    with pytest.raises(adlab.AdlabError, match='neither "auto" nor a whole number'):
        F.compile()([[1.0, 2.0]], threads=number)
