"""What a text means, what is kept as written, and what is refused where."""

from __future__ import annotations

import json
import math
import operator
import os
import pickle
import random
import re
import time
from fractions import Fraction
from pathlib import Path

import mpmath
import pytest
import sympy
from sympy import Add, Integer, Mul, Pow, Rational, S, symbols

from adlab.errors import OptionError, ParseError, VariableError
from adlab.expressions import postorder
from adlab.parsing import FUNCTIONS, MAX_CHARACTERS, MAX_NESTING, Decimal, nearest, parse
from adlab.vocabulary import MAX_ARGUMENTS, NUMBER
from adlab.written import MAX_CONSTANT_DIGITS, applied, flat

a, b, c, x, y, z = symbols("a b c x y z", real=True)
HALF = S.Half
POINT = {"x": Fraction(3, 7), "y": Fraction(-2), "n": Fraction(3), "lambda_": Fraction(5, 4)}


# --- the meaning, against Python's own reading in exact arithmetic -------------------------------------------------


def random_formula(rng, depth):
    """A formula with few parentheses, so that precedence and association decide its meaning."""
    if depth == 0:
        return rng.choice(["x", "y", "n", "lambda_", "2", "3", "10", "0.1", "1.50", ".25", "2e-1"])
    form = rng.choice(["{} + {}", "{}-{}", "{}*{}", "{}/ {}", "-{}", "+{}", "({})", "({})^{e}", "x**{e}", "2^{e}"])
    exponent = rng.choice(["2", "-1", "n", "-n", "2^2", "-2^1", "(n-1)", "+3", "--2"])
    return form.format(*(random_formula(rng, rng.randrange(depth)) for _ in range(2)), e=exponent)


def read_by_python(formula):
    """Python's meaning of the text, every literal and variable an exact fraction."""
    literal = r"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
    source = re.sub(literal, lambda found: f"Q('{found[0]}')", formula.replace("^", "**"))
    return eval(source, {"Q": exactly, **POINT})


def exactly(literal):
    return Fraction(int(literal)) if literal.isdigit() else Fraction(float(literal))


def value(expression):
    """The value at POINT in exact arithmetic."""
    values = {}
    for node in postorder([expression]):
        operands = [values[id(operand)] for operand in node.args]
        if node.is_Symbol:
            values[id(node)] = POINT[node.name]
        elif node.is_Rational:
            values[id(node)] = Fraction(node.p, node.q)
        elif isinstance(node, Decimal):
            values[id(node)] = Fraction(float(node))
        elif isinstance(node, Pow):
            values[id(node)] = operator.pow(*operands)
        else:
            values[id(node)] = sum(operands) if isinstance(node, Add) else math.prod(operands)
    return values[id(expression)]


def test_a_formula_means_what_python_reads():
    rng = random.Random(2)
    agreed = 0
    for _ in range(3000):
        formula = random_formula(rng, 5)
        try:
            expected = read_by_python(formula)
        except ZeroDivisionError:
            continue
        assert value(parse(formula)) == expected, formula
        agreed += 1
    assert agreed > 2500


MEANINGS = {
    "sqrt": mpmath.sqrt, "cbrt": mpmath.cbrt, "root": mpmath.root, "pow": mpmath.power, "hypot": mpmath.hypot,
    "real_root": lambda v, n: mpmath.root(v, n), "exp": mpmath.exp, "log": mpmath.log, "log10": mpmath.log10,
    "log2": lambda v: mpmath.log(v, 2), "sinc": mpmath.sinc, "atan2": mpmath.atan2, "Abs": abs, "sign": mpmath.sign,
    "floor": mpmath.floor, "ceiling": mpmath.ceil, "Mod": operator.mod, "Min": min, "Max": max,
    "Heaviside": lambda v, at_zero=0.5: 1 if v > 0 else at_zero if v == 0 else 0,
    "erf": mpmath.erf, "erfc": mpmath.erfc, "erfi": mpmath.erfi, "erfinv": mpmath.erfinv,
    "erfcinv": lambda v: mpmath.erfinv(1 - v), "gamma": mpmath.gamma, "loggamma": mpmath.loggamma,
    "digamma": mpmath.digamma, "trigamma": lambda v: mpmath.psi(1, v), "polygamma": mpmath.psi,
    "uppergamma": mpmath.gammainc, "lowergamma": lambda s, v: mpmath.gammainc(s, 0, v), "beta": mpmath.beta,
    "factorial": mpmath.factorial, "harmonic": mpmath.harmonic, "zeta": mpmath.zeta, "polylog": mpmath.polylog,
    "LambertW": mpmath.lambertw, "fresnels": mpmath.fresnels, "fresnelc": mpmath.fresnelc, "Si": mpmath.si,
    "Ci": mpmath.ci, "Shi": mpmath.shi, "Chi": mpmath.chi, "Ei": mpmath.ei, "li": mpmath.li, "expint": mpmath.expint,
    "besselj": mpmath.besselj, "bessely": mpmath.bessely, "besseli": mpmath.besseli, "besselk": mpmath.besselk,
    **{name: getattr(mpmath, name) for name in FUNCTIONS if re.fullmatch("a?(sin|cos|tan|sec|csc|cot)h?", name)},
}  # fmt: skip
ALIASES = {"ln": "log", "lgamma": "loggamma", "abs": "Abs", "ceil": "ceiling", "min": "Min", "max": "Max"}
RELATIONS = {"Lt", "Le", "Gt", "Ge", "Eq", "Ne"}
NUMERIC = [name for name, signature in FUNCTIONS.items() if signature.takes == NUMBER and name not in RELATIONS]


