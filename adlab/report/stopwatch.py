"""How long f and each method take: calls are interleaved, so that all meet the same noise, and the median counts."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from adlab.autodiff.evaluator import SWEEPS
from adlab.autodiff.programs import WALKS
from adlab.function import Function
from adlab.inputs import FloatArray
from adlab.methods import Method
from adlab.report.bare import program

SECONDS = 0.02
"""How long the rounds of all timings together take, at least."""
ROUNDS = 5
"""How often each call is timed, at least: the median of five is untouched by two that met noise."""
PATIENCE = 5.0
"""Seconds after which no further round begins."""
LONG = 0.2
"""Seconds of a call that is not repeated, since noise does not matter to it."""
DEAR = 2e-4
"""Seconds of a whole call that is made once more, not in every round, where the method's formula is timed by itself."""
ONCE = 0.05
"""Seconds of a call that is timed alone. Shorter calls are timed several at a time."""
BATCH = 1e-4
"""Seconds that several calls timed together should take: a thousand times what reading the clock takes."""
Times = dict[str, float]


def measured(
    f: Function, point: FloatArray, methods: list[Method], known: Mapping[str, float], formulas: Mapping[str, Callable[[], Any]]
) -> tuple[Times, Times]:
    """Median seconds of f on plain numbers ("f") and of each method's call; and of the `formulas` by themselves, by method.

    A call that is `known` to be long is not timed again, unless it has a formula to prepare: then only its first call is slow.
    """
    long = {method.name: known[method.name] for method in methods
            if known.get(method.name, 0.0) > LONG and method.needs == "values"}  # fmt: skip
    calls: dict[tuple[str, bool], Callable[[], Any]] = {("f", False): partial(program(f.graph), *point.tolist())}
    for method in methods:
        call = partial(method, f, point)
        if method.name in formulas and method.name not in long and (seconds := _once(call)) > DEAR:
            long[method.name] = min(seconds, known.get(method.name, seconds))
        elif method.name not in long:
            calls[method.name, False] = call
    calls |= {(name, True): call for name, call in formulas.items()}
    medians = _medians(calls)
    whole = long | {name: seconds for (name, alone), seconds in medians.items() if not alone}
    return whole, {name: seconds for (name, alone), seconds in medians.items() if alone}


def _medians(calls: Mapping[tuple[str, bool], Callable[[], Any]]) -> dict[tuple[str, bool], float]:
    repeats = {name: _repeats(call) for name, call in calls.items()}
    samples: dict[tuple[str, bool], list[float]] = {name: [] for name in calls}
    started = time.perf_counter()
    rounds = 0
    while (rounds < ROUNDS and time.perf_counter() < started + PATIENCE) or time.perf_counter() < started + SECONDS or not rounds:
        rounds += 1
        for name, call in calls.items():
            begun = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            samples[name].append((time.perf_counter() - begun) / repeats[name])
    return {name: statistics.median(found) for name, found in samples.items()}


def _once(call: Callable[[], Any]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _repeats(call: Callable[[], Any]) -> int:
    """Warms up, past the calls after which a program is compiled, and finds how many calls make up a batch."""
    for _ in range(SWEEPS + WALKS + 2):
        once = _once(call)
        if once > ONCE:
            return 1
    return max(1, min(2000, int(BATCH / max(once, 1e-7))))
