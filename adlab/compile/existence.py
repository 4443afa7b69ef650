"""Where f has no value its derivative has none: the conditions of f are kept in a program that no longer computes f.

The derivative of log is 1/x, which is a number at x = -1 too. So each partial is written as `partial if exists else nan`.
`exists` is built from the table's own conditions. That is again a graph, the same for every backend.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from functools import cache, reduce

from adlab.arithmetic.domain import turning
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.evaluator import Evaluator
from adlab.graph.collector import paused
from adlab.graph.graph import Builder, Graph
from adlab.graph.liveness import ancestors
from adlab.graph.lowering import lower
from adlab.graph.rules import letters, splice, splice_all, unconditional
from adlab.primitives.primitive import Parameter, Primitive, to_float
from adlab.primitives.table import CONSTANT


@paused()
def with_existence(graph: Graph, m: int, values: bool, f: Graph | None = None) -> Graph:
    """A graph with the same outputs as `graph`, m values and then their partials, but NaN where the value does not exist.

    `f` is the graph whose derivative program `graph` is; `graph` begins with it. At kinks and jumps of f the partials are NaN
    too. NaN tells the caller that this program alone cannot answer there.

    Without `values` only the partials are computed, and those parts of f that they and its conditions need.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> print(with_existence(lower([sympy.log(x), 1 / x], [x]), 1, values=False))
    v1 = 1/x
    v2 = x > 0
    v3 = v1 if v2 else (nan)
    """
    builder = Builder.on(graph)
    nan = builder.constant(math.nan)
    partials = list(graph.outputs[m:])
    width = len(partials) // m
    turns = frozenset(turning(f)) if f is not None else frozenset()
    for row, output in enumerate(graph.outputs[:m]):
        exists = condition(builder, graph, [output], keep=values or m > 1, turns=turns)
        if exists is not None:
            for k in range(row * width, (row + 1) * width):
                partials[k] = builder.call("select", exists, partials[k], nan)
    return builder.finish([*graph.outputs[:m], *partials] if values else partials)


def guarded(raw: Graph, entries: Sequence[tuple[int, Sequence[int]]], turns: Sequence[int], keep: bool = True) -> Graph:
    """The entries alone.

    Each is NaN unless all outputs of `raw` that it depends on exist and are on none of the kinks `turns`. `keep` says that the
    entries need nearly all that these outputs need.
    """
    builder = Builder.on(raw)
    nan, smooth = builder.constant(float("nan")), frozenset(turns)
    held: dict[Sequence[int], int | None] = {}
    asked: dict[Sequence[int], list[int]] = {}

    def hold(*outputs: int) -> list[int]:
        if outputs not in asked:
            found = condition(builder, raw, [raw.outputs[k] for k in outputs], keep, smooth)
            asked[outputs] = [] if found is None else [found]
        return asked[outputs]

    found = []
    for entry, outputs in entries:
        if outputs not in held:
            held[outputs] = _all(builder, [one for k in outputs for one in hold(k)] if keep else hold(*outputs))
        exists = held[outputs]
        found.append(entry if exists is None else builder.call("select", exists, entry, nan))
    return builder.finish(found)


def inside_of(graph: Graph, at: Evaluator) -> Graph:
    """`graph`, a program of `at`, NaN at the points at which `at` has no value whatever its own graph says."""
    within, declared, outer = [], dict(at.declared), at.within
    while outer is not None:
        within.append(outer.graph)
        declared |= outer.declared
        outer = outer.within
    return inside(graph, within, declared)


def inside(graph: Graph, within: Sequence[Graph], declared: Mapping[str, str]) -> Graph:
    """`graph`, NaN where one of the functions `within` has no value or stands on a kink, or a variable lacks its declared sign.

    The inputs of those functions are the first inputs of the graph.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> print(inside(lower([1 / x], [x]), [lower([sympy.log(x)], [x])], {}))
    v1 = 1/x
    v2 = x > 0
    v3 = v1 if v2 else (nan)
    """
    for f in within:
        graph = _where_it_exists(graph, splice_all(Builder(graph.inputs), f))
    if not declared:
        return graph
    builder = Builder(graph.inputs)
    outputs, zero = splice(builder, graph, range(len(graph.inputs))), builder.constant(0)
    held = [builder.call(_SIGNS[sign], builder.inputs.index(name), zero) for name, sign in declared.items()]
    return _chosen(builder, outputs, held)


_SIGNS = {"positive": "gt", "negative": "lt", "nonnegative": "ge", "nonpositive": "le"}


def _where_it_exists(graph: Graph, f: Graph) -> Graph:
    """`graph` where `f`, which has the same inputs, has all its values and stands on no kink; else NaN."""
    builder = Builder.on(f)
    builder.simplify = False  # 0*log(-1) has no value, and keeps none
    outputs, turns = splice(builder, graph, range(len(graph.inputs))), frozenset(turning(f))
    held = [condition(builder, f, [output], keep=False, turns=turns) for output in f.outputs]
    return _chosen(builder, outputs, [one for one in held if one is not None])


def _chosen(builder: Builder, outputs: Sequence[int], held: Sequence[int]) -> Graph:
    """The outputs where all conditions hold, and NaN elsewhere."""
    together = _all(builder, held)
    if together is None:
        return builder.finish(outputs)
    nan = builder.constant(math.nan)
    return builder.finish([builder.call("select", together, output, nan) for output in outputs])


def condition(builder: Builder, graph: Graph, outputs: Sequence[int], keep: bool, turns: Set[int]) -> int | None:
    """A node that is 1 where all `outputs` have a value and none of their `turns` is on a kink, else 0. None if always 1.

    `keep` says that the values themselves are computed anyway, so that they may be examined.
    """
    needed = sorted(set().union(*(ancestors(graph, output) for output in outputs)))
    held = _exist(builder, graph, outputs, needed, keep)
    for i in needed:
        if i in turns:
            primitive, operands, parameter = graph.nodes[i]
            held += splice(builder, _smoothness(primitive, parameter), [*operands, i])
    return _all(builder, held)


def _exist(builder: Builder, graph: Graph, outputs: Sequence[int], needed: list[int], keep: bool) -> list[int]:
    """Nodes that are all 1 exactly where every output has a value."""
    restricted = [i for i in needed if not unconditional(graph.nodes[i].primitive)]
    lacking = _may_lack_a_branch(graph, needed)
    if not restricted and not lacking:
        return []
    if keep or lacking or any(graph.nodes[i].primitive.routes for i in needed):  # a branch not taken may be outside its domain
        return [builder.call("eq", output, output) for output in outputs]
    return [one for i in restricted if (one := _condition(builder, graph, i)) is not None]


def _all(builder: Builder, conditions: Sequence[int]) -> int | None:
    """Whether all of them hold. None if there are none."""
    different = list(dict.fromkeys(conditions))
    return reduce(lambda p, q: builder.call("and", p, q), different) if different else None


def _may_lack_a_branch(graph: Graph, needed: list[int]) -> bool:
    """Whether some constant is the NaN of a Piecewise of which no condition holds."""
    read = (graph.nodes[operand] for i in needed for operand in graph.nodes[i].operands)
    constants = (node.parameter for node in read if node.primitive is CONSTANT)
    return any(isinstance(value, float) and math.isnan(value) for value in constants)


def _condition(builder: Builder, graph: Graph, position: int) -> int | None:
    """A node that is 1 where this operation has a value; None where constants already decide that it has one."""
    primitive, operands, parameter = graph.nodes[position]
    rule, read = value_condition(primitive, parameter)
    inputs = [*operands, position]
    read_nodes = {inputs[k] for k in read}
    if all(graph.nodes[inputs[k]].primitive is CONSTANT for k in read):
        numbers = [to_float(graph.nodes[i].parameter) if i in read_nodes else math.nan for i in inputs]
        if evaluate(rule, numbers, FLOATS)[rule.outputs[0]] == 1:
            return None
    return splice(builder, rule, inputs)[0]


@cache
def _smoothness(primitive: Primitive, parameter: Parameter) -> Graph:
    return lower([primitive.smooth], letters(primitive, parameter))


@cache
def value_condition(primitive: Primitive, parameter: Parameter) -> tuple[Graph, Sequence[int]]:
    """The table's condition for a value as a graph, and which of its inputs it reads."""
    rule = lower([primitive.value_condition(parameter)], letters(primitive, parameter))
    uses = rule.uses()
    return rule, [k for k in range(len(rule.inputs)) if uses[k]]
