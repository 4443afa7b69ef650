"""`adlab bench --linearity`: is the time per node the same for a thousand nodes and for a million?

There is a deep family (`chain`, in which each level uses the one before) and a wide one (`rosenbrock`, a sum of many terms).
Each size runs in a process of its own, so that its largest memory can be measured. SymPy's own construction is timed, but it is
not part of the total, which is from the expression to the first gradient.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from adlab.display import Report, Table, count
from adlab.errors import MethodError
from adlab.process import run_module

SIZES = (1_000, 10_000, 100_000, 1_000_000)
"""Nodes of the graphs: a factor of ten apart, so that a cost that grows faster than the graph shows."""
FAMILIES = {"chain": 4, "rosenbrock": 8}  # graph nodes for one more level or variable
ROUNDS = 3
STAGES = {"lower": "lowering", "sweep": "values and adjoints", "program": "writing the program"}
FEW = 20_000  # nodes; a smaller size is repeated within its process until it has done so many


@dataclass(frozen=True)
class Run:
    """One family at one size: seconds by stage, the best of all rounds, and the largest memory of the process in bytes.

    The memory is read when the first gradient is there; it includes the expression.

    `program_nodes` are the nodes of the gradient program (value and gradient). The other stages are measured by `nodes`.
    """

    family: str
    nodes: int
    program_nodes: int
    sympy: float
    lower: float
    sweep: float
    program: float
    memory: int

    def per_node(self, stage: str) -> float:
        """Seconds for a node that is read, or, for the program, written."""
        seconds: float = getattr(self, stage)
        return seconds / (self.program_nodes if stage == "program" else self.nodes)

    @property
    def total(self) -> float:
        """Seconds from the expression to the first gradient."""
        return self.lower + self.sweep


@dataclass(frozen=True)
class Linearity(Report):
    """All runs, by family and size."""

    runs: Sequence[Run]

    def of(self, family: str) -> list[Run]:
        """A family's runs, from small to large."""
        return sorted((run for run in self.runs if run.family == family), key=lambda run: run.nodes)

    @property
    def stages(self) -> dict[str, str]:
        """What is timed, and what it is called."""
        return STAGES

    @property
    def families(self) -> list[str]:
        return list(dict.fromkeys(run.family for run in self.runs))

    def spread(self, family: str, stage: str) -> float:
        """The time of the slowest node over that of the fastest, over all sizes."""
        costs = [run.per_node(stage) for run in self.of(family)]
        return max(costs) / min(costs)

    def to_dict(self) -> dict[str, Any]:
        """`rows`, one for each run, in seconds and bytes, and `spread` by family and stage."""
        spread = {family: {stage: self.spread(family, stage) for stage in STAGES} for family in self.families}
        return {"rows": [asdict(run) for run in self.runs], "spread": spread}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Linearity:
        """Runs as they were recorded."""
        return cls([Run(**row) for row in facts["rows"]])

    def sections(self) -> list[Table | str]:
        """Microseconds a node, stage by stage, and the total."""
        head = ["family", "nodes", *(f"{text}, µs/node" for text in STAGES.values()), "to the first gradient, s",
                "memory, MB", "SymPy's construction, s"]  # fmt: skip
        rows = [
            [run.family, count(run.nodes), *(f"{run.per_node(stage) * 1e6:.2f}" for stage in STAGES), f"{run.total:.3g}",
             f"{run.memory / 1e6:,.0f}", f"{run.sympy:.3g}"]
            for family in self.families for run in self.of(family)
        ]  # fmt: skip
        notes = [
            f"{family}, dearest node over cheapest: "
            + ", ".join(f"{text} {self.spread(family, stage):.2f}" for stage, text in STAGES.items()) + "."
            for family in self.families
        ]  # fmt: skip
        return [Table("Time per node", head, rows, frozenset(head[1:]), notes)]

    def plot(self, ax: Any = None) -> Any:
        """Microseconds a node against nodes, a line for each stage and family. Returns the Axes."""
        from adlab.plots.bench import draw_linearity

        return draw_linearity(self, ax)


def linearity(
    sizes: Iterable[int] = SIZES, rounds: int = ROUNDS, progress: Callable[[str], None] = lambda line: None
) -> Linearity:
    """Measures every family at every size (about so many nodes), rounds interleaved. Raises MethodError if one ends early."""
    found: dict[tuple[str, int], list[Run]] = {}
    asked = list(sizes)
    for turn in range(rounds):
        for family in FAMILIES:
            for size in asked:
                found.setdefault((family, size), []).append(_in_a_process(family, size))
                progress(f"round {turn + 1} of {rounds}: {family}, {size:,} nodes")
    return Linearity([_best(runs) for runs in found.values()])


def _best(runs: Sequence[Run]) -> Run:
    least = {name: min(getattr(run, name) for run in runs) for name in ("sympy", *STAGES)}
    return Run(**{**asdict(runs[0]), **least, "memory": max(run.memory for run in runs)})


def _in_a_process(family: str, size: int) -> Run:
    ended = run_module("adlab.bench.linearity", family, str(size), one_processor=True)
    if ended.code:
        reason = ended.last_line() or ended.how()
        raise MethodError(f"{family} of {size:,} nodes ended early: {reason}; try fewer nodes")
    return Run(**json.loads(ended.output))


def measured(family: str, size: int) -> Run:
    """One size, in this process. Small ones are repeated, and the best is kept."""
    from adlab import gallery
    from adlab.function import Function

    clock = time.perf_counter
    levels = max(2, size // FAMILIES[family])
    laps: list[list[float]] = []
    for _ in range(max(1, FEW // size)):
        start = clock()
        made = gallery.GALLERY[family](levels)
        built = clock()
        fresh = Function(made.outputs, made.variables)
        nodes = len(fresh.graph)
        lowered = clock()
        fresh.gradient(made.point)
        swept = clock()
        memory = _peak()
        program = fresh.program("reverse")
        written = clock()
        laps.append([built - start, lowered - built, swept - lowered, written - swept])
    sympy, lower, sweep, write = map(min, zip(*laps, strict=True))
    return Run(family, nodes, len(program.nodes), sympy, lower, sweep, write, memory)


def _peak() -> int:
    """The most memory this process has held, in bytes."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def main() -> None:
    """Measures the family and size that the command line names."""
    family, size = sys.argv[1:]
    print(json.dumps(asdict(measured(family, int(size)))))
