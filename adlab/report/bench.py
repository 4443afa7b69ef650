"""`adlab bench`: what a gradient costs, from the formula to the first one, at one point, and over a batch.

Every problem meets every contestant in a process of its own, pinned to one processor; rounds are interleaved, so
that a disturbance does not hit one contestant alone; of each figure the best over all rounds is shown and the median
recorded. A contestant is timed only if its gradient agrees. What takes longer than the limit is ended and marked.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from adlab.errors import OptionError, OutputError
from adlab.expressions import listing
from adlab.report.bench_peers import CONTESTANTS, agrees
from adlab.report.bench_problems import PROBLEMS
from adlab.tables import Report, Table

OURS = ("adlab", "adlab-numpy")
SECONDS = 60.0
ROUNDS = 3
FIGURES = {
    "first": ("From the formula to the first gradient", "ms", 1e3),
    "point": ("One point", "µs", 1e6),
    "batch": ("A batch of 10,000 points, each", "ns", 1e9),
}


@dataclass
class Cell:
    """One contestant on one problem: seconds by figure, a lap for each round; `status` says what went wrong."""

    problem: str
    peer: str
    from_sympy: bool
    status: str = "ok"
    laps: dict[str, list[float]] = field(default_factory=dict)
    medians: dict[str, list[float]] = field(default_factory=dict)
    gradient: list[float] | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def best(self, figure: str) -> float | None:
        return min(self.laps[figure], default=None) if figure in self.laps and self.status != "wrong" else None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, in seconds."""
        found: dict[str, Any] = {"problem": self.problem, "peer": self.peer, "from_sympy": self.from_sympy}
        for figure in FIGURES:
            found[figure] = self.best(figure)
            typical = sorted(self.medians.get(figure, []))
            found[f"{figure}_median"] = typical[len(typical) // 2] if typical else None
        return found | self.extra | {"status": self.status}


@dataclass(frozen=True)
class Bench(Report):
    """All cells, and when and on what they were measured."""

    cells: Sequence[Cell]
    about: dict[str, Any]

    def cell(self, problem: str, peer: str) -> Cell | None:
        return next((cell for cell in self.cells if (cell.problem, cell.peer) == (problem, peer)), None)

    def ratio(self, problem: str, ours: str, figure: str) -> float | None:
        """Our time over that of the best peer, on one problem; None where either is missing."""
        cell = self.cell(problem, ours)
        mine = cell.best(figure) if cell else None
        theirs = [
            best for c in self.cells
            if c.problem == problem and c.peer not in OURS and (best := c.best(figure)) is not None
        ]  # fmt: skip
        return mine / min(theirs) if mine is not None and theirs else None

    def to_dict(self) -> dict[str, Any]:
        """`about`, `rows` (one a cell, seconds) and `ratios` to the best peer."""
        ratios = [
            {"problem": problem, "peer": peer} | {figure: self.ratio(problem, peer, figure) for figure in FIGURES}
            for problem in self._problems for peer in OURS if self.cell(problem, peer)
        ]  # fmt: skip
        return {"about": self.about, "rows": [cell.to_dict() for cell in self.cells], "ratios": ratios}

    def sections(self) -> list[Table | str]:
        """A table for each figure, the price of a gradient, and the conditions."""
        tables: list[Table | str] = [self._table(figure) for figure in FIGURES]
        tables.append(self._price())
        versions = ", ".join(f"{name} {version}" for name, version in self.about["versions"].items())
        tables.append(
            f"Measured {self.about['date']} on {self.about['processor']}, one processor, {self.about['rounds']} "
            f"rounds, at most {self.about['seconds']:g} s a cell. {versions}."
        )
        return tables

    @property
    def _problems(self) -> list[str]:
        return list(dict.fromkeys(cell.problem for cell in self.cells))

    @property
    def _peers(self) -> list[str]:
        return list(dict.fromkeys(cell.peer for cell in self.cells))

    def _table(self, figure: str) -> Table:
        title, unit, scale = FIGURES[figure]
        ours = [peer for peer in OURS if peer in self._peers]
        head = ["problem", *self._peers, *(f"{peer} ÷ best peer" for peer in ours)]
        rows = []
        for problem in self._problems:
            cells = [self.cell(problem, peer) for peer in self._peers]
            ratios = [self.ratio(problem, peer, figure) for peer in ours]
            rows.append([problem, *(_shown(cell, figure, scale) for cell in cells),
                         *("–" if ratio is None else f"{ratio:.2f}" for ratio in ratios)])  # fmt: skip
        starting = [peer for peer in self._peers if CONTESTANTS[peer].from_sympy]
        note = f"From a SymPy expression: {', '.join(starting)}; the others got the problem in their own language."
        return Table(f"{title}, {unit}", head, rows, frozenset(head[1:]), [note] if figure == "first" else [])

    def _price(self) -> Table:
        rows = []
        for problem in self._problems:
            cell = self.cell(problem, "adlab") or self.cell(problem, "adlab-numpy")
            if cell is None or "operations" not in cell.extra:
                continue
            alone, both = cell.extra["operations"]
            times = cell.extra.get("kernel")
            rows.append([problem, f"{alone:,}", f"{both:,}", f"{both / alone:.2f}",
                         f"{times[1] / times[0]:.2f}" if times else "–"])  # fmt: skip
        head = ["problem", "f", "f and derivative", "ratio", "kernel time"]
        return Table("Operations, and what f and its derivative together cost in units of f", head, rows,
                     frozenset(head[1:]))  # fmt: skip


def _shown(cell: Cell | None, figure: str, scale: float) -> str:
    if cell is None:
        return "–"
    best = cell.best(figure)
    return cell.status if best is None else f"{best * scale:.3g}"


def bench(
    problems: Iterable[str] | None = None,
    peers: Iterable[str] | None = None,
    *,
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
    progress: Callable[[str], None] = lambda line: None,
) -> Bench:
    """Runs the contest. By default all problems, and whoever is installed; adlab always takes part.

    `seconds` limits a cell in each round. Raises OptionError for unknown names.
    """
    chosen = _names("problem", problems, list(PROBLEMS), list(PROBLEMS))
    installed = [name for name, contestant in CONTESTANTS.items() if contestant.installed()]
    wanted = _names("peer", peers, list(CONTESTANTS), installed)
    entrants = [*(peer for peer in OURS if peer in installed and peer not in wanted), *wanted]
    cells = [Cell(problem, peer, CONTESTANTS[peer].from_sympy, "ok" if peer in installed else "not installed")
             for problem in chosen for peer in entrants]  # fmt: skip
    start = time.strftime("%Y-%m-%d %H:%M")
    for turn in range(rounds):
        for cell in cells:
            if cell.status == "ok":
                _run(cell, seconds)
                progress(f"round {turn + 1} of {rounds}: {cell.problem}, {cell.peer}: {cell.status}")
    _judge(cells)
    about = {"date": start, "processor": processor(), "python": platform.python_version(), "rounds": rounds,
             "seconds": seconds, "versions": _versions(entrants)}  # fmt: skip
    return Bench(cells, about)


def run(
    problems: Sequence[str] = (),
    peers: Sequence[str] = (),
    json_path: str | None = None,
    quiet: bool = False,
    **options: Any,
) -> Bench:
    """What the command line calls: progress on standard error, and the JSON file where one is named."""
    progress: Callable[[str], None] = (lambda line: None) if quiet else (lambda line: print(line, file=sys.stderr))
    found = bench(problems or None, peers or None, progress=progress, **options)
    if json_path is not None:
        try:
            Path(json_path).write_text(json.dumps(found.to_dict(), indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"cannot write {json_path}: {error.strerror}") from error
    return found


def _names(what: str, given: Iterable[str] | None, known: Sequence[str], default: Sequence[str]) -> list[str]:
    if given is None:
        return list(default)
    names = list(dict.fromkeys(given))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise OptionError(f"no {what} `{unknown[0]}` in the bench; there are {listing(known, limit=20)}")
    return names


def _run(cell: Cell, seconds: float) -> None:
    """One round of one cell; figures that came before the limit are kept."""
    command = [sys.executable, "-m", "adlab.report.bench_worker", cell.problem, cell.peer]
    try:
        done = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=seconds, check=False)
        lines, ended = done.stdout, done.returncode == 0
        reason = "ok" if ended else _last_line(done.stderr)
    except subprocess.TimeoutExpired as expired:
        lines = expired.stdout.decode() if isinstance(expired.stdout, bytes) else expired.stdout or ""
        reason = f"over {seconds:g} s"
    for line in lines.splitlines():
        _record(cell, json.loads(line))
    cell.status = reason


def _record(cell: Cell, figures: dict[str, Any]) -> None:
    for name, value in figures.items():
        if name == "gradient":
            cell.gradient = value
        elif name in FIGURES:
            best, median = value if isinstance(value, list) else (value, value)
            cell.laps.setdefault(name, []).append(best)
            cell.medians.setdefault(name, []).append(median)
        else:
            cell.extra[name] = value if name == "operations" else _smaller(cell.extra.get(name), value)


def _smaller(old: Any, new: Any) -> Any:
    if old is None:
        return new
    return [min(pair) for pair in zip(old, new, strict=True)] if isinstance(new, list) else min(old, new)


def _last_line(text: str) -> str:
    """The name of the exception that ended it."""
    lines = text.strip().splitlines()
    return lines[-1].split(":")[0][:30] if lines else "ended without a word"


def _judge(cells: Sequence[Cell]) -> None:
    """Marks the contestants whose gradient is not adlab's."""
    for cell in cells:
        ours = next((c.gradient for c in cells if c.problem == cell.problem and c.peer in OURS and c.gradient), None)
        if ours is not None and cell.gradient is not None and not agrees(cell.gradient, ours):
            cell.status = "wrong"


def _environment() -> dict[str, str]:
    """One thread for everybody; adlab as it is imported here."""
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    one = dict.fromkeys(["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"], "1")
    return {**os.environ, **one, "PYTHONPATH": paths}


def processor() -> str:
    """The processor's name and vector instructions, as the system tells."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    vectors = [flag for flag in ("avx512f", "avx2", "avx", "sse2") if flag in facts.get("flags", "").split()]
    family = f"family {facts.get('cpu family', '?')} model {facts.get('model', '?')}"
    return f"{facts.get('model name', platform.machine())} ({family}, {vectors[0] if vectors else 'no vectors known'})"


def _versions(entrants: Iterable[str]) -> dict[str, str]:
    found = {"python": platform.python_version()} | {name: metadata.version(name) for name in ("sympy", "numpy")}
    for peer in entrants:
        module = CONTESTANTS[peer].module
        try:
            found.setdefault(module, metadata.version(module))
        except metadata.PackageNotFoundError:
            continue
    return found
