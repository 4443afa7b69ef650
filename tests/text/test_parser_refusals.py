"""What is no formula: refused with the column, the reason, and what to write instead."""

from __future__ import annotations

import pickle
import random
import re

import pytest
import sympy

from adlab.errors import OptionError, ParseError, VariableError
from adlab.text.parser import MAX_CHARACTERS, MAX_NESTING, nearest, parse
from adlab.text.vocabulary import MAX_ARGUMENTS

x = sympy.Symbol("x", real=True)

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
    ("Sin(x)", 1, "`Sin` is not a function here: write `sin(…)`"),
    ("EXP(x)", 1, "write `exp(…)`"),
    ("arcsine(x)", 1, "the nearest is `arcsin`"),
    ("lambertw(x)", 1, "write `LambertW(…)`"),
    ("tan^(-1)(x)", 1, "write `tan(x)^(-1)` for its power, or `atan(x)` for the inverse function"),
    ("sin^( 2 )(x)", 1, "write `sin(x)^2` for its power"),
    ("2*cos^3 x", 3, "write `cos(x)^3` for its power"),
    ("∫x", 1, "SymPy can integrate"),
    ("∑x", 1, "write the terms out"),
    ("def f(x): return x", 5, "`adlab.from_python` takes a Python function"),
    ("5 mod 3", 3, "write `Mod(a, b)`"),
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
    ("e^x", 1, "write `exp(…)` or `E^…` for the exponential function"),
    ("1 + e**(-x/2)", 5, "write `exp(…)` or `E^…`"),
    ("2*PI*x", 3, "write `pi` for 3.14159…"),
    ("sin^2(x)", 1, "write `sin(x)^2` for its power"),
    ("sin²(x)", 1, "write `sin(x)^2` for its power"),
    ("sin^-1(x)", 1, "or `asin(x)` for the inverse function"),
    ("cos**n(x)", 1, "write `cos(x)^n`"),
    ("exp^x", 1, "write `exp(…)`"),
    ("2*sinx", 3, "write `sin(x)`, or list `sinx` among the variables"),
    ("sin2x", 1, "write `sin(2*x)`"),
    ("f(x) = x^2", 1, "write its right-hand side alone, `x^2`"),
    ("diff(x^2, x)", 1, "write the formula alone"),
    ("integrate(x, x)", 1, "build this with SymPy"),
    ("log_2(x)", 1, "write `log(x, 2)`"),
    ("3,5*x", 2, "write `3.5` for `3,5`"),
    ("sin(30°)", 7, "angles are in radians: write `30*pi/180`"),
    ("[x, x**2]", 1, 'give several as a list of texts, such as ["x", "x**2"]'),
    ("$x^2$", 1, "write the formula alone, without `$`"),
    ("² + x", 1, "an operand is missing before the exponent `²`"),
    ("if(x > 0, x, -x)", 1, "write `where(condition, a, b)`"),
    ("x + cbrt(-8)", 10, "write `real_root(x, 3)`"),
    ("where(x, x, -x)", 7, "`where` needs a condition here, not a number"),
    ("½", 1, "write `(1/2)` for `½`"),
    ("x^½", 3, "write `(1/2)` for `½`"),
    ("cosec(x)", 1, "write `csc(x)`"),
    ("Sin[x]", 4, "write `sin(x)` for Sin[x]"),
    ("x;y", 2, "give several as a list of texts"),
    ("x_{2}", 3, "write a subscript without braces"),
    ("sqr(x)", 1, "write `x^2`"),
    ("x.^2", 2, "write `^` for `.^`"),
    ("x.*y", 2, "write `*` for `.*`"),
    ("1,000*x", 2, "write `1000` for `1,000`"),
    ("max(1,000,000 x)", 15, "an operator is missing"),
    ("0x10*x", 2, "a number is written in decimal digits"),
    ("inf*x", 1, "every number in a formula is finite"),
    ("x + NaN", 5, "every number in a formula is finite"),
    ("∂x", 1, "write the formula alone"),
    ("d/dx x^2", 1, "write the formula alone"),
    ("df/dx", 1, "write the formula alone"),
    ("mean(x, y)", 1, "give adlab.from_python the code"),
    ("step(x)", 1, "write `Heaviside(x)`"),
    ("Φ(x)", 1, "write `erfc(-x/sqrt(2))/2`"),
    ("round(x)", 1, "write `floor(x + 1/2)`"),
    ("int(x)", 1, "write `floor(x)`"),
    ("atan(y, x)", 1, "write `atan2(y, x)`"),
    ("sin 2x", 5, "write `sin(2*x)`"),
    ("ln x_1", 4, "write `ln(x_1)`"),
    ("“x”", 1, "write names and numbers bare"),
    ("x’", 2, "write names and numbers bare"),
    ("x # twice", 3, "a formula has no comments"),
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
    ("10^500*"*3 + "x", 15, "more than 1000 digits"),
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
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)
    *_, excerpt, pointer = str(refused.value).splitlines()
    assert len(pointer) - len(pointer.rstrip("^")) == 1
    assert column > len(text) or excerpt[len(pointer) - 1] in (text[column - 1], " ")


@pytest.mark.parametrize("name", ["e", "PI", "sin", "sinx", "exp", "π", "E", "pi", "log_2"])
def test_a_listed_name_is_a_variable_whatever_it_looks_like(name):
    f = parse(f"{name}^x + 2*{name}", names=[name, "x"])
    assert sympy.Symbol(name, real=True) in f.free_symbols


@pytest.mark.parametrize("text", ["gamma^2*x", "1 - e^2", "e^2*x", "cost + tank", "beta^sin(x)", "e - x", "zeta(2)*x"])
def test_a_name_that_may_be_meant_is_one(text):
    parse(text)


def test_a_listed_variable_is_not_called():
    with pytest.raises(ParseError, match=re.escape("`gamma` is a variable here: write `gamma*(…)` for a product")):
        parse("gamma(x)", names=["gamma", "x"])


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("x" * (MAX_CHARACTERS + 1), MAX_CHARACTERS + 1),
        pytest.param("(" * (MAX_NESTING + 1), MAX_NESTING + 1, marks=pytest.mark.slow),
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
    near = {"cosine": "cos", "LOG": "log", "arctn": "arctan", "x": None, "q" * 1000: None}
    assert {name: nearest(name) for name in near} == near


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
