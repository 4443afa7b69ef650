"""Someone's own gradient, judged: right or wrong component by component, and what kind of slip the numbers look like.

A tool that returns one absolute number cannot tell a bug from a scale. Here each component is held against the truth
in units in the last place, with what the conditioning of the point allows, and a wrong one is compared with the
wrong answers that people make (`slips`): a sign, a factor, a transposed Jacobian, a path left out, single precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import mpmath
import numpy as np

from adlab.display import Report, Table, significant
from adlab.errors import MethodError, OptionError, PointError
from adlab.function import Function, as_function
from adlab.inputs import FloatArray, coerce_one
from adlab.report.accuracy import unit_in_the_last_place
from adlab.report.conditioning import UNIT, conditioning
from adlab.report.slips import Evidence, named
from adlab.report.truth import truth

LARGEST_ALLOWED = 0.1  # relative: what is off by more is not right, however ill-conditioned the point
ALLOWED_ULPS = 1000
"""A component is right if its relative error is below so many roundings, times the condition number of the point."""


@dataclass(frozen=True)
class CheckRow:
    """One component at one point; `allowed` is the relative error that rounding may cause here."""

    point: int
    variable: str
    value: float
    truth: float
    relative_error: float
    ulps: float
    allowed: float
    right: bool
    output: int | None = None


@dataclass(frozen=True)
class Check(Report):
    """`rows` for every point and component, and `findings`, a sentence for each slip; `passed` if there is none."""

    name: str
    rows: list[CheckRow]
    findings: list[str]

    @property
    def passed(self) -> bool:
        """Whether every component is right at every point."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """`passed`, `findings`, `rows`."""
        return {"passed": self.passed, "findings": self.findings, "rows": [asdict(row) for row in self.rows]}

    def sections(self) -> list[Table | str]:
        """What was found, then the rows."""
        head = ["point", "output", "variable", "value", "truth", "relative error", "allowed", "ulps", "right"]
        rows = [
            [str(r.point), "–" if r.output is None else str(r.output), r.variable, f"{r.value:.17g}", f"{r.truth:.17g}",
             "< 1.1e-16" if r.relative_error < UNIT else f"{r.relative_error:.2g}", f"{r.allowed:.1g}",
             "< 1" if r.ulps < 1 else significant(r.ulps, 3), "yes" if r.right else "NO"]
            for r in self.rows
        ]  # fmt: skip
        said = "\n".join(f"• {finding}" for finding in self.findings) or "• every component is right"
        return [f"your gradient of {self.name}\n{said}", Table("", head, rows, frozenset(head[3:8]))]


def check(f: Any, grad: Callable[[FloatArray], Any], at: Sequence[Any]) -> Check:
    """Judges a gradient function of your own, `grad(x)` → shape (n,) (or (m, n)), at each of the points `at`.

    Raises OptionError where `grad` is not callable, MethodError where it fails or there is no truth to judge by.

    >>> print(check("x1**2*x2", lambda x: [x[0]*x[1], x[0]**2], at=[[1, 2], [3, 4]]).findings[0])
    wrong by a factor 1/2 in x1
    """
    f = as_function(f)
    if not callable(grad):
        raise OptionError(f"the gradient to check must be a function of a point, not {type(grad).__name__}")
    points = _points(f, at)
    given: list[FloatArray] = []
    for point in points:
        values = _given(f, grad, point)
        if isinstance(values, str):  # of the wrong shape, which says enough
            return Check(f.title, [], [values])
        given.append(values)
    exact = [_exact(f, point) for point in points]
    rows = [
        _row(f, k, i, j, mine[i, j], sharp[i][j], allowed[i, j])
        for k, (mine, sharp, allowed) in enumerate(zip(given, exact, (_allowed(f, p) for p in points), strict=True))
        for i in range(f.m)
        for j in range(f.n)
    ]
    got, shape = np.array(given), (len(points), f.m, f.n)
    due, wrong = (np.array(column).reshape(shape) for column in ([r.truth for r in rows], [not r.right for r in rows]))
    return Check(f.title, rows, named(Evidence(f, points, got, due, wrong)))


def _points(f: Function, at: Sequence[Any]) -> list[FloatArray]:
    if isinstance(at, Mapping) or not np.ndim(at) or isinstance(at, str):
        at = [at]
    elif f.n > 1 and not any(np.iterable(x) for x in at):  # one point, its coordinates in order
        at = [at] if len(at) else []
    points = [coerce_one(x, f.names) for x in at]
    if not points:
        raise PointError("no point to check the gradient at; give at=[x, …]")
    return points


def _given(f: Function, grad: Callable[[FloatArray], Any], point: FloatArray) -> FloatArray | str:
    """The user's numbers as (m, n), or what is wrong with their shape or kind."""
    try:
        found = grad(point.copy())
        if isinstance(found, tuple) and len(found) == 2 and np.size(found[0]) < np.size(found[1]):
            return "two things come back, as a value and a gradient; the gradient alone is due"
        if hasattr(found, "detach"):
            found = found.detach().cpu()
        numbers = np.asarray(found)
        if np.iscomplexobj(numbers) and np.any(numbers.imag):
            return f"complex numbers come back at {point.tolist()}, and real ones are due"
        values = np.asarray(numbers.real, dtype=float)
    except Exception as error:  # whatever a stranger's function may raise
        raise MethodError(f"your gradient raised {type(error).__name__} at {point.tolist()}: {error}") from error
    if f.m == 1 and values.size == f.n and values.ndim <= 2:
        return values.reshape(1, f.n)
    if values.shape == (f.m, f.n):
        return values
    if values.shape == (f.n, f.m):
        return f"transposed: the shape is {values.shape} where (m, n) = ({f.m}, {f.n}) is due"
    return f"the shape is {values.shape} where ({f.n},) is due" if f.m == 1 else (
        f"the shape is {values.shape} where (m, n) = ({f.m}, {f.n}) is due")  # fmt: skip


def _exact(f: Function, point: FloatArray) -> list[list[Any]]:
    judged = truth(f, point)
    if judged.status == "unavailable":
        raise MethodError(f"there is no truth to judge by at {point.tolist()}: {judged.reason}")
    return [[judged.component(i, j).value for j in range(f.n)] for i in range(f.m)]


def _allowed(f: Function, point: FloatArray) -> FloatArray:
    """The absolute error that rounding may cause for each component beyond roundings of its own: by those of the inputs."""
    known = conditioning(f, point).spread
    return np.zeros((f.m, f.n)) if known is None else ALLOWED_ULPS * UNIT * np.where(np.isfinite(known), known, 0.0)


def _row(f: Function, k: int, i: int, j: int, value: float, exact: Any, spread: float) -> CheckRow:
    nearest = float(exact)
    with mpmath.workprec(400):
        error = abs(mpmath.mpf(float(value)) - exact) if math.isfinite(value) else mpmath.inf
        relative = float(error / abs(exact)) if exact else (0.0 if not error else math.inf)
        ulps = float(error / unit_in_the_last_place(exact))
        allowed = min(max(ALLOWED_ULPS * UNIT, float(spread / abs(exact)) if exact else 0.0), LARGEST_ALLOWED)
        spread = min(spread, LARGEST_ALLOWED * float(abs(exact))) if exact else spread
    right = relative <= allowed or float(error) <= max(spread, 1e3 * 5e-324) or value == nearest  # an overflow among them
    return CheckRow(k, f.names[j], float(value), nearest, relative, ulps, allowed, bool(right), i if f.m > 1 else None)
