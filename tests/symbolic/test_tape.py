"""A tape gives back the very expression: its form, its sharing, every digit; and it knows no class but SymPy's own."""

from __future__ import annotations

from typing import Any

import pytest
import sympy
from random_expressions import random_expression
from sympy import And, Dummy, Float, Function, I, Integer, Max, Mul, Ne, Not, Or, Piecewise, Symbol, oo, sin

from adlab.errors import UnsupportedExpression
from adlab.symbolic.tape import Tape, TapeRow, record, replay
from adlab.symbolic.treesize import tree_nodes
from adlab.text.parser import parse
from adlab.text.unevaluated import applied, flat

x, y = sympy.symbols("x y", real=True)


def there_and_back(expression: Any) -> Any:
    (found,) = replay(Tape.from_json(record([expression]).to_json()))
    return found


@pytest.mark.parametrize("written", [False, True], ids=["evaluated", "written"])
def test_what_comes_back_is_what_was_recorded(written: bool) -> None:
    for seed in range(80):
        expression = random_expression(seed, written)
        if tree_nodes(expression) < 2000:
            found = there_and_back(expression)
            assert found == expression
            assert record([found]) == record([expression])


@pytest.mark.parametrize(
    "expression",
    [
        Piecewise((x, And(x > 0, y > 0)), (Max(x, y, 3), Or(x < -1, Not(y < 2))), (sympy.nan, True)),
        And(x < 1, y > 2, Ne(x, y)), sympy.Eq(x, y), oo * x, -oo + x, I * x, sympy.zoo, sympy.polygamma(1, x),
        sympy.Heaviside(x, 1), sympy.Mod(x, y), sympy.EulerGamma + sympy.pi * sympy.E, Dummy("a", positive=True) + x,
        Symbol("lambda", integer=True) ** 2, Float("0.1", 50) * x, Float(0.1) + x, Integer(10) ** 5000 * x,
        sympy.besselj(2, x), sympy.true, sympy.Tuple(x, 1),
    ],
    ids=lambda e: type(e).__name__,
)  # fmt: skip
def test_every_kind_of_node_comes_back(expression: Any) -> None:
    assert there_and_back(expression) == expression


def test_decimals_keep_how_they_were_typed() -> None:
    assert str(there_and_back(parse("0.10*x + 1e-3"))) == "0.10*x + 1e-3"


def test_symbols_keep_their_assumptions() -> None:
    plain, real = Symbol("s"), Symbol("s", real=True)
    assert there_and_back(plain) == plain != real == there_and_back(real)


def test_the_written_form_is_not_evaluated() -> None:
    unevaluated = Mul(x, Mul(2, x, evaluate=False), 3, evaluate=False)
    assert there_and_back(unevaluated).args == unevaluated.args


def test_what_was_shared_is_shared_and_recorded_once() -> None:
    level: Any = x
    for _ in range(60):
        level = flat(Mul, (applied(sin, level), level))
    tape = record([level, level])
    assert len(tape.rows) == 121
    first, second = replay(tape)
    assert first is second
    assert first.args[0].args[0] is first.args[1]


def test_depth_is_no_limit() -> None:
    level: Any = x
    for _ in range(10_000):
        level = applied(sin, level)
    assert record([there_and_back(level)]) == record([level])


@pytest.mark.parametrize(
    "foreign", [Function("f")(x), Symbol("A", commutative=False), sympy.Wild("w"), sympy.Derivative(sin(x), x)]
)
def test_what_is_not_a_formula_is_refused_by_name(foreign: Any) -> None:
    with pytest.raises(UnsupportedExpression, match=f"`{type(foreign).__name__}`"):
        record([foreign])


def test_a_tape_names_no_other_class() -> None:
    with pytest.raises(KeyError):
        replay(Tape([TapeRow("Popen", ())], [0]))
