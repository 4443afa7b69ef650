"""The quick look: what it accepts is right, it accepts what is ordinary, and it leaves what is not to the careful methods."""

from __future__ import annotations

import math

import numpy as np
import pytest

import adlab
from adlab.differences import differences
from adlab.differences.differences import NAMES
from adlab.differences.plans import plan_of
from adlab.differences.quick import quick_look
from adlab.differences.quotients import one_by_one

PLANNED = [name for name in NAMES if plan_of(name)]
ORDINARY = [
    (math.exp, math.exp, 1.0),
    (math.sin, math.cos, 1.0),
    (math.log, lambda x: 1 / x, 0.3),
    (math.atan, lambda x: 1 / (1 + x * x), 0.5),
    (lambda x: x**3 - x, lambda x: 3 * x * x - 1, -1.7),
    (lambda x: 1 / x, lambda x: -1 / x**2, 1e-8),
    (math.tanh, lambda x: 1 / math.cosh(x) ** 2, 0.5),
]
NASTY = [
    (abs, 0.0),
    (lambda x: max(x, 1.0), 1.0),
    (lambda x: math.sin(x) + 1e-4 * abs(x - 1), 1.0),
    (lambda x: float(np.float32(math.exp(x))), 1.0),
    (lambda x: 7.0 if x == 1 else math.sin(x), 1.0),
    (lambda x: x * x + (1e-6 if x == 1 else 0.0), 1.0),
    (math.floor, 3.0),
    (lambda x: math.sin(x) + 1e-8 * math.sin(1e17 * math.frexp(x)[0]), 1.0),
    (lambda x: -math.log(1 + math.exp(-x)), 40.0),
    (lambda x: math.sin(x) + 1e-3 * math.exp(-(((x - 1) / 1e-9) ** 2) / 2), 1.000000001),
    (lambda x: round(x * x, 2), 2.0),
    (lambda x: math.sin(x) + 1e-5 * (x > 1), 1.0),
    (lambda x: math.sqrt(abs(x)), 0.0),
    (lambda x: math.log1p(0 * x) + (1 + x - 1) / 1e-9, 1e-9),
]


def looked(f, x: float, name: str):
    def value(point) -> float:
        try:
            return f(float(point[0]))
        except (ValueError, OverflowError):
            return math.nan

    with np.errstate(all="ignore"):
        return quick_look(one_by_one(value, ()), np.array([[x]]), np.array([0]), np.array([[value([x])]]), name)


@pytest.mark.parametrize("name", PLANNED)
def test_what_is_ordinary_is_accepted_and_right(name: str) -> None:
    for f, slope, x in ORDINARY:
        found = looked(f, x, name)
        assert found.accepted[0], (name, x)
        assert abs(found.df[0, 0] - slope(x)) <= 2 * found.error[0, 0]
        assert found.error[0, 0] < 1e-6 * abs(slope(x))


@pytest.mark.parametrize("name", PLANNED)
def test_what_is_not_is_left_to_the_careful(name: str) -> None:
    for f, x in NASTY:
        assert not looked(f, x, name).accepted[0], (name, x)


@pytest.mark.parametrize("name", ["forward-difference", "central-difference-4", "richardson", "adaptive-difference"])
def test_many_points_are_looked_at_as_one_is(name: str) -> None:
    """And the points that are not ordinary get the careful look, or NaN where f has no value."""
    f = adlab.Function("log(x)*y + Max(x, y)**2")
    points = np.array([[0.5, 2.0], [3.0, 1.0], [2.0, 2.5], [-1.0, 2.0], [7.0, -0.3]])
    found = f.gradient(points, method=name)
    assert np.isnan(found[3]).all()
    for k in (0, 1, 2, 4):
        alone = f.gradient(points[k], method=name)
        assert found[k] == pytest.approx(alone, rel=1e-9)


@pytest.mark.parametrize("name", [name for name in PLANNED if name in adlab.methods()])
def test_of_an_ordinary_batch_hardly_a_line_is_taken_node_by_node(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where truncation rules, as for orders 6 and 8 here, nor where f is nearly level. A careful line costs as much as
    a thousand others."""
    taken: list[int] = []
    careful = differences._carefully
    monkeypatch.setattr(differences, "_carefully", lambda *given: taken.append(1) or careful(*given))
    points = np.random.default_rng(3).uniform(0.5, 4, (150, 2))
    for text in ("log((x + y)**2 + sin(x*y))", "exp(x)*sin(y)/(1 + x*y)"):
        f = adlab.Function(text)
        found, right = f.gradient(points, method=name), f.gradient(points)
        assert np.all(np.abs(found - right) < 1e-5 * np.abs(right).max())
    assert len(taken) <= 2


def test_the_step_of_a_line_comes_from_its_own_errors() -> None:
    """At 3, the scheme of order 8 would lose six digits to truncation at its first step."""
    f, slope = (lambda x: math.log((x + 2.0) ** 2 + math.sin(2 * x))), lambda x: (2 * (x + 2) + 2 * math.cos(2 * x))
    found = looked(f, 3.0, "central-difference-8")
    exact = slope(3.0) / ((3.0 + 2.0) ** 2 + math.sin(6.0))
    assert found.accepted[0]
    assert abs(found.df[0, 0] - exact) < 1e-12 * abs(exact)
    assert found.step[0] < plan_of("central-difference-8").relative * 4


@pytest.mark.parametrize("kink", [1e-9, -1e-9])
def test_a_kink_between_x_and_the_node_of_a_one_sided_scheme_is_in_the_error(kink: float) -> None:
    for size in (1e-7, 3e-7, 1e-6, 3e-6):
        found = looked(lambda x, size=size: math.sin(x) + size * abs(x - 1 - kink), 1.0, "forward-difference")
        exact = math.cos(1.0) - math.copysign(size, kink)
        assert not found.accepted[0] or abs(found.df[0, 0] - exact) <= 2 * found.error[0, 0]


def test_a_callable_that_takes_arrays_is_asked_once_and_checked() -> None:
    sizes: list[int] = []

    def honest(x):
        sizes.append(np.size(x))
        return np.sin(x) * x

    found = adlab.difference(honest, 1.0)
    assert found.success
    assert max(sizes) > 20
    assert found.nfev == sum(sizes)

    def misled(x):  # an array of points is not a point: the mean of one number is that number
        return np.sin(x) + np.mean(x) ** 2

    found = adlab.difference(misled, 1.0)
    assert abs(found.df - (math.cos(1) + 2)) <= found.error


def test_a_function_of_several_variables_may_take_arrays_too() -> None:
    found = adlab.difference(lambda x: x[0] * np.exp(x[1]), [3.0, 0.5])
    assert found.df == pytest.approx([math.exp(0.5), 3 * math.exp(0.5)], rel=1e-12)
    found = adlab.difference(lambda x: float(np.sum(np.asarray(x) ** 2)), [3.0, 0.5])  # of one point only
    assert found.df == pytest.approx([6.0, 1.0], rel=1e-12)
