"""A graph as LaTeX, a line for each operation."""

from __future__ import annotations

from typing import Any

from adlab.arithmetic.symbols import SYMPY
from adlab.display import withheld
from adlab.display.table import in_latex
from adlab.graph.compound import refuse_bodies
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive, number_text
from adlab.text.latex import formula_in_latex

MOST_LINES = 200
"""Lines that are typeset; MathJax takes seconds for more."""


def to_latex(graph: Graph) -> str:
    """One aligned line for each operation. Beyond 200 only the size is given, since more would hang a browser.

    >>> import sympy
    >>> from adlab.graph.lowering import lower
    >>> x = sympy.Symbol("x", real=True)
    >>> print(to_latex(lower([sympy.sin(x)], [x])))
    \\begin{aligned}
    v_{1} &= \\sin{\\left(x \\right)}
    \\end{aligned}
    """
    refuse_bodies(graph, "LaTeX")
    from sympy import Symbol, latex

    if len(graph.operations) > MOST_LINES:
        return withheld(len(graph.operations))
    rows = []
    for i in graph.operations:
        primitive, operands, parameter = graph.nodes[i]
        letters = [
            Symbol(graph.names[o], real=True) if graph.nodes[o].operands or o < len(graph.inputs)
            else SYMPY.constant(graph.nodes[o].parameter)
            for o in operands
        ]  # fmt: skip
        rows.append(f"{latex(Symbol(graph.names[i]))} &= {_applied(primitive, parameter, letters)}")
    last = graph.operations[-1:]
    if tuple(graph.outputs) != tuple(last):
        outputs = ", ".join(latex(Symbol(graph.names[o])) if graph.nodes[o].operands or o < len(graph.inputs)
                            else number_text(graph.nodes[o].parameter) for o in graph.outputs)  # fmt: skip
        rows.append(rf"\text{{outputs}} &: {outputs}")
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _applied(primitive: Primitive, parameter: Parameter, letters: list[Any]) -> str:
    """One operation on letters; in adlab's own words where SymPy cannot build it, such as 1/0."""
    try:
        return formula_in_latex(SYMPY.apply(primitive, parameter, letters))
    except (ArithmeticError, ValueError, TypeError):
        return rf"\text{{{in_latex(primitive.written(tuple(map(str, letters)), parameter))}}}"
