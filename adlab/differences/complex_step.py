"""The complex step: f'(x) ≈ Im f(x + ih)/h, with no subtraction and so no roundoff to trade for (Squire & Trapp 1998).

It needs every operation to be complex-analytic where it is evaluated: |x|, max, floor or a branch would answer with
a number that means nothing, so such a formula is refused.

>>> from adlab.graph.lowering import lower
>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> complex_step(lower([sympy.exp(x)], [x]), [1.0])
array([[2.71828183]])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.arithmetic.complex_numbers import COMPLEX
from adlab.arithmetic.domain import explain
from adlab.arithmetic.numbers import evaluate
from adlab.differences.differences import difference
from adlab.differences.estimates import NOT_ANALYTIC, UNCONFIRMED, UNDERFLOW, Estimate, checked_step, plain
from adlab.differences.quotients import NONFINITE, Bound, Value, checked_point
from adlab.differences.scrutiny import shown
from adlab.differences.step_models import UNIT_ROUNDOFF
from adlab.errors import DomainError, MethodError
from adlab.graph.graph import Graph

STEP = 1e-20
"""Far below roundoff, so that the truncation error h²f'''/6 vanishes; far above underflow."""
NEAR = 1e-9  # times |x|
COMPANION = 1e-15  # a second step, for what the default is compared with
AGREEING = 2.0**-20  # relative: two steps whose slopes differ by more have both met rounding
DROWNED = "the imaginary part of f(x + ih) is drowned in rounding, or underflows"


def refusal(graph: Graph) -> str:
    """Why the complex step would be wrong for this graph; empty where it is sound."""
    for i in graph.operations:
        primitive, operands, _ = graph.nodes[i]
        if not any(graph.active[operand] for operand in operands):
            continue
        where = f"{graph.names[i]} = {graph.written(i)}"
        if not primitive.analytic:
            return f"the complex step needs an analytic formula, and {where} is not complex-differentiable"
        if not primitive.has_complex:
            return f"the complex step needs complex values, and there are none here for {where}"
    return ""


def complex_step(graph: Graph, point: Sequence[float], step: float | None = None) -> npt.NDArray[np.float64]:
    """The Jacobian, shape (m, n), from n complex evaluations.

    Raises MethodError where `refusal` has a reason, DomainError where f has no value or no derivative: sqrt is not
    analytic at 0, where Im sqrt(ih)/h is a number all the same. NaN where binary64 overflows on the way.
    """
    reason = refusal(graph)
    if reason:
        raise MethodError(reason)
    if isinstance(edge := explain(graph, point, derivative=True), DomainError):
        raise edge
    steps = [default_step(x) if step is None else step for x in point]
    found = _slopes(graph, point, steps)
    if step is None:
        second = _slopes(graph, point, [h * (COMPANION / STEP) for h in steps])
        with np.errstate(invalid="ignore"):  # ∞ − ∞: what is infinite at both steps is refused for that
            drowned = np.abs(found - second) > AGREEING * np.maximum(np.abs(found), np.abs(second))
        if drowned.any():
            i, j = np.argwhere(drowned)[0]
            raise MethodError(
                f"{DROWNED}: the derivative of output {i} by variable {j} is {found[i, j]:.6g} at one step and "
                f"{second[i, j]:.6g} at another; take another method"
            )
    return found


def _slopes(graph: Graph, point: Sequence[float], steps: Sequence[float]) -> npt.NDArray[np.float64]:
    """Im f(x + ih)/h, shape (m, n), with a step for each variable; NaN where f is infinite."""
    columns = []
    for j, h in enumerate(steps):
        moved: list[complex] = [complex(value) for value in point]
        moved[j] += 1j * h
        with np.errstate(all="ignore"):
            values = evaluate(graph, moved, COMPLEX)
            found = np.array([values[output] for output in graph.outputs], dtype=complex)
            # of an f that is infinite, what is left beside it means nothing
            columns.append(np.where(np.isfinite(found.real), found.imag / h, np.nan))
    return np.array(columns, dtype=float).T.reshape(len(graph.outputs), len(point))


# --- with an error estimate ---------------------------------------------------------------------------------------

Analytic = Callable[[npt.NDArray[np.complex128]], Any]
CHECK = "adaptive-difference"
AGREES = 10.0  # times the errors of both, which are estimates
SAME = 2.0**-46  # relative: what agrees so well differs by rounding only


def complex_difference(value: Analytic, x: npt.ArrayLike, index: int, step: float | None = None) -> Estimate:
    """∂f/∂xᵢ at x, shape (n,), for i = `index`, of an f that takes complex arrays, (n,) to a number or (m,).

    The error is what a second step makes of it: truncation for one too large. One too small loses Im f to underflow,
    and there the flag is `underflow`. Raises MethodError for an f that is real where its argument is not.

    >>> complex_difference(lambda x: np.exp(x[0]), [1.0], 0).df
    2.718281828459045
    >>> complex_difference(lambda x: np.exp(-x[0]), [40.0], 0, 1e-300).flags
    ('underflow',)
    """
    point = checked_point(x)
    h = default_step(float(point[index])) if step is None else checked_step(step)
    other = default_step(float(point[index]))
    other = other if h != other else other * (COMPANION / STEP)
    with np.errstate(all="ignore"):
        found, second = (_slope(value, point, index, size) for size in (h, other))
    size, apart = np.maximum(np.abs(found), np.abs(second)), np.abs(found - second)
    error = np.where(np.isfinite(found), apart + 2 * UNIT_ROUNDOFF * np.abs(found), np.inf)
    flag, reason = "", ""
    if not np.isfinite(found).all():
        flag, reason = NONFINITE, "f(x + ih) has no finite imaginary part; try another point"
    elif h < other and np.any(apart > SAME * size):
        flag = UNDERFLOW
        tiny = f"h = {h:.3g} is so small that Im f(x + ih) underflows on the way; try the default, {STEP:g}"
        reason = f"{DROWNED}: two steps disagree; take another scheme" if step is None else tiny
    flags = (flag,) if flag else ()
    at = float(point[index])
    return Estimate(plain(found), plain(error), 2, h, "complex-step", flags, not flag, reason, x=at, nfev_scheme=1)


def checked_by_values(
    found: Estimate, value: Value, x: npt.ArrayLike, index: int, bound: Bound | None = None
) -> Estimate:
    """The estimate, after differences of real values have been held against it.

    z|z| and z conj(z) answer for complex z, and are not analytic: their complex step is half of the derivative, or 0. What passes
    through complex numbers where x is real leaves roundoff in Im f that no step is larger than. Values of f tell.

    >>> wrong = complex_difference(lambda z: z[0] * abs(z[0]), [1.0], 0)
    >>> wrong.df, wrong.success, checked_by_values(wrong, lambda x: x[0] * abs(x[0]), [1.0], 0).flags
    (1.0, True, ('not_analytic',))
    """
    if not found.success:
        return found
    seen = difference(value, x, index, CHECK, bound=bound)
    nfev = found.nfev + seen.nfev
    apart = np.abs(np.subtract(found.df, seen.df))
    if np.all(apart <= AGREES * np.add(seen.error, found.error)):
        return replace(found, nfev=nfev)
    if not seen.success:
        reason = f"no real difference could confirm the complex step: {seen.reason}"
        return replace(found, nfev=nfev, success=False, flags=(*found.flags, UNCONFIRMED), reason=reason)
    reason = (
        f"the complex step gives {shown(np.asarray(found.df))}, real differences {shown(np.asarray(seen.df))}: f is not "
        "analytic where its argument is complex, or rounding drowns its imaginary part; take another scheme"
    )
    return replace(found, nfev=nfev, success=False, flags=(*found.flags, NOT_ANALYTIC), reason=reason)


def default_step(x: float) -> float:
    """`STEP`; near 0 less, for f may change there over lengths of |x|: (h/x)² must vanish beside 1."""
    return min(STEP, NEAR * abs(x)) if x else STEP


def _slope(value: Analytic, point: npt.NDArray[np.float64], index: int, h: float) -> npt.NDArray[np.float64]:
    moved = point.astype(np.complex128)
    moved[index] += 1j * h
    found = np.asarray(value(moved))
    if found.dtype.kind != "c":
        raise MethodError("the complex step needs an analytic f, and this one gives real numbers for complex ones")
    return np.asarray(found.imag / h)
