"""An integral as one node. Leibniz's rule gives its derivatives: d/db = f(b), d/da = −f(a), d/dp = ∫ ∂f/∂p.

The value comes from Gauss–Legendre's rule on equal panels. On floats the panels are doubled until the sum settles. What does not
settle is refused: a peak that no node has met twice, a singularity, an integral that does not exist.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any

import numpy as np

from adlab.arithmetic.arrays import ARRAYS
from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.floats import FLOATS
from adlab.autodiff.programs import derivative, tangent_program
from adlab.errors import DomainError, GaveUp, UnsupportedExpression
from adlab.graph.compound import Compound, applied, filled
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter
from adlab.primitives.table import PRIMITIVES
from adlab.tracing.implicit import size_signed
from adlab.tracing.loops import body_outputs, dotted, reordered, stepper

NODES, WEIGHTS = (part.tolist() for part in np.polynomial.legendre.leggauss(15))
"""Gauss–Legendre's rule with 15 points on [−1, 1]. It is exact for polynomials up to degree 29."""
MOST_PANELS = 4096
"""Panels at which the search for a sum that settles is given up: 61,440 values of the integrand."""
SETTLED = 1e-13
"""Two sums that differ by no more, relative to the sum of magnitudes, are one: a sum of a hundred terms rounds about so much."""
NOISE = 1e-9
"""Where more panels bring the sums no nearer, so much is taken for rounding of the integrand. It counts in the error bound."""
SHARP = 2**220
"""What nodes and weights of more digits than floats are multiples of one part of."""
FINER = 4
"""How many times as many panels numbers of more digits than floats have get. Gauss's error falls by 4³⁰ = 10¹⁸."""
MUL, NEG, SUB = (PRIMITIVES[name] for name in ("mul", "neg", "sub"))


@dataclass(frozen=True, eq=False)
class Integrand:
    """What is integrated, with any number of outputs. The inputs of `body` are x, then the numbers that it uses from outside."""

    body: Graph
    panels: int

    @cached_property
    def tangent(self) -> Integrand:
        """∂f/∂p · ṗ, with the inputs x, p, ṗ."""
        moved = tangent_program(self.body, dotted(self.body))
        count = len(self.body.inputs)
        still = Graph(moved.inputs, moved.nodes, moved.outputs)
        order = [*range(count), *range(count + 1, 2 * count), count]  # ẋ last, and fixed at 0 by the integral's own jvp
        return Integrand(reordered(still, order, range(len(still.outputs))), self.panels)

    @cached_property
    def by_parameters(self) -> Integrand:
        """∂f/∂p, one output for each output of f and each p."""
        width = len(self.body.inputs)
        program = derivative(self.body, columns=range(1, width))
        return Integrand(program, self.panels)


