"""SymPy expressions: the sweeps in letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from adlab.arithmetic.numbers import Numbers, Values, evaluate, rule_inputs
from adlab.graph import rules
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive, exact_sympy


class Expressions(Numbers):
    """SymPy expressions, unevaluated, which share what the graph shares."""

    def constant(self, value: Any) -> sympy.Expr:
        return sympy.Float(value, precision=53) if isinstance(value, float) else exact_sympy(value)

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        with sympy.evaluate(False):
            given = operands if parameter is None else [*operands, exact_sympy(parameter)]
            made = primitive.form(*given)
        _ = made.is_commutative  # kept at each step; asked for once at the end, SymPy would recurse down a chain
        return made

    def partials(self, graph: Graph, position: int, values: Values[Any]) -> Sequence[Any]:
        """The rule of the table with its letters replaced. SymPy simplifies it as usual."""
        primitive, operands, parameter = graph.nodes[position]
        letters = dict(zip(rules.letters(primitive, parameter), rule_inputs(graph, position, values), strict=True))
        return [primitive.partial(k, parameter).xreplace(letters) for k in range(len(operands))]


SYMPY = Expressions()


def in_symbols(graph: Graph, variables: Sequence[sympy.Symbol]) -> tuple[sympy.Expr, ...]:
    """The outputs of a graph as SymPy expressions in these variables, one for each input."""
    values = evaluate(graph, list(variables), SYMPY)
    return tuple(values[output] for output in graph.outputs)
