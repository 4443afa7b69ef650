"""Pullbacks as Python functions that write nodes: a reverse sweep over the nodes of a new graph calls them.

A program of n operations needs about n pullbacks. Walking each rule's graph again would take most of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from adlab.graph.graph import Node
from adlab.graph.rules import pullback
from adlab.graph.simplify import LAWS
from adlab.primitives.primitive import Parameter, Primitive
from adlab.primitives.table import CONSTANT

Writer = Callable[..., tuple[int | None, ...]]


@cache
def writer(primitive: Primitive, parameter: Parameter, wanted: tuple[bool, ...]) -> Writer:
    """A pullback as a Python function. It takes a builder and the positions of the rule's inputs, and writes the nodes.

    It returns, for each wanted operand, the position of what that operand receives. None stands for the others, and for 0.
    """
    rule = pullback(primitive, parameter)
    outputs = [o if want and not _is_zero(rule.nodes[o]) else None for o, want in zip(rule.outputs, wanted, strict=True)]
    needed = set(outputs)
    for i in reversed(rule.operations):
        needed.update(rule.nodes[i].operands if i in needed else ())
    count = len(rule.inputs)
    source = [f"def write(on, {', '.join(f'v{i}' for i in range(count))}):"]
    namespace: dict[str, Any] = {}
    for i, node in enumerate(rule.nodes[count:], count):
        if i in needed:
            source.append(f"    v{i} = {_written(i, node, namespace)}")
    source.append(f"    return ({' '.join('None,' if o is None else f'v{o},' for o in outputs)})")
    exec(compile("\n".join(source), "<adlab pullback>", "exec"), namespace)  # text that adlab itself has just written
    write: Writer = namespace["write"]
    return write


def _written(i: int, node: Node, namespace: dict[str, Any]) -> str:
    """The call that adds this node to the builder `on`. Functions that it needs go into `namespace`."""
    primitive, operands, parameter = node
    if not operands:
        namespace[f"constant{i}"] = parameter
        return f"on.constant(constant{i})"
    places = "".join(f"v{operand}, " for operand in operands)
    law, namespace[f"parameter{i}"] = LAWS.get(primitive), parameter
    namespace[f"apply{i}"] = primitive if law is None else law
    return f"on.cons(apply{i}, ({places}), parameter{i})" if law is None else f"apply{i}(on, ({places}), parameter{i})"


def _is_zero(node: Node) -> bool:
    return node.primitive is CONSTANT and node.parameter == 0
