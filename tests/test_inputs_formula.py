"""What may be given as a formula and its variables, and what is refused, at once and in one sentence."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

import adlab
from adlab.errors import ReadingWarning
from adlab.inputs import read
from adlab.text.traversal import natural_key

x, y, z = sympy.symbols("x y z", real=True)
plain = sympy.Symbol("x")


def deep(depth: int = 50_000) -> sympy.Expr:
    level: Any = x
    for _ in range(depth):
        level = sympy.sin(level, evaluate=False)
    return level


def label(given: Any) -> str:
    """Its name in the list of tests, the same on every run."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(given))


def wide(depth: int = 200) -> sympy.Expr:
    """2^depth nodes as a tree."""
    level: Any = x
    for _ in range(depth):
        level = sympy.Add(level, sympy.Mul(level, y, evaluate=False), evaluate=False)
    return level


@pytest.mark.parametrize(("given", "m"), [
    ("x*y", 1), (x * y, 1), (["x", "y", "x*y"], 3), ((x, y), 2), (sympy.Tuple(x, y), 2), (sympy.Matrix([x, y, x * y]), 3),
    (sympy.Matrix([[x, y], [y, x]]), 4), (["x*y", x + y], 2), (3, 1), (0.5, 1), (Fraction(1, 3), 1), (np.float64(2), 1), (np.int64(3), 1),  # noqa: E501
    (sympy.Integer(7), 1), (sympy.pi, 1), ([x], 1),
], ids=str)  # fmt: skip
def test_a_formula_is_a_text_an_expression_a_number_or_a_sequence_of_them(given: Any, m: int) -> None:
    f = adlab.Function(given)
    assert f.m == m
    value = f(np.arange(1.0, f.n + 1))
    assert np.shape(value) == (() if f.scalar else (m,))
    assert f.scalar == (not isinstance(given, (list, tuple, sympy.Tuple, sympy.MatrixBase)))


def test_numbers_are_the_numbers_they_are() -> None:
    assert adlab.Function(Fraction(1, 3))([]) == 1 / 3
    assert adlab.Function(0.1)([]) == 0.1
    assert adlab.Function(10**20 + 1).outputs == (sympy.Integer(10**20 + 1),)


@pytest.mark.parametrize("given", [
    None, True, {"x": 1}, b"x", {x}, object(), lambda x: x, 1j, sympy.Eq(x, y), x < y, sympy.true, [None], [x, "x", 1j],
    range(0), [], (),
], ids=label)  # fmt: skip
def test_what_is_no_formula_is_refused(given: Any) -> None:
    said = r"a formula is a text, a SymPy expression or a sequence|at least one output|needs an example"
    with pytest.raises(adlab.OptionError, match=said):
        adlab.Function(given)


@pytest.mark.parametrize("given", ["", "x +", "x y", "f(", "x < y", ["x", "y*"]], ids=str)
def test_a_text_that_is_no_formula_is_a_parse_error(given: Any) -> None:
    with pytest.raises(adlab.ParseError, match="column"):
        adlab.Function(given)


# --- variables ----------------------------------------------------------------------------------------------------


def test_variables_stand_in_natural_order_by_default() -> None:
    assert adlab.Function("x10 + x9 + x1 + b + a2").names == ["a2", "b", "x1", "x9", "x10"]
    assert adlab.Function(["y", "x"]).names == ["x", "y"]


@pytest.mark.parametrize("variables", [
    ["y", "x"], [y, x], [y, "x"], ("y", "x"), iter(["y", "x"]), {"y": 0, "x": 0}, sympy.Tuple(y, x),
], ids=label)  # fmt: skip
def test_variables_by_name_or_symbol_in_the_order_given(variables: Any) -> None:
    f = adlab.Function(x - 2 * y, variables=variables)
    assert f.names == ["y", "x"]
    assert f([1, 5]) == 3.0
    assert f.gradient([1, 5]).tolist() == [-2.0, 1.0]


def test_one_variable_may_be_given_bare() -> None:
    assert adlab.Function("x**2", "x").names == adlab.Function(x**2, x).names == ["x"]


