"""The Jacobian of a graph at given values, in any arithmetic: what every sweep over a whole function comes to.

Two rules hold wherever a Jacobian is read off a sweep, and stand here only. An input that no sweep reaches has the
partial 0. An output that has no value has no partials: that value, which says why, stands in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from adlab.arithmetic.numbers import Adjoints, Arithmetic, Values
from adlab.autodiff.sweeps import forward, reverse
from adlab.graph.graph import Graph

T = TypeVar("T")
Mode = Literal["reverse", "forward"]


def jacobian(graph: Graph, values: Values[T], arithmetic: Adjoints[T], mode: Mode = "reverse") -> list[list[T]]:
    """All partials, a row for each output. Reverse mode sweeps once for each output, forward mode once for each input.

    `values` are those of the graph's nodes, as `evaluate` returns them.

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
    one, inputs = arithmetic.constant(1), range(len(graph.inputs))
    if mode == "forward":
        columns = [tangents(graph, values, {i: one}, arithmetic) for i in inputs]
        return [[column[k] for column in columns] for k in range(len(graph.outputs))]
    sweeps = {output: _row(graph, values, output, arithmetic) for output in dict.fromkeys(graph.outputs)}
    return [list(sweeps[output]) for output in graph.outputs]


def _row(graph: Graph, values: Values[T], output: int, arithmetic: Adjoints[T]) -> list[T]:
    if not arithmetic.exists(values[output]):
        return [values[output]] * len(graph.inputs)
    adjoints = reverse(graph, values, {output: arithmetic.constant(1)}, arithmetic)
    return at_inputs(graph, adjoints, arithmetic.constant(0))


def tangents(
    graph: Graph, values: Values[T], seeds: Mapping[int, T], arithmetic: Arithmetic[T], still: Any = None
) -> list[T]:
    """The tangent of each output when the inputs move by `seeds`: one forward sweep, the Jacobian times a vector.

    `still` is the tangent of an output that does not move: 0, or an array of zeros where the seeds are arrays.
    """
    found = forward(graph, values, seeds, arithmetic)
    zero = arithmetic.constant(0) if still is None else still
    return [found.get(o, zero) if arithmetic.exists(values[o]) else _nothing(values[o], still) for o in graph.outputs]


def _nothing(value: T, like: Any) -> T:
    """The absent value itself, as often as there are directions."""
    return value if like is None else like + value


def adjoints(graph: Graph, values: Values[T], weights: Sequence[T], arithmetic: Adjoints[T]) -> list[T]:
    """The adjoint of each input when the outputs have these weights: one reverse sweep, a vector times the Jacobian."""
    for output in graph.outputs:
        if not arithmetic.exists(values[output]):
            return [values[output]] * len(graph.inputs)
    seeds = seeded(graph, weights, arithmetic.add)
    return at_inputs(graph, reverse(graph, values, seeds, arithmetic), arithmetic.constant(0))


def seeded(graph: Graph, weights: Sequence[T], add: Callable[[T, T], T]) -> dict[int, T]:
    """The seeds of a reverse sweep: the weight of each output; a node that is an output twice gets the sum."""
    seeds: dict[int, T] = {}
    for output, weight in zip(graph.outputs, weights, strict=True):
        seeds[output] = add(seeds[output], weight) if output in seeds else weight
    return seeds


def at_inputs(graph: Graph, found: Mapping[int, T], zero: T) -> list[T]:
    """What a reverse sweep has left at each input; `zero` where nothing arrives."""
    return [found.get(i, zero) for i in range(len(graph.inputs))]
