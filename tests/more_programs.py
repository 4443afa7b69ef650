"""More small programs: recursion, generators, closures, classes, and those that must be refused. See `small_programs`."""

from __future__ import annotations

import bisect
import cmath
import functools
import math
import operator
import random
import statistics
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import exp, sin
from typing import Any

import numpy as np
from small_programs import P, refused, right

# --- recursion, generators, closures, classes ------------------------------------------------------------------------------


@right()
def recursion(x: Any) -> Any:
    def t(n: int) -> Any:
        return 1.0 if n == 0 else x[0] if n == 1 else 2 * x[0] * t(n - 1) - t(n - 2)

    return t(6) * x[1]


@right(*P[:2])
def recursion_to_a_tolerance(x: Any) -> Any:
    def simpson(a: float, b: float, depth: int) -> Any:
        m = (a + b) / 2
        f = lambda t: math.exp(-x[0] * t * t)  # noqa: E731
        whole = (b - a) / 6 * (f(a) + 4 * f(m) + f(b))
        halves = (m - a) / 6 * (f(a) + 4 * f((a + m) / 2) + f(m)) + (b - m) / 6 * (f(m) + 4 * f((m + b) / 2) + f(b))
        if depth == 0 or abs(whole - halves) < 1e-2:
            return halves
        return simpson(a, m, depth - 1) + simpson(m, b, depth - 1)

    return simpson(0.0, 2.0, 5) + x[1]


@right()
def generator(x: Any) -> Any:
    def terms() -> Iterator[Any]:
        term = 1.0
        for k in range(1, 8):
            yield term
            term = term * x[0] / k

    return sum(terms()) * x[1]


@right()
def generator_that_receives(x: Any) -> Any:
    def averager() -> Any:
        total, n = 0.0, 0
        while True:
            total = total + (yield total / max(n, 1))
            n += 1

    g = averager()
    next(g)
    g.send(x[0])
    return g.send(x[1] ** 2)


@right()
def closure(x: Any) -> Any:
    def scaled(k: Any) -> Callable[[Any], Any]:
        return lambda v: k * v**2

    return scaled(x[0])(x[1]) + scaled(x[1])(2.0)


@right()
def closure_with_state(x: Any) -> Any:
    total = 0.0

    def add(v: Any) -> None:
        nonlocal total
        total = total * 0.5 + v

    for v in (x[0], x[1], x[0] * x[1]):
        add(v)
    return total


@right()
def partials(x: Any) -> Any:
    return functools.partial(pow, x[0])(3) + functools.partial(operator.mul, 2.0)(x[1])


@dataclass
class Particle:
    position: Any
    speed: Any = 0.0
    past: list[Any] = field(default_factory=list)

    def moved(self, dt: float) -> Particle:
        return replace(self, position=self.position + dt * self.speed, past=[*self.past, self.position])

    @property
    def energy(self) -> Any:
        return self.speed**2 / 2 + math.cos(self.position)


@right()
def dataclass_with_methods(x: Any) -> Any:
    p = Particle(x[0], x[1])
    for _ in range(3):
        p = p.moved(0.1)
    return p.energy + sum(p.past)


class Dual:
    """An object with operators of its own."""

    def __init__(self, a: Any, b: Any) -> None:
        self.a, self.b = a, b

    def __mul__(self, other: Dual) -> Dual:
        return Dual(self.a * other.a, self.a * other.b + self.b * other.a)


@right()
def operators_of_a_class(x: Any) -> Any:
    d = Dual(x[0], 1.0) * Dual(x[1], x[0])
    return d.a + 2 * d.b


@right()
def named_tuple(x: Any) -> Any:
    Point = namedtuple("Point", "u v")
    p = Point(*x)
    return p._replace(u=p.v * p.u).u - p.v


@right()
def context_and_finally(x: Any) -> Any:
    y = x[0]
    try:
        with np.errstate(all="ignore"):
            y = y * x[1]
    finally:
        y = y + 1
    return y


@right()
def imported_names(x: Any) -> Any:
    return sin(x[0]) * exp(x[1])


@right()
def matrix_code(x: Any) -> Any:
    a = np.array([[x[0], 1.0], [2.0, x[1] + 3]])
    return np.linalg.det(a @ a.T) + np.trace(a) + np.einsum("ij,ij->", a, a)


@right()
def searched(x: Any) -> Any:
    return bisect.bisect([0.0, 1.0, 2.0], x[0]) * x[1] + np.interp(x[1], [-1.0, 0.0, 3.0], [2.0, 0.5, 4.0])


@right()
def sorted_numbers(x: Any) -> Any:
    low, high = sorted([x[0], x[1]])
    return low**2 - high


@right()
def polynomial_table(x: Any) -> Any:
    return np.polyval([1.0, -2.0, 0.5], x[0]) + x[1] * statistics.fmean([1.0, 2.0])


@right()
def prints_and_formats(x: Any) -> Any:
    text = f"{x[0]:.3f} {x[1]!r}"
    return x[0] * x[1] + 0 * len(text)


# --- what a trace cannot follow ----------------------------------------------------------------------------------------------


@refused()
def made_a_float(x: Any) -> Any:
    return float(x[0]) * x[1]


@refused()
def made_an_integer(x: Any) -> Any:
    return x[0] * int(x[1])


@refused()
def a_number_as_index(x: Any) -> Any:
    return [1.0, 2.0, 3.0, 4.0][abs(int(x[0]))] * x[1]


@refused()
def drawn_at_random(x: Any) -> Any:
    return x[0] * random.random() + x[1]


@refused()
def drawn_by_numpy(x: Any) -> Any:
    return x[0] + np.random.rand() * x[1]


@refused()
def a_key_of_a_dict(x: Any) -> Any:
    return {x[0]: 1.0}[x[0]] * x[1]


@refused()
def rounded(x: Any) -> Any:
    return round(x[0], 1) * x[1]


@refused()
def made_complex(x: Any) -> Any:
    return abs(cmath.exp(1j * x[0])) * x[1]


@refused()
def read_back_from_text(x: Any) -> Any:
    return float(str(x[0])) * x[1]


@refused()
def read_back_from_a_format(x: Any) -> Any:
    return float(f"{x[0]:.12f}") * x[1]


MEMORY: dict[str, float] = {}


@refused()
def made_constant_behind_the_trace(x: Any) -> Any:
    MEMORY["x"] = getattr(x[0], "value", x[0])
    return MEMORY["x"] * x[1]


@refused()
def rounded_exponent(x: Any) -> Any:
    return x[1] * math.floor(x[0]) ** round(x[1])


CALLS = [0]


@refused()
def counts_its_calls(x: Any) -> Any:
    CALLS[0] += 1
    return x[0] * CALLS[0] + x[1]
