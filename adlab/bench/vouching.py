"""`adlab bench --vouching`: what it costs that every number is vouched for.

A compiled program watches whether a number has left binary64's range, and looks at its results. The same program is compiled a
second time without that. Both run in turn, lap by lap, so that what else the machine does meets both. No point here leaves the
range: this is the price where nothing happens.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import geometric_mean, median
from typing import Any

import numpy as np

from adlab.compile.derivatives import planned
from adlab.compile.program import CompiledProgram, compile_graph
from adlab.display import Report, Table

PROBLEMS = ("worked-example", "logistic-map:10", "speelpenning:20", "rosenbrock:100")
"""From 11 to some 1,600 operations: looking costs the same for each, so that small programs show it most."""
POINTS = 1000
"""Points of a batch."""
LAP = 0.002
"""Seconds that a lap takes at least: thousands of times as long as reading the clock."""
LAPS = 15
"""Laps of each program in a round: an odd number, so that a median is one of them."""


@dataclass(frozen=True)
class Price:
    """One way to run a gradient program: nanoseconds a point, and how many times as long as without vouching."""

    problem: str
    operations: int
    backend: str
    way: str
    vouched: float
    bare: float
    ratio: float


@dataclass(frozen=True)
class Vouching(Report):
    """All cells. The times are the best of all laps, the ratio is the median over pairs of laps that followed each other."""

    cells: tuple[Price, ...]

    def to_dict(self) -> dict[str, Any]:
        """`vouching`, a row for each cell."""
        return {"vouching": [asdict(cell) for cell in self.cells]}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Vouching:
        """As it was recorded."""
        return cls(tuple(Price(**row) for row in facts["vouching"]))

    def sections(self) -> list[Table | str]:
        """A row for each cell, and the mean ratio of each way to run."""
        head = ["function", "operations", "backend", "way", "vouched, ns/point", "bare, ns/point", "vouched / bare"]
        rows = [
            [c.problem, str(c.operations), c.backend, c.way, f"{c.vouched:.3g}", f"{c.bare:.3g}", f"{c.ratio:.3f}"]
            for c in self.cells
        ]
        ratios: dict[tuple[str, str], list[float]] = {}
        for c in self.cells:
            ratios.setdefault((c.backend, c.way), []).append(c.ratio)
        notes = [f"{backend}, {way}: {geometric_mean(found):.3f} on average." for (backend, way), found in ratios.items()]
        return [Table("What vouching costs where nothing happens", head, rows, frozenset(head[4:]), notes)]


def vouching(rounds: int = 3, progress: Callable[[str], None] = lambda line: None) -> Vouching:
    """Times the gradient programs of `PROBLEMS` on every backend, each with and without vouching."""
    from adlab import gallery

    backends = ["python", "numpy", *(["llvm"] if importlib.util.find_spec("llvmlite") else [])]
    cells = []
    for name in PROBLEMS:
        f = gallery.named(name)
        plan = planned(f, "gradient")
        for backend in backends:
            programs = [
                compile_graph(plan.graph, plan.shapes, backend, "fast", behind, plan.widths) for behind in (plan.behind, None)
            ]
            for way, points in (("call", 1), ("bind", 1), ("bind", POINTS)):
                runs = [_run(program, f.point, way, points) for program in programs]
                best, ratio = _compared(runs, LAPS * rounds)
                label = way if points == 1 else f"{way}, {points} points"
                vouched, bare = (seconds / points * 1e9 for seconds in best)
                cells.append(Price(name, len(plan.graph.operations), backend, label, vouched, bare, ratio))
            progress(f"{name}, {backend}")
    return Vouching(tuple(cells))


def _run(program: CompiledProgram, point: Any, way: str, points: int) -> Callable[[], object]:
    x = [float(number) for number in point]
    if way == "call":
        call = program.call
        return lambda: call(*x)
    many = np.tile(np.array(x), (points, 1)) if points > 1 else np.array(x)
    return program.bind(many, np.empty(points * len(program.graph.outputs)))


def _compared(runs: list[Callable[[], object]], laps: int) -> tuple[list[float], float]:
    """The best seconds of each of two runs, and the median ratio of the first to the second over neighbouring laps."""
    turns = 1
    while max(_lap(run, turns) for run in runs) < LAP:
        turns *= 2
    pairs = [[_lap(run, turns) / turns for run in runs] for _ in range(laps)]
    return [min(times) for times in zip(*pairs, strict=True)], median(first / second for first, second in pairs)


def _lap(run: Callable[[], object], turns: int) -> float:
    start = time.perf_counter()
    for _ in range(turns):
        run()
    return time.perf_counter() - start
