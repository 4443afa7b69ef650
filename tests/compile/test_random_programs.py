"""Programs at random on every backend: every primitive, truth values among them; no outputs, several, or the same one twice."""

from __future__ import annotations

import importlib.util
import math
import random

import numpy as np
import pytest
from table import PARAMETERS

from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.compile.program import compile_graph
from adlab.graph.graph import Builder, Graph
from adlab.primitives.table import PRIMITIVES

BACKENDS = ["python", "numpy", *(["llvm"] if importlib.util.find_spec("llvmlite") else [])]
QUICK = [p for p in PRIMITIVES.values() if not p.compound and not p.special]
ALL = [p for p in PRIMITIVES.values() if not p.compound]
LOGIC = ("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "select", "min", "max", "sub")
POINTS = np.array([[0.3, -1.7], [2.5, 2.5], [-0.4, 0.0], [1.2, 0.9], [math.nan, 0.5], [0.0, 700.0], [1e-200, 1e200]])
ERRORS = 64
"""A backend may round otherwise: its answer is off by less than so many times the running error bound."""


def program(seed: int, of: list, steps: int = 8) -> Graph:
    """Operations on what was made before, half of them on truth values and choices; 0 to 4 outputs, some of them twice."""
    rng = random.Random(seed)
    builder = Builder(["x", "y"])
    made = [0, 1, builder.constant(0.5)]
    truths: list[int] = []
    for _ in range(steps):
        primitive = PRIMITIVES[rng.choice(LOGIC)] if rng.random() < 0.4 else rng.choice(of)
        parameter = rng.choice(PARAMETERS.get(primitive.name, [None]))
        count = primitive.count(parameter)
        pool = truths if truths and primitive.name in ("and", "or", "not") else made
        operands = [rng.choice(pool[-4:]) for _ in range(count)]
        if primitive.name == "select" and truths:
            operands[0] = rng.choice(truths)
        if primitive.name in ("and", "or", "not") and not truths:
            continue
        node = builder.cons(primitive, tuple(operands), parameter)
        made.append(node)
        if primitive.truth_valued:
            truths.append(node)
    m = rng.randint(0, 4)
    return builder.finish([rng.choice(made[-5:]) for _ in range(m)])


def agrees(graph: Graph) -> None:
    """Every backend gives, at every point, what the interpreter gives."""
    expected = [[values[o] for o in graph.outputs] for values in (evaluate(graph, row, FLOATS) for row in POINTS.tolist())]
    bounds = [[values[o].error for o in graph.outputs]
              for values in (evaluate(graph, [Bounded(x) for x in row], BOUNDED) for row in POINTS.tolist())]  # fmt: skip
    wanted = np.array(expected, dtype=float).reshape(len(POINTS), len(graph.outputs))
    allowed = ERRORS * (np.array(bounds, dtype=float).reshape(wanted.shape) + np.spacing(np.abs(wanted))) + 1e-300
    nothing = np.isnan(POINTS).any(axis=1)[:, None] | np.isnan(wanted)  # what a NaN means is the same everywhere
    for backend in BACKENDS:
        made = compile_graph(graph, [(len(graph.outputs),)], backend)
        several = np.asarray(made(POINTS)).reshape(wanted.shape)
        single = np.array([made.call(*row) for row in POINTS.tolist()]).reshape(wanted.shape)
        for found in (several, single):
            with np.errstate(invalid="ignore"):
                same = (found == wanted) | (np.isnan(found) & np.isnan(wanted)) | (np.abs(found - wanted) <= allowed)
            same |= (allowed == math.inf) & ~nothing  # a kink or a pole is within rounding: either side is right
            assert same.all(), (backend, str(graph), POINTS[~same.all(axis=1)], found[~same], wanted[~same])


@pytest.mark.parametrize("seed", range(12))
def test_a_random_program_means_the_same_on_every_backend(seed: int) -> None:
    agrees(program(seed, QUICK))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(100, 220, 20))
def test_random_programs_of_every_primitive_mean_the_same_on_every_backend(start: int) -> None:
    for seed in range(start, start + 20):
        agrees(program(seed, ALL))
