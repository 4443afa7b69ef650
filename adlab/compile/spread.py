"""A kernel for programs whose outputs repeat: each different number is computed once, then copied to its outputs.

A Jacobian of 200 outputs by 200 variables has 40,000 entries, nearly all of them the same 0. A compiler takes more than linear
time in the stores of a function. So the kernel inside computes the different outputs only.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from adlab.graph.graph import Graph

if TYPE_CHECKING:
    from adlab.compile.program import Kernel

FloatArray = npt.NDArray[np.float64]
Row = tuple[float, ...]
FEWEST = 1024
"""With fewer outputs the compiler is fast anyway, and a call is one step shorter."""


def compact(graph: Graph) -> Graph | None:
    """The graph with each output once. None where fewer than half of the outputs repeat, which is not worth a step of its own."""
    different = tuple(dict.fromkeys(graph.outputs))
    if len(graph.outputs) < FEWEST or 2 * len(different) > len(graph.outputs):
        return None
    return Graph(graph.inputs, graph.nodes, different)


class Spread:
    """The outputs of `graph`, from a kernel that computes those of `compact(graph)`."""

    def __init__(self, kernel: Kernel, graph: Graph) -> None:
        self.inner, self.name, self.width = kernel, kernel.name, len(set(graph.outputs))
        place = {output: k for k, output in enumerate(dict.fromkeys(graph.outputs))}
        self.places = [place[output] for output in graph.outputs]
        self.index = np.array(self.places, dtype=np.intp)
        self.called: float = getattr(kernel, "called", 0.0)
        self.batched: float = getattr(kernel, "batched", 0.0)

    @property
    def call(self) -> Callable[..., tuple[float, ...]]:
        """Floats in, all outputs out."""
        inner, chosen = self.inner.call, itemgetter(*self.places)
        return lambda *x: chosen(inner(*x))

    def batch(self, points: FloatArray) -> FloatArray:
        """(N, inputs) → (N, outputs)."""
        found: FloatArray = self.inner.batch(points)[:, self.index]
        return found

    def bind(self, x: FloatArray, out: FloatArray) -> Callable[[], None]:
        """A step from the buffer `x` to the buffer `out`, through a buffer of the different numbers."""
        pool = np.empty((len(x), self.width))
        step, index = self.inner.bind(x, pool), self.index

        def spread() -> None:
            step()
            pool.take(index, axis=1, out=out, mode="clip")  # with "raise" NumPy would make a copy first

        return spread


class WatchedSpread(Spread):
    """The same around a kernel that watches itself. What is mended are all outputs, those that repeat too."""

    def vouched_call(self, mend: Callable[[Row, Row], Row]) -> Callable[..., Row]:
        """As `call`, with `mend(point, found)` asked where the kernel doubts its numbers."""
        chosen, first = itemgetter(*self.places), [self.places.index(k) for k in range(self.width)]

        def mended(point: Row, found: Row) -> Row:
            whole = mend(point, chosen(found))
            return tuple([whole[k] for k in first])

        inner = self.inner.vouched_call(mended)  # type: ignore[attr-defined]  # `spread_over` has asked
        return lambda *x: chosen(inner(*x))

    def vouched_bind(self, x: FloatArray, out: FloatArray, mend: Callable[[bool], object]) -> Callable[[], None]:
        """As `bind`, with `mend(alarmed)` called where the kernel doubts its numbers, once all outputs are there."""
        pool, doubts = np.empty((len(x), self.width)), list[bool]()
        step, index = self.inner.vouched_bind(x, pool, doubts.append), self.index  # type: ignore[attr-defined]

        def spread() -> None:
            step()
            pool.take(index, axis=1, out=out, mode="clip")
            if doubts:
                alarmed = any(doubts)
                doubts.clear()
                mend(alarmed)

        return spread


def spread_over(kernel: Any, graph: Graph) -> Spread:
    """The outputs of `graph`, by a kernel of `compact(graph)`."""
    return (WatchedSpread if hasattr(kernel, "vouched_bind") else Spread)(kernel, graph)
