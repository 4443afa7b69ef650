"""`adlab bench`: what a gradient costs, from the formula to the first one, at one point, and over a batch.

Every problem meets every contestant in a process of its own, which is pinned to one processor. Rounds are interleaved, so that
a disturbance does not hit one contestant alone. Of each figure the best over all rounds is shown, and the median is recorded. A
contestant is timed only if its gradient agrees. What takes longer than the limit is ended and marked.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from adlab import native
from adlab.bench.contestants import CONTESTANTS, agrees, contestant_of
from adlab.bench.problems import PROBLEMS
from adlab.bench.results import FIGURES, OURS, Bench, Cell
from adlab.errors import OptionError
from adlab.process import Ended, run_module
from adlab.text.traversal import listing

SECONDS = 60.0
"""Seconds that one contestant may take for one problem: more than all who finish have needed."""
MEMORY = 16 * 2**30
"""Bytes of address space that a contestant may take, so that none uses up the machine's memory."""
ROUNDS = 3
"""Times that every contestant is started; the best run counts, the least disturbed."""


def bench(
    problems: Iterable[str] | None = None,
    peers: Iterable[str] | None = None,
    *,
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
    progress: Callable[[str], None] = lambda line: None,
) -> Bench:
    """Runs the contest. By default: all problems, and all installed contestants. adlab always takes part.

    `seconds` limits a cell in each round. Raises OptionError for unknown names, for no round, and for a limit that is not a time.
    """
    if not seconds > 0:
        raise OptionError(f"--seconds {seconds:g}: the limit of a cell is a positive number of seconds")
    if rounds < 1:
        raise OptionError(f"--rounds {rounds}: there must be at least one round")
    chosen = _names("problem", problems, list(PROBLEMS), list(PROBLEMS))
    installed = [name for name, contestant in CONTESTANTS.items() if contestant.installed()]
    wanted = _names("peer", peers, list(CONTESTANTS), installed)
    entrants = [*(peer for peer in OURS if peer in installed and peer not in wanted), *wanted]
    cells = [Cell(problem, peer, kind.start(PROBLEMS[problem]), "ok" if peer in installed else "not installed")
             for problem in chosen for peer in entrants if (kind := contestant_of(peer, PROBLEMS[problem]))]  # fmt: skip
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


def _names(what: str, given: Iterable[str] | None, known: Sequence[str], default: Sequence[str]) -> list[str]:
    if given is None:
        return list(default)
    names = list(dict.fromkeys(given))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise OptionError(f"no {what} `{unknown[0]}` in the bench; there are {listing(known, limit=20)}")
    return names


def _run(cell: Cell, seconds: float) -> None:
    """One round of one cell. Figures that came before the limit are kept."""
    ended = _worker(cell, seconds)
    if cell.peer == "adlab" and ended.code == 0:
        for _ in range(2):  # the first leaves the program on disk, if it takes long to compile
            _worker(cell, seconds, "kept")
    cell.status = f"over {seconds:g} s" if ended.late else "ok" if ended.code == 0 else _complaint(ended)


def _worker(cell: Cell, seconds: float, *only: str) -> Ended:
    """How a run ended, its figures recorded."""
    ended = run_module("adlab.bench.timing_worker", cell.problem, cell.peer, *only, seconds=seconds, memory=MEMORY,
                       one_processor=True)  # fmt: skip
    for line in ended.output.decode().splitlines(keepends=True):
        if line.endswith("\n"):  # the last line may be cut off
            _record(cell, json.loads(line))
    return ended


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


def _complaint(ended: Ended) -> str:
    """The name of the exception that ended it."""
    return ended.last_line().split(":")[0][:30] or "ended without a word"


def _judge(cells: Sequence[Cell]) -> None:
    """Marks the contestants whose gradient differs from adlab's."""
    for cell in cells:
        ours = next((c.gradient for c in cells if c.problem == cell.problem and c.peer in OURS and c.gradient), None)
        if ours is not None and cell.gradient is not None and not agrees(cell.gradient, ours):
            cell.status = "wrong"


def processor() -> str:
    """The processor's name and vector instructions, as the system reports them."""
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
    found = {"python": platform.python_version(), "compiled core": "left out" if native.core is None else "used"}
    found |= {name: metadata.version(name) for name in ("sympy", "numpy")}
    for peer in entrants:
        module = CONTESTANTS[peer].module
        try:
            found.setdefault(module, metadata.version(module))
        except metadata.PackageNotFoundError:
            continue
    return found
