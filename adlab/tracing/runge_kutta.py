"""Runge–Kutta's methods, and which steps they take at a point: so many of equal length, or as long as the local error allows.

A method is a table of fractions. One step is a graph, written from the graph of the slope y′ = f(t, y). How far a run with equal
steps can be trusted is seen from a second run with twice as many.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce

from adlab.errors import DomainError, GaveUp
from adlab.graph import rules
from adlab.graph.graph import Builder, Graph
from adlab.tracing.loops import Scanned, compiled

WRONG = 0.1
"""A run is refused if twice as many steps move a result by more than this part of the largest value on the way."""
MOST_CHOSEN = 20_000
"""Steps of chosen length after which a run is given up."""
SAFETY, SHORTEST, LONGEST = 0.9, 0.2, 5.0  # of the next step, beside the last (Hairer, Nørsett & Wanner 1993, II.4)
NEAREST = 1e-14  # of a step, beside the whole stretch: where so short a step fails, the solution ends
JUMP = 1e-6  # of the slope beside itself, between two neighbouring points: less is rounding
HALVINGS = 60
Step = tuple[float, float]
"""Where a step begins, and how long it is."""


@dataclass(frozen=True)
class Scheme:
    """An explicit method. A stage uses the slopes of the stages before it, each with its share."""

    name: str
    stages: tuple[tuple[Fraction, ...], ...]
    weights: tuple[Fraction, ...]
    lower: tuple[Fraction, ...] = ()
    """The weights of a method one order lower; the difference estimates the local error."""
    order: int = 4

    def __post_init__(self) -> None:
        if sum(self.weights) != 1 or (self.lower and sum(self.lower) != 1):
            raise ValueError(f"the weights of {self.name} do not sum to 1")


def _row(text: str) -> tuple[Fraction, ...]:
    return tuple(Fraction(part) for part in text.split())


RK4 = Scheme("rk4", (_row(""), _row("1/2"), _row("0 1/2"), _row("0 0 1")), _row("1/6 1/3 1/3 1/6"))
DORMAND_PRINCE = Scheme(
    "dormand-prince",
    (_row(""), _row("1/5"), _row("3/40 9/40"), _row("44/45 -56/15 32/9"),
     _row("19372/6561 -25360/2187 64448/6561 -212/729"), _row("9017/3168 -355/33 46732/5247 49/176 -5103/18656"),
     _row("35/384 0 500/1113 125/192 -2187/6784 11/84")),
    _row("35/384 0 500/1113 125/192 -2187/6784 11/84 0"),
    _row("5179/57600 0 7571/16695 393/640 -92097/339200 187/2100 1/40"), 5,
)  # fmt: skip
SCHEMES = {scheme.name: scheme for scheme in (RK4, DORMAND_PRINCE)}


@dataclass(frozen=True, eq=False)
class Stepping:
    """y′ = f(t, y), and how it is stepped through `times`. The inputs of `slope` are t, the numbers of y, then constants."""

    slope: Graph
    size: int
    scheme: Scheme
    times: tuple[float, ...]
    steps: int | None
    """Steps from one time to the next; None where their lengths are chosen at the point."""
    tolerance: float

    @property
    def constants(self) -> int:
        """How many numbers the slope uses beside t and y."""
        return len(self.slope.inputs) - 1 - self.size

    @cached_property
    def loop(self) -> Scanned:
        """One step as the body of a loop: from y, constants, t and h to the next y."""
        builder, _, slopes = self._stages()
        body = builder.finish(self._advanced(builder, slopes, self.scheme.weights))
        return Scanned(body, self.size, self.constants, 2, 1)

    @cached_property
    def estimate(self) -> Graph:
        """The next y, then the estimated error of each number of it."""
        builder, _, slopes = self._stages()
        after = self._advanced(builder, slopes, self.scheme.weights)
        lower = self._advanced(builder, slopes, self.scheme.lower)
        return builder.finish([*after, *(builder.call("sub", a, b) for a, b in zip(after, lower, strict=True))])

    @cached_property
    def places(self) -> Graph:
        """Where a step evaluates the slope: t and y of each stage."""
        builder, places, _ = self._stages()
        return builder.finish(places)

    @cached_property
    def switches(self) -> Graph | None:
        """What is constant in pieces in the slope and moves with y or a constant: conditions, signs. None if there is nothing."""
        moved, found = {*range(1, len(self.slope.inputs))}, []
        for i, node in enumerate(self.slope.nodes):
            if not moved.isdisjoint(node.operands):
                moved.add(i)
                if node.primitive.truth_valued or node.primitive.piecewise_constant:
                    found.append(i)
        return Graph(self.slope.inputs, self.slope.nodes, tuple(found)) if found else None

    def turns(self, length: int) -> Scanned:
        """The loop over so many steps."""
        made = Scanned(self.loop.body, self.size, self.constants, 2, length)
        made.__dict__["adjoint"] = self.loop.adjoint  # written once, whatever the length
        return made

    def _stages(self) -> tuple[Builder, list[int], list[list[int]]]:
        """A step as far as its slopes: the builder, t and y of each stage, and the slopes there."""
        fixed = self.size + self.constants
        builder = Builder([f"s{i}" for i in range(fixed + 2)], simplify=True)
        places, slopes = list[int](), list[list[int]]()
        for row in self.scheme.stages:
            share = sum(row, Fraction(0))  # each row sums to the stage's part of the step
            at = builder.call("add", fixed, builder.call("mul", builder.constant(share), fixed + 1)) if share else fixed
            y = self._advanced(builder, slopes, row)
            places += [at, *y]
            slopes.append(rules.splice(builder, self.slope, [at, *y, *range(self.size, fixed)]))
        return builder, places, slopes

    def _advanced(self, builder: Builder, slopes: Sequence[Sequence[int]], shares: Sequence[Fraction]) -> list[int]:
        """y + h Σ share × slope, for each number of y."""
        found, h = [], self.size + self.constants + 1
        for i in range(self.size):
            terms = [builder.call("mul", builder.constant(share), slope[i])
                     for share, slope in zip(shares, slopes, strict=False) if share]  # fmt: skip
            total = reduce(lambda a, b: builder.call("add", a, b), terms) if terms else None
            found.append(i if total is None else builder.call("add", i, builder.call("mul", h, total)))
        return found


def planned(p: Stepping, start: Sequence[float], known: Sequence[float]) -> list[list[Step]]:
    """The steps of each stretch between two times, from y = start, with these constants.

    Raises GaveUp where the steps are too long to mean anything or become too many, DomainError where the slope has no value.
    """
    if p.steps is None:
        return _chosen(p, list(start), known)
    runs = [equal(p.times, count) for count in (p.steps, 2 * p.steps)]
    rough, fine = (_reached(p, start, known, stretches) for stretches in runs)
    size = [abs(y) for y in start]
    for i, states in enumerate(fine, 1):
        here, steps = rough[i - 1][-1], p.steps
        size = [max(s, *(abs(state[k]) for state in states)) for k, s in enumerate(size)]
        for k, (a, b) in enumerate(zip(here, states[-1], strict=True)):
            if not abs(a - b) <= WRONG * size[k]:
                raise GaveUp(f"the steps of an ode are too long: number {k} of y at t = {p.times[i]:g} is {a:.3g} with {steps:,} "
                             f'steps and {b:.3g} with {2 * steps:,}. Take more, or steps="recorded". Where the equation is '
                             "stiff, steps must be shorter than its fastest part")  # fmt: skip
    return runs[0]


def equal(times: Sequence[float], count: int) -> list[list[Step]]:
    """So many steps of equal length from each time to the next."""
    pairs = itertools.pairwise(times)
    return [[(a + (b - a) / count * k, (b - a) / count) for k in range(count)] for a, b in pairs]


def _reached(
    p: Stepping, start: Sequence[float], known: Sequence[float], stretches: list[list[Step]]
) -> list[list[Sequence[float]]]:
    """y after each step, for each stretch."""
    turn, y, found = compiled(p.loop.body), start, []
    for stretch in stretches:
        states: list[Sequence[float]] = []
        for t, h in stretch:
            y = turn(*y, *known, t, h)
            states.append(y)
        found.append(states)
        if not all(map(math.isfinite, y)):
            _no_value(p, [start, *(state for part in found for state in part)], known, [s for part in stretches for s in part])
    return found


def _no_value(p: Stepping, states: Sequence[Sequence[float]], known: Sequence[float], steps: Sequence[Step]) -> None:
    """Raises DomainError where the slope has no value at an ordinary y, GaveUp where y has grown beyond every number."""
    failed = next(i for i, y in enumerate(states) if not all(map(math.isfinite, y)))
    t, h = steps[failed - 1]
    _refuse_no_value(p, states[failed - 1], known, (t, h))
    raise GaveUp(f"the solution of an ode leaves all numbers after t = {t:.6g}: it grows without bound, or the steps are too "
                 'long for a stiff equation. Take more steps, or steps="recorded"')  # fmt: skip


def _refuse_no_value(p: Stepping, y: Sequence[float], known: Sequence[float], step: Step) -> None:
    """Raises DomainError if the slope has no value at a stage of the step whose y has one."""
    flat, width = compiled(p.places)(*y, *known, *step), 1 + p.size
    for at in (flat[i : i + width] for i in range(0, len(flat), width)):
        if all(map(math.isfinite, at)) and any(map(math.isnan, compiled(p.slope)(*at, *known))):
            shown = ", ".join(f"{v:.6g}" for v in at[1:])
            raise DomainError(f"the slope of an ode has no value at t = {at[0]:.6g}, y = {shown}, which a step reaches")


def _chosen(p: Stepping, y: list[float], known: Sequence[float]) -> list[list[Step]]:
    """Steps whose estimated local error is at most the tolerance, beside the largest value so far."""
    turn, count, found = compiled(p.estimate), 0, []
    size, h = [abs(v) for v in y], (p.times[-1] - p.times[0]) / 100
    for begin, end in itertools.pairwise(p.times):
        t, stretch = begin, list[Step]()
        while t != end:
            last = abs(h) >= abs(end - t) * (1 - NEAREST)
            width = end - t if last else h
            after = turn(*y, *known, t, width)
            new, wrong = after[: p.size], after[p.size :]
            larger = [max(s, abs(v)) for s, v in zip(size, new, strict=True)]
            if all(map(math.isfinite, after)):
                error = max((abs(e) / (p.tolerance * s) if e else 0.0 for e, s in zip(wrong, larger, strict=True)), default=0.0)
            else:
                error = math.inf
            scale = min(LONGEST, max(SHORTEST, SAFETY * error ** (-1 / p.scheme.order))) if error else LONGEST
            if error <= 1:
                stretch.append((t, width))
                y, size, t, count = list(new), larger, end if last else t + width, count + 1
                h = h if last and scale > 1 else width * scale
            else:
                h = width * scale
            if count > MOST_CHOSEN or abs(h) < NEAREST * abs(end - begin):
                _ends(p, t, y, known, h, count)
        found.append(stretch)
    return found


def _ends(p: Stepping, t: float, y: list[float], known: Sequence[float], h: float, count: int) -> None:
    """Raises why no further step is taken."""
    _refuse_no_value(p, y, known, (t, h))
    if count > MOST_CHOSEN:
        raise GaveUp(f"an ode has taken {count:,} steps and has come to t = {t:.6g}; they are now {abs(h):.2g} long. The "
                     "equation is stiff there, or its solution ends")  # fmt: skip
    raise GaveUp(f"the solution of an ode ends near t = {t:.12g}: no step is short enough there. It grows without bound, "
                 "or its slope has no value beyond")  # fmt: skip


def refuse_jumps(p: Stepping, start: Sequence[float], known: Sequence[float], stretches: list[list[Step]]) -> None:
    """Raises DomainError where the slope jumps within a step, at a place that moves with y or a constant.

    The derivative of the steps holds each branch fixed. It lacks what the moving of the jump adds. A kink adds nothing.
    """
    if p.switches is None:
        return
    turn, places, test = compiled(p.loop.body), compiled(p.places), compiled(p.switches)
    before, y = None, start
    for t, h in itertools.chain.from_iterable(stretches):
        flat, width = places(*y, *known, t, h), 1 + p.size
        for at in (flat[i : i + width] for i in range(0, len(flat), width)):
            found = test(*at, *known)
            if before is not None and found != before[1]:
                for k, (a, b) in enumerate(zip(before[1], found, strict=True)):
                    if a != b:
                        _refuse_jump(p, known, before[0], at, k)
            before = (at, found)
        y = turn(*y, *known, t, h)


def _refuse_jump(p: Stepping, known: Sequence[float], a: Sequence[float], b: Sequence[float], k: int) -> None:
    """Raises DomainError if the slope jumps where switch k turns between two points."""
    assert p.switches is not None
    slope, test = compiled(p.slope), compiled(p.switches)

    def between(s: float) -> list[float]:
        return [x + s * (y - x) for x, y in zip(a, b, strict=True)]

    low, high, at_low = 0.0, 1.0, test(*a, *known)[k]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if test(*between(middle), *known)[k] == at_low:
            low = middle
        else:
            high = middle
    sides = [slope(*between(s), *known) for s in (low, high)]
    for left, right in zip(*sides, strict=True):
        if not abs(left - right) <= JUMP * (abs(left) + abs(right)):
            raise DomainError(f"the slope of an ode jumps near t = {between(high)[0]:.6g}, from {left:.3g} to {right:.3g}, "
                              "at a place that moves with y or the parameters. The derivative of the steps lacks that motion. "
                              "End the ode at the event, whose time adlab.root finds, and begin anew there")  # fmt: skip


__all__ = ["DORMAND_PRINCE", "RK4", "SCHEMES", "Scheme", "Step", "Stepping", "equal", "planned", "refuse_jumps"]
