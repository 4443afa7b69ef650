"""What is certified is right within its radius, what is not says why, and neither path can be fooled alone."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import mpmath
import pytest
import sympy
from corpora import every_row
from sympy import Abs, Eq, Heaviside, Max, Mod, Ne, Piecewise, Rational, cos, exp, floor, log, sin, sqrt

pytest.importorskip("flint", "0.9")

from published import CERTIFIED
from random_expressions import VARIABLES, random_expression
from shares import but_slow
from table import CASES, points

import adlab
from adlab.errors import UnsupportedExpression
from adlab.text.parser import parse
from adlab.text.traversal import symbols_of
from adlab.truth import judge
from adlab.truth.certified import sweeps
from adlab.truth.certified.balls import number
from adlab.truth.certified.calculus import native, smooth
from adlab.truth.certified.proof import SMALLEST, prove
from adlab.truth.judge import Component, gradient_truth
from adlab.truth.meanings import exact
from adlab.truth.values import plan

x, y = sympy.symbols("x y")


def partials(expression: Any, *at: float, digits: int = 30) -> tuple[Component, ...]:
    return gradient_truth([expression], [x, y][: len(at)], at, digits)[0].partials


def agree(certified: Component, other: Component, digits: int = 30) -> bool:
    """Whether two answers lie within the proved radius and the other's own, which is its digits at the least."""
    with mpmath.workprec(20000):
        allowed = max(other.radius, abs(other.value) * mpmath.mpf(10) ** -digits)
        return bool(abs(certified.value - other.value) <= certified.radius + allowed)


def heuristic(monkeypatch: pytest.MonkeyPatch, *question: Any) -> Any:
    with monkeypatch.context() as without:
        without.setattr(judge, "certifying", lambda: False)
        return gradient_truth(*question)


# --- numbers known from elsewhere -----------------------------------------------------------------------------


@pytest.mark.parametrize(("expression", "at", "expected"), CERTIFIED)
def test_the_known_derivatives_are_certified_to_18_digits(expression: Any, at: float, expected: str) -> None:
    [found] = partials(expression, at, digits=18)
    assert found.status == "certified"
    with mpmath.workdps(60):
        known, unit = mpmath.mpf(expected), mpmath.mpf(10) ** -18
        assert abs(found.value - known) <= unit * abs(known)
        assert found.radius <= unit * abs(found.value)


def trap(scale: int) -> Any:
    """x(1 + (exp(t) − 1)/t), t tiny: reads x until the precision outlasts t."""
    tiny = Rational(1, 10**scale)
    inner = sympy.Mul(sympy.Add(exp(tiny), -1, evaluate=False), sympy.Integer(10) ** scale, evaluate=False)
    return sympy.Mul(x, sympy.Add(1, inner, evaluate=False), evaluate=False)


@pytest.mark.parametrize("scale", [20, 80, 300])
@pytest.mark.parametrize("at", [0.3, -1e5, 1e-300, 1e300])
def test_the_trap_does_not_fool_it(scale: int, at: float) -> None:
    [found] = partials(trap(scale), at)
    assert found.status == "certified"
    with mpmath.workdps(400):
        slope = 1 + mpmath.expm1(mpmath.mpf(10) ** -scale) * mpmath.mpf(10) ** scale
        assert abs(found.value - slope) <= found.radius + mpmath.mpf(10) ** -90


@pytest.mark.parametrize("at", [5e-324, 1e-300, 1e-5, 3.7, 1e5, 1e300])
def test_points_of_any_size_are_ordinary(at: float) -> None:
    with mpmath.workdps(700):
        for expression, slope in (
            (sin(x), mpmath.cos(at)),
            (x * log(x), mpmath.log(at) + 1),
            (x**3, 3 * mpmath.mpf(at) ** 2),
        ):
            [found] = partials(expression, at)
            assert found.status == "certified"
            assert abs(found.value - slope) <= found.radius + abs(slope) * mpmath.mpf(10) ** -300
            assert found.radius <= abs(found.value) * mpmath.mpf(10) ** -30 or found.value == 0


