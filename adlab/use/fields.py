"""Derivatives that physics uses: Laplacian, divergence, curl, and the second derivative along a direction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adlab.errors import MethodError
from adlab.function import Function, as_function
from adlab.inputs import FloatArray, coerce_one, takes_at


@takes_at
def laplacian(f: Any, x: Any) -> float:
    """The sum of the unmixed second partials, ∇·∇f, at one point; needs one output. Raises as `f.hessian` does.

    >>> laplacian("x**2*y + y**3", [1.0, 2.0])
    16.0
    """
    g = as_function(f, x)
    return math.fsum(np.diag(g.hessian(x)).tolist())


@takes_at
def divergence(f: Any, x: Any) -> float:
    """Σ ∂fᵢ/∂xᵢ at one point; needs as many outputs as variables. Raises as `f.jacobian` does.

    >>> divergence(["x*y", "y**2"], [1.0, 2.0])
    6.0
    """
    g = _field(f, None)
    return math.fsum(np.diag(g.jacobian(x)).tolist())


@takes_at
def curl(f: Any, x: Any) -> FloatArray:
    """∇ × f at one point, shape (3,); needs three outputs and three variables. Raises as `f.jacobian` does.

    >>> curl(["-y", "x", "x*z"], [1.0, 2.0, 3.0])
    array([ 0., -3.,  2.])
    """
    j = _field(f, 3).jacobian(x)
    return np.array([j[2, 1] - j[1, 2], j[0, 2] - j[2, 0], j[1, 0] - j[0, 1]])


@takes_at
def second_along(f: Any, x: Any, v: Any) -> float:
    """d²/dt² f(x + t·v) at t = 0, which is vᵀHv, from one Hessian-vector product; needs one output.

    >>> second_along("x**2*y", [1.0, 2.0], [1.0, 1.0])
    8.0
    """
    g = as_function(f, x)
    direction = coerce_one(v, g.names, "direction")
    return math.fsum((direction * g.hvp(x, direction)).tolist())


def _field(f: Any, n: int | None) -> Function:
    g = as_function(f)
    if g.m != g.n or (n is not None and g.n != n):
        wanted = "as many outputs as variables" if n is None else f"{n} outputs and {n} variables"
        raise MethodError(f"this needs {wanted}, and the function has {g.m} and {g.n}")
    return g
