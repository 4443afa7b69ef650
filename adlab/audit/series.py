"""`adlab rules --series N`: Taylor coefficients of each operation, by adlab and by JAX's jet, judged by the truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from adlab.audit.kinds import KINDS
from adlab.audit.subjects import RuleSubject, subjects
from adlab.audit.systems import release
from adlab.display import Report, Table
from adlab.errors import AdlabError, MethodError, MissingExtra, OptionError
from adlab.inputs import FloatArray
from adlab.progress import stage
from adlab.report.accuracy import distance

POINTS = (0.01, 0.3, -0.8, 1.7, 22.0)
"""Where the series are taken: a small, some moderate, and a large argument. A truth takes longest, so there are few."""


@dataclass(frozen=True)
class Row:
    """The coefficients of one operation in one system: correct digits of the last one, by point."""

    name: str
    system: str
    digits: dict[float, float]
    """NaN where the system gave no finite number."""
    missing: str
    """Why the system has no series at all; empty if it has one."""

    @property
    def worst(self) -> tuple[float, float]:
        """The fewest digits, and the point. A point without a number is the worst."""
        x = min(self.digits, key=lambda point: -1.0 if math.isnan(self.digits[point]) else self.digits[point])
        return self.digits[x], x


@dataclass(frozen=True)
class SeriesRules(Report):
    """Taylor coefficients by operation and system."""

    order: int
    systems: tuple[str, ...]
    found: tuple[Row, ...]

    def sections(self) -> list[Table | str]:
        """The fewest correct digits of the coefficient; then what a system lacks, and how many operations lose half."""
        cells = {(row.name, row.system): row for row in self.found}
        names = list(dict.fromkeys(row.name for row in self.found))
        body = [[name, *(cell for system in self.systems for cell in _cells(cells[name, system]))] for name in names]
        head = ["operation", *(f"{system}{word}" for system in self.systems for word in ("", ", at x"))]
        table = Table(f"correct digits of coefficient {self.order}, at the worst point", head, body, frozenset(head[1:]))
        return [", ".join(map(release, self.systems)), table, *map(self._sentence, self.systems)]

    def _sentence(self, system: str) -> str:
        rows = [row for row in self.found if row.system == system]
        lacking = [row.name for row in rows if row.missing]
        half = [row.name for row in rows if not row.missing and not row.worst[0] >= 8]
        said = (f"{system}: {len(rows) - len(lacking)} of {len(rows)} operations; "
                f"{len(half)} of them lose half of the digits somewhere.")  # fmt: skip
        return said + (f" No series: {', '.join(lacking)}." if lacking else "")

    def to_dict(self) -> dict[str, Any]:
        """A row for each operation and system."""
        rows = [{"operation": row.name, "system": row.system, "missing": row.missing,
                 "digits": None if row.missing or math.isnan(row.worst[0]) else row.worst[0],
                 "at": None if row.missing else row.worst[1]} for row in self.found]  # fmt: skip
        return {"order": self.order, "systems": [release(system) for system in self.systems], "rows": rows}


def _cells(row: Row) -> tuple[str, str]:
    if row.missing:
        return "–", ""
    digits, x = row.worst
    return "no number" if math.isnan(digits) else f"{digits:.1f}", f"{x:g}"


def series_rules(names: Sequence[str] | str = (), systems: Sequence[str] | str = (), order: int = 5) -> SeriesRules:
    """The Taylor coefficient of this order of each operation, by `f.series` and by `jax.experimental.jet`, at points of both
    signs.

    `names` are operations of the table; by default all. Raises OptionError for an unknown name or system.

    >>> print(series_rules("tan", ["adlab"]).found[0].worst[0] > 12)
    True
    """
    if type(order) is not int or order < 1:
        raise OptionError(f"order={order!r} is no order of a series; give a whole number from 1")
    chosen = tuple([systems] if isinstance(systems, str) else systems) or ("adlab", *["jax"] * (find_spec("jax") is not None))
    if unknown := [system for system in chosen if system not in ("adlab", "jax")]:
        raise OptionError(f"no series by `{unknown[0]}`; there are adlab and jax")
    words = [names] if isinstance(names, str) else list(names)
    asked = subjects(words)
    found: list[Row] = []
    for k, subject in enumerate(asked, 1):
        stage(f"{subject.name}, {k} of {len(asked)}")
        true = _truths(subject, order)
        if true:
            found += [_judged(subject, system, true, order) for system in chosen]
    if not found:
        raise OptionError("none of these operations has a series at any of the points")
    return SeriesRules(order, chosen, tuple(found))


def _truths(subject: RuleSubject, order: int) -> dict[float, Any]:
    """The points where the coefficient is known and in binary64's normal range, with its value."""
    found = {}
    for x in POINTS:
        try:
            value = subject.function.series([x], [1.0], order=order).truth()[order]
        except AdlabError:
            continue
        if value is not None and KINDS["float64"].small < abs(value) < KINDS["float64"].large:
            found[x] = value
    return found


def _judged(subject: RuleSubject, system: str, true: dict[float, Any], order: int) -> Row:
    points = np.array(list(true))
    try:
        values = SYSTEMS[system](subject, points, order)
    except MissingExtra:
        raise
    except MethodError as reason:
        return Row(subject.name, system, {}, str(reason))
    digits = [distance(v, want).digits if math.isfinite(v) else math.nan
              for v, want in zip(values.tolist(), true.values(), strict=True)]  # fmt: skip
    return Row(subject.name, system, dict(zip(true, digits, strict=True)), "")


def _own(subject: RuleSubject, points: FloatArray, order: int) -> FloatArray:
    return np.array([subject.function.series([x], [1.0], order=order)[order] for x in points.tolist()])


def _jet(subject: RuleSubject, points: FloatArray, order: int) -> FloatArray:
    from adlab.peers.jax import series

    return series(subject.function.graph, points, order)


SYSTEMS: dict[str, Callable[[RuleSubject, FloatArray, int], FloatArray]] = {"adlab": _own, "jax": _jet}
