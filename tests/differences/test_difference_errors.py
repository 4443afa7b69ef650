"""What finite differences say of their own error is true, and the error is what theory says."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
from shares import share

from adlab.differences.differences import NAMES, gradient
from adlab.differences.stencils import SCHEMES, scheme
from adlab.differences.step_models import ErrorModel
from adlab.precision import UNIT_ROUNDOFF

mp = mpmath.mp.clone()
mp.dps = 50


def slope(f: Callable[[float], Any], x: float, method: str, step: float | None = None, order: int = 1) -> Any:
    """The estimate of f′(x), or f″(x), of a function of one number; its `df` and `error` are floats."""
    return gradient(lambda point: f(float(point[0])), [x], method, step, order)[1][0]


# ---------------------------------------------------------------- honesty

Draw = Callable[[random.Random], float]


class Family(NamedTuple):
    """A function in binary64, its exact derivative, and where to try it."""

    name: str
    f: Callable[[float], float]
    exact: Callable[[Any], Any]
    draw: Draw


def near(low: float, high: float) -> Draw:
    return lambda rng: rng.uniform(low, high)


def scales(low: float, high: float, signs: tuple[int, ...] = (1,)) -> Draw:
    """Numbers of every size from 10^low to 10^high."""
    return lambda rng: rng.choice(signs) * 10 ** rng.uniform(low, high)


FAMILIES = [
    Family("exp", math.exp, mp.exp, near(-30, 30)),
    Family("exp near 0", math.exp, mp.exp, scales(-12, 0, (1, -1))),
    Family("sin", math.sin, mp.cos, scales(-12, 4, (1, -1))),
    Family("cos", math.cos, lambda x: -mp.sin(x), scales(-6, 2, (1, -1))),
    Family("log", math.log, lambda x: 1 / x, scales(-300, 300)),
    Family("log near 1", math.log, lambda x: 1 / x, near(0.5, 2)),
    Family("quartic", lambda x: x**4 + 3 * x**2 - 10 * x, lambda x: 4 * x**3 + 6 * x - 10, near(-3, 3)),
    Family("(x-1)^7", lambda x: (x - 1) ** 7, lambda x: 7 * (x - 1) ** 6, near(-3, 3)),
    Family("1/x", lambda x: 1 / x, lambda x: -1 / x**2, scales(-100, 100, (1, -1))),
    Family("sqrt", math.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), scales(-300, 300)),
    Family("x sqrt x", lambda x: x * math.sqrt(x), lambda x: 3 * mp.sqrt(x) / 2, scales(-10, 10)),
    Family("tanh 10x", lambda x: math.tanh(10 * x), lambda x: 10 / mp.cosh(10 * x) ** 2, near(-3, 3)),
    Family("tanh 10x near 0", lambda x: math.tanh(10 * x), lambda x: 10 / mp.cosh(10 * x) ** 2, scales(-8, 1, (1, -1))),
    Family("exp 100x", lambda x: math.exp(100 * x), lambda x: 100 * mp.exp(100 * x), near(-1, 1)),
    Family("Gauss", lambda x: math.exp(-x * x), lambda x: -2 * x * mp.exp(-x * x), near(-5, 5)),
    Family("Runge", lambda x: 1 / (1 + 25 * x * x), lambda x: -50 * x / (1 + 25 * x * x) ** 2, near(-2, 2)),
    Family("circle", lambda x: math.sqrt(1 - x * x), lambda x: -x / mp.sqrt(1 - x * x), near(-1, 1)),
    Family("x log x", lambda x: x * math.log(x), lambda x: mp.log(x) + 1, scales(-10, 5)),
    Family("sin 1/x", lambda x: math.sin(1 / x), lambda x: -mp.cos(1 / x) / x**2, scales(-2, 2)),
    Family(
        "x exp(-x) sin 3x",
        lambda x: x * math.exp(-x) * math.sin(3 * x),
        lambda x: mp.exp(-x) * ((1 - x) * mp.sin(3 * x) + 3 * x * mp.cos(3 * x)),
        near(-5, 10),
    ),
]


@pytest.fixture(scope="module")
def trials() -> list[tuple[Family, float, Any]]:
    """A thousand points, with the exact derivative at each."""
    rng = random.Random(20_1)
    points = [(family, family.draw(rng)) for family in FAMILIES for _ in range(50)]
    return [(family, x, family.exact(mp.mpf(x))) for family, x in points]


@pytest.fixture(scope="module")
def second_trials(trials: list[tuple[Family, float, Any]]) -> list[tuple[Family, float, Any]]:
    """One in four of these points, with the second derivative: the exact first differenced over 1e-20 of x."""
    tiny, found = mp.mpf(10) ** -20, []
    for family, x, _ in trials[::4]:
        with mp.workdps(90):
            above, below = (family.exact(mp.mpf(x) * (1 + sign * tiny)) for sign in (1, -1))
            found.append((family, x, (above - below) / (2 * tiny * mp.mpf(x))))
    return [trial for trial in found if 1e-250 < abs(trial[2]) < 1e250]  # what binary64 can hold, and what makes it


def total(f: Callable[[float], float]) -> Callable[[float], float]:
    """f as adlab's callers give it: NaN outside the domain, infinite where it overflows."""

    def at(x: float) -> float:
        try:
            return f(x)
        except OverflowError:
            return math.inf
        except (ValueError, ZeroDivisionError):
            return math.nan

    return at