class Integral(Compound):
    """∫ from a to b. The operands are a, b, then what the integrand uses from around it."""

    def count(self, parameter: Parameter = None) -> int:
        return 1 + len(parameter.body.inputs)

    def results(self, parameter: Parameter = None) -> int:
        return len(parameter.body.outputs)

    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        return {"integrand": parameter.body}

    def weight(self, parameter: Parameter = None) -> float:
        return float(3 * parameter.panels * len(NODES) * (parameter.body.weight() + 3))

    def written(self, operands: tuple[str, ...], parameter: Parameter = None) -> str:
        return f"integral({', '.join(operands)})"

    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        """The sum that settles on floats; in other numbers, the sum on as many panels. Arrays are taken one by one."""
        if numbers is FLOATS:
            return settled(parameter, list(operands))[0]
        if numbers is ARRAYS or any(isinstance(operand, np.ndarray) for operand in operands):
            return self._many(parameter, operands)
        point = [size_signed(operand) for operand in operands]
        _, panels, rest = settled(parameter, point)
        if numbers is BOUNDED:
            return [Bounded(s.value, s.error + abs(r), s.why)
                    for s, r in zip(summed(numbers, parameter, operands, panels), rest, strict=True)]  # fmt: skip
        return summed(numbers, parameter, operands, FINER * panels)

    def unrolled(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        """The sum that settles, term by term."""
        _, panels, _ = settled(parameter, [operand.value for operand in operands])
        return summed(numbers, parameter, operands, panels)

    def _many(self, parameter: Integrand, operands: Sequence[Any]) -> list[Any]:
        spread = np.broadcast_arrays(*operands)
        if any(np.iscomplexobj(part) for part in spread):
            raise UnsupportedExpression("an integral is computed on real numbers; the complex step does not serve it")
        rows = []
        for row in np.stack([part.ravel() for part in spread], axis=-1).tolist():
            try:
                rows.append(settled(parameter, row)[0])
            except (DomainError, GaveUp):
                rows.append([math.nan] * self.results(parameter))
        return [np.array(column).reshape(spread[0].shape) for column in zip(*rows, strict=True)]

    def jvp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            tangents: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        """f(b) ḃ − f(a) ȧ + ∫ ∂f/∂p ṗ."""
        a, b, *known = operands
        moved: list[list[Any]] = [[] for _ in range(self.results(parameter))]
        for end, tangent, sign in ((b, tangents[1], 1), (a, tangents[0], -1)):
            if tangent is not None:
                for terms, value in zip(moved, body_outputs(numbers, parameter.body, [end, *known]), strict=True):
                    term = numbers.mul(value, tangent)
                    terms.append(term if sign > 0 else numbers.apply(NEG, None, [term]))
        if any(tangent is not None for tangent in tangents[2:]):
            given = [a, b, *known, *filled(numbers, tangents[2:]), numbers.constant(0)]
            for terms, value in zip(moved, applied(numbers, INTEGRAL, parameter.tangent, given), strict=True):
                terms.append(value)
        return [_total(numbers, terms) for terms in moved]

    def vjp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            bars: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        """ā = −Σ f(a) bar, b̄ = Σ f(b) bar, p̄ = Σ bar ∫ ∂f/∂p."""
        a, b, *known = operands
        ends = []
        for end in (a, b):
            values = body_outputs(numbers, parameter.body, [end, *known])
            ends.append(_total(numbers, [numbers.mul(v, bar) for v, bar in zip(values, bars, strict=True) if bar is not None]))
        first = None if ends[0] is None else numbers.apply(NEG, None, [ends[0]])
        if not known:
            return [first, ends[1]]
        partials = applied(numbers, INTEGRAL, parameter.by_parameters, [a, b, *known])
        width = len(known)
        passed = [
            _total(numbers, [numbers.mul(partials[i * width + k], bar) for i, bar in enumerate(bars) if bar is not None])
            for k in range(width)
        ]
        return [first, ends[1], *passed]


def _total(numbers: Any, terms: Sequence[Any]) -> Any:
    total = None
    for term in terms:
        total = term if total is None else numbers.add(total, term)
    return total


def settled(p: Integrand, operands: list[float]) -> tuple[list[float], int, list[float]]:
    """The integrals on floats, the panels that they took, and how far the sums on half as many panels are from them.

    Raises DomainError where the integrand has no value at a node, and GaveUp where the sums do not settle.
    """
    panels, last = p.panels, [math.inf] * len(p.body.outputs)
    before, _ = _on_floats(p, operands, panels)
    while panels < MOST_PANELS:
        panels *= 2
        after, sizes = _on_floats(p, operands, panels)
        if not all(map(math.isfinite, sizes)):
            raise DomainError(f"the integrand has no finite value at some point between {operands[0]} and {operands[1]}")
        rest = [abs(x - y) for x, y in zip(before, after, strict=True)]
        if all(r <= SETTLED * s or (r <= NOISE * s and r > r0 / 8) for r, r0, s in zip(rest, last, sizes, strict=True)):
            return after, panels, rest
        before, last = after, rest
    raise GaveUp(f"the integral from {operands[0]} to {operands[1]} has not settled on {panels:,} panels: its last two sums "
                 f"differ by {max(last):.2g}. Split it where the integrand is not smooth")  # fmt: skip


def _on_floats(p: Integrand, operands: list[float], panels: int) -> tuple[list[float], list[float]]:
    """Gauss–Legendre's sums on floats, and the same sums of magnitudes."""
    a, b, *known = operands
    step, width = stepper(FLOATS, p.body), (b - a) / panels
    totals, sizes = [0.0] * len(p.body.outputs), [0.0] * len(p.body.outputs)
    for k in range(panels):
        middle = a + width * (k + 0.5)
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            for i, value in enumerate(step(middle + width * node / 2, *known)):
                totals[i] += weight * value
                sizes[i] += weight * abs(value)
    return [total * width / 2 for total in totals], [size * abs(width) / 2 for size in sizes]


def summed(numbers: Any, p: Integrand, operands: Sequence[Any], panels: int) -> list[Any]:
    """Gauss–Legendre's sums on so many panels, in any arithmetic."""
    a, b, *known = operands
    length, step = numbers.apply(SUB, None, [b, a]), stepper(numbers, p.body)
    totals: list[Any] = [numbers.constant(0)] * len(p.body.outputs)
    for k in range(panels):
        for node, weight in sharp_rule():
            x = numbers.add(a, numbers.mul(length, numbers.constant((2 * k + 1 + node) / (2 * panels))))
            scaled = numbers.constant(weight / (2 * panels))
            totals = [numbers.add(t, numbers.mul(v, scaled)) for t, v in zip(totals, step(x, *known), strict=True)]
    return [numbers.mul(total, length) for total in totals]


@cache
def sharp_rule() -> list[tuple[Fraction, Fraction]]:
    """The nodes and weights to 60 digits: Newton's method on Legendre's polynomial, and 2/((1 − x²) P′(x)²)."""
    found = []
    for node in NODES:
        x = Fraction(node)
        for _ in range(3):  # from 16 digits to 32, 64, 128
            value, slope = _legendre(x)
            x = Fraction(round((x - value / slope) * SHARP), SHARP)
        slope = _legendre(x)[1]
        found.append((x, Fraction(round(2 / ((1 - x * x) * slope * slope) * SHARP), SHARP)))
    return found


def _legendre(x: Fraction) -> tuple[Fraction, Fraction]:
    """P₁₅ and its derivative, by the recurrence (n + 1) Pₙ₊₁ = (2n + 1) x Pₙ − n Pₙ₋₁."""
    before, here = Fraction(1), x
    for n in range(1, len(NODES)):
        before, here = here, ((2 * n + 1) * x * here - n * before) / (n + 1)
    return here, len(NODES) * (before - x * here) / (1 - x * x)


INTEGRAL = Integral("integral")
