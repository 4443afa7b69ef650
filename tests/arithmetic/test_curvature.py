"""Monotonicity and convexity by disciplined rules: what is proven is true, and the textbook's cases are proven."""

from __future__ import annotations

import random

import numpy as np
import pytest

import adlab

SIDE = (-1.0, 1.0)


def fact(text: str, **box: tuple[float, float]):
    return adlab.walk(adlab.Function(text, list(box)), "curvature", list(box.values()))[0]


@pytest.mark.parametrize(("text", "box", "words"), [
    ("exp(x**2) - log(y)", {"x": (0, 1), "y": (1, 2)}, "convex; rising in x, falling in y"),
    ("3*x - y/2 + 1", {"x": SIDE, "y": SIDE}, "affine; rising in x, falling in y"),
    ("sqrt(x)", {"x": (0, 4)}, "concave; rising in x"),
    ("x**3", {"x": (0, 1)}, "convex; rising in x"),
    ("x**3", {"x": (-1, 0)}, "concave; rising in x"),
    ("1/x", {"x": (-2, -1)}, "concave; falling in x"),
    ("x**1.5", {"x": (0, 1)}, "convex; rising in x"),
    ("(x + y)**2 + exp(x - y)", {"x": SIDE, "y": SIDE}, "convex; not known in x, not known in y"),
    ("Max(x, 2*x - 1, y) + Abs(x - y)", {"x": SIDE, "y": SIDE}, "convex; not known in x, not known in y"),
    ("Min(log(x), sqrt(x))", {"x": (0.5, 2)}, "concave; rising in x"),
    ("x*y", {"x": (0, 1), "y": (1, 2)}, "not known to bend one way; rising in x, rising in y"),
    ("x*y", {"x": SIDE, "y": (0, 1)}, "not known to bend one way; rising in x, not known in y"),
    ("tanh(x)", {"x": (0, 1)}, "concave; rising in x"),
    ("tanh(x)", {"x": SIDE}, "not known to bend one way; rising in x"),
    ("floor(x)", {"x": (0, 3)}, "not known to bend one way; not known in x"),
    ("log(x)", {"x": (-1, 1)}, "not known to have a value everywhere"),
    ("exp(log(x))", {"x": (-1, 1)}, "not known to have a value everywhere"),
    ("2*pi", {}, "constant"),
])  # fmt: skip
def test_the_cases_of_the_textbook(text, box, words) -> None:
    assert str(fact(text, **box)) == words


ONE = ("exp({})", "log({})", "sqrt({})", "({})**2", "({})**3", "Abs({})", "-({})", "1/({})", "sin({})", "tanh({})", "cosh({})",
       "({})**1.5", "atan({})", "log(1+exp({}))", "floor({})", "({})**4", "asin({})", "erf({})", "acosh({})")  # fmt: skip
TWO = ("({})+({})", "({})-({})", "({})*({})", "({})/({})", "Max({},{})", "Min({},{})", "hypot({},{})", "atan2({},{})",
       "Piecewise(({},x>0.3),({},True))", "Mod({},{})")  # fmt: skip


def drawn(rng: random.Random, depth: int) -> str:
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(["x", "y", "x", "y", "2", "0.5"])
    if rng.random() < 0.55:
        return rng.choice(ONE).format(drawn(rng, depth - 1))
    return rng.choice(TWO).format(drawn(rng, depth - 1), drawn(rng, depth - 1))


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 30))])
def test_nothing_false_is_claimed_of_random_formulas(seed) -> None:
    """Values, midpoints and differences at random points and at the corners of a random box."""
    rng, claims = random.Random(seed), 0
    for _ in range(60):
        text = drawn(rng, rng.choice([1, 2, 2, 3]))
        box = [(low, low + rng.choice([0.25, 1, 2])) for low in (rng.choice([-2, -1, -0.5, 0, 0.5, 1]) for _ in "xy")]
        f = adlab.Function(text, ["x", "y"])
        found = adlab.walk(f, "curvature", box)[0]
        if not found.exists:
            continue
        p, q = (np.array([[rng.uniform(*side) for side in box] for _ in range(40)]) for _ in "pq")
        p[:4] = [[a, b] for a in box[0] for b in box[1]]
        at_p, at_q, middle = f(p), f(q), f((p + q) / 2)
        slack = 1e-9 * (1 + np.maximum(abs(at_p), abs(at_q)))
        low, high = found.range
        assert np.isfinite(at_p).all(), text
        assert ((low - slack <= at_p) & (at_p <= high + slack)).all(), (text, box)
        bent = (at_p + at_q) / 2 - middle
        assert not found.convex or (bent >= -slack).all(), (text, box)
        assert not found.concave or (bent <= slack).all(), (text, box)
        for j, name in enumerate("xy"):
            sign = found.slopes.get(name, 0)
            if sign is not None:
                moved = p.copy()
                moved[:, j] = q[:, j]
                rise = np.sign(moved[:, j] - p[:, j]) * (f(moved) - at_p)
                assert (rise * sign >= -slack).all() if sign else (abs(rise) <= slack).all(), (text, box, name)
                claims += 1
    assert claims > 20


def test_a_box_that_is_none_is_refused() -> None:
    for side in ((1, 0), 3, "x", (1, 2, 3)):
        with pytest.raises(adlab.PointError, match=r"`x` is"):
            fact("x", x=side)
