"""Boxes of operands for the primitives of the table, and points in them."""

from __future__ import annotations

import math
import random

from table import CASES, LOGIC, MANY, Case, points

WIDTHS = [1e-16, 1e-12, 1e-6, 1e-2, 0.5, 3.0, 20.0]
NUMERIC = [case for case in CASES if case.primitive.name not in LOGIC]
"""Others take truth values only."""


def boxes(case: Case, count: int) -> list[list[tuple[float, float]]]:
    """Boxes about points of the domain, from a few ulps wide to many times as wide as far from 0."""
    r = random.Random(str(case))
    found = []
    for point in r.sample(all_points := points(case, MANY), min(count, len(all_points))):
        radii = [r.choice(WIDTHS) * max(abs(x), r.choice([0.0, 1.0])) for x in point]
        found.append([(x - radius, x + radius) for x, radius in zip(point, radii, strict=True)])
    return [box for box in found if all(math.isfinite(end) for side in box for end in side)]


def inside(box: list[tuple[float, float]], r: random.Random) -> list[float]:
    return [min(max(r.choice([low, high, 0.0, r.uniform(low, high)]), low), high) for low, high in box]
