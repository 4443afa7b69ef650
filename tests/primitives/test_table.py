"""The table of primitives as mathematics: every rule against its meaning, over the whole domain, and at its edges."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
from collections.abc import Sequence
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from shares import but_slow
from table import (
    CASES,
    LOGIC,
    MANY,
    PARAMETERS,
    SMALLEST,
    SMALLEST_NORMAL,
    Case,
    differentiable,
    exists,
    holds,
    line,
    partial,
    points,
    ulps,
)

import adlab
from adlab.arithmetic.arrays import ARRAYS
from adlab.arithmetic.floats import FLOATS, compile_python
from adlab.arithmetic.numbers import evaluate
from adlab.graph import rules
from adlab.primitives.primitive import OUT, A
from adlab.primitives.table import HEADS, PRIMITIVES, define

SMOOTH = [case for case in CASES if not case.rough]
JUMPING = [case for case in CASES if case.primitive.piecewise_constant and case.primitive.name not in LOGIC]

# Below the normal range a partial is good to 8 units of 5e-324, but for these.
FLUSHED = {
    "atan": "a² overflows first, at 1e154: below 6e-309 the partial is 0",
    "acot": "as atan",
    "acoth": "(1 - a)(1 + a) overflows first",
    "powi": "n times a power that has lost its digits to underflow",
    "powr": "as powi",
    "pow": "as powi",
    "gauss": "2a times an exponential that has lost its digits to underflow",
}

# Where two terms of a partial cancel at a zero of it, the digits of the terms are lost: the error is measured in
# units of the terms there. (Other partials are right to 8 ulps at their zeros as well.)
CANCELLING = {"sphericalj": 3, "besselj": 3, "bessely": 3}


def show(case: Case) -> str:
    return str(case)


def computed_partials(case: Case, point: tuple[float, ...]) -> tuple[float, ...]:
    value = FLOATS.apply(case.primitive, case.parameter, list(point))
    return compile_python(rules.partials(case.primitive, case.parameter))(*point, value)


def computed_on_arrays(case: Case, chosen: Sequence[tuple[float, ...]]) -> list[np.ndarray]:
    columns = [np.array(column) for column in zip(*chosen, strict=True)]
    rule = rules.partials(case.primitive, case.parameter)
    inside = evaluate(rule, [*columns, ARRAYS.apply(case.primitive, case.parameter, columns)], ARRAYS)
    return [np.broadcast_to(inside[output], len(chosen)) for output in rule.outputs]


def allowed(case: Case, true: Any) -> float:
    """The error that a partial may have, in its ulps."""
    if abs(true) >= SMALLEST_NORMAL:
        return 8.0
    return SMALLEST_NORMAL / SMALLEST if case.primitive.name in FLUSHED else 8.0


def size_of_terms(case: Case, point: tuple[float, ...]) -> float:
    """Of J(n-1) and J(n+1), whose difference the partial is."""
    neighbours = [case.parameter - 1, case.parameter + 1]
    return max(abs(FLOATS.apply(case.primitive, n, list(point))) for n in neighbours if case.parameter or n > 0)


# --- partials ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [case for case in SMOOTH if not case.slow], ids=show)
def test_each_partial_is_the_derivative_of_the_form(case: Case) -> None:
    """By algebra where SymPy finds it, else at many points to 25 digits."""
    for k, letter in enumerate(case.letters):
        rule = define(case.primitive.partial(k, case.parameter)).xreplace({OUT: case.form})
        derivative = sympy.diff(case.form, letter)
        if derivative.has(sympy.Subs, sympy.Derivative) or sympy.expand(derivative - rule) == 0:
            continue
        difference = sympy.lambdify(case.letters, [derivative, rule], "mpmath")
        tested = 0
        for point in points(case, MANY):
            middling = all(1e-9 < abs(x) < 200 for x in point)
            if middling and holds(differentiable(case, k), point):
                with mpmath.workprec(2500):
                    expected, found = difference(*map(mpmath.mpf, point))
                    assert abs(expected - found) <= abs(expected) * mpmath.mpf(10) ** -25, point
                tested += 1
        assert tested > 10


def worst_partial(case: Case, count: int = MANY, seed: int = 0) -> tuple[float, int, Any]:
    """The largest error of any partial over what is allowed, among many points; how many; where."""
    worst: tuple[float, Any] = (0.0, None)
    chosen, tested = points(case, count, seed), 0
    arrays = computed_on_arrays(case, chosen)
    for i, point in enumerate(chosen):
        found = computed_partials(case, point)
        out = FLOATS.apply(case.primitive, case.parameter, list(point))
        if math.isinf(out):
            continue  # reported as an overflow, whatever the partial
        for k in range(case.arity):
            if not (holds(differentiable(case, k), point, out) and holds(case.primitive.smooth, point, out)):
                continue
            true = partial(case, k, point)
            if true is None:
                continue
            tested += 1
            for number in (found[k], float(arrays[k][i])):
                error = ulps(number, true) / allowed(case, true)
                if error > 1 and case.primitive.name in CANCELLING:
                    unit = math.ulp(size_of_terms(case, point))
                    error = abs(number - float(true)) / (CANCELLING[case.primitive.name] * unit)
                worst = max(worst, (error, (k, point, number, float(true))), key=lambda pair: pair[0])
    return worst[0], tested, worst[1]


@pytest.mark.parametrize("case", SMOOTH, ids=show)
def test_each_partial_keeps_its_digits_over_the_whole_domain(case: Case) -> None:
    """Within 8 ulps of differences of high-precision values, on floats and on arrays."""
    worst, tested, where = worst_partial(case)
    assert worst <= 1, where
    assert tested >= 4


@pytest.mark.parametrize("case", JUMPING, ids=show)
def test_a_jumping_primitive_is_constant_off_its_jumps(case: Case) -> None:
    function = case.primitive.careful
    given = () if case.parameter is None else (case.parameter,)
    assert all(rule == 0 for rule in case.primitive.rules(case.parameter))
    for point in points(case):
        if holds(case.primitive.smooth, point) and all(0.1 < abs(x) < 1e10 for x in point):
            for k in range(len(point)):
                for neighbour in (math.nextafter(point[k], math.inf), math.nextafter(point[k], -math.inf)):
                    moved = [*point[:k], neighbour, *point[k + 1 :]]
                    if holds(case.primitive.smooth, moved):
                        assert function(*moved, *given) == function(*point, *given)


@pytest.mark.parametrize(("name", "chosen"), [("min", min), ("max", max)])
def test_min_and_max_pass_on_the_operand_they_choose(name: str, chosen: Any) -> None:
    for point in points(Case(PRIMITIVES[name])):
        found = computed_partials(Case(PRIMITIVES[name]), point)
        assert found == ((0.5, 0.5) if point[0] == point[1] else tuple(float(x == chosen(point)) for x in point))


def test_select_passes_on_the_branch_taken() -> None:
    assert computed_partials(Case(PRIMITIVES["select"]), (1.0, 3.0, math.nan)) == (0, 1, 0)
    assert computed_partials(Case(PRIMITIVES["select"]), (0.0, math.nan, 3.0)) == (0, 0, 1)


@pytest.mark.parametrize(("name", "order", "argument", "expected"), [
    ("besselj", 0.0, 1.7, lambda x: mpmath.pi / 2 * mpmath.bessely(0, x)),                        # DLMF 10.15.3
    ("bessely", 0.0, 1.7, lambda x: -mpmath.pi / 2 * mpmath.besselj(0, x)),                       # DLMF 10.15.4
    ("besseli", 0.0, 1.7, lambda x: -mpmath.besselk(0, x)),                                       # DLMF 10.38.4
    ("besselk", 0.0, 1.7, lambda x: mpmath.mpf(0)),                                               # even in the order
    ("uppergamma", 1.0, 0.3, lambda x: mpmath.exp(-x) * mpmath.log(x) + mpmath.e1(x)),            # by parts
    ("lowergamma", 1.0, 0.3, lambda x: -mpmath.euler - mpmath.exp(-x) * mpmath.log(x) - mpmath.e1(x)),
    ("zeta", 2.0, 1.0, lambda x: mpmath.zeta(2, 1, 1)),
    ("expint", 0.0, 2.0, lambda x: -mpmath.e1(x) / x),                                            # of ∫ exp(-xt)/tⁿ
    ("polylog", 2.0, -1.0, lambda x: -(mpmath.log(2) * mpmath.zeta(2) + mpmath.zeta(2, 1, 1)) / 2),  # (2^(1-s) - 1) ζ(s)
])  # fmt: skip
def test_derivatives_by_the_order_are_the_known_ones(name: str, order: float, argument: float, expected: Any) -> None:
    with mpmath.workdps(40):
        true = expected(mpmath.mpf(argument))
    found = computed_partials(Case(PRIMITIVES[f"{name}_moving"], 0), (order, argument))[0]
    assert abs(found - float(true)) <= 2**-52 * abs(float(true))


# --- a wrong rule cannot hide ------------------------------------------------------------------------------------

WRONG = {
    "a sign": ("cos", sympy.sin(A)),
    "a factor": ("erf", sympy.exp(-(A**2))),
    "an exponent": ("sqrt", 1 / (2 * OUT**2)),
    "a form that cancels": ("tanh", 1 - OUT**2),
    "a form that overflows": ("asinh", 1 / sympy.sqrt(1 + A**2)),
    "a form that underflows": ("coth", -1 / sympy.sinh(A) ** 2),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_rule_is_found(what: str) -> None:
    name, rule = WRONG[what]
    planted = Case(dataclasses.replace(PRIMITIVES[name], partials=(rule,)))
    assert worst_partial(planted)[0] > 1


# --- conditions --------------------------------------------------------------------------------------------------

EDGES = [-2.0, -1.0, -1 / math.e, 0.0, 0.5, 1.0, 2.0, 3.0]
AROUND = [x for edge in EDGES for x in (math.nextafter(edge, -9), edge, math.nextafter(edge, 9))]


def around_edges(case: Case) -> list[tuple[float, ...]]:
    if case.primitive.name in LOGIC | {"select"}:
        return []
    if case.arity == 1:
        return [(x,) for x in (*AROUND, 0.3, -0.7, 1.5, -2.5, 7.25)]
    few = [x for x in AROUND if abs(x) < 0.1 or 0.9 < abs(x) < 1.1]
    few = [-2.5, *(few[::3] if case.slow or case.arity > 2 else few), 3.0]
    return list(itertools.islice(itertools.product(few, repeat=case.arity), 400))


@pytest.mark.parametrize("case", but_slow(CASES, [case for case in CASES if case.slow and case.arity > 1]), ids=show)
def test_a_value_is_missing_exactly_outside_the_domain(case: Case) -> None:
    chosen = around_edges(case)
    if not chosen:
        return
    array = ARRAYS.apply(case.primitive, case.parameter, [np.array(column) for column in zip(*chosen, strict=True)])
    for point, entry in zip(chosen, np.broadcast_to(array, len(chosen)), strict=True):
        inside = holds(exists(case), point)
        assert math.isnan(FLOATS.apply(case.primitive, case.parameter, list(point))) != inside, point
        assert math.isnan(entry) != inside, point


@pytest.mark.parametrize("case", CASES, ids=show)
def test_a_partial_is_missing_exactly_where_its_condition_fails(case: Case) -> None:
    """Where there is a value. (Elsewhere the value is missing, and the partial means nothing.)"""
    for point in around_edges(case):
        out = FLOATS.apply(case.primitive, case.parameter, list(point))
        if not math.isfinite(out) or any(0 < abs(x) < SMALLEST_NORMAL for x in point):
            continue  # what overflows on the way
        found = computed_partials(case, point)
        for k in range(case.arity):
            inside = holds(differentiable(case, k), point, out)
            assert math.isnan(found[k]) != inside, (k, point, found[k])


# --- the table as a table ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=show)
def test_partials_of_partials_of_partials_are_primitives_too(case: Case) -> None:
    front = {(case.primitive, case.parameter)}
    for _ in range(3):
        graphs = [rules.partials(primitive, parameter) for primitive, parameter in front]
        front = {(node.primitive, node.parameter) for graph in graphs for node in graph.nodes if node.operands}
    assert all(PRIMITIVES[primitive.name] is primitive for primitive, _ in front)


@pytest.mark.parametrize("case", CASES, ids=show)
def test_every_entry_is_complete(case: Case) -> None:
    p = case.primitive
    assert case.arity == len(p.rules(case.parameter)) > 0
    assert p.weight(case.parameter) > 0
    assert p.smooth is sympy.true or p.convention, "whoever may stand on a kink says what happens there"
    assert p.has_complex or p.analytic
    letters = set(case.letters) | {OUT}
    for k in range(case.arity):
        for rule in (p.partial(k, case.parameter), p.partial_condition(k, case.parameter)):
            assert set(sympy.sympify(rule).free_symbols) <= letters, "the parameter has been put in"


def test_every_parameter_of_the_table_is_tried() -> None:
    with_parameter = {name for name, p in PRIMITIVES.items() if p.parameter_at is not None}
    assert with_parameter | {"powi", "powr", "norm"} == set(PARAMETERS)


def test_every_sympy_class_has_one_primitive() -> None:
    assert all(PRIMITIVES[p.name] is p for p in HEADS.values())
    circular = ["sin", "cos", "tan", "sec", "csc", "cot"]
    hyperbolic = ["sinh", "cosh", "tanh", "sech", "csch", "coth"]
    for name in ["exp", "log", *circular, *hyperbolic, *(f"a{name}" for name in circular + hyperbolic)]:
        assert HEADS[getattr(sympy, name)].name == name


@pytest.mark.parametrize(
    ("name", "parameter", "text"),
    [
        ("add", None, "v1 + v2"),
        ("neg", None, "-v1"),
        ("powi", 3, "v1**3"),
        ("powr", PARAMETERS["powr"][0], "v1**(2/3)"),
        ("powr", 0.1, "v1**0.1"),
        ("pow", 0, "v1**v2"),
        ("pow", -1, "v1**(v2 - 1)"),
        ("pow", 2, "v1**(v2 + 2)"),
        ("atan2", None, "atan2(v1, v2)"),
        ("heaviside", PARAMETERS["heaviside"][0], "Heaviside(v1)"),
        ("heaviside", 1, "Heaviside(v1, 1)"),
        ("mod", None, "v1 mod v2"),
        ("lt", None, "v1 < v2"),
        ("select", None, "v2 if v1 else v3"),
        ("polygamma", 0, "digamma(v1)"),
        ("polygamma", 2, "polygamma(2, v1)"),
        ("besselj", 1, "besselj(1, v1)"),
        ("sphericalj", 0, "sinc(v1)"),
        ("gauss", None, "exp(-v1**2)"),
    ],
)
def test_operations_are_written_as_a_person_would(name: str, parameter: Any, text: str) -> None:
    assert PRIMITIVES[name].written(("v1", "v2", "v3")[: PRIMITIVES[name].arity], parameter) == text


def test_points_reach_the_extremes() -> None:
    sizes = [abs(x) for x in line(random.Random(0))]
    assert min(sizes) < 1e-299
    assert max(sizes) > 1e300


@pytest.mark.parametrize("x", [40.0, 60.0, 200.0, 700.0])
def test_a_slope_by_the_order_far_smaller_than_the_function_is_right(x: float) -> None:
    """∂I(ν, x)/∂ν at ν = 0 is -K(0, x), e^(-2x) of I(0, x) itself."""
    found = computed_partials(Case(PRIMITIVES["besseli_moving"], 0), (0.0, x))[0]
    with mpmath.workdps(40):
        assert abs(found + mpmath.besselk(0, x)) <= 2.0**-52 * mpmath.besselk(0, x)


def test_second_derivatives_by_the_order_at_whole_numbers() -> None:
    """K is even in its order, and I of a whole order too."""
    f = adlab.Function("besselk(v, x)", ["v", "x"])
    assert f.gradient([0.0, 2.0])[0] == 0.0
    g = adlab.Function("besseli(v, x)", ["v", "x"]).hessian([-10.0, 0.3])
    assert np.isfinite(g).all()
    assert g[0, 1] == pytest.approx(g[1, 0], rel=1e-14)


def test_zeta_at_whole_orders_from_0_down() -> None:
    """Trivial zeros are 0; and -s ζ(s + 1, a) has a limit at s = 0."""
    zeta = adlab.Function("zeta(s)")
    assert [zeta([s]) for s in (-2.0, -4.0, -6.0)] == [0.0, 0.0, 0.0]
    assert [zeta([s]) for s in (0.0, -1.0)] == [-0.5, -1 / 12]
    hurwitz = adlab.Function("zeta(s, a)", ["s", "a"])
    assert hurwitz.gradient([0.0, 2.0])[1] == -1.0
    assert hurwitz.gradient([0.0, 2.0])[0] == pytest.approx(math.lgamma(2) - math.log(2 * math.pi) / 2, rel=1e-15)


def test_where_only_the_computation_ends_that_is_said() -> None:
    beyond = adlab.Function("besselj(n, x)")([150.0, 3.0])  # order 150 is out of the reach of the floats
    assert beyond == pytest.approx(4.47016809776471e-237, rel=1e-13)
    assert adlab.Function("zeta(s)")([150.0]) == 1.0
