"""The Jacobian of a model over data by any method: all rows at once where the method allows that, else row by row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from adlab.arithmetic.complex_numbers import COMPLEX
from adlab.arithmetic.numbers import evaluate
from adlab.differences.complex_step import STEP, refusal
from adlab.differences.stencils import SCHEMES, Stencil, scheme
from adlab.differences.step_models import default_steps, relative_step
from adlab.errors import MethodError
from adlab.function import Function
from adlab.inputs import FloatArray
from adlab.methods import lookup
from adlab.use.total import Total

Slopes = Callable[[FloatArray], FloatArray]


def slopes(model: Total, method: str) -> Slopes:
    """A function from the parameters, shape (k,), to the Jacobian of the model's values over all rows, shape (rows, k).

    Reverse and forward mode run one compiled program, and so do SymPy's derivatives. A difference scheme evaluates the model
    over all rows at once, at its standard step; so does the complex step. Any other method of adlab goes row by row. Raises
    MethodError for an unknown method.
    """
    f = model.function
    if method in ("reverse", "forward"):
        return model.jacobian
    if method in SCHEMES:
        stencil = scheme(method)
        return lambda p: by_differences(model.residuals, p, stencil)
    lookup(method)
    if method == "symbolic":
        partials = Function([f.diff(name) for name in model.parameters], f.variables)
        return Total(partials, model.data, squares=True).table
    if method == "complex-step":
        return lambda p: by_complex_steps(model, p)
    return lambda p: by_rows(model, p, method)


def evaluations_each(method: str, parameters: int) -> int:
    """Evaluations of the model that one Jacobian takes; 0 where it takes none, but a derivative program.

    >>> evaluations_each("central-difference", 3), evaluations_each("complex-step", 3), evaluations_each("reverse", 3)
    (6, 3, 0)
    """
    if method in SCHEMES:
        return parameters * len(scheme(method).offsets)
    return parameters if method == "complex-step" else 0


def by_differences(values: Callable[[FloatArray], FloatArray], p: FloatArray, stencil: Stencil) -> FloatArray:
    """Difference quotients in each parameter, at the standard step for its size.

    >>> from adlab.differences.stencils import scheme
    >>> by_differences(lambda p: p[0] ** 2 * np.array([1.0, 2.0]), np.array([3.0]), scheme("central-difference")).round(6)
    array([[ 6.],
           [12.]])
    """
    columns = []
    for j, x in enumerate(p):
        h = default_steps(float(x), relative_step(stencil.order))[0]
        found: FloatArray = np.zeros(1)
        for offset, weight in zip(stencil.offsets, stencil.weights, strict=True):
            moved = p.copy()
            moved[j] = x + float(offset) * h
            found = found + float(weight) * values(moved)
        columns.append(found / h)
    return np.column_stack(columns)


def by_complex_steps(model: Total, p: FloatArray) -> FloatArray:
    """Im f(p + ih)/h in each parameter, for all rows at once. Raises MethodError where a complex step would be wrong."""
    graph = model.function.graph
    if reason := refusal(graph):
        raise MethodError(reason)
    points = np.concatenate([block.copy() for block in model.blocks(p)]).astype(complex)
    columns = []
    for place in model.own_places:
        moved = points.copy()
        moved[:, place] += 1j * STEP
        values = evaluate(graph, list(moved.T), COMPLEX)
        columns.append(np.broadcast_to(values[graph.outputs[0]], len(points)).imag / STEP)
    return np.column_stack(columns)


def by_rows(model: Total, p: FloatArray, method: str) -> FloatArray:
    """Any method of adlab, point by point."""
    points = np.concatenate([block.copy() for block in model.blocks(p)])
    found: FloatArray = model.function.jacobian(points, method, errors="raise")[..., 0, :][:, model.own_places]
    return found
