"""Derivatives as limits: difference quotients of high-precision values, and the numbers that they tend to.

A quotient (f(x ± h) − f(x))/(±h) is taken at a tiny h. It needs enough bits for the running errors of both values to leave it
as good as asked for. h = 2^-shift of x's size costs `shift` bits; what the formula cancels costs the rest, which the errors
tell. Two such quotients, at steps far apart, either agree, and then that is the limit on this side. Or they show how they
disagree: they go to 0, they grow without bound, or there is no real value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from adlab import precision
from adlab.truth.meanings import CONTEXT, bits_of, exact, magnitude, mp_text, working
from adlab.truth.values import Outcome, Plan

FAR_BELOW = 8  # a quotient that vanishes at once must be below this power of what counts as 0
GUARD_BITS = 64  # beyond the digits asked for
EXTRA_BITS = 2000  # the most against cancellation, besides four times the step's; a smaller difference counts as 0

Pair = tuple[int, int]  # output, variable
Kind = Literal["finite", "infinite", "outside", "open"]


class SideQuotient(NamedTuple):
    """A difference quotient and a bound on its error; an infinite bound means undecided. `reason` says why there is no value."""

    value: Any
    noise: Any
    reason: str = ""


class Limit(NamedTuple):
    """What the quotients of one side tend to, and a bound on its error. `reason` says why it is not finite."""

    kind: Kind
    value: Any = None
    radius: Any = None
    reason: str = ""


LATE = SideQuotient(None, CONTEXT.inf, "the time limit was reached before this partial")


def step(x: Any, shift: int) -> Any:
    """2^-shift of the size of x, or of 1 at x = 0."""
    return CONTEXT.ldexp(1, magnitude(exact(x)) - shift)


def one_sided(
    plan: Plan, point: Sequence[Any], pairs: Iterable[Pair], shift: int, digits: int, deadline: float = math.inf
) -> dict[Pair, tuple[SideQuotient, SideQuotient]]:
    """The left and the right quotient of each pair, good to `digits` where the extra bits are enough.

    `LATE` stands for pairs that are not begun by the deadline, a time of `time.monotonic`.
    """
    found: dict[Pair, tuple[SideQuotient, SideQuotient]] = {}
    todo, extra, most = set(pairs), 0, EXTRA_BITS + 4 * shift
    while todo:
        state = plan.base(point, shift + bits_of(digits) + GUARD_BITS + extra)
        here = state.outcomes()
        for variable in {variable for _, variable in todo}:
            if precision.clock() > deadline:
                found.update({pair: (LATE, LATE) for pair in todo if pair[1] == variable})
                continue
            with working(state.bits):
                x, h = exact(point[variable]), step(point[variable], shift)
                left, right = state.moved(variable, x - h), state.moved(variable, x + h)
                for output in [output for output, moved in todo if moved == variable]:
                    below = _quotient(here[output], left[output], -h)
                    found[output, variable] = below, _quotient(here[output], right[output], h)
        if extra == most:
            break
        todo = {pair for pair in todo if found[pair][0] is not LATE}
        lacking = {pair: max(_lacking(side, digits, extra) for side in found[pair]) for pair in todo}
        todo = {pair for pair in todo if lacking[pair]}
        extra = min(most, extra + max(lacking.values(), default=0))
    return found


def _quotient(here: Outcome, there: Outcome, by: Any) -> SideQuotient:
    noise = (here.error + there.error) / abs(by)
    if there.failure is not None:
        return SideQuotient(None, noise, str(there.failure.error()))
    if hasattr(there.value, "_mpc_"):
        return SideQuotient(None, noise, f"f is complex: {mp_text(there.value)}")
    return SideQuotient((there.value - here.value) / by, noise)


def higher(plan: Plan, point: Sequence[Any], pair: Pair, order: int, shift: int, side: int, digits: int) -> SideQuotient:
    """The quotient of any order on one side (1 or −1), Σ (−1)^i C(order, i) f(x + (order − i)·h) / h^order."""
    output, variable = pair
    extra, most = 0, EXTRA_BITS + 4 * shift
    while True:
        state = plan.base(point, order * shift + bits_of(digits) + GUARD_BITS + extra)
        with working(state.bits):
            x, h = exact(point[variable]), side * step(point[variable], shift)
            places = [state.moved(variable, x + (order - i) * h)[output] for i in range(order + 1)]
            quotient = _combined(places, order, h**order)
            lacking = _lacking(quotient, digits, extra)
        if not lacking or extra == most:
            return quotient
        extra = min(most, extra + lacking)


def _combined(places: list[Outcome], order: int, divisor: Any) -> SideQuotient:
    weights = [(-1) ** i * math.comb(order, i) for i in range(order + 1)]
    noise = sum(abs(w) * place.error for w, place in zip(weights, places, strict=True)) / abs(divisor)
    for place in places:
        if place.failure is not None:
            return SideQuotient(None, noise, str(place.failure.error()))
        if hasattr(place.value, "_mpc_"):
            return SideQuotient(None, noise, f"f is complex beside the point: {mp_text(place.value)}")
    return SideQuotient(sum(w * place.value for w, place in zip(weights, places, strict=True)) / divisor, noise)


def _lacking(side: SideQuotient, digits: int, extra: int) -> int:
    """How many more bits this quotient needs: as its noise says, or many more where there is only noise."""
    if side.noise == 0 or (side.value is None and CONTEXT.isfinite(side.noise)):
        return 0
    if side.value is None or abs(side.value) <= side.noise:
        return extra + 256
    short = magnitude(side.noise) - magnitude(side.value) + bits_of(digits) + 8
    return short + 8 if short > 0 else 0


def limit(first: SideQuotient, second: SideQuotient, apart: int, digits: int, last: bool, floor: Any) -> Limit:
    """The limit of two quotients at steps 2^apart from each other.

    They settle if they agree to `digits`. The claim that a limit is 0, or infinite, depends on how the quotients move. It is
    made only at the `last` and smallest steps. Noise below `floor` can hide only a 0.
    """
    a, b, noise = first.value, second.value, first.noise + second.noise
    if first is LATE or second is LATE:
        return Limit("open", reason=LATE.reason)
    if b is None and CONTEXT.isfinite(second.noise):
        return Limit("outside", reason=second.reason)
    if a is None or b is None or not CONTEXT.isfinite(noise):
        return Limit("open", reason="a comparison or jump on the way cannot be decided at any precision tried")
    unit = CONTEXT.mpf(10) ** -digits
    if max(abs(a - b), noise) <= abs(b) * unit:
        return Limit("finite", b, abs(a - b) + second.noise)
    if abs(a) <= first.noise and abs(b) <= second.noise and noise <= floor:
        return Limit("finite", CONTEXT.zero, noise)
    if abs(a) + first.noise <= floor**FAR_BELOW and abs(b) + second.noise <= CONTEXT.ldexp(abs(a), -apart // 4):
        return Limit("finite", CONTEXT.zero, abs(b) + second.noise)  # as for exp(-1/x²): far below everything, and vanishing
    if last and first.noise <= abs(a) * unit and second.noise <= abs(b) * unit:
        if abs(b) <= CONTEXT.ldexp(abs(a), -apart // 4):
            return Limit("finite", CONTEXT.zero, abs(b))
        if abs(b) > 1.25 * abs(a):
            jumps = abs(b) > CONTEXT.ldexp(abs(a), apart - 1)
            reason = "f jumps" if jumps else "the difference quotients grow without bound"
            return Limit("infinite", CONTEXT.sign(b) * CONTEXT.inf, reason=reason)
    return Limit("open", reason="the difference quotients do not settle")
