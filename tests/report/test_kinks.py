"""At a kink: the one-sided derivatives are shown, and whose convention each method follows. Off the kink, nothing."""

from __future__ import annotations

import math
from typing import Any

import pytest
import sympy
from mpmath import inf, mpf
from shares import share
from sympy import Eq, Ne, Piecewise

import adlab
from adlab.report.kinks import NO_SLOPE, ONE_BRANCH, convention

x, y = sympy.symbols("x y", real=True)
AD = ("reverse", "forward")
BY_RULE = (*AD, "symbolic", "symbolic-cse")


def compared(formula: Any, at: Any) -> adlab.report.compare.Comparison:
    return adlab.compare(formula, at, timed=False)


def conventions(found) -> dict[str, str]:
    """What each method is said to return, up to the numbers."""
    return {row.method: row.convention.split(":")[0] for row in found.accuracy if row.convention}


def said(found) -> str:
    return "\n".join(sentence.text for sentence in found.verdict)


KINKS = [
    ("abs(x)", 0.0, (-1, 1)),
    (sympy.Max(x, 2 * x), 0.0, (1, 2)),
    (sympy.Min(x, 3 * x) + x, 0.0, (4, 2)),
    (Piecewise((x**2, x < 1), (5 * x - 4, True)), 1.0, (2, 5)),
    ("abs(sin(x))*exp(x)", 0.0, (-1, 1)),
]


@pytest.mark.parametrize(("formula", "at", "sides"), KINKS, ids=str)
def test_the_one_sided_derivatives_are_shown_and_each_answer_is_one_of_them_or_their_mean(formula, at, sides) -> None:
    found = compared(formula, at)
    assert [tuple(map(float, pair)) for pair in found.truth.one_sided] == [sides]
    assert f"one-sided  {float(sides[0])} on the left, {float(sides[1])} on the right" in str(found.full)
    for row in found.accuracy:
        if row.value is None:
            continue
        meant = {"the derivative on the left": sides[0], "the derivative on the right": sides[1],
                 "the mean of both sides": sum(sides) / 2}  # fmt: skip
        assert row.convention.split(":")[0] in {*meant, "no slope of f"}
        assert row.status == "no truth"
        assert row.convention in row.note
        assert row.convention in said(found)
        if (name := row.convention.split(":")[0]) in meant:
            assert row.value == pytest.approx(meant[name], rel=1e-5, abs=1e-5)


def test_each_method_has_its_own_convention_at_the_kink_of_abs() -> None:
    found = conventions(compared("abs(x)", 0.0))
    assert {found[name] for name in (*BY_RULE, "central-difference")} == {"the mean of both sides"}
    assert found["forward-difference"] == "the derivative on the right"
    assert found["backward-difference"] == "the derivative on the left"


@pytest.mark.parametrize("formula", ["sign(x)", "Heaviside(x)", "floor(x)", "Mod(x, 1)*(x + 1)"])
def test_a_jump_has_no_slope_and_what_is_returned_is_said_to_be_none(formula: str) -> None:
    found = compared(formula, 0.0)
    assert found.truth.status == "unavailable"
    assert "f jumps" in found.truth.reason
    assert conventions(found)["central-difference"] == "no slope of f"
    assert "inf on the left" in str(found.full)


def test_an_edge_with_an_infinite_slope_is_no_derivative() -> None:
    for formula in ("sqrt(x)", "x**x"):
        found = compared(formula, 0.0)
        assert "inf on the right" in str(found.full)
        assert "one-sided  none on the left" in str(found.full)
        assert all(row.status == "domain" for row in found.accuracy if row.method in AD)
        assert conventions(found)["forward-difference"] == "no slope of f"


SMOOTH_ELSEWHERE = ["abs(x)*x", "sign(x)*x", "Heaviside(x)*x**2", "floor(x)*x", "Mod(x, 2)*x", "Max(x, x**2 + 3)"]


@pytest.mark.parametrize("at", share([1e-3, -1.3, 0.75]))
@pytest.mark.parametrize("formula", SMOOTH_ELSEWHERE)
def test_off_the_kink_nothing_changes(formula: str, at: float) -> None:
    found = compared(formula, at)
    assert not conventions(found)
    assert "one-sided" not in str(found.full)
    assert "kink or jump" not in said(found)
    assert all(row.status == "ok" and row.ulps < 4 for row in found.accuracy if row.method in AD)