@pytest.mark.parametrize("name", NUMERIC)
def test_a_function_means_what_mpmath_computes(name):
    spelling = ALIASES.get(name, name.replace("arc", "a"))
    inside = "1.5" if spelling in ("asec", "acsc", "acosh", "acoth") else "0.75"
    arguments = {1: [inside], 2: [inside, "3"] if "root" in name else ["3", inside]}[FUNCTIONS[name].least]
    expected = MEANINGS[spelling](*map(mpmath.mpf, arguments))
    got = parse(f"{name}({', '.join(arguments)})").doit().rewrite(sympy.erfinv).evalf(20)
    assert mpmath.almosteq(mpmath.mpf(got), expected.real, rel_eps=1e-14)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("log(8, 2)", 3), ("root(2.25, 2)", 1.5), ("real_root(-8, 3)", -2), ("real_root(16, 4)", 2),
        ("Heaviside(0)", 0.5), ("Heaviside(0, 1)", 1), ("harmonic(3, 2)", 49 / 36), ("Max(1, 3, 2)", 3),
        ("Piecewise((1, 2 > 3), (5, True))", 5), ("Piecewise((1, And(2 < 3, Not(1 >= 2))), (5, True))", 1),
        ("Piecewise((1, Or(1 == 2, Ne(3, 3))), (7, Le(2, 2)))", 7), ("E^2", math.exp(2)), ("pi", math.pi),
    ],
)  # fmt: skip
def test_the_other_forms_mean_what_they_say(text, meaning):
    assert float(parse(text).doit()) == pytest.approx(meaning, rel=1e-15)


# --- kept as written ----------------------------------------------------------------------------------------------


def mul(*factors):
    return flat(Mul, [sympy.sympify(factor) for factor in factors])


def add(*terms):
    return flat(Add, [sympy.sympify(term) for term in terms])


