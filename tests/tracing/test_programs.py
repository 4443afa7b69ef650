"""Small programs as people write them: traced rightly, or refused with the line. None is silently another function."""

from __future__ import annotations

import re
from typing import Any

import everyday_programs  # noqa: F401 - it adds its own to the lists
import more_programs  # noqa: F401
import numpy as np
import pytest
import small_programs as programs

import adlab
from adlab.errors import TracingError


def test_there_are_enough_of_them() -> None:
    assert len(programs.RIGHT) + len(programs.REFUSED) >= 60


@pytest.mark.parametrize(("f", "points"), programs.RIGHT, ids=lambda value: getattr(value, "__name__", ""))
def test_a_program_is_traced_rightly(f: Any, points: list[Any]) -> None:
    """Value and gradient against the same code on floats, and a central difference of it."""
    x = np.array(points[0])
    traced = adlab.from_python(f, x)
    assert traced(x.ravel()) == pytest.approx(float(f(x)), rel=1e-13)
    flat, h = traced.gradient(x.ravel()), 2.0**-17
    for j in range(x.size):
        step = np.zeros(x.size)
        step[j] = h
        slope = (float(f(x + step.reshape(x.shape))) - float(f(x - step.reshape(x.shape)))) / (2 * h)
        assert flat[j] == pytest.approx(slope, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(("f", "points"), programs.REFUSED, ids=lambda value: getattr(value, "__name__", ""))
def test_what_would_be_another_function_is_refused(f: Any, points: list[Any]) -> None:
    with pytest.raises(TracingError) as refused:
        adlab.from_python(f, points[0])
    assert re.search(rf"programs\.py:\d+|{f.__name__} gives", str(refused.value))


@pytest.mark.slow
def test_no_point_gets_a_silent_wrong_answer() -> None:
    """Every program at every point of its list, which take other branches than its example: right, or an adlab error."""
    for f, points in [*programs.RIGHT, *programs.REFUSED]:
        for example in points[:2]:
            try:
                traced = adlab.from_python(f, example)
            except adlab.AdlabError:
                continue
            for x in points:
                judge = adlab.difference(f, np.array(x).ravel()).df if np.ndim(x) == 1 else None
                value, gradient = traced(np.ravel(x)), traced.gradient(np.ravel(x))
                assert value == pytest.approx(float(f(np.array(x))), rel=1e-12), (f.__name__, x)
                assert judge is None or np.allclose(gradient, judge, rtol=1e-6, atol=1e-7), (f.__name__, x)
