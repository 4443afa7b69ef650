"""A graph in the languages of other tools: Graphviz and Mermaid.

Inputs, constants, operations and outputs have shapes of their own, and an operand that is used twice has two edges. Both
functions write one line for each node and edge, in order, for a graph of any size. What a tool makes of a hundred thousand
nodes is not adlab's business: Mermaid stops at 500 edges unless `maxEdges` is raised.

>>> from adlab.graph.lowering import lower
>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> square = lower([sympy.Mul(x, x, evaluate=False)], [x])
>>> print(to_dot(square))
digraph {
  node [shape=box, style=rounded];
  n0 [label="x", shape=ellipse];
  n1 [label="v1 = x*x", peripheries=2];
  n0 -> n1;
  n0 -> n1;
}
>>> print(to_mermaid(square))
flowchart TB
  n0(["x"])
  n1[["v1 = x#42;x"]]
  n0 --> n1
  n0 --> n1
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from adlab.graph.graph import Graph

# Mermaid reads the text of a node as Markdown (mermaid-js/mermaid#5824) and as HTML. Characters that either could take for
# markup, or that
# would end the text, are written as character numbers.
_MERMAID_MARKUP = re.compile(r"[^\w =+/(),.\-]|_|\.$|^[-+](?= )")


def to_dot(graph: Graph) -> str:
    """The graph in Graphviz's language."""
    return "\n".join(["digraph {", "  node [shape=box, style=rounded];", *_dot_lines(graph), "}"])


def _dot_lines(graph: Graph) -> Iterator[str]:
    outputs = set(graph.outputs)
    for i, text in enumerate(_texts(graph)):
        look = ["", ", shape=ellipse", ", style=dashed"][_kind(graph, i)]
        double = ", peripheries=2" if i in outputs else ""
        yield f"  n{i} [label={_dot_string(text)}{look}{double}];"
    for source, target in _edges(graph):
        yield f"  n{source} -> n{target};"


def _dot_string(text: str) -> str:
    """A text in quotes. A backslash would begin one of Graphviz's own escapes: `\\N` is the name of the node."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def to_mermaid(graph: Graph) -> str:
    """The graph in Mermaid's language, which Markdown pages render."""
    return "\n".join(["flowchart TB", *_mermaid_lines(graph)])


def _mermaid_lines(graph: Graph) -> Iterator[str]:
    outputs, dashed = set(graph.outputs), False
    for i, text in enumerate(_texts(graph)):
        kind = _kind(graph, i)
        dashed = dashed or kind == CONSTANTS
        left, right = ("[[", "]]") if i in outputs else [("(", ")"), ("([", "])"), ("[", "]")][kind]
        mark = ":::constant" if kind == CONSTANTS else ""
        yield f'  n{i}{left}"{_MERMAID_MARKUP.sub(_entity, text)}"{right}{mark}'
    for source, target in _edges(graph):
        yield f"  n{source} --> n{target}"
    if dashed:
        yield "  classDef constant stroke-dasharray: 3 2"


def _entity(found: re.Match[str]) -> str:
    return f"#{ord(found[0])};" if found[0].isprintable() else " "


OPERATIONS, INPUTS, CONSTANTS = range(3)


def _kind(graph: Graph, position: int) -> int:
    if position < len(graph.inputs):
        return INPUTS
    return OPERATIONS if graph.nodes[position].operands else CONSTANTS


def _texts(graph: Graph) -> Iterator[str]:
    for i, name in enumerate(graph.names):
        yield f"{name} = {graph.written(i)}" if graph.nodes[i].operands else name


def _edges(graph: Graph) -> Iterator[tuple[int, int]]:
    for i in graph.operations:
        for operand in graph.nodes[i].operands:
            yield operand, i
