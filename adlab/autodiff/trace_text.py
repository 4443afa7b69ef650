"""A trace as tables and LaTeX: the forward table from the top down, the reverse table from the bottom up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adlab.display import Table

if TYPE_CHECKING:
    from adlab.autodiff.trace import Trace

MOST_ROWS = 200


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.10g}"


def forward_table(trace: Trace) -> Table:
    """Node, how it is computed, its value, its local partials, and its tangent where a direction was given."""
    head = ["node", "=", "primal", "local partials"] + (["tangent"] if trace.tangents is not None else [])
    rows = []
    graph, names = trace.graph, trace.graph.names
    for node in trace.shown[:MOST_ROWS]:
        operands = graph.nodes[node].operands
        partials = [
            f"∂/∂{names[operand]} = " + (letters if letters == number(partial) else f"{letters} = {number(partial)}")
            for operand, letters, partial in zip(
                operands, trace.letters(node), trace.partials.get(node, ()), strict=False
            )
            if graph.active[operand]
        ]
        row = [names[node], graph.written(node) if operands else "input", number(trace.primals[node])]
        row.append("; ".join(partials))
        if trace.tangents is not None:
            row.append(number(trace.tangents.get(node, 0.0)))
        rows.append(row)
    return Table("forward: values and local partials", head, rows)


def reverse_table(trace: Trace) -> Table:
    """From the output back: each adjoint, and the contributions that it is the sum of."""
    names = trace.graph.names
    rows = []
    for node in reversed([n for n in trace.shown if trace.graph.active[n]][-MOST_ROWS:]):
        parts = []
        for c in trace.into(node):
            part = f"{names[c.source]}: {number(trace.adjoints[c.source])} × {number(c.partial)} = {number(c.value)}"
            parts.append(part + (f" → sum {number(c.sum_after)}" if len(trace.into(node)) > 1 else ""))
        seed = "seed" if node == trace.graph.outputs[trace.output] else ""
        received = "; ".join([*([seed] if seed else []), *parts]) or "nothing reaches it"
        rows.append([names[node], number(trace.adjoints.get(node, 0.0)), received])
    head = ["node", "adjoint", "contributions, in the order in which they arrive"]
    return Table("reverse: adjoints, from the output back", head, rows, notes=_left_out(trace))


def _left_out(trace: Trace) -> list[str]:
    more = len(trace.shown) - MOST_ROWS
    return [f"({more} more nodes not shown)"] if more > 0 else []


def as_latex(trace: Trace) -> str:
    """Two arrays; names become v_{1}, adjoints \\bar v_{1}."""
    from adlab.display import withheld

    if len(trace.shown) > MOST_ROWS:
        return withheld(len(trace.graph.operations))
    forward = [_latex_forward(trace, node) for node in trace.shown]
    reverse = [_latex_reverse(trace, node) for node in reversed(trace.shown)]
    return "\n".join(
        f"\\begin{{array}}{{{columns}}}\n" + " \\\\\n".join(rows) + "\n\\end{array}"
        for columns, rows in (("lll" if trace.tangents is None else "llll", forward), ("lll", reverse))
    )


def _latex_name(trace: Trace, node: int) -> str:
    from sympy import Symbol, latex

    return str(latex(Symbol(trace.graph.names[node])))


def _latex_forward(trace: Trace, node: int) -> str:
    cells = [_latex_name(trace, node), _latex_operation(trace, node), number(trace.primals[node])]
    if trace.tangents is not None:
        cells.append(number(trace.tangents.get(node, 0.0)))
    return " & ".join(cells)


def _latex_reverse(trace: Trace, node: int) -> str:
    seed = [r"\text{seed}"] if node == trace.graph.outputs[trace.output] else []
    parts = " + ".join([*seed, *(f"({number(c.value)})" for c in trace.into(node))]) or r"\text{nothing reaches it}"
    return rf"\bar{{{_latex_name(trace, node)}}} & {parts} & {number(trace.adjoints.get(node, 0.0))}"


def _latex_operation(trace: Trace, node: int) -> str:
    from sympy import Symbol, latex

    from adlab.arithmetic.symbols import SYMPY

    primitive, operands, parameter = trace.graph.nodes[node]
    if not operands:
        return r"\text{input}"
    letters = [Symbol(trace.graph.names[operand], real=True) for operand in operands]
    return str(latex(SYMPY.apply(primitive, parameter, list(letters))))
