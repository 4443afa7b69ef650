"""Solvers as nodes: their derivatives are those of the implicit function theorem, to rounding, at every order."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest

import adlab
from adlab.errors import AdlabError, DomainError, GaveUp


def test_a_root_has_the_derivative_that_its_equation_says() -> None:
    f = adlab.from_python(lambda p: adlab.root(lambda x: x**3 + p[0] * x - p[1], 1.0), [1.0, 2.0])
    for p in ([1.0, 2.0], [0.5, 3.0]):
        x = f(p)
        assert x**3 + p[0] * x == pytest.approx(p[1], rel=1e-14)
        slope = 3 * x**2 + p[0]
        for method in ("reverse", "forward"):
            assert f.gradient(p, method=method) == pytest.approx([-x / slope, 1 / slope], rel=1e-13)
        assert f.hessian(p)[1, 1] == pytest.approx(-6 * x / slope**3, rel=1e-11)
        assert f.hessian(p) == pytest.approx(f.hessian(p).T, rel=1e-11)


def test_a_system_of_equations_and_its_truth() -> None:
    def g(p: Any) -> Any:
        return adlab.root(lambda v: np.array([v[0] ** 2 + p[0] * v[1] - 2, v[0] * v[1] - p[1]]), np.array([1.0, 0.5]))

    f = adlab.from_python(lambda p: g(p) @ np.array([1.0, 2.0]), [1.0, 0.5])
    judged = adlab.truth(f, [1.0, 0.5], digits=20)
    assert f.gradient([1.0, 0.5]) == pytest.approx([float(x) for x in judged.gradient], rel=1e-12)


def test_fixed_points_and_minima() -> None:
    f = adlab.from_python(lambda p: adlab.fixed_point(lambda x: np.cos(p * x), 1.0), 1.2)
    x = f(1.2)
    s = math.sin(1.2 * x)
    assert f.gradient(1.2)[0] == pytest.approx(-s * x / (1 + 1.2 * s), rel=1e-12)
    m = adlab.from_python(lambda p: adlab.minimum(lambda x: (x - p) ** 2 + 0.1 * x**4, 1.0), 1.2)
    assert m.gradient(1.2)[0] == pytest.approx(2 / (2 + 1.2 * m(1.2) ** 2), rel=1e-12)


def test_a_linear_system_is_the_same_solved_or_eliminated_entry_by_entry() -> None:
    def system(p: Any) -> tuple[Any, Any]:
        return np.array([[p[0], 1.0, 0.0], [1.0, p[1], p[0]], [0.0, 2.0, 3.0]]), np.array([1.0, p[0], p[1]])

    f = adlab.from_python(lambda p: adlab.linear_solve(*system(p)).sum(), [3.0, 2.0])
    g = adlab.from_python(lambda p: np.linalg.solve(*system(p)).sum(), [3.0, 2.0])
    assert len(f.graph.operations) < len(g.graph.operations)
    for p in ([3.0, 2.0], [0.1, 5.0]):
        assert f(p) == pytest.approx(g(p), rel=1e-13)
        assert f.gradient(p) == pytest.approx(g.gradient(p), rel=1e-11)
        assert f.hessian(p) == pytest.approx(g.hessian(p), rel=1e-9, abs=1e-12)


def test_an_equation_in_time_is_one_node_whose_adjoint_runs_backwards() -> None:
    f = adlab.from_python(lambda p: adlab.ode(lambda t, y: -p[0] * y, p[1], [0.0, 1.0, 2.0], steps=40)[-1], [1.0, 3.0])
    assert f.gradient([1.0, 3.0]) == pytest.approx([-6 * math.exp(-2), math.exp(-2)], rel=1e-7)
    assert len(f.graph.operations) < 8


def test_an_integral_moves_with_its_ends_and_its_parameters_as_leibniz_says() -> None:
    f = adlab.from_python(lambda p: adlab.integral(lambda x: np.exp(-p[0] * x * x), p[2], p[1]), [1.0, 2.0, 0.0])
    assert len(f.graph.operations) == 3
    assert f.gradient([1.0, 2.0, 0.0])[1:] == pytest.approx([math.exp(-4), -1], rel=1e-14)
    by_parameter = (math.exp(-4) - math.sqrt(math.pi) / 4 * math.erf(2)) / 1  # ∫ −x² exp(−x²), by parts
    assert f.gradient([1.0, 2.0, 0.0])[0] == pytest.approx(by_parameter, rel=1e-12)
    assert f.gradient([1.0, 2.0, 0.0], method="forward") == pytest.approx(f.gradient([1.0, 2.0, 0.0]), rel=1e-12)
    assert f.hessian([1.0, 2.0, 0.5])[1, 1] == pytest.approx(-4 * math.exp(-4), rel=1e-12)
    assert f([[1.0, 2.0, 0.0], [2.0, 1.0, 0.5]])[0] == pytest.approx(f([1.0, 2.0, 0.0]), rel=1e-15)


@pytest.mark.parametrize("ground", [0.0, 1.0])
@pytest.mark.parametrize(("middle", "width"), [(0.3, 1e-3), (0.3, 1e-5), (0.5, 1e-7), (0.123456, 1e-9)])
def test_a_peak_that_no_node_meets_is_found(middle: float, width: float, ground: float) -> None:
    """Its integral was 0, or that of the ground, without a word."""
    found = adlab.integral(lambda x: ground + np.exp(-(((x - middle) / width) ** 2)), 0.0, 1.0)
    assert found - ground == pytest.approx(width * math.sqrt(math.pi), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize(("f", "a", "b", "true"), [
    (np.sqrt, 0.0, 1.0, 2 / 3), (np.log, 0.0, 1.0, -1.0), (lambda x: abs(x - 0.3), 0.0, 1.0, 0.29),
    (lambda x: 1 / np.sqrt(x), 0.0, 1.0, 2.0), (lambda x: np.where(x > 0.3, 1.0, 0.0), 0.0, 1.0, 0.7),
    (lambda x: 1e-6 / (1e-12 + (x - 0.1) ** 2), 0.0, 1.0, math.atan(0.9e6) + math.atan(0.1e6)),
    (lambda x: np.sin(40 * x) ** 2, 3.0, 0.0, math.sin(240) / 160 - 1.5), (lambda x: 0 * x, 0.0, 1.0, 0.0),
])  # fmt: skip
def test_panels_are_halved_where_the_integrand_needs_it(f: Any, a: float, b: float, true: float) -> None:
    """Kinks, jumps, integrable poles, a narrow resonance, waves from right to left, and nothing at all."""
    assert float(adlab.integral(f, a, b)) == pytest.approx(true, rel=1e-12, abs=1e-300)


def test_the_truth_of_an_integral_is_the_integral_itself() -> None:
    judged = adlab.truth(lambda b: adlab.integral(np.cos, 0.0, b, panels=1), 1.0, digits=20)
    with mpmath.workdps(40):
        assert abs(judged.gradient[0] - mpmath.cos(1)) < 1e-24


@pytest.mark.parametrize("integrand", [
    lambda x: 1 / x, lambda x: 1 / (x - 0.3), lambda x: x**-1.5, lambda x: np.sin(1 / x),
])  # fmt: skip
def test_an_integral_that_does_not_settle_is_refused(integrand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adlab.tracing.quadrature.MOST_PANELS", 128)
    with pytest.raises((GaveUp, DomainError), match=r"not settle.*Split it|no finite value"):  # a node may meet the pole
        adlab.integral(integrand, 0.0, 1.0)


def test_what_a_solver_cannot_find_is_said() -> None:
    with pytest.raises((DomainError, GaveUp), match=r"Newton|singular"):
        adlab.from_python(lambda p: adlab.root(lambda x: x**2 + p, 1.0), 1.0)
    with pytest.raises((DomainError, GaveUp)):
        adlab.from_python(lambda p: adlab.root(lambda x: x * 0.0 + p, 1.0), 1.0)
    with pytest.raises(AdlabError, match="as many equations"):
        adlab.from_python(lambda p: adlab.root(lambda x: np.array([x * p, x, p * x]), 1.0), 1.0)


@pytest.mark.parametrize(("equation", "p", "said"), [
    (lambda x, p: x * x - 2 * p * x + p * p, 2.1, "as far as binary64 can tell"),  # a double root, found to 8 digits
    (lambda x, p: x * x - p, 0.0, "constant factor"),
    (lambda x, p: x**3 - p, 0.0, "constant factor"),
    (lambda x, p: x * x + p, 1.0, "singular at .0.0., which"),
])  # fmt: skip
def test_a_singular_jacobian_at_the_root_is_said(equation: Any, p: float, said: str) -> None:
    with pytest.raises(DomainError, match=said):
        adlab.from_python(lambda q: adlab.root(lambda x: equation(x, q), 1.0), p)
    f = adlab.from_python(lambda q: adlab.root(lambda x: (x - q) * (x + 1), 1.5), 1.0)
    assert f.gradient(1.0) == pytest.approx([1.0])  # a regular root, not far from another


def test_a_root_that_is_none_is_refused() -> None:
    for equation, start in ((lambda x: 1e-20 * (x**2 + 1), 3.0), (lambda x: np.sqrt(x) + 1.0, 1.0)):
        with pytest.raises(adlab.AdlabError):
            adlab.root(equation, start)
    traced = adlab.from_python(lambda p: adlab.root(lambda x: np.sqrt(x) - p, 1.0), 1.0)
    assert traced([2.0]) == pytest.approx(4.0)
    with pytest.raises(adlab.AdlabError, match="no value"):
        traced([-1.0])


def test_a_minimum_is_no_maximum_and_no_saddle() -> None:
    assert adlab.minimum(np.sin, -1.5) == pytest.approx(-np.pi / 2)
    with pytest.raises(adlab.DomainError, match="no minimum"):
        adlab.minimum(np.sin, 1.5)
    with pytest.raises(adlab.DomainError, match="no minimum"):
        adlab.minimum(lambda x: x[0] ** 2 - x[1] ** 2 + 3 * x[0] * x[1], [0.5, 0.25])


def test_what_a_loop_or_a_solver_meets_inside_is_seen_in_a_batch_too() -> None:
    factors = np.array([1e-200, 1e-200, 1e200, 1e200])
    scanned = adlab.from_python(lambda x: adlab.scan(lambda s, k: (s * k, None), x * 1.0, factors)[0], 1.0)
    looped = adlab.from_python(
        lambda x: adlab.while_loop(lambda s: s[1] < 4, lambda s: (s[0] * 1e-150, s[1] + 1), (x * 1.0, 0.0))[0] * 1e300 * 1e300,
        1.0,
    )
    for f in (scanned, looped):
        assert f([[1.0], [2.0]]) == pytest.approx([1.0, 2.0], rel=1e-12)
        assert f.compile()([[1.0], [2.0]]) == pytest.approx([1.0, 2.0], rel=1e-12)
        assert f([1.0]) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: adlab.linear_solve(np.ones((2, 2)), np.ones(2)), "matrix of a linear system is singular"),
    (lambda: adlab.linear_solve(np.ones((2, 3)), np.ones(2)), r"not \(2, 3\) and \(2,\)"),
    (lambda: adlab.linear_solve([["a"]], [1.0]), "the matrix must hold real numbers"),
    (lambda: adlab.integral(np.exp, 0.0, 1.0, panels=0), "panels must be a whole number from 1 on"),
    (lambda: adlab.integral(np.exp, "a", 1.0), "real numbers, and found 'a'"),
    (lambda: adlab.root(lambda x: x, "a"), "real numbers, and found 'a'"),
    (lambda: adlab.minimum(lambda x: x, 1j), "real numbers, and found 1j"),
    (lambda: adlab.fixed_point(lambda x: x, None), "real numbers, and found None"),
    (lambda: adlab.ode(lambda t, y: y, 1.0, ["a"]), "the list of times must hold real numbers"),
    (lambda: adlab.ode(lambda t, y: y, 1.0, [0.0, 1.0], steps=0), "steps must be a whole number"),
    (lambda: adlab.external(math.sin, error="a"), "no relative error"),  # type: ignore[arg-type]
])  # fmt: skip
def test_what_a_solver_cannot_take_is_one_sentence(call, words) -> None:
    with pytest.raises(AdlabError, match=words):
        call()
