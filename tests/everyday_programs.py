"""Programs with what everyday Python and NumPy offer, as users write them. They join the lists of `small_programs`."""



from __future__ import annotations

import collections
import contextlib
import copy
import dataclasses
import functools
import heapq
import itertools
import math
import operator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy import zeros as blank
from small_programs import refused, right

# --- of Python's -------------------------------------------------------------------------------------------------


@right([1.2, 0.7], [0.2, 0.7])
def walrus(x: Any) -> Any:
    return y * y + x[1] if (y := x[0] * 2) > 1 else x[1]


@right([1.2, 0.7, 2.0], [1.2, 0.7, 0.5])
def match_on_a_length(x: Any) -> Any:
    match len(x):
        case 3:
            return x[0] * x[1] if x[2] > 1 else x[2]
        case _:
            return 0.0


@right([3.0, 1.0, 2.0], [0.5, 1.0, 2.0])
def sorted_and_keys(x: Any) -> Any:
    s = sorted(x)
    return s[0] + 2 * s[1] ** 2 + max(x, key=lambda t: -t * t) * min(x, key=abs) + max(range(3), key=lambda i: x[i])


@right([3.0, 1.0, 2.0], [3.0, 1.75, 2.0])
def sums_of_generators(x: Any) -> Any:
    return sum(t * t for t in x if t > 1.5) + math.prod(t + 1 for t in x) + math.fsum(t * t for t in x)


@right([2.0, 3.0])
def a_vector_class(x: Any) -> Any:
    @dataclasses.dataclass(frozen=True)
    class V:
        a: Any
        b: Any

        def __add__(self, other: V) -> V:
            return V(self.a + other.a, self.b + other.b)

        def __mul__(self, k: Any) -> V:
            return V(self.a * k, self.b * k)

        __rmul__ = __mul__

        def __matmul__(self, other: V) -> Any:
            return self.a * other.a + self.b * other.b

        def __abs__(self) -> Any:
            return math.sqrt(self @ self)

    v = V(x[0], x[1])
    return abs(2 * v + v * 3) + v @ v


@right([2.0, 3.0])
def recursion(x: Any) -> Any:
    def g(t: Any, n: int) -> Any:
        return t if n == 0 else math.sin(g(t, n - 1)) * x[1]

    return g(x[0], 5)


@right([2.0, 3.0])
def a_closure_that_counts(x: Any) -> Any:
    total = 0

    def add(v: Any) -> None:
        nonlocal total
        total += v

    for t in x:
        add(t * t)
    return total


@right([2.0, 3.0, 5.0])
def itertools_and_functools(x: Any) -> Any:
    return list(itertools.accumulate(x, operator.mul))[-1] + functools.reduce(lambda a, b: a * b + 1, x)


@right([2.0, 3.0, 5.0], [0.5, 3.0, 5.0])
def a_loop_until(x: Any) -> Any:
    n, t = 0, x[0] + 1
    while t < 50:
        t, n = t * t, n + 1
    return t + n * x[1]


@right([2.0], [7.5])
def newton_with_a_break(x: Any) -> Any:
    t = 1.0
    for _ in range(50):
        new = t - (t * t - x[0]) / (2 * t)
        if abs(new - t) < 1e-14:
            break
        t = new
    return t


@right([2.0, 3.0], [4.0, 3.0])
def a_chain_of_comparisons(x: Any) -> Any:
    return (x[0] if 1 < x[0] < 3 else x[1]) + (x[0] > 1) * x[1] + (x[0] > 5) * x[0]


