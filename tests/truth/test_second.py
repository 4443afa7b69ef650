"""Second derivatives: certified where balls allow, right against SymPy's rules, and refused where there are none."""

from __future__ import annotations

import json

import mpmath
import pytest
import sympy

import adlab
from adlab.errors import MethodError, OptionError
from adlab.truth import judge
from adlab.truth.second import coupled, on_a_line, second_derivatives
from adlab.truth.values import plan

X, Y = sympy.symbols("x y", real=True)


@pytest.fixture(params=["as installed", "from values alone"])
def _both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "from values alone":
        monkeypatch.setattr(judge, "certifying", lambda: False)


FORMULAS = [
    (sympy.log((X + Y) ** 2 + sympy.sin(X * Y)), (1.0, 2.0)),
    (sympy.exp(X) / (sympy.exp(X) + sympy.exp(Y)), (600.0, 599.0)),
    (X**Y, (1.5, -2.25)),
    (X * Y * sympy.exp(X / 10**10), (1e10, 1e-10)),
    (sympy.atan2(X, Y) * X**3, (0.5, -2.0)),
    (X * Y * sympy.Rational(1, 10**40) + X**2 + Y**2, (1.0, 2.0)),
    (X + sympy.sin(Y), (1.0, 2.0)),
    (X * Y**2, (0.0, 0.0)),
]


@pytest.mark.usefixtures("_both")
@pytest.mark.parametrize(("formula", "at"), FORMULAS, ids=[str(formula) for formula, _ in FORMULAS])
def test_every_second_partial_is_right_within_its_radius(formula, at) -> None:
    found = second_derivatives(plan([formula], [X, Y]), at)
    exact = {X: sympy.Rational(at[0]), Y: sympy.Rational(at[1])}
    with mpmath.workdps(120):
        for i, a in enumerate((X, Y)):
            for j, b in enumerate((X, Y)):
                want = sympy.diff(formula, a, b).subs(exact).evalf(80)
                got = found[i][j]
                assert got.value is not None, got.note
                assert abs(got.value - mpmath.mpf(str(want))) <= got.radius + abs(got.value) * mpmath.mpf(10) ** -29


@pytest.mark.usefixtures("_both")
def test_a_smooth_formula_made_of_kinks_has_its_second_derivative() -> None:
    assert adlab.truth("Abs(x)**2", 0.0, order=2).hessian == [[2]]
    found = adlab.truth("Max(x, 0) + log(1 + exp(-Abs(x)))", 0.0, order=2)
    assert abs(found.hessian[0][0] - mpmath.mpf("0.25")) < mpmath.mpf(10) ** -30


@pytest.mark.usefixtures("_both")
def test_where_there_is_none_the_reason_is_said() -> None:
    kinked = adlab.truth("x*Abs(x) + y**2", [0.0, 1.0], order=2)
    assert kinked.hessian[0][0] is None
    assert kinked.hessian[1][1] == 2
    assert kinked.status == "unavailable"
    assert "∂²f/∂x∂x" in kinked.reason
    mixed = adlab.truth("Piecewise((x*y*(x**2-y**2)/(x**2+y**2), Ne(x**2+y**2, 0)), (0, True))", [0.0, 0.0], order=2)
    assert mixed.hessian[0][1] is None
    assert "contradict" in mixed.reason


def test_variables_that_meet_in_sums_only_are_not_coupled() -> None:
    made = plan([sympy.sin(X) + Y**2, X * Y, sympy.sin(X + Y)], [X, Y])
    assert [coupled(made, output, 0, 1) for output in range(3)] == [False, True, True]


def test_a_plan_on_a_line() -> None:
    made = plan([X * Y], [X, Y])
    line = on_a_line(made, {0: mpmath.mpf(2), 1: mpmath.mpf(4)})
    assert [int(v) for v in line.values([3.0, 5.0, 1.0], 60)] == [(3 + 2) * (5 + 4)]


def test_the_report_in_every_form() -> None:
    found = adlab.truth("x**2*y", [1.0, 3.0], order=2)
    assert found.hessian == [[6, 2], [2, 0]]
    facts = json.loads(json.dumps(found.to_dict()))
    assert facts["hessian"] == [["6.0", "2.0"], ["2.0", "0.0"]]
    for text in (str(found), found._repr_html_(), found.to_markdown()):
        assert "∂²f/∂x∂y" in text
    with pytest.raises(MethodError, match="one output"):
        adlab.truth(["x", "y"], [1.0, 2.0], order=2)
    with pytest.raises(OptionError, match="order"):
        adlab.truth("x", 1.0, order=3)
