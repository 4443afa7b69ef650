"""Graphs at random: operations of many kinds on parts made before, smooth and moderate at every point of [-1, 1]ⁿ."""

from __future__ import annotations

import random
from collections.abc import Callable

from adlab.graph.graph import Builder, Graph

Step = Callable[[Builder, int, int], int]


def _of(name: str) -> Step:
    return lambda builder, a, b: builder.call(name, a)


def _above_one(builder: Builder, a: int) -> int:
    return builder.call("add", builder.call("powi", a, parameter=2), builder.constant(1))


SMOOTH: list[Step] = [
    lambda builder, a, b: builder.call("add", a, b),
    lambda builder, a, b: builder.call("sub", a, b),
    lambda builder, a, b: builder.call("mul", builder.call("sin", a), b),
    lambda builder, a, b: builder.call("div", a, _above_one(builder, b)),
    lambda builder, a, b: builder.call("log", _above_one(builder, a)),
    lambda builder, a, b: builder.call("sqrt", _above_one(builder, a)),
    lambda builder, a, b: builder.call("pow", _above_one(builder, a), builder.call("tanh", b), parameter=0),
    lambda builder, a, b: builder.call("exp", builder.call("cos", a)),
    lambda builder, a, b: builder.call("mul", a, builder.constant(0.75)),
    *map(_of, ("neg", "sin", "cos", "tanh", "atan", "asinh")),
]
BRANCHING: list[Step] = [
    lambda builder, a, b: builder.call("max", a, b),
    lambda builder, a, b: builder.call("min", builder.call("sin", a), b),
    lambda builder, a, b: builder.call("select", builder.call("lt", a, b), builder.call("mul", a, b), builder.call("sin", b)),
    # the root and the logarithm have no value on the side on which they are not taken
    lambda builder, a, b: builder.call("select", builder.call("gt", a, builder.constant(0)), builder.call("sqrt", a), b),
    lambda builder, a, b: builder.call("select", builder.call("le", a, builder.constant(0)), b, builder.call("log", a)),
]


def random_graph(seed: int, n: int = 3, m: int = 2, steps: int = 25, branches: bool = False) -> Graph:
    """`steps` operations, on recent parts mostly, so that they come to be shared; `m` outputs, the last two made among
    them."""
    rng = random.Random(seed)
    builder = Builder([f"x{i}" for i in range(1, n + 1)])
    made = list(range(n))
    kinds = SMOOTH + BRANCHING if branches else SMOOTH
    for _ in range(steps):
        a, b = (rng.choice(made[-6:] if rng.random() < 0.7 else made) for _ in range(2))
        made.append(rng.choice(kinds)(builder, a, b))
    return builder.finish([made[-1], made[-2], *(rng.choice(made) for _ in range(m - 2))][:m])


def random_point(seed: int, n: int = 3) -> list[float]:
    rng = random.Random(seed + 10**6)
    return [rng.uniform(-1, 1) for _ in range(n)]
