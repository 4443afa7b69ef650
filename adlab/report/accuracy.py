"""How far each method's answer is from the truth, component by component, in every unit people use."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from adlab.arithmetic.bounded import Bounded
from adlab.display import Table, explained, significant
from adlab.errors import AdlabError, DomainError, GaveUp, MethodError, MissingExtra, OverflowedError, PeerError
from adlab.function import Function
from adlab.inputs import FloatArray
from adlab.methods import Method, Result
from adlab.precision import CONTEXT, patience, share, working
from adlab.primitives.ranges import SMALLEST_NORMAL
from adlab.report.kinks import NO_SLOPE, ONE_BRANCH, convention
from adlab.report.truth import Truth
from adlab.truth.judge import Component
from adlab.truth.meanings import decimal, exact as exact_number

WRONG = 1e-6  # a larger relative error is wrong, not rounded
NOT_FINITE = "some partials are not finite numbers"
Bounds = Sequence[Sequence[Bounded]]
"""A key for each output and variable."""

STATUS: dict[type[AdlabError], str] = {
    MethodError: "refused", GaveUp: "gave up", DomainError: "domain", OverflowedError: "overflow", MissingExtra: "missing",
    PeerError: "crashed",
}  # fmt: skip


@dataclass(frozen=True)
class AccuracyRow:
    """One partial by one method. `error` is |value − truth|, and at least the truth's own radius, so it is never called 0.

    - `ulps` is the error in units in the last place of the truth in binary64. `digits` are the correct decimal digits, at most
      16.
    - `status` is `ok`, or a word that says why there is no value. `note` says it in a sentence.
    - `bound_ulps` bounds `ulps`; automatic differentiation carries it along (`adlab.rounding`). None for other methods.
    - `flags` are the remarks of the method one by one, such as `left_domain`: see `adlab.difference`.
    - `convention` says what the value is where there is no derivative: one side's, the mean of both, or one branch's.
    """

    method: str
    variable: str
    value: float | None = None
    error: float | None = None
    relative_error: float | None = None
    ulps: float | None = None
    digits: float | None = None
    status: str = "ok"
    note: str = ""
    output: int | None = None
    bound_ulps: float | None = None
    convention: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """What one method gave at one point, and how many seconds it took."""

    method: Method
    result: Result | None
    status: str = "ok"
    note: str = ""
    seconds: float = 0.0


def attempt(f: Function, method: Method, point: FloatArray) -> Attempt:
    """The method's result, or the reason why it has none. What a method cannot do never raises an exception."""
    started = time.perf_counter()
    try:
        with patience(share()):
            result = method(f, point)
        seconds = time.perf_counter() - started
        if method.family == "automatic":
            f.evaluator.checked(result.jacobian, point, derivative=True)
    except AdlabError as reason:
        return Attempt(method, None, STATUS.get(type(reason), "refused"), str(reason).splitlines()[0])
    notes = "; ".join(result.notes)
    if not np.isfinite(result.jacobian).all():
        return Attempt(method, result, "not finite", notes or NOT_FINITE, seconds)
    return Attempt(method, result, "ok", notes, seconds)


def rows(
    f: Function,
    truth: Truth,
    attempts: Mapping[str, Attempt],
    kinks: str = "",
    bounds: Mapping[str, Bounds] | None = None,
    beyond: tuple[str, str] = ("", ""),
) -> list[AccuracyRow]:
    """One row for each method, output and variable.

    `kinks` names the operations that are on a kink. `bounds` are the error bounds of the sweeps, by method. `beyond` is what
    leaves the range of binary64 (see `beyond_range`).
    """
    return [
        _beyond(_row(f, truth, tried, i, j, kinks, (bounds or {}).get(tried.method.name)), *beyond)
        for tried in attempts.values()
        for i in range(f.m)
        for j in range(f.n)
    ]


