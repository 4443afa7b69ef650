"""Noise of f, measured from values alone; steps that rest on it; fits that show their own."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import adlab
from adlab.differences.adaptive import adaptive
from adlab.differences.differences import difference
from adlab.differences.noise import measured_noise
from adlab.differences.quotients import Line
from adlab.differences.stencils import SCHEMES, scheme
from adlab.differences.step_choice import step_of
from adlab.differences.step_models import ErrorModel
from adlab.precision import UNIT_ROUNDOFF

mp = mpmath.mp.clone()
mp.dps = 50


def line(f: Callable[[float], Any], x: float) -> Line:
    return Line(lambda point: f(float(point[0])), [x], 0)


def shaken(f: Callable[[float], float], size: float) -> Callable[[float], float]:
    """f with errors of up to `size`, evenly spread, the same ones at the same x."""
    return lambda x: f(x) + size * (2 * random.Random(x).random() - 1)


# --- noise --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e-4, 1e-7, 1e-10, 1e-13])
@pytest.mark.parametrize("f", [math.exp, math.sin, lambda x: 3.0], ids=["exp", "sin", "constant"])
def test_noise_of_known_size_is_measured(f: Callable[[float], float], size: float) -> None:
    found = [float(measured_noise(line(shaken(f, size), x), 2.0**-20)) for x in np.linspace(0.1, 3, 20)]
    assert size / 3 < np.median(found) < 2 * size


@pytest.mark.parametrize("f", [math.exp, math.sin, math.tanh, lambda x: x**3])
def test_a_function_that_is_correctly_rounded_is_not_called_noisy(f: Callable[[float], float]) -> None:
    for x in np.linspace(0.1, 3, 20):
        assert (
            0.99 * UNIT_ROUNDOFF * abs(f(x))
            <= measured_noise(line(f, x), 2.0**-20)
            < 8 * UNIT_ROUNDOFF * max(1, abs(f(x)))
        )


def test_cancellation_inside_f_is_noise_that_its_values_show() -> None:
    """1 − cos x is a multiple of 2⁻⁵³: divided by x² = 1e-6, of 1.1e-10."""
    found = [
        float(measured_noise(line(lambda t: (1 - math.cos(t)) / t**2, 1e-3 * k), 1e-4)) for k in np.linspace(1, 2, 20)
    ]
    assert 1e-11 < np.median(found) < 5e-10


def test_a_kink_at_x_is_not_noise() -> None:
    assert measured_noise(line(lambda t: abs(t - 1) + 1, 1.0), 2.0**-12) < 1e-15


def test_each_output_has_its_own_noise() -> None:
    f = shaken(math.sin, 1e-6)
    found = measured_noise(Line(lambda p: np.array([math.sin(p[0]), f(p[0])]), [1.0], 0), 2.0**-20)
    assert found[0] < 1e-15 < 1e-7 < found[1]


# --- steps --------------------------------------------------------------------------------------------------------

POINTS = {"exp": (math.exp, mp.exp, 1.0), "sin": (math.sin, mp.sin, 1.0), "log": (math.log, mp.log, 1e-3)}


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize(("f", "exact", "x"), POINTS.values(), ids=POINTS)
@pytest.mark.parametrize("derivative", [1, 2])
def test_the_optimum_from_measured_numbers_is_near_the_true_one(
    name: str, f: Callable[[float], float], exact: Any, x: float, derivative: int
) -> None:
    """And its error, as the true model has it, near the least one."""
    stencil = scheme(name, derivative)
    true = abs(float(mp.diff(exact, mp.mpf(x), stencil.order + derivative)))
    model = ErrorModel(stencil, UNIT_ROUNDOFF * abs(f(x)), true)
    for mode, known in (("model", None), ("oracle", true)):
        h = step_of(line(f, x), stencil, mode, derivative=known)
        assert h is not None
        assert model.predicted_error(h) < 10 * model.optimal_error


def test_a_step_follows_the_noise_that_it_is_told() -> None:
    stencil = scheme("central-difference")
    fine, coarse = (step_of(line(math.exp, 1.0), stencil, "oracle", noise, math.e) for noise in (1e-16, 1e-10))
    assert coarse == pytest.approx(100 * fine, rel=1e-6)


# --- adaptive -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e-4, 1e-7, 1e-10])
@pytest.mark.parametrize("order", [1, 2])
def test_fits_show_the_noise_and_are_honest_about_it(size: float, order: int) -> None:
    """Within twice the estimate in 95 % of the cases, and far better than a quotient at the default step."""
    f, within, errors = shaken(math.sin, size), 0, []
    for x in np.linspace(0.5, 2.5, 60):
        found: Any = adaptive(lambda p: f(float(p[0])), [x], 0, order=order)
        errors.append(abs(found.df - (math.cos(x) if order == 1 else -math.sin(x))))
        within += errors[-1] <= 2 * found.error
    assert within >= 57
    assert np.median(errors) < 500 * size


LOSSY: dict[str, tuple[Callable[[float], float], Callable[[Any], Any]]] = {
    "(1 - cos x)/x²": (lambda x: (1 - math.cos(x)) / x**2, lambda x: (1 - mp.cos(x)) / x**2),
    "(exp x - 1)/x": (lambda x: (math.exp(x) - 1) / x, lambda x: (mp.exp(x) - 1) / x),
    "sin x + 1e6": (lambda x: math.sin(x) + 1e6, lambda x: mp.sin(x) + 10**6),
    "(x - 1)³, expanded": (lambda x: x**3 - 3 * x**2 + 3 * x - 1, lambda x: (x - 1) ** 3),
}


@pytest.mark.parametrize("name", LOSSY)
def test_what_f_has_lost_inside_is_in_the_estimate(name: str) -> None:
    """Cancellation inside f, at points of every size from 1e-5 to 2: within twice the estimate in 95 % of them.

    Only where next to nothing is left of f's digits may an answer be refused.
    """
    f, exact = LOSSY[name]
    rng, within = random.Random(1), 0
    for _ in range(60):
        x = 10 ** rng.uniform(-5, 0.3)
        found: Any = adaptive(lambda p: f(float(p[0])), [x], 0)
        assert found.success or x < 1e-4
        within += not found.success or abs(found.df - float(mp.diff(exact, mp.mpf(x)))) <= 2 * found.error
    assert within >= 57


@pytest.mark.parametrize("degree", range(8))
def test_fits_are_exact_on_polynomials(degree: int) -> None:
    coefficients = np.arange(1.0, degree + 2)
    for order, derivative in ((1, np.polyder(coefficients)), (2, np.polyder(coefficients, 2))):
        found: Any = adaptive(lambda p: float(np.polyval(coefficients, p[0])), [0.7], 0, order=order)
        exact = float(np.polyval(derivative, 0.7))
        assert found.df == pytest.approx(exact, rel=1e-11, abs=1e-12)
        assert abs(found.df - exact) <= 2 * found.error + 1e-15


@pytest.mark.parametrize("f", [mp.exp, mp.log, lambda t: mp.sqrt(2 - t), lambda t: 3 - t + mp.sin(3 * t)])
@pytest.mark.parametrize(("side", "edge"), [(1, "forward"), (-1, "backward")])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("width", [math.inf, 1e-3, 1e-6])
def test_at_an_edge_the_fit_is_one_sided(
    f: Callable[[Any], Any], side: int, edge: str, order: int, width: float
) -> None:
    """f lives on one side of 1 only, and not far; sqrt(2 − t) is complex beyond 2."""

    def on_one_side(p: Any) -> float:
        found = f(p[0]) if 0 <= (p[0] - 1) * side <= width else math.nan
        return math.nan if isinstance(found, mp.mpc) else float(found)

    found: Any = adaptive(on_one_side, [1.0], 0, order=order)
    assert found.success
    assert found.flags[0] == "left_domain"
    assert found.scheme == f"adaptive-difference, {edge}"
    assert abs(found.df - float(mp.diff(f, mp.mpf(1), order))) <= 4 * found.error < 1


def test_where_f_is_no_power_series_the_error_says_so() -> None:
    """x + x√x at 0: fits in whole powers converge slowly."""
    found: Any = adaptive(lambda p: p[0] + p[0] * math.sqrt(p[0]) if p[0] >= 0 else math.nan, [0.0], 0)
    assert abs(found.df - 1) <= 2 * found.error < 0.01


@pytest.mark.parametrize("method", ["adaptive-difference", "richardson", "central-difference", "central-difference-8"])
@pytest.mark.parametrize(("x", "resolved"), [(1e10, True), (1e20, False), (1e22, False)])
def test_where_floats_are_further_apart_than_waves_there_is_no_success(method: str, x: float, resolved: bool) -> None:
    found = difference(lambda t: math.sin(t[0]), [x], 0, method)
    assert found.success == (found.flags == ()) == resolved
    assert difference(lambda t: t[0] ** 2, [x], 0, method).success


@pytest.mark.parametrize("at", [0.3, 1.0, 2.0, 7.5])
def test_a_function_in_single_precision_is_not_called_exact_by_luck(at: float) -> None:
    for f, slope in ((math.sin, math.cos(at)), (math.exp, math.exp(at)), (math.atan, 1 / (1 + at * at))):
        found = adlab.difference(lambda x, f=f: float(np.float32(f(x))) if x < 80 else 0.0, at)
        if found.success:
            assert abs(float(found.df) - slope) <= 3 * float(found.error)


@pytest.mark.parametrize("scheme", ["adaptive-difference", "richardson", "central-difference-8"])
@pytest.mark.parametrize(
    ("frequency", "at"), [(100.0, 1e4), (30.0, 1e4), (10.0, 1e5), (300.0, 1e4), (1919.45, 174191.2)]
)
def test_short_waves_on_a_large_value_are_no_noise(scheme: str, frequency: float, at: float) -> None:
    found = adlab.difference(lambda x: math.sin(frequency * x) + x, at, scheme=scheme)
    slope = frequency * math.cos(frequency * at) + 1
    assert not found.success or abs(float(found.df) - slope) <= 3 * float(found.error)
