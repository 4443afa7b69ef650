"""A slight kink at x or next to it: an answer that says success may not be farther from the derivative than its error says."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

import adlab

SMOOTH: list[tuple[Callable[[float], float], Callable[[float], float]]] = [
    (math.sin, math.cos),
    (lambda x: math.exp(x / 2), lambda x: math.exp(x / 2) / 2),
    (lambda x: math.log(0.5 + x * x), lambda x: 2 * x / (0.5 + x * x)),
    (lambda x: 5 * x**3 - x, lambda x: 15 * x * x - 1),
]
SCHEMES = ["adaptive-difference", "richardson", "central-difference-4", "central-difference-8"]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("f", "slope"), SMOOTH)
def test_a_slight_kink_near_x_is_in_the_error(
    scheme: str, f: Callable[[float], float], slope: Callable[[float], float]
) -> None:
    rng = random.Random(17)
    for _ in range(8):
        x, steep = rng.uniform(0.5, 4.0), 10 ** rng.uniform(-7, -3)
        corner = x + rng.choice([-1, 1]) * 10 ** rng.uniform(-13, -9)
        found = adlab.difference(lambda v, c=corner, s=steep: f(v) + s * abs(v - c), x, scheme=scheme)
        true = slope(x) + math.copysign(steep, x - corner)
        assert abs(found.df - true) <= 5 * found.error or not found.success, (x, corner, steep)


@pytest.mark.parametrize(("f", "slope"), SMOOTH)
def test_a_smooth_function_is_told_no_kink(f: Callable[[float], float], slope: Callable[[float], float]) -> None:
    rng = random.Random(18)
    for _ in range(20):
        x = rng.uniform(0.5, 4.0)
        found = adlab.difference(f, x)
        assert found.success
        assert abs(found.df - slope(x)) <= 5 * found.error <= 1e-11 * max(1.0, abs(found.df))
