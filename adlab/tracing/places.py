"""The function and the point of a report. Tracing itself is imported only where somebody gives a Python function."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from adlab.errors import PointError
from adlab.function import Function, as_function, is_code, point_of
from adlab.inputs import FloatArray

if TYPE_CHECKING:
    from adlab.tracing.traced import Traced


def as_traced(f: Any) -> Traced | None:
    """The function if it is a traced one, else None. Where the module of `Traced` is not imported, none has been traced."""
    module = sys.modules.get("adlab.tracing.traced")
    return f if module is not None and isinstance(f, module.Traced) else None


def function_at(f: Any, x: Any = None) -> Function:
    """A Function for a report that needs no point. A Python function is traced at `x`, and a traced one takes the path of `x`."""
    if is_code(f) or (x is not None and as_traced(f) is not None):
        return at_point(f, x)[0]
    return as_function(f, x)


def at_point(f: Any, x: Any = None) -> tuple[Function, FloatArray]:
    """A Function and one point, for a report. A Python function is traced at the point."""
    if is_code(f):
        from adlab.tracing.traced import from_python

        if x is None:
            raise PointError("a Python function needs a point to be traced at; give x, as in x=[1.0, 2.0]")
        found = from_python(f, x)
        return found.at(found.code.example), found.code.example
    function = as_function(f, x)
    point = point_of(function, x)
    traced = as_traced(function)
    return (function if traced is None else traced.at(point)), point
