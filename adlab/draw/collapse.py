"""A large graph as a diagram of few boxes, each for many nodes: first by repeated structure, then by depth.

An unrolled loop repeats a run of operations; each turn reads values at the same distances before it. It becomes one box, with
the text of its first turn and the number of turns. A graph that is still too large is cut into bands of depth (the longest path
from an input). In both cases a box stands for an interval of one topological order. So the boxes form an acyclic graph. Each
pass over the nodes is linear.

>>> from adlab.graph.lowering import lower
>>> import sympy
>>> l = x = sympy.Symbol("x", real=True)
>>> for _ in range(40):
...     l = sympy.Mul(4, l, sympy.Add(1, -l, evaluate=False), evaluate=False)
>>> for row in collapse(lower([l], [x])).boxes[3].rows:
...     print(*[piece.text for piece in row])
39 times 3 operations
v3 = v2*4
v4 = 1 - v3
v5 = v3*v4
…
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from adlab.draw.describe import heading, output_tags, shared
from adlab.draw.diagram import Arrow, Box, Diagram, Piece, TextRow, cut, size_in_words
from adlab.graph.graph import Graph
from adlab.primitives.table import CONSTANT

LIMIT = 60  # inputs and operations; larger graphs are collapsed
LONGEST_TURN = 64  # operations in one turn of a repeated structure
FEWEST_TURNS, FEWEST_OPERATIONS = 3, 8  # turns, and operations in all, that make a repeated structure
LINES_OF_TURN = 6
BANDS = 7  # bands of depth, in each half
SINGLE_INPUTS = 6  # more inputs than this share a box


class CollapsedPart(NamedTuple):
    """The operations that one box stands for. `turn` is how many of them make one turn of a repeated structure."""

    positions: Sequence[int]
    turn: int = 0


def collapse(
    graph: Graph, primal: Graph | None = None, outputs: Sequence[str] | None = None, limit: int = LIMIT
) -> Diagram:
    """The diagram of a large graph: by repeated structure if `limit` boxes are enough for that, else by depth.

    A derivative program keeps its two halves.
    """
    far = [False] * len(graph) if primal is None else [not own for own in shared(graph, primal)]
    parts = list(repeated(graph, far))
    if len(parts) + SINGLE_INPUTS > limit:
        parts = [part for half in (False, True) for part in bands(graph, [far[i] == half for i in range(len(graph))])]
    return _Collapsed(graph, parts, far, output_tags(graph, outputs)).diagram(primal is not None)


# --- repeated structure -----------------------------------------------------------------------------------------


def repeated(graph: Graph, far: Sequence[bool]) -> Iterator[CollapsedPart]:
    """All operations in order: each of the longest repeated structures as one part, every other operation by itself."""
    operations, start = graph.operations, 0
    for first, turn, count in _repeats(_signatures(graph, far)):
        yield from (CollapsedPart((i,)) for i in operations[start:first])
        yield CollapsedPart(operations[first : first + turn * count], turn)
        start = first + turn * count
    yield from (CollapsedPart((i,)) for i in operations[start:])


def _signatures(graph: Graph, far: Sequence[bool]) -> Any:
    """A number for each operation. Two have the same number if they do the same to operands at the same distances before them.

    All inputs count as one operand, and so do all constants: a loop may read another one at each turn. So do the nodes of the
    near half as read from the far half: a reverse sweep meets them in reverse order.
    """
    nodes, rank = graph.nodes, dict(zip(graph.operations, range(len(graph.operations)), strict=True))
    known: dict[Any, int] = {}
    signatures = []
    for i in graph.operations:
        primitive, operands, parameter = nodes[i]
        reads = tuple(
            rank[i] - rank[o] if o in rank and far[o] == far[i] else nodes[o].primitive is CONSTANT for o in operands
        )
        signatures.append(known.setdefault((primitive, parameter, reads, far[i]), len(known)))
    return np.array(signatures)


def _repeats(signatures: Any) -> list[tuple[int, int, int]]:
    """Stretches that repeat and do not overlap, the longest chosen first: (first, turn, how many turns)."""
    found = []
    for turn in range(1, min(LONGEST_TURN, len(signatures) // FEWEST_TURNS) + 1):
        same = np.concatenate(([False], signatures[turn:] == signatures[:-turn], [False]))
        edges = np.flatnonzero(same[1:] != same[:-1])
        for first, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            count = (stop - first) // turn + 1
            if count >= FEWEST_TURNS and count * turn >= FEWEST_OPERATIONS:
                found.append((-count * turn, turn, first))
    taken = np.zeros(len(signatures), dtype=bool)
    chosen = []
    for covered, turn, first in sorted(found):
        if not taken[first : first - covered].any():
            taken[first : first - covered] = True
            chosen.append((first, turn, -covered // turn))
    return sorted(chosen)


# --- depth ------------------------------------------------------------------------------------------------------


def bands(graph: Graph, own: Sequence[bool]) -> Iterator[CollapsedPart]:
    """The operations marked `own`, cut into bands of depth among them, with about equally many in each."""
    depth = [0] * len(graph)
    levels: dict[int, list[int]] = {}
    for i in graph.operations:
        if own[i]:
            depth[i] = 1 + max(depth[operand] for operand in graph.nodes[i].operands)
            levels.setdefault(depth[i], []).append(i)
    share = sum(map(len, levels.values())) / BANDS
    band: list[int] = []
    for level in sorted(levels):
        band += levels[level]
        if len(band) >= share:
            yield CollapsedPart(band)
            band = []
    if band:
        yield CollapsedPart(band)


# --- the diagram ------------------------------------------------------------------------------------------------


class _Collapsed:
    def __init__(
        self, graph: Graph, parts: Sequence[CollapsedPart], far: Sequence[bool], tags: dict[int, tuple[TextRow, ...]]
    ) -> None:
        self.graph, self.parts, self.far, self.tags = graph, parts, far, tags
        self.boxes: list[Box] = []
        self.box_of: dict[int, int] = {}
        self._inputs()
        for part in parts:
            for i in part.positions:
                self.box_of[i] = len(self.boxes)
            self.boxes.append(self._single(part.positions[0]) if len(part.positions) == 1 else self._group(part))

    def _inputs(self) -> None:
        names = self.graph.inputs
        if len(names) <= SINGLE_INPUTS:
            for i, name in enumerate(names):
                self.box_of[i] = i
                self.boxes.append(Box("input", (heading(self.graph, i), *self._tag([i])), name, i in self.tags))
            return
        self.box_of.update((i, 0) for i in range(len(names)))
        rows: tuple[TextRow, ...] = ((Piece(cut(f"{names[0]} … {names[-1]}"), "name"),), (Piece(f"{len(names):,} inputs"),))
        tags = self._tag(range(len(names)))
        self.boxes.append(Box("input", (*rows, *tags), f"{len(names):,} inputs", bool(tags)))

    def _single(self, i: int) -> Box:
        rows = (heading(self.graph, i), *self._tag([i]))
        return Box("operation", rows, self.graph.written(i), i in self.tags, far=self.far[i])

    def _group(self, part: CollapsedPart) -> Box:
        graph, positions = self.graph, part.positions
        counts = Counter(graph.nodes[i].primitive.name for i in positions).most_common()
        tooltip = ", ".join(f"{count:,} {name}" for name, count in counts)
        if part.turn:
            rows = list(_turn(graph, positions, part.turn))
        else:
            few, others = counts[:3], sum(count for _, count in counts[3:])
            rows = [(Piece(f"{len(positions):,} operations", "name"),)]
            rows += [(Piece(f"{count:,} {name}"),) for name, count in few]
            rows += [(Piece(f"{others:,} others"),)] if others else []
        tags = self._tag(positions)
        return Box("group", (*rows, *tags), tooltip, any(i in self.tags for i in positions), far=self.far[positions[0]])

    def _tag(self, positions: Sequence[int]) -> tuple[TextRow, ...]:
        found = [i for i in positions if i in self.tags]
        if len(found) == 1:
            return self.tags[found[0]]
        return ((Piece(f"⇒ {len(found):,} outputs"),),) if found else ()

    def diagram(self, halves: bool) -> Diagram:
        graph, box_of = self.graph, self.box_of
        flows = Counter(
            (box_of[o], box_of[i]) for i in graph.operations for o in graph.nodes[i].operands if o in box_of
        )
        arrows = tuple(
            Arrow(source, target, _times(count), f"{count:,} operands")
            for (source, target), count in sorted(flows.items())
            if source != target
        )
        title = size_in_words(graph)
        key = ((Piece(title, "note"),), (Piece("collapsed; print the graph for every operation", "note"),))
        return Diagram(title, tuple(self.boxes), arrows, key, ("primal", "derivative") if halves else None)


def _turn(graph: Graph, positions: Sequence[int], turn: int) -> Iterator[TextRow]:
    count = len(positions) // turn
    yield (Piece(f"{count:,} times", "name"), Piece(f"{turn} operation{'s'[: turn != 1]}", gap=0.28))
    for i in positions[: min(turn, LINES_OF_TURN)]:
        yield heading(graph, i)
    yield (Piece("…"),)


def _times(count: int) -> tuple[TextRow, ...]:
    return ((Piece(f"× {count:,}", "note"),),) if count > 1 else ()
