"""One contestant on one problem, in a process of its own (`adlab.process`).

Prints a line of JSON as soon as each figure is known. So what came before a time limit is kept.

Compiled programs are not kept on disk. The exception is a run that is asked for `kept` alone: the time to a compiled program's
first answer where an earlier run has left the program.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from adlab.bench.contestant import Contestant
from adlab.bench.contestants import contestant_of
from adlab.bench.problems import PROBLEMS, Problem
from adlab.compile.llvm import store
from adlab.function import Function
from adlab.gallery import straight

BATCH = 10_000  # points: their inputs and outputs no longer fit the nearest caches
REPEATS = 15  # laps: enough for a median that one slow lap does not move
LAP = 0.01  # seconds that one timed lap takes at least
BUDGET = 1.0  # seconds that are spent on one figure after warming up


def main() -> None:
    """Runs the cell that the command line names, problem and contestant, and prints its figures."""
    problem, peer, *only = sys.argv[1:]
    contestant, function = contestant_of(peer, PROBLEMS[problem]), PROBLEMS[problem].make()
    assert contestant is not None  # the race starts no other
    cell = contestant(PROBLEMS[problem], function)
    store.programs = only == ["kept"]
    start = time.perf_counter()
    gradient = cell.first()
    cold = time.perf_counter() - start
    _say(cold=cold, gradient=[float(value) for value in np.ravel(gradient)])
    start = time.perf_counter()
    call = cell.point()
    call()
    ready = cold + time.perf_counter() - start
    if only:
        _say(kept=ready)
        return
    _say(ready=ready)
    _say(first=again(contestant, PROBLEMS[problem], function, cold))
    if peer.startswith("adlab") and PROBLEMS[problem].order == 1:
        _say(nothing=_from_nothing(PROBLEMS[problem]))
        _say(**_cost(cell))
    _say(point=steady(call))
    points = points_around(cell)
    best, median = steady(cell.batch(points))
    _say(batch=[best / len(points), median / len(points)])


def again(contestant: type[Contestant], problem: Problem, function: Function, cold: float) -> tuple[float, float]:
    """Seconds from the formula to the first gradient, best and median of many, in a process that has done it before."""
    laps = [cold]
    gc.disable()
    for _ in range(min(REPEATS, int(BUDGET / cold))):
        cell = contestant(problem, function)
        cell.forget()
        start = time.perf_counter()
        cell.first()
        laps.append(time.perf_counter() - start)
    gc.enable()
    laps.sort()
    return laps[0], laps[len(laps) // 2]


def steady(call: Callable[[], Any]) -> tuple[float, float]:
    """Seconds that a call takes, best and median of many laps, after warming up."""
    call()
    count, elapsed = 1, 0.0
    while True:
        elapsed = _lap(call, count)
        if elapsed >= LAP:
            break
        count *= max(2, min(10, int(LAP / max(elapsed, 1e-7))))
    gc.disable()
    try:
        repeats = max(3, min(REPEATS, int(BUDGET / elapsed)))
        laps = sorted(_lap(call, count) / count for _ in range(repeats))
    finally:
        gc.enable()
    return laps[0], laps[len(laps) // 2]


def _lap(call: Callable[[], Any], count: int) -> float:
    laps = range(count)
    start = time.perf_counter()
    for _ in laps:
        call()
    return time.perf_counter() - start


def points_around(cell: Contestant, many: int = BATCH) -> Any:
    """So many points around the problem's own, each coordinate moved by up to a thousandth."""
    moves = np.random.default_rng(1).uniform(0.999, 1.001, (many, cell.f.n))
    return np.array(cell.at) * moves


def _from_nothing(problem: Problem) -> float:
    """Seconds from nothing to the first gradient, where the formula is built straight into a graph; the best of many."""
    laps = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        with straight():
            function = problem.make()
        function.jacobian(function.point)
        laps.append(time.perf_counter() - start)
        if sum(laps) > BUDGET:
            break
    return min(laps)


def _cost(cell: Contestant) -> dict[str, Any]:
    """What value and gradient together cost in units of the function, by operations and by the time of one point.

    Also the time of the cheapest scalar call: floats in, a tuple out.
    """
    f = cell.f
    both, alone = f.program("reverse"), f.graph
    found: dict[str, Any] = {"operations": [len(alone.operations), len(both.operations)]}
    backend = getattr(cell, "backend", "auto")
    found["call"] = steady(partial(f.compile(backend, "jacobian").call, *cell.at))[0]
    if f.m == 1:
        x = np.array(cell.at)
        times = [
            steady(f.compile(backend, kind).bind(x, np.empty(size)))[0]
            for kind, size in ((None, 1), ("value_and_gradient", 1 + f.n))
        ]
        found["kernel"] = times
    return found


def _say(**figures: Any) -> None:
    print(json.dumps(figures), flush=True)
