"""Values that are real although a number on the way is not: sqrt(x)/sqrt(y) for x, y < 0.

SymPy means the principal branches, so such a value exists, but a walk over the reals ends in NaN. This walk leaves the reals
where a root, a power or a logarithm needs it. It accepts only results that come back to the reals.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.arithmetic.arrays import ARRAYS
from adlab.arithmetic.complex_numbers import ComplexNumbers
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.roundabout import settled
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive

FloatArray = npt.NDArray[np.float64]
REAL = 1e-12
"""A part of a complex number: an imaginary part this small beside the number is roundoff."""

FROM_BELOW = ("asin", "acos", "atanh")
"""On the cut from 1 to infinity SymPy has the value of the lower side, NumPy that of the upper one."""


class _Principal(ComplexNumbers):
    """Complex arrays that stay on the real line as long as they can. They leave it beyond the domain of a root, a power or a
    logarithm. From then on only analytic operations are accepted.

    `nearly_real` tells where an imaginary part as small as rounding was met.
    """

    def __init__(self) -> None:
        self.nearly_real: Any = np.False_

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        operands = [np.asarray(operand) + 0 for operand in operands]  # turns -0j into 0j, on the right side of the cut
        on_line = reduce(np.logical_and, [operand.imag == 0 for operand in operands])
        self.nearly_real = reduce(np.logical_or, map(_nearly_real, operands), self.nearly_real)
        real = np.where(on_line, ARRAYS.apply(primitive, parameter, [operand.real for operand in operands]), np.nan)
        complex_ = ~on_line & (primitive.analytic and primitive.has_complex)
        if primitive.name == "div":
            complex_ &= operands[1] != 0
        if primitive.principal:
            complex_ |= on_line & np.isnan(real) & (operands[0] != 0)
        found = real.astype(complex)
        if complex_.any():
            beyond = [np.broadcast_to(operand, found.shape)[complex_] for operand in operands]
            computed = super().apply(primitive, parameter, beyond)
            below = (primitive.name in FROM_BELOW) & (np.imag(beyond[0]) == 0) & (np.real(beyond[0]) > 1)
            computed = np.where(below, np.conj(computed), computed)
            found[complex_] = np.where(np.isinf(computed), np.nan, computed)  # at a pole, beyond which a 0 would be believed
        return found


def _nearly_real(number: Any) -> Any:
    return (number.imag != 0) & (np.abs(number.imag) <= REAL * np.abs(number.real))


def real_values(graph: Graph, points: FloatArray) -> FloatArray:
    """The outputs by way of the complex plane, (..., inputs) → (..., outputs). NaN where an output is not real.

    Where rounding has left an imaginary part, or may have chosen the side of a cut, `roundabout` decides.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> real_values(lower([sympy.sqrt(x) / sympy.sqrt(x - 1)], [x]), np.array([[-3.0], [0.5]]))
    array([[0.8660254],
           [      nan]])
    """
    places = points.shape[:-1]
    if not any(graph.nodes[i].primitive.principal for i in graph.operations):
        return np.full((*places, len(graph.outputs)), np.nan)
    walk = _Principal()
    values = evaluate(graph, list(np.moveaxis(points, -1, 0).astype(complex)), walk)
    outputs = [np.broadcast_to(values[output], places) for output in graph.outputs]
    found = np.stack(outputs, axis=-1) if outputs else np.empty((*places, 0), complex)
    with np.errstate(invalid="ignore"):
        real = np.isfinite(found.real) & (np.abs(found.imag) <= REAL * np.abs(found))
    result: FloatArray = np.where(real, found.real, np.nan)
    doubtful = (real & (found.imag != 0)).any(axis=-1) | np.broadcast_to(walk.nearly_real, places)
    for place in map(tuple, np.argwhere(doubtful)):
        result[place] = settled(graph, points[place].tolist())
    return result


def stopped(graph: Graph, point: Sequence[float]) -> tuple[int, int] | None:
    """The first operation that meets a complex number and is computed for real numbers only, and that operand; else None.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> graph = lower([sympy.Abs(sympy.log(x)) + 1], [x])
    >>> [graph.written(i) for i in stopped(graph, [-3.0])]
    ['abs(v1)', 'log(x)']
    """
    values = evaluate(graph, [np.asarray(x, dtype=complex) for x in point], _Principal())
    for i in graph.operations:
        primitive, operands, _ = graph.nodes[i]
        met = [np.asarray(values[o]) for o in operands]
        if not primitive.analytic and not np.isnan(met).any() and np.imag(met).any() and np.isnan(values[i]):
            return i, next(o for o, value in zip(operands, met, strict=True) if np.imag(value))
    return None