def pow_(base, exponent):
    return flat(Pow, (sympy.sympify(base), sympy.sympify(exponent)))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("c + b - a", add(c, b, mul(-1, a))),
        ("a + (b + c)", add(a, add(b, c))),
        ("a - (b - c)", add(a, mul(-1, add(b, mul(-1, c))))),
        ("a - 3", add(a, -3)),
        ("a - 2*x", add(a, mul(-2, x))),
        ("a - 2*x*y", add(a, mul(-2, x, y))),
        ("a - x*y/z", add(a, mul(-1, x, y, pow_(z, -1)))),
        ("a - -x", add(a, x)),
        ("-x", mul(-1, x)),
        ("--x", x),
        ("-2*x", mul(-2, x)),
        ("-(2*x)", mul(-2, x)),
        ("-x*y", mul(-1, x, y)),
        ("x*-y", mul(-1, x, y)),
        ("-x^2", mul(-1, pow_(x, 2))),
        ("(-x)^2", pow_(mul(-1, x), 2)),
        ("z*y*x", mul(z, y, x)),
        ("(z*y)*x", mul(mul(z, y), x)),
        ("x*x", mul(x, x)),
        ("x + x", add(x, x)),
        ("0*x", mul(0, x)),
        ("1 + 2", add(1, 2)),
        ("2/3", Rational(2, 3)),
        ("-6/4", Rational(-3, 2)),
        ("1/2*x", mul(HALF, x)),
        ("x/2", mul(HALF, x)),
        ("2*x/3", mul(Rational(2, 3), x)),
        ("1/x", pow_(x, -1)),
        ("x/y", mul(x, pow_(y, -1))),
        ("x/-y", mul(-1, x, pow_(y, -1))),
        ("x/y^2", mul(x, pow_(y, -2))),
        ("x/sqrt(y)", mul(x, pow_(y, -HALF))),
        ("x/y^-2", mul(x, pow_(pow_(y, -2), -1))),
        ("x/(y*z)", mul(x, pow_(mul(y, z), -1))),
        ("x/y/z", mul(x, pow_(y, -1), pow_(z, -1))),
        ("x^-1", pow_(x, -1)),
        ("x^(1/2)", pow_(x, HALF)),
        ("x^y^z", pow_(x, pow_(y, z))),
        ("x^2^3", pow_(x, 8)),
        ("x^0", pow_(x, 0)),
        ("2^-3", Rational(1, 8)),
        ("(2/3)^2", Rational(4, 9)),
        ("0^0", S.One),
        ("sqrt(4)", pow_(4, HALF)),
        ("E^x", applied(sympy.exp, x)),
        ("exp(0)", applied(sympy.exp, S.Zero)),
        ("cbrt(x)", pow_(x, Rational(1, 3))),
        ("Abs(Abs(x))", applied(sympy.Abs, applied(sympy.Abs, x))),
    ],
)  # fmt: skip
def test_a_formula_is_built_as_written(text, written):
    assert parse(text) == written


def test_minimum_and_maximum_keep_the_order_of_their_arguments():
    assert parse("Max(z, 2, x, y)").args == (z, 2, x, y)
    assert parse("Min(z, z)").args == (z, z)


def test_a_condition_is_built_as_written():
    piece, last = parse("Piecewise((x, And(x >= 2, 1 < 0)), (y, True))").args
    assert piece.args[1].args == (sympy.Ge(x, 2, evaluate=False), sympy.Lt(1, 0, evaluate=False))
    assert last.args == (y, S.true)
    assert len(parse("Piecewise((x, x > 0))").args) == 1


def test_a_chain_is_one_flat_sum_or_product_in_written_order():
    names = [f"v{i}" for i in random.Random(1).sample(range(500), 200)]
    for joined, head in ((" + ".join(names), Add), ("*".join(names), Mul)):
        expression = parse(joined)
        assert type(expression) is head
        assert [str(operand) for operand in expression.args] == names


def test_the_same_is_built_while_sympy_does_not_evaluate():
    with sympy.evaluate(False):
        written = parse("2*x/3 - 2^3*y - 0.5")
    assert written == parse("2*x/3 - 2^3*y - 0.5")


# --- numbers ------------------------------------------------------------------------------------------------------


def test_a_decimal_is_its_nearest_binary64_exactly_and_prints_as_typed():
    rng = random.Random(3)
    for _ in range(300):
        number = rng.uniform(1, 10) * 10.0 ** rng.randrange(-300, 300)
        for typed in (repr(number), f"{number:.25e}", f"{number:.3E}"):
            decimal = parse(typed)
            assert isinstance(decimal, Decimal)
            assert Fraction(*map(int, mpmath.libmp.to_rational(decimal._mpf_))) == Fraction(float(typed))
            assert str(decimal) == typed
            assert sympy.pycode(decimal) == repr(float(typed))


@pytest.mark.parametrize(
    "text", ["0.10*x", "-0.50*x", "x**.5", "3.*x", "x + 1.2345678901234567", "1E-3**x", "x*(-1e3)"]
)
def test_a_formula_prints_its_decimals_as_typed(text):
    assert str(parse(text)) == text


def test_a_literal_sign_is_part_of_the_decimal():
    assert [parse(text).args[0] for text in ("-0.50*x", "-.5*x*y")] == [Decimal("-0.50"), Decimal("-.5")]
    assert parse("a - 0.50*x").args[1].args[0].text == "-0.50"
    assert parse("-0.0").text == "-0.0"


def test_decimals_do_not_fold():
    assert parse("0.5*2*x").args == (2, Decimal("0.5"), x)
    assert parse("0.1 + 0.2").args == (Decimal("0.1"), Decimal("0.2"))