def test_decimals_are_the_nearest_binary_numbers_and_names_are_just_names() -> None:
    found = adlab.truth("gamma*0.1 + beta**2 + S*E_n", {"gamma": 2, "beta": 3, "S": 0.1, "E_n": 1})
    assert found.status == "certified"
    slope = dict(zip(found.variables, found.gradient, strict=True))
    assert [slope[name] for name in ("gamma", "beta", "E_n")] == [mpmath.mpf(0.1), 6, mpmath.mpf(0.1)]
    assert set(found.radius) == {0}


def test_where_mpmaths_own_value_is_wrong_at_every_precision() -> None:
    """ζ(3, a) far to the left, which is −ψ″(a)/2."""
    [found] = partials(sympy.zeta(3, x), -600.375)
    assert found.status == "certified"
    with mpmath.workdps(60):
        assert abs(found.value + mpmath.psi(3, mpmath.mpf(-600.375)) / 2) <= mpmath.mpf(10) ** -40


# --- zeros ----------------------------------------------------------------------------------------------------


def test_zeros_have_an_absolute_radius_and_say_so() -> None:
    circle = sympy.Add(sin(x) ** 2, cos(x) ** 2, evaluate=False)
    for expression, at, radius, note in (
        (cos(x), 0.0, 0, "exactly 0"),
        (floor(x) * Max(x, 2), 0.5, 0, "exactly 0"),
        (circle, 0.7, number(SMALLEST), "absolute radius"),
    ):
        [found] = partials(expression, at)
        assert (found.status, found.value) == ("certified", 0)
        assert 0 <= found.radius <= radius
        assert note in found.note


def test_tiny_is_not_zero() -> None:
    [found] = partials(sympy.erf(x), 20.0)
    with mpmath.workdps(250):
        slope = 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-400)
        assert found.status == "certified"
        assert abs(found.value - slope) + found.radius <= slope * mpmath.mpf(10) ** -30
    [found] = partials(exp(-exp(x)), 12.0)
    assert (found.status, found.value < 0) == ("certified", True)


# --- kinks and what else is not certified ---------------------------------------------------------------------

KINKS = [
    (Abs(x), 0.0), (Abs(x) ** 3, 0.0), (Max(x, 2 * x), 0.0), (Abs(x - 1) + x, 1.0), (sqrt(x), 0.0), (floor(x), 2.0),
    (Heaviside(x), 0.0), (Mod(x, 3), 6.0), (sympy.sign(x), 0.0), (sympy.acos(x), 1.0), (x**x, 0.0),
    (Piecewise((0, Eq(x, 0)), (x, True)), 0.0), (Piecewise((sin(x) / x, Ne(x, 0)), (1, True)), 0.0),
    (Piecewise((x, x < 1), (2 * x - 1, True)), 1.0), (sympy.im(log(-1 + sympy.I * x)), 0.0), (sympy.acot(x), 0.0),
    (sympy.atan2(x, -1), 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "at"), KINKS)
def test_at_a_kink_nothing_is_certified_and_the_judge_says_what_it_did(expression: Any, at: float, monkeypatch) -> None:
    [found] = partials(expression, at)
    [judged] = heuristic(monkeypatch, [expression], [x], [at])[0].partials
    assert found.status != "certified"
    assert (found.status, found.value, found.left, found.right) == (
        judged.status,
        judged.value,
        judged.left,
        judged.right,
    )
    assert found.status == "unavailable" or "not certified" in found.note


@pytest.mark.parametrize(("expression", "at"), KINKS)
def test_beside_a_kink_it_is_certified_however_close(expression: Any, at: float) -> None:
    for beside in (at - 2.0**-40, at + 2.0**-40):
        found = gradient_truth([expression], [x], [beside])[0]
        assert found.partials[0].status == ("unavailable" if found.value is None else "certified")


def test_a_kink_in_one_variable_leaves_the_other_certified() -> None:
    assert [found.status for found in partials(Abs(x) * y + y**2, 0.0, 2.0)] == ["unavailable", "certified"]


def test_a_branch_that_is_not_taken_may_have_no_value() -> None:
    [found] = partials(Piecewise((log(x), x > 0), (x**2, True)), -3.0)
    assert (found.status, found.value) == ("certified", -6)


