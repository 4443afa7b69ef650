"""Letters, sizes, and arithmetic that only writes: what the formulas of the gallery are put together with.

Nothing is evaluated or reordered, and a part that is used twice is one object: see `adlab.written`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from numbers import Integral

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, S, Symbol

from adlab.errors import OptionError
from adlab.written import applied, flat, product, total

MAX_OPERATIONS = 1_000_000  # of a function built here: ten seconds and half a gigabyte to build and lower

Vector = Sequence[Expr]
Matrix = Sequence[Sequence[Expr]]

exp, log, sin, cos, tanh = (partial(applied, head) for head in (sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tanh))


def letter(name: str) -> Symbol:
    return Symbol(name, real=True)


def letters(name: str, count: int) -> list[Symbol]:
    """x1, x2, …"""
    return [letter(f"{name}{i}") for i in range(1, count + 1)]


def matrix(name: str, rows: int, columns: int) -> list[list[Symbol]]:
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


def add(*terms: Expr) -> Expr:
    return flat(Add, terms) if len(terms) > 1 else terms[0]


def sub(a: Expr, b: Expr) -> Expr:
    return total("+-", (a, b))


def mul(*factors: Expr) -> Expr:
    return flat(Mul, factors)


def div(a: Expr, b: Expr) -> Expr:
    return product("*/", (a, b))


def square(a: Expr) -> Expr:
    return flat(Pow, (a, Integer(2)))


def sqrt(a: Expr) -> Expr:
    return flat(Pow, (a, S.Half))


def dot(a: Vector, b: Vector) -> Expr:
    """aᵀb, one flat sum."""
    return add(*map(mul, a, b))


def cross(a: Vector, b: Vector) -> list[Expr]:
    """a × b in three dimensions."""
    return [sub(mul(a[i], b[j]), mul(a[j], b[i])) for i, j in ((1, 2), (2, 0), (0, 1))]
