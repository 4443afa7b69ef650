"""A trace as a lesson: each line first in letters, then in numbers; forward from the inputs, reverse from the output.

v̄3 is the adjoint of v3: ∂y/∂v3 for the output y. v̇3 is its tangent: its derivative along the direction that was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import normalize

from adlab.display import Table
from adlab.text.latex import formula_in_latex

if TYPE_CHECKING:
    from adlab.autodiff.trace import Contribution, Trace

MOST_ROWS = 200
"""Lines of a trace that are printed; nobody reads more, and a browser slows down."""
BAR, DOT = "\N{COMBINING MACRON}", "\N{COMBINING DOT ABOVE}"
DIGITS_OF_JUDGE = 20
"""Decimal digits of the values that a gradient is checked against; binary64 has 17."""


def number(value: float | None, digits: int = 10) -> str:
    """A number with so many significant digits; an en dash where there is none."""
    return "–" if value is None else f"{value:.{digits}g}"


def result(trace: Trace) -> str:
    """The letter for the output: y, or another where an input is called y."""
    return next((letter for letter in "yfwu" if letter not in trace.graph.inputs), "output")


def marked(name: str, mark: str, output: str = "y") -> str:
    """The letter with a bar or a dot: v̄3. A name of several letters is written out instead: `∂y/∂alpha` for the output y.

    >>> marked("v3", BAR) == "v" + BAR + "3", marked("alpha", BAR)
    (True, '∂y/∂alpha')
    """
    if name[:1].isalpha() and not any(letter.isalpha() for letter in name[1:]):
        return name[0] + mark + name[1:]
    return f"∂{output}/∂{name}" if mark == BAR else f"d({name})"


def factor(text: str) -> str:
    """A factor of a product, in letters. It gets brackets where it is a sum or begins with a sign.

    >>> factor("cos(v3)"), factor("v3**2 + 1"), factor("-v2/z")
    ('cos(v3)', '(v3**2 + 1)', '(-v2/z)')
    """
    depth = 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter in "+-" and not depth and "e" + letter not in text:
            return f"({text})"
    return text


# --- forward --------------------------------------------------------------------------------------------------------


def forward_table(trace: Trace) -> Table:
    """Every node from the inputs on: how it is computed, its value, its local partials."""
    head = ["node", "in letters", "value", "local partials, ∂node/∂operand"]
    rows = []
    graph, names = trace.graph, trace.graph.names
    for node in trace.shown[:MOST_ROWS]:
        operands = graph.nodes[node].operands
        partials = [
            f"∂{names[node]}/∂{names[operand]} = " + (letters if letters == value else f"{letters} = {value}")
            for operand, letters, value in zip(operands, trace.letters(node),
                                               [number(p, trace.digits) for p in trace.partials.get(node, ())], strict=False)
            if graph.active[operand]
        ]  # fmt: skip
        rows.append([names[node], graph.written(node) if operands else "input", number(trace.primals[node], trace.digits),
                     "; ".join(partials)])  # fmt: skip
    if trace.lines:
        head = [*head, "source"]
        rows = [[*row, trace.lines.get(node, "")] for row, node in zip(rows, trace.shown, strict=False)]
    return Table("forward: the value of each node, and its local partials", head, rows, frozenset(["value"]), _left_out(trace))


def tangent_table(trace: Trace) -> Table:
    """The tangent of every node, one contribution on a line, with the sum so far."""
    graph, names, tangents = trace.graph, trace.graph.names, trace.tangents or {}
    rows = []
    for node in trace.shown[:MOST_ROWS]:
        mine, total = marked(names[node], DOT), 0.0
        if not graph.nodes[node].operands:
            rows.append([mine, "= the direction", "", number(tangents.get(node, 0.0), trace.digits)])
            continue
        used = [(operand, letters, partial) for operand, letters, partial in
                zip(graph.nodes[node].operands, trace.letters(node), trace.partials[node], strict=True)
                if graph.active[operand] and partial is not None]  # fmt: skip
        for operand, letters, partial in used:
            carried = tangents.get(operand, 0.0)
            total += carried * partial
            rows.append([mine, f"+= {marked(names[operand], DOT)} · {factor(letters)}",
                         f"{number(carried, trace.digits)} · {factor(number(partial, trace.digits))}",
                         number(total, trace.digits)])  # fmt: skip
    title = ("forward mode: the tangent v̇ is the derivative of a node along the direction. "
             "It is the sum of each operand's tangent times the local partial.")  # fmt: skip
    return Table(title, ["tangent", "in letters", "in numbers", "so far"], rows, frozenset(["so far"]), _left_out(trace))


# --- reverse --------------------------------------------------------------------------------------------------------


def reverse_table(trace: Trace) -> Table:
    """From the output back: the seed, then one contribution on a line, in the order of the sweep, with the sum so far."""
    graph, names, y = trace.graph, trace.graph.names, result(trace)
    output = graph.outputs[trace.output]
    rows = [[marked(names[output], BAR, y), f"= ∂{y}/∂{names[output]}", "the seed", "1"]]
    for part in trace.contributions[:MOST_ROWS]:
        rows.append(_contribution(trace, part))
    for node in trace.shown[:MOST_ROWS]:
        if graph.active[node] and node != output and not trace.into(node):
            rows.append([marked(names[node], BAR, y), "= 0", "nothing reaches it", "0"])
    title = (f"reverse mode: the adjoint v̄ of a node v is ∂{y}/∂v: how much the output {y} = {names[output]} changes when only v "
             "changes a little. It is the sum, over the nodes that use v, of their adjoint times the local partial.")  # fmt: skip
    more = len(trace.contributions) - MOST_ROWS
    notes = [f"({more} more contributions not shown)"] if more > 0 else []
    return Table(title, ["adjoint", "in letters", "in numbers", "so far"], rows, frozenset(["so far"]), notes)


def _contribution(trace: Trace, part: Contribution) -> list[str]:
    """`v̄3`, `+= v̄4 · cos(v3)`, `0.10092 · -0.41615`, the sum."""
    names, digits, y = trace.graph.names, trace.digits, result(trace)
    letters = trace.letters(part.source)[part.operand]
    return [
        marked(names[part.target], BAR, y), f"+= {marked(names[part.source], BAR, y)} · {factor(letters)}",
        f"{number(trace.adjoints[part.source], digits)} · {factor(number(part.partial, digits))}",
        number(part.sum_after, digits),
    ]  # fmt: skip


def conclusion(trace: Trace) -> str:
    """The result of the sweeps, ∇f or the derivative along the direction, and whether it is right."""
    names = trace.graph.inputs
    if trace.tangents is not None:
        slope = trace.tangents.get(trace.graph.outputs[trace.output], 0.0)
        tangents = [number(trace.tangents.get(i, 0.0), trace.digits) for i in range(len(names))]
        along = ", ".join(f"{marked(name, DOT)} = {tangent}" for name, tangent in zip(names[:8], tangents, strict=False))
        dot = normalize("NFC", result(trace) + DOT)  # one letter where Unicode has it, ẏ
        return f"{dot} = {number(slope, trace.digits)} is the derivative of f along {along}{_checked(trace, along=True)}"
    each = [number(slope, trace.digits) for slope in trace.gradient[:8]]
    more = f", … {len(names)} partials" if len(names) > 8 else ""
    written = each[0] if len(names) == 1 else f"({', '.join(each)}{more})"
    what = "f′" if len(names) == 1 else "∇f"
    where = f", the adjoint{'s' if len(names) > 1 else ''} of {', '.join(names[:8])}{', …' if len(names) > 8 else ''}"
    return f"{what} = {written}{where}{_checked(trace)}" if names else "f is a constant"


def _checked(trace: Trace, along: bool = False) -> str:
    """`, checked against …: right to 1 ulp`. Empty where there is nothing independent to check against."""
    truth = None if trace.judge is None else trace.judge()
    if truth is None:
        return ""
    if along and trace.tangents is not None:
        found = [trace.tangents.get(trace.graph.outputs[trace.output], 0.0)]
        right = [sum(t * trace.tangents.get(i, 0.0) for i, t in enumerate(truth))]
    else:
        found, right = trace.gradient, truth
    errors = [abs(mine - exact) / abs(exact) if exact else abs(mine) for mine, exact in zip(found, right, strict=True)]
    worst = max(errors, default=0.0)
    said = "every digit shown agrees" if worst < 0.5 * 10.0**-trace.digits else f"it differs by {worst:.1e}, relatively"
    return f"; checked against values of f to {DIGITS_OF_JUDGE} digits: {said}"


def _left_out(trace: Trace) -> list[str]:
    more = len(trace.shown) - MOST_ROWS
    return [f"({more} more nodes not shown)"] if more > 0 else []


# --- LaTeX ----------------------------------------------------------------------------------------------------------


def as_latex(trace: Trace) -> str:
    """Two arrays with heads: values with local partials, and adjoints with their contributions in letters and numbers."""
    from adlab.display import withheld

    if len(trace.shown) > MOST_ROWS:
        return withheld(len(trace.graph.operations))
    forward = [_latex_forward(trace, node) for node in trace.shown]
    reverse = [_latex_reverse(trace, node) for node in reversed(trace.shown)]
    tangent = [] if trace.tangents is None else [r"\text{tangent}"]
    heads = ([r"\text{node}", "=", r"\text{value}", *tangent, r"\text{local partials}"],
             [r"\text{adjoint}", r"\text{contributions}", "=", r"\text{sum}"])  # fmt: skip
    return "\n".join(_array(head, rows) for head, rows in zip(heads, (forward, reverse), strict=True))


def _array(head: list[str], rows: list[str]) -> str:
    top = " & ".join(head) + " \\\\\n\\hline\n"
    return f"\\begin{{array}}{{{'l' * len(head)}}}\n" + top + " \\\\\n".join(rows) + "\n\\end{array}"


def _latex_name(trace: Trace, node: int) -> str:
    from sympy import Symbol, latex

    return str(latex(Symbol(trace.graph.names[node])))


def _latex_forward(trace: Trace, node: int) -> str:
    cells = [_latex_name(trace, node), _latex_operation(trace, node), number(trace.primals[node], trace.digits)]
    if trace.tangents is not None:
        cells.append(number(trace.tangents.get(node, 0.0), trace.digits))
    operands = trace.graph.nodes[node].operands
    partials = [
        rf"\tfrac{{\partial {_latex_name(trace, node)}}}{{\partial {_latex_name(trace, operand)}}} = "
        + " = ".join(dict.fromkeys([_latex_partial(trace, node, k), number(trace.partials[node][k], trace.digits)]))
        for k, operand in enumerate(operands) if trace.graph.active[operand]
    ]  # fmt: skip
    return " & ".join([*cells, r",\ ".join(partials)])


def _latex_reverse(trace: Trace, node: int) -> str:
    seed = node == trace.graph.outputs[trace.output]
    parts = trace.into(node)
    letters = [rf"\bar{{{_latex_name(trace, c.source)}}} \cdot {_latex_partial(trace, c.source, c.operand, True)}" for c in parts]
    numbers = [number(c.value, trace.digits) for c in parts]
    numbers = [f"({n})" if n.startswith("-") and len(parts) + seed > 1 else n for n in numbers]
    first = " + ".join([*([r"\text{seed}"] if seed else []), *letters]) or r"\text{nothing reaches it}"
    second = " + ".join([*(["1"] if seed else []), *numbers]) or "0"
    return rf"\bar{{{_latex_name(trace, node)}}} & {first} & {second} & {number(trace.adjoints.get(node, 0.0), trace.digits)}"


def _latex_partial(trace: Trace, node: int, operand: int, in_product: bool = False) -> str:
    """The local partial in letters, typeset. It gets brackets where it is a sum."""

    expression = trace.partial_formula(node, operand)
    text = formula_in_latex(expression)
    return rf"\left({text}\right)" if in_product and (expression.is_Add or text.startswith("-")) else text


def _latex_operation(trace: Trace, node: int) -> str:
    from sympy import Symbol

    from adlab.arithmetic.symbols import SYMPY

    primitive, operands, parameter = trace.graph.nodes[node]
    if not operands:
        return r"\text{input}"
    if primitive.name in ("add", "sub") and not trace.graph.names[operands[1]].startswith("-"):  # SymPy would sort the terms
        return (" + " if primitive.name == "add" else " - ").join(_latex_name(trace, operand) for operand in operands)
    letters = [Symbol(trace.graph.names[operand], real=True) for operand in operands]
    return formula_in_latex(SYMPY.apply(primitive, parameter, list(letters)))