def test_a_real_value_over_a_complex_one_is_certified_and_noted() -> None:
    [found] = partials(sqrt(-x) * sqrt(-x - 2), 2.0)
    assert found.status == "certified"
    assert "complex" in found.note


# --- neither path alone ---------------------------------------------------------------------------------------


def test_a_wrong_slope_is_not_certified(monkeypatch: pytest.MonkeyPatch) -> None:
    """The power series would say cos(x)(1 + 1e-25), as tight as ever; differences of values do not agree."""
    wrong = smooth(native("sin"), lambda z: native("cos")(z) * (1 + sweeps.arb(10) ** -25))
    monkeypatch.setitem(sweeps.MEANINGS, sympy.sin, wrong)
    [found] = partials(x * sin(x), 0.5)
    assert found.status == "heuristic"
    with mpmath.workdps(50):
        assert abs(found.value - (mpmath.sin(0.5) + mpmath.cos(0.5) / 2)) < mpmath.mpf(10) ** -30


def test_bounds_on_bits_and_time_end_in_a_sentence() -> None:
    made = plan([sympy.Add(sin(x) ** 2, cos(x) ** 2, evaluate=False) * floor(sympy.Add(exp(log(x)), 0)) + x], [x])
    assert prove(made, [exact(0.5)], 30, seconds=0.0).reason == "the time limit of 0 s was reached"
    undecided = plan([floor(sympy.Function.__new__(log, exp(x, evaluate=False), evaluate=False)) * x], [x])
    assert re.fullmatch(r"\d+ bits do not decide it", prove(undecided, [exact(2.0)], 30).reason)


def test_where_the_value_is_not_certified_no_partial_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def proved(made: Any, point: Any, digits: int) -> Any:
        proof = prove(made, point, digits)
        proof.values.clear()
        return proof

    monkeypatch.setattr(judge, "proved", proved)
    assert [(found.status, found.value) for found in partials(x**2 * y, 3.0, 2.0)] == [("heuristic", 12), ("heuristic", 9)]


@pytest.mark.parametrize("digits", [1, 18, 100, 1000])
def test_the_radius_holds_the_digits_and_more_digits_stay_inside_it(digits: int) -> None:
    for expression, at, _ in CERTIFIED:
        [found], [finer] = (
            partials(expression, at, digits=digits),
            partials(expression, at, digits=min(1000, 2 * digits)),
        )
        assert found.status == finer.status == "certified"
        assert agree(found, finer, digits=5000)
        with mpmath.workdps(1100):
            assert found.radius <= abs(found.value) * mpmath.mpf(10) ** -digits


# --- both kinds of truth agree --------------------------------------------------------------------------------


def has_numbers(case: Any) -> bool:
    """Not a condition, nor made of conditions, nor written by what has no value here."""
    if not isinstance(case.form, sympy.Expr) or case.primitive.routes or case.form.has(sympy.Derivative):
        return False
    try:
        return bool(plan([case.form], case.letters))
    except UnsupportedExpression:
        return False


NUMBERED = [case for case in CASES if has_numbers(case)]
DEAR = [case for case in NUMBERED if case.primitive.name in ("ellipticpi", "ellipticpic") and case.parameter > 1]  # 10 to 20 s


