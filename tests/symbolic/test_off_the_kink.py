"""sympy.diff's own rules at real points: nothing is refused beside a kink, and nothing is given at one."""

from __future__ import annotations

import pytest
import sympy

import adlab
from adlab.errors import DomainError

PLAIN = sympy.Symbol("x")  # not declared real, as its users write it
CASES = [
    (sympy.Abs(PLAIN), 7.0, 1.0),
    (sympy.Abs(PLAIN - 2) * PLAIN, 1.0, 0.0),
    (sympy.sign(PLAIN) * PLAIN**2, -3.0, 6.0),
    ("real_root(x, 3)", -8.0, 1 / 12),
    ("Heaviside(x)*x", 3.0, 1.0),
    ("x*factorial(x)", 3.0, 28.610118027),
    ("Piecewise((1/x + exp(1/x), x > 0), (x**2, True))", 0.0, 0.0),
]


@pytest.mark.parametrize("method", ["symbolic", "symbolic-cse"])
@pytest.mark.parametrize(("formula", "at", "due"), CASES, ids=[str(formula) for formula, _, _ in CASES])
def test_beside_a_kink_there_is_a_number(formula, at: float, due: float, method: str) -> None:
    assert adlab.Function(formula).gradient(at, method)[0] == pytest.approx(due, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("method", ["symbolic", "symbolic-cse"])
def test_at_a_kink_there_is_none(method: str) -> None:
    with pytest.raises(DomainError):
        adlab.Function("real_root(x, 3)").gradient(0.0, method)