def test_without_a_branch_no_branch_is_blamed() -> None:
    """At the tie SymPy multiplies 1/2 by 1/2; the slope is 0 on both sides."""
    found = compared("Max(1, Min(x, 1))", 1.0)
    row = next(row for row in found.accuracy if row.method == "symbolic")
    assert (row.value, row.status, row.convention) == (0.25, "wrong", NO_SLOPE)
    assert "derivative of the branch" not in said(found)


def test_sympys_wrong_answer_for_a_branch_at_one_point_is_caught_and_named() -> None:
    """f is x everywhere; SymPy differentiates the branch 0 that holds at x = 0 alone."""
    formula = Piecewise((0, Eq(x, 0)), (x, True))
    assert sympy.diff(formula, x).subs(x, 0) == 0  # SymPy's own word
    found = compared(formula, 0.0)
    assert float(found.truth.gradient[0]) == 1.0
    for row in found.accuracy:
        if row.method in BY_RULE and row.method not in AD:
            assert (row.value, row.status, row.convention) == (0.0, "wrong", ONE_BRANCH)
        elif row.value is not None:
            assert row.status == "ok"
            assert row.digits > 14
    assert "sympy.diff's own answer, and wrong" in said(found)
    assert "roundings of the whole program" not in said(found)
    assert all(row.bound == math.inf and "kink" in row.why for row in adlab.rounding(formula, 0.0).rows)


def test_where_the_branches_meet_smoothly_nobody_is_blamed() -> None:
    for formula, at in [
        (Piecewise((sympy.sin(x) / x, Ne(x, 0)), (1, True)), 0.0), ("x*abs(x)", 0.0),
        (Piecewise((x**2, x < 1), (2 * x - 1, True)), 1.0),
    ]:  # fmt: skip
        found = compared(formula, at)
        assert "f still has a derivative here" in said(found)
        assert all(row.status == "ok" and row.digits > 15 for row in found.accuracy if row.method in AD)


def test_zero_times_infinity_in_the_branch_not_taken_does_not_reach_the_result() -> None:
    """The slope of the other branch is 0·∞ at 0: `where` in a framework makes a NaN of it."""
    found = compared(Piecewise((x * sympy.exp(1 / x), x < 0), (0, True)), 0.0)
    assert all(row.value == 0.0 for row in found.accuracy if row.method in AD)
    found = compared(Piecewise((sympy.sqrt(x), x > 0), (x, True)), 0.0)
    assert all(row.value == 1.0 and row.convention.startswith("the derivative on the left") for row in found.accuracy
               if row.method in AD)  # fmt: skip


def test_a_zero_derivative_is_right_to_no_fantastic_number_of_ulps() -> None:
    text = said(compared("x*abs(x)", 0.0))
    assert "right to within 1 ulp" in text


def test_a_real_value_by_way_of_complex_numbers_gets_a_sentence() -> None:
    found = compared("sqrt(x)*sqrt(x - 1)", -3.0)
    assert "f is real here, though an intermediate value is complex" in said(found)
    assert "intermediate" not in said(compared("sqrt(x)*sqrt(x + 1)", 3.0))


def test_a_complex_value_gets_a_sentence_too() -> None:
    with pytest.raises(adlab.DomainError, match=r"needs x >= 0, and x = -1\.0; the value is complex here: .*1\.0j"):
        compared("sqrt(x)", -1.0)
    with pytest.raises(adlab.DomainError, match="f is real here, though an intermediate value is complex"):
        compared("abs(sqrt(x))", -4.0)
    with pytest.raises(adlab.DomainError) as none:
        compared("1/x", 0.0)
    assert "complex" not in str(none.value)


@pytest.mark.parametrize(
    ("value", "left", "right", "expected"),
    [
        (1.0, mpf(1), mpf(2), "the derivative on the left"),
        (2.0, mpf(1), mpf(2), "the derivative on the right"),
        (1.5, mpf(1), mpf(2), "the mean of both sides"),
        (0.0, mpf(-1), mpf(1), "the mean of both sides"),
        (1.7, mpf(1), mpf(2), "no slope of f"),
        (3.0, None, mpf(3), "the derivative on the right"),
        (0.0, -inf, inf, "no slope of f"),
        (5.0, None, None, "no slope of f"),
        (0.0, mpf(0), inf, "the derivative on the left"),
    ],
)
def test_the_words_for_a_convention(value, left, right, expected) -> None:
    assert convention(value, left, right).split(":")[0] == expected
