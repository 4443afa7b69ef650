"""Lowering: a SymPy expression and its graph are the same function, and the graph is the formula as written."""

from __future__ import annotations

import math
import random
import sys
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy
from shares import share
from sympy import Add, E, Eq, I, Integer, Mul, Piecewise, Pow, Rational, Symbol, oo, pi

from adlab import gallery
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.errors import AdlabError, UnsupportedExpression, VariableError
from adlab.graph.graph import Graph
from adlab.graph.lowering import lower
from adlab.primitives.primitive import exact_sympy
from adlab.primitives.table import PRIMITIVES
from adlab.text.parser import parse
from adlab.text.unevaluated import applied

x, y, z = sympy.symbols("x y z", real=True)


def lines(expression: Any, *variables: Symbol) -> list[str]:
    return str(lower([expression], variables or [x, y, z]).check()).splitlines()


def number(expression: Any, **point: float) -> float:
    graph = lower([expression], [Symbol(name, real=True) for name in point]).check()
    return evaluate(graph, list(point.values()), FLOATS)[graph.outputs[0]]


def written(text: str) -> list[str]:
    return lines(parse(text))


# --- the graph is the formula as written -------------------------------------------------------------------------


def test_the_worked_example_is_six_operations_in_order() -> None:
    expected = ["v1 = x1 + x2", "v2 = v1**2", "v3 = x1*x2", "v4 = sin(v3)", "v5 = v2 + v4", "v6 = log(v5)"]
    x1, x2 = sympy.symbols("x1 x2", real=True)
    assert lines(parse("log((x1 + x2)**2 + sin(x1*x2))"), x1, x2) == expected
    assert lines(sympy.log((x1 + x2) ** 2 + sympy.sin(x1 * x2)), x1, x2) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x - y", ["v1 = x - y"]),
        ("-x", ["v1 = -x"]),
        ("-x - y", ["v1 = -x", "v2 = v1 - y"]),
        ("x/y", ["v1 = x/y"]),
        ("1/x", ["v1 = 1/x"]),
        ("x/(y*z)", ["v1 = y*z", "v2 = x/v1"]),
        ("x/y/z", ["v1 = x/y", "v2 = v1/z"]),
        ("x*y**-2", ["v1 = y**2", "v2 = 1/v1", "v3 = x*v2"]),
        ("sqrt(x)", ["v1 = sqrt(x)"]),
        ("1/sqrt(x)", ["v1 = sqrt(x)", "v2 = 1/v1"]),
        ("x**(1/3)", ["v1 = cbrt(x)"]),
        ("x**(2/3)", ["v1 = x**(2/3)"]),
        ("x**3", ["v1 = x**3"]),
        ("x**-3", ["v1 = x**3", "v2 = 1/v1"]),
        ("x**y", ["v1 = x**y"]),
        ("E**x", ["v1 = exp(x)"]),
        ("-2*x", ["v1 = (-2)*x"]),
        ("x - 2*y", ["v1 = 2*y", "v2 = x - v1"]),
        ("x/3", ["v1 = x/3"]),
        ("2*x/3", ["v1 = 2*x", "v2 = v1/3"]),
        ("x*(3/4)", ["v1 = x*(3/4)"]),
        ("2 + x + 3", ["v1 = 2 + x", "v2 = v1 + 3"]),
        ("2 + 3 + x", ["v1 = 5 + x"]),
        ("x - 1", ["v1 = x - 1"]),
        ("1 - x", ["v1 = 1 - x"]),
        ("0.10*x", ["v1 = 0.10*x"]),
        ("pi*x", ["v1 = pi*x"]),
    ],
)
def test_what_is_written_as_one_operation_is_one(text: str, expected: list[str]) -> None:
    assert written(text) == expected


def test_sympys_own_forms_are_undone() -> None:
    """a - b is Add(a, Mul(-1, b)), a/b is Mul(a, Pow(b, -1)), sqrt is Pow(a, 1/2)."""
    assert lines(x - y) == ["v1 = x - y"]
    assert lines(x / y) == ["v1 = x/y"]
    assert lines(x / sympy.sqrt(y)) == ["v1 = sqrt(y)", "v2 = x/v1"]
    assert lines(-2 * x) == ["v1 = x*(-2)"]
    assert lines(x - 3 * y * z) == ["v1 = y*z", "v2 = v1*3", "v3 = x - v2"]


def test_a_subtracted_term_that_is_used_elsewhere_too_keeps_its_sign() -> None:
    term = Mul(Integer(-3), x, evaluate=False)
    expression = Add(y, term, sympy.sin(term), evaluate=False)
    assert number(expression, x=2.0, y=1.0) == pytest.approx(1 - 6 + math.sin(-6))


