"""Monotonicity and convexity, carried along a graph by disciplined rules (Grant, Boyd and Ye 2006).

The fact of a node says in which interval it lies, whether it grows or falls with each input, and whether it is convex or concave.
φ(u) is convex if φ is, and every u is affine, or convex where φ grows with it, or concave where φ falls with it. How φ itself
goes is read off its Taylor coefficients over the intervals of its operands. What no rule proves is left open.

>>> from adlab.arithmetic.numbers import evaluate
>>> from adlab.graph.lowering import lower
>>> import sympy
>>> x, y = sympy.symbols("x y", real=True)
>>> graph = lower([sympy.exp(x**2) - sympy.log(y)], [x, y])
>>> print(evaluate(graph, [Curvature.input("x", (0, 1)), Curvature.input("y", (1, 2))], Curvatures())[-1])
convex; rising in x, falling in y
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adlab.arithmetic.intervals import Intervals
from adlab.arithmetic.numbers import Numbers
from adlab.arithmetic.taylor_over import enclosed_series
from adlab.graph.graph import Builder
from adlab.primitives.primitive import Parameter, Primitive
from adlab.primitives.ranges import ENTIRE, Interval

Sign = int | None
"""1: does not fall; −1: does not rise; 0: does not change; None: not known."""
KINKED: dict[str, tuple[tuple[Sign, ...], int]] = {
    "abs": ((None,), 1), "max": ((1, 1), 1), "min": ((1, 1), -1), "hypot": ((None, None), 1), "norm": ((None, None), 1),
}  # fmt: skip
"""Functions with a kink: how they go with each operand, and whether they are convex (1) or concave (−1) all together."""
LINEAR = ("add", "sub", "neg")
NOT_NEGATIVE = ("abs", "exp", "sqrt", "cosh", "hypot", "norm")
ODD = ("tanh", "sinh", "asinh", "atan", "erf", "cbrt")
"""Functions that have the sign of their operand."""
SECOND = 2
"""The order of the Taylor coefficient whose sign says how a function bends."""


@dataclass(frozen=True)
class Curvature:
    """Bounds of a number, how it goes with each input that it depends on, and whether it is convex, concave, both (affine)."""

    range: Interval
    slopes: Mapping[str, Sign]
    convex: bool = False
    concave: bool = False
    exists: bool = True
    """Whether there is a value all over the box. Without one nothing else is claimed."""

    @classmethod
    def input(cls, name: str, side: Sequence[float]) -> Curvature:
        """An input that runs over an interval."""
        low, high = map(float, side)
        if not low <= high:
            raise ValueError
        return cls((low, high), {name: 1}, True, True)

    def bent(self, sign: Sign) -> bool:
        """Whether sign times this number is convex; for a sign that is not known, whether it is affine."""
        up, down = self.convex or sign == 0, self.concave or sign == 0
        return up and down if sign is None else up if sign >= 0 else down

    def __str__(self) -> str:
        if not self.exists:
            return "not known to have a value everywhere"
        kind = {(True, True): "affine", (True, False): "convex", (False, True): "concave"}.get((self.convex, self.concave))
        if not self.slopes:
            return "constant"
        words = {1: "rising", -1: "falling", 0: "the same", None: "not known"}
        return f"{kind or 'not known to bend one way'}; " + ", ".join(f"{words[s]} in {x}" for x, s in self.slopes.items())


class _SignedIntervals(Intervals):
    """Intervals that end at 0 where a sign is certain: rounding outwards would move them just past it."""

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Interval]) -> Interval:
        low, high = super().apply(primitive, parameter, operands)
        sign = _signed(primitive.name, parameter, [_sign(side) for side in operands])
        return (max(low, 0.0) if sign in (0, 1) else low, min(high, 0.0) if sign in (0, -1) else high)


def _signed(name: str, parameter: Parameter, signs: list[Sign]) -> Sign:
    """The sign of a result, from those of its operands."""
    whole = isinstance(parameter, int)
    if name in NOT_NEGATIVE or (name == "powi" and whole and parameter % 2 == 0):
        return 1
    if name in ("mul", "div"):
        return _times(*signs)
    if name in ("add", "max", "min"):
        return _together(signs)
    if name in ("neg", "sub"):
        return _together([*signs[:-1], _times(-1, signs[-1])])
    return signs[0] if name in ODD or (name == "powi" and whole) or (name == "powr" and signs[0] == 1) else None


BOUNDS = _SignedIntervals()


class Curvatures(Numbers):
    """A `Curvature` for every node."""

    def constant(self, value: Any) -> Curvature:
        side = BOUNDS.constant(value)
        return Curvature(side, {}, True, True, exists=side != ENTIRE)

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Curvature]) -> Curvature:
        sides = [operand.range for operand in operands]
        inputs = dict.fromkeys(name for operand in operands for name in operand.slopes)
        if not (all(operand.exists for operand in operands) and BOUNDS.defined(primitive, parameter, sides)):
            return Curvature(ENTIRE, dict.fromkeys(inputs), exists=False)
        out = BOUNDS.apply(primitive, parameter, sides)
        if inputs and (primitive.jumps or primitive.piecewise_constant or primitive.name == "select"):
            return Curvature(out, dict.fromkeys(inputs))
        if not inputs:
            return Curvature(out, {}, True, True)
        moving = [i for i, operand in enumerate(operands) if operand.slopes]
        signs, bends = _how(primitive, parameter, sides, moving)
        slopes = {name: _together([_times(signs[i], operands[i].slopes[name]) for i in moving if name in operands[i].slopes])
                  for name in inputs}  # fmt: skip
        convex = 1 in bends and all(operands[i].bent(signs[i]) for i in moving)
        concave = -1 in bends and all(operands[i].bent(_times(-1, signs[i])) for i in moving)
        return Curvature(out, slopes, convex, concave)


def _how(
    primitive: Primitive, parameter: Parameter, sides: list[Interval], moving: list[int]
) -> tuple[dict[int, Sign], set[int]]:
    """How a function goes with each operand that moves, and its bends: convex (1), concave (−1), both, or neither."""
    if primitive.name in KINKED:
        known, bend = KINKED[primitive.name]
        low, high = sides[0]
        if primitive.name == "abs" and (low >= 0 or high <= 0):
            return {0: 1 if low >= 0 else -1}, {1, -1}
        return {i: known[min(i, len(known) - 1)] for i in moving}, {bend}
    if primitive.name in ("sqrt", "powr") and sides[0][0] >= 0:  # at 0 the slope is infinite
        power = 0.5 if parameter is None else float(parameter)
        return {0: 1 if power > 0 else -1}, {1 if power > 1 or power < 0 else -1}
    coefficients = {i: _taylor(primitive, parameter, sides, i) for i in moving}
    signs: dict[int, Sign] = {i: _sign(first) for i, (first, _) in coefficients.items()}
    if primitive.name in LINEAR:
        return signs, {1, -1}
    if len(moving) > 1:
        return signs, set()
    second = _sign(coefficients[moving[0]][1])
    return signs, {1, -1} if second == 0 else set() if second is None else {second}


def _taylor(primitive: Primitive, parameter: Parameter, sides: list[Interval], along: int) -> tuple[Interval, Interval]:
    """Bounds of the first and of the second Taylor coefficient along one operand. At an edge: those from within."""
    builder = Builder([f"u{i}" for i in range(len(sides))])
    graph = builder.finish([builder.call(primitive.name, *range(len(sides)), parameter=parameter)])
    line = [(side, (float(i == along),) * 2) for i, side in enumerate(sides)]
    [(_, first, second)] = enclosed_series(graph, line, SECOND, BOUNDS)
    return first, second


def _sign(side: Interval) -> Sign:
    low, high = side
    return 0 if low == high == 0 else 1 if low >= 0 else -1 if high <= 0 else None


def _times(a: Sign, b: Sign) -> Sign:
    return 0 if 0 in (a, b) else None if a is None or b is None else a * b


def _together(signs: Sequence[Sign]) -> Sign:
    """The sign of a sum."""
    found = {sign for sign in signs if sign != 0}
    return 0 if not found else found.pop() if len(found) == 1 else None