def judged(trials: list[tuple[Family, float, Any]], method: str, order: int) -> tuple[dict[str, int], list[float]]:
    """How often in each family the error is within twice its estimate; and by how much the estimate exceeds it."""
    honest = dict.fromkeys((family.name for family in FAMILIES), 0)
    excess = []
    for family, x, exact in trials:
        estimate = slope(total(family.f), x, method, order=order)
        error = abs(float(mp.mpf(estimate.df) - exact))
        assert estimate.success or "flat" in estimate.flags, (family.name, x, estimate.reason)
        honest[family.name] += bool(error <= 2 * estimate.error)
        excess.append(estimate.error / error if error else 1.0)
    return honest, excess


@pytest.mark.parametrize("method", NAMES)
def test_the_error_estimate_is_honest_and_not_timid(method: str, trials: list[tuple[Family, float, Any]]) -> None:
    """Within twice the estimate in 97 % of the cases and 85 % of each family; the estimate within 30 times, mostly."""
    honest, excess = judged(trials, method, 1)
    assert sum(honest.values()) >= 0.97 * len(trials), honest
    assert min(honest.values()) >= 0.85 * 50, honest
    assert np.median(excess) < 10
    assert np.quantile(excess, 0.8) < 50


@pytest.mark.parametrize("method", NAMES)
def test_so_is_that_of_the_second_derivative(method: str, second_trials: list[tuple[Family, float, Any]]) -> None:
    honest, excess = judged(second_trials, method, 2)
    assert sum(honest.values()) >= 0.95 * len(second_trials), honest
    assert np.median(excess) < 30


def test_equal_values_are_no_better_known_than_others() -> None:
    """At 1e-9 the cosine is 1 and f is 0 all around: its slope is 0, as far as the rounding of f lets one tell."""
    estimate = slope(lambda x: (1 - math.cos(x)) / x**2, 1e-9, "central-difference")
    assert estimate.df == 0.0
    assert 1e-9 / 12 < estimate.error < 1.0


# ---------------------------------------------------------------- error against step

BRANCH_POINTS = {
    "exp at 1": (math.exp, mp.exp, 1.0),
    "sin at 1": (math.sin, mp.sin, 1.0),
    "log at 1e-3": (math.log, mp.log, 1e-3),
}


@pytest.mark.parametrize("name", share([name for name in SCHEMES if scheme(name).order <= 6], 4))
@pytest.mark.parametrize(("f", "exact", "x"), BRANCH_POINTS.values(), ids=BRANCH_POINTS)
def test_error_against_step_is_the_v_of_the_model(name: str, f: Callable[[float], float], exact: Any, x: float) -> None:
    """Slope +p where truncation rules and −1 where roundoff does, and the bottom where the model has it.

    Fitted on an envelope, the largest error within the decade below each step: single minima are lucky zeros.
    """
    stencil = scheme(name)
    true = mp.diff(exact, mp.mpf(x))
    curvature = abs(float(mp.diff(exact, mp.mpf(x), stencil.order + 1)))
    model = ErrorModel(stencil, UNIT_ROUNDOFF * abs(f(x)), curvature)
    steps = model.optimal_step * np.logspace(-5.5, 1.5, 141)
    steps = steps[(steps > 8 * math.ulp(x)) & (steps <= 0.11 * x)]
    errors = np.array([abs(float(slope(f, x, name, float(h)).df - true)) for h in steps])
    envelope = np.array([errors[(steps >= h / 10) & (steps <= h)].max() for h in steps])

    def fitted(branch: npt.NDArray[np.bool_]) -> float:
        assert branch.sum() >= 10
        return float(np.polyfit(np.log(steps[branch]), np.log(envelope[branch]), 1)[0])

    assert fitted(steps > 3 * model.optimal_step) == pytest.approx(stencil.order, abs=0.1)
    assert fitted((steps > 10 * steps[0]) & (steps < model.optimal_step / 3)) == pytest.approx(-1, abs=0.1)
    assert model.optimal_error / 5 < envelope[10:].min() < 5 * model.optimal_error


@pytest.mark.parametrize("method", SCHEMES)
def test_the_default_step_comes_near_the_best_error_there_is(method: str) -> None:
    model = ErrorModel(scheme(method), UNIT_ROUNDOFF * math.e, math.e)
    estimate = slope(math.exp, 1.0, method)
    assert abs(estimate.df - math.e) < 3 * model.optimal_error
    assert math.frexp(estimate.step)[0] == 0.5
