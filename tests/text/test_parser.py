"""What a text means, and what is kept as written."""

from __future__ import annotations

import math
import operator
import pickle
import random
import re
from fractions import Fraction

import mpmath
import pytest
import sympy
from corpora import every_row
from counting import calls
from sympy import Add, Integer, Mul, Pow, Rational, S, symbols

import adlab.primitives.table  # (the functions that the table tells the text of)
from adlab.text.parser import FUNCTIONS, Decimal, parse
from adlab.text.traversal import postorder
from adlab.text.unevaluated import MAX_CONSTANT_DIGITS, applied, flat
from adlab.text.vocabulary import NUMBER
from adlab.truth.meanings import FUNCTIONS as MEANT

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
    "log2": lambda v: mpmath.log(v, 2), "exp2": lambda v: 2**v, "log1p": mpmath.log1p, "expm1": mpmath.expm1,
    "logaddexp": lambda v, w: mpmath.log(mpmath.exp(v) + mpmath.exp(w)), "logsumexp": lambda v: v,
    "sigmoid": lambda v: 1 / (1 + mpmath.exp(-v)), "softplus": lambda v: mpmath.log1p(mpmath.exp(v)),
    "relu": lambda v: v, "norm": lambda v: v,
    "sinc": mpmath.sinc, "atan2": mpmath.atan2, "Abs": abs, "sign": mpmath.sign,
    "floor": mpmath.floor, "ceiling": mpmath.ceil, "Mod": operator.mod, "Min": min, "Max": max,
    "Heaviside": lambda v, at_zero=0.5: 1 if v > 0 else at_zero if v == 0 else 0,
    "erf": mpmath.erf, "erfc": mpmath.erfc, "erfi": mpmath.erfi, "erfinv": mpmath.erfinv,
    "erfcinv": lambda v: mpmath.erfinv(1 - v), "gamma": mpmath.gamma, "loggamma": mpmath.loggamma,
    "digamma": mpmath.digamma, "trigamma": lambda v: mpmath.psi(1, v), "polygamma": mpmath.psi,
    "uppergamma": mpmath.gammainc, "lowergamma": lambda s, v: mpmath.gammainc(s, 0, v), "beta": mpmath.beta,
    "factorial": mpmath.factorial, "harmonic": mpmath.harmonic, "zeta": mpmath.zeta, "polylog": mpmath.polylog,
    "RisingFactorial": mpmath.rf, "FallingFactorial": mpmath.ff, "dirichlet_eta": mpmath.altzeta, "legendre": mpmath.legendre,
    "chebyshevt": mpmath.chebyt, "chebyshevu": mpmath.chebyu, "hermite": mpmath.hermite,
    "laguerre": lambda n, v: mpmath.laguerre(n, 0, v), "gegenbauer": mpmath.gegenbauer,
    "LambertW": mpmath.lambertw, "fresnels": mpmath.fresnels, "fresnelc": mpmath.fresnelc, "Si": mpmath.si,
    "Ci": mpmath.ci, "Shi": mpmath.shi, "Chi": mpmath.chi, "Ei": mpmath.ei, "li": mpmath.li, "expint": mpmath.expint,
    "besselj": mpmath.besselj, "bessely": mpmath.bessely, "besseli": mpmath.besseli, "besselk": mpmath.besselk,
    **{name: getattr(mpmath, name) for name in FUNCTIONS if re.fullmatch("a?(sin|cos|tan|sec|csc|cot)h?", name)},
}  # fmt: skip
ALIASES = {"ln": "log", "lgamma": "loggamma", "abs": "Abs", "ceil": "ceiling", "min": "Min", "max": "Max",
           "lg": "log10", "tg": "tan", "ctg": "cot", "arctg": "atan", "expit": "sigmoid",
           "rf": "RisingFactorial", "ff": "FallingFactorial"}  # fmt: skip
RELATIONS = {"Lt", "Le", "Gt", "Ge", "Eq", "Ne"}
NUMERIC = [name for name, signature in FUNCTIONS.items() if signature.takes == NUMBER and name not in RELATIONS]


