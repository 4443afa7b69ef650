"""A text is computed as its author wrote it: the graph's value is Python's own, bit for bit."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import sympy
from shares import share

from adlab import Function, parse
from adlab.text.unevaluated import is_written

NAMES = ("a", "w", "x", "y")
LITERALS = ("1", "2", "3", "7", "49", "10", "0.1", "0.5", "2.5", "1e16", "1.0", "9007199254740993")


LONG = ("1", "2", "3", "6", "7", "0", "0.5", "1.0", "1e16", "1e22", "4503599627370497.5", "9007199254740993", "9007199254740995",
        "18014398509481987", "36028797018963971", "123456789012345678901")  # fmt: skip
"""Whole numbers that binary64 does not hold, and what decides when Python rounds them."""


def random_text(rng: random.Random, depth: int, literals: tuple[str, ...] = LITERALS) -> str:
    """A formula of operations that every machine rounds correctly."""
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(NAMES) if rng.random() < 0.6 else rng.choice(literals)
    kind = rng.random()
    if kind < 0.12:
        negative = f"-{random_text(rng, depth - 1, literals)}"
        return negative if rng.random() < 0.5 else f"({negative})"
    if kind < 0.2:
        return f"sqrt({random_text(rng, depth - 1, literals)})"
    if kind < 0.35:
        return f"({random_text(rng, depth - 1, literals)})"
    parts = [random_text(rng, depth - 1, literals)]
    for _ in range(rng.randint(1, 4)):
        parts += [rng.choice(["+", "-", "*", "/", "*", "/", " + ", " - "]), random_text(rng, depth - 1, literals)]
    return "".join(parts).replace("--", "-(-1)*")


def by_python(text: str, point: dict[str, float]) -> float | None:
    """What Python makes of the text; None where it has no finite value."""
    try:
        value = float(eval(text, {"sqrt": math.sqrt, "__builtins__": {}}, dict(point)))
    except (ArithmeticError, ValueError):
        return None
    return value if math.isfinite(value) else None


@pytest.mark.parametrize("literals", [LITERALS, LONG], ids=["short", "long"])
@pytest.mark.parametrize("seed", share(range(20), 5))
def test_the_value_of_a_text_is_pythons_own_bit_for_bit(seed: int, literals: tuple[str, ...]) -> None:
    rng = random.Random(seed)
    judged = 0
    while judged < (60 if literals is LITERALS else 400):
        text = random_text(rng, rng.choice((2, 3)), literals)
        point = {name: rng.choice([-1, 1, 1]) * 2 ** rng.uniform(-40, 40) for name in NAMES}
        expected = by_python(text, point)
        if expected is None:
            continue
        f = Function(text, NAMES)
        judged += 1
        assert f(point) == expected, (text, point, str(f.graph))
        if literals is LITERALS:
            assert Function(parse(text), NAMES)(point) == expected


@pytest.mark.parametrize("text", [
    "-(10)-(1e16) - 9007199254740993 + y", "1e16*2*9007199254740993*y", "10/0.5*9007199254740993*3*y",
    "9007199254740993*3*y", "9007199254740993*1.0*1*y", "6/2*9007199254740993*y", "9007199254740993*1.0 - 10 + y",
    "9007199254740993/1e16*y", "-9007199254740993 - 10/1 + y", "7/2*2 - 9007199254740993 + y", "(-2.0*0.5)*9007199254740993*3*y",
    "0/5 + 9007199254740993 + 1 + y", "9007199254740993 + 0.0 + 1 + y",
    "1/(0.5/49) + y",
])  # fmt: skip
def test_a_whole_number_that_python_holds_as_a_float_rounds_in_the_next_operation(text: str) -> None:
    assert Function(text)([1.7]) == by_python(text, {"y": 1.7})


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("1 + x - 1", ["v1 = 1 + x", "v2 = v1 - 1"]),
        ("w*x + b", ["v1 = w*x", "v2 = v1 + b"]),
        ("x/y/z", ["v1 = x/y", "v2 = v1/z"]),
        ("x/y*z", ["v1 = x/y", "v2 = v1*z"]),
        ("y*(1/x)", ["v1 = 1/x", "v2 = y*v1"]),
        ("x/3*3", ["v1 = x/3", "v2 = v1*3"]),
        ("x*(1/3)", ["v1 = x*(1/3)"]),
        ("y*x*a", ["v1 = y*x", "v2 = v1*a"]),
        ("1.0 - z + log(z)", ["v1 = log(z)", "v2 = 1.0 - z", "v3 = v2 + v1"]),
        ("a - 2*x - x*2", ["v1 = 2*x", "v2 = a - v1", "v3 = v2 - v1"]),
        ("1/49*49*x", ["v1 = (1/49)*49", "v2 = v1*x"]),
        ("2*3*x", ["v1 = 6*x"]),
    ],
)
def test_operations_and_constants_keep_their_places(text: str, lines: list[str]) -> None:
    assert str(Function(text).graph).split("\n") == lines


def test_an_order_or_exponent_is_the_exact_number_that_is_written() -> None:
    assert str(Function("x**(1/3*2)").graph) == "v1 = x**(2/3)"
    assert str(Function("besselj(1/49*49, x)").graph) == "v1 = besselj(1, x)"


def test_quotients_in_a_row_reach_where_their_denominator_overflows() -> None:
    f = Function("x/y/z", ["x", "y", "z"])
    assert f([1e300, 1e200, 1e150]) == pytest.approx(1e-50)
    np.testing.assert_allclose(f.gradient([1e300, 1e200, 1e150]), [0, 0, 0], atol=1e-199)
    assert Function("x/y*z", ["x", "y", "z"])([1e200, 1e200, 1e200]) == 1e200


def test_the_order_of_a_text_does_not_survive_in_what_sympy_makes_of_it() -> None:
    text = parse("y*x*2 + x/3*3")
    assert is_written(text)
    slope = sympy.diff(text, sympy.Symbol("x", real=True))
    assert not is_written(slope)
    assert sympy.simplify(slope - 2 * sympy.Symbol("y", real=True) - 1) == 0
    assert sympy.expand(text) == parse("2*x*y + x").doit()
