"""More results than caches hold are written in a stream, or point by point: the same numbers, and no point is overlooked."""

from __future__ import annotations

import numpy as np
import pytest

import adlab

pytest.importorskip("llvmlite")
from adlab.compile.llvm import kernel
from adlab.compile.llvm.kernel import LlvmKernel
from adlab.compile.llvm.stream import is_thin

THIN = adlab.Function([f"x{i}*x{i + 1} - {i}" for i in range(1, 37)])
MORE = adlab.Function([f"x{i}*x{i + 1} - {k}" for i in range(1, 37) for k in (1, 2)])
"""More numbers than it reads."""
THICK = adlab.Function([f"sin(x{i})*exp(x{i + 1})*x{i}/(1 + x{i}**2)" for i in range(1, 37)])


def written(f: adlab.Function, points: np.ndarray, place: int = 0) -> tuple[np.ndarray, list[bool]]:
    """The results, which begin `place` numbers into a line of memory, and the alarms."""
    space, alarms = np.zeros(len(points) * f.m + 8), list[bool]()
    out = space[place : place + len(points) * f.m].reshape(-1, f.m)
    LlvmKernel(f.graph, "fast").vouched_bind(points, out, alarms.append)()
    assert not space[:place].any()
    assert not space[place + out.size :].any()
    return out, alarms


@pytest.mark.parametrize("f", [THIN, THICK], ids=["thin", "thick"])
@pytest.mark.parametrize("place", range(8))
@pytest.mark.parametrize("count", [2, 7, 33, 200, 300])
def test_the_numbers_are_those_of_a_batch_that_caches_hold(f, place, count, monkeypatch) -> None:
    points = np.random.default_rng(count).uniform(-1, 1, (count, f.n))
    near, _ = written(f, points)
    monkeypatch.setattr(kernel, "FAR", 1)
    far, alarms = written(f, points, place)
    np.testing.assert_array_equal(far, near)
    assert not alarms


@pytest.mark.parametrize("f", [THIN, MORE, THICK], ids=["thin", "thin, with more results", "thick"])
@pytest.mark.parametrize("row", [0, 31, 32, 299])
def test_a_point_without_a_value_is_seen(f, row, monkeypatch) -> None:
    monkeypatch.setattr(kernel, "FAR", 1)
    points = np.full((300, f.n), 0.5)
    points[row, 0] = np.nan
    found, alarms = written(f, points)
    assert alarms == [False]  # False: no number left the range
    np.testing.assert_array_equal(np.isnan(found).any(axis=1), np.arange(300) == row)


def test_a_program_is_thin_where_it_computes_little_for_each_number() -> None:
    assert is_thin(THIN.graph)
    assert is_thin(MORE.graph)
    assert not is_thin(THICK.graph)
    assert not is_thin(adlab.Function("(" + "*".join(f"(1 + {i}*x + x**2)" for i in range(1, 9)) + ")").graph)
