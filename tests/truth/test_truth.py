"""The truth: right to 30 digits where there is a derivative, and never a number where there is none."""

from __future__ import annotations

import importlib
import json
import math
import re
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import mpmath
import pytest
import sympy
from corpora import rows
from published import CERTIFIED
from sympy import Abs, Eq, Heaviside, Max, Mod, Ne, Piecewise, Rational, cos, exp, floor, log, sin, sqrt, tanh

from adlab.errors import DomainError, OptionError, PointError
from adlab.report.truth import truth
from adlab.text.functions import NAMED
from adlab.text.parser import parse
from adlab.text.traversal import symbols_of
from adlab.truth import judge
from adlab.truth.higher import directional_derivative
from adlab.truth.judge import Component, OutputTruth, certifying, gradient_truth
from adlab.truth.meanings import FUNCTIONS, JUMPING, SLOW
from adlab.truth.values import plan

x, y = sympy.symbols("x y")

BEST = "certified" if certifying() else "heuristic"


def judged(expression: Any, *point: float, digits: int = 30) -> OutputTruth:
    return gradient_truth([expression], [x, y][: len(point)], point, digits)[0]


def partial(expression: Any, *point: float, digits: int = 30) -> Component:
    return judged(expression, *point, digits=digits).partials[0]


def unevaluated(head: Any, *operands: Any) -> Any:
    return head(*map(sympy.sympify, operands), evaluate=False)


def close(got: Any, want: Any, digits: int) -> bool:
    with mpmath.workdps(digits + 20):
        want = mpmath.mpf(want)
        return bool(abs(got - want) <= abs(want) * mpmath.mpf(10) ** -digits)


# --- numbers known from elsewhere -----------------------------------------------------------------------------

@pytest.mark.parametrize(("expression", "at", "expected"), CERTIFIED)
def test_derivatives_certified_by_ball_arithmetic(expression: Any, at: float, expected: str) -> None:
    assert close(partial(expression, at).value, expected, 19)


def test_the_worked_example() -> None:
    found = judged(log((x + y) ** 2 + sin(x * y)), 1.0, 2.0)
    assert close(found.value, "2.2934734504528866", 16)
    assert close(found.partials[0].value, "0.5215007789468607", 16)
    assert close(found.partials[1].value, "0.5634963734499162", 16)


OF_TWO = {sympy.beta, sympy.binomial, sympy.elliptic_f, sympy.elliptic_pi}
RULED = [f for f in FUNCTIONS if f not in SLOW | JUMPING | set(NAMED.values()) | OF_TWO]


@pytest.mark.parametrize("function", RULED, ids=lambda f: f.__name__)
def test_the_truth_is_what_sympys_rules_say(function: Any) -> None:
    t = sympy.Symbol("t", real=True)
    expression = function(2 * t + 3, Rational(1, 2)) if function is sympy.atan2 else function(t)
    rule = sympy.diff(expression, t)
    for at in (0.40625, 1.3125):
        [found] = gradient_truth([expression], [t], [at])
        if found.value is None:  # outside the domain
            continue
        want = rule.subs(t, Rational(at)).doit().evalf(60)
        if want.is_Float:
            assert close(found.partials[0].value, want._to_mpmath(220), 30), (function, at)


# --- where weaker references fail -----------------------------------------------------------------------------


def test_two_precisions_that_are_too_low_do_not_fool_it() -> None:
    tiny = sympy.Float(1e-80, precision=53)
    difference = unevaluated(sympy.Add, exp(tiny, evaluate=False), -1)
    trap = unevaluated(sympy.Mul, x, 1 + unevaluated(sympy.Mul, difference, Rational(10) ** 80))
    for at in (0.3, -1e5, 1e-300):
        found = partial(trap, at)
        assert found.status == BEST
        assert found.value == pytest.approx(2.0, rel=1e-14)


@pytest.mark.parametrize("scale", [-300, -80, -3, 0, 3, 80, 250])
def test_features_of_any_size_are_seen(scale: int) -> None:
    width = Rational(10) ** scale
    assert close(partial(tanh(x / width) * width, 0.0).value, 1, 30)
    assert close(partial(x + width * tanh((x - 1) / width), 1.0).value, 2, 30)
    assert partial(sqrt(x**2 + width**2), 0.0).value == 0
    assert close(partial(width * x**2, 10.0**scale).value, 2 * mpmath.mpf(10) ** (2 * scale), 14)


@pytest.mark.parametrize("at", [5e-324, 1e-300, 1e-5, 3.7, 1e5, 1e300])
def test_points_of_any_size(at: float) -> None:
    with mpmath.workdps(400):
        assert close(partial(sin(x), at).value, mpmath.cos(at), 30)
        assert close(partial(x * log(x), at).value, mpmath.log(at) + 1, 30)