@pytest.mark.parametrize("case", but_slow(NUMBERED, DEAR), ids=str)
def test_certified_and_heuristic_truth_agree_on_every_primitive(case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in points(case, count=3, seed=11)[: 2 if case.slow else 5]:
        question = [case.form], list(case.letters), list(at)
        certified, judged = gradient_truth(*question)[0].partials, heuristic(monkeypatch, *question)[0].partials
        for a, b in zip(certified, judged, strict=True):
            assert a.status in (b.status, "certified"), at
            if a.value is not None and b.value is not None:
                assert agree(a, b), at


@pytest.mark.parametrize("name", [*sorted(adlab.gallery.GALLERY.keys() - {"residual-network"}), "residual-network:4:2:3"])
def test_certified_and_heuristic_truth_agree_on_the_gallery(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    f = adlab.gallery.named(name)
    question = f.outputs, f.variables, list(f.point)
    for certified, judged in zip(gradient_truth(*question), heuristic(monkeypatch, *question), strict=True):
        for a, b in zip(certified.partials, judged.partials, strict=True):
            assert (a.status, b.status) == ("certified", "heuristic")
            assert agree(a, b)


@pytest.mark.parametrize("seed", range(40))
def test_certified_and_heuristic_truth_agree_at_random(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    r = random.Random(seed)
    expression = random_expression(seed, written=seed % 2 == 0)
    question = [expression], VARIABLES, [r.uniform(-2, 2), r.uniform(-2, 2), r.uniform(0.1, 2)]
    certified, judged = gradient_truth(*question)[0].partials, heuristic(monkeypatch, *question)[0].partials
    for a, b in zip(certified, judged, strict=True):
        assert a.status == ("certified" if b.status == "heuristic" else b.status)
        assert a.value is None or agree(a, b)


def test_neither_engine_nor_the_graph_has_a_part_in_it() -> None:
    code = "import sys, adlab.truth.certified.proof; print([m for m in sys.modules if m.startswith('adlab.')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "adlab.truth.certified.sweeps" in loaded
    assert not re.search(r"adlab\.(graph|autodiff|classical|registry|function|peers|report)", loaded)


# --- formulas nobody here wrote -------------------------------------------------------------------------------


def sampled(count: int) -> Iterator[tuple[dict[str, Any], Any, list[Any]]]:
    """Rows of the corpora at random, each with its formula and variables."""
    for row in random.Random(4).sample(every_row(but="nist_strd"), count):
        formula = parse(row["expr"], names=row["variables"])
        known = {symbol.name: symbol for symbol in symbols_of([formula])}
        yield row, formula, [known.get(name, sympy.Symbol(name)) for name in row["variables"]]


def test_most_of_the_corpora_is_certified_and_right() -> None:
    certified = 0
    for row, formula, variables in sampled(200):
        [found] = gradient_truth([formula], variables, [row["point"][name] for name in row["variables"]])
        certified += all(partial.status == "certified" for partial in found.partials)
        # Where the formula holds decimals, its reference may have folded them at 53 bits.
        digits = 12 if re.search(r"\d\.\d", row["expr"]) else 30
        largest = max(abs(mpmath.mpf(partial)) for partial in row["gradient"].values())
        with mpmath.workdps(60):
            for partial in found.partials:
                want = mpmath.mpf(row["gradient"][partial.variable])
                error = abs(partial.value - want)
                assert error <= abs(want) * mpmath.mpf(10) ** -digits or error < 1e-40 * largest, (row["id"], partial)
    assert certified >= 190


def test_most_random_points_of_the_corpora_are_certified() -> None:
    """Of those where f is real and has a gradient."""
    r, certified, others = random.Random(5), 0, 0
    for row, formula, variables in sampled(200):
        point = [row["point"][name] * r.uniform(0.4, 1.6) for name in row["variables"]]
        statuses = {partial.status for partial in gradient_truth([formula], variables, point)[0].partials}
        certified += statuses == {"certified"}
        others += "heuristic" in statuses
    assert certified >= 150
    assert others <= 0.05 * certified


@pytest.mark.parametrize(
    ("expression", "at"),
    [(sympy.besselk(1, x), -1e-300), (sympy.expint(1, x), -1000.0), (sympy.uppergamma(0, x), -1000.0)],
    ids=str,
)
def test_a_tiny_imaginary_part_is_one_all_the_same(expression: Any, at: float) -> None:
    """1e-600 of the real part, and so nothing at any usual precision; but the value is complex."""
    [found] = gradient_truth([expression], [x], [at])
    assert found.value is None
    assert found.partials[0].status == "unavailable"
    assert "complex" in found.partials[0].note


def test_what_mpmath_never_ends_is_refused_in_time() -> None:
    """Series that creep by 1 from −1e10 to the right, or do not end beside 0."""
    for expression, at in [(sympy.polygamma(1, x), -1e10), (sympy.uppergamma(sympy.Rational(5, 2), x), 0.0)]:
        [found] = gradient_truth([expression], [x], [at])
        assert found.partials[0].status == "unavailable"


def test_an_infinite_ball_is_no_value() -> None:
    [found] = gradient_truth([sympy.erfinv(x)], [x], [1.0])
    assert found.partials[0].status == "unavailable"
