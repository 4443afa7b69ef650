"""A few lines are looked at number by number: with the numbers, calls and refusals of the arrays, to the last bit."""

from __future__ import annotations

import math
import random
from dataclasses import fields

import numpy as np
import pytest
import sympy

import adlab
from adlab.differences import few, quick
from adlab.differences.few import few_lines, ordinary
from adlab.differences.plans import plan_of
from adlab.differences.quick import quick_look
from adlab.differences.quotients import one_by_one
from adlab.differences.stencils import SCHEMES
from tests.differences.test_quick import NASTY, ORDINARY

NAMES = [name for name in SCHEMES if name in adlab.methods() and name != "central-difference-6"]
KINKED = [abs, lambda x: max(x, 1.0), lambda x: x + 1e-5 * abs(x - 1), lambda x: float(np.float32(x)), lambda x: round(x, 6)]
SMOOTH = [math.sin, math.exp, math.atan, math.tanh, math.sqrt, math.log, lambda x: x * x, lambda x: 1 / x, lambda x: 1e300 * x]
PLACES = [0.0, 1.0, -1.0, 2.0, 2 * 2**0.5, 1e13, 1e-300, -1e-7, 3e5]


def drawn(draw: random.Random, depth: int = 0):
    """A random function of a pair of numbers."""
    kind = draw.random()
    if depth > 2 or kind < 0.1 * depth:
        place, number = draw.randrange(3), draw.uniform(-2, 2)
        return lambda p: (*p, number)[place]
    a, b = drawn(draw, depth + 1), drawn(draw, depth + 1)
    if kind < 0.6:
        outer = draw.choice(SMOOTH if draw.random() < 0.9 else KINKED)
        return lambda p: outer(a(p))
    return draw.choice([lambda p: a(p) + b(p), lambda p: a(p) - b(p), lambda p: a(p) * b(p), lambda p: a(p) / b(p)])


def safe(f):
    def value(point) -> float:
        try:
            return float(f(point.tolist()))
        except (ValueError, ArithmeticError):
            return math.nan

    return value


SPOILED = [
    lambda x: abs(x - 1),
    lambda x: abs(x - 1 - 3e-9),
    lambda x: float(x == 1),
    lambda x: math.sin(1e17 * math.frexp(x)[0]),
    lambda x: 1e3 * math.sin(1e3 * x),
    lambda x: math.floor(1e9 * (x - 1)),
]
"""What spoils a derivative at 1 when some of it is added: kinks, a lonely value, noise, truncation, stairs."""


def cases():
    """Functions, and points near which they are ordinary, or have kinks, poles, stairs, noise or nothing."""
    draw = random.Random(7)
    for f, x in [(f, x) for f, _, x in ORDINARY] + NASTY:
        yield safe(lambda p, f=f: f(p[0])), [x]
    for spoil in SPOILED:
        for _ in range(24):  # so that each limit of the quick look is crossed
            size = 10 ** draw.uniform(-17, -5)
            yield safe(lambda p, spoil=spoil, size=size: math.sin(p[0]) + size * spoil(p[0])), [1.0]
    for _ in range(12):
        f, g = safe(drawn(draw)), safe(drawn(draw))
        at = [draw.choice(PLACES) if draw.random() < 0.2 else draw.uniform(0.5, 3) for _ in range(2)]
        yield f, at
        yield (lambda p, f=f, g=g: np.array([f(p), g(p)])), at


@np.errstate(all="ignore")
@pytest.mark.parametrize("name", NAMES)
def test_both_looks_accept_the_same_with_the_same_numbers(name: str) -> None:
    accepted = 0
    for f, x in cases():
        point, n = np.array(x), len(x)
        here = np.atleast_1d(f(point))
        sample = one_by_one(f, np.shape(f(point)))
        lines = few_lines(plan_of(name), x, None, here.size)
        looked = quick_look(sample, np.tile(point, (n, 1)), np.arange(n), np.tile(here, (n, 1)), name)
        values = None if lines is None else sample(np.array(lines.points(x, range(n))))
        found = None if lines is None or not np.isfinite(here).all() else ordinary(lines, here.tolist(), values.tolist())
        at_once = lines is not None and looked.accepted.all() and bool((looked.taken == len(lines.layout.offsets)).all())
        assert (found is not None) == (at_once and bool((looked.error <= plan_of(name).tolerance * abs(looked.df)).all()))
        if found is None:
            continue
        accepted += 1
        assert np.array_equal(np.array(found), np.stack([looked.df, looked.error], axis=-1)), (x, name)
        assert [lines.reach(i) for i in range(n)] == looked.step.tolist()
        if looked.sides is not None:
            sides = [lines.one_sided(i, here.tolist(), values.tolist()[i::n]) for i in range(n)]
            assert np.array_equal(np.array(sides), np.moveaxis(looked.sides, 0, -1))
    assert accepted > 10