@pytest.mark.parametrize("name", NUMERIC)
def test_a_function_means_what_mpmath_computes(name):
    spelling = ALIASES.get(name, name.replace("arc", "a"))
    first = "0.3" if name.endswith("pi") else "3"  # beyond 1 the integrand of Π has a pole
    inside = "1.5" if spelling in ("asec", "acsc", "acosh", "acoth") else "0.75"
    two = [inside, "3"] if "root" in name else [first, inside]
    arguments = {1: [inside], 2: two, 3: ["3", "2", inside]}[FUNCTIONS[name].least]
    parsed = parse(f"{name}({', '.join(arguments)})")
    meaning = MEANINGS.get(spelling) or MEANT[parsed.func]  # the truth's, of what only the table spells
    expected = mpmath.mpmathify(meaning(*map(mpmath.mpf, arguments)))
    got = parsed.doit().rewrite(sympy.erfinv).evalf(20)
    assert mpmath.almosteq(mpmath.mpf(got), expected.real, rel_eps=1e-14)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("where(2 > 3, 1, 5)", 5), ("2*π", 6.283185307179586), ("2² × 3 − 6÷4", 10.5), ("-2²", -4), ("2^-1²", 0.5), ("4⁻¹", 0.25),
        ("log(8, 2)", 3), ("root(2.25, 2)", 1.5), ("real_root(-8, 3)", -2), ("real_root(16, 4)", 2),
        ("Heaviside(0)", 0.5), ("Heaviside(0, 1)", 1), ("harmonic(3, 2)", 49 / 36), ("Max(1, 3, 2)", 3),
        ("Piecewise((1, 2 > 3), (5, True))", 5), ("Piecewise((1, And(2 < 3, Not(1 >= 2))), (5, True))", 1),
        ("Piecewise((1, Or(1 == 2, Ne(3, 3))), (7, Le(2, 2)))", 7), ("E^2", math.exp(2)), ("pi", math.pi),
    ],
)  # fmt: skip
def test_the_other_forms_mean_what_they_say(text, meaning):
    assert float(parse(text).doit()) == pytest.approx(meaning, rel=1e-15)


@pytest.mark.parametrize("family", ["legendre", "chebyshevt", "chebyshevu", "hermite", "laguerre", "gegenbauer"])
def test_a_polynomial_of_high_degree_keeps_its_digits_where_it_oscillates(family):
    """Powers of x keep 6 of them near 1. Beside the largest |p| around, since a root has no relative error."""
    meaning, extra = MEANINGS[family], "" if family != "gegenbauer" else "0.5, "
    constants = [0.5] if extra else []
    f = adlab.Function(f"{family}(30, {extra}x)")
    points = [0.31, 0.9, 0.99] if family not in ("hermite", "laguerre") else [1.5, 5.0, 6.0]
    for x in points:
        with mpmath.workdps(40):
            nearby = [meaning(30, *constants, mpmath.mpf(x + k / 50)) for k in range(-3, 4)]
            true = meaning(30, *constants, mpmath.mpf(x))
        assert abs(f(x) - true) < 1e-13 * max(map(abs, nearby)), x


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
        ("x/2", mul(x, pow_(2, -1))),
        ("2*x/3", mul(2, x, pow_(3, -1))),
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
    assert parse("0.5*2*x").args == (Decimal("0.5"), 2, x)
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
    assert parse("(2/3)^5*x/2^10").args == (Rational(2, 3) ** 5, x, pow_(2**10, -1))
    assert parse("8" + "*2" * 3000) == 2**3003
    assert str(adlab.Function("8" + "*2/2" * 2000 + "*x").graph) == "v1 = 8*x"


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", re.findall(r"\w+", "lambda if I S Q gamma beta E_n zoo oo None x_1 _ θ x₁ e j"))
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
def test_the_work_is_linear(shape):
    few, many = (SHAPES[shape](n) for n in (200, 2_000))
    parse(few)  # what is made once and kept
    assert calls(lambda: parse(many)) < 11 * calls(lambda: parse(few))  # 10 if linear, 100 if quadratic




def test_every_formula_of_the_corpora_parses():
    for row in every_row():
        variables = row.get("variables") or row["vars"]
        found = {node.name for node in postorder([parse(row["expr"], variables)]) if node.is_Symbol}
        assert found <= set(variables), row["id"]
