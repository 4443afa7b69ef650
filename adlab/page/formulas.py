"""A function in writing: as a text that adlab reads again, in MathML, and as the command that makes its page."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any

from adlab.errors import AdlabError
from adlab.function import Function
from adlab.graph.graph import Graph
from adlab.page.facts import MOST_BOXES
from adlab.symbolic.treesize import Distinct

LARGEST_FORMULA = 4000
"""The longest formula, in characters, that is written out: as a text, or in MathML."""
SHORT_FORMULA, FEW = 400, 40
"""The longest formula, in characters, and the largest number of coordinates that stand in the command below a page."""


def formula_text(f: Function) -> str | list[str]:
    """The formula as a text from which adlab makes the same graph, node by node; empty where there is none.

    A file of answers names nodes. So whoever grades it must find the same ones. Of several outputs each has its text.
    """
    if not f.readable or len(f.graph.operations) > MOST_BOXES or Distinct.of(f.outputs).tree_nodes > LARGEST_FORMULA:
        return ""  # a part that occurs many times is written as many times: of a short graph that may be without end
    single: list[Callable[[], list[str]]] = [lambda: [f.written]] if f.m == 1 else []
    for texts in (*single, lambda: [str(output) for output in f.outputs], lambda: [nested(f.graph, k) for k in range(f.m)]):
        written = texts()
        if 0 < len("".join(written)) <= LARGEST_FORMULA and _same_graph(written, f):
            return written[0] if f.m == 1 else written
    return ""


def nested(graph: Graph, output: int = 0) -> str:
    """One output of the graph as one text, every operation in brackets.

    >>> nested(Function("x*y + sin(x)").graph)
    '((x*y) + sin(x))'
    """
    written: dict[str, str] = {}
    for i in graph.operations:
        text = re.sub(r"(?<![\w.])[^\W\d]\w*", lambda found: written.get(found[0], found[0]), graph.written(i))
        written[graph.names[i]] = text if re.fullmatch(r"\w+\(.*\)", text) and not graph.nodes[i].primitive.operator else f"({text})"
        if len(text) > LARGEST_FORMULA:
            return text
    return written.get(graph.names[graph.outputs[output]], graph.names[graph.outputs[output]])


def _same_graph(texts: list[str], f: Function) -> bool:
    try:
        again = Function(texts, f.names).graph
        return (again.nodes, again.outputs) == (f.graph.nodes, f.graph.outputs)
    except AdlabError:
        return False


def command(f: Function, point: Any) -> str:
    """What makes this page again: a command where the formula is short, else a line of Python."""
    text = formula_text(f)
    if isinstance(text, str) and text and len(text) <= SHORT_FORMULA and '"' not in text:
        at = " ".join(f"{name}={float(x)!r}" for name, x in zip(f.names, point, strict=True))
        return f'adlab page "{text}" --at {at} --out page.html'
    given = f"{[float(x) for x in point]}" if f.n <= FEW else "x"
    if isinstance(text, list) and len("".join(text)) <= SHORT_FORMULA:
        return f'adlab.page(adlab.Function({text}, {list(f.names)}), {given}, out="page.html")'
    return f'adlab.page(f, {given}, out="page.html")  # f: {f.title}'


def mathml_of(f: Function) -> str:
    """The formula in MathML where it is short, else as text."""
    from sympy import mathml

    plain = all(re.fullmatch(r"[^\W\d]\w*", name) for name in f.names)  # SymPy's printer turns other names into markup
    short = f.n <= 12 and len(f.graph.operations) <= 60
    try:
        parts = [mathml(output, printer="presentation") for output in f.outputs] if plain and short and f.readable else []
    except Exception:  # a function that SymPy's printer does not know
        parts = []
    written = "<mo>,</mo>".join(parts)
    written = f"<mrow><mo>(</mo>{written}<mo>)</mo></mrow>" if len(parts) > 1 else written
    if not written or len(written) > LARGEST_FORMULA:
        return f"<code>{escape(f.title)}</code>"
    return f'<math display="inline"><mi>f</mi><mo>=</mo>{written}</math>'