@pytest.mark.parametrize("name", NAMES)
def test_both_looks_have_the_same_limits(name: str) -> None:
    """On tables of values of which one or two are off, and with derivatives and errors that are off as well."""
    plan, size, x = plan_of(name), 3000, 1.0
    layout = few._layout_at(plan)
    rng, nodes = np.random.default_rng(3), x + np.array(layout.offsets) * plan.relative
    offsets, pairs = quick.offsets_of(plan, len(layout.pairs) - 1)
    moved = np.tile((nodes - x)[:, None], size)
    values, here = np.tile(np.sin(nodes)[:, None, None], (size, 1)), np.full((size, 1), math.sin(x))
    places = rng.integers(0, len(layout.pairs), size)
    off = 10.0 ** rng.uniform(-17, -7, size) * rng.choice([-1.0, 0.0, 1.0], (2, size))
    for side in (0, 1):
        values[np.array(pairs[side])[places], np.arange(size), 0] += off[side]
    df = math.cos(x) * (1 + 10.0 ** rng.uniform(-16, -6, (size, 1)))
    error, h = 10.0 ** rng.uniform(-15, -5, (size, 1)), np.full((size, 1), plan.relative)
    rises, largest = values - here, np.abs(values).max(axis=0)
    near, raised, _ = quick._beside(plan, pairs, moved, np.full(size, x), here, values, rises, df, error, h)
    lifted = quick._lift(plan, offsets, rises, moved, df, largest, h) if plan.two_sided else None
    for k in range(size):
        table, risen = values[:, k, 0].tolist(), rises[:, k, 0].tolist()
        given = layout, moved[:, k].tolist(), x, here[k, 0], table, risen, df[k, 0], error[k, 0], plan.relative
        assert few._beside(*given) == (raised[k, 0] if near[k, 0] else math.inf)
        if lifted is not None:
            assert few._is_lifted(layout.lifts, risen, moved[:, k].tolist(), df[k, 0], largest[k, 0]) == (lifted[k, 0] != 0)
    assert 0.05 < near.mean() < 0.95


def told(f, x, name: str, step: float | str = "auto"):
    """All that `difference` says, and where it has asked for values; and the error that it raises."""
    asked: list[list[float]] = []

    def recorded(point):
        asked.append(point.tolist())
        return f(point)

    try:
        found = adlab.difference(recorded, x, scheme=name, step=step)
    except adlab.AdlabError as error:
        return str(error), asked
    return [{field.name: repr(getattr(e, field.name)) for field in fields(e)} for e in found.estimates], asked


@pytest.mark.parametrize("name", ["forward-difference", "central-difference-4"])
def test_of_a_callable_the_same_values_are_asked_for_and_the_same_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    functions = [
        (lambda p: math.log(p[0] + p[1]), [1.0, 2.0]),
        (lambda p: np.array([math.exp(p[0]) * p[1], p[1] ** 3]), [0.5, -0.7]),
        (lambda p: abs(p[0] - 1) + p[1], [1.0, 2.0]),
        (lambda p: math.sqrt(p[0]) + p[1], [0.0, 2.0]),
        (lambda p: p[0] ** 2 / p[1] if p[1] != 2 else math.nan, [1.0, 2.0]),
        (lambda p: np.sin(p[0]) * p[1], [1.0, 1e13]),
        (lambda p: "no number", [1.0]),
    ]
    for f, x in functions:
        for step in ("auto", 1e-5):
            now = told(f, x, name, step)
            with monkeypatch.context() as patch:
                patch.setattr(few, "FEW", 0)
                assert told(f, x, name, step) == now


@pytest.mark.parametrize("name", ["forward-difference", "central-difference-4"])
def test_of_a_formula_the_gradient_is_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    p = sympy.Symbol("p", positive=True)
    formulas = [
        ("log((x + y)**2 + sin(x*y))", [1.0, 2.0]), ("x*y", [1e200, 1e200]), ("sqrt(x)*y", [-1.0, 2.0]), ("Abs(x)*y", [0.0, 2.0]),
        ("log(x)", [0.0]), ("1e308*x*y", [1.0, 1.5]), (p * p, [-1.0]), ("x", [3.0]), ("7", []),
        (["x*y", "sin(x)/y"], [1.0, 2.0]), ("Piecewise((x, x > 1), (x**2, True))", [1.0]), ("x*log(10**400)", [2.0]),
    ]  # fmt: skip
    for text, x in formulas:
        results = []
        for most in (few.FEW, 0):
            monkeypatch.setattr(few, "FEW", most)
            try:
                results.append(adlab.Function(text).jacobian(x, method=name).tolist())
            except adlab.AdlabError as error:
                results.append(f"{type(error).__name__}: {error}")
        assert results[0] == results[1]
        monkeypatch.undo()
