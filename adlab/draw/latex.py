"""A graph as LaTeX, a line for each operation."""

from __future__ import annotations

from adlab.arithmetic.symbols import SYMPY
from adlab.display import withheld
from adlab.graph.compound import refuse_bodies
from adlab.graph.graph import Graph
from adlab.primitives.primitive import number_text

MOST_LINES = 200


def to_latex(graph: Graph) -> str:
    """One aligned line for each operation; withheld, with its size, beyond 200 (it would hang a browser).

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
        rows.append(f"{latex(Symbol(graph.names[i]))} &= {latex(SYMPY.apply(primitive, parameter, letters))}")
    last = graph.operations[-1:]
    if tuple(graph.outputs) != tuple(last):
        outputs = ", ".join(latex(Symbol(graph.names[o])) if graph.nodes[o].operands or o < len(graph.inputs)
                            else number_text(graph.nodes[o].parameter) for o in graph.outputs)  # fmt: skip
        rows.append(rf"\text{{outputs}} &: {outputs}")
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"
