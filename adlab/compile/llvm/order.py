"""The order of operations: long sums that do not need one another are added side by side.

A processor starts several additions before the first one ends, but each term of a sum waits for the one before. So sums of one
length are taken in groups, one term of each in turn: the rows of a matrix times a vector. A factor that all of them multiply is
then read once for the group. Only the order changes, so every number stays the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest

from adlab.graph.graph import Graph

SUMS = frozenset(["add", "sub"])
SIDE_BY_SIDE = 8  # sums: two additions begin in a cycle, and each takes four cycles
LONG = 8  # terms: shorter sums overlap by themselves

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
