"""Derivative programs: the sweeps of `sweeps`, run on the nodes of a new graph.

What they write is a graph like any other. It can be evaluated, counted, printed, compiled, and differentiated again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from adlab.arithmetic.nodes import Nodes
from adlab.autodiff.jacobian import Mode, adjoints, cheaper_mode, jacobian, tangents
from adlab.errors import OptionError
from adlab.graph import rules
from adlab.graph.collector import paused
from adlab.graph.graph import Builder, Graph
from adlab.graph.tapes import derivative_tape

WALKS = 4
"""Points at which a compiled program's graph is only walked, before anything is compiled: most programs are called once."""


def derivative(
    graph: Graph, mode: Mode | Literal["auto"] = "reverse", value: bool = False, columns: Sequence[int] | None = None
) -> Graph:
    """The program of all partials, row-major (output, then input). The values of f come first if `value` is true.

    Reverse mode sweeps once for each output, forward mode once for each input. Both share the graph's own operations, and a sweep
    visits only the operations that matter to it. Mode "auto" takes the mode with the smaller counted cost (`cheaper_mode`).
    `columns` are the inputs to differentiate by, all of them by default. Raises OptionError for another mode.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> print(derivative(lower([sympy.sin(x * y)], [x, y])))
    v1 = x*y
    v2 = cos(v1)
    v3 = y*v2
    v4 = x*v2
    outputs: v3, v4
    """
    if mode not in ("reverse", "forward", "auto"):
        raise OptionError(f'mode={mode!r} is neither "reverse", "forward" nor "auto"')
    chosen: Mode = cheaper_mode(graph, columns) if mode == "auto" else mode
    if chosen == "reverse" and columns is None and (tape := derivative_tape(graph, value)) is not None:
        return Graph.of_tape(graph.inputs, tape)
    return _swept(graph, chosen, value, columns)


@paused()
def _swept(graph: Graph, mode: Mode, value: bool, columns: Sequence[int] | None) -> Graph:
    builder = Builder.on(graph)
    numbers = Nodes(builder, guards(graph, builder))
    partials = jacobian(graph, range(len(graph)), numbers, mode, columns)
    primal = list(graph.outputs) if value else []
    return builder.finish(primal + [entry for row in partials for entry in row])


def tangent_program(graph: Graph, names: Sequence[str]) -> Graph:
    """The Jacobian times a vector, as a program. Its inputs are the graph's inputs, then the vector's entries, called `names`."""
    wide = rules.splice_all(Builder([*graph.inputs, *names], simplify=True), graph)
    count = len(graph.inputs)
    seeds = {i: count + i for i in range(count)}
    builder = Builder.on(wide)
    return builder.finish(tangents(wide, range(len(wide)), seeds, Nodes(builder, guards(wide, builder))))


def fresh(taken: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """The wanted names, with underscores added to names that are taken. All inputs of a graph must have different names.

    >>> fresh(["x", "x_dot"], ["x_dot", "y_dot"])
    ['x_dot_', 'y_dot']
    """
    used, found = set(taken), []
    for name in wanted:
        while name in used:
            name += "_"
        used.add(name)
        found.append(name)
    return found


def adjoint_program(graph: Graph, names: Sequence[str]) -> Graph:
    """A vector times the Jacobian, as a program. Its inputs are the graph's inputs, then the vector's entries, called `names`.

    The vector has an entry for each output of the graph. The program has an output for each input of the graph.
    """
    wide = rules.splice_all(Builder([*graph.inputs, *names], simplify=True), graph)
    count = len(graph.inputs)
    builder = Builder.on(wide)
    numbers = Nodes(builder, guards(wide, builder))
    bars = range(count, count + len(graph.outputs))
    return builder.finish(adjoints(wide, range(len(wide)), bars, numbers)[:count])


Nesting = Literal["forward over reverse", "reverse over forward", "reverse over reverse", "forward over forward"]
NESTINGS: tuple[Nesting, ...] = get_args(Nesting)


def hvp_program(graph: Graph, names: Sequence[str], nesting: Nesting = "forward over reverse") -> Graph:
    """The Hessian times a vector as a program, for one output. Its inputs are the graph's, then the vector's, called `names`.

    The sweep named last is run first, on f: forward over reverse pushes a tangent through the gradient program. Reverse over
    forward takes the gradient of the tangent program. Reverse over reverse pulls the vector back through the gradient program.
    Forward over forward needs a sweep for each input. All compute the same (Griewank and Walther 2008, section 5.1).

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> [len(hvp_program(lower([sympy.exp(sympy.sin(x))], [x]), ["v"], nesting).operations) for nesting in NESTINGS]
    [9, 9, 9, 9]
    """
    inside, outside = nesting.split(" over ")[::-1]
    if inside == "reverse":
        gradient = derivative(graph, "reverse")
        return tangent_program(gradient, names) if outside == "forward" else adjoint_program(gradient, names)
    mode: Mode = "reverse" if outside == "reverse" else "forward"
    return derivative(tangent_program(graph, names), mode, columns=range(len(graph.inputs)))


def guards(graph: Graph, builder: Builder) -> dict[int, int]:
    """For each node that is live only while some branch is taken: the condition, as a node of `builder`.

    A node is live if any of its uses is live. Some operations pass on one operand only (select, min, max): through them a node is
    live where its partial is not 0. Only graphs with branches have such nodes.
    """
    if not any(graph.nodes[i].primitive.routes for i in graph.operations):
        return {}
    numbers = Nodes(builder)
    always = builder.constant(1)
    live: dict[int, int] = dict.fromkeys(graph.outputs, always)
    for position in reversed(graph.operations):
        if position not in live:
            continue
        primitive, operands, _ = graph.nodes[position]
        reached: Sequence[int | None] = [always] * len(operands)
        if primitive.routes:
            reached = numbers.partials(graph, position, range(len(graph)))
        for operand, partial in zip(operands, reached, strict=True):
            if partial is not None:
                through = _both(builder, live[position], _holds(builder, partial))
                live[operand] = _either(builder, live[operand], through) if operand in live else through
    return {i: condition for i, condition in live.items() if builder.value_of(condition) != 1}


def _holds(builder: Builder, partial: int) -> int:
    """1 where the partial is not 0. Heaviside's partial 1/2 at a tie counts as live."""
    if builder.nodes[partial].primitive.name == "heaviside":
        return builder.call("ne", partial, builder.constant(0))
    return partial


def _both(builder: Builder, p: int, q: int) -> int:
    if builder.value_of(p) == 1:
        return q
    return p if builder.value_of(q) == 1 else builder.call("and", p, q)


def _either(builder: Builder, p: int, q: int) -> int:
    if p == q or 1 in (builder.value_of(p), builder.value_of(q)):
        return p if p == q else builder.constant(1)
    return builder.call("or", p, q)
