"""Solvers as nodes: their derivatives are those of the implicit function theorem, to rounding, at every order."""

from __future__ import annotations

import math
from typing import Any

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


def test_an_integral_moves_with_its_end_as_leibniz_says() -> None:
    f = adlab.from_python(lambda p: adlab.integral(lambda x: np.exp(-p[0] * x * x), 0.0, p[1]), [1.0, 2.0])
    assert f.gradient([1.0, 2.0])[1] == pytest.approx(math.exp(-4), rel=1e-12)


def test_what_a_solver_cannot_find_is_said() -> None:
    with pytest.raises((DomainError, GaveUp), match=r"Newton|singular"):
        adlab.from_python(lambda p: adlab.root(lambda x: x**2 + p, 1.0), 1.0)
    with pytest.raises((DomainError, GaveUp)):
        adlab.from_python(lambda p: adlab.root(lambda x: x * 0.0 + p, 1.0), 1.0)
    with pytest.raises(AdlabError, match="as many equations"):
        adlab.from_python(lambda p: adlab.root(lambda x: np.array([x * p, x, p * x]), 1.0), 1.0)