def _row(f: Function, truth: Truth, tried: Attempt, i: int, j: int, kinks: str, bounds: Bounds | None) -> AccuracyRow:
    value, flags = (None, ()) if tried.result is None else (float(tried.result.jacobian[i, j]), tried.result.notes)
    row = AccuracyRow(tried.method.name, f.names[j], value, status=tried.status, note=tried.note,
                      output=i if f.m > 1 else None, flags=flags)  # fmt: skip
    if value is None:
        return row
    component = truth.component(i, j)
    if component.value is None or not math.isfinite(row.value or 0.0):
        return _without_truth(row, component, kinks)
    followed = ONE_BRANCH if any(node.primitive.name == "select" for node in f.graph.nodes) else NO_SLOPE
    return _measured(row, tried.method, component, kinks, None if bounds is None else bounds[i][j], followed)


def _beyond(row: AccuracyRow, status: str, said: str) -> AccuracyRow:
    """The row, or one whose status is not "ok" if the number is wrong and an overflow or underflow on the way explains that."""
    wrong = row.relative_error is not None and row.relative_error > WRONG and row.digits != 16.0
    if not said or not ((wrong and row.status == "ok") or row.note == NOT_FINITE):
        return row
    if row.note == NOT_FINITE:
        row = replace(row, note="")
    return replace(row, status=status, note=_together(row.note, f"binary64 {status}s on the way: {said}"))


def _without_truth(row: AccuracyRow, component: Component, kinks: str) -> AccuracyRow:
    assert row.value is not None
    if row.status != "ok":
        return replace(row, note=_together(row.note, component.note if component.value is None else ""))
    if component.left is None and component.right is None:
        return replace(row, status="no truth", note=_together(row.note, component.note))
    found = convention(row.value, component.left, component.right)
    where = f", at {kinks}" if kinks and row.method in ("reverse", "forward") else ""
    return replace(row, status="no truth", note=_together(row.note, f"returns {found}{where}"), convention=found)


def _measured(
    row: AccuracyRow, method: Method | None, component: Component, kinks: str, bound: Bounded | None, followed: str = ""
) -> AccuracyRow:
    assert row.value is not None
    off = distance(row.value, component.value, component.radius or 0)
    row = replace(
        row, error=off.error, relative_error=off.relative, ulps=off.ulps, digits=off.digits,
        bound_ulps=None if bound is None else _in_ulps(bound.error, component.value),
    )  # fmt: skip
    if component.value and abs(component.value) < SMALLEST_NORMAL and off.ulps <= 0.5:  # no binary64 is nearer
        note = _together(row.note, f"{decimal(exact_number(component.value), 3)} underflows to {row.value!r}")
        return replace(row, digits=16.0, note=note)
    by_a_rule = method is not None and method.needs != "values"
    if kinks and off.relative > WRONG and by_a_rule:  # no rounding explains it
        note = _together(row.note, f"returns {followed}, at {kinks}")
        return replace(row, status="wrong", note=note, convention=followed)
    return row


def _in_ulps(error: float, true: Any) -> float:
    """An error bound in units of the last place of the truth."""
    if not error:
        return 0.0
    with working(400):
        return float(error / unit_in_the_last_place(exact_number(true)))


class Distance(NamedTuple):
    """How far a number is from the truth: absolute, relative, in ulps of the truth, in correct decimal digits (0 to 16)."""

    error: float
    relative: float
    ulps: float
    digits: float


def distance(value: float, true: Any, radius: Any = 0) -> Distance:
    """The distance of a finite number from a truth that is known to within `radius`. It is at least that radius.

    >>> round(distance(0.5, CONTEXT.mpf("0.5000001")).digits, 3)
    6.699
    """
    if not (value or true or radius):  # most partials of a large Jacobian
        return Distance(0.0, 0.0, 0.0, 16.0)
    exact = exact_number(true)
    with working(400):
        gap, within = abs(exact_number(value) - exact), exact_number(radius)
        error, unit = max(gap, within), unit_in_the_last_place(exact)
        if exact:
            relative, ulps = error / abs(exact), error / unit
        else:  # a truth of 0 is known to within its radius, and so is the value
            relative, ulps = (CONTEXT.zero,) * 2 if gap <= within else (CONTEXT.inf, error / unit)
        digits = 16.0 if not relative else max(0.0, min(16.0, -float(CONTEXT.log10(relative))))
        return Distance(float(error), float(relative), float(ulps), digits)


