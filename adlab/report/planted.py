"""Plants a fault on purpose, to see which check finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sympy

from adlab.errors import OptionError
from adlab.function import Function, as_function
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Primitive
from adlab.primitives.reader import parse


def planted(f: Any, fault: Mapping[str, Any] | Graph | Function) -> Function:
    """A copy of f whose graph is wrong on purpose, while its expression stays right. For teaching, and for testing checks.

    `fault` maps primitives to wrong partials. A partial is a text or an expression in the operands `a`, `b`, `c` and the result
    `out`; a primitive with several operands gets a list. Or `fault` is another function, or its graph, which then replaces f's
    graph. Neither f nor adlab's table changes. Raises OptionError for a primitive that f does not use, for a wrong number of
    partials, and for a graph with other inputs.

    >>> wrong = planted("sin(x)", {"sin": "-cos(a)"})
    >>> wrong.gradient([0.0])                                  # the rule has the wrong sign
    array([-1.])
    >>> wrong.gradient([0.0], method="central-difference")     # a difference of values uses no rule
    array([1.])
    >>> planted("sin(x)", Function("cos(x)"))([0.0])           # here the values are wrong as well
    1.0
    """
    right: Function = as_function(f)
    if isinstance(fault, Mapping):
        return right.with_graph(_ruled(right.graph, fault))
    graph = fault.graph if isinstance(fault, Function) else fault
    if not isinstance(graph, Graph) or graph.inputs != right.graph.inputs or len(graph.outputs) != right.m:
        raise OptionError("the graph to plant must have the inputs of f, in the same order, and as many outputs")
    return right.with_graph(graph)


def _ruled(graph: Graph, rules: Mapping[str, Any]) -> Graph:
    """The graph with other partials for the named primitives."""
    used = {node.primitive.name: node.primitive for node in graph.nodes if node.operands}
    unknown = [name for name in rules if name not in used]
    if unknown:
        raise OptionError(f"f has no operation `{unknown[0]}`; it has {', '.join(sorted(used))}")
    wrong = {name: _wrong(used[name], rule) for name, rule in rules.items()}
    nodes = [
        node._replace(primitive=wrong[node.primitive.name]) if node.operands and node.primitive.name in wrong else node
        for node in graph.nodes
    ]
    return replace(graph, nodes=tuple(nodes))


def _wrong(primitive: Primitive, rule: Any) -> Primitive:
    given = list(rule) if isinstance(rule, (list, tuple)) else [rule]
    if callable(primitive.partials) or len(given) != len(primitive.partials):
        due = "a fixed number of" if callable(primitive.partials) else str(len(primitive.partials))
        raise OptionError(f"`{primitive.name}` takes {due} partials, and {len(given)} are given")
    letters: dict[Any, Any] = {letter.name: letter for letter in sympy.symbols("a b c out", real=True)}
    try:
        read = [parse(each) if isinstance(each, str) else sympy.sympify(each, strict=True) for each in given]
    except sympy.SympifyError:
        raise OptionError(f"a partial of `{primitive.name}` is a text or an expression, not {rule!r}") from None
    partials = tuple(each.xreplace({s: letters.get(s.name, s) for s in each.free_symbols}) for each in read)
    return replace(primitive, partials=partials)
