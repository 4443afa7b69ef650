"""A graph as the text of straight-line Python on floats. Each operation is one call of a `math` function at most.

`math` raises an exception where IEEE arithmetic goes on. So at any exception the text calls `walked`, the walk under IEEE rules.
Both give the same result wherever both have one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adlab.graph.constants import constants
from adlab.graph.graph import Graph, Node
from adlab.primitives.table import PART

# Operations that Python writes shorter than a call. They mean what `numerics` says: a condition on NaN is NaN.
_COMPARED = "(1.0 if {{0}} {0} {{1}} else nan if {{0}} != {{0}} or {{1}} != {{1}} else 0.0)"
_INLINE = {
    "lt": _COMPARED.format("<"),
    "le": _COMPARED.format("<="),
    "gt": _COMPARED.format(">"),
    "ge": _COMPARED.format(">="),
    "eq": _COMPARED.format("=="),
    "ne": "(nan if {0} != {0} or {1} != {1} else 1.0 if {0} != {1} else 0.0)",
    "and": "(0.0 if {0} == 0.0 or {1} == 0.0 else {0} if {0} < {1} or {0} != {0} else {1})",
    "or": "(1.0 if {0} == 1.0 or {1} == 1.0 else {0} if {0} > {1} or {0} != {0} else {1})",
    "not": "1.0 - {0}",
    "select": "({2} if {0} == 0.0 else {1} if {0} == {0} else nan)",
    "min": "({0} if {0} < {1} or {0} != {0} else {1})",
    "max": "({0} if {0} > {1} or {0} != {0} else {1})",
}
_POWERS = {2: "{0}*{0}", 3: "{0}*{0}*{0}"}


def python_source(graph: Graph, namespace: dict[str, Any]) -> str:
    """The text of that function. The functions that it calls are put into `namespace`."""
    count = len(graph.inputs)
    names = [f"x{i}" for i in range(count)]
    lines = list(_lines(graph, names, namespace))
    inputs = ", ".join(names[:count])
    results = "".join(f"{names[output]}, " for output in graph.outputs)
    return "\n".join([
        f"def program({inputs}):",
        "    try:",
        *lines,
        f"        return ({results})",
        "    except (ValueError, ZeroDivisionError, OverflowError):",
        f"        return walked({inputs})",
        "",
    ])


def _lines(graph: Graph, names: list[str], namespace: dict[str, Any]) -> Iterator[str]:
    known = constants(graph)
    for i, node in enumerate(graph.nodes[len(names) :], len(names)):
        if i in known:
            names.append(_literal(known[i]))
        else:
            yield f"        v{i} = {_right_hand_side(node, names, namespace)}"
            names.append(f"v{i}")


def _right_hand_side(node: Node, names: list[str], namespace: dict[str, Any]) -> str:
    primitive, operands, parameter = node
    letters = [names[operand] for operand in operands]
    if primitive is PART:
        return f"{letters[0]}[{parameter}]"
    if primitive.compound:
        operation, kept = f"operation{len(namespace)}", f"n{len(namespace)}"
        namespace[operation], namespace[kept] = primitive, parameter
        return f"compound({operation}, {kept}, [{', '.join(letters)}])"
    if primitive.operator:
        return primitive.written(tuple(letters))
    template = _POWERS.get(parameter) if primitive.name == "powi" else _INLINE.get(primitive.name)
    if template is not None:
        return template.format(*letters)
    namespace.setdefault(primitive.name, primitive.scalar)
    if parameter is not None:
        constant = f"n{len(namespace)}"
        namespace[constant] = parameter
        letters.append(constant)
    return f"{primitive.name}({', '.join(letters)})"


def _literal(value: float) -> str:
    return f"({value!r})" if value < 0 else repr(value)