def test_what_occurs_twice_is_computed_once() -> None:
    assert len(lower([parse("sin(x*y) + cos(x*y) + x*y")], [x, y]).operations) == 5
    assert len(lower([sympy.sin(x), sympy.sin(x) * y], [x, y]).operations) == 2


def test_several_outputs_and_idle_inputs() -> None:
    graph = lower([x, x + y, Integer(3)], [x, y, z]).check()
    assert evaluate(graph, [1.0, 2.0, 9.0], FLOATS)[graph.outputs[1]] == 3
    assert [graph.names[output] for output in graph.outputs] == ["x", "v1", "3"]
    assert graph.inputs == ("x", "y", "z")


# --- constants stay exact ----------------------------------------------------------------------------------------


def constants(graph: Graph) -> list[Any]:
    return [node.parameter for node in graph.nodes if node.primitive.name == "constant"]


def test_constants_are_exact_until_an_arithmetic_wants_them() -> None:
    graph = lower([pi * x + E * y + Rational(1, 7) * z + sympy.EulerGamma], [x, y, z])
    found = constants(graph)
    assert {pi, E, sympy.EulerGamma} <= {value for value in found if isinstance(value, sympy.Basic)}
    assert 7 in found
    with mpmath.workdps(50):
        exactly = mpmath.mpf(2) * mpmath.pi + 3 * mpmath.e + mpmath.mpf(5) / 7 + mpmath.euler
        assert abs(_walk_mpmath(graph, [2, 3, 5]) - exactly) < mpmath.mpf(10) ** -47


def test_literals_fold_exactly_and_decimals_are_the_binary64_they_are() -> None:
    assert constants(lower([x * Rational(1, 3) * Rational(1, 7)], [x])) == [21]
    assert constants(lower([parse("2**70 + 1 + x")], [x])) == [2**70 + 1]
    assert constants(lower([parse("x + 0.1")], [x])) == [0.1]
    assert constants(lower([parse("x**0.1")], [x])) == []
    assert lower([parse("x**0.1")], [x]).nodes[-1].parameter == 0.1
    assert Fraction(constants(lower([parse("3*0.1*x")], [x]))[0]) == 3 * Fraction(0.1)


def test_a_float_of_more_digits_than_binary64_stays_exact() -> None:
    third = sympy.Float("0.333333333333333333333333333333", 30)
    (found,) = constants(lower([x + third], [x]))
    assert abs(Fraction(found) - Fraction(1, 3)) < Fraction(1, 10**29)


def test_constants_too_long_to_be_kept_stay_operations() -> None:
    graph = lower([Mul(x, Pow(Integer(3), Integer(10**5), evaluate=False), evaluate=False)], [x])
    assert graph.counts() == {"powi": 1, "mul": 1}


# --- any depth, any sharing --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_chain_100000_deep_lowers_under_the_default_recursion_limit() -> None:
    function = gallery.chain(50_000)
    assert sys.getrecursionlimit() <= 3000
    graph = lower(function.outputs, function.variables).check()
    assert len(graph.operations) >= 100_000
    assert len(str(graph)) < 20_000


@pytest.mark.parametrize("form", ["written", "evaluated"])
def test_the_logistic_map_is_linear_in_its_depth(form: Any) -> None:
    """Although SymPy flattens the evaluated nest into one product of n + 1 factors, whose tree has 2^n nodes."""
    counts = [len(gallery.logistic_map(n, form=form).graph.operations) for n in (2, 10, 20, 50)]
    steps = [(b - a) / (m - n) for a, b, n, m in zip(counts, counts[1:], (2, 10, 20), (10, 20, 50), strict=False)]
    assert max(steps) <= 4
    assert steps[0] == pytest.approx(steps[-1], abs=0.5)


@pytest.mark.parametrize("make", [gallery.logistic_map, gallery.speelpenning])
def test_both_forms_of_the_gallery_lower_to_equal_values(make: Any) -> None:
    for n in (2, 5, 9):
        one, other = make(n), make(n, form="evaluated")
        assert one(one.point) == pytest.approx(other(other.point), rel=1e-13)


SAMPLES = ["baydin", "squire_trapp", "switched", "worked_example", "rosenbrock", "helmholtz", "bundle_adjustment"]


@pytest.mark.parametrize("name", SAMPLES)
def test_what_sympy_makes_of_a_gallery_function_has_the_same_value(name: str) -> None:
    function = getattr(gallery, name)()
    letters = {symbol: Symbol(f"t_{symbol.name}", real=True) for symbol in function.variables}
    evaluated = [expression.xreplace(letters).doit() for expression in function.outputs]
    graph = lower(evaluated, list(letters.values())).check()
    values = evaluate(graph, [float(value) for value in function.point], FLOATS)
    expected = function(function.point)
    found = [values[output] for output in graph.outputs]
    assert found == pytest.approx([expected] if function.m == 1 else list(expected), rel=1e-12)


