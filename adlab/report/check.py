"""Judges a gradient that somebody wrote: right or wrong, component by component, and what kind of slip it looks like.

A tool that returns one absolute number cannot tell a bug from a scale. Here each component at each point is compared with the
truth, allowing what rounding may cost there (`tolerance`). A wrong component is compared with the wrong answers that people
give (`slips`): a sign, a factor, a transposed Jacobian, a missing path, single precision. At a kink there is no derivative; there
any value between the one-sided ones is a convention.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from adlab.display import Report, Table, significant
from adlab.errors import MethodError, PointError
from adlab.inputs import FloatArray, coerce_one
from adlab.precision import CONTEXT, UNIT_ROUNDOFF, working
from adlab.report.accuracy import unit_in_the_last_place
from adlab.report.given import Given, asked, gradient_of, raised_at
from adlab.report.kinks import in_words
from adlab.report.slips import Evidence, named
from adlab.report.subject import Rows, Subject, subject_of
from adlab.report.tolerance import Tolerance, allowed, allowed_to_difference, tolerance
from adlab.truth.judge import Component
from adlab.truth.meanings import exact as exact_number

Status = Literal["right", "wrong", "convention", "not judged"]


@dataclass(frozen=True)
class CheckRow:
    """One component at one point.

    `status` is "right", "wrong", "convention" or "not judged". It is "convention" where f has no derivative and the value lies
    between the one-sided ones. It is "not judged" where there is nothing to judge by; `note` says why. `allowed` is the
    relative error that rounding may cause here, or the absolute error where the truth is 0. `relative_error`, `ulps` and
    `allowed` are None where there is no truth.
    """

    point: int
    variable: str
    value: float
    truth: float | None
    relative_error: float | None
    ulps: float | None
    allowed: float | None
    status: Status
    note: str = ""
    output: int | None = None

    @property
    def right(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.status != "wrong"


@dataclass(frozen=True)
class Check(Report):
    """A judged gradient. `passed` is true if there is no finding.

    `rows` has a row for every point and component. `findings` has a sentence for each slip. `notes` has what is not a slip:
    kinks, and points that cannot be judged. `source` says where the truth comes from.
    """

    name: str
    rows: list[CheckRow]
    findings: list[str]
    notes: list[str]
    source: str = ""

    @property
    def passed(self) -> bool:
        """Whether every component that could be judged is right."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """`passed, findings, notes, source, rows`."""
        rows = [{**asdict(row), "right": row.right} for row in self.rows]
        return {"passed": self.passed, "findings": self.findings, "notes": self.notes, "source": self.source, "rows": rows}

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The relative error of each component beside what is allowed; `options` go to `Axes.plot`. Returns the Axes."""
        from adlab.plots.known import Measured, errors

        many = len({row.point for row in self.rows}) > 1
        rows = [
            Measured(f"∂f{'' if row.output is None else row.output}/∂{row.variable}" + f", point {row.point}" * many,
                    row.relative_error, row.allowed, not row.right)
            for row in self.rows
        ]  # fmt: skip
        xlabel = f"relative error (below {UNIT_ROUNDOFF:.2g} drawn there)"
        return errors(rows, ax, f"your gradient of {self.name}", xlabel, ("error", "allowed"), UNIT_ROUNDOFF, options)

    def sections(self) -> list[Table | str]:
        """What was found, then the rows."""
        head = ["point", "output", "variable", "value", "truth", "relative error", "allowed", "ulps", "verdict"]
        rows = [
            [str(r.point), "–" if r.output is None else str(r.output), r.variable, f"{r.value:.17g}", _cell(r.truth, ".17g"),
             _relative(r.relative_error), _cell(r.allowed, ".1g"), _ulps(r.ulps),
             r.status.upper() if r.status == "wrong" else r.status]
            for r in self.rows
        ]  # fmt: skip
        if all(row.output is None for row in self.rows):
            head, rows = [*head[:1], *head[2:]], [[*row[:1], *row[2:]] for row in rows]
        verdict = "every component is right" if any(r.status == "right" for r in self.rows) else "nothing is wrong"
        said = "\n".join(f"• {text}" for text in [*(self.findings or [verdict]), *self.notes])
        source = [f"truth: {self.source}"] if self.source else []
        return [f"your gradient of {self.name}\n{said}", Table("", head, rows, frozenset(head[-6:-1]), source)]


def _cell(number: float | None, form: str) -> str:
    return "–" if number is None else f"{number:{form}}"


