"""Whether partials found elsewhere have three right digits, as the graph tells, walked with as many bits as it needs.

A formula for the derivative may cancel where the graph does not: sinc'(x) = (cos(x) - sin(x)/x)/x near 0.

>>> import sympy
>>> from adlab.graph.lowering import lower
>>> x = sympy.Symbol("x", real=True)
>>> at = Evaluator(lower([sympy.sinc(x)], [x]))
>>> without_digits(at, np.array([1e-60]), np.array([[-3.3e-61]]))
[Wrong(output=0, variable=0, right=-3.3333333333333335e-61, tied='')]
>>> without_digits(at, np.array([1e-60]), np.array([[-3.3333e-61]]))
[]
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.domain import kinks
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.careful import walked
from adlab.autodiff.evaluator import Evaluator
from adlab.autodiff.jacobian import jacobian
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray

FEWEST = 1e-3
"""Relative: two numbers further apart have fewer than three digits in common."""
REORDERED = 16.0
"""How many times the graph's own rounding error another order of the operations may have."""


class Wrong(NamedTuple):
    """A partial of which fewer than three digits are right, what it is, and the operations on a kink at the point, in words."""

    output: int
    variable: int
    right: float
    tied: str


def without_digits(evaluator: Evaluator, point: FloatArray, found: FloatArray) -> list[Wrong]:
    """The partials in `found`, shape (m, n), of which fewer than three digits are right. Where the graph has no
    partial, none is reported.

    A partial may be off by as much as rounding may put the graph's own sweep off. At a minimum no method gives more than a
    remainder of rounding.
    """
    if not apart(found, evaluator.jacobian(point)).any():
        return []
    graph, given = evaluator.graph, point.tolist()
    right = np.array(walked(graph, given)[1]).reshape(found.shape)
    suspects = np.argwhere(apart(found, right)).tolist()
    if not suspects:
        return []
    bounds = jacobian(graph, evaluate(graph, [Bounded(x) for x in given], BOUNDED), BOUNDED)
    forgiven = [[REORDERED * bound.error if bound.error < math.inf else 0.0 for bound in row] for row in bounds]
    return [
        Wrong(i, j, float(right[i, j]), _tied(graph, given))
        for i, j in suspects
        if not abs(found[i, j] - right[i, j]) <= forgiven[i][j]
    ]


def apart(found: Any, other: Any) -> Any:
    """Where two arrays have fewer than three digits in common; nowhere that one of them is NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.abs(found - other) > FEWEST * np.minimum(np.abs(found), np.abs(other))


def _tied(graph: Graph, given: list[float]) -> str:
    """Names the operations that are on a kink, where each way to differentiate has its own convention; empty where none is."""
    met = [f"{graph.names[i]} = {graph.written(i)}" for i, _ in kinks(graph, given)]
    return f"the point is on a kink or jump at {' and '.join(met)}, where its formula follows another convention" if met else ""
