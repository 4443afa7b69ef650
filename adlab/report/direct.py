"""Derivatives of a formula in one call: `Function` has the same as methods."""

from __future__ import annotations

from typing import Any

from adlab.function import Function, as_function, is_code
from adlab.inputs import FloatArray, takes_at
from adlab.tracing.places import at_point


@takes_at
def gradient(f: Any, x: Any = None, method: str = "reverse") -> FloatArray:
    """∇f of a Function, an expression or a text: shape (n,) at one point, (..., n) at a batch. See `Function.gradient`.

    A Python function is traced at the point, which is one.

    >>> gradient("x*sin(y)", [1.0, 0.0])
    array([0., 1.])
    """
    made, point = _asked(f, x)
    return made.gradient(point, method)


@takes_at
def jacobian(f: Any, x: Any = None, method: str = "reverse") -> FloatArray:
    """All partials of a Function, an expression, a text or a sequence of them, (m, n). See `Function.jacobian`.

    >>> jacobian(["x*y", "x + y"], {"x": 2, "y": 3})
    array([[3., 2.],
           [1., 1.]])
    """
    made, point = _asked(f, x)
    return made.jacobian(point, method)


@takes_at
def hessian(f: Any, x: Any = None) -> FloatArray:
    """All second partials of a Function, an expression or a text, (n, n). See `Function.hessian`.

    >>> hessian("x**2*y", [1.0, 3.0])
    array([[6., 2.],
           [2., 0.]])
    """
    made, point = _asked(f, x)
    found: FloatArray = made.hessian(point)
    return found


def _asked(f: Any, x: Any) -> tuple[Function, Any]:
    """The function, and the point that is given, or its own. A Python function is traced at the point."""
    if is_code(f):
        return at_point(f, x)
    made = as_function(f, x)
    return made, made.point if x is None and made.point is not None else x
