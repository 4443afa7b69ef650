"""A graph as Python source to paste elsewhere."""

from __future__ import annotations

import keyword
import math
import re

from adlab.graph.compound import refuse_bodies
from adlab.graph.graph import Graph
from adlab.primitives.primitive import to_float


def to_python(graph: Graph, name: str = "f") -> str:
    """A function of floats that returns its one output, or the tuple of them; runs by itself.

    It raises as `math` does: ValueError or ZeroDivisionError outside the domain, OverflowError beyond binary64. With
    branches, of which the one not taken may have no value, it computes under IEEE rules instead and returns NaN.

    >>> import sympy
    >>> from adlab.graph.lowering import lower
    >>> x = sympy.Symbol("x", real=True)
    >>> print(to_python(lower([sympy.sin(x) / x], [x])))
    from math import sin
    <BLANKLINE>
    <BLANKLINE>
    def f(x):
        v1 = sin(x)
        v2 = v1/x
        return v2
    <BLANKLINE>
    """
    refuse_bodies(graph, "Python source")
    letters = _identifiers(graph)
    branches = any(graph.nodes[i].primitive.routes for i in graph.operations)
    lines = []
    for i in graph.operations:
        primitive, operands, parameter = graph.nodes[i]
        words = [letters[operand] for operand in operands]
        if primitive.operator and not (branches and primitive.name == "div"):
            right = primitive.written(tuple(words))
        elif primitive.name == "powi" and not branches:
            right = f"{words[0]}**{parameter}"
        else:
            order = [] if parameter is None else [repr(parameter) if isinstance(parameter, int) else repr(to_float(parameter))]
            right = f"{_callable(primitive.name)}({', '.join([*words, *order])})"
        lines.append(f"    {letters[i]} = {right}")
    results = ", ".join(letters[output] for output in graph.outputs)
    head = f"def {_identifier(name, 'f')}({', '.join(letters[: len(graph.inputs)])}):"
    return "\n".join([*_imports(graph, branches), head, *lines, f"    return {results}", ""])


def _identifier(name: str, otherwise: str) -> str:
    word = re.sub(r"\W+", "_", name.split(" (")[0]).strip("_")
    return word if word.isidentifier() and not keyword.iskeyword(word) else otherwise


def _identifiers(graph: Graph) -> list[str]:
    """Names that Python accepts: an input's own where it can, x0, x1, … where not all can."""
    own = all(name.isidentifier() and not keyword.iskeyword(name) for name in graph.inputs)
    clash = {"float", *(node.primitive.name for node in graph.nodes if node.operands)} & set(graph.inputs)
    letters = list(graph.names)
    if not own or clash:
        letters[: len(graph.inputs)] = [f"x{i}" for i in range(len(graph.inputs))]
        operations = iter(range(1, len(graph) + 1))
        for i in graph.operations:
            letters[i] = f"v{next(operations)}"
    for i, node in enumerate(graph.nodes[len(graph.inputs) :], len(graph.inputs)):
        if not node.operands:
            value = to_float(node.parameter)
            letters[i] = f"({value!r})" if value < 0 else repr(value) if math.isfinite(value) else f'float("{value}")'
    return letters


def _callable(name: str) -> str:
    return name + "_" * keyword.iskeyword(name)


def _imports(graph: Graph, branches: bool) -> list[str]:
    """From `math` what is there under the same name, the rest (with branches, all of it) from adlab's table."""
    used = {node.primitive for node in graph.nodes if node.operands}
    used = {p for p in used if (not p.operator and p.name != "powi") or (branches and p.name in ("div", "powi"))}
    plain = sorted(p.name for p in used if getattr(math, p.name, None) is p.scalar and not branches)
    others = sorted(p.name for p in used if p.name not in plain)
    lines = [f"from math import {', '.join(plain)}"] if plain else []
    if others:
        form = "careful" if branches else "scalar"
        lines += ["from adlab.primitives.table import PRIMITIVES", ""]
        lines += [f'{_callable(name)} = PRIMITIVES["{name}"].{form}' for name in others]
    return [*lines, "", ""] if lines else []
