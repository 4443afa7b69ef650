"""Values that are real though something on the way is not: sqrt(x)/sqrt(y) for x, y < 0.

SymPy means the principal branches, so such a value exists; the walk over the reals ends in NaN there. This one
leaves the reals where a root, a power or a logarithm needs it, and accepts only what comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adlab.graph.arithmetic import FLOATS, ComplexNumbers, evaluate
from adlab.graph.graph import Graph
from adlab.graph.primitive import Parameter, Primitive

NAN = complex("nan")
REAL = 1e-12
"""An imaginary part this small beside its number is roundoff."""


class _Principal(ComplexNumbers):
    """Floats as long as there are any, complex numbers beyond the domains of roots, powers and logarithms."""

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        operands = [complex(operand) + 0 for operand in operands]  # -0j would be on the other side of the cut
        if not any(operand.imag for operand in operands):
            value = FLOATS.apply(primitive, parameter, [operand.real for operand in operands])
            if value == value or not (primitive.principal and operands[0]):
                return complex(value)
        elif not primitive.analytic or not primitive.has_complex or (primitive.name == "div" and not operands[1]):
            return NAN
        return complex(super().apply(primitive, parameter, operands))


_PRINCIPAL = _Principal()


def real_values(graph: Graph, point: Sequence[float]) -> tuple[float, ...] | None:
    """The outputs by way of the complex plane, or None unless all of them are real.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> real_values(lower([sympy.sqrt(x) / sympy.sqrt(x - 1)], [x]), [-3.0])
    (0.8660254037844386,)
    """
    if not any(graph.nodes[i].primitive.principal for i in graph.operations):
        return None
    values = evaluate(graph, [complex(value) for value in point], _PRINCIPAL)
    found = [values[output] for output in graph.outputs]
    if all(abs(value.imag) <= REAL * abs(value) for value in found):  # false for a NaN
        return tuple(value.real for value in found)
    return None