def _relative(error: float | None) -> str:
    return f"< {UNIT_ROUNDOFF:.2g}" if error is not None and error < UNIT_ROUNDOFF else _cell(error, ".2g")


def _ulps(ulps: float | None) -> str:
    return "< 1" if ulps is not None and ulps < 1 else significant(ulps, 3)


def check(f: Any, grad: Any, at: Sequence[Any], rtol: Any = None, atol: Any = None) -> Check:
    """Judges a gradient of your own at each of the points `at`, each on its own.

    `f` is a Function, an expression, a text, or a Python function of a point or of several numbers, which is judged by
    running the same code on high-precision numbers. `grad` is a function (of an array (n,), or of n numbers) that returns
    shape (n,) or (m, n), or the gradient as texts or SymPy expressions. A component is right if it is as good as a good
    binary64 gradient can be here. A number as `rtol` takes the place of that: |value − truth| ≤ max(rtol·|truth|, atol),
    however ill-conditioned the point; only where the truth is 0 may rounding leave what it leaves. `atol` allows more. `rtol`
    may also name a kind: "float32", "float16", "bfloat16", "forward-difference", "central-difference", "difference".

    Raises OptionError for a bad `grad` or tolerance, PointError for a bad point, and MethodError where the gradient or the truth
    fails at every point.

    >>> print(check("x1**2*x2", lambda x: [x[0]*x[1], x[0]**2], at=[[1, 2], [3, 4]]).findings[0])
    wrong by a factor 1/2 in x1
    >>> check("Abs(x)", lambda x: 0.0, at=[0.0]).rows[0].status
    'convention'
    """
    limits = tolerance(rtol, atol)
    wrapped = [at] if isinstance(at, (Mapping, str)) or not _is_listed(at) else list(at)
    subject = subject_of(f, wrapped)
    call = gradient_of(grad, subject.names)
    points = _points(subject.names, at)
    judged = [subject.judged(point) for point in points]
    valued = [any(c.value is not None or _sided(c) for row in rows for c in row) for rows in judged]
    given = [asked(call, point, subject.m, subject.names) for point in points]
    answers = [k for k, (there, answer) in enumerate(zip(valued, given, strict=True)) if there and answer.numbers is not None]
    if not answers:
        return _without_numbers(subject, points, judged, valued, given)
    rows, evidence = _rows(subject, points, judged, given, answers, limits)
    findings = [*named(evidence), *_outside(points, rows), *_faults(points, given, valued)]
    return Check(subject.title, rows, findings, _notes(points, judged, rows, given), subject.source())


def _points(names: Sequence[str], at: Sequence[Any]) -> list[FloatArray]:
    if isinstance(at, (Mapping, str)) or not _is_listed(at):
        at = [at]
    elif len(names) > 1 and not any(np.iterable(x) for x in at):  # one point: its coordinates in order
        at = [at] if len(at) else []
    points = [coerce_one(x, names) for x in at]
    if not points:
        raise PointError("no point to check the gradient at; give at=[x, …]")
    return points


def _sided(component: Component) -> bool:
    """Whether there is a one-sided derivative."""
    return component.left is not None or component.right is not None


def _without_numbers(
    subject: Subject, points: list[FloatArray], judged: list[Rows], valued: list[bool], given: list[Given]
) -> Check:
    """For a gradient with no point that has both a truth and numbers. A wrong shape is a finding; the rest is an error."""
    fault = next((answer.fault for answer in given if answer.fault), "")
    if fault:
        return Check(subject.title, [], [fault], [], subject.source())
    if not any(valued):
        raise MethodError(f"there is no truth to judge by at {points[0].tolist()}: {judged[0][0][0].note}")
    k, error = next((k, answer.raised) for k, answer in enumerate(given) if valued[k] and answer.raised is not None)
    raise raised_at(error, points[k])