def row_measured(row: AccuracyRow, component: Component) -> AccuracyRow:
    """A row that has only a value, measured against a truth of any order. Without a truth the row stays as it is."""
    if component.value is None or row.value is None or not math.isfinite(row.value):
        note = component.note if component.value is None else NOT_FINITE
        return replace(row, status="no truth" if component.value is None else "not finite", note=note)
    return _measured(row, None, component, "", None)


def _together(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def unit_in_the_last_place(exact: Any) -> Any:
    """The spacing of binary64 at a number: `math.ulp` of the double nearest to it."""
    return exact_number(math.ulp(min(abs(float(exact)), 1.7976931348623157e308)))


FEW = 6
"""With at most this many partials, each has a line. With more: each method's worst one, and the median of all."""


MEANING = (
    "ulps: the error in units of the last place, the distance from the right answer to the next number of binary64.",
    "bound: what the error of the program cannot exceed at this point (adlab rounding).",
    "digits: correct decimal digits, at most 16.",
)
"""What the columns of accuracy mean."""


def accuracy_table(accuracy: list[AccuracyRow]) -> Table:
    """A line for each partial by each method. With more than `FEW` partials: the worst one of each method, and the median digits.

    An error below one unit in the last place is written as that, not as 0.
    """
    methods: dict[str, list[AccuracyRow]] = {}
    for row in accuracy:
        methods.setdefault(row.method, []).append(row)
    short = all(len(mine) <= FEW for mine in methods.values())
    shown = accuracy if short else [min(mine, key=_digits) for mine in methods.values()]
    several = any(row.output is not None for row in accuracy)
    bounded = any(row.bound_ulps is not None for row in accuracy)
    columns: dict[str, list[str]] = {"method": [row.method for row in shown]}
    if several:
        columns["output"] = ["" if row.output is None else str(row.output) for row in shown]
    columns["variable"] = [row.variable for row in shown]
    columns["value"] = ["–" if row.value is None else repr(row.value) for row in shown]
    columns["relative error"] = [_relative(row) for row in shown]
    columns["ulps"] = [_ulps(row.ulps) for row in shown]
    if bounded:
        columns["bound (ulps)"] = [significant(row.bound_ulps, 3) for row in shown]
    columns["digits"] = [significant(row.digits, 3) for row in shown]
    if not short:
        columns["median"] = [significant(median_digits(mine), 3) for mine in methods.values()]
    columns["status"] = [explained(row.status, row.note) for row in shown]
    title = "accuracy" if short else "accuracy, the worst partial of each method and the median of the digits"
    cells = [list(cells) for cells in zip(*columns.values(), strict=True)]
    right = frozenset(columns) - {"method", "output", "variable", "status"}
    return Table(title, list(columns), cells, right, notes=[*MEANING[: 2 if bounded else 1], MEANING[-1]], keys=2 + several)


def _digits(row: AccuracyRow) -> float:
    """A sort key, worst first: unknown digits are worse than no right digit."""
    return -1.0 if row.digits is None else row.digits


def median_digits(rows: Sequence[AccuracyRow]) -> float | None:
    """The median digits of the partials whose digits are known."""
    known = [row.digits for row in rows if row.digits is not None]
    return statistics.median(known) if known else None


def _relative(row: AccuracyRow) -> str:
    if row.relative_error is None:
        return "–"
    return "< 1.1e-16" if row.relative_error < 2.0**-53 else f"{row.relative_error:.2g}"


def _ulps(ulps: float | None) -> str:
    if ulps is None:
        return "–"
    return "< 1" if ulps < 1 else f"{ulps:.3g}"


def as_rows(accuracy: list[AccuracyRow]) -> list[dict[str, Any]]:
    """The rows as dictionaries. They have the key `output` only where there are several outputs."""
    return [{k: v for k, v in asdict(row).items() if k != "output" or v is not None} for row in accuracy]
