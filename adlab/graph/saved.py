"""A graph as JSON and back: a flat list of nodes. Each has the primitive's name, its operands and its parameter.

Reading evaluates nothing. A parameter is a number, exact as written, or one of SymPy's named constants. The checker looks at the
whole graph before anybody uses it.

>>> from adlab.graph.lowering import lower
>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> written = to_data(lower([sympy.pi * x**3], [x]))
>>> written["nodes"]
[['constant', [], {'named': 'pi'}], ['powi', [0], 3], ['mul', [1, 2], None]]
>>> str(from_data(written)) == str(lower([sympy.pi * x**3], [x]))
True
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import sympy

from adlab.errors import GraphError, OutputError, UnsupportedExpression
from adlab.graph.compound import refuse_bodies
from adlab.graph.graph import Graph, Node
from adlab.primitives.table import CONSTANT, INPUT, PRIMITIVES

NAMED = {"pi": sympy.pi, "E": sympy.E, "EulerGamma": sympy.EulerGamma, "Catalan": sympy.Catalan,
         "GoldenRatio": sympy.GoldenRatio}  # fmt: skip


def to_data(graph: Graph) -> dict[str, Any]:
    """The graph as data for `json`.

    Raises UnsupportedExpression for operations with bodies and for unknown kinds of constants.
    """
    refuse_bodies(graph, "a saved graph")
    computed = graph.nodes[len(graph.inputs) :]
    nodes = [[node.primitive.name, list(node.operands), _parameter(node.parameter)] for node in computed]
    return {"inputs": list(graph.inputs), "nodes": nodes, "outputs": list(graph.outputs)}


VERSION, DECLARING = 1, 2
"""The versions of the file format: of most files, and of a file whose variables have declared signs, which older code ignores."""


def write(path: str | Path, function: dict[str, Any], options: dict[str, Any] | None = None) -> None:
    """Writes a function, and the options that it was compiled with, to a file. Raises OutputError where that fails."""
    version = DECLARING if _declares(function) else VERSION
    put(path, json.dumps({"adlab": version, "function": function, "compile": options}) + "\n")


def _declares(function: dict[str, Any] | None) -> bool:
    """Whether a variable of the function, or of the one that it differentiates, has a declared sign."""
    return function is not None and ("declared" in function or _declares(function["within"]))


def put(path: str | Path, text: str) -> None:
    """Writes a text file. Raises OutputError where that cannot be done."""
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as wrong:
        raise OutputError(f"{path} cannot be written: {wrong.strerror or wrong}") from wrong


def from_data(data: Any) -> Graph:
    """The graph, checked. Raises GraphError where the data is not a graph."""
    try:
        inputs = tuple(map(_text, data["inputs"]))
        nodes = [Node(INPUT, (), name) for name in inputs]
        for name, operands, parameter in data["nodes"]:
            if name != CONSTANT.name and name not in PRIMITIVES:
                raise GraphError(f"the file has an operation `{name}`, which this adlab does not know; register it first")
            primitive = CONSTANT if name == CONSTANT.name else PRIMITIVES[name]
            nodes.append(Node(primitive, tuple(map(_whole, operands)), _read(parameter)))
        graph = Graph(inputs, tuple(nodes), tuple(map(_whole, data["outputs"])))
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError) as wrong:
        if isinstance(wrong, GraphError):
            raise
        raise GraphError(f"the file does not hold a graph: {wrong!r}") from wrong
    if len(set(inputs)) < len(inputs):
        raise GraphError("two inputs of the saved graph have the same name")
    return graph.check()


def _parameter(value: Any) -> Any:
    if value is None or type(value) is int:
        return value
    if isinstance(value, Fraction):
        return {"fraction": [value.numerator, value.denominator]}
    if isinstance(value, float):
        return {"float": value.hex()}
    for name, number in NAMED.items():
        if value == number:
            return {"named": name}
    raise UnsupportedExpression(f"the constant {value!r} has no form in a file; write it as a number")


def _read(value: Any) -> Any:
    if value is None or type(value) is int:
        return value
    [(kind, content)] = value.items()
    if kind == "fraction":
        return Fraction(_whole(content[0]), _whole(content[1]))
    if kind == "float":
        return float.fromhex(content)
    if kind == "named":
        return NAMED[content]
    raise GraphError(f"a parameter of kind {kind!r} is none of fraction, float, named")


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise GraphError(f"{value!r} stands where a whole number must")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise GraphError(f"{value!r} stands where a name must")
    return value
