"""A graph as straight-line Python on floats: no more than one call of a `math` function for each operation.

`math` raises where IEEE arithmetic goes on, so the program runs at full speed and any exception sends the point
through the walk under IEEE rules instead: same result wherever both have one. Every operation is within 1 ulp of
its value but for gamma, its kin and powers (a few ulp), as the platform's `math` is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.graph import rules
from adlab.graph.arithmetic import FLOATS, evaluate
from adlab.graph.compile.constants import constants
from adlab.graph.graph import Graph, Node

FloatArray = npt.NDArray[np.float64]
Program = Callable[..., tuple[float, ...]]

# What Python writes shorter than a call, with the meaning that `numerics` gives it: a condition on NaN is NaN.
_COMPARED = "(1.0 if {{0}} {0} {{1}} else nan if {{0}} != {{0}} or {{1}} != {{1}} else 0.0)"
_INLINE = {
    "lt": _COMPARED.format("<"),
    "le": _COMPARED.format("<="),
    "gt": _COMPARED.format(">"),
    "ge": _COMPARED.format(">="),
    "eq": _COMPARED.format("=="),
    "ne": "(nan if {0} != {0} or {1} != {1} else 1.0 if {0} != {1} else 0.0)",
    "and": "(0.0 if {0} == 0.0 or {1} == 0.0 else {0}*{1})",
    "or": "(1.0 if {0} == 1.0 or {1} == 1.0 else {0}*{1})",
    "not": "1.0 - {0}",
    "select": "({2} if {0} == 0.0 else {1} if {0} == {0} else nan)",
    "min": "({0} if {0} < {1} or {0} != {0} else {1})",
    "max": "({0} if {0} > {1} or {0} != {0} else {1})",
}
_POWERS = {2: "{0}*{0}", 3: "{0}*{0}*{0}"}


def compile_python(graph: Graph) -> Program:
    """A function from the inputs, as floats, to the tuple of outputs; it never raises.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> compile_python(lower([sympy.exp(x), 1 / x], [x]))(1000.0)
    (inf, 0.001)
    """

    def walked(*inputs: float) -> tuple[float, ...]:
        values = evaluate(graph, inputs, FLOATS)
        return tuple([values[output] for output in graph.outputs])

    namespace: dict[str, Any] = {"inf": math.inf, "nan": math.nan, "walked": walked}
    source = python_source(graph, namespace)
    exec(compile(source, "<adlab program>", "exec"), namespace)  # text that adlab itself has just written
    program: Program = namespace["program"]
    return program


compiled_rule = cache(compile_python)
"""For the rules of the table, which live as long as it does."""


def python_source(graph: Graph, namespace: dict[str, Any]) -> str:
    """The text of that function; what it calls is put into `namespace`."""
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


class PythonKernel:
    """Points one by one."""

    name = "python"

    def __init__(self, graph: Graph) -> None:
        self.width = len(graph.outputs)
        self.call = compile_python(graph)

    def batch(self, points: FloatArray) -> FloatArray:
        """(N, inputs) → (N, outputs)."""
        return np.array([self.call(*row) for row in points.tolist()], dtype=float).reshape(len(points), self.width)

    def bind(self, x: FloatArray, out: FloatArray) -> Callable[[], None]:
        """A step from the buffer `x` to the buffer `out`."""

        def step() -> None:
            for i, row in enumerate(x.tolist()):
                out[i] = self.call(*row)

        return step


for _common in rules.COMMON:
    compiled_rule(rules.pullback(*_common))