def test_a_listed_variable_that_does_not_occur_has_partial_zero() -> None:
    f = adlab.Function("x**2", ["y", "x", "z"])
    for mode in ("reverse", "forward"):
        assert f.gradient([7, 3, 7], mode).tolist() == [0.0, 6.0, 0.0]


def test_a_name_in_variables_is_a_variable_whatever_it_means_elsewhere() -> None:
    f = adlab.Function("pi*E + gamma", ["pi", "E", "gamma"])
    assert f([2, 3, 5]) == 11.0
    with pytest.warns(ReadingWarning, match="E is Euler's number"):
        assert adlab.Function("pi*E + gamma").names == ["gamma"]


@pytest.mark.parametrize("text", ["E*A/L", "1/(E - x)", "x**E", "x + E"])
def test_eulers_number_is_said_to_be_one_unless_the_point_names_it(text: str) -> None:
    """One rule, by every door: a value at the point makes it a variable; without one the reader is told what it is."""
    with pytest.warns(ReadingWarning, match="give it a value at the point"):
        f = adlab.Function(text)
    assert "E" not in f.names
    at = {name: 1.5 + k for k, name in enumerate([*f.names, "E"])}
    free = adlab.Function(text, sorted([*f.names, "E"], key=natural_key))
    assert adlab.gradient(text, at).tolist() == free.gradient(at).tolist()
    assert adlab.compare(text, at, ["reverse"], timed=False).function.names == free.names
    assert adlab.value(text, at) == adlab.value(free, at)


@pytest.mark.parametrize("text", ["E^x", "2*E**(-x)", "x + 1E5", "E", "Ex + x_E"])
def test_eulers_number_as_a_base_needs_no_word(text: str) -> None:
    adlab.Function(text)


REFUSED = {
    "holds y, not among the variables given (x)": ("x*y", ["x"]),
    "holds x, y": (x * y, []),
    "listed twice: x": (x, ["x", x]),
    "symbols or names, not 5": (x, 5),
    "symbols or names, not 1": (x, [1]),
    "symbols or names, not x*y": (x, [x * y]),
    "two different symbols are called `x` (assumptions none and real=True)": (plain * x, None),
    "two different symbols are called `x` (assumptions real=True and none)": (plain**2, [x]),
    "`i` is declared imaginary=True": (sympy.Symbol("i", imaginary=True) ** 2, None),
    "`A` is declared commutative=False": (sympy.Symbol("A", commutative=False), None),
    "cannot name a variable": ("x", ["2x"]),
}  # fmt: skip


@pytest.mark.parametrize(("said", "given"), list(REFUSED.items()), ids=list(REFUSED))
def test_variables_that_do_not_fit_are_refused(said: str, given: Any) -> None:
    with pytest.raises(adlab.VariableError) as caught:
        adlab.Function(*given)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_dummies_of_one_name_are_told_apart() -> None:
    with pytest.raises(adlab.VariableError, match="`x`"):
        adlab.Function(sympy.Dummy("x") * sympy.Dummy("x"))


def test_equal_symbols_are_one_variable() -> None:
    positive = sympy.Symbol("p", positive=True)
    assert adlab.Function(positive * sympy.Symbol("p", positive=True)).names == ["p"]


# --- size ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [deep, wide])
def test_neither_depth_nor_sharing_hangs_anything_a_user_meets(make: Any) -> None:
    """Reading, naming, refusing: no traversal of SymPy's has a part in it."""
    expression = make()
    f = adlab.Function(expression)
    assert len(repr(f)) < 200
    assert len(f.title) < 200
    assert f.n == len(f.variables)
    with pytest.raises(adlab.VariableError):
        adlab.Function(expression, ["z"])
    with pytest.raises(adlab.VariableError):
        adlab.Function(x, [expression])
    with pytest.raises(adlab.OptionError):
        adlab.Function(sympy.Eq(expression, y, evaluate=False))
    unknown = sympy.Function("mystery")(expression)
    with pytest.raises(adlab.UnsupportedExpression, match="mystery") as caught:
        len(adlab.Function(unknown).graph)
    assert len(str(caught.value)) < 300


def test_read_says_whether_one_expression_was_given() -> None:
    assert read("x", None) == ((x,), (x,), (), [x])
    assert read(["x"], None) == ((x,), (x,), (1,), [x])
