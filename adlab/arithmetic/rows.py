"""Which rows of a batch are to be computed again with care. All rows are looked at together, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.arithmetic.arrays import ARRAYS
from adlab.arithmetic.domain import turning
from adlab.arithmetic.intervals import exactly
from adlab.arithmetic.numbers import evaluate
from adlab.graph import rules
from adlab.graph.graph import Graph
from adlab.primitives.ranges import left_range

FloatArray = npt.NDArray[np.float64]
MARGIN = 4
"""An operand is taken to be off by at most this many times its first-order error bound, where rows are sorted out."""


def special_rows(graph: Graph, points: FloatArray) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """At which of the points, shape (N, inputs), a sweep on floats may go wrong: a look at all values on the way.

    The first array tells where some operation overflows, underflows or has a subnormal result, the second where one stands
    on a kink. A NaN alone is no such sign: it is what an operand outside the domain gives. All points count as such where the
    graph has an operation with a body, a loop or a solver: a look at its results does not tell what its body has met.
    """
    left, turned = np.zeros(len(points), dtype=bool), np.zeros(len(points), dtype=bool)
    if graph.compound:  # what happens inside a loop or a solver is seen at one point at a time
        return ~left, turned
    with np.errstate(all="ignore"):
        values = evaluate(graph, list(points.T), ARRAYS)
        for i in graph.operations:
            primitive, operands, _ = graph.nodes[i]
            left |= left_range(values[i])
            if not primitive.vanishes:
                left |= (values[i] == 0) & reduce(np.logical_and, [np.not_equal(values[o], 0) for o in operands])
        for i in turning(graph):
            primitive, operands, parameter = graph.nodes[i]
            rule = rules.conditions(primitive, parameter)
            turned |= evaluate(rule, [*(values[o] for o in operands), values[i]], ARRAYS)[rule.outputs[-1]] == 0
    return left, turned


def doubtful_rows(graph: Graph, points: FloatArray) -> npt.NDArray[np.bool_]:
    """At which of the points, shape (N, inputs), rounding may be why an operand is outside its domain.

    Each value carries a first-order bound on its error. A condition is doubtful where it fails for the operands met, and
    holds for operands that are off by `MARGIN` times their bounds.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> graph = lower([sympy.sqrt(sympy.sin(x) ** 2 + sympy.cos(x) ** 2 - 1)], [x])
    >>> bool(doubtful_rows(graph, np.linspace(0, 1, 20)[:, None]).any())  # rounded below 0 at some points
    True
    >>> doubtful_rows(lower([sympy.log(x)], [x]), np.array([[-1e-300]])).tolist()
    [False]
    """
    doubtful = np.zeros(len(points), dtype=bool)
    with np.errstate(all="ignore"):
        values = evaluate(graph, list(points.T), ARRAYS)
        errors: list[Any] = [0.0] * len(graph.inputs)
        for i, (primitive, operands, parameter) in enumerate(graph.nodes[len(errors) :], len(errors)):
            if primitive.compound or not operands:
                exact = primitive.compound or parameter != parameter or exactly(parameter)
                errors.append(0.0 if exact else np.spacing(np.abs(values[i])))
                continue
            moved = [o for o in operands if np.any(errors[o])]
            if moved and not rules.unconditional(primitive):
                doubtful |= np.isnan(values[i]) & _may_hold(graph, i, values, errors)
            partials = ARRAYS.partials(graph, i, values)
            passed = [np.abs(partial) * errors[o] for partial, o in zip(partials, operands, strict=True) if o in moved]
            rounded = np.where(values[i] == 0, 0.0, primitive.ulps * np.spacing(np.abs(values[i])))
            errors.append(sum(passed, rounded))
    return doubtful


def _may_hold(graph: Graph, i: int, values: Sequence[Any], errors: Sequence[Any]) -> Any:
    """Whether the condition for a value holds for some operands within their errors."""
    primitive, operands, parameter = graph.nodes[i]
    rule = rules.conditions(primitive, parameter)
    ranges = [[values[o] + sign * MARGIN * errors[o] for sign in (-1, 0, 1)] for o in operands]
    held = [evaluate(rule, [*corner, values[i]], ARRAYS)[rule.outputs[0]] == 1 for corner in product(*ranges)]
    return reduce(np.logical_or, held)
