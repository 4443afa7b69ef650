"""Derivatives that physics uses: Laplacian, divergence, curl, and the second derivative along a direction."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from adlab.errors import MethodError, OverflowedError
from adlab.function import Function, as_function
from adlab.inputs import FloatArray, coerce_one, takes_at


@takes_at
def laplacian(f: Any, x: Any) -> float:
    """The sum of the unmixed second partials, ∇·∇f, at one point; needs one output. Raises as `f.hessian` does, and
    OverflowedError where the sum leaves binary64.

    >>> laplacian("x**2*y + y**3", [1.0, 2.0])
    16.0
    """
    g = as_function(f, x)
    return _sum(np.diag(g.hessian(coerce_one(x, g.names))))


@takes_at
def divergence(f: Any, x: Any) -> float:
    """Σ ∂fᵢ/∂xᵢ at one point; needs as many outputs as variables. Raises as `f.jacobian` does,
    and OverflowedError where the sum leaves binary64.

    >>> divergence(["x*y", "y**2"], [1.0, 2.0])
    6.0
    """
    g = _field(f, None)
    return _sum(np.diag(g.jacobian(coerce_one(x, g.names))))


@takes_at
def curl(f: Any, x: Any) -> FloatArray:
    """∇ × f at one point, shape (3,); needs three outputs and three variables. Raises as `f.jacobian` does,
    and OverflowedError where a difference leaves binary64. Each entry is the difference of two rounded partials: where they
    nearly agree, it loses digits.

    >>> curl(["-y", "x", "x*z"], [1.0, 2.0, 3.0])
    array([ 0., -3.,  2.])
    """
    g = _field(f, 3)
    j = g.jacobian(coerce_one(x, g.names))
    return np.array([_sum((j[a, b], -j[b, a])) for a, b in ((2, 1), (0, 2), (1, 0))])


@takes_at
def second_along(f: Any, x: Any, v: Any) -> float:
    """d²/dt² f(x + t·v) at t = 0, which is vᵀHv, from one Hessian-vector product; needs one output. Raises
    OverflowedError where the sum leaves binary64.

    >>> second_along("x**2*y", [1.0, 2.0], [1.0, 1.0])
    8.0
    """
    g = as_function(f, x)
    direction = coerce_one(v, g.names, "direction")
    slope = g.hvp(coerce_one(x, g.names), direction)
    return _sum(float(d) * float(s) for d, s in zip(direction, slope, strict=True))


def _sum(terms: Iterable[float]) -> float:
    """The sum, rounded once. Raises OverflowedError where it leaves binary64."""
    try:
        found = math.fsum(terms)
    except (OverflowError, ValueError):  # a partial sum too large; infinities of both signs
        found = math.inf
    if not math.isfinite(found):
        raise OverflowedError("the sum of the partials is beyond binary64 (more than 1.8e308); scale the variables")
    return found


def _field(f: Any, n: int | None) -> Function:
    g = as_function(f)
    if g.m != g.n or (n is not None and g.n != n):
        wanted = "as many outputs as variables" if n is None else f"{n} outputs and {n} variables"
        raise MethodError(f"this needs {wanted}, and the function has {g.m} and {g.n}")
    return g
