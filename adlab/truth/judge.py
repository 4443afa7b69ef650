"""Value and gradient of a formula to 30 digits: certified in ball arithmetic, else from high-precision values alone.

No graph and no engine takes part, so none of their mistakes can agree with the truth. Where python-flint is installed,
`adlab.truth.certified` proves a radius. What it cannot certify (a kink, a gap, a jump) is judged here, and so is everything
where python-flint is missing. No rule of differentiation is used. For every partial the quotients (f(x ± h) − f(x))/(±h) are
taken on *both* sides of x, at two steps and two precisions. Left and right, near and far must agree to the digits asked for.
Otherwise there is no derivative, or none that can be found this way; the truth says so and gives the one-sided ones. A central
difference would not do: at 0 it gives 0 for |x|, which has no derivative there.

The step must be small beside everything in the formula: beside x, and beside the size of every constant and intermediate value.
The precision must be enough for what the formula cancels. Both are measured (`State.extent`, running errors). Two precisions
that are both too low would agree on a wrong number: ``x*(1 + (exp(1e-80) - 1)*1e80)`` gives x at 60 and at 75 digits.

Such a truth is labelled "heuristic": values at finitely many points prove nothing about a limit.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy

from adlab import precision
from adlab.errors import DomainError, OptionError, PointError
from adlab.precision import patience, seconds_left
from adlab.truth.limits import GUARD_BITS, LATE, Limit, Pair, limit, one_sided
from adlab.truth.meanings import CONTEXT, bits_of, exact, exported, magnitude, mp_text, working
from adlab.truth.values import Outcome, Plan, State, plan

Status = Literal["certified", "heuristic", "unavailable"]
MOST_DIGITS = 1000
"""Digits that may be asked for; more than a thousand is a slip, and special functions would take long."""
VALUE_BITS = 2500  # the most, beyond the digits, for a value; one that is still smaller than its error then counts as 0
REAL_BITS = 1400  # an imaginary part below a rounding at so many bits counts as 0: no single operation on doubles leaves less
LARGEST_EXTENT = 1100  # bits: the range of binary64
SECONDS = 20.0  # for all partials that are judged from values
RUNGS = (1, 3)  # step sizes: the second, far smaller pair of steps is used where the first did not settle
OLDEST_FLINT = 0, 9
COMPLEX_HERE = "the value is complex here: "
COMPLEX_INSIDE = "f is real here, though an intermediate value is complex"


class Sides(NamedTuple):
    """The limits of the quotients from the left and the right, and the derivative if they are one number."""

    left: Limit
    right: Limit
    agreed: Limit | None


_ZERO = Limit("finite", CONTEXT.zero, CONTEXT.zero)
NOTHING = CONTEXT.zero, CONTEXT.zero  # the partial by a variable that does not occur, and its radius
UNPROVED = SimpleNamespace(values={}, derivatives={}, complex_inside=set(), complex_values={}, reason="")
INDIFFERENT = Sides(_ZERO, _ZERO, _ZERO)  # for a variable that does not occur


@dataclass(frozen=True)
class Component:
    """One partial derivative. `value` and `radius` (a bound on its error) are None where it is unavailable.

    Then `left` and `right` are the one-sided derivatives, as far as they exist.
    """

    output: int
    variable: str
    status: Status
    value: Any = None
    radius: Any = None
    left: Any = None
    right: Any = None
    note: str = ""


def weakest(components: Iterable[Component]) -> Status:
    """The weakest status of any of them; "heuristic" if there are none."""
    order: list[Status] = ["certified", "heuristic", "unavailable"]
    return max((component.status for component in components), key=order.index, default="heuristic")


@dataclass(frozen=True)
class OutputTruth:
    """The value of one output, a bound on its error, and its partials, one for each variable."""

    value: Any
    radius: Any
    note: str
    partials: tuple[Component, ...]


@patience(SECONDS)
def gradient_truth(
    expressions: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol], point: Sequence[Any], digits: int = 30
) -> list[OutputTruth]:
    """Value and partials of each expression at a point of exact numbers, to `digits` digits.

    Raises PointError for a point that is not finite, OptionError for digits out of range, and what `plan` raises.

    >>> x = sympy.Symbol("x")
    >>> [found] = gradient_truth([sympy.exp(x)], [x], [1.0])
    >>> print(mp_text(found.partials[0].value, 30))
    2.71828182845904523536028747135
    """
    numbers = checked(point, digits)
    made = plan(expressions, variables)
    proof = proved(made, numbers, digits)
    pairs = [(i, j) for i in range(len(made.outputs)) for j in range(len(variables)) if made.depends(i, j)]
    unvalued = {i for i in range(len(made.outputs)) if i not in proof.values}
    unvalued -= set(proof.complex_values)
    pairs = [pair for pair in pairs if pair[0] not in proof.complex_values]
    left = [pair for pair in pairs if pair[0] in unvalued or (*pair, 1) not in proof.derivatives]
    unproved = unvalued | {i for i, _ in left}
    judged = heuristic(made, numbers, digits, left, unproved) if unproved else {}
    return [_merged(made, i, proof, judged.get(i)) for i in range(len(made.outputs))]


def checked(point: Sequence[Any], digits: int) -> list[Any]:
    """The point as exact numbers. Raises PointError and OptionError for a point or a number of digits that has no truth."""
    if not (isinstance(digits, (int, np.integer)) and 1 <= digits <= MOST_DIGITS):
        raise OptionError(f"`digits` is {digits!r}; it must be a whole number from 1 to {MOST_DIGITS}")
    try:
        numbers = [exact(number) for number in point]
    except (TypeError, ValueError):
        raise PointError(f"a point must be a sequence of real numbers, got {list(point)!r}") from None
    if any(hasattr(number, "_mpc_") for number in numbers):
        raise PointError(f"a point must be a sequence of real numbers, got {list(point)!r}")
    if not all(CONTEXT.isfinite(number) for number in numbers):
        raise PointError("the truth is known at finite points only; give finite numbers")
    return numbers


@cache
def certifying() -> bool:
    """Whether python-flint is installed, and new enough to mix real and complex series."""
    if importlib.util.find_spec("flint") is None:
        return False
    major, minor = re.findall(r"\d+", importlib.import_module("flint").__version__)[:2]
    return (int(major), int(minor)) >= OLDEST_FLINT


def proved(made: Plan, point: Sequence[Any], digits: int, **asked: Any) -> Any:
    """The `Certificate` of what can be certified. It is empty for code, which has no steps, and where python-flint is missing."""
    if not (isinstance(made, Plan) and certifying()):
        return UNPROVED
    from adlab.truth.certified.proof import prove

    return prove(made, point, digits, **asked)


def _merged(made: Plan, output: int, proof: Any, judged: OutputTruth | None) -> OutputTruth:
    """What was certified of an output; the rest is as it was judged from values."""
    if output in proof.complex_values:
        return _without_value(made, output, COMPLEX_HERE + complex_text(proof.complex_values[output]))
    if judged is not None and proof.reason:
        judged = replace(judged, partials=tuple(_explained(partial, proof.reason) for partial in judged.partials))
    if output not in proof.values and judged is not None:
        return judged
    value, radius = map(exported, proof.values[output])
    note = COMPLEX_INSIDE if output in proof.complex_inside else ""
    partials = [
        certified(output, variable.name, proof.derivatives.get((output, j, 1), NOTHING), note)
        if judged is None or not made.depends(output, j) or (output, j, 1) in proof.derivatives
        else judged.partials[j]
        for j, variable in enumerate(made.variables)
    ]
    return OutputTruth(value, radius, note, tuple(partials))


def certified(output: int, variable: str, found: Any, note: str = "") -> Component:
    """A proved derivative. For a zero, the note says what it means."""
    value, radius = map(exported, found)
    if not value and found is not NOTHING:
        zero = "0 within the absolute radius given, below any binary64 number" if radius else "exactly 0"
        note = "; ".join(filter(None, [zero, note]))
    return Component(output, variable, "certified", value, radius, note=note)


def _explained(partial: Component, reason: str) -> Component:
    """A partial that is judged from values, with the reason why it is not certified."""
    if partial.status != "heuristic":
        return partial
    return replace(partial, note="; ".join(filter(None, [partial.note, f"not certified: {reason}"])))


def heuristic(
    made: Plan, point: Sequence[Any], digits: int, asked: Sequence[Pair], outputs: Iterable[int]
) -> dict[int, OutputTruth]:
    """Outputs and partials judged from values alone."""
    state, extent = _evaluated(made, point, digits)
    outcomes = state.outcomes()
    objections = {i: _objection(outcomes[i], state.bits, digits, extent) for i in outputs}
    pairs = [(i, j) for i, j in asked if not objections[i]]
    sides = _both_sides(made, point, pairs, digits, extent)
    n = range(len(made.variables))
    return {
        i: _judged(i, outcomes[i], objections[i], state, [sides.get((i, j), INDIFFERENT) for j in n], made.variables)
        for i in outputs
    }


def _evaluated(made: Plan, point: Sequence[Any], digits: int) -> tuple[State, int]:
    """The plan with enough bits for every output to be good to `digits`, if possible; and the extent of its values."""
    state = made.base(point, bits_of(digits) + GUARD_BITS)
    extent = min(state.extent(), LARGEST_EXTENT)
    if state.bits < REAL_BITS and not all(outcome.real for outcome in state.outcomes()):
        state = made.base(point, REAL_BITS)
    while state.bits < bits_of(digits) + VALUE_BITS and any(_vague(outcome, digits) for outcome in state.outcomes()):
        state = made.base(point, 2 * state.bits)
    return state, extent


def values_to(made: Plan, point: Sequence[Any], digits: int) -> list[Any]:
    """The outputs at a point of exact numbers, each an mpf good to `digits` digits.

    Raises DomainError where an output has no real value, or none that can be told, and what `checked` raises.
    """
    state, extent = _evaluated(made, checked(point, digits), digits)
    outcomes = state.outcomes()
    for outcome in outcomes:
        if objection := _objection(outcome, state.bits, digits, extent):
            raise DomainError(objection)
    return [exported(outcome.value) for outcome in outcomes]


def _vague(outcome: Outcome, digits: int) -> bool:
    if outcome.value is None:
        return bool(outcome.error != 0)
    return bool(outcome.error > abs(outcome.value) * CONTEXT.mpf(10) ** -digits)


def gradient_in_floats(
    expression: Any, variables: tuple[sympy.Symbol, ...], point: Sequence[float], digits: int
) -> list[float] | None:
    """The true gradient of one expression, each partial rounded to binary64; None where a partial cannot be told."""
    [found] = gradient_truth([expression], variables, point, digits)
    values = [partial.value for partial in found.partials]
    return None if None in values else [float(value) for value in values]


def complex_text(number: Any, digits: int = 8) -> str:
    """A complex number for a message. A real part that is only rounding beside the imaginary one is written as 0.

    >>> complex_text(CONTEXT.mpc("5e-80", "-3.14159265358979"))
    '(0.0 - 3.1415927j)'
    """
    rounding = abs(number.real) <= CONTEXT.ldexp(abs(number.imag), -53)
    return mp_text(CONTEXT.mpc(0 if rounding else number.real, number.imag), digits)


def _objection(outcome: Outcome, bits: int, digits: int, extent: int) -> str:
    """Why there can be no derivative: there is no real value, or none that can be told."""
    if outcome.failure is not None:
        return str(outcome.failure.error())
    with working(bits):
        is_zero = abs(outcome.value) <= outcome.error <= CONTEXT.ldexp(1, -bits_of(digits) - extent)
        if _vague(outcome, digits) and not is_zero:
            return f"the value cannot be told with {bits} bits: a jump, a comparison or a cancellation hides it"
    if hasattr(outcome.value, "_mpc_"):
        return COMPLEX_HERE + complex_text(outcome.value)
    return ""


def _both_sides(made: Plan, point: Sequence[Any], pairs: Sequence[Pair], digits: int, extent: int) -> dict[Pair, Sides]:
    """The limits left and right for each pair. Where they give no derivative, far smaller steps are tried too."""
    found: dict[Pair, Sides] = {}
    deadline = precision.clock() + min(SECONDS, seconds_left())
    todo = list(pairs)
    for rung in RUNGS:
        far = rung * (bits_of(digits) + GUARD_BITS + extent)
        near = far * 3 // 2
        coarse, fine = (one_sided(made, point, todo, shift, digits, deadline) for shift in (far, near))
        with working(near + 2 * bits_of(digits)):
            for i, j in todo:
                floor = CONTEXT.ldexp(1, -bits_of(digits) - extent - magnitude(point[j]))
                ends = zip(coarse[i, j], fine[i, j], strict=True)
                left, right = (limit(a, b, near - far, digits, rung == RUNGS[-1], floor) for a, b in ends)
                if (i, j) in found:  # what is lost nearer to the point was seen from farther away
                    left, right = _seen(found[i, j].left, left), _seen(found[i, j].right, right)
                found[i, j] = Sides(left, right, agreed(left, right, digits))
        todo = [pair for pair in todo if found[pair].agreed is None and found[pair].left.reason != LATE.reason]
    return found


def _seen(far: Limit, near: Limit) -> Limit:
    return far if near.kind == "open" and far.kind == "finite" else near


def agreed(left: Limit, right: Limit, digits: int) -> Limit | None:
    """The derivative, if the limits of both sides are one number."""
    if left.kind != "finite" or right.kind != "finite":
        return None
    apart = abs(left.value - right.value)
    if apart > max(abs(left.value), abs(right.value)) * CONTEXT.mpf(10) ** -digits:
        return None
    return Limit("finite", (left.value + right.value) / 2, apart + max(left.radius, right.radius))


def _judged(
    output: int, outcome: Outcome, objection: str, state: State, sides: list[Sides], variables: tuple[sympy.Symbol, ...]
) -> OutputTruth:
    if objection:
        return _without_value(state.plan, output, objection)
    note = COMPLEX_INSIDE if any(hasattr(value, "_mpc_") for value in state.plan.used(state.slots, output)) else ""
    partials = [_component(output, variable.name, side, note) for variable, side in zip(variables, sides, strict=True)]
    value = CONTEXT.zero if abs(outcome.value) <= outcome.error else outcome.value
    return OutputTruth(exported(value), exported(outcome.error), note, tuple(partials))


def _without_value(made: Plan, output: int, objection: str) -> OutputTruth:
    partials = [Component(output, variable.name, "unavailable", note=objection) for variable in made.variables]
    return OutputTruth(None, None, objection, tuple(partials))


def _component(output: int, variable: str, sides: Sides, note: str) -> Component:
    left, right, both = sides
    if both is not None:
        return Component(output, variable, "heuristic", exported(both.value), exported(both.radius), note=note)
    below, above = (None if side.value is None else exported(side.value) for side in (left, right))
    why = disagreement(left, right)
    return Component(output, variable, "unavailable", left=below, right=above, note=why)


def disagreement(left: Limit, right: Limit) -> str:
    """Why the limits of both sides give no derivative."""
    if left.kind == right.kind == "finite":
        return f"the one-sided derivatives differ: {mp_text(left.value)} on the left, {mp_text(right.value)} on the right"
    if left.reason == LATE.reason:
        return f"{LATE.reason}; be more patient"
    reasons = [f"to the {name} {side.reason}" for name, side in (("left", left), ("right", right)) if side.reason]
    return "; ".join(reasons)
