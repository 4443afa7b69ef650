"""Small expressions at random, with shared parts: as SymPy evaluates them, or as adlab writes them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import sympy
from sympy import E, Float, Integer, Rational, S, Symbol, pi

from adlab.text.unevaluated import RefusalError, applied, negative, power, product, total

VARIABLES = (Symbol("x", real=True), Symbol("y"), Symbol("z", positive=True))
ATOMS = (*VARIABLES, Integer(2), Integer(-1), Rational(-1, 3), Float(-2.5), pi, E)
EXPONENTS = (Integer(2), Integer(-2), Integer(-1), S.Half, -S.Half, VARIABLES[0])

EVALUATED: list[Callable[..., Any]] = [
    lambda a, b, c: a + b,
    lambda a, b, c: a - b,
    lambda a, b, c: a * b,
    lambda a, b, c: a * b * c,
    lambda a, b, c: a / b,
    lambda a, b, c: -a,
    lambda a, b, c: sympy.sin(a),
    lambda a, b, c: sympy.exp(a),
    *(lambda a, b, c, e=e: a**e for e in EXPONENTS),
]
WRITTEN: list[Callable[..., Any]] = [
    lambda a, b, c: total("++", [a, b]),
    lambda a, b, c: total("+-+", [a, b, c]),
    lambda a, b, c: product("**", [a, b]),
    lambda a, b, c: product("**/", [a, b, c]),
    lambda a, b, c: product("*/", [a, b]),
    lambda a, b, c: negative(a),
    lambda a, b, c: applied(sympy.sin, a),
    lambda a, b, c: applied(sympy.exp, a),
    *(lambda a, b, c, e=e: power(a, e) for e in EXPONENTS),
]


def random_expression(seed: int, written: bool, steps: int = 14) -> Any:
    """Each step applies one operation to parts made before, recent ones mostly, so that they come to be shared."""
    rng = random.Random(seed)
    pool: list[Any] = list(ATOMS)
    for _ in range(steps):
        parts = [rng.choice(pool[-6:] if rng.random() < 0.7 else pool) for _ in range(3)]
        try:
            made = rng.choice(WRITTEN if written else EVALUATED)(*parts)
        except RefusalError:  # a division by zero
            continue
        if not made.has(S.NaN, S.ComplexInfinity, S.Infinity, S.ImaginaryUnit):
            pool.append(made)
    return pool[-1]