def test_a_decimal_lives_on_in_sympy():
    tenth, expression = Decimal("0.10"), parse("0.10*x^2")
    assert tenth == sympy.Float(0.1)
    assert hash(tenth) == hash(sympy.Float(0.1))
    assert str(x * tenth + x**2 * Decimal("0.30")) == "0.30*x**2 + 0.10*x"
    assert sympy.diff(expression, x) == 0.2 * x
    assert sympy.lambdify(x, expression)(3.0) == 0.1 * 9.0
    assert pickle.loads(pickle.dumps(expression)).args[0].text == "0.10"
    assert sympy.latex(parse("1.50e-3*x")) == r"1.50 \cdot 10^{-3} x"
    assert sympy.srepr(tenth) == "Decimal('0.10')"


def test_integers_are_exact_up_to_the_limit():
    digits = "7" * MAX_CONSTANT_DIGITS
    assert parse(digits) == Integer(digits)
    assert parse("(2/3)^5*x/2^10").args[0] == Rational(2**5, 3**5 * 2**10)
    assert parse("x" + "*2/2" * 20_000) == x


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", re.findall(r"\w+", "lambda if I S Q gamma beta E_n zoo oo sin None x_1 _ θ x₁ π e j"))
def test_every_name_that_is_not_called_is_a_real_variable(name):
    symbol = sympy.Symbol(name, real=True)
    assert parse(name) == symbol
    assert parse(f"2*{name}^2 + 1", names=[name]).args[0].args == (2, pow_(symbol, 2))


def test_a_function_and_a_variable_may_share_a_name():
    assert parse("gamma*gamma(x)").args == (sympy.Symbol("gamma", real=True), applied(sympy.gamma, x))


def test_pi_and_e_are_numbers_unless_they_are_listed():
    assert parse("pi*E").args == (S.Pi, S.Exp1)
    for name in ("pi", "E", "True"):
        assert parse(name, names=[name]) == sympy.Symbol(name, real=True)
    assert isinstance(parse("E^x", names=["E"]), Pow)


def test_listed_symbols_are_used_as_they_are():
    positive = sympy.Symbol("x", positive=True)
    assert parse("x + y", names=(positive, "y")).args == (positive, y)
    assert parse("y", names={"unused": 1}) == y


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ([sympy.Symbol("x"), x], "`x` is listed twice, with different assumptions"),
        (["x", "x"], "`x` is listed twice"),
        (["x", 2], "a variable is a name or a Symbol, not int"),
        (["x'"], '"x\'" cannot name a variable'),
        (["2x"], "'2x' cannot name a variable"),
        (["x²"], "'x²' cannot name a variable"),
        ("xy", "given as a list of names or symbols, not as 'xy' alone"),
        (x, "given as a list of names or symbols, not as x alone"),
        (5, "given as a list of names or symbols, not as 5 alone"),
        ([sympy.Symbol("x", commutative=False)], "`x` does not commute"),
    ],
)
def test_names_that_are_none_are_refused(names, reason):
    with pytest.raises(VariableError, match=re.escape(reason)):
        parse("x", names=names)


@pytest.mark.parametrize("thing", [None, 3, b"x", x, ["x"]])
def test_a_formula_is_a_text(thing):
    with pytest.raises(OptionError, match=f"a formula is given as text \\(str\\), not as {type(thing).__name__}"):
        parse(thing)


# --- what is no formula -------------------------------------------------------------------------------------------

