"""Small programs as people write them: branches, loops, updates in place, recursion, generators, closures, classes.

Each is a function of one argument, with the points at which it is judged. `RIGHT` are those that a trace must get right.
`REFUSED` are those whose trace would silently be another function: they must be refused, with the line.
"""

from __future__ import annotations

import bisect
import cmath
import copy
import functools
import itertools
import math
import operator
import random
import statistics
from collections import defaultdict, deque, namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import exp, sin
from typing import Any

import numpy as np

P = [[1.3, 0.7], [0.4, 2.1], [-1.2, 0.5], [2.5, -0.8]]
RIGHT: list[tuple[Callable[[Any], Any], list[Any]]] = []
REFUSED: list[tuple[Callable[[Any], Any], list[Any]]] = []


def right(*points: Any) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    def kept(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        RIGHT.append((f, list(points) or P))
        return f

    return kept


def refused(*points: Any) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    def kept(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        REFUSED.append((f, list(points) or P))
        return f

    return kept


# --- branches -------------------------------------------------------------------------------------------------------


@right()
def branch(x: Any) -> Any:
    if x[0] > 1:
        return x[0] ** 2 * x[1]
    elif x[0] > 0:
        return math.sin(x[1])
    return x[0] * math.exp(x[1])


@right()
def nested_branches(x: Any) -> Any:
    y = x[0] * x[1]
    if y > 0:
        if x[0] > x[1]:
            y = y * 2
        else:
            y -= x[1] ** 3
    return y + 1


@right()
def conditional_expression(x: Any) -> Any:
    return (x[0] if x[0] > x[1] else x[1]) ** 2 + (0 if x[1] < 0 else x[1])


@right()
def chained_comparison(x: Any) -> Any:
    return x[0] ** 3 if 0 < x[0] < 2 else -x[1] ** 2


@right()
def boolean_words(x: Any) -> Any:
    if (x[0] > 0 and not x[1] > 1) or x[0] < -1:
        return x[0] * x[1]
    return x[0] + x[1] ** 2


@right()
def built_in_extremes(x: Any) -> Any:
    return max(x[0], x[1], 0.55) * min(x[0] ** 2, x[1]) + abs(x[0])


@right()
def leaky_relu(x: Any) -> Any:
    return sum(v if v > 0 else 0.01 * v for v in x) ** 2


@right()
def select_by_match(x: Any) -> Any:
    kind = "big" if x[0] > 1 else "small"
    match kind:
        case "big":
            return x[0] * x[1]
        case _:
            return x[0] - x[1] ** 2


@right()
def early_return(x: Any) -> Any:
    for k in range(5):
        if x[0] + k > 2:
            return k * x[1] + x[0] ** 2
    return x[0]


@right()
def caught_by_lookup(x: Any) -> Any:
    table = {"a": x[0]}
    try:
        return table["b"]
    except KeyError:
        return table["a"] * x[1]


@right()
def asserted(x: Any) -> Any:
    assert x[0] ** 2 >= 0
    return x[0] ** 2 / (1 + x[1] ** 2)


@right()
def clipped(x: Any) -> Any:
    return np.clip(x, 0.0, 1.0).sum() * x[0] + np.maximum(x, 0.1).prod()


@right()
def masked(x: Any) -> Any:
    y = x * 2.0
    y[x > 0] = y[x > 0] ** 2
    return y.sum()


@right()
def piecewise_with_where(x: Any) -> Any:
    return np.where(x > 0, x**2, np.exp(x)).sum()


# --- loops ----------------------------------------------------------------------------------------------------------


@right()
def horner(x: Any) -> Any:
    total = 0.0
    for c in (3.0, -1.0, 0.5, 2.0):
        total = total * x[0] + c * x[1]
    return total


@right()
def power_by_loop(x: Any) -> Any:
    y, n = 1.0, 7
    base = x[0]
    while n:
        if n % 2:
            y *= base
        base *= base
        n //= 2
    return y + x[1]


@right([2.0, 0.5], [9.0, 1.5], [0.3, 0.2])
def newton_until_it_settles(x: Any) -> Any:
    y = x[0]
    while abs(y * y - x[0]) > 1e-13:
        y = (y + x[0] / y) / 2
    return y * x[1]


@right([2.0, 0.5], [9.0, 1.5], [130.0, 0.2])
def turns_depend_on_the_input(x: Any) -> Any:
    y, n = x[0], 0
    while y > 1:
        y, n = y / 2, n + 1
    return y * n + x[1]


@right()
def break_and_continue(x: Any) -> Any:
    total = x[1]
    for k in range(10):
        if k == 3:
            continue
        total += x[0] ** k / math.factorial(k)
        if total > 3.3:
            break
    else:
        total *= 2
    return total


@right()
def loops_in_loops(x: Any) -> Any:
    total = 0
    for i in range(3):
        for j in range(i + 1):
            total += math.cos(i * x[0] + j * x[1])
    return total


@right()
def zipped(x: Any) -> Any:
    return sum(w * math.tanh(v) for w, v in zip((0.3, 0.6), x, strict=True)) + sum(k * v for k, v in enumerate(x))


@right()
def comprehension(x: Any) -> Any:
    rows = [[x[i] * x[j] + i for i in range(2)] for j in range(2)]
    return sum(sum(row) ** 2 for row in rows)


@right()
def running_product(x: Any) -> Any:
    parts = list(itertools.accumulate([x[0], x[1], x[0] + x[1]], operator.mul))
    return sum(parts)


@right()
def folded(x: Any) -> Any:
    return functools.reduce(lambda a, b: a * b + 1, [x[0], x[1], 2.0, x[0]])


@right()
def euler_steps(x: Any) -> Any:
    y, v, dt = x[0], x[1], 0.05
    for _ in range(20):
        y, v = y + dt * v, v - dt * math.sin(y)
    return y


# --- updates in place -------------------------------------------------------------------------------------------------


@right()
def fills_an_array(x: Any) -> Any:
    c = np.zeros(3)
    c[0] = x[0]
    c[1] = c[0] * x[1]
    c[2] += c[1] ** 2
    return c.sum()


@right()
def adds_in_place(x: Any) -> Any:
    y = np.ones((2, 2))
    y[0] += x
    y[:, 1] *= x[0]
    return (y @ x).sum()


@right()
def list_updates(x: Any) -> Any:
    y = [x[0], x[1], 1.0]
    y[2] = y[0] * y[1]
    y.append(y[2] ** 2)
    y[0] += 1
    return sum(y)


@right()
def swaps(x: Any) -> Any:
    a, b = x
    a, b = b, a * b
    return a - 3 * b


@right()
def aliases(x: Any) -> Any:
    a = np.zeros(2)
    b = a
    b[0] = x[0]
    view = a[:1]
    view[0] = view[0] * x[1]
    return a[0] + b[0]


@right()
def copies(x: Any) -> Any:
    y = x.copy()
    y[0] = 5.0
    z = copy.deepcopy([x[0], x[1]])
    return x[0] * y[1] + z[0] * y[0]


@right()
def cumulative(x: Any) -> Any:
    y = np.concatenate([x, x**2])
    return (np.cumsum(y) * np.arange(4)).sum() + np.diff(y)[1]


@right()
def dictionary_of_sums(x: Any) -> Any:
    sums: dict[str, Any] = defaultdict(float)
    for k, key in enumerate("aba"):
        sums[key] += x[k % 2] * (k + 1)
    return sums["a"] * sums["b"]


@right()
def queue(x: Any) -> Any:
    q = deque([x[0], x[1]])
    for _ in range(5):
        q.append(q.popleft() + 0.5 * q[-1])
    return q[-1]


@right([[1.0, 2.0], [3.0, 4.0]])
def block_assignment(a: Any) -> Any:
    b = np.zeros((4, 4))
    b[:2, :2] = a
    b[2:, 2:] = a @ a
    return (b * b).sum()


@right()
def out_argument(x: Any) -> Any:
    y = np.zeros(2)
    np.multiply(x, 3.0, out=y)
    return (y**2).sum()


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