@pytest.mark.parametrize(
    ("expression", "at"),
    [
        (cos(x), 0.0),
        (x**3, 0.0),
        (Abs(x) ** 3, 0.0),
        (Piecewise((sin(x) / x, Ne(x, 0)), (1, True)), 0.0),
        (Piecewise(((1 - cos(x)) / x**2, Ne(x, 0)), (Rational(1, 2), True)), 0.0),
        (unevaluated(sympy.Add, sin(x) ** 2, cos(x) ** 2), 0.7),
        (Heaviside(x), 3.0),
        (floor(x) * Max(x, 2), 0.5),
    ],
)
def test_a_derivative_that_is_zero(expression: Any, at: float) -> None:
    found = partial(expression, at)
    assert found.status == "heuristic" or (found.status == BEST and not expression.has(Abs, Piecewise))
    assert found.value == 0
    assert found.radius < 1e-100


def test_what_sympys_rules_get_wrong() -> None:
    identity = Piecewise((0, Eq(x, 0)), (x, True))
    assert sympy.diff(identity, x).subs(x, 0) == 0
    assert partial(identity, 0.0).value == 1


def test_a_tiny_derivative_beside_a_large_curvature_is_no_zero() -> None:
    assert close(partial(x**2 + Rational(10) ** -60 * x, 0.0).value, "1e-60", 30)
    with mpmath.workdps(60):
        want = 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-400)
    assert close(partial(sympy.erf(x), 20.0).value, want, 30)


# --- where there is no derivative -----------------------------------------------------------------------------

INF = mpmath.inf
WITHOUT = [
    (Abs(x), 0.0, -1, 1, "differ"),
    (Max(x, 2 * x), 0.0, 1, 2, "differ"),
    (Abs(x - 1) + x, 1.0, 0, 2, "differ"),
    (sqrt(x), 0.0, None, INF, "left f is complex.*right the difference quotients grow"),
    (x ** Rational(3, 2), 0.0, None, 0, "left f is complex"),
    (floor(x), 2.0, INF, 0, "left f jumps"),
    (Heaviside(x), 0.0, INF, INF, "f jumps"),
    (Mod(x, 3), 6.0, -INF, 1, "left f jumps"),
    (sympy.sign(x) * sympy.cbrt(Abs(x)), 0.0, INF, INF, "grow without bound"),
    (sympy.acos(x), 1.0, -INF, None, "right f is complex"),
    (Piecewise((5, Eq(x, 0)), (x, True)), 0.0, INF, -INF, "f jumps"),
    (x**x, 0.0, None, -INF, "grow without bound"),
]


@pytest.mark.parametrize(("expression", "at", "left", "right", "why"), WITHOUT)
def test_without_a_derivative_there_is_no_number_but_both_sides(
    expression: Any, at: float, left: Any, right: Any, why: str
) -> None:
    found = partial(expression, at)
    assert (found.status, found.value, found.radius) == ("unavailable", None, None)
    assert (found.left, found.right) == (left, right)
    assert re.search(why, found.note)


@pytest.mark.parametrize(
    ("expression", "at", "why"),
    [
        (log(x), 0.0, r"log\(x\) .* x = 0"),
        (1 / x, 0.0, "1/x"),
        (log(x), -1.0, "the value is complex here: .*3.14"),
        (sqrt(x), -1.0, "the value is complex here"),
        (sin(x) / x, 0.0, "1/x"),
        (exp(exp(exp(x))), 1e6, "too large"),
        (floor(unevaluated(log, unevaluated(exp, x)), evaluate=False) * x, 2.0, "cannot be told"),
    ],
)
def test_without_a_value_there_is_a_reason(expression: Any, at: float, why: str) -> None:
    found = judged(expression, at)
    assert found.value is None
    assert found.partials[0].status == "unavailable"
    assert re.search(why, found.note)


def test_a_real_value_over_a_complex_one_is_found_and_noted() -> None:
    found = partial(sqrt(-x) * sqrt(-x - 2), 2.0)
    assert close(found.value, -1.5 / mpmath.sqrt(2), 14)
    assert "complex" in found.note
    assert partial(Piecewise((sqrt(x), x > 0), (sqrt(-x), True)), 4.0).note == ""


def test_each_variable_has_its_own_status() -> None:
    found = truth(Abs(x) * y + 3, [0.0, 2.0])
    assert [c.status for c in found.components] == ["unavailable", BEST]
    assert found.gradient == [None, 0]
    assert found.one_sided == [(-2, 2), None]
    assert found.reason.startswith("in x, the one-sided derivatives differ")


# --- digits and radii -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("digits", [3, 30, 200])
@pytest.mark.parametrize("expression", [expression for expression, _, _ in CERTIFIED])
def test_the_radius_covers_the_error_and_holds_the_digits(expression: Any, digits: int) -> None:
    found, finer = partial(expression, 0.6, digits=digits), partial(expression, 0.6, digits=2 * digits + 20)
    with mpmath.workdps(3 * digits):
        assert abs(found.value - finer.value) <= found.radius + finer.radius
        assert found.radius <= abs(found.value) * mpmath.mpf(10) ** -digits


