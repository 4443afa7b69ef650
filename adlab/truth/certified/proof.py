"""Derivatives with a proven radius, by two paths that have no rule in common.

The first path evaluates the expression as a power series of balls. Its coefficients hold the derivatives, and their radii are
proven bounds on everything that was rounded. It trusts that each function's slope is right.

The second path trusts no slope: it takes differences of values alone. On the left it uses steps of h, on the right steps of
h/2, so that the two sides cannot agree by symmetry. If the first error term is a·h^k on the left, it is at most a·(h/2)^k on
the right. So the distance between the sides bounds the error of the right one.

The precision doubles until two things hold: the ball is tight to the digits asked for, *and* the second path is tight too and
agrees with it within its own error. There is a bound on bits and time. A ball that still holds 0 when it is smaller than any
binary64 number is 0, within that radius.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from flint import acb, arb

from adlab import precision
from adlab.precision import seconds_left
from adlab.truth.certified.balls import ball, moves, number, working
from adlab.truth.certified.sweeps import BallProgram, program
from adlab.truth.meanings import CONTEXT, bits_of, magnitude
from adlab.truth.values import Plan

GUARD_BITS = 32  # beyond the digits, for each difference that is taken, and for the value
MORE_BITS = 5000  # the most beyond four times the digits: for h below 1e-300, and for what the formula cancels
SMALLEST = arb((1, -1100))  # below the smallest binary64 number, 2^-1074: a ball around 0 with this radius counts as 0
TIME_LIMIT = 20.0  # seconds for everything that is asked at one point


Key = tuple[int, int, int]  # output, variable, order of the derivative


class ProvedNumber(NamedTuple):
    """A number proven to lie within `radius` of `value`. Both are numbers of `adlab.truth.meanings`."""

    value: Any
    radius: Any


@dataclass
class Certificate:
    """What was certified: values by output, derivatives by (output, variable, order). `reason` says why the rest was not.

    `complex_inside` holds the outputs that depend on a complex number, `complex_values` those that are one.
    """

    values: dict[int, ProvedNumber] = field(default_factory=dict)
    derivatives: dict[Key, ProvedNumber] = field(default_factory=dict)
    complex_inside: set[int] = field(default_factory=set)
    complex_values: dict[int, Any] = field(default_factory=dict)
    reason: str = ""


def prove(
    made: Plan,
    point: Sequence[Any],
    digits: int,
    pairs: Sequence[tuple[int, int]] | None = None,
    order: int = 1,
    seconds: float = TIME_LIMIT,
) -> Certificate:
    """Outputs of a plan at a point of mpf numbers, and their derivatives up to `order`, for all `pairs` (output, variable).

    A variable on which an output does not depend is left out: that derivative is 0.

    >>> import sympy
    >>> from adlab.truth.meanings import mp_text
    >>> from adlab.truth.values import plan
    >>> x = sympy.Symbol("x")
    >>> found = prove(plan([sympy.exp(x)], [x]), [CONTEXT.mpf(1)], digits=30)
    >>> print(mp_text(found.derivatives[0, 0, 1].value, 30))
    2.71828182845904523536028747135
    """
    if pairs is None:
        pairs = [(i, j) for i in range(len(made.outputs)) for j in range(len(made.variables))]
    outputs = set(range(len(made.outputs))) if not pairs else {i for i, _ in pairs}
    todo = {(i, j, k) for i, j in pairs if made.depends(i, j) for k in range(1, order + 1)}
    search = _Search(program(made), [ball(x) for x in point], bits_of(digits), order, todo, outputs)
    seconds = min(seconds, seconds_left())
    return search.run(precision.clock() + seconds, f"the time limit of {seconds:.2g} s was reached")


@dataclass
class _Search:
    """What is still to be certified, and the rounds at rising precision that certify it."""

    program: BallProgram
    point: list[arb]
    wanted: int  # bits
    order: int
    todo: set[Key]
    values: set[int]
    proof: Certificate = field(default_factory=Certificate)

    def run(self, deadline: float, too_late: str) -> Certificate:
        bits = (self.order + 1) * (self.wanted + GUARD_BITS)
        most = max(2 * bits, bits + MORE_BITS * self.order)
        while True:
            with working(bits, self.order + 1):
                here = self.program.base(self.point)
                self._values(here, last=bits == most)
                for j in sorted({j for _, j, _ in self.todo}):
                    if precision.clock() > deadline:
                        self.proof.reason = too_late
                        return self.proof
                    self._derivatives(here, j, bits // (self.order + 1))
            if not self.todo and not self.values:
                return self.proof
            if bits == most:
                self.proof.reason = f"{bits} bits do not decide it"
                return self.proof
            bits = min(2 * bits, most)

    def _values(self, here: list[Any], last: bool) -> None:
        for i, found in enumerate(self.program.outputs(here)):
            if i not in self.values or not (last or _told(found)):
                continue
            if _is_complex(found):
                self.proof.reason = "f is complex here"
                self.proof.complex_values[i] = CONTEXT.mpc(number(found.real.mid()), number(found.imag.mid()))
                self.values.discard(i)
                self.todo = {key for key in self.todo if key[0] != i}
            elif (held := self._held(_real(found))) is not None:
                self.proof.values[i] = held
                self.values.discard(i)
                if self.program.complex_inside(here, i):
                    self.proof.complex_inside.add(i)

    def _derivatives(self, here: list[Any], j: int, shift: int) -> None:
        """Both paths for one variable. The second is taken only where the first is tight."""
        keys = [key for key in self.todo if key[1] == j]
        expanded = self.program.expanded(here, j)
        first = {(i, j, k): _real(_coefficient(expanded[i], k) * math.factorial(k)) for i, _, k in keys}
        tight = {key: held for key in keys if (held := self._held(first[key])) is not None}
        if not tight:
            return
        step = arb((1, magnitude(number(self.point[j])) - shift))
        left, right = (self._beside(here, j, by) for by in (-step, step / 2))
        for key in sorted(tight):  # orders rise: what bends f may leave no mark on the order asked for
            i, _, k = key
            exists = k == 1 or (i, j, k - 1) in self.proof.derivatives
            if exists and self._agree(first[key], _quotient(left[i], -step, k), _quotient(right[i], step / 2, k)):
                self.proof.derivatives[key] = tight[key]
                self.todo.discard(key)

    def _beside(self, here: list[Any], j: int, by: arb) -> list[list[arb]]:
        """The values of each output at x, x + by, x + 2by …, as many as the order needs."""
        rows = [self.program.outputs(here)]
        rows += [self.program.moved(here, j, self.point[j] + k * by) for k in range(1, self.order + 1)]
        return [[_real(row[i]) for row in rows] for i in range(len(rows[0]))]

    def _held(self, found: arb) -> ProvedNumber | None:
        """A ball that is tight enough, as numbers. A ball around 0 that is small enough is 0."""
        if found.is_finite() and found.rel_accuracy_bits() > self.wanted:
            return ProvedNumber(number(found.mid()), number(found.rad()))
        if found.contains(0) and found.abs_upper() < SMALLEST:
            return ProvedNumber(CONTEXT.zero, number(found.abs_upper().mid()))
        return None

    def _agree(self, first: arb, left: arb, right: arb) -> bool:
        """Whether the quotients are tight, and the first path's ball is as close to the right one as the two sides are to each
        other.

        Quotients that binary64 cannot tell from 0 need only be small.
        """
        own, size = (left - right).abs_upper(), first.abs_upper()
        allowed = (size if size > SMALLEST else arb(1)) * arb((1, -self.wanted))
        return bool(own <= allowed) and not (first - right).abs_lower() > own


def _is_complex(found: Any) -> bool:
    """Whether it is certain not to be real."""
    return isinstance(found, acb) and found.is_finite() and not found.imag.contains(0)


def _told(found: Any) -> bool:
    """Whether it is known to be real or not. An imaginary part that may be 0 must be too small for binary64 to tell from 0.

    K1(x) just left of 0, for example, has an imaginary part that is 1e-600 of its real part.
    """
    if isinstance(found, arb) or not found.is_finite():
        return True
    return bool(not found.imag.contains(0) or found.imag.abs_upper() < SMALLEST)


def _real(found: Any) -> arb:
    """A ball around a number that may be real. Its radius covers an imaginary part that may be 0."""
    if isinstance(found, arb):
        return found
    return found.real + arb(0, found.imag.abs_upper()) if found.imag.contains(0) else arb.nan()


def _coefficient(expanded: Any, k: int) -> Any:
    """Coefficient k > 0 of a series, where all before it are known. In a series that is NaN, later ones may be 0 by default."""
    known = [expanded[i] for i in range(k)] if moves(expanded) else [expanded]
    if not all(c.is_finite() for c in known):
        return arb.nan()
    return expanded[k] if moves(expanded) else arb(0)


def _quotient(values: Sequence[arb], by: arb, order: int) -> arb:
    """The difference quotient Σ (−1)^(order−i) C(order, i) f(x + i·by) / by^order."""
    weighted = (math.comb(order, i) * (-1) ** (order - i) * values[i] for i in range(order + 1))
    return sum(weighted, arb(0)) / by**order
