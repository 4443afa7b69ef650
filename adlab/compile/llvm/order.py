"""The order of operations: long sums, and calls of one function, that do not need one another stand side by side.

A processor starts several additions before the first one ends, but each term of a sum waits for the one before. So sums of one
length are taken in groups, one term of each in turn: the rows of a matrix times a vector. A factor that all of them multiply is
then read once for the group. Calls of one function that stand together can be one call on a vector. Only the order changes
here: every number stays the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from itertools import chain, zip_longest

from adlab.graph.graph import Graph

SUMS = frozenset(["add", "sub"])
SIDE_BY_SIDE = 8  # sums: two additions begin in a cycle, and each takes four cycles
LONG = 8  # terms: shorter sums overlap by themselves
NEAR = 4  # operations that may be computed early, so that a call can join others

Sum = list[list[int]]
"""The operations that each term takes: its product, where nothing else needs it, and its addition."""


def side_by_side(graph: Graph, operations: Sequence[int]) -> Sequence[int]:
    """The same operations, with long sums of one length side by side.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.symbols("x:9", real=True)
    >>> graph = lower([sum((i + j + 2) * y for i, y in enumerate(x)) for j in (0, 1)], x)
    >>> order = side_by_side(graph, graph.operations)
    >>> [graph.nodes[i].primitive.name for i in order[:8]], sorted(order) == list(graph.operations)
    (['mul', 'mul', 'add', 'mul', 'mul', 'add', 'mul', 'add'], True)
    """
    sums = _long_sums(graph, operations)
    if not sums:
        return operations
    inside = {i for terms in sums.values() for i in chain(*terms)}
    alike: dict[int, list[int]] = defaultdict(list)  # the sums of each length that are still to come, the next one last
    for last in sorted(sums, reverse=True):
        alike[len(sums[last])].append(last)
    done = set(range(len(graph))) - set(operations)
    order: list[int] = []
    for i in operations:
        if i in done or (i in inside and i not in sums):
            continue
        new = [i] if i not in sums else list(_group(graph, sums, alike[len(sums[i])], done))
        order += new
        done.update(new)
    return order


def calls_together(graph: Graph, operations: Sequence[int], functions: Set[str], most: int) -> Sequence[int]:
    """The same operations, where calls of one of the `functions` stand together, at most so many, if their operands are near.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> graph = lower([2 * sympy.exp(x), 3 * sympy.exp(y)], [x, y])
    >>> [graph.nodes[i].primitive.name for i in calls_together(graph, graph.operations, {"exp"}, most=8)]
    ['exp', 'exp', 'mul', 'mul']
    """
    later: dict[str, list[int]] = defaultdict(list)  # the calls of each function that are still to come, the next one last
    for i in reversed(operations):
        if (name := graph.nodes[i].primitive.name) in functions:
            later[name].append(i)
    if not later:
        return operations
    done = set(range(len(graph))) - set(operations)
    order: list[int] = []
    for i in operations:
        if i in done:
            continue
        calls = later.get(graph.nodes[i].primitive.name, [])
        new = [calls.pop()] if calls else [i]
        while calls and len(new) < most and (needed := _needed(graph, calls[-1], done, functions)) is not None:
            order += needed
            done.update(needed)
            new.append(calls.pop())
        order += new
        done.update(new)
    return order


def _needed(graph: Graph, i: int, done: set[int], functions: Set[str]) -> list[int] | None:
    """What must be computed before `i`, in order. None if that is more than a little, or one of the functions."""
    found: set[int] = set()
    waiting = [i]
    while waiting:
        new = {a for a in graph.nodes[waiting.pop()].operands if a not in done} - found
        found |= new
        waiting += new
        if len(found) > NEAR or any(graph.nodes[a].primitive.name in functions for a in new):
            return None
    return sorted(found)


def runs(graph: Graph, operations: Sequence[int], functions: Set[str], most: int) -> Iterator[Sequence[int]]:
    """The operations in order, calls of one function that do not need one another as one run, at most so many."""
    run: list[int] = []
    for i in operations:
        node, first = graph.nodes[i], graph.nodes[run[0]] if run else None
        joins = first is not None and node[::2] == first[::2] and len(run) < most and not set(run) & set(node.operands)
        if run and not (joins and node.primitive.name in functions):
            yield run
            run = []
        run.append(i)
    if run:
        yield run


def _long_sums(graph: Graph, operations: Sequence[int]) -> dict[int, Sum]:
    """The terms of each long sum, by its last addition. Lengths that only one sum has are left out."""
    readers = [0] * len(graph)
    for i in chain(graph.outputs, *(graph.nodes[i].operands for i in operations)):
        readers[i] += 1
    present, sums = set(operations), dict[int, Sum]()
    for i in operations:
        node = graph.nodes[i]
        if node.primitive.name not in SUMS:
            continue
        before = next((sums.pop(a) for a in node.operands if a in sums and readers[a] == 1), [])
        taken = before[-1][-1] if before else -1
        own = [a for a in node.operands if a != taken and readers[a] == 1 and a in present and _is_product(graph, a)]
        sums[i] = [*before, [*own, i]]
    lengths: dict[int, int] = defaultdict(int)
    for terms in sums.values():
        lengths[len(terms)] += 1
    return {i: terms for i, terms in sums.items() if len(terms) >= LONG and lengths[len(terms)] > 1}


def _is_product(graph: Graph, i: int) -> bool:
    return graph.nodes[i].primitive.name == "mul"


def _group(graph: Graph, sums: dict[int, Sum], waiting: list[int], done: set[int]) -> Iterator[int]:
    """The next sum, and those behind it whose operands are all there, a term of each in turn."""
    group: list[Sum] = []
    while waiting and len(group) < SIDE_BY_SIDE:
        terms = sums[waiting[-1]]
        own = set(chain(*terms))
        if group and not all(a in own or a in done for i in own for a in graph.nodes[i].operands):
            break
        group.append(terms)
        waiting.pop()
    return chain(*chain(*zip_longest(*group, fillvalue=[])))
