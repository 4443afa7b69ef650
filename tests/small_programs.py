"""Small programs as people write them: branches, loops, updates in place, recursion, generators, closures, classes.

Each is a function of one argument, with the points at which it is judged. `RIGHT` are those that a trace must get right.
`REFUSED` are those whose trace would silently be another function: they must be refused, with the line.
"""

from __future__ import annotations

import copy
import functools
import itertools
import math
import operator
from collections import defaultdict, deque
from collections.abc import Callable
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
