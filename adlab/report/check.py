"""Someone's own gradient, judged: right or wrong component by component, and what kind of slip the numbers look like.

A tool that returns one absolute number cannot tell a bug from a scale. Here each component is held against the truth
in units in the last place, with what the conditioning of the point allows, and a wrong one is compared with the
wrong answers that people make: a sign, a factor, a transposed Jacobian, a path left out, single precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

from adlab.autodiff.sweeps import forward
from adlab.errors import MethodError, OptionError, PointError
from adlab.function import Function, as_function
from adlab.graph.arithmetic import FLOATS, evaluate
from adlab.points import FloatArray, coerce
from adlab.report.accuracy import unit_in_the_last_place
from adlab.report.conditioning import UNIT, conditioning
from adlab.report.truth import truth
from adlab.tables import Report, Table, significant

ALLOWED_ULPS = 1000
"""A component is right if its relative error is below so many roundings, times the condition number of the point."""
LIKE = 1e-6
"""Two numbers are taken for the same slip if they agree this well."""
FACTORS = [Fraction(p, q) for p in range(1, 13) for q in range(1, 13) if math.gcd(p, q) == 1 and p != q]


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
    wrong = sorted({((row.output or 0), f.names.index(row.variable)) for row in rows if not row.right})
    return Check(f.title, rows, _findings(f, points, given, exact, wrong) if wrong else [])


def _points(f: Function, at: Sequence[Any]) -> list[FloatArray]:
    if isinstance(at, dict) or (f.n > 1 and np.ndim(at) == 1 and not any(isinstance(x, dict) for x in at)):
        at = [at]
    points = [coerce(x, f.names) for x in at]
    if not points:
        raise PointError("no point to check the gradient at; give at=[x, …]")
    return points


def _given(f: Function, grad: Callable[[FloatArray], Any], point: FloatArray) -> FloatArray | str:
    """The user's numbers as (m, n), or what is wrong with their shape."""
    try:
        found = grad(point.copy())
        if hasattr(found, "detach"):
            found = found.detach().cpu()
        values = np.asarray(found, dtype=float)
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
    """The relative error that rounding may cause, component by component."""
    known = conditioning(f, point).partials
    kappa = np.ones((f.m, f.n)) if known is None else np.where(np.isfinite(known), np.maximum(known, 1.0), 1.0)
    return ALLOWED_ULPS * UNIT * kappa


def _row(f: Function, k: int, i: int, j: int, value: float, exact: Any, allowed: float) -> CheckRow:
    with mpmath.workprec(400):
        error = abs(mpmath.mpf(float(value)) - exact) if math.isfinite(value) else mpmath.inf
        relative = float(error / abs(exact)) if exact else (0.0 if not error else math.inf)
        ulps = float(error / unit_in_the_last_place(exact))
    tiny = float(error) <= 1e3 * 5e-324
    return CheckRow(k, f.names[j], float(value), float(exact), relative, ulps, float(allowed),
                    relative <= allowed or tiny, i if f.m > 1 else None)  # fmt: skip


# --- what kind of slip ----------------------------------------------------------------------------------------------

Cells = list[tuple[int, int]]


def _findings(
    f: Function, points: list[FloatArray], given: list[Any], exact: list[list[list[Any]]], wrong: Cells
) -> list[str]:
    got, due = np.array(given), np.array([[[float(v) for v in row] for row in sharp] for sharp in exact])
    if f.m == f.n > 1 and _alike(got, np.swapaxes(due, 1, 2)):
        return ["transposed: entry (i, j) is where entry (j, i) is due"]
    swapped = _swapped(f, got, due, wrong)
    if swapped:
        return [swapped]
    found: dict[str, list[str]] = {}
    for i, j in wrong:
        slip = _slip(f, points, got[:, i, j], due[:, i, j], i, j)
        found.setdefault(slip, []).append(f.names[j] if f.m == 1 else f"∂f{i}/∂{f.names[j]}")
    return [slip.format(where=", ".join(names)) for slip, names in found.items()]


def _alike(a: Any, b: Any, tolerance: float = LIKE) -> bool:
    return bool(np.all(np.abs(a - b) <= tolerance * np.maximum(np.abs(a), np.abs(b))))


def _swapped(f: Function, got: FloatArray, due: FloatArray, wrong: Cells) -> str:
    """Two components in each other's place."""
    if len(wrong) != 2 or wrong[0][0] != wrong[1][0]:
        return ""
    (i, j), (_, k) = wrong
    crossed = _alike(got[:, i, j], due[:, i, k]) and _alike(got[:, i, k], due[:, i, j])
    return f"{f.names[j]} and {f.names[k]} are in each other's place" if crossed else ""


def _slip(f: Function, points: list[FloatArray], got: FloatArray, due: FloatArray, i: int, j: int) -> str:
    """The sentence for one wrong component, `{where}` standing for its name; alike slips are told together."""
    if not np.isfinite(got).all():
        return "not a finite number in {where}"
    relative = np.max(np.abs(got - due) / np.maximum(np.abs(due), 5e-324))
    if relative < 1e-3:
        if 1e-9 < relative < 3e-6:
            return "accurate to single precision only in {where}, or to that of a difference quotient"
        return f"right to {-math.log10(relative):.0f} digits only in {{where}}"
    if _alike(got, -due):
        return "sign of {where}"
    for factor in FACTORS:
        for sign, shown in ((1, str(factor)), (-1, f"-{factor}")):
            if _alike(got, sign * float(factor) * due):
                return f"wrong by a factor {shown} in {{where}}"
    if not got.any():
        return "nothing arrives at {where}: it is 0 everywhere"
    return _missing_path(f, points, got, due, i, j) or "wrong in a way that is none of the usual slips in {where}"


def _missing_path(f: Function, points: list[FloatArray], got: FloatArray, due: FloatArray, i: int, j: int) -> str:
    """A node such that leaving out every path through it gives these numbers; the first such in the list."""
    missing = np.array([_through(f, point, i, j) for point in points])  # (points, nodes)
    for node in f.graph.operations:
        part = missing[:, node]
        if node != f.graph.outputs[i] and np.any(part) and _alike(got, due - part):
            return f"missing the path through {f.graph.names[node]} = {f.graph.written(node)} in {{where}}"
        if node != f.graph.outputs[i] and np.any(part) and _alike(got, due - 2 * part):
            return f"sign of the path through {f.graph.names[node]} = {f.graph.written(node)} in {{where}}"
    return ""


def _through(f: Function, point: FloatArray, i: int, j: int) -> FloatArray:
    """For every node what all paths from variable j to output i through it add up to: adjoint × tangent."""
    traced = f.trace(point, output=i)
    values = evaluate(f.graph, point.tolist(), FLOATS)
    tangents = forward(f.graph, values, {j: 1.0}, FLOATS)
    return np.array([traced.adjoints.get(v, 0.0) * tangents.get(v, 0.0) for v in range(len(f.graph))])
