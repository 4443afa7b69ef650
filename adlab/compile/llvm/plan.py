"""Cuts a program into segments, since a compiler's time grows faster than the length of a function.

A segment is a run of operations, in order. Values that a later segment reads go through a workspace. A slot of it is used again
once its last reader is done. In a batch each segment runs over a whole tile of points before the next one does, so its
instructions are fetched once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from adlab.compile.llvm.order import calls_together, side_by_side
from adlab.graph.constants import constants
from adlab.graph.graph import Graph

OUTPUT_BLOCK = 4  # outputs that are stored together, in the segment that completes them


@dataclass(frozen=True)
class Segment:
    """Operations to compute, or inputs to fetch for all segments; then blocks of outputs to store."""

    operations: Sequence[int]
    stores: Sequence[int]
    """The first output of each block of four."""


@dataclass(frozen=True)
class Segmentation:
    """Segments in order. `slot` says where in the workspace a value waits for later segments."""

    segments: Sequence[Segment]
    slot: dict[int, int]
    slots: int


def segmented(
    graph: Graph, longest: int, share: bool = False, together: Set[str] = frozenset(), most: int = 1
) -> Segmentation:
    """Cuts a program into segments of at most `longest` operations. A program that fits into one has no slots.

    With `share`, inputs that many segments read are copied to the workspace first, where reading them is expensive
    otherwise. Calls of a function in `together` stand side by side, at most so many.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> cut = segmented(lower([sympy.sin(sympy.exp(x)) * sympy.exp(x)], [x]), longest=1)
    >>> [list(segment.operations) for segment in cut.segments], cut.slot
    ([[1], [2], [3]], {1: 0, 2: 1})
    """
    known = constants(graph)
    operations = side_by_side(graph, [i for i in graph.operations if i not in known])
    operations = calls_together(graph, operations, together, most)
    if share and len(operations) > longest:
        operations = [*_shared_inputs(graph, operations, longest), *operations]
    home = {i: count // longest for count, i in enumerate(operations)}  # inputs and constants are available everywhere
    count = max(1, -(-len(operations) // longest))
    stores = _stores(graph, home, count)
    last = _last_segments(graph, home, stores)
    slot, slots = _slots(operations, home, last, count)
    segments = [Segment(operations[k * longest : (k + 1) * longest], stores[k]) for k in range(count)]
    return Segmentation(segments, slot, slots)


def _shared_inputs(graph: Graph, operations: Sequence[int], longest: int) -> list[int]:
    """The inputs that more than two segments read."""
    readers: list[set[int]] = [set() for _ in graph.inputs]
    for count, i in enumerate(operations):
        for operand in graph.nodes[i].operands:
            if operand < len(readers):
                readers[operand].add(count // longest)
    return [i for i, segments in enumerate(readers) if len(segments) > 2]


def _stores(graph: Graph, home: dict[int, int], count: int) -> list[list[int]]:
    """For each segment, the blocks of outputs that are complete with it."""
    stores: list[list[int]] = [[] for _ in range(count)]
    for start in range(0, len(graph.outputs), OUTPUT_BLOCK):
        block = graph.outputs[start : start + OUTPUT_BLOCK]
        stores[max(home.get(output, 0) for output in block)].append(start)
    return stores


def _last_segments(graph: Graph, home: dict[int, int], stores: list[list[int]]) -> dict[int, int]:
    """For every operation, the last segment that reads it."""
    last = dict(home)
    for i, segment in home.items():
        for operand in graph.nodes[i].operands:
            if operand in last:
                last[operand] = max(last[operand], segment)
    for segment, starts in enumerate(stores):
        for start in starts:
            for output in graph.outputs[start : start + OUTPUT_BLOCK]:
                if output in last:
                    last[output] = max(last[output], segment)
    return last


def _slots(
    operations: Sequence[int], home: dict[int, int], last: dict[int, int], count: int
) -> tuple[dict[int, int], int]:
    """A slot for each value that outlives its segment. It is freed after the last segment that reads it."""
    slot: dict[int, int] = {}
    freed: list[list[int]] = [[] for _ in range(count + 1)]
    free: list[int] = []
    slots, current = 0, 0
    for i in operations:
        while current < home[i]:
            free += freed[current]
            current += 1
        if last[i] > home[i]:
            if free:
                slot[i] = free.pop()
            else:
                slot[i], slots = slots, slots + 1
            freed[last[i]].append(slot[i])
    return slot, slots
