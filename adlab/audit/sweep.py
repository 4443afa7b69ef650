"""`adlab.sweep`: every formula of a file through every method, with one row for each formula, point, method and partial."""

from __future__ import annotations

import hashlib
import heapq
import math
import os
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adlab.audit.corpus import Corpus, Entry
from adlab.audit.crew import by_dask, by_executor, by_processes, lines_of_all
from adlab.audit.journal import Journal
from adlab.audit.reading import read
from adlab.audit.task import RIGHT, SweepTask
from adlab.display import Report, Table, significant
from adlab.errors import AdlabError, OptionError
from adlab.methods import chosen
from adlab.precision import seconds_of
from adlab.progress import stage

FORMAT = 1
"""Of the journal. A sweep is gone on with only by an adlab that writes the same."""
STEPS = (2, 4, 6, 8, 10, 12, 14, 15)
"""Digits of the cumulative table."""
WORST = 3
"""The number of formulas that are shown as examples for each cause, each by its worst row."""
PATIENCE = 20.0
"""Seconds that the truth, and each method, may take for one formula at one point."""


@dataclass(frozen=True)
class MethodTally:
    """What a method did over all partials: their number, how many had the digits of `STEPS`, and the causes of the others."""

    partials: int
    reached: tuple[int, ...]
    right: int
    causes: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Sweep(Report):
    """The summary of a sweep.

    `tallies` has one entry for each method, `worst` examples by cause. The rows are in the file `out`.
    """

    path: str
    out: str
    formulas: int
    tasks: int
    rows: int
    tallies: dict[str, MethodTally]
    unserved: tuple[tuple[str, int], ...]
    """Formula-points at which no method could be asked, by reason."""
    worst: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """`path, out, formulas, tasks, unserved, rows`: a row for each method, then `worst`."""
        return {
            "path": self.path, "out": self.out, "formulas": self.formulas, "tasks": self.tasks, "unserved": dict(self.unserved),
            "rows": [{"method": name, "partials": tally.partials, "right": tally.right,
                      **{f"digits >= {step}": count for step, count in zip(STEPS, tally.reached, strict=True)},
                      "causes": dict(tally.causes)} for name, tally in self.tallies.items()],
            "worst": list(self.worst),
        }  # fmt: skip

    def sections(self) -> list[Table | str]:
        """The share of right partials by method, the digits reached, the causes, and the worst rows of each cause."""
        where = f", every row in {self.out}" if self.out else ""
        head = f"{self.path}: {self.formulas} formulas, {self.tasks} formula-points, {self.rows} rows{where}"
        shares = [
            [name, str(tally.partials), *(_share(count, tally.partials) for count in (tally.right, *tally.reached))]
            for name, tally in self.tallies.items()
        ]
        parts: list[Table | str] = [head, Table(
            f"partials with at least so many digits; {RIGHT:g} count as right", ["method", "partials", "right", *map(str, STEPS)],
            shares, frozenset({"partials", "right", *map(str, STEPS)}),
        )]  # fmt: skip
        causes = [[name, cause, str(count)] for name, tally in self.tallies.items() for cause, count in tally.causes]
        if causes:
            parts.append(Table("why the others are not right", ["method", "cause", "partials"], causes, frozenset({"partials"})))
        if self.unserved:
            parts.append(Table("formula-points without any number", ["why", "formula-points"],
                               [[why, str(count)] for why, count in self.unserved], frozenset({"formula-points"})))  # fmt: skip
        if self.worst:
            parts.append(Table("the worst of each cause", ["cause", "formula", "method", "variable", "digits"], [
                [row["cause"], row["name"], row["method"] or "–", row["variable"] or "–", significant(row["digits"], 3)]
                for row in self.worst], frozenset({"digits"})))  # fmt: skip
        return parts

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The share of partials with at least so many digits, a line for each method. `options` go to `Axes.plot`.

        Lines that coincide are seen, because each is drawn thinner than the one below it.
        """
        from adlab.plots.canvas import axes, entitle

        ax = axes(ax)
        for k, (name, tally) in enumerate(self.tallies.items()):
            shares = [100 * count / max(tally.partials, 1) for count in tally.reached]
            width = 1 + 1.2 * (len(self.tallies) - 1 - k)
            ax.plot(STEPS, shares, **{"label": name, "marker": ".", "linewidth": width, "markersize": 3 + width} | options)
        ax.set(xlabel="correct digits, at least", ylabel="partials (%)", ylim=(0, 103))
        entitle(ax, f"{Path(self.path).name}: partials by their correct digits")
        ax.legend(loc="lower left")
        return ax


def _share(count: int, of: int) -> str:
    return f"{100 * count / of:.1f} %" if of else "–"


def sweep(
    path: str | Path,
    methods: Any = ("reverse", "forward", "symbolic", "central-difference"),
    points: int | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    resume: bool = False,
    patience: float = PATIENCE,
    executor: Executor | None = None,
    dask: str | None = None,
) -> Sweep:
    """Every formula of a file (see `adlab.read`) by every method, judged by the truth. Returns the summary.

    A formula is evaluated at the point in the file. With `points=N`, or where the file has no point, it is evaluated at N drawn
    points. `out` names a .jsonl, .csv or .parquet file for the rows. Rows are written as soon as they are there. After an
    interruption `resume=True` goes on; the finished file is the same, byte for byte. The work is done by `workers` processes
    (by default one for each processor, 0 for none), by an `executor` of `concurrent.futures`, or by the Dask cluster whose
    scheduler has the address `dask`. A formula that takes longer
    than a few times `patience` seconds, or ends its process, is one row that says so.

    Raises OptionError and OutputError for files and options, and what `adlab.methods` raises for an unknown method.
    """
    corpus = read(path)
    names = list(chosen(list(methods) if not isinstance(methods, str) else methods))
    if points is not None and points < 1:
        raise OptionError(f"points={points!r}: a formula is taken at one drawn point or more")
    if workers is not None and workers < 0:
        raise OptionError(f"workers={workers!r}: a number of processes, or 0 for none")
    if not 0 < seconds_of(patience) < math.inf:
        raise OptionError(f"patience={patience!r}: a number of seconds")
    if out is not None and Path(out).resolve() == Path(path).resolve():
        raise OptionError(f"{out} is the file of formulas; name another one for the rows")
    tasks = _Tasks(corpus, points)
    request = {"sweep": FORMAT, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(), "methods": names,
               "points": points, "patience": patience}  # fmt: skip
    with TemporaryDirectory() as nowhere:
        journal = Journal(Path(out) if out is not None else Path(nowhere, "rows.jsonl"), request, resume)
        try:
            count = os.cpu_count() or 1 if workers is None else workers
            _work(journal, tasks, names, patience, str(path), count, executor, dask)
            found = _summary(journal, corpus, names, "" if out is None else str(out))
            journal.finish()
        finally:
            journal.close()
    return found


class _Tasks:
    """Every formula of a corpus at each of its points, in order. Points are drawn as they are asked for: there may be many."""

    def __init__(self, corpus: Corpus, points: int | None) -> None:
        self.places = [_places(entry, points) for entry in corpus]
        self.corpus = corpus

    def __len__(self) -> int:
        return sum(count for count, _ in self.places)

    def __iter__(self) -> Iterator[SweepTask]:
        number = 0
        for index, (entry, (count, draws)) in enumerate(zip(self.corpus, self.places, strict=True)):
            for place in islice(draws(), count):
                yield SweepTask(number, index, entry, place)
                number += 1


def _places(entry: Entry, points: int | None) -> tuple[int, Callable[[], Iterable[tuple[float, ...] | None]]]:
    """At how many points a formula is taken, and what gives them. None stands for a point or formula that cannot be read."""
    try:
        f = entry.function
    except (AdlabError, RecursionError, MemoryError):
        return 1, lambda: [None]
    if points is None and f.point is not None:
        return 1, lambda: [f.point]
    if points is None and entry.point:
        return 1, lambda: [None]  # it lacks a variable: to draw all of them would be another question
    return points or 1, partial(entry.draws, f.names)


def _work(
    journal: Journal, tasks: _Tasks, names: Sequence[str], seconds: float, path: str, workers: int,
    executor: Executor | None, dask: str | None,
) -> None:
    first, started = journal.done, time.monotonic()
    waiting, count = islice(tasks, first, None), len(tasks) - first
    if dask is not None:
        results = by_dask(waiting, count, names, seconds, dask)
    elif executor is not None:
        results = by_executor(waiting, count, names, seconds, executor)
    elif workers:
        results = by_processes(waiting, count, names, seconds, path, workers)
    else:
        results = (lines_of_all([task], names, seconds) for task in waiting)
    with closing(results):  # type: ignore[type-var]  # all three are generators
        for finished, lines in results:
            journal.add(lines, finished)
            rate = (journal.done - first) / max(time.monotonic() - started, 1e-3)
            left = (len(tasks) - journal.done) / rate
            stage(f"{journal.done} of {len(tasks)} formula-points, {rate:.3g} a second, {_clock(left)} left")


def _clock(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _summary(journal: Journal, corpus: Corpus, names: Sequence[str], out: str) -> Sweep:
    partials, right = Counter[str](), Counter[str]()
    reached = {name: [0] * (len(STEPS) + 1) for name in names}  # partials that reach so many of the steps, and no more
    causes: dict[str, Counter[str]] = {name: Counter() for name in names}
    unserved = Counter[str]()
    worst: dict[str, dict[str, tuple[float, int, dict[str, Any]]]] = {}  # by cause and formula
    count = 0
    for count, row in enumerate(journal.rows(), 1):
        method = row["method"]
        if method is None:
            unserved[row["cause"]] += 1
        else:
            partials[method] += 1
            digits = -1.0 if row["digits"] is None else row["digits"]
            reached[method][bisect_right(STEPS, digits)] += 1
            right[method] += not row["cause"]
            if row["cause"]:
                causes[method][row["cause"]] += 1
        if row["cause"]:
            mine, kept = worst.setdefault(row["cause"], {}), 17.0 if row["digits"] is None else row["digits"]
            mine[row["name"]] = min((kept, count, row), mine.get(row["name"], (math.inf, 0, row)), key=lambda one: one[:2])
    tallies = {name: MethodTally(partials[name], tuple(sum(reached[name][k + 1 :]) for k in range(len(STEPS))), right[name],
                           tuple(causes[name].most_common())) for name in names}  # fmt: skip
    examples = tuple(row for cause in sorted(worst) for _, _, row in heapq.nsmallest(WORST, worst[cause].values()))
    return Sweep(corpus.path, out, len(corpus), journal.done, count, tallies, tuple(unserved.most_common()), examples)
