"""Sums over many rows: compensated for their own rounding, and, with machine code, in one loop that stores no row.

The loop watches itself. Where a number left binary64 on the way, or is not finite, the rows are to be computed again with care.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.arithmetic import flags
from adlab.arithmetic.domain import steady
from adlab.compile.program import has_machine_code
from adlab.errors import OverflowedError
from adlab.inputs import FloatArray
from adlab.primitives.numerics import two_sum

NOTHING: FloatArray = np.empty(0)
"""No numbers after a point."""
OPERATIONS, OUTPUTS = 1024, 64
"""Of a program that is compiled as one loop: LLVM takes long over more of them, and lanes find no registers."""
BLOCKS = 16
"""Blocks that the loop takes at once where it reads the columns themselves: to call it takes as long as some thousand rows."""


class Sum:
    """A sum of blocks of rows, row k of each to row k, with the rounding error that it has lost."""

    def __init__(self) -> None:
        self._total = self._lost = NOTHING
        self._spare = (NOTHING, NOTHING)

    def add(self, rows: FloatArray) -> None:
        """Adds a block of rows, shape (rows, …). The rows of a block are added up at the end."""
        if len(rows) > len(self._total):
            whole = [np.zeros(rows.shape) for _ in range(4)]
            for new, old in zip(whole, (self._total, self._lost), strict=False):
                new[: len(old)] = old if len(old) else 0
            self._total, self._lost, *spare = whole
            self._spare = (spare[0], spare[1])
        total, lost, back, rest = (each[: len(rows)] for each in (self._total, self._lost, *self._spare))
        with np.errstate(over="ignore", invalid="ignore"):  # Knuth's two-sum, in place
            np.add(total, rows, out=rest)
            np.subtract(rest, total, out=back)  # what has been added of the row
            np.subtract(rest, back, out=rest)  # what is left of the total
            np.subtract(total, rest, out=rest)
            lost += rest
            np.subtract(rows, back, out=back)
            lost += back
            total += rows

    def add_lost(self, lost: FloatArray) -> None:
        """Adds what sums that were added have lost, shape (rows, …)."""
        self._lost[: len(lost)] += lost

    def value(self) -> FloatArray:
        """The sum. Raises OverflowedError where it, or a part of it, is not finite."""
        total, lost = self._total, self._lost
        with np.errstate(over="ignore", invalid="ignore"):
            while len(total) > 1:  # the first half to the second half
                if len(total) % 2:
                    total, lost = (np.concatenate([each, np.zeros_like(each[:1])]) for each in (total, lost))
                half = len(total) // 2
                total, error = two_sum(total[:half], total[half:])
                lost = lost[:half] + lost[half:] + error
            found: FloatArray = total[0] + lost[0]
        if not np.isfinite(found).all():
            raise OverflowedError("the sum over the data is beyond binary64 (more than 1.8e308); scale f")
        return found


class Loop:
    """A program's sums over rows, by machine code that reads columns."""

    def __init__(self, program: Any, columns: Sequence[int]) -> None:
        from adlab.compile.llvm.totals import SumKernel

        self._kernel = SumKernel(program.graph, columns)

    def rows_at_once(self, arrays: Sequence[npt.NDArray[Any]], block: int) -> int:
        """The rows to take at a time: a block where they must be copied first."""
        plain = all(array.dtype == np.float64 and array.flags.c_contiguous and array.flags.aligned for array in arrays)
        return block * (BLOCKS if plain else 1)

    def add_to(self, found: Sum, arrays: Sequence[npt.NDArray[Any]], fixed: FloatArray) -> bool:
        """Adds the rows' results to `found`, unless they must be computed with care: then False."""
        columns = [np.require(array, np.float64, ["C", "A"]) for array in arrays]
        lanes, count = self._kernel.lanes, len(columns[0])
        rest, parts = count % lanes, list[tuple[FloatArray, FloatArray] | None]()
        if count > rest:
            parts.append(self._kernel([column[: count - rest] for column in columns], fixed))
        if rest:  # the last row stands in the other lanes, which are left out
            ends = [np.concatenate([column[count - rest :], np.repeat(column[-1:], lanes - rest)]) for column in columns]
            last = self._kernel(ends, fixed)
            parts.append(last and (last[0][:rest], last[1][:rest]))
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return False
        for totals, lost in known:
            found.add(totals)
            found.add_lost(lost)
        return True


def loop_of(program: Any, columns: Sequence[int]) -> Loop | None:
    """The loop for a compiled program whose inputs of these positions are columns. None where only the program itself will do."""
    graph = program.graph
    short = len(graph.operations) <= OPERATIONS and len(set(graph.outputs)) <= OUTPUTS
    if not (short and has_machine_code() and flags.known) or graph.compound or not steady(graph):
        return None
    return Loop(program, columns)
