"""Black boxes inside traced functions: with rules of their author, and with differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import adlab
from adlab.errors import DomainError, OptionError, TracingError, UnsupportedExpression


def sine_of_floats(x: float) -> float:
    return math.sin(float(x))


def solved(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b)


def solved_back(a: Any, b: Any, bar: Any) -> Any:
    weight = np.linalg.solve(a.T, bar)
    return -np.outer(weight, np.linalg.solve(a, b)), weight


def test_a_rule_gives_the_derivatives_that_tracing_gives() -> None:
    """A black box of two arrays with a VJP alone: gradient, JVP and Hessian are those of the same code traced through."""
    box = adlab.external(solved, vjp=solved_back)

    def model(solve: Any) -> Any:
        def f(x: Any) -> Any:
            return solve(np.array([[x[0], 1.0], [1.0, x[1]]]), np.array([x[0], 2.0]))[0] ** 2

        return adlab.from_python(f, [3.0, 4.0])

    ours, traced, x = model(box), model(np.linalg.solve), [3.0, 4.0]
    assert ours.gradient(x) == pytest.approx(traced.gradient(x), rel=1e-14)
    assert ours.jvp(x, [1.0, 2.0]) == pytest.approx(traced.jvp(x, [1.0, 2.0]), rel=1e-14)
    assert ours.hessian(x) == pytest.approx(traced.hessian(x), rel=1e-9)  # differences of the rule
    assert ours.gradient([[3.0, 4.0], [5.0, 6.0]]) == pytest.approx(traced.gradient([[3.0, 4.0], [5.0, 6.0]]), rel=1e-13)


def test_a_rule_with_rules_of_its_own_has_derivatives_of_any_order() -> None:
    cosine = adlab.external(lambda x: math.cos(x), jvp=lambda x, dx: -math.sin(x) * dx)
    along = adlab.external(lambda x, dx: math.cos(x) * dx, jvp=lambda x, dx, xd, dxd: -math.sin(x) * xd * dx + math.cos(x) * dxd)
    f = adlab.from_python(adlab.external(sine_of_floats, jvp=along), 0.7)
    assert f.gradient(0.7)[0] == math.cos(0.7)
    assert f.hessian(0.7)[0, 0] == pytest.approx(-math.sin(0.7), rel=1e-15)
    assert adlab.from_python(lambda x: cosine(x) * x, 0.7).gradient(0.7)[0] == pytest.approx(math.cos(0.7) - 0.7 * math.sin(0.7))


def test_differences_know_their_error() -> None:
    """Without a rule the partial lies within the bound that `rounding` reports, and the bound is small."""
    f = adlab.from_python(lambda x: x[1] * adlab.external(sine_of_floats, error=2.0**-53)(x[0] ** 2), [1.1, 2.0])
    true = [2 * 1.1 * 2.0 * math.cos(1.1 * 1.1), math.sin(1.1 * 1.1)]
    found = adlab.rounding(f, [1.1, 2.0]).to_dict()["rows"]
    for row in found[:2]:
        exact = true[("x0", "x1").index(row["variable"])]
        assert abs(row["value"] - exact) <= row["bound"] < 1e-8 * abs(exact)
    with pytest.raises(UnsupportedExpression, match="sine_of_floats need its rule"):
        f.hessian([1.1, 2.0])


def test_what_a_black_box_cannot_say_is_refused() -> None:
    kink = adlab.from_python(adlab.external(lambda x: abs(float(x))), 1.0)
    assert kink.gradient(2.0)[0] == pytest.approx(1.0)
    with pytest.raises(DomainError, match="no derivative of external function"):
        kink.gradient(0.0)
    with pytest.raises(TracingError, match=r"test_external\.py:\d+.*the jvp of external function sine_of_floats gives"):
        adlab.from_python(lambda x: adlab.external(sine_of_floats, jvp=lambda x, dx: math.sin(x) * dx)(x), 1.0)
    with pytest.raises(DomainError, match=r"external function log at .* ValueError"):
        adlab.from_python(lambda x: adlab.external(math.log)(x) * x, 1.0)(-1.0)
    with pytest.raises(TracingError, match="must be callable"):
        adlab.external(3)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="relative error"):
        adlab.external(math.sin, error=2.0)
    judged = adlab.truth(adlab.external(sine_of_floats), 1.0)
    assert judged.status == "unavailable"
    assert "computes on floats" in str(judged)
