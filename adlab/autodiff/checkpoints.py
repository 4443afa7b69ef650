"""The engine of checkpointing: a reverse sweep over a list of operations within a budget of memory.

The list is cut into blocks. Before a block starts, only the values that later operations still read must be known: a *state*.
Binomial checkpointing keeps a few states and goes on from the nearest one (Griewank and Walther 2000, "revolve"). With s states
kept and r evaluations of each block at most, (s + r)!/(s! r!) blocks can be served. A tape is the case of one block,
recomputation that of one state. Of all lengths of a block that fit, the one with the fewest operations is taken, so more memory
never costs more.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

from adlab.arithmetic.floats import FLOATS
from adlab.autodiff.sweeps import reverse
from adlab.errors import OptionError
from adlab.graph.graph import Graph
from adlab.graph.liveness import last_uses

State = dict[int, float]


def value_of(graph: Graph, point: list[float]) -> float:
    """The output, with no more values alive than needed."""
    state = Budgeted(graph, point, len(graph) + 2)._advance(_constants(graph), 0, len(graph.operations))
    output = graph.outputs[0]
    return point[output] if output < len(point) else state[output]


def _constants(graph: Graph) -> State:
    after = enumerate(graph.nodes[len(graph.inputs) :], len(graph.inputs))
    return {i: FLOATS.constant(node.parameter) for i, node in after if not node.operands}


class Budgeted:
    """One gradient within a budget."""

    def __init__(self, graph: Graph, point: list[float], memory: int) -> None:
        self.graph, self.memory = graph, memory
        self.order = list(graph.operations)
        self.free = dict(enumerate(point)) | _constants(graph)
        """Inputs and constants are not counted: f holds them anyway."""
        self.last = last_uses(graph)
        self.peak = self.operations = self._held = 0

    def gradient(self) -> list[float]:
        """The adjoints of the inputs. Raises OptionError where the budget is too small."""
        count = len(self.order)
        size, states = self._plan()
        cuts = [*range(0, count, size), count]
        adjoints: State = {self.graph.outputs[0]: 1.0}
        self._back({}, cuts, 0, len(cuts) - 1, states, adjoints)
        return [adjoints.get(i, 0.0) for i in range(len(self.graph.inputs))]

    def least(self) -> int:
        """The least budget: for one operation, for the states before and after it, and for adjoints of as many values."""
        return min(4 * self._width() + 1, len(self.order) + self._width())

    def _plan(self) -> tuple[int, int]:
        """Operations of a block and states to keep: the fewest evaluations that the budget allows."""
        count, width = len(self.order), self._width()
        if count + width <= self.memory:
            return max(count, 1), 0
        plans = [(size * advances(-(-count // size), states), size, states) for size in _sizes(count)
                 if (states := (self.memory - size - 3 * width) // width) >= 1]  # fmt: skip
        if not plans:
            raise OptionError(f"memory={self.memory} is too small: {width} values are alive at once; give {self.least()}")
        return min(plans)[1:]

    def _width(self) -> int:
        """The most values that are alive between two operations: the size of a state."""
        alive, most, ends = 0, 1, [0] * (len(self.graph) + 1)
        for i in self.order:
            ends[self.last[i]] += 1
            alive += 1 - ends[i]
            most = max(most, alive)
        return most

    def _back(self, state: State, cuts: Sequence[int], low: int, high: int, states: int, adjoints: State) -> None:
        """The reverse sweep over the blocks from `low` to `high`, from the state before `low`."""
        while high - low > 1:
            middle = low + _split(high - low, states)
            there = self._advance(state, cuts[low], cuts[middle])
            self._held += len(there)
            self._back(there, cuts, middle, high, states - 1, adjoints)
            self._held -= len(there)
            high = middle
        self._block(state, self.order[cuts[low] : cuts[high]], adjoints)

    def _advance(self, state: State, start: int, end: int) -> State:
        """The state before operation number `end`, from the one before `start`."""
        values, stop = dict(state), self.order[end] if end < len(self.order) else len(self.graph)
        for i in self.order[start:end]:
            node = self.graph.nodes[i]
            values[i] = FLOATS.apply(node.primitive, node.parameter, [self._read(values, o) for o in node.operands])
            for operand in set(node.operands):
                if operand in values and self.last[operand] == i:
                    del values[operand]
            self._note(len(values))
        self.operations += end - start
        return {i: value for i, value in values.items() if self.last[i] >= stop}

    def _block(self, state: State, block: Sequence[int], adjoints: State) -> None:
        """A tape of one block, and the sweep back over it. Adjoints of what lies before are left in `adjoints`."""
        values = self.free | state
        for i in block:
            node = self.graph.nodes[i]
            values[i] = FLOATS.apply(node.primitive, node.parameter, [values[operand] for operand in node.operands])
        self.operations += len(block)
        self._note(len(block) + sum(i >= len(self.graph.inputs) for i in adjoints))
        swept = reverse(self.graph, values, adjoints, FLOATS, among=block)  # type: ignore[arg-type]  # read by position only
        inside = set(block)
        adjoints.clear()
        adjoints.update((i, bar) for i, bar in swept.items() if i not in inside)

    def _read(self, values: State, operand: int) -> float:
        return values[operand] if operand in values else self.free[operand]

    def _note(self, alive: int) -> None:
        self.peak = max(self.peak, self._held + alive)


def turns_needed(blocks: int, states: int) -> int:
    """How often a block is evaluated at most: the least r with (s + r)!/(s! r!) ≥ blocks.

    >>> turns_needed(1, 3), turns_needed(10, 3), turns_needed(11, 3)
    (0, 2, 3)
    """
    r = 0
    while comb(states + r, states) < blocks:
        r += 1
    return r


def advances(blocks: int, states: int) -> int:
    """Blocks that are evaluated to reach states again, at least: r·blocks − (s + r)!/((s + 1)! (r − 1)!).

    >>> advances(1, 3), advances(10, 3), advances(10, 1)
    (0, 15, 45)
    """
    r = turns_needed(blocks, states)
    return r * blocks - comb(states + r, states + 1)


def _split(blocks: int, states: int) -> int:
    """Blocks to advance over before the next state is kept, so that `advances` is reached."""
    r = turns_needed(blocks, states)
    return min(comb(states + r - 1, states), blocks - comb(states + r - 2, states - 1))


def _sizes(count: int) -> list[int]:
    """The shortest block for each number of blocks, once each.

    >>> _sizes(10)
    [10, 5, 4, 3, 2, 1]
    """
    sizes = [max(count, 1)]
    while sizes[-1] > 1:
        blocks = -(-count // (sizes[-1] - 1))
        sizes.append(-(-count // blocks))
    return sizes
