"""Telling that a number has left binary64's range on the way: see `adlab.arithmetic.flags`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from adlab.arithmetic import flags
from adlab.arithmetic.floats import Floats
from adlab.graph.graph import Graph

T = TypeVar("T")


def watched(compute: Callable[[], T]) -> tuple[T, bool]:
    """What `compute` returns, and whether a number left binary64's range.

    NumPy clears the flags: `compute` must not use it.
    """
    flags.clear()
    found = compute()
    return found, bool(flags.raised())


class Watching(Floats):
    """Floats that remember whether a local partial or a product has left binary64's range.

    NumPy clears the processor's flags. So they are read before NumPy runs, and NumPy reports its own overflows.
    """

    def __init__(self) -> None:
        self.alarmed = False

    def partials(self, graph: Graph, position: int, values: Sequence[float]) -> Sequence[float | None]:
        found = super().partials(graph, position, values)
        self.alarmed = self.alarmed or (flags.known and bool(flags.raised()))
        return found

    def mul(self, a: Any, b: Any) -> Any:
        try:
            with np.errstate(over="raise", under="raise"):
                return a * b
        except FloatingPointError:
            self.alarmed = True
            return a * b
