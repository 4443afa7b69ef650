"""A function as `scipy.optimize` takes it: its value, its derivatives, and nothing to glue."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adlab.inputs import FloatArray


def to_scipy(f: Any, sparse: bool = False) -> dict[str, Callable[..., Any]]:
    """Keyword arguments for `scipy.optimize`, from compiled programs.

    Of one output: `fun`, `jac` and `hessp` for `minimize`; a value that does not exist is infinite, so that a search steps
    back. Of several: `fun` and `jac` for `root` and `least_squares`; with `sparse` the Jacobian is a `scipy.sparse` array. A
    derivative that does not exist raises DomainError.

    >>> import adlab
    >>> given = to_scipy(adlab.Function("(x - 1)**2 + y**2"))
    >>> given["fun"]([3.0, 1.0]), given["jac"]([3.0, 1.0]), given["hessp"]([3.0, 1.0], [1.0, 0.0])
    (5.0, array([4., 2.]), array([2., 0.]))
    """
    if f.m == 1 and f.scalar:
        value, gradient, product = f.compile(), f.compile(derivative="gradient"), f.compile(derivative="hvp")

        def fun(x: Any) -> float:
            found = float(value(x))
            return found if found == found else math.inf

        return {
            "fun": fun,
            "jac": lambda x: _there(gradient(x), lambda: f.gradient(x)),
            "hessp": lambda x, v: _there(product(x, v), lambda: f.hvp(x, v)),
        }
    values = f.compile()
    if sparse:
        return {"fun": values, "jac": lambda x: f.jacobian(x, sparse=True)}
    jacobian = f.compile(derivative="jacobian")
    return {"fun": values, "jac": lambda x: _there(jacobian(x), lambda: f.jacobian(x))}


def _there(found: FloatArray, otherwise: Callable[[], Any]) -> FloatArray:
    """What was found; where some of it is not finite, what f says, which raises with the reason."""
    return found if np.isfinite(found).all() else np.asarray(otherwise())