@pytest.mark.parametrize("order", range(1, 10))
def test_derivatives_of_higher_order(order: int) -> None:
    expression = exp(2 * x) * sin(x)
    made = plan([y, expression], [y, x])
    want = sympy.diff(expression, x, order).subs(x, Rational(0.625)).evalf(40)._to_mpmath(120)
    assert close(directional_derivative(made, [1.0, 0.625], 1, order, output=1), want, 15)
    assert directional_derivative(plan([x**order], [x]), [0.0], 0, order) == math.factorial(order)
    assert directional_derivative(plan([x ** (order - 1)], [x]), [2.0], 0, order) == 0


def test_a_derivative_of_higher_order_that_does_not_exist_is_refused() -> None:
    with pytest.raises(DomainError, match="order 2 by x at 0"):
        directional_derivative(plan([Abs(x)], [x]), [0.0], 0, order=2)


# --- the report -----------------------------------------------------------------------------------------------


def test_the_report_says_everything_in_every_form() -> None:
    found = truth([x * y, Abs(x)], [0.0, 2.0])
    assert found.value == [0, 0]
    assert found.gradient == [[2, 0], [None, 0]]
    assert found.status == "unavailable"
    assert found.component(0, 0).value == 2
    facts = json.loads(json.dumps(found.to_dict()))
    assert [row["output"] for row in facts["rows"]] == [0, 0, 1, 1]
    assert facts["gradient"][0][0] == "2.0"
    for text in (str(found), found._repr_html_(), found.to_markdown()):
        assert "differ" in text
        assert BEST in text
    assert "0.52150077894686068521" in truth("log((x1 + x2)**2 + sin(x1*x2))", [1, 2]).line()


def test_without_python_flint_the_report_says_how_to_have_it_certified(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("adlab.truth.judge", "adlab.report.truth"):
        monkeypatch.setattr(importlib.import_module(name), "certifying", lambda: False)
    found = truth("sin(x)", 1.0)
    assert found.status == "heuristic"
    assert "pip install 'adlab[certify]'" in str(found)


@pytest.mark.parametrize(("version", "enough"), [("0.8.0", False), ("0.9.0", True), ("0.10.1", True), ("1.0a1", True)])
def test_a_python_flint_that_is_too_old_counts_as_missing(version: str, enough: bool, monkeypatch: Any) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.setitem(sys.modules, "flint", SimpleNamespace(__version__=version))
    assert certifying.__wrapped__() is enough


def test_bad_questions_are_refused() -> None:
    with pytest.raises(OptionError, match="digits"):
        truth("x", 1.0, digits=0)
    with pytest.raises(PointError, match="finite"):
        gradient_truth([x], [x], [math.nan])


def test_neither_engine_nor_the_graph_has_a_part_in_it() -> None:
    code = "import sys, adlab.truth.judge; print([m for m in sys.modules if m.startswith('adlab.')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not re.search(r"adlab\.(graph|autodiff|classical|methods|function|peers)", loaded)


# --- formulas nobody here wrote -------------------------------------------------------------------------------

EVERY = {"feynman": 5, "symbolic_regression": 10, "adbench": 1, "large": 9, "global_optimisation": 10,
         "rubi_sections": 40, "rubi_special": 20}  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_a_sample_of_the_corpora(name: str) -> None:
    for row in rows(name)[:: EVERY[name]]:
        formula = parse(row["expr"], names=row["variables"])
        known = {symbol.name: symbol for symbol in symbols_of([formula])}
        variables = [known.get(name, sympy.Symbol(name)) for name in row["variables"]]
        [found] = gradient_truth([formula], variables, [row["point"][name] for name in row["variables"]])
        # Where the formula holds decimals, its reference may have folded them at 53 bits.
        digits = 12 if re.search(r"\d\.\d", row["expr"]) else 30
        assert close(found.value, row["value"], digits), row["id"]
        largest = max(abs(mpmath.mpf(partial)) for partial in row["gradient"].values())
        for got in found.partials:
            want = row["gradient"][got.variable]
            assert close(got.value, want, digits) or abs(got.value) < 1e-40 * largest, (row["id"], got)


def test_what_vanishes_faster_than_any_power_has_the_slope_0() -> None:
    """exp(−1/h²) is out of reach of every exponent at the smallest steps; what was seen from farther away counts."""
    flat = Piecewise((exp(-1 / x**2), Ne(x, 0)), (0, True))
    assert partial(flat, 0.0).value == 0
    kinked = partial(Piecewise((x * exp(-1 / x**2) + Abs(x), Ne(x, 0)), (0, True)), 0.0)
    assert (kinked.left, kinked.right) == (-1, 1)


def test_a_bound_on_time_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "certifying", lambda: False)
    monkeypatch.setattr(judge, "SECONDS", 0.0)
    assert "the time limit was reached before this partial" in partial(exp(x), 1.0).note
