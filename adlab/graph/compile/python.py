"""A graph as straight-line Python on floats.

`math` raises where IEEE arithmetic goes on, so the program runs at full speed and any exception sends the point
through the walk under IEEE rules instead: same result wherever both have one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from adlab.graph.arithmetic import FLOATS, evaluate, to_float
from adlab.graph.graph import Graph

Program = Callable[..., tuple[float, ...]]


@cache
def compile_python(graph: Graph) -> Program:
    """A function from the inputs, as floats, to the tuple of outputs.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> compile_python(lower([sympy.exp(x), 1 / x], [x]))(1000.0)
    (inf, 0.001)
    """
    namespace: dict[str, Any] = {"inf": math.inf, "nan": math.nan, "parameters": []}
    source = python_source(graph, namespace)
    exec(compile(source, "<adlab program>", "exec"), namespace)  # text that adlab itself has just written
    fast: Program = namespace["program"]

    def program(*inputs: float) -> tuple[float, ...]:
        try:
            return fast(*inputs)
        except (ValueError, ZeroDivisionError, OverflowError):
            values = evaluate(graph, inputs, FLOATS)
            return tuple([values[output] for output in graph.outputs])

    return program


def python_source(graph: Graph, namespace: dict[str, Any] | None = None, name: str = "program") -> str:
    """The text of that function; what it calls is put into `namespace`."""
    space: dict[str, Any] = {} if namespace is None else namespace
    count = len(graph.inputs)
    names = [f"x{i}" for i in range(count)]
    lines = [f"def {name}({', '.join(names)}):"]
    for i, (primitive, operands, parameter) in enumerate(graph.nodes[count:], count):
        if not operands:
            names.append(_literal(to_float(parameter)))
            continue
        letters = [names[operand] for operand in operands]
        if primitive.operator:
            right = primitive.written(tuple(letters))
        elif primitive.name == "powi" and parameter == 2:
            right = f"{letters[0]}*{letters[0]}"
        else:
            called = primitive.name + "_" * (primitive.name in _KEYWORDS)
            space.setdefault(called, primitive.scalar)
            if parameter is not None:
                constant = f"n{i}"
                space[constant] = parameter
                letters.append(constant)
            right = f"{called}({', '.join(letters)})"
        names.append(f"v{i}")
        lines.append(f"    v{i} = {right}")
    results = "".join(f"{names[output]}, " for output in graph.outputs)
    return "\n".join([*lines, f"    return ({results})", ""])


_KEYWORDS = ("and", "or", "not")


def _literal(value: float) -> str:
    return f"({value!r})" if value < 0 else repr(value)
