"""`adlab bench --scaling`: how much faster a large batch of gradients is on all processors than on one.

Each cell runs in two processes of its own: one that never leaves one processor, and one that may use all of them. Every system
decides itself how many threads it then takes; adlab is asked with `threads="auto"`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from adlab.bench.contestants import CONTESTANTS
from adlab.bench.problems import PROBLEMS
from adlab.bench.timing_worker import points_around, steady
from adlab.compile.threads import counted
from adlab.display import Report, Table, count
from adlab.errors import MethodError
from adlab.process import run_module

SHAPES = {"worked-example": (10_000, 1_000_000), "rosenbrock:100": (10_000, 100_000), "residual-network": (10_000, 100_000)}
"""Points by problem: a batch of the race, and one that takes some tenths of a second."""
SYSTEMS = ("adlab", "torch", "jax")
ROUNDS = 3
"""Runs of each cell, interleaved; the best of each kind counts."""


@dataclass(frozen=True)
class ScalingRow:
    """One system on one batch: seconds on one processor, and on all."""

    problem: str
    points: int
    system: str
    one: float
    all: float

    @property
    def times(self) -> float:
        """How many times as fast all processors are."""
        return self.one / self.all


@dataclass(frozen=True)
class Scaling(Report):
    """All rows, and the number of processors."""

    processors: int
    rows: Sequence[ScalingRow]

    def to_dict(self) -> dict[str, Any]:
        """`processors`, and `rows` in seconds."""
        return {"processors": self.processors, "rows": [asdict(row) for row in self.rows]}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Scaling:
        """As it was recorded."""
        return cls(facts["processors"], [ScalingRow(**row) for row in facts["rows"]])

    def sections(self) -> list[Table | str]:
        """Nanoseconds a point, and how many times as fast."""
        head = ["problem", "points", "system", "one processor, ns each", f"all {self.processors}, ns each", "times as fast"]
        rows = [[row.problem, count(row.points), row.system, f"{row.one / row.points * 1e9:.3g}",
                 f"{row.all / row.points * 1e9:.3g}", f"{row.times:.2f}"] for row in self.rows]  # fmt: skip
        return [Table("Gradients of a batch, on one processor and on all", head, rows, frozenset(head) - {"problem", "system"})]


def scaling(
    problems: Iterable[str] = tuple(SHAPES), rounds: int = ROUNDS, progress: Callable[[str], None] = lambda line: None
) -> Scaling:
    """Measures every batch on every system that is installed. Raises MethodError where a process ends early."""
    cells = [(problem, points, system) for problem in problems for points in SHAPES[problem] for system in SYSTEMS
             if CONTESTANTS[system].installed()]  # fmt: skip
    laps: dict[tuple[str, int, str], list[tuple[float, float]]] = {cell: [] for cell in cells}
    for turn in range(rounds):
        for cell, found in laps.items():
            found.append((_in_a_process(*cell, True), _in_a_process(*cell, False)))
            progress(f"round {turn + 1} of {rounds}: {', '.join(map(str, cell))}")
    rows = [ScalingRow(*cell, min(one for one, _ in found), min(every for _, every in found)) for cell, found in laps.items()]
    return Scaling(counted("auto"), rows)


def _in_a_process(problem: str, points: int, system: str, alone: bool) -> float:
    ended = run_module("adlab.bench.scaling", problem, str(points), system, one_processor=alone)
    if ended.code:
        raise MethodError(f"{system} on {points:,} points of {problem} ended early: {ended.last_line() or ended.how()}")
    return float(json.loads(ended.output))


def main() -> None:
    """The best time of the batch that the command line names, in seconds, on the processors that this process may use."""
    problem, points, system = sys.argv[1:]
    function = PROBLEMS[problem].make()
    cell = CONTESTANTS[system](PROBLEMS[problem], function)
    cell.first()
    batch = points_around(cell, int(points))
    call = cell.batch(batch)
    if system == "adlab":
        call = partial(function.compile("llvm", "jacobian"), np.ascontiguousarray(batch), threads="auto")
    print(json.dumps(steady(call)[0]))
