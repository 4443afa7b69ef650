"""Derivatives of a formula in one call: `Function` has the same as methods."""

from __future__ import annotations

from typing import Any

from adlab.function import Function, as_function
from adlab.inputs import FloatArray, takes_at


@takes_at
def gradient(f: Any, x: Any = None, method: str = "reverse") -> FloatArray:
    """∇f of a Function, an expression or a text: shape (n,) at one point, (..., n) at a batch. See `Function.gradient`.

    >>> gradient("x*sin(y)", [1.0, 0.0])
    array([0., 1.])
    """
    made = as_function(f, x)
    return made.gradient(_point(made, x), method)


@takes_at
def jacobian(f: Any, x: Any = None, method: str = "reverse") -> FloatArray:
    """All partials of a Function, an expression, a text or a sequence of them, (m, n). See `Function.jacobian`.

    >>> jacobian(["x*y", "x + y"], {"x": 2, "y": 3})
    array([[3., 2.],
           [1., 1.]])
    """
    made = as_function(f, x)
    return made.jacobian(_point(made, x), method)


@takes_at
def hessian(f: Any, x: Any = None) -> FloatArray:
    """All second partials of a Function, an expression or a text, (n, n). See `Function.hessian`.

    >>> hessian("x**2*y", [1.0, 3.0])
    array([[6., 2.],
           [2., 0.]])
    """
    made = as_function(f, x)
    return made.hessian(_point(made, x))


def _point(f: Function, x: Any) -> Any:
    """The point given, or the function's own."""
    return f.point if x is None and f.point is not None else x
