"""The complex step: f'(x) ≈ Im f(x + ih)/h, with no subtraction and so no roundoff to trade for (Squire & Trapp 1998).

It needs every operation to be complex-analytic where it is evaluated: |x|, max, floor or a branch would answer with
a number that means nothing, so such a formula is refused.

>>> from adlab.graph.lowering import lower
>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> complex_step(lower([sympy.exp(x)], [x]), [1.0])
array([[2.71828183]])
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from adlab.errors import DomainError, MethodError
from adlab.graph.arithmetic import COMPLEX, evaluate
from adlab.graph.domain import explain
from adlab.graph.graph import Graph

STEP = 1e-20
"""Far below roundoff, so that the truncation error h²f'''/6 vanishes; far above underflow."""


def refusal(graph: Graph) -> str:
    """Why the complex step would be wrong for this graph; empty where it is sound."""
    for i in graph.operations:
        primitive, operands, _ = graph.nodes[i]
        if not any(graph.active[operand] for operand in operands):
            continue
        where = f"{graph.names[i]} = {graph.written(i)}"
        if not primitive.analytic:
            return f"the complex step needs an analytic formula, and {where} is not complex-differentiable"
        if not primitive.has_complex:
            return f"the complex step needs complex values, and there are none here for {where}"
    return ""


def complex_step(graph: Graph, point: Sequence[float], step: float = STEP) -> npt.NDArray[np.float64]:
    """The Jacobian, shape (m, n), from n complex evaluations.

    Raises MethodError where `refusal` has a reason, DomainError where f has no value or no derivative: sqrt is not
    analytic at 0, where Im sqrt(ih)/h is a number all the same.
    """
    reason = refusal(graph)
    if reason:
        raise MethodError(reason)
    if isinstance(edge := explain(graph, point, derivative=True), DomainError):
        raise edge
    columns = []
    for j in range(len(point)):
        moved: list[complex] = [complex(value) for value in point]
        moved[j] += 1j * step
        values = evaluate(graph, moved, COMPLEX)
        columns.append([values[output].imag / step for output in graph.outputs])
    return np.array(columns, dtype=float).T.reshape(len(graph.outputs), len(point))