@right([2.1, 3.0], [0.8, 3.1])
def quotients_and_remainders(x: Any) -> Any:
    q, r = divmod(x[1], x[0])
    return q * 10 + r + (x[1] // x[0]) * x[0] + x[1] % x[0]


@right([2.5, 3.0])
def unpacking(x: Any) -> Any:
    a, *b = x
    return a * b[0]


@right([2.5, 3.0], [3.0, -2.5])
def a_list_sorted_in_place_and_a_heap(x: Any) -> Any:
    held = [0] * 3
    held[1] = x[0]
    held[2] += x[1]
    held.sort()
    heap: list[Any] = []
    for t in x:
        heapq.heappush(heap, t)
    return held[-1] * held[1] + heapq.heappop(heap) * 3


@right([2.5, 3.0])
def fractions_and_named_tuples(x: Any) -> Any:
    pair = collections.namedtuple("pair", "a b")(*x)
    return x[0] * Fraction(1, 3) + pair._replace(a=pair.a * 2).a * pair.b


@right([2.5, 3.0])
def generators_that_are_sent_to(x: Any) -> Any:
    def squares() -> Any:
        v = yield 0
        while True:
            v = yield v * v

    g = squares()
    next(g)
    return g.send(x[0]) * g.send(x[1])


@right([2.5, 3.0])
def a_copy_is_another(x: Any) -> Any:
    y = copy.deepcopy(x)
    y[0] = y[0] * 2
    return x[0] * y[0]


@right([2.5, 3.0])
def inputs_changed_in_place(x: Any) -> Any:
    x = x.copy()
    x[0] *= 2
    x[1] += x[0]
    return x[0] * x[1]


# --- of NumPy's --------------------------------------------------------------------------------------------------


@right([1.0, 2.0, 3.0, 4.0])
def einsum(x: Any) -> Any:
    a = np.reshape(x, (2, 2))
    return np.einsum("ij,jk,ki->", a, a, a)


@right([1.0, 2.0, 3.0, 5.0])
def linear_algebra(x: Any) -> Any:
    a = np.array(x).reshape(2, 2) + np.eye(2)
    return np.linalg.det(a) * np.linalg.inv(a).trace() + np.linalg.norm(a) + np.linalg.solve(a, np.ones(2))[0]


@right([1.0, 2.0], [4.0, 2.5])
def broadcast_assignment_and_masks(x: Any) -> Any:
    a = np.zeros((3, 2))
    a[:] = x
    a[1] += x
    a[:, 0] *= 2
    a[a > 3] = 0
    return a.sum()


@right([2.0, 3.0, 5.0])
def statistics_of_an_array(x: Any) -> Any:
    x = np.asarray(x)
    return np.diff(x).prod() + np.cumsum(x)[-1] + np.var(x) + np.std(x) + np.clip(x, 2.5, 4).sum()


@right([2.0, 3.0, 5.0], [6.0, 3.0, 5.0])
def sorting(x: Any) -> Any:
    x = np.asarray(x)
    return (np.sort(x) * np.array([1.0, 2.0, 3.0])).sum() + np.max(x) * np.argmax(x) + x[np.argsort(-x)][0]


@right([2.0, 3.0, 5.0])
def a_double_array(x: Any) -> Any:
    a = np.array(x, dtype=float)
    return (a * a).sum() + sum(np.asarray(x).tolist()) * a.sum().item()


@right([2.5, 3.0])
def views_and_aliases(x: Any) -> Any:
    a = np.array([x[0], x[1]])
    b = a
    b[0] = b[0] * 2
    o = np.zeros(2)
    np.multiply(x, x, out=o)
    return a[0] + a[1] + o.sum() + np.asarray(x)[::-1][0]


@right([2.5, 3.0])
def empty_arrays_made_in_many_ways(x: Any) -> Any:
    makers = [np.zeros, blank]
    size = (2,)
    held = [blank(2), np.empty(shape=2), np.zeros(*size), *(np.ones(2) for _ in range(1)), np.full(2, 1.0), makers[1](2)]
    total = 0.0
    for a in held[:5]:
        a[:] = x
        a[0] *= a[1]
        total = total + a.sum()
    return total + held[5].sum()


@right([2.5, 3.0])
def random_numbers_of_a_seed(x: Any) -> Any:
    """Compiled code makes arrays with `np.empty`, and writes floats into their memory."""
    r = np.random.default_rng(0)
    noise = np.empty(3)
    noise[:] = r.normal(size=3)
    return (x[0] * r.normal(size=3)).sum() * x[1] + (noise * r.uniform(size=3)).sum() * x[0]


# --- what would be another function ------------------------------------------------------------------------------


@refused([0.3, 0.4])
def a_text_as_a_key(x: Any) -> Any:
    return {f"{x[0]:.1f}": 2.0}.get("0.3", 5.0) * x[1]


@refused([2.7, 0.4])
def a_random_factor(x: Any) -> Any:
    return x[0] * np.random.rand()


@refused([1.0, 2.0])
def an_error_that_is_swallowed(x: Any) -> Any:
    k = 3.0
    with contextlib.suppress(Exception):
        k = float(x[1]) * 2
    return x[0] * k


@refused([1.0, 2.0])
def another_type_another_answer(x: Any) -> Any:
    return x[0] * x[1] if isinstance(x[0], float) else x[0] + x[1]


@refused([1.0, 2.0])
def complex_numbers(x: Any) -> Any:
    z = x[0] + 1j * x[1]
    return (z * z).real


@refused([2.0, 3.0, 5.0])
def single_precision(x: Any) -> Any:
    a = np.zeros(3, dtype=np.float32)
    a[:] = x
    return (a * a).sum()


@refused([2.5, 3.0])
def the_bytes_of_an_array(x: Any) -> Any:
    return np.frombuffer(np.asarray(x).tobytes()).sum()


@refused([2.5, 3.0])
def a_number_written_and_read(x: Any) -> Any:
    return float(",".join(map(str, x)).split(",")[0]) * x[1]


@refused([2.5, 3.0])
def the_same_object(x: Any) -> Any:
    y = x[0]
    return x[0] * 2 if y is x[0] else x[1]


@refused([1.0, 2.0])
def a_cache(x: Any) -> Any:
    return functools.lru_cache(lambda t: t * t)(x[0]) * x[1]