# --- the graph and the expression are one function ---------------------------------------------------------------


def _walk_mpmath(graph: Graph, point: list[Any]) -> Any:
    """The graph under mpmath numbers, by the SymPy form of each operation: no number of the table takes part."""
    values = [mpmath.mpf(value) for value in point]
    for primitive, operands, parameter in graph.nodes[len(values) :]:
        if not operands:
            values.append(sympy.lambdify([], exact_sympy(parameter), "mpmath")())
            continue
        letters = sympy.symbols(f"a:{len(operands)}")
        given = [] if parameter is None else [exact_sympy(parameter)]
        form = sympy.lambdify(letters, primitive.form(*letters, *given), "mpmath")
        values.append(form(*(values[operand] for operand in operands)))
    return values[graph.outputs[0]]


def directly(expression: Any, point: dict[Symbol, Any]) -> Any:
    """A small expression under mpmath numbers, by recursion. (SymPy's own lambdify misprints unevaluated powers.)"""
    if not expression.args:
        return point[expression] if expression.is_Symbol else mpmath.mpf(1) * sympy.lambdify([], expression, "mpmath")()
    operands = [directly(argument, point) for argument in expression.args]
    if isinstance(expression, Add):
        return mpmath.fsum(operands)
    if isinstance(expression, Mul):
        return mpmath.fprod(operands)
    if isinstance(expression, Pow):
        return operands[0] ** operands[1]
    name = expression.func.__name__
    return abs(operands[0]) if name == "Abs" else getattr(mpmath, name)(*operands)


UNARY = [sympy.sin, sympy.cos, sympy.exp, sympy.atan, sympy.tanh, sympy.asinh, sympy.Abs, sympy.erf, sympy.sinh]
NUMBERS = [Integer(-2), Integer(3), Rational(-1, 3), Rational(5, 4), pi, sympy.Float(0.1), Integer(0), Integer(1)]


def random_expression(r: random.Random, depth: int, evaluated: bool) -> Any:
    if depth == 0:
        return r.choice([x, y, z, x, y, z, r.choice(NUMBERS)])
    kind = r.randrange(6)
    if kind == 0:
        return r.choice(UNARY)(random_expression(r, depth - 1, evaluated), evaluate=evaluated)
    if kind == 1:
        return Pow(random_expression(r, depth - 1, evaluated), Integer(r.choice([2, 3, -1, -2])), evaluate=evaluated)
    if kind == 2:
        positive = 2 + sympy.cos(random_expression(r, depth - 1, evaluated))
        return Pow(positive, r.choice([x, Rational(-1, 2), Rational(2, 3)]), evaluate=evaluated)
    parts = [random_expression(r, depth - 1, evaluated) for _ in range(r.choice([2, 2, 3]))]
    if kind == 3:
        parts[0] = Mul(Integer(-1), parts[0], evaluate=evaluated)
    return (Mul if kind == 4 else Add)(*parts, evaluate=evaluated)


