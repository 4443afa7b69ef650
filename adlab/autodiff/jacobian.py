"""The Jacobian of a graph at given values, in any arithmetic: all partials, a row for each output, a column for each input.

Two rules hold wherever a Jacobian is read off a sweep, and they are written here only. An input that no sweep reaches has the
partial 0. An output that has no value has no partials; that missing value, which says why, takes their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from adlab.arithmetic.numbers import Adjoints, Arithmetic, Values
from adlab.autodiff.sweeps import forward, reverse
from adlab.graph.graph import Graph
from adlab.graph.liveness import ancestors, descendants

T = TypeVar("T")
Mode = Literal["reverse", "forward"]


def jacobian(
    graph: Graph,
    values: Values[T],
    arithmetic: Adjoints[T],
    mode: Mode = "reverse",
    columns: Sequence[int] | None = None,
) -> list[list[T]]:
    """All partials, a row for each output. Reverse mode sweeps once for each output, forward mode once for each input.

    A sweep visits only what its output needs, or what its input reaches. `values` are the values of the graph's nodes, as
    `evaluate` returns them. `columns` are the inputs to differentiate by, all of them by default.

    >>> from adlab.arithmetic.floats import FLOATS
    >>> from adlab.arithmetic.numbers import evaluate
    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> graph = lower([x * y, sympy.log(x)], [x, y])
    >>> jacobian(graph, evaluate(graph, [3.0, 5.0], FLOATS), FLOATS)
    [[5.0, 3.0], [0.3333333333333333, 0.0]]
    >>> jacobian(graph, evaluate(graph, [-3.0, 5.0], FLOATS), FLOATS)
    [[5.0, -3.0], [nan, nan]]
    """
    one, inputs = arithmetic.constant(1), range(len(graph.inputs)) if columns is None else columns
    if mode == "forward":
        uses = graph.uses() if len(inputs) > 1 else None  # a single sweep looks at every operation anyway
        swept = [
            tangents(graph, values, {i: one}, arithmetic, among=None if uses is None else descendants(graph, uses, i))
            for i in inputs
        ]
        return [[column[k] for column in swept] for k in range(len(graph.outputs))]
    sweeps = {output: _row(graph, values, output, arithmetic, inputs) for output in dict.fromkeys(graph.outputs)}
    return [list(sweeps[output]) for output in graph.outputs]


def _row(graph: Graph, values: Values[T], output: int, arithmetic: Adjoints[T], inputs: Sequence[int]) -> list[T]:
    if not arithmetic.exists(values[output]):
        return [values[output]] * len(inputs)
    among = ancestors(graph, output) if len(graph.outputs) > 1 else None
    adjoints = reverse(graph, values, {output: arithmetic.constant(1)}, arithmetic, among=among, keep=False)
    zero = arithmetic.constant(0)
    return [adjoints.get(i, zero) for i in inputs]


def cheaper_mode(graph: Graph, columns: Sequence[int] | None = None) -> Mode:
    """The mode whose sweeps visit fewer operands in all. On a tie: the mode with fewer sweeps, or forward mode.

    A reverse sweep passes an adjoint to every operand that its output needs. A forward sweep takes a tangent from every operand
    that moves. So these counts are the multiplications of a Jacobian, before any multiplication by 0 or 1 is spared.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> cheaper_mode(lower([sympy.sin(x * y)], [x, y])), cheaper_mode(lower([sympy.sin(x), sympy.cos(x)], [x]))
    ('reverse', 'forward')
    """
    inputs = range(len(graph.inputs)) if columns is None else columns
    outputs = set(graph.outputs)
    fewer: Mode = "reverse" if len(outputs) < len(inputs) else "forward"
    if len(outputs) <= 1 or len(inputs) <= 1:
        return fewer
    backward, onward = reverse_cost(graph), forward_cost(graph, inputs)
    return fewer if backward == onward else "reverse" if backward < onward else "forward"


def reverse_cost(graph: Graph) -> int:
    """The number of operands to which the reverse sweeps of a Jacobian pass an adjoint."""
    weights = [sum(graph.active[operand] for operand in node.operands) for node in graph.nodes]
    return sum(weights[i] for output in set(graph.outputs) for i in ancestors(graph, output))


def forward_cost(graph: Graph, inputs: Sequence[int]) -> int:
    """The number of operands from which the forward sweeps of a Jacobian take a tangent."""
    uses = graph.uses()
    return sum(len(uses[i]) + sum(len(uses[reached]) for reached in descendants(graph, uses, i)) for i in inputs)


def tangents(
    graph: Graph,
    values: Values[T],
    seeds: Mapping[int, T],
    arithmetic: Arithmetic[T],
    still: Any = None,
    among: Sequence[int] | None = None,
) -> list[T]:
    """The tangent of each output when the inputs move by `seeds`: one forward sweep, the Jacobian times a vector.

    `still` is the tangent of an output that does not move: 0, or an array of zeros where the seeds are arrays. For `among` see
    `forward`.
    """
    found = forward(graph, values, seeds, arithmetic, among)
    zero = arithmetic.constant(0) if still is None else still
    return [found.get(o, zero) if arithmetic.exists(values[o]) else _nothing(values[o], still) for o in graph.outputs]


def _nothing(value: T, like: Any) -> T:
    """The absent value itself, once for each direction."""
    return value if like is None else like + value


def adjoints(graph: Graph, values: Values[T], weights: Sequence[T], arithmetic: Adjoints[T]) -> list[T]:
    """The adjoint of each input when the outputs have these weights: one reverse sweep, a vector times the Jacobian."""
    for output in graph.outputs:
        if not arithmetic.exists(values[output]):
            return [values[output]] * len(graph.inputs)
    seeds = seeded(graph, weights, arithmetic.add)
    return at_inputs(graph, reverse(graph, values, seeds, arithmetic), arithmetic.constant(0))


def seeded(graph: Graph, weights: Sequence[T], add: Callable[[T, T], T]) -> dict[int, T]:
    """The seeds of a reverse sweep: the weight of each output. A node that is an output twice gets the sum of both weights."""
    seeds: dict[int, T] = {}
    for output, weight in zip(graph.outputs, weights, strict=True):
        seeds[output] = add(seeds[output], weight) if output in seeds else weight
    return seeds


def at_inputs(graph: Graph, found: Mapping[int, T], zero: T) -> list[T]:
    """The adjoint that a reverse sweep leaves at each input; `zero` where nothing arrives."""
    return [found.get(i, zero) for i in range(len(graph.inputs))]