REFUSED = [
    ("", 1, "the formula is empty"),
    (" \n", 1, "the formula is empty"),
    ("x + ", 4, "the formula ends where an operand is missing"),
    ("sin(", 5, "the formula ends where an operand is missing"),
    ("a*(b + (c)", 3, "this `(` is never closed"),
    ("a + sin(b", 8, "this `(` is never closed"),
    ("(a))", 4, "this `)` closes nothing"),
    (")", 1, "this `)` closes nothing"),
    ("a + ()", 6, "nothing stands between these parentheses"),
    ("(a + )", 6, "an operand is missing before `)`"),
    ("sin(x,)", 7, "an operand is missing before `)`"),
    ("* x", 1, "an operand is missing before `*`"),
    ("a + * b", 5, "an operand is missing before `*`"),
    ("a *** b", 5, "an operand is missing before `*`"),
    ("2x", 2, "write `2*x` for a product"),
    ("2 x", 3, "write `2*x` for a product"),
    ("a b", 3, "write `a*b` for a product"),
    ("(a)(b)", 4, "write `)*(` for a product"),
    ("2 sin(x)", 3, "write `2*sin(` for a product"),
    ("2j", 2, "write `2*j` for a product"),
    ("1.2.3", 4, "a number has one point and no spaces"),
    ("1 000", 3, "a number has one point and no spaces"),
    ("1_000", 2, "write the digits without `_`"),
    ("sin x", 5, "write `sin(x)`"),
    ("y*x(1 + y)", 3, "unknown function `x`; write `x*(…)` for a product"),
    ("sine(x)", 1, "unknown function `sine`; the nearest is `sin`"),
    ("Sin(x)", 1, "the nearest is `sin`"),
    ("arcsine(x)", 1, "the nearest is `arcsin`"),
    ("lambertw(x)", 1, "the nearest is `LambertW`"),
    ("sin()", 1, "`sin` takes 1 argument, not 0"),
    ("y + sin(x, y)", 5, "`sin` takes 1 argument, not 2"),
    ("log(a, b, c)", 1, "`log` takes 1 or 2 arguments, not 3"),
    ("Max(x)", 1, "`Max` takes at least 2 arguments, not 1"),
    ("a, b", 2, "a comma stands only between the arguments of a function"),
    ("sin((a, b))", 7, "a comma stands only between the arguments of a function"),
    ("x = 1", 3, "a formula has no `=`"),
    ("x!", 2, "write `factorial(x)` for x!"),
    ("x[0]", 2, "write `x0` for x[0]"),
    ("{x}", 1, "write round parentheses"),
    ("2*np.sin(x)", 5, "a name has no dot: write `sin` alone"),
    ("x // 2", 3, "write `floor(a/b)`"),
    ("x % 2", 3, "write `Mod(a, b)`"),
    ("|x|", 1, "write `Abs(x)` for |x|"),
    ("f'", 2, "a name no prime"),
    ('"x"', 1, "a formula has no quotes"),
    ("$x", 1, "`$` is not an operator or a name"),
    ("x\n+\t?", 5, "`?` is not an operator or a name"),
    ("x + \x00", 5, "`U+0000` is not an operator or a name"),
    ("\\frac{1}{2}", 1, "not LaTeX"),
    ("a − b", 3, "write `-`"),
    ("xy²", 3, "write `^2` for `²`"),
    ("½", 1, "`½` is neither a letter nor a digit"),
    ("lambda x: x", 8, "without `lambda`"),
    ("a if b else c", 3, "write `Piecewise((a, condition), (b, True))`"),
    ("a/0", 3, "division by zero"),
    ("a/(b*2)/0.0", 9, "division by zero"),
    ("a*0^-1", 3, "division by zero"),
    ("root(x, 0)", 9, "division by zero"),
    ("9**9**9**9", 4, "more than 1000 digits"),
    ("10**10**10", 1, "more than 1000 digits"),
    ("2**100000000", 1, "more than 1000 digits"),
    ("pow(2, 10**9)", 5, "more than 1000 digits"),
    ("(1/2)^10000", 1, "more than 1000 digits"),
    ("x + " + "9" * 1001, 5, "a number has at most 1000 digits"),
    ("*".join(["10^500*x"] * 3), 19, "more than 1000 digits"),
    ("1e400", 1, "`1e400` overflows binary64"),
    ("x*1e-400", 3, "`1e-400` underflows binary64"),
    ("x > 1", 1, "a formula needs a number here, not a condition"),
    ("True", 1, "a formula needs a number here, not a condition"),
    ("1 + (x > 1)", 5, "`+` needs a number here, not a condition"),
    ("sin(x < 1)", 5, "`sin` needs a number here, not a condition"),
    ("Piecewise((x, 1 < x < 2))", 21, "comparisons do not chain: write `And(a < b, b < c)`"),
    ("Piecewise((x, y))", 15, "a piece needs a condition here, not a number"),
    ("Piecewise((x > 0, y > 0))", 12, "a piece needs a number here, not a condition"),
    ("Piecewise(x)", 11, "`Piecewise` needs a piece (value, condition) here, not a number"),
    ("Piecewise((x, y > 0, 1))", 20, "Piecewise takes pieces `(value, condition)`, not 3 values in one"),
    ("Piecewise(2*(x, y > 0))", 13, "`*` needs a number here, not a piece (value, condition)"),
    ("Piecewise((x, Not(y)))", 19, "`Not` needs a condition here, not a number"),
    ("Piecewise((x, a > 0 and b > 0))", 21, "write `And(a, b)`"),
    ("real_root(x, n)", 14, "the degree of `real_root` is a whole number from 2 up"),
    ("real_root(x, 1)", 14, "the degree of `real_root` is a whole number from 2 up"),
]


