"""The complex step: f'(x) ≈ Im f(x + ih)/h, with no subtraction and so no roundoff error (Squire & Trapp 1998).

Every operation must be complex-analytic where it is evaluated. For |x|, max, floor or a branch the result would mean nothing.
So a formula with one of these is refused.

>>> from adlab.graph.lowering import lower
>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> complex_step(lower([sympy.exp(x)], [x]), [1.0])
array([[2.71828183]])
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.arithmetic.complex_numbers import COMPLEX, straight_line
from adlab.arithmetic.domain import explain
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.running import LARGE
from adlab.differences.differences import difference
from adlab.differences.estimates import NOT_ANALYTIC, UNCONFIRMED, UNDERFLOW, Estimate, checked_step, plain
from adlab.differences.quotients import NONFINITE, Bound, Value, checked_point
from adlab.differences.scrutiny import shown
from adlab.errors import DomainError, InaccurateError, MethodError
from adlab.graph.graph import Graph
from adlab.precision import UNIT_ROUNDOFF, in_patience
from adlab.primitives.ranges import TINIEST

STEP = 1e-20
"""Far below roundoff, so that the truncation error h²f'''/6 vanishes; far above underflow."""
NEAR = 1e-9  # times |x|: the largest step near 0
COMPANION = 8.0
"""A second step is so many times as long. A power of two scales Im f without rounding: only underflow, or an Im f that is no
multiple of h, changes the slope."""
AGREEING = 2.0**-46
"""Relative: what slopes at two such steps may differ by, some hundred roundings. If they differ by more, Im f is drowned."""
COMPILED = 8
"""Variables from which a walk for each of them, at two steps, pays for compiling it."""
DROWNED = "the imaginary part of f(x + ih) is drowned in rounding, or underflows"


def refusal(graph: Graph) -> str:
    """Why the complex step would be wrong for this graph; empty where it is right."""
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

    Raises MethodError where `refusal` has a reason, InaccurateError where no digit is left, and DomainError where f has no value
    or no derivative. (sqrt is not analytic at 0, although Im sqrt(ih)/h is a number.) The result is NaN where binary64
    overflows on the way.
    """
    reason = refusal(graph)
    if reason:
        raise MethodError(reason)
    if isinstance(edge := explain(graph, point, derivative=True), DomainError):
        raise edge
    steps = [default_step(x) if step is None else step for x in point]
    found, ranged = _slopes(graph, point, steps)
    if step is None:
        second, _ = _slopes(graph, point, [h * COMPANION for h in steps])
        with np.errstate(invalid="ignore"):  # ∞ − ∞; what is infinite at both steps is refused anyway
            drowned = np.abs(found - second) > AGREEING * np.maximum(np.abs(found), np.abs(second))
        if drowned.any():
            i, j = np.argwhere(drowned)[0]
            raise InaccurateError(
                f"{DROWNED}: {_partial(graph, i, j)} is {found[i, j]:.6g} at one step and {second[i, j]:.6g} at another; "
                "take another method"
            )
        for j in ranged:
            _confirm(graph, point, j, found)
    return found


def _confirm(graph: Graph, point: Sequence[float], j: int, found: npt.NDArray[np.float64]) -> None:
    """Raises InaccurateError where no real difference confirms the partials by variable j, one of which may have underflowed.

    The imaginary part of x² at 1e-160 is a product below all of binary64, at any step small enough, and 0 is left of it.
    """
    column = found[:, j]
    seen = difference(lambda x: _values(graph, x), point, j, CHECK)
    apart, error = np.abs(seen.df - column), np.broadcast_to(seen.error, column.shape)
    confirmed = (error <= SEEN * np.abs(column)) & (apart <= AGREES * error)
    if not confirmed.all():
        i = int(np.argmin(confirmed))
        raise InaccurateError(
            f"{DROWNED}: numbers leave the range of binary64 on the way to {_partial(graph, i, j)}, and no difference of real "
            "values confirms it; take another method"
        )


def _values(graph: Graph, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The outputs at a real point, shape (m,)."""
    values = evaluate(graph, x.tolist(), FLOATS)
    return np.array([values[output] for output in graph.outputs])


def _partial(graph: Graph, output: int, variable: int) -> str:
    """A partial in words: ∂f/∂x, or ∂f0/∂x of several outputs, counted from 0 as in every table."""
    return f"∂f{output if len(graph.outputs) > 1 else ''}/∂{graph.inputs[variable]}"


def _slopes(
    graph: Graph, point: Sequence[float], steps: Sequence[float]
) -> tuple[npt.NDArray[np.float64], list[int]]:
    """Im f(x + ih)/h, shape (m, n), with a step for each variable; NaN where f is infinite.

    And the variables for which a number has left the range of binary64 on the way.
    """
    columns, ranged, look = [], [], Range(graph)
    walk = _every_node(graph, len(steps))
    for j, h in in_patience(enumerate(steps)):
        moved: list[complex] = [complex(value) for value in point]
        moved[j] += 1j * h
        with np.errstate(all="ignore"):
            values = walk(*moved)
            if look.left(values, h):
                ranged.append(j)
            found = np.array([values[output] for output in graph.outputs], dtype=complex)
            # where f is infinite, the imaginary part means nothing
            columns.append(np.where(np.isfinite(found.real), found.imag / h, np.nan))
    return np.array(columns, dtype=float).T.reshape(len(graph.outputs), len(point)), ranged


def _every_node(graph: Graph, times: int) -> Callable[..., Sequence[Any]]:
    """The value of every node at a complex point. The walk is compiled where it is done many times."""
    if times < COMPILED or len(graph) > LARGE:
        return lambda *moved: evaluate(graph, moved, COMPLEX)
    return straight_line(Graph(graph.inputs, graph.nodes, tuple(range(len(graph)))))


class Range:
    """Whether numbers of a complex walk have left the range of binary64 on the way."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        looked = [i for i in graph.operations if graph.active[i] and not graph.nodes[i].primitive.compound]
        self.nodes = np.array(looked, dtype=int)
        self.never_zero = np.array([not graph.nodes[i].primitive.vanishes for i in looked], dtype=bool)
        self.operands = np.array([operand for i in looked for operand in graph.nodes[i].operands], dtype=int)
        self.starts = np.cumsum([0, *(len(graph.nodes[i].operands) for i in looked)])[:-1].astype(int)

    def left(self, values: Sequence[Any], h: float) -> bool:
        """Whether a real or imaginary part has lost bits to underflow: it is too small, or 0 where terms of it are too small."""
        if not len(self.nodes):
            return False
        if self.graph.compound:  # a loop has many results
            values = [value if np.ndim(value) == 0 else 0 for value in values]
        every = np.array(values, dtype=complex)
        real, imaginary = np.abs(every.real), np.abs(every.imag)
        here, beside = real[self.nodes], imaginary[self.nodes]
        finite = np.isfinite(every[self.nodes])
        vanished = (here == 0) & self.never_zero & np.logical_and.reduceat(real[self.operands] != 0, self.starts)
        small = _below(beside) | _below(here * h) | vanished
        if np.any(finite & small):
            return True
        still = finite & (beside == 0) & np.logical_or.reduceat(imaginary[self.operands] != 0, self.starts)
        return any(self._lost(int(i), values) for i in self.nodes[still])

    def _lost(self, i: int, values: Sequence[Any]) -> bool:
        """Whether a term of an imaginary part that is 0 is too small for binary64."""
        operands = self.graph.nodes[i].operands
        partials = FLOATS.partials(self.graph, i, [np.real(value) for value in values])
        terms = [(partial, values[operand].imag) for operand, partial in zip(operands, partials, strict=True)]
        return any(partial and part and abs(partial * part) < FEWER_BITS for partial, part in terms)


def _below(parts: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which of them have fewer bits than a double, but are not 0."""
    return (parts > 0) & (parts < FEWER_BITS)


# --- with an error estimate ---------------------------------------------------------------------------------------

Analytic = Callable[[npt.NDArray[np.complex128]], Any]
CHECK = "adaptive-difference"
FEWER_BITS = 2.0**-969  # 53 bits above the smallest normal number: below, a product may lose some to underflow
SEEN = 0.01  # relative: the error of a real difference that can still confirm a complex step
AGREES = 10.0  # times the errors of both estimates


def complex_difference(value: Analytic, x: npt.ArrayLike, index: int, step: float | None = None) -> Estimate:
    """∂f/∂xᵢ at x, shape (n,), for i = `index`. f takes complex arrays, (n,), and returns a number or (m,).

    A second step tells the error: the truncation error where the step is too large. A step that is too small loses Im f to
    underflow; then the flag is `underflow`. No error is below what the smallest double makes of Im f/h.
    Raises MethodError for an f that is real where its argument is not.

    >>> complex_difference(lambda x: np.exp(x[0]), [1.0], 0).df
    2.718281828459045
    >>> complex_difference(lambda x: np.exp(-x[0]), [40.0], 0, 1e-300).flags
    ('underflow',)
    """
    point = checked_point(x)
    default = default_step(float(point[index]))
    h = default if step is None else checked_step(step)
    other = h * (COMPANION if h == default else 2.0 ** round(math.log2(default / h)))
    with np.errstate(all="ignore"):
        found, second = (_slope(value, point, index, size) for size in (h, other))
        size, apart = np.maximum(np.abs(found), np.abs(second)), np.abs(found - second)
        least = max(TINIEST / max(h, other), TINIEST)
        error = np.where(np.isfinite(found), np.maximum(apart + 2 * UNIT_ROUNDOFF * np.abs(found), least), np.inf)
    flag, reason = "", ""
    if not np.isfinite(found).all():
        flag, reason = NONFINITE, "f(x + ih) has no finite imaginary part; try another point"
    elif h < other and np.any(apart > AGREEING * size):
        flag = UNDERFLOW
        tiny = f"h = {h:.3g} is so small that Im f(x + ih) underflows on the way; try the default, {STEP:g}"
        reason = f"{DROWNED}: two steps disagree; take another scheme" if step is None else tiny
    flags = (flag,) if flag else ()
    at = float(point[index])
    return Estimate(plain(found), plain(error), 2, h, "complex-step", flags, not flag, reason, x=at, nfev_scheme=1)


def checked_by_values(
    found: Estimate, value: Value, x: npt.ArrayLike, index: int, bound: Bound | None = None
) -> Estimate:
    """The estimate, compared with differences of real values.

    z|z| and z conj(z) answer for complex z but are not analytic: their complex step is half the derivative, or 0. A formula
    that passes through complex numbers where x is real leaves roundoff in Im f that is larger than any step. Values of f reveal
    both.

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
    """`STEP`, but smaller near 0. There f may change over lengths of |x|, and (h/x)² must vanish beside 1."""
    return min(STEP, NEAR * abs(x)) if x else STEP


def _slope(value: Analytic, point: npt.NDArray[np.float64], index: int, h: float) -> npt.NDArray[np.float64]:
    moved = point.astype(np.complex128)
    moved[index] += 1j * h
    found = np.asarray(value(moved))
    if found.dtype.kind != "c":
        raise MethodError("the complex step needs an analytic f, and this one gives real numbers for complex ones")
    return np.asarray(found.imag / h)
