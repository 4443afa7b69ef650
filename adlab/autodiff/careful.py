"""Values and derivatives at one point where binary64 is not enough: unlimited exponents, and limits where partials fail.

Two things spoil a sweep on floats although f is smooth.

First, a number on the way may leave binary64's range. Then the same sweeps run on numbers of unlimited exponent, and only the
result is rounded.

Second, an inner operation may be at a kink or a pole that f as a whole does not have: sqrt(x**4) at 0, Max(1, Min(x, 1)) at 1.
Then the derivative is computed at points beside this one, on several sides and ever closer. Where all sides agree, their limit
is the derivative: a continuous function whose slope has one limit from all sides has that slope. Where they do not agree, the
table's convention holds, or the answer is NaN.

At the edge of the domain, as that of x*sqrt(x) at 0, the sides are those on which f has a value. The derivative is then the
one-sided one. If f is real beyond the edge by way of complex numbers, as sin(sqrt(x))**2 is, it must go on with this slope.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from adlab.arithmetic.arrays import ARRAYS
from adlab.arithmetic.domain import beyond_reach, kinked
from adlab.arithmetic.extended import EXTENDED, Extended, nearest, number
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.principal import real_values
from adlab.arithmetic.settled import RESCUE, settled
from adlab.autodiff import programs
from adlab.autodiff.beside import BITS, STEPS, directions, enough_bits, exponent, points_beside
from adlab.autodiff.jacobian import jacobian
from adlab.autodiff.still import without_still
from adlab.graph.graph import Graph
from adlab.precision import at_most

Rows = list[list[Any]]

BESIDE = Extended(BITS)
"""What tells the size of numbers beside the point, and their differences. It evaluates no graph, and so remembers nothing."""
AGREED = -60
"""Bits in which the sides must agree: more than a double has."""
BEYOND_EDGE, SAME_SLOPE, NOISE = 2.0**-26, 2.0**-10, 2.0**-48
"""A step over the edge of the domain, beside the coordinates; what a curve changes on it; and the rounding of a value."""
VANISHED = -20
"""A quantity that shrinks by this many bits from one step to the next goes to 0."""


def walked(graph: Graph, point: Sequence[float]) -> tuple[list[float], list[list[float]]]:
    """The values and the Jacobian of a graph at a point, rounded once. NaN for an entry that has neither value nor limit."""
    values, rows = exact_rows(graph, point)
    return [nearest(value) for value in values], [[nearest(entry) for entry in row] for row in rows]


def exact_rows(graph: Graph, point: Sequence[float]) -> tuple[list[Any], Rows]:
    """As `walked`, before the rounding. What takes longer than `RESCUE` is NaN."""
    return at_most(RESCUE, lambda: (_unknown(len(graph.outputs)), _unknown_rows(graph)), _exact_rows, graph, point)


def _unknown(count: int) -> list[Any]:
    return [number(math.nan)] * count


def _unknown_rows(graph: Graph) -> Rows:
    return [_unknown(len(graph.inputs)) for _ in graph.outputs]


def _exact_rows(graph: Graph, point: Sequence[float]) -> tuple[list[Any], Rows]:
    values, rows = _settled(graph, point)
    if any(map(EXTENDED.exists, values)) and _doubtful(graph, point, rows):  # only a value that exists has a limit of partials
        if _missing(rows) and (less := without_still(graph, point)) is not graph:
            return _exact_rows(less, point)
        rows = _mended(rows, lambda place, arithmetic: _at(graph, place, arithmetic), values, point)
        rows = _continued(graph, point, values, rows)
    return values, rows


def _continued(graph: Graph, point: Sequence[float], values: Sequence[Any], rows: Rows) -> Rows:
    """The rows. A row is unknown if its output is real beside the point by way of complex numbers and has another slope there."""
    turns = np.array(directions(len(point)))
    steps = np.ldexp(np.concatenate([turns, -turns]) * BEYOND_EDGE, [exponent(x) for x in point])
    beside, here = np.array(point) + steps, np.array([nearest(value) for value in values])
    slopes = np.array([[nearest(entry) for entry in row] for row in rows])
    with np.errstate(all="ignore"):
        straight = evaluate(graph, list(beside.T), ARRAYS)
        found = real_values(graph, beside)
        for i, output in enumerate(graph.outputs):
            found[~np.isnan(np.broadcast_to(straight[output], len(steps))), i] = np.nan
        size = np.abs(steps) @ np.abs(slopes.T) + np.abs(steps).max(axis=1)[:, None]
        apart = np.abs(found - (here + steps @ slopes.T)) > SAME_SLOPE * size + NOISE * np.abs(here)
    return [_unknown(len(row)) if off else row for row, off in zip(rows, apart.any(axis=0).tolist(), strict=True)]


def product(rows: Rows, vector: Sequence[float]) -> list[float]:
    """A matrix of unrounded entries times a vector, rounded once. A row times 0 is 0 where all its entries exist."""
    found = []
    for row in rows:
        total = number(0)
        for entry, weight in zip(row, vector, strict=True):
            if weight == 0 and EXTENDED.exists(entry):
                continue
            total = EXTENDED.add(total, EXTENDED.mul(entry, number(weight)))
        found.append(nearest(total))
    return found


def exact_second(f: Graph, gradient: Graph, point: Sequence[float], first: Sequence[float]) -> Rows:
    """The Hessian of f, not yet rounded: the Jacobian of its gradient program, whose outputs are the value and the partials.

    `first` is the gradient at the point. Where the program has no value there, or only a convention's, the partials beside the
    point must converge to `first`. What takes longer than `RESCUE` is NaN.
    """
    return at_most(RESCUE, lambda: _unknown_rows(gradient)[1:], _exact_second, f, gradient, point, first)


def _exact_second(f: Graph, gradient: Graph, point: Sequence[float], first: Sequence[float]) -> Rows:
    rows = _settled(gradient, point)[1][1:]
    if _doubtful(gradient, point, rows):
        values = [number(x) for x in first]
        rows = _mended(rows, lambda place, arithmetic: _without_value(gradient, place, arithmetic), values, point)
        rows = _continued(Graph(gradient.inputs, gradient.nodes, gradient.outputs[1:]), point, values, rows)
    if _missing(rows):
        rows = _differenced(f, rows, point)
    if _missing(rows) and (less := without_still(f, point)) is not f:
        return _exact_second(less, programs.derivative(less, value=True), point, first)
    return rows


def _differenced(f: Graph, rows: Rows, point: Sequence[float]) -> Rows:
    """Missing second derivatives, as differences of gradients. The step is too small to change any digit of a double.

    A gradient program multiplies by 0 what a sweep leaves out. So the sweep has a gradient for sqrt(Max(x, 0)) at -1, and the
    program has none. Both sides must agree.
    """
    here, fine = [number(x) for x in point], enough_bits(point)
    (first,) = _at(f, here, fine)[1]
    columns = []
    for j, x in enumerate(point):
        step = fine.power_of_two(STEPS[-1] + exponent(x))
        slopes = []
        for sign in (1, -1):
            moved = fine.mul(number(sign), step)
            (beside,) = _at(f, [*here[:j], fine.add(here[j], moved), *here[j + 1 :]], fine)[1]
            slopes.append([fine.div(fine.sub(b, a), moved) for a, b in zip(first, beside, strict=True)])
        columns.append([a if _agree(a, b) else number(math.nan) for a, b in zip(*slopes, strict=True)])
    return [[e if EXTENDED.exists(e) else columns[j][i] for j, e in enumerate(row)] for i, row in enumerate(rows)]


def _agree(a: Any, b: Any) -> bool:
    """Whether two numbers are equal, apart from what the step changes."""
    return bool(EXTENDED.exists(a) and EXTENDED.exists(b)) and _size(BESIDE.sub(a, b)) <= _size(a) + AGREED


def _without_value(gradient: Graph, place: list[Any], arithmetic: Extended) -> tuple[list[Any], Rows]:
    values, rows = _at(gradient, place, arithmetic)
    return values[1:], rows[1:]


def _settled(graph: Graph, point: Sequence[float]) -> tuple[list[Any], Rows]:
    """The values and the Jacobian, with as many bits as they need."""
    m, n = len(graph.outputs), len(graph.inputs)

    def compute(arithmetic: Extended) -> list[Any]:
        values, rows = _at(graph, [number(x) for x in point], arithmetic)
        return [*values, *(entry for row in rows for entry in row)]

    found = settled(compute)
    return found[:m], [found[m + n * i : m + n * (i + 1)] for i in range(m)]


def _at(graph: Graph, point: list[Any], arithmetic: Extended) -> tuple[list[Any], Rows]:
    values = evaluate(graph, point, arithmetic)
    return [values[output] for output in graph.outputs], jacobian(graph, values, arithmetic)


def _doubtful(graph: Graph, point: Sequence[float], rows: Rows) -> bool:
    return (_missing(rows) or kinked(graph, point)) and not beyond_reach(graph, point)


def _missing(rows: Rows) -> bool:
    return any(not EXTENDED.exists(entry) for row in rows for entry in row)


def _mended(
    rows: Rows,
    beside: Callable[[list[Any], Extended], tuple[list[Any], Rows]],
    values: Sequence[Any],
    point: Sequence[float],
) -> Rows:
    """The rows. Each doubtful entry that has one limit from all sides is replaced by that limit, if f has a value."""
    fine = enough_bits(point)
    all_samples = [[beside(place, fine) for place in points_beside(point, step, fine)] for step in STEPS]
    found = []
    for i, row in enumerate(rows):
        there = _with_value(all_samples, i)
        samples = [[step[k] for k in there] for step in all_samples]
        if len({k // 2 for k in there}) < min(2, len(point)):  # along one line, a limit says nothing of the other directions
            found.append(row)
            continue
        gaps = [max((_size(at[0][i] - values[i]) for at in step), default=-math.inf) for step in samples]
        continuous = _vanishes(gaps) or gaps[-1] <= _size(values[i]) + STEPS[0] // 2
        limits = [_limit([[at[1][i][j] for at in step] for step in samples]) if continuous else None for j in range(len(row))]
        found.append([entry if limit is None else limit for entry, limit in zip(row, limits, strict=True)])
    return found


def _with_value(samples: list[list[tuple[list[Any], Rows]]], output: int) -> list[int]:
    """The places beside the point at which an output has a value at every step: all of them, but for the edge of the domain."""
    return [k for k in range(len(samples[0])) if all(EXTENDED.exists(step[k][0][output]) for step in samples)]


def _limit(samples: list[list[Any]]) -> Any | None:
    """The limit of the entries at ever shorter steps; None where the sides differ or one of them has no value."""
    if not all(BESIDE.exists(entry) for step in samples for entry in step):
        return None
    last = samples[-1]
    size = max(map(_size, last))
    if max(_size(BESIDE.sub(entry, last[0])) for entry in last) <= size + AGREED and not _grows(samples):
        return last[0]
    return number(0) if _vanishes([max(map(_size, step)) for step in samples]) else None


def _grows(samples: list[list[Any]]) -> bool:
    """Whether the entries keep changing as the step shrinks."""
    before, last = samples[-2][0], samples[-1][0]
    return _size(BESIDE.sub(last, before)) > _size(last) + AGREED


def _vanishes(sizes: list[float]) -> bool:
    """Whether the magnitudes, given as powers of two, go to 0."""
    return sizes[-1] == -math.inf or all(b <= a + VANISHED for a, b in pairwise(sizes))


def _size(entry: Any) -> float:
    """The magnitude of a number as a power of two; -inf for 0, inf for NaN and infinity."""
    return BESIDE.size(entry)
