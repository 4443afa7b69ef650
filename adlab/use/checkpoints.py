"""Reverse mode within a budget of memory: a few values are kept, the others are computed again when their turn comes.

A reverse sweep needs the values of all operations, the last ones first. The list of operations is cut into blocks. Before a
block starts, only the values that later operations still read must be known: a *state*. Binomial checkpointing keeps a few
states and goes on from the nearest one (Griewank and Walther 2000, "revolve"). With s states kept and r evaluations of each
block at most, (s + r)!/(s! r!) blocks can be served. A tape is the case of one block, recomputation that of one state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, isnan
from typing import Any

import numpy as np

from adlab.arithmetic import flags
from adlab.arithmetic.domain import turning
from adlab.arithmetic.floats import FLOATS
from adlab.autodiff.sweeps import reverse
from adlab.errors import MethodError, OptionError
from adlab.function import Function, as_function
from adlab.graph.graph import Graph
from adlab.graph.liveness import last_uses
from adlab.inputs import FloatArray, coerce_one, takes_at

State = dict[int, float]
LARGEST_SHARE, FRACTIONS = 0.9, 24
"""Shares of the budget that are tried for the tape of a block, up to this one, and how many."""


@dataclass(frozen=True)
class Checkpointed:
    """A gradient, the most values that were alive at once, and the operations that it took.

    Adjoints on the way count as values; the point and the gradient itself do not.
    """

    gradient: FloatArray
    peak: int
    operations: int
    """Evaluations of operations of f, those that were done again included."""
    tape: int
    """What a tape would hold: all operations of f."""

    def __repr__(self) -> str:
        again = self.operations / self.tape if self.tape else 1.0
        return f"<gradient with {self.peak} values alive instead of {self.tape}, each computed {again:.2f} times>"


@takes_at
def checkpointed(f: Any, x: Any, memory: int) -> Checkpointed:
    """The gradient at one point with at most `memory` values alive at once, adjoints on the way included.

    Raises OptionError where the budget is too small, with the least that does; MethodError for operations with bodies, for
    kinks, and where a number leaves binary64's range on the way: `f.gradient(x)` serves those. Raises as calling f does.

    >>> import adlab
    >>> f = adlab.gallery.chain(400)
    >>> found = checkpointed(f, f.point, memory=40)
    >>> found.peak <= 40, bool(found.gradient == f.gradient(f.point))
    (True, True)
    """
    g = as_function(f, x)
    if g.m != 1:
        raise MethodError(f"a gradient needs one output, and this function has m = {g.m}")
    if g.graph.compound or turning(g.graph) or g.within is not None:
        raise MethodError("checkpoints serve functions without loops, solvers and kinks; f.gradient(x) serves this one")
    point = coerce_one(x, g.names)
    g.evaluator.checked(np.array([_value(g.graph, point.tolist())]), point)
    run = _Run(g.graph, point.tolist(), memory)
    flags.clear()
    gradient = run.gradient()
    if flags.raised() or any(map(isnan, gradient)):
        _explain(g, point, gradient)
    return Checkpointed(np.array(gradient), run.peak, run.operations, len(g.graph.operations))


def _explain(g: Function, point: FloatArray, gradient: Sequence[float]) -> None:
    """Raises for a gradient that binary64 has spoiled, or that does not exist."""
    g.evaluator.checked(np.array(gradient), point, derivative=True)
    if flags.known:
        raise MethodError("a number leaves binary64's range on the way; f.gradient(x) goes on with wider numbers")


def _value(graph: Graph, point: list[float]) -> float:
    """The output, with no more values alive than needed."""
    state = _Run(graph, point, len(graph) + 2)._advance(_constants(graph), 0, len(graph.operations))
    output = graph.outputs[0]
    return point[output] if output < len(point) else state[output]


def _constants(graph: Graph) -> State:
    after = enumerate(graph.nodes[len(graph.inputs) :], len(graph.inputs))
    return {i: FLOATS.constant(node.parameter) for i, node in after if not node.operands}


class _Run:
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

    def _plan(self) -> tuple[int, int]:
        """Operations of a block and states to keep: the fewest evaluations that the budget allows."""
        count, width = len(self.order), self._width()
        if count + width <= self.memory:
            return max(count, 1), 0
        best: tuple[int, int, int] | None = None  # turns, minus the size: of equals the longest block
        for k in range(1, FRACTIONS + 1):
            size = max(1, int(self.memory * LARGEST_SHARE * k / FRACTIONS) - 2 * width)
            states = (self.memory - size - 2 * width) // width - 1
            if states >= 1:
                turns = _turns(-(-count // size), states)
                best = min(best or (turns, -size, states), (turns, -size, states))
        if best is None:
            enough = int(6 * width / LARGEST_SHARE) + FRACTIONS
            raise OptionError(f"memory={self.memory} is too small: {width} values are alive at once; give {enough}")
        return -best[1], best[2]

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


def _turns(blocks: int, states: int) -> int:
    """How often a block is evaluated at most: the least r with (s + r)!/(s! r!) ≥ blocks.

    >>> _turns(1, 3), _turns(10, 3), _turns(11, 3)
    (0, 2, 3)
    """
    r = 0
    while comb(states + r, states) < blocks:
        r += 1
    return r


def _split(blocks: int, states: int) -> int:
    """Blocks to advance over before the next state is kept."""
    if states <= 1:
        return blocks - 1
    r = _turns(blocks, states)
    return min(blocks - 1, max(1, comb(states + r - 1, states)))
