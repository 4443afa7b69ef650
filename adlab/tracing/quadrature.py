"""An integral as one node. Leibniz's rule gives its derivatives: d/db = f(b), d/da = −f(a), d/dp = ∫ ∂f/∂p.

The value comes from Gauss–Legendre's rule on panels. First, interval arithmetic bounds the integrand on each: a panel on which it
may rise far above what the nodes have met is halved, so a narrow peak is found that no node has met. Then each panel is halved
until its sum settles. What does not settle is refused: a singularity, an integral that does not exist.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np

from adlab.arithmetic import flags
from adlab.arithmetic.arrays import ARRAYS
from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.intervals import INTERVALS
from adlab.arithmetic.numbers import evaluate
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
MOST_PANELS = 8192
"""Sums over one panel after which an integral is given up: 122,880 values of the integrand."""
DEEPEST = 45
"""How often a panel is halved at most. Then its nodes are as near to one another as neighbouring floats."""
UNSEEN = 0.1
"""What may hide between the nodes by the bounds on the integrand: so much of the integral, and on each panel no more beyond what
the nodes have met than this part of what they have met altogether, from its least to its largest value."""
FLAT = 1e-9
"""The same for an integrand that is constant at all nodes, as a part of its size: above the rounding of the bounds."""
MOST_BOUNDED = 300
"""Panels on which the integrand is bounded at most, 20 to 100 microseconds each. Bounds that stay too wide are left alone."""
SETTLED = 1e-13
"""Two sums over one panel that differ by no more, relative to the whole sum of magnitudes, are one: so much a sum rounds."""
NOISE = 1e-9
"""Where halving brings two sums no nearer, so much of them is taken for rounding, and is in the error bound."""
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
        if numbers is ARRAYS or any(isinstance(operand, np.ndarray) for operand in operands):  # or tangents, all at once
            return self._many(parameter, operands)
        if numbers is FLOATS:
            return settled(parameter, list(operands))[0]
        point = [size_signed(operand) for operand in operands]
        _, panels, rest = settled(parameter, point)
        if numbers is BOUNDED:
            return [Bounded(s.value, s.error + abs(r), s.why)
                    for s, r in zip(summed(numbers, parameter, operands, panels), rest, strict=True)]  # fmt: skip
        return summed(numbers, parameter, operands, panels, FINER)

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


class Panel(NamedTuple):
    """A part of the range, as fractions of it, with Gauss's sums: of each output, of its size, and the extremes that it met."""

    start: Fraction
    width: Fraction
    sums: list[float]
    sizes: list[float]
    lows: list[float]
    highs: list[float]


Part = tuple[Fraction, Fraction]
"""Where a panel starts, and how wide it is, as fractions of the range."""


def settled(p: Integrand, operands: list[float]) -> tuple[list[float], list[Part], list[float]]:
    """The integrals on floats, the panels that they took, and how far the sums over these are from those over their doubles.

    Raises DomainError where the integrand has no value at a node, and GaveUp where the sums do not settle.
    """
    panels = _equal(p, operands)
    left = flags.raised()
    panels = _without_peaks(p, operands, panels)
    if not left:
        flags.clear()  # a bound that has left binary64's range says nothing of the integral
    waiting = [(panel, [math.inf] * len(panel.sums), 0) for panel in panels]
    sizes = [math.fsum(panel.sizes[i] for panel, _, _ in waiting) for i in range(len(p.body.outputs))]
    done, rests = list[Panel](), list[list[float]]()
    while waiting:
        panel, last, depth = waiting.pop()
        halves = _halves(p, operands, panel)
        found = [a + b for a, b in zip(halves[0].sums, halves[1].sums, strict=True)]
        size = [a + b for a, b in zip(halves[0].sizes, halves[1].sizes, strict=True)]
        sizes = [max(s, s + now - before) for s, now, before in zip(sizes, size, panel.sizes, strict=True)]
        rest = [abs(x - y) for x, y in zip(panel.sums, found, strict=True)]
        if all(r <= SETTLED * whole or (r <= NOISE * s and r > before / 8)
               for r, before, s, whole in zip(rest, last, size, sizes, strict=True)):  # fmt: skip
            done += halves
            rests.append(rest)
        elif depth == DEEPEST or len(done) + len(waiting) > MOST_PANELS:
            a, b = (operands[0] + (operands[1] - operands[0]) * float(panel.start + k * panel.width) for k in (0, 1))
            raise GaveUp(
                f"the integral from {operands[0]} to {operands[1]} does not settle between {a:.6g} and {b:.6g}: its last two "
                f"sums there differ by {max(rest):.2g}. Split it where the integrand is not smooth"
            )
        else:
            waiting += [(half, rest, depth + 1) for half in reversed(halves)]
    columns = zip(*(panel.sums for panel in done), strict=True)
    total, moved = ([math.fsum(column) for column in part] for part in (columns, zip(*rests, strict=True)))
    return total, [(panel.start, panel.width) for panel in done], moved


