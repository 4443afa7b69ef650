"""Values and derivatives at one point where binary64 does not do: unlimited exponents, and limits where partials fail.

Two things spoil a sweep on floats although f is smooth. A number on the way leaves binary64's range: then the same
sweeps run on numbers of unlimited exponent, and only the result is rounded. Or the point is on a kink, or at a pole, of
some inner operation, which f as a whole does not have: sqrt(x**4) at 0, Max(1, Min(x, 1)) at 1. Then the derivative is
computed at points beside this one, on several sides and ever closer. Where all sides agree, that is the derivative (a
continuous function whose slope has one limit from all sides has that slope). Where they do not, the convention of the
table stands, or NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from adlab.arithmetic.domain import kinked
from adlab.arithmetic.extended import EXTENDED, Extended, nearest, number
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.jacobian import jacobian
from adlab.graph.graph import Graph

Rows = list[list[Any]]

SIDES = 4
"""Directions in which one looks, each there and back."""
STEPS = (-90, -180, -270)
"""The steps beside a point, as powers of two of its size. A limit that is approached as slowly as a root of them is seen."""
BESIDE = Extended(1500)
"""Bits for points beside a point: over five times the shortest step, so that differences of third order are kept."""
AGREED = -60
"""The sides agree to so many bits: more than a double has."""
VANISHED = -20
"""What shrinks by so many bits from one step to the next goes to 0."""


def walked(graph: Graph, point: Sequence[float]) -> tuple[list[float], list[list[float]]]:
    """The values and the Jacobian of a graph at a point, rounded once; NaN for what has neither value nor limit."""
    values, rows = exact_rows(graph, point)
    return [nearest(value) for value in values], [[nearest(entry) for entry in row] for row in rows]


def exact_rows(graph: Graph, point: Sequence[float]) -> tuple[list[Any], Rows]:
    """As `walked`, not yet rounded."""
    values, rows = _at(graph, [number(x) for x in point], EXTENDED)
    if any(map(EXTENDED.exists, values)) and _doubtful(graph, point, rows):  # a limit is that of a value that exists
        rows = _mended(rows, lambda place, arithmetic: _at(graph, place, arithmetic), values, point)
    return values, rows


def product(rows: Rows, vector: Sequence[float]) -> list[float]:
    """A matrix of unrounded entries times a vector, rounded once; a row times 0 is 0 where it has entries."""
    found = []
    for row in rows:
        total = number(0)
        for entry, weight in zip(row, vector, strict=True):
            total = EXTENDED.add(total, EXTENDED.mul(entry, number(weight)))
        found.append(nearest(total))
    return found


def walked_second(f: Graph, gradient: Graph, point: Sequence[float], first: Sequence[float]) -> list[list[float]]:
    """The Hessian of f, rounded once: the Jacobian of its gradient program, whose outputs are the value and the partials.

    `first` is the gradient at the point: where the program has no value there itself, or that of a convention, this is
    what the partials beside the point must come to.
    """
    _, rows = _without_value(gradient, [number(x) for x in point], EXTENDED)
    if _doubtful(gradient, point, rows):
        values = [number(x) for x in first]
        rows = _mended(rows, lambda place, arithmetic: _without_value(gradient, place, arithmetic), values, point)
    if any(not EXTENDED.exists(entry) for row in rows for entry in row):
        rows = _differenced(f, rows, point)
    return [[nearest(entry) for entry in row] for row in rows]


def _differenced(f: Graph, rows: Rows, point: Sequence[float]) -> Rows:
    """Missing second derivatives as differences of sweeps' gradients, so near that no digit of a double sees the step.

    A gradient program multiplies by 0 what a sweep leaves out. So the sweep has a gradient for sqrt(Max(x, 0)) at -1, and the
    program has none. Both sides must agree.
    """
    here = [number(x) for x in point]
    (first,) = _at(f, here, BESIDE)[1]
    columns = []
    for j, x in enumerate(point):
        step = BESIDE.power_of_two(STEPS[-1] + (max(math.frexp(x)[1], 0) if x else 0))
        slopes = []
        for sign in (1, -1):
            moved = BESIDE.mul(number(sign), step)
            (beside,) = _at(f, [*here[:j], BESIDE.add(here[j], moved), *here[j + 1 :]], BESIDE)[1]
            slopes.append([BESIDE.div(BESIDE.add(b, -a), moved) for a, b in zip(first, beside, strict=True)])
        columns.append([a if _agree(a, b) else number(math.nan) for a, b in zip(*slopes, strict=True)])
    return [[e if EXTENDED.exists(e) else columns[j][i] for j, e in enumerate(row)] for i, row in enumerate(rows)]


def _agree(a: Any, b: Any) -> bool:
    """Whether two numbers are the same but for what a step changes."""
    return bool(EXTENDED.exists(a) and EXTENDED.exists(b)) and _size(BESIDE.add(a, -b)) <= _size(a) + AGREED


def _without_value(gradient: Graph, place: list[Any], arithmetic: Extended) -> tuple[list[Any], Rows]:
    values, rows = _at(gradient, place, arithmetic)
    return values[1:], rows[1:]


def _at(graph: Graph, point: list[Any], arithmetic: Extended) -> tuple[list[Any], Rows]:
    values = evaluate(graph, point, arithmetic)
    return [values[output] for output in graph.outputs], jacobian(graph, values, arithmetic)


def _doubtful(graph: Graph, point: Sequence[float], rows: Rows) -> bool:
    return any(not EXTENDED.exists(entry) for row in rows for entry in row) or kinked(graph, point)


def _mended(
    rows: Rows,
    beside: Callable[[list[Any], Extended], tuple[list[Any], Rows]],
    values: Sequence[Any],
    point: Sequence[float],
) -> Rows:
    """The rows, and in place of each entry that has one its limit from all sides; there must be a value to come to."""
    samples = [[beside(place, BESIDE) for place in _places(point, step)] for step in STEPS]
    found = []
    for i, row in enumerate(rows):
        gaps = [max((_size(at[0][i] - values[i]) for at in step), default=-math.inf) for step in samples]
        continuous = _vanishes(gaps) or gaps[-1] <= _size(values[i]) + STEPS[0] // 2
        limits = [_limit([[at[1][i][j] for at in step] for step in samples]) if continuous else None for j in range(len(row))]
        found.append([entry if limit is None else limit for entry, limit in zip(row, limits, strict=True)])
    return found


def _places(point: Sequence[float], step: int) -> list[list[Any]]:
    """Points beside this one, in directions that no formula has in mind, there and back."""
    places = []
    for side in range(SIDES):
        for sign in (1, -1):
            moved = []
            for j, x in enumerate(point):
                turn = math.cos(1.0 + 2.399963 * (side + 1) * (j + 1)) if len(point) > 1 else 1.0
                size = max(math.frexp(x)[1], 0) if x else 0
                moved.append(BESIDE.add(number(x), BESIDE.mul(number(sign * turn), BESIDE.power_of_two(step + size))))
            places.append(moved)
        if len(point) == 1:
            break
    return places


def _limit(samples: list[list[Any]]) -> Any | None:
    """What the entries of ever shorter steps come to; None where the sides differ, or one has no value."""
    if not all(BESIDE.exists(entry) for step in samples for entry in step):
        return None
    last = samples[-1]
    size = max(map(_size, last))
    if max(_size(BESIDE.add(entry, -last[0])) for entry in last) <= size + AGREED and not _grows(samples):
        return last[0]
    return number(0) if _vanishes([max(map(_size, step)) for step in samples]) else None


def _grows(samples: list[list[Any]]) -> bool:
    """Whether the entries go on changing with the step."""
    before, last = samples[-2][0], samples[-1][0]
    return _size(BESIDE.add(last, -before)) > _size(last) + AGREED


def _vanishes(sizes: list[float]) -> bool:
    """Whether ever smaller magnitudes, as powers of two, go to 0."""
    return sizes[-1] == -math.inf or all(b <= a + VANISHED for a, b in pairwise(sizes))


def _size(entry: Any) -> float:
    """The magnitude of a number as a power of two; -inf for 0, inf for what is no number."""
    return BESIDE.size(entry)
