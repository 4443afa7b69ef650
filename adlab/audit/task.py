"""One formula at one point through every method: the rows that a sweep collects. No row depends on the time."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adlab.audit.corpus import Entry
from adlab.errors import AdlabError, GaveUp, MethodError, PointError
from adlab.inputs import coerce_one
from adlab.methods import chosen
from adlab.precision import patience as limited
from adlab.report.accuracy import STATUS, AccuracyRow, attempt, rows as accuracy_rows
from adlab.report.blame import blamed
from adlab.report.truth import truth
from adlab.truth.meanings import decimal

RIGHT = 10.0
"""With at least so many correct digits a partial counts as right."""
NO_VARIABLE = "the formula has no variable, and so no partial"
"""Said in the one row of a constant: without a row nobody would see that it was taken."""
COLUMNS = ("task", "row", "rows", "name", "source", "point", "method", "output", "variable", "value", "truth", "digits",
           "ulps", "status", "cause", "note")  # fmt: skip
"""The columns of a row. `row` of `rows` counts within the task, so that a block that was cut off is noticed."""


@dataclass(frozen=True)
class SweepTask:
    """A formula of a corpus and a point. `number` is its place in the sweep, `index` the place of its formula in the file."""

    number: int
    index: int
    entry: Entry
    point: tuple[float, ...] | None
    """None where the formula could not be read, or its point lacks a variable."""


def rows_of(task: SweepTask, methods: Sequence[str], seconds: float) -> list[dict[str, Any]]:
    """A row for each method and partial; a single row where the formula has no value at the point.

    `seconds` limits the truth and each method. A refusal is a row that says why. No exception leaves this function, except
    those that end a process.

    >>> [row["digits"] for row in rows_of(SweepTask(0, 0, Entry("cube", "x**3"), (2.0,)), ["reverse"], 5.0)]
    [16.0]
    """
    try:
        with limited(2 * seconds):
            found = _judged(task, methods, seconds) or [row_without(MethodError(NO_VARIABLE), "constant")]
    except AdlabError as reason:
        found = [row_without(reason)]
    except RecursionError:
        found = [row_without(GaveUp("Python's stack is used up"))]
    except MemoryError:
        found = [row_without(GaveUp("memory is used up"))]
    return numbered(task, found)


def lines_of(task: SweepTask, methods: Sequence[str], seconds: float) -> bytes:
    """`rows_of` as lines of JSON, made where the work is done: whoever collects the results has only to write them."""
    return written_rows(rows_of(task, methods, seconds))


def written_rows(rows: Sequence[dict[str, Any]]) -> bytes:
    """Rows as lines of JSON."""
    return b"".join(map(json_line, rows))


def json_line(row: dict[str, Any]) -> bytes:
    """One object as a line of JSON."""
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def numbered(task: SweepTask, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with the facts that all rows of a task share, in the order of `COLUMNS`."""
    shared = {"task": task.number, "rows": len(rows), "name": task.entry.name, "source": task.entry.source,
              "point": list(task.point or ())}  # fmt: skip
    whole = [shared | row | {"row": k} for k, row in enumerate(rows)]
    return [{column: row.get(column) for column in COLUMNS} for row in whole]


def row_without(reason: Exception, status: str = "") -> dict[str, Any]:
    """The one row of a formula for which no method could be asked."""
    status = status or (STATUS.get(type(reason)) if isinstance(reason, AdlabError) else None) or "refused"
    return {"status": status, "cause": status, "note": _timeless(str(reason).splitlines()[0])}


def _judged(task: SweepTask, methods: Sequence[str], seconds: float) -> list[dict[str, Any]]:
    f = task.entry.function
    if task.point is None:
        raise PointError(f"the point in the file has no {', '.join(name for name in f.names if name not in task.entry.point)}")
    place = coerce_one(task.point, f.names)
    f(place)
    judged = truth(f, place, patience=seconds)
    many = chosen(methods)
    attempts = {name: attempt(f, method, place) for name, method in many.items()}
    rows = accuracy_rows(f, judged, attempts)
    try:
        losses = blamed(f, place, judged, rows, many)
    except AdlabError:
        losses = {}
    kinds = {name: lost[0].kind for name, lost in losses.items() if lost}
    exact = {(part.output, part.variable): None if part.value is None else decimal(part.value, 20) for part in judged.components}
    return [_row(row, exact[row.output or 0, row.variable], kinds) for row in rows]


def _row(row: AccuracyRow, exact: str | None, kinds: dict[str, Any]) -> dict[str, Any]:
    right = row.digits is not None and row.digits >= RIGHT
    cause = "" if right else row.status if row.status != "ok" else str(kinds.get(row.method, "digits"))
    return {"method": row.method, "output": row.output, "variable": row.variable, "value": _finite(row.value),
            "truth": exact, "digits": row.digits, "ulps": _finite(row.ulps), "status": row.status,
            "cause": cause, "note": _timeless(row.note)}  # fmt: skip


def _timeless(note: str) -> str:
    """A note without the time that something took: it would differ each time, and with it the file."""
    return _TOOK.sub("gave up", note)


_TOOK = re.compile(r"gave up after [0-9.e+-]+ s")


def _finite(number: float | None) -> float | None:
    """JSON has no infinity. The status of the row says what happened."""
    return number if number is not None and math.isfinite(number) else None
