"""Boxes and the joints of long edges, all called vertices, each on one rank. Threads run between neighbouring ranks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

Edge = tuple[int, int]
NEAR, BETWEEN_HALVES, FAR = range(3)


class Extent(NamedTuple):
    """The room that a box takes around its anchor: `before` and `after` it across the flow, and `along` the flow."""

    before: float
    after: float
    along: float


JOINT = Extent(2.0, 2.0, 0.0)


class Web:
    """Every edge as a chain of vertices from its upper to its lower end. One of the joints may have room for a label.

    Vertices below `boxes` are the boxes. `layers` holds the vertices of each rank in order, `index` the place of each.
    """

    def __init__(
        self,
        boxes: Sequence[Extent],
        rank: Sequence[int],
        edges: Sequence[Edge],
        labels: Sequence[Extent | None],
        far: Sequence[bool] | None,
    ) -> None:
        self.boxes, self.edges, self.rank, self.extent = len(boxes), edges, list(rank), list(boxes)
        self.group = [FAR if far and far[i] else NEAR for i in range(len(boxes))]
        self.chains: list[list[int]] = []
        self.label: list[int | None] = []
        for edge, label in zip(edges, labels, strict=True):
            self._add_chain(edge, label)
        self.up: list[list[int]] = [[] for _ in self.rank]
        self.down: list[list[int]] = [[] for _ in self.rank]
        for chain in self.chains:
            for upper, lower in pairwise(chain):
                self.down[upper].append(lower)
                self.up[lower].append(upper)
        self.index = [0] * len(self.rank)
        self.take(range(len(self.rank)))

    def _add_chain(self, edge: Edge, label: Extent | None) -> None:
        source, target = edge
        upper, lower = sorted(edge, key=lambda i: self.rank[i])
        group = self.group[target] if self.group[source] == self.group[target] else BETWEEN_HALVES
        between = range(self.rank[upper] + 1, self.rank[lower])
        joints = list(range(len(self.rank), len(self.rank) + len(between)))
        self.rank += between
        self.extent += [JOINT] * len(joints)
        self.group += [group] * len(joints)
        self.chains.append([upper, *joints, lower])
        holder = None
        if label and joints:
            holder = joints[-1] if lower == target else joints[0]  # beside the operation whose partial it is
            self.extent[holder] = label
        self.label.append(holder)

    def length(self) -> int:
        """The length of all edges together, in ranks."""
        return sum(len(chain) - 1 for chain in self.chains)

    def take(self, order: Sequence[int]) -> None:
        """Puts the vertices of every rank in this order, those of the near half first."""
        self.layers: list[list[int]] = [[] for _ in range(max(self.rank) + 1)]
        for vertex in order:
            self.layers[self.rank[vertex]].append(vertex)
        for layer in self.layers:
            layer.sort(key=lambda v: self.group[v])
            self.count_off(layer)

    def count_off(self, layer: list[int]) -> None:
        for i, vertex in enumerate(layer):
            self.index[vertex] = i
