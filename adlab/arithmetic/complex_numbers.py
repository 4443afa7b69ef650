"""Complex numbers: what the complex step evaluates a graph with."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from typing import Any

import numpy as np

from adlab.arithmetic.floats import compile_python
from adlab.arithmetic.numbers import Numbers
from adlab.errors import MethodError
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive, to_float


class ComplexNumbers(Numbers):
    """complex128, for the complex step. Meant for analytic primitives near the real axis."""

    def constant(self, value: Any) -> complex:
        return complex(to_float(value))

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        function = primitive.complex or primitive.array
        given = () if parameter is None else (parameter,)
        with np.errstate(all="ignore"):
            try:
                return function(*operands, *given)
            except TypeError:  # NumPy has no complex floor, remainder or heaviside
                if any(np.any(np.imag(operand)) for operand in operands):
                    raise MethodError(f"`{primitive.name}` is not defined for complex numbers") from None
                return primitive.array(*map(np.real, operands), *given) + 0j


COMPLEX = ComplexNumbers()


def straight_line(graph: Graph) -> Callable[..., Any]:
    """The graph as straight-line Python on complex numbers. It calls `cmath` where `cmath` has the function."""
    primitives = {node.primitive for node in graph.nodes if node.operands}
    functions = {p.name: getattr(cmath, p.name, None) or p.complex or p.array for p in primitives}
    return compile_python(graph, COMPLEX, functions)
