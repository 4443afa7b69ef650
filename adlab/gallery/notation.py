"""Letters, sizes, and arithmetic that only writes: the formulas of the gallery are built with these.

Nothing is evaluated or reordered, and a part that is used twice is one object: see `adlab.text.unevaluated`. Inside
`straight()` the same functions put nodes into a graph instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from numbers import Integral
from typing import Any

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, S, Symbol

from adlab.errors import OptionError
from adlab.gallery.straight import HAND
from adlab.text.unevaluated import applied, flat, negative, product, total

MAX_OPERATIONS = 1_000_000  # of a function that is built here: ten seconds and half a gigabyte to build and lower

Vector = Sequence[Expr]
Matrix = Sequence[Sequence[Expr]]



def _apply(head: Any, a: Expr) -> Any:
    return applied(head, a) if (hand := HAND.get()) is None else hand.apply(head, a)


exp, log, sin, cos, tanh = (partial(_apply, head) for head in (sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tanh))


def letter(name: str) -> Any:
    return Symbol(name, real=True) if (hand := HAND.get()) is None else hand.letter(name)


def letters(name: str, count: int) -> list[Any]:
    """x1, x2, …"""
    return [letter(f"{name}{i}") for i in range(1, count + 1)]


def matrix(name: str, rows: int, columns: int) -> list[list[Any]]:
    """W1_1, W1_2, … by rows."""
    return [letters(f"{name}{i}_", columns) for i in range(1, rows + 1)]


def flattened(rows: Matrix) -> list[Expr]:
    return list(chain.from_iterable(rows))


def spread(count: int, low: float, high: float) -> tuple[float, ...]:
    """Numbers between `low` and `high` that look random and are the same everywhere: fractions of k·φ (Weyl 1916).

    >>> [round(number, 3) for number in spread(3, 0.0, 1.0)]
    [0.618, 0.236, 0.854]
    """
    golden = (math.sqrt(5) - 1) / 2
    return tuple(low + (high - low) * (k * golden % 1) for k in range(1, count + 1))


def require(operations: Callable[[], int], least: int = 1, **sizes: int) -> None:
    """Raises OptionError unless each size is a whole number from `least` up and the operations are not too many.

    >>> require(lambda: 10**12, n=10**6)
    Traceback (most recent call last):
    ...
    adlab.errors.OptionError: n = 1000000 makes about 1,000,000,000,000 operations; the gallery stops at 1,000,000
    """
    for name, size in sizes.items():
        if not isinstance(size, Integral) or size < least:
            raise OptionError(f"{name} is a whole number from {least} up, not {size!r}")
    if (count := operations()) > MAX_OPERATIONS:
        given = ", ".join(f"{name} = {size}" for name, size in sizes.items())
        raise OptionError(f"{given} makes about {count:,} operations; the gallery stops at {MAX_OPERATIONS:,}")


def add(*terms: Any) -> Any:
    if (hand := HAND.get()) is not None:
        return hand.add(terms)
    return flat(Add, terms) if len(terms) > 1 else terms[0]


def sub(a: Any, b: Any) -> Any:
    return total("+-", (a, b)) if (hand := HAND.get()) is None else hand.binary("sub", a, b)


def mul(*factors: Any) -> Any:
    return flat(Mul, factors) if (hand := HAND.get()) is None else hand.mul(factors)


def div(a: Any, b: Any) -> Any:
    return product("*/", (a, b)) if (hand := HAND.get()) is None else hand.binary("div", a, b)


def neg(a: Any) -> Any:
    return negative(a) if (hand := HAND.get()) is None else hand.negative(a)


def square(a: Any) -> Any:
    return flat(Pow, (a, Integer(2))) if (hand := HAND.get()) is None else hand.power(a, 2)


def sqrt(a: Any) -> Any:
    return flat(Pow, (a, S.Half)) if (hand := HAND.get()) is None else hand.power(a, S.Half)


def dot(a: Vector, b: Vector) -> Expr:
    """aᵀb, one flat sum."""
    return add(*map(mul, a, b))


def cross(a: Vector, b: Vector) -> list[Expr]:
    """a × b in three dimensions."""
    return [sub(mul(a[i], b[j]), mul(a[j], b[i])) for i, j in ((1, 2), (2, 0), (0, 1))]