def _equal(p: Integrand, operands: list[float]) -> list[Panel]:
    return [_panel(p, operands, Fraction(k, p.panels), Fraction(1, p.panels)) for k in range(p.panels)]


def _halves(p: Integrand, operands: list[float], panel: Panel) -> list[Panel]:
    half = panel.width / 2
    return [_panel(p, operands, start, half) for start in (panel.start, panel.start + half)]


def _panel(p: Integrand, operands: list[float], start: Fraction, width: Fraction) -> Panel:
    """Gauss–Legendre's sums over a panel, on floats."""
    a, b, *known = operands
    step, half = stepper(FLOATS, p.body), (b - a) * float(width) / 2
    middle = a + (b - a) * float(start + width / 2)
    columns = list(zip(*(step(middle + half * node, *known) for node in NODES), strict=True))
    if not all(math.isfinite(value) for column in columns for value in column):
        raise DomainError(f"the integrand has no finite value at some point between {a} and {b}")
    sums = [half * math.fsum(w * v for w, v in zip(WEIGHTS, column, strict=True)) for column in columns]
    sizes = [abs(half) * math.fsum(w * abs(v) for w, v in zip(WEIGHTS, column, strict=True)) for column in columns]
    return Panel(start, width, sums, sizes, list(map(min, columns)), list(map(max, columns)))


def _without_peaks(p: Integrand, operands: list[float], panels: list[Panel]) -> list[Panel]:
    """The panels, in parts where the bounds on the integrand leave room for a peak between the nodes, and there is something."""
    if p.body.compound:
        return panels
    outputs, kept, seen = range(len(p.body.outputs)), list[Panel](), list(panels)
    sizes = [0.0 for _ in outputs]
    queue = [(0.0, k, panel, _beyond(p, operands, panel)) for k, panel in enumerate(panels)]
    while queue and len(seen) < MOST_BOUNDED:
        sizes = [math.fsum(entry[2].sizes[i] for entry in queue) or math.ulp(0.0) for i in outputs]
        spans = [max(panel.highs[i] for panel in seen) - min(panel.lows[i] for panel in seen) for i in outputs]
        tall = [UNSEEN * span + FLAT * size + math.ulp(0.0) for span, size in zip(spans, sizes, strict=True)]
        queue = [(max(map(operator.truediv, beyond, tall)), k, panel, beyond) for _, k, panel, beyond in queue]
        hidden = [math.fsum(beyond[i] * float(panel.width) for _, _, panel, beyond in queue) for i in outputs]
        worst = max(queue)
        if worst[0] <= 1 and all(h * abs(operands[1] - operands[0]) <= UNSEEN * s for h, s in zip(hidden, sizes, strict=True)):
            break
        queue.remove(worst)
        panel = worst[2]
        if panel.width * 2**DEEPEST * p.panels <= 1:
            kept.append(panel)
            continue
        for half in _halves(p, operands, panel):
            seen.append(half)
            queue.append((0.0, len(seen), half, _beyond(p, operands, half)))
    parts: list[list[Panel]] = [[] for _ in panels]
    for panel in sorted([*kept, *(entry[2] for entry in queue)]):
        parts[int(panel.start * p.panels)].append(panel)
    return [panel for whole, own in zip(panels, parts, strict=True) for panel in ([whole] if _agree(whole, own, sizes) else own)]


def _agree(whole: Panel, parts: list[Panel], sizes: list[float]) -> bool:
    """Whether the parts of a panel have brought nothing new: then the panel is enough."""
    sums = zip(whole.sums, *(panel.sums for panel in parts), strict=True)
    return all(abs(math.fsum(rest) - known) <= SETTLED * size for (known, *rest), size in zip(sums, sizes, strict=True))


def _beyond(p: Integrand, operands: list[float], panel: Panel) -> list[float]:
    """How far each output may go on a panel beyond the values that its nodes have met, by interval arithmetic."""
    a, b, *known = operands
    ends = sorted(a + (b - a) * float(panel.start + k * panel.width) for k in (0, 1))
    values = evaluate(p.body, [(ends[0], ends[1]), *((k, k) for k in known)], INTERVALS)
    bounds = [values[output] for output in p.body.outputs]
    return [max(0.0, most - high, low - least) for (least, most), low, high in zip(bounds, panel.lows, panel.highs, strict=True)]


def summed(numbers: Any, p: Integrand, operands: Sequence[Any], panels: Sequence[Part], finer: int = 1) -> list[Any]:
    """Gauss–Legendre's sums over these panels, each cut into so many, in any arithmetic."""
    a, b, *known = operands
    length, step = numbers.apply(SUB, None, [b, a]), stepper(numbers, p.body)
    totals: list[Any] = [numbers.constant(0)] * len(p.body.outputs)
    for start, width in panels:
        half = width / (2 * finer)
        for k in range(finer):
            for node, weight in sharp_rule():
                x = numbers.add(a, numbers.mul(length, numbers.constant(start + half * (2 * k + 1 + node))))
                scaled = numbers.constant(weight * half)
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