@pytest.mark.parametrize(("text", "column", "reason"), REFUSED, ids=[text[:20] for text, _, _ in REFUSED])
def test_what_is_no_formula_is_refused_with_column_and_reason(text, column, reason):
    with pytest.raises(ParseError, match=re.escape(reason)) as refused:
        parse(text)
    assert (refused.value.text, refused.value.column) == (text, column)
    *_, excerpt, pointer = str(refused.value).splitlines()
    assert len(pointer) - len(pointer.rstrip("^")) == 1
    assert column > len(text) or excerpt[len(pointer) - 1] in (text[column - 1], " ")


def test_a_listed_variable_is_not_called():
    with pytest.raises(ParseError, match=re.escape("`gamma` is a variable here: write `gamma*(…)` for a product")):
        parse("gamma(x)", names=["gamma", "x"])


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("x" * (MAX_CHARACTERS + 1), MAX_CHARACTERS + 1),
        ("(" * (MAX_NESTING + 1), MAX_NESTING + 1),
        ("Max(" + "x," * MAX_ARGUMENTS + "x)", 4 + 2 * MAX_ARGUMENTS),
    ],
    ids=["length", "nesting", "arguments"],
)
def test_limits_are_sentences(text, column):
    with pytest.raises(ParseError, match="at most") as refused:
        parse(text)
    assert refused.value.column == column


def test_whatever_is_typed_is_a_formula_or_a_sentence():
    rng = random.Random(4)
    words = re.findall(
        r"\S+", "x y sin( Max( Piecewise( ( ( ) ) ) , + - * / ^ ** < == 2 0 .5 1e9 pi E True $ ½ = root( ."
    )
    for _ in range(4000):
        text = "".join(rng.choice(words) + rng.choice(["", " "]) for _ in range(rng.randrange(1, 9)))
        try:
            column = 1 if isinstance(parse(text), sympy.Expr) else 0
        except ParseError as error:
            column = error.column
        assert 1 <= column <= len(text) + 1


def test_the_nearest_function_is_named_only_when_it_is_near():
    near = {"cosine": "cos", "LOG": "log", "arctg": "arctan", "x": None, "q" * 1000: None}
    assert {name: nearest(name) for name in near} == near


# --- size ---------------------------------------------------------------------------------------------------------

SHAPES = {
    "parentheses": lambda n: "(" * n + "x" + ")" * n,
    "functions": lambda n: "sin(" * n + "x" + ")" * n,
    "sum": lambda n: "+".join(["x"] * n),
    "differences": lambda n: "x" + "-x*y" * n,
    "product": lambda n: "*".join(["x"] * n),
    "powers": lambda n: "^".join(["x"] * n),
    "minuses": lambda n: "-" * n + "x",
    "negations of a product": lambda n: "-(" * n + "*".join("x" * n) + ")" * n,
    "Horner": lambda n: "(x*" * n + "x" + "+1)" * n,
}


@pytest.mark.parametrize("shape", ["parentheses", "functions", "sum", "minuses"])
def test_100_000_of_anything_parse(shape):
    parse(SHAPES[shape](100_000))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_time_is_linear(shape):
    def seconds(n):
        text = SHAPES[shape](n)
        started = time.process_time()
        parse(text)
        return time.process_time() - started

    few = min(seconds(2_000) for _ in range(3))
    assert min(seconds(20_000) for _ in range(2)) < 30 * few + 0.1  # 10 if linear, 100 if quadratic


CORPORA = Path(os.environ.get("ADLAB_CORPORA", Path(__file__).resolve().parents[1].parent / "shared" / "corpora"))


def test_every_formula_of_the_corpora_parses():
    rows = [json.loads(line) for file in sorted(CORPORA.glob("*.jsonl")) for line in file.read_text().splitlines()]
    if not rows:
        pytest.skip(f"no corpora in {CORPORA}: set ADLAB_CORPORA")
    for row in rows:
        variables = row.get("variables") or row["vars"]
        found = {node.name for node in postorder([parse(row["expr"], variables)]) if node.is_Symbol}
        assert found <= set(variables), row["id"]