def _rows(
    subject: Subject, points: list[FloatArray], judged: list[Rows], given: list[Given], answers: list[int], limits: Tolerance
) -> tuple[list[CheckRow], Evidence]:
    """A row for each component, at the points that have an answer, and the numbers as evidence of slips."""
    rows: list[CheckRow] = []
    due, rooms = [], []
    for k in answers:
        numbers = given[k].numbers
        assert numbers is not None
        exact = np.array([[math.nan if c.value is None else float(c.value) for c in row] for row in judged[k]])
        room = subject.room(points[k])
        most = allowed(limits, room, np.nan_to_num(exact))
        if limits.scheme:
            most = np.maximum(most, allowed_to_difference(subject, points[k], limits.scheme, np.nan_to_num(exact)))
        rows += [
            _row(k, numbers[i, j], judged[k][i][j], most[i, j], i if subject.m > 1 else None)
            for i in range(subject.m)
            for j in range(len(subject.names))
        ]
        due.append(exact)
        rooms.append(room)
    shape = (len(answers), subject.m, len(subject.names))
    wrong = np.array([row.status == "wrong" and row.truth is not None for row in rows]).reshape(shape)
    got = np.array([given[k].numbers for k in answers])
    kinds = {given[k].precision for k in answers}
    return rows, Evidence(subject, [points[k] for k in answers], got, np.where(np.isnan(due), got, due), wrong, kinds, rooms)


def _row(k: int, value: float, component: Component, most: float, output: int | None) -> CheckRow:
    number, name = float(value), component.variable
    if component.value is None:
        status, note = _by_convention(number, component, most)
        return CheckRow(k, name, number, None, None, None, None, status, note, output)
    exact = component.value
    nearest = float(exact)
    exact = exact_number(exact)
    with working(400):
        error = abs(exact_number(number) - exact) if math.isfinite(number) else CONTEXT.inf
        relative = float(error / abs(exact)) if exact else (0.0 if not error else math.inf)
        ulps = float(error / unit_in_the_last_place(exact))
        may = float(most / abs(exact)) if exact else most
    right = float(error) <= most or number == nearest  # an overflow is right where the truth overflows too
    return CheckRow(k, name, number, nearest, relative, ulps, may, "right" if right else "wrong", "", output)


def _by_convention(value: float, component: Component, most: float) -> tuple[Status, str]:
    """At a kink: whether it lies between the derivatives of both sides, or is NaN, which says that there is none."""
    sides = [float(side) for side in (component.left, component.right) if side is not None]
    if not sides:
        return "not judged", component.note
    between = f"{in_words(component.left)} on the left, {in_words(component.right)} on the right"
    low, high = min(sides), max(sides)
    slack = max(most, 1e-9 * max((abs(side) for side in sides if math.isfinite(side)), default=0.0))
    if math.isnan(value) or low - slack <= value <= high + slack:
        return "convention", between
    return "wrong", between


def _outside(points: list[FloatArray], rows: list[CheckRow]) -> list[str]:
    """Sentences for numbers at a kink that lie outside the one-sided derivatives."""
    return [
        f"{row.value:.6g} at {points[row.point].tolist()} in {row.variable} is not between the one-sided derivatives, {row.note}"
        for row in rows
        if row.status == "wrong" and row.truth is None
    ]


def _faults(points: list[FloatArray], given: list[Given], valued: list[bool]) -> list[str]:
    """Answers without numbers, at points where f has a derivative."""
    found: dict[str, list[str]] = {}
    for point, answer, there in zip(points, given, valued, strict=True):
        said = answer.fault
        if answer.raised is not None and there:
            said = f"your gradient raised {type(answer.raised).__name__}: {answer.raised}"
        if said:
            found.setdefault(said, []).append(str(point.tolist()))
    return [f"{said} (at {', '.join(places[:3])}{', …' if len(places) > 3 else ''})" for said, places in found.items()]


def _notes(points: list[FloatArray], judged: list[Rows], rows: list[CheckRow], given: list[Given]) -> list[str]:
    """Sentences about conventions, and about points that could not be judged."""
    notes = []
    for row in rows:
        if row.status == "convention":
            what = "NaN" if math.isnan(row.value) else f"{row.value:.6g}"
            notes.append(f"f has no derivative in {row.variable} at {points[row.point].tolist()} ({row.note}): "
                         f"{what} is a convention, and as good as any between them")  # fmt: skip
        elif row.status == "not judged":
            notes.append(f"not judged in {row.variable} at {points[row.point].tolist()}: {row.note}")
    reached = {row.point for row in rows}
    for k, point in enumerate(points):
        if k not in reached and given[k].raised is None and not given[k].fault:
            notes.append(f"not judged at {point.tolist()}: {judged[k][0][0].note}")
        elif k not in reached and given[k].raised is not None:
            notes.append(f"at {point.tolist()} f has no derivative ({judged[k][0][0].note}), and your gradient raises")
    return list(dict.fromkeys(notes))


def _is_listed(at: Any) -> bool:
    try:
        return bool(np.ndim(at))
    except ValueError:  # a ragged list, which is refused as points later
        return True
