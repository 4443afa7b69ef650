"""Answers are held against fresh values: what nodes in step cannot see is in the error, or the answer is refused."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest

import adlab
from adlab.differences.differences import NAMES

mp = mpmath.mp.clone()
mp.dps = 60
HALF = 2.0**-26  # relative error: half of the digits
Smooth = Callable[[Any, Any], Any]


class Drawn(NamedTuple):
    """A function at a point, and the derivatives that an answer may have: that of both sides where there is a kink."""

    name: str
    f: Callable[[float], float]
    x: float
    sides: tuple[Any, ...]


def smooth(rng: random.Random) -> Smooth:
    a, b = rng.uniform(0.1, 4), rng.uniform(-2, 2)
    return rng.choice([
        lambda m, x: m.log(a + x**2), lambda m, x: m.sin(a * x + b), lambda m, x: m.exp(a * x / 4), lambda m, x: m.sqrt(a + x**2),
        lambda m, x: 1 / (1 + a * x**2), lambda m, x: x**3 + b * x**2 + a, lambda m, x: m.tanh(a * x + b), lambda m, x: a * x + b,
    ])  # fmt: skip


def slope(f: Callable[[Any], Any], x: float, side: int = 0) -> Any:
    h, at = mp.mpf(10) ** -25, mp.mpf(x)
    return (f(at + h) - f(at - h)) / (2 * h) if not side else (f(at + side * h) - f(at)) / (side * h)


def drawn(rng: random.Random, kind: str) -> Drawn:
    """One function of a kind."""
    g, x = smooth(rng), rng.choice([0.0, 1.0, round(rng.uniform(-4, 4), 3), rng.uniform(-4, 4)])
    size, near = rng.choice([-1, 1]) * 10 ** rng.uniform(-7, 0), rng.choice([-1, 1]) * 10 ** rng.uniform(-10, -1)
    exact = (slope(lambda t: g(mp, t), x),)
    if kind == "far from 0":
        far = 10 ** rng.uniform(0, 16)
        return Drawn(f"+ {far}", lambda t: g(math, t) + far, x, exact)
    if kind == "binary32":
        return Drawn("float32", lambda t: float(np.float32(g(math, float(np.float32(t))))), x, exact)
    if kind == "stairs":
        steps = 10 ** rng.uniform(2, 12)
        return Drawn(f"in steps of 1/{steps}", lambda t: round(g(math, t) * steps) / steps, x, exact)
    if kind == "a kink at x":
        bent = lambda t: g(mp, t) + mp.mpf(size) * abs(t - mp.mpf(x))  # noqa: E731
        return Drawn(f"+ {size} |x - {x}|", lambda t: g(math, t) + size * abs(t - x), x, (slope(bent, x, -1), slope(bent, x, 1)))
    if kind == "a kink near x":
        c = x + near
        bent = lambda t: g(mp, t) + mp.mpf(size) * abs(t - mp.mpf(c))  # noqa: E731
        return Drawn(f"+ {size} |x - {c}|", lambda t: g(math, t) + size * abs(t - c), x, (slope(bent, x),))
    if kind == "a wave":
        w = 10 ** rng.uniform(1, 7)
        wavy = lambda m, t: g(m, t) + size * m.sin(w * t + 1)  # noqa: E731
        return Drawn(f"+ {size} sin({w} x + 1)", lambda t: wavy(math, t), x, (slope(lambda t: wavy(mp, t), x),))
    c, width = x + near * rng.uniform(-1, 1), abs(near)
    peaked = lambda m, t: g(m, t) + size * m.exp(-(((t - c) / width) ** 2))  # noqa: E731
    return Drawn(f"+ {size} exp(-((x - {c})/{width})²)", lambda t: peaked(math, t), x, (slope(lambda t: peaked(mp, t), x),))


KINDS = ["far from 0", "binary32", "stairs", "a kink at x", "a kink near x", "a wave", "a peak"]


def is_false(found: Any, sides: tuple[Any, ...]) -> bool:
    """Whether it claims a success, though it is off by more than its error, and by half of the digits."""
    off = [(float(abs(mp.mpf(found.df) - side)), abs(float(side)) or 1.0) for side in sides]
    return found.success and any(error > 2 * found.error + 4 * math.ulp(s) and error > HALF * s for error, s in off)


@pytest.mark.parametrize("count", [2, pytest.param(60, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
def test_false_successes_are_rare_whatever_is_drawn(kind: str, count: int) -> None:
    """Noise may be small by luck in all values that are taken; one answer in fifty may be wrong by that."""
    rng, wrong, runs = random.Random(kind), [], 0
    for _ in range(count):
        case = drawn(rng, kind)
        for name in ("adaptive-difference", "central-difference", rng.choice(NAMES)):
            one_sided = name.startswith(("forward", "backward"))
            sides = case.sides if not one_sided or len(case.sides) == 1 else (case.sides[name.startswith("forward")],)
            runs += 1
            if is_false(found := adlab.difference(case.f, case.x, scheme=name), sides):
                wrong.append((name, case.name, case.x, found.df, found.error))
    assert len(wrong) <= runs / 50, wrong


@pytest.mark.parametrize(("f", "x", "exact"), [
    (lambda x: math.log(0.128 + x * x) + 3.3e15, 1.875, 2 * 1.875 / (0.128 + 1.875**2)),
    (lambda x: math.tanh(2.25 * x + 0.8) - 2.9e15, 0.0, 2.25 / math.cosh(0.8) ** 2),
    (lambda x: float(np.float32(2.18 * float(np.float32(x)))), 0.0, 2.18),
    (lambda x: float(np.float16(math.log(3.5 + x * x))), 5e-6, 1e-5 / 3.5),
    (lambda x: (math.log(3.3 + x * x) + 9.3e11) - 9.3e11, 2e-7, 4e-7 / 3.3),
], ids=["stairs of 1/2", "tanh on stairs of 1/2", "binary32 at 0", "binary16, even", "cancelled, even"])  # fmt: skip
@pytest.mark.parametrize("name", NAMES)
def test_what_rounding_hides_is_in_the_error(name: str, f: Callable[[float], float], x: float, exact: float) -> None:
    found = adlab.difference(f, x, scheme=name)
    assert not found.success or abs(found.df - exact) <= 2 * found.error


@pytest.mark.parametrize("name", NAMES)
def test_a_slight_kink_at_x_is_named_or_covered(name: str) -> None:
    """Two-sided schemes name it; those on one side give the derivative of that side."""
    found = adlab.difference(lambda x: math.log(0.792 + x * x) + 1.4e-7 * abs(x - 1), 1.0, scheme=name)
    middle = 2 / 1.792
    if name.startswith(("forward", "backward")):
        side = middle + (1.4e-7 if name.startswith("forward") else -1.4e-7)
        assert abs(found.df - side) <= 2 * found.error
    elif found.success:
        assert name == "central-difference-6"
        assert found.error >= 1.3e-7
    else:
        assert found.flags == ("kink_in_stencil",)
        assert found.one_sided == pytest.approx((middle - 1.4e-7, middle + 1.4e-7), abs=2e-9)


@pytest.mark.parametrize("order", [1, 2])
def test_faint_waves_are_not_taken_for_noise(order: int) -> None:
    found = adlab.difference(lambda x: x**3 + 1.7e-8 * math.sin(2.4e6 * x + 3.3), 3.0, order=order)
    assert not found.success
    assert "shorter than the stencil" in found.reason or found.flags


@pytest.mark.parametrize("jump", [0.1, 1e-4])
def test_a_jump_of_the_second_derivative_at_x_is_a_kink_of_the_first(jump: float) -> None:
    found = adlab.difference(lambda x: math.exp(x) + jump * max(x, 0.0) ** 2, 0.0, order=2)
    assert not found.success
    assert found.one_sided == pytest.approx((1.0, 1.0 + 2 * jump), rel=1e-3)
    first = adlab.difference(lambda x: math.exp(x) + jump * max(x, 0.0) ** 2, 0.0)
    assert first.success
    assert abs(first.df - 1) <= 2 * first.error
