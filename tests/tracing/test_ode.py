"""Equations in time: the methods have their orders, the adjoint is that of the steps taken, and what means nothing is refused."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, get_args

import numpy as np
import pytest

import adlab
from adlab.autodiff.programs import Nesting
from adlab.errors import AdlabError, DomainError, GaveUp, OptionError, TracingError
from adlab.tracing.runge_kutta import SCHEMES, Scheme

WAYS: list[dict[str, Any]] = [{"steps": 20}, {"steps": 10, "method": "dormand-prince"}, {"steps": "recorded"}]


def decay(**how: Any) -> Any:
    return adlab.from_python(lambda p: adlab.ode(lambda t, y: -p[0] * y, p[1], [0.0, 1.0, 2.0], **how)[-1], [1.0, 3.0])


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda s: s.name)
def test_the_table_of_a_method_integrates_powers_up_to_its_order(scheme: Scheme) -> None:
    nodes = [sum(row, Fraction(0)) for row in scheme.stages]
    for weights, order in ((scheme.weights, scheme.order), (scheme.lower, scheme.order - 1)):
        for k in range(order if weights else 0):
            assert sum(b * c**k for b, c in zip(weights, nodes, strict=True)) == Fraction(1, k + 1)
    with pytest.raises(ValueError, match="do not sum to 1"):
        Scheme("none", ((),), (Fraction(1, 2),))


@pytest.mark.parametrize(("method", "order"), [("rk4", 4), ("dormand-prince", 5)])
def test_half_the_step_leaves_a_sixteenth_of_the_error_or_less(method: Any, order: int) -> None:
    def pendulum(steps: int) -> Any:
        def slope(t: float, y: Any) -> Any:
            return np.array([y[1], -np.sin(y[0]) + 0.1 * t])

        return adlab.ode(slope, np.array([1.0, 0.0]), [0.0, 2.0], steps, method)[-1]

    best = pendulum(400)
    wrong = [np.abs(pendulum(steps) - best).max() for steps in (8, 16, 32)]
    assert wrong[0] / wrong[1] > 0.8 * 2**order
    assert wrong[1] / wrong[2] > 0.8 * 2**order


@pytest.mark.parametrize("how", WAYS, ids=str)
def test_every_way_to_differentiate_gives_the_derivative_of_the_steps(how: dict[str, Any]) -> None:
    f, exact = decay(**how), [-6 * math.exp(-2), math.exp(-2)]
    assert len(f.graph.operations) <= 4
    reverse = f.gradient([1.0, 3.0])
    assert reverse == pytest.approx(exact, rel=1e-5)
    for method in ("forward", "unrolled", "complex-step"):
        assert f.gradient([1.0, 3.0], method=method) == pytest.approx(reverse, rel=1e-13)
    points = [[1.0, 3.0], [2.0, 1.0]]
    for found in (f.gradient(points), f.compile(derivative="gradient")(points)):
        assert found == pytest.approx(np.array([f.gradient(x) for x in points]), rel=1e-13)
    judged = [float(x) for x in adlab.truth(f, [1.0, 3.0], digits=20).gradient]
    assert reverse == pytest.approx(judged, rel=1e-14)


@pytest.mark.parametrize("how", WAYS, ids=str)
def test_second_derivatives(how: dict[str, Any]) -> None:
    """By every nesting; the adjoint of an ode is differentiated as one node, so recorded steps are no hindrance."""
    f, exact = decay(**how), np.array([[12, -2], [-2, 0]]) * math.exp(-2)
    assert f.hessian([1.0, 3.0]) == pytest.approx(exact, rel=1e-5, abs=1e-12)
    assert len(f.derivative().derivative().graph.operations) < 40
    for nesting in get_args(Nesting):
        found = f.hvp([1.0, 3.0], [1.0, 0.5], nesting)
        assert found == pytest.approx(f.hessian([1.0, 3.0]) @ [1.0, 0.5], rel=1e-12)


@pytest.mark.parametrize("steps", [pytest.param(200, marks=pytest.mark.slow), "recorded"])
def test_second_and_third_derivatives_of_a_pendulum_are_those_of_its_steps(steps: Any) -> None:
    """Two times, both of them used, two numbers, and a parameter in the slope: against differences of the gradient."""

    def swing(p: Any) -> Any:
        y = adlab.ode(lambda t, y: np.array([y[1], -p[1] * np.sin(y[0]) * y[0]]), np.array([p[0], 0.3]), [0.0, 1.0, 2.0], steps)
        return (y[-1] ** 2).sum() + y[1][0] * y[2][1]

    f, x, h = adlab.from_python(swing, [1.0, 2.0]), np.array([1.0, 2.0]), 1e-4
    sides = [(f.gradient(x + h * e) - f.gradient(x - h * e)) / (2 * h) for e in np.eye(2)]
    assert f.hessian(x) == pytest.approx(np.array(sides), rel=1e-6)
    assert f.hessian(x) == pytest.approx(f.hessian(x).T, rel=1e-12)
    curved = [(f.hessian(x + h * e) - f.hessian(x - h * e)) / (2 * h) for e in np.eye(2)]
    third = f.derivative().derivative().derivative()(x)
    assert third.reshape(2, 2, 2) == pytest.approx(np.moveaxis(np.array(curved), 0, -1), rel=1e-5)


@pytest.mark.parametrize("rate", [-1000.0, -40.0, 300.0, -1e6])
@pytest.mark.parametrize("method", SCHEMES)
def test_steps_that_are_too_long_are_refused_everywhere(rate: float, method: Any) -> None:
    """Stiff growth: ten steps of length 0.1 once gave 1e66 for exp(-1000)."""
    f = adlab.from_python(lambda p: adlab.ode(lambda t, y: p * y, 1.0, [0.0, 1.0], 10, method)[-1], -1.0)
    for verb in (f, f.gradient, lambda x: f.gradient(x, method="forward"), lambda x: f.jvp(x, [1.0])):
        with pytest.raises((GaveUp, DomainError), match=r"too long|leaves all numbers"):
            verb([rate])
    assert np.isnan(f([[-1.0], [rate]])).tolist() == [False, True]
    assert np.isnan(f.compile(derivative="gradient")([[-1.0], [rate]])).ravel().tolist() == [False, True]
    if -2000 < rate < 0:
        short = adlab.ode(lambda t, y: rate * y, 1.0, [0.0, 1.0], 3000, method)
        assert short[-1] == pytest.approx(math.exp(rate), abs=1e-9)


@pytest.mark.parametrize(("slope", "steps", "words"), [
    (lambda t, y: y * y, 100, "leaves all numbers"),
    (lambda t, y: y * y, "recorded", "solution of an ode ends near t = 0.99999"),
    (lambda t, y: -1e6 * (y - np.cos(t)), "recorded", "stiff"),
    (lambda t, y: -np.sqrt(y), 100, "slope of an ode has no value at t = 1.9"),
    (lambda t, y: np.log(y - 2), "recorded", "slope of an ode has no value at t = 0"),
    (lambda t, y: np.array([y, y]), 10, "has 2 numbers, and y has 1"),
])  # fmt: skip
def test_why_a_solution_ends_is_said(slope: Any, steps: Any, words: str) -> None:
    with pytest.raises((GaveUp, DomainError, TracingError), match=words):
        adlab.ode(slope, 1.0, [0.0, 3.0], steps)


@pytest.mark.parametrize("how", WAYS, ids=str)
def test_a_jump_of_the_slope_at_a_place_that_moves_has_no_derivative_and_a_kink_has(how: dict[str, Any]) -> None:
    def falling(inside: Any) -> Any:
        return adlab.from_python(lambda p: adlab.ode(inside(p), 1.0, [0.0, 1.0, 2.0], **how)[-1], 0.3)

    jump = falling(lambda p: lambda t, y: adlab.where(y > p, -2.0, -0.1))
    assert 0.2 < jump([0.5]) < 0.5
    for method in ("reverse", "forward", "unrolled"):
        with pytest.raises(DomainError, match=r"jumps near t = 0\.2.*from -2 to -0\.1"):
            jump.gradient([0.5], method=method)
    assert jump.gradient([2.0]) == [0.0]  # it never comes there
    kink = falling(lambda p: lambda t, y: -adlab.where(y > p, 2 * y - p, y))
    p = 0.5  # y falls as −2 y + p until it is p, at t₁ = log((2 − p)/p)/2, and then as p exp(t₁ − t)
    t1 = math.log((2 - p) / p) / 2
    assert kink.gradient([p]) == pytest.approx([math.exp(t1 - 2) * (1 - 1 / (2 - p))], rel=2e-2)
    clock = falling(lambda p: lambda t, y: adlab.where(t > 0.5, p, 1.0))
    assert clock.gradient([0.5]) == pytest.approx([1.5], rel=2e-2)


def test_an_ode_inside_a_root() -> None:
    """The slope uses the unknown of the root, and the root a number from around both."""
    f = adlab.from_python(
        lambda p: adlab.root(lambda q: adlab.ode(lambda t, y: -q * y, 1.0, [0.0, 1.0], steps=20)[-1] - p, 1.0), 0.5
    )
    assert f.gradient([0.5])[0] == pytest.approx(-2.0, rel=1e-5)


def test_a_list_is_an_array_and_the_times_may_run_backwards_or_stand() -> None:
    found = adlab.ode(lambda t, y: -2 * y, [1.0, 2.0], [1.0, 0.0, 0.0], steps="recorded")
    assert found == pytest.approx(np.array([[1.0, 2.0], [math.e**2, 2 * math.e**2], [math.e**2, 2 * math.e**2]]), rel=1e-7)
    assert adlab.ode(lambda t, y: -y, 1.0, [0.0]).tolist() == [1.0]


@pytest.mark.parametrize("wrong", [
    {"method": "euler"}, {"steps": "recorded", "method": "rk4"}, {"steps": "many"},
    {"tolerance": 0.0, "steps": "recorded"}, {"tolerance": math.nan, "steps": "recorded"},
])  # fmt: skip
def test_options_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        adlab.ode(lambda t, y: -y, 1.0, [0.0, 1.0], **wrong)
    with pytest.raises(AdlabError, match="finite"):
        adlab.ode(lambda t, y: -y, 1.0, [0.0, math.inf])


def test_the_series_of_an_ode_keeps_the_steps_of_its_value() -> None:
    """y′ = -ky has y(1) = y0·e⁻ᵏ, whose coefficients along k are those of e⁻ᵏ."""
    f = adlab.from_python(lambda x: adlab.ode(lambda t, y: -x[0] * y, x[1], [0.0, 1.0], steps="recorded")[-1], [0.7, 1.3])
    found = f.series([0.7, 1.3], [1.0, 0.0], order=4)
    assert found == pytest.approx([1.3 * math.exp(-0.7) * (-1) ** k / math.factorial(k) for k in range(5)], rel=1e-6)
    assert found[1] == pytest.approx(f.gradient([0.7, 1.3])[0], rel=1e-12)
    assert (found.bound > 0).all()
    assert (found.bound < 1e-12).all()
