"""A minimum within constraints by IPOPT, an interior-point method, through cyipopt where that is installed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adlab.errors import MissingExtra
from adlab.inputs import FloatArray

TOLERANCE = 1e-10
"""IPOPT's own measure of how well the optimality conditions hold."""


def by_ipopt(
    value: Callable[[FloatArray], float], gradient: Callable[[FloatArray], FloatArray], hessian: Callable[[FloatArray], Any],
    start: FloatArray, bounds: Any, constraints: Sequence[Any], steps: int,
) -> Any:  # fmt: skip
    """What cyipopt has found, in the form of SciPy's results. `constraints` are those of SciPy. Raises MissingExtra."""
    try:
        import cyipopt
    except ImportError:
        raise MissingExtra('method="ipopt" needs cyipopt, and IPOPT itself: conda install -c conda-forge cyipopt') from None
    return cyipopt.minimize_ipopt(
        value, start, jac=gradient, hess=hessian, bounds=list(zip(bounds.lb, bounds.ub, strict=True)),
        constraints=[side for one in constraints for side in _sides(one)],
        options={"max_iter": steps, "tol": TOLERANCE, "print_level": 0, "sb": "yes"},
    )  # fmt: skip


def _sides(one: Any) -> list[dict[str, Any]]:
    """A constraint between two limits as equations and inequalities: cyipopt wants c(x) = 0 or c(x) ≥ 0."""

    def side(sign: float, limit: float, kind: str) -> dict[str, Any]:
        return {
            "type": kind,
            "fun": lambda x: sign * (one.fun(x) - limit),
            "jac": lambda x: sign * _dense(one.jac(x)),
            "hess": lambda x, v: sign * np.asarray(one.hess(x, v)),
        }

    if one.lb == one.ub:
        return [side(1.0, one.lb, "eq")]
    limits = [(1.0, one.lb), (-1.0, one.ub)]
    return [side(sign, limit, "ineq") for sign, limit in limits if math.isfinite(limit)]


def _dense(matrix: Any) -> FloatArray:
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=float)