@pytest.mark.parametrize("evaluated", [True, False])
@pytest.mark.parametrize("seed", share(range(60)))
def test_the_graph_of_a_random_expression_has_its_value(seed: int, evaluated: bool) -> None:
    r = random.Random(seed)
    expression = random_expression(r, 4, evaluated)
    if expression.has(sympy.nan, sympy.zoo):  # 0/0 and 1/0, found by SymPy already
        return
    point = [r.uniform(-2, 2) for _ in range(3)]
    with mpmath.workdps(60):
        try:
            expected = directly(expression, dict(zip((x, y, z), map(mpmath.mpf, point), strict=True)))
        except ZeroDivisionError:
            return
        graph = lower([expression], [x, y, z]).check()
        found = _walk_mpmath(graph, point)
        assert abs(found - expected) <= abs(expected) * mpmath.mpf(10) ** -30 + mpmath.mpf(10) ** -40
    value = evaluate(graph, point, FLOATS)[graph.outputs[0]]
    if abs(expected) < 1e100:
        assert value == pytest.approx(float(expected), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", [name for name, p in PRIMITIVES.items() if p.arity == 1 and p.parameter_at is None])
def test_every_function_of_the_table_lowers_to_itself(name: str) -> None:
    primitive = PRIMITIVES[name]
    if name in ("powi", "powr", "neg", "sqrt", "cbrt") or not isinstance(primitive.head, type):
        return
    graph = lower([primitive.head(x, evaluate=False)], [x])
    assert [graph.nodes[i].primitive.name for i in graph.operations] == [name]


# --- branches, and what is made of others ------------------------------------------------------------------------


def test_a_branch_not_taken_may_be_undefined() -> None:
    expression = parse("Piecewise((sqrt(x), x > 0), (log(1 - x), True))")
    assert number(expression, x=4.0) == 2
    assert number(expression, x=0.0) == 0
    assert number(expression, x=-1.0) == math.log(2)


def test_a_piecewise_without_a_last_word_has_gaps() -> None:
    expression = parse("Piecewise((x, x > 1), (-x, x < -1))")
    assert number(expression, x=3.0) == 3
    assert number(expression, x=-3.0) == 3
    assert math.isnan(number(expression, x=0.0))


def test_the_first_condition_that_holds_decides() -> None:
    expression = parse("Piecewise((1, x < 2), (2, x < 3), (3, And(x >= 3, Or(x < 4, x == 5))), (4, True))")
    assert [number(expression, x=value) for value in (1.0, 2.5, 3.5, 4.5, 5.0)] == [1, 2, 3, 4, 3]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (sympy.Max(x, y, 3), 3.0),
        (sympy.Min(x, y, z), -1.5),
        (sympy.Mod(x, y), 2.0 % -1.5),
        (sympy.floor(y) + sympy.ceiling(y) + sympy.frac(y), -2.5),
        (sympy.Heaviside(x) + sympy.Heaviside(z) + sympy.sign(y), 0.5),
        (sympy.factorial(x) + sympy.binomial(3, 1), 5.0),
        (sympy.harmonic(x, evaluate=False), 1.5),
        (sympy.sinc(x), math.sin(2) / 2),
        (sympy.sinc(z), 1.0),
        (sympy.zeta(3) + 0 * x, 1.2020569031595942),
        (sympy.digamma(x, evaluate=False), 0.42278433509846713),
        (sympy.polygamma(1, x), math.pi**2 / 6 - 1),
        (sympy.re(x) + sympy.conjugate(y) + sympy.im(x), 0.5),
        (Piecewise((1, Eq(x, 2)), (0, True)), 1.0),
    ],
)
def test_functions_mean_what_sympy_means(expression: Any, expected: float) -> None:
    assert number(expression, x=2.0, y=-1.5, z=0.0) == pytest.approx(expected, rel=1e-15)


def test_the_second_derivative_of_sinc_at_0_is_not_that_of_a_branch() -> None:
    """Were sinc a Piecewise with the branch 1 at 0, it would be 0."""
    from adlab.autodiff.programs import derivative

    twice = derivative(derivative(lower([sympy.sinc(x)], [x])))
    assert evaluate(twice, [0.0], FLOATS)[twice.outputs[0]] == pytest.approx(-1 / 3, rel=1e-15)


def test_an_order_may_be_a_constant_or_move() -> None:
    assert lower([sympy.besselj(2, x)], [x]).counts() == {"besselj": 1}
    assert lower([sympy.besselj(x, y)], [x, y]).counts() == {"besselj_moving": 1}
    assert lower([sympy.besselj(sympy.pi, x)], [x]).counts() == {"besselj_moving": 1}
    assert number(sympy.zeta(x), x=2.0) == pytest.approx(math.pi**2 / 6, rel=1e-15)


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "error", "sentence"),
    [
        (I * x, UnsupportedExpression, "imaginary unit"),
        (x + oo * y, UnsupportedExpression, "not a finite real number"),
        (Mul(x, sympy.nan, evaluate=False), UnsupportedExpression, "not a finite real number"),
        (sympy.Derivative(sympy.Function("f")(x), x), UnsupportedExpression, "no primitive for `Derivative`"),
        (sympy.Integral(sympy.sin(x**x), x), UnsupportedExpression, "no primitive for `Integral`"),
        (sympy.Function("gauss")(x), UnsupportedExpression, "no primitive for `gauss`"),
        (sympy.Symbol("w", real=True) + x, VariableError, "`w`"),
        (sympy.polygamma(x, y), UnsupportedExpression, "constant number"),
        (sympy.polygamma(Rational(1, 2), x), UnsupportedExpression, "no such order"),
        (sympy.zeta(1, x, evaluate=False), UnsupportedExpression, "no such order"),
        (sympy.harmonic(x, 2), UnsupportedExpression, "one argument"),
        (x ** (2**60), UnsupportedExpression, "2**53"),
        (sympy.LambertW(x, -1), UnsupportedExpression, "takes 1 operand, not 2"),
    ],
)
def test_what_cannot_be_lowered_is_refused(expression: Any, error: type[AdlabError], sentence: str) -> None:
    with pytest.raises(error, match=sentence.replace("*", r"\*")) as caught:
        lower([expression], [x, y])
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_an_error_about_a_huge_expression_stays_short() -> None:
    function = gallery.chain(5_000)
    with pytest.raises(UnsupportedExpression, match="no primitive for `f`") as caught:
        lower([applied(sympy.Function("f"), *function.outputs)], function.variables)
    assert len(str(caught.value)) < 300
