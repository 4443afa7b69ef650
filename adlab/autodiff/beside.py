"""Points beside a point, as close as limits need them, and numbers with bits enough to tell them apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from adlab.arithmetic.extended import Extended, number

SIDES = 4
"""Directions in which points beside the point are taken, each on both sides."""
STEPS = (-90, -180, -270)
"""The steps to points beside the point, as powers of two of the size of each coordinate.
The last ones show even a limit approached like √h."""
BITS = 1500
"""Bits for points beside the point: over five times the shortest step, so that third-order differences keep their digits."""


def exponent(x: float) -> int:
    """The size of a coordinate as a power of two. A step is short beside it, however small it is; beside 0 a step is absolute."""
    return math.frexp(x)[1] if x else 0


def enough_bits(point: Sequence[float]) -> Extended:
    """Numbers with `BITS` bits, or with more where a coordinate is small: then the steps are shorter."""
    deepest = min([0, *map(exponent, point)])
    return Extended(BITS * (deepest + STEPS[-1]) // STEPS[-1])


def points_beside(point: Sequence[float], step: int, fine: Extended) -> list[list[Any]]:
    """Points beside this one, in directions that no formula is likely to use, on both sides."""
    places = []
    for turns in directions(len(point)):
        for sign in (1, -1):
            places.append([
                fine.add(number(x), fine.mul(number(sign * turn), fine.power_of_two(step + exponent(x))))
                for x, turn in zip(point, turns, strict=True)
            ])  # fmt: skip
    return places


def directions(n: int) -> list[list[float]]:
    """One vector for each direction; a line has one."""
    if n == 1:
        return [[1.0]]
    return [[math.cos(1.0 + 2.399963 * (side + 1) * (j + 1)) for j in range(n)] for side in range(SIDES)]
