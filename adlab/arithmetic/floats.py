"""binary64, one number at a time: operation by operation, or compiled to straight-line Python.

Every operation is within 1 ulp of its value, as the platform's `math` is. Gamma, its kin and powers are within a few ulps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from adlab import native
from adlab.arithmetic.numbers import Numbers, Values, evaluate, rule_inputs
from adlab.arithmetic.straight_line import python_source
from adlab.graph import rules
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive, to_float

OnFloats = Callable[..., tuple[float, ...]]


class Floats(Numbers):
    """binary64, one number at a time, under IEEE rules: NaN outside a domain, infinity at an overflow."""

    def constant(self, value: Any) -> float:
        return to_float(value)

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[float]) -> float:
        return primitive.value(operands, parameter)

    def partials(self, graph: Graph, position: int, values: Values[float]) -> Sequence[float | None]:
        primitive, _, parameter = graph.nodes[position]
        found = _compiled(rules.partials, primitive, parameter)(*rule_inputs(graph, position, values))
        return [partial or None for partial in found] if primitive.routes else found

    def pullback(self, graph: Graph, position: int, values: Values[float], bar: float) -> Sequence[float | None]:
        """By the rule for bar × partial as a whole, in which bar × 1/b is bar/b. A derivative program has the same operations."""
        primitive, operands, parameter = graph.nodes[position]
        if primitive.routes:  # an operand that is not used gets nothing, not even 0 × its infinite partial
            return super().pullback(graph, position, values, bar)
        given = [values[operand] for operand in operands]
        return _compiled(rules.pullback, primitive, parameter)(*given, values[position], bar)


FLOATS = Floats()


def compile_python(graph: Graph, arithmetic: Numbers = FLOATS, functions: Mapping[str, Any] = MappingProxyType({})) -> OnFloats:
    """A function from the inputs, as floats, to the tuple of outputs. It never raises.

    For another `arithmetic` on Python's numbers, `functions` says what is called for a primitive of that name.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> compile_python(lower([sympy.exp(x), 1 / x], [x]))(1000.0)
    (inf, 0.001)
    """

    def walked(*inputs: float) -> tuple[float, ...]:
        values = evaluate(graph, inputs, arithmetic)
        return tuple([values[output] for output in graph.outputs])

    namespace: dict[str, Any] = {"inf": math.inf, "nan": math.nan, "walked": walked, "compound": arithmetic.compound, **functions}
    source = python_source(graph, namespace)
    exec(compile(source, "<adlab program>", "exec"), namespace)  # text that adlab itself has just written
    program: OnFloats = namespace["program"]
    return program


compiled_rule = cache(compile_python)
"""For the rules of the table: kept as long as the table."""


@cache
def _compiled(rule: Callable[..., Graph], primitive: Primitive, parameter: Parameter) -> OnFloats:
    return compiled_rule(rule(primitive, parameter))


if native.core is None:  # it has rules of its own
    for _common in rules.COMMON:
        compiled_rule(rules.pullback(*_common))
