"""A sum over rows of data in one loop: no row is stored, and neither are its results.

The inputs are columns, and numbers that are the same for all rows. What depends on the latter alone is computed once, before the
loop. The loop takes a row for each lane of a vector. Each lane keeps its own sum of each output, with the rounding error that
the sum has lost (Knuth's two-sum), in registers.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.arithmetic import flags
from adlab.compile.llvm.body import Body
from adlab.compile.llvm.engine import compiled, loaded, machine
from adlab.compile.llvm.forms import Forms
from adlab.compile.llvm.text import Block, Externals, Registers
from adlab.graph.constants import constants
from adlab.graph.graph import Graph

FloatArray = npt.NDArray[np.float64]


class SumKernel:
    """The sums of a graph's outputs over rows, lane by lane. `columns` are the inputs that are read from columns, in order."""

    def __init__(self, graph: Graph, columns: Sequence[int]) -> None:
        registers = machine().registers
        self.graph, self.columns, self.lanes = graph, list(columns), registers.lanes
        self.different = list(dict.fromkeys(graph.outputs))
        self.index = [self.different.index(output) for output in graph.outputs]
        externals = Externals()
        text = sum_kernel(graph, self.columns, self.different, externals, registers)
        self._library = loaded(compiled(text, externals), externals, ["total"])
        kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64)
        self._call = kind(self._library["total"])  # gives up Python's lock while it runs

    def __call__(self, columns: Sequence[FloatArray], fixed: FloatArray) -> tuple[FloatArray, FloatArray] | None:
        """The sums and what they have lost, each of shape (lanes, outputs). None if a number cannot be trusted.

        That is so where a number left binary64 on the way, or where an input or a sum is infinite or NaN. `columns` are
        contiguous arrays of one length, a multiple of the lanes. `fixed` has a number for each input; of columns it is not read.
        """
        addresses = np.array([column.ctypes.data for column in columns], dtype=np.uintp)
        sums = np.empty((2 * len(self.different) + 1, self.lanes))
        flags.clear()
        self._call(addresses.ctypes.data, fixed.ctypes.data, sums.ctypes.data, len(columns[0]))
        if flags.raised() or not np.isfinite(sums).all():
            return None
        totals, lost = sums[:-1:2].T, sums[1::2].T
        return totals[:, self.index], lost[:, self.index]


def sum_kernel(
    graph: Graph, columns: Sequence[int], outputs: Sequence[int], externals: Externals, registers: Registers
) -> str:
    """The text of `@total(columns, fixed, sums, count)`: for each output two vectors, the sum and what it lost.

    The last vector of `sums` is 0 where all numbers of the columns are finite.
    """
    known, moving = constants(graph), _moving(graph, columns)
    before = Block(1, externals, registers, "s")
    still = Body(graph, Forms(before, strict=False), _inputs(before, "%fixed", {}), known)
    for i in graph.operations:
        if i not in moving:
            still.write(i)
    block = Block(registers.lanes, externals, registers)
    rows = {j: f"%column{k}" for k, j in enumerate(columns)}
    of_row = _inputs(block, "", rows)
    same = {i: _spread(before, block, still.number(i)) for i in _read_inside(graph, moving, known, outputs)}
    body = Body(graph, Forms(block, strict=False), lambda i: same[i] if i in same else of_row(i), known)
    for i in graph.operations:
        if i in moving:
            body.write(i)
    kind = block.type
    carried = [(f"%sum{k}", f"%lost{k}") for k in range(len(outputs))]
    phis, after = [], []
    for k, ((total, lost), output) in enumerate(zip(carried, outputs, strict=True)):
        new, lost_now = _two_sum(block, total, lost, body.number(output))
        phis += [f"  {name} = phi {kind} [ zeroinitializer, %entry ], [ {then}, %loop ]" for name, then in
                 ((total, new), (lost, lost_now))]  # fmt: skip
        after += [_stored(kind, new, 2 * k, registers.lanes), _stored(kind, lost_now, 2 * k + 1, registers.lanes)]
    odd = "%odd"
    for j in columns:
        value = body.number(j)
        odd = block.binary("fadd", odd, block.binary("fsub", value, value))  # 0 of a finite number, NaN of any other
    phis.append(f"  %odd = phi {kind} [ zeroinitializer, %entry ], [ {odd}, %loop ]")
    after.append(_stored(kind, odd, 2 * len(outputs), registers.lanes))
    pointers = []
    for k in range(len(columns)):
        pointers += [f"  %place{k} = getelementptr ptr, ptr %columns, i64 {k}", f"  %start{k} = load ptr, ptr %place{k}"]
    here = [f"  %column{k} = getelementptr double, ptr %start{k}, i64 %p" for k in range(len(columns))]
    return "\n".join([
        "define void @total(ptr noalias nocapture readonly %columns, ptr noalias nocapture readonly %fixed, "
        "ptr noalias nocapture writeonly %sums, i64 %count) nounwind {",
        "entry:", *before.lines, *pointers, "  br label %loop",
        "loop:", "  %p = phi i64 [ 0, %entry ], [ %next, %loop ]", *phis, *here, *block.lines,
        f"  %next = add i64 %p, {registers.lanes}", "  %more = icmp slt i64 %next, %count",
        "  br i1 %more, label %loop, label %done",
        "done:", *after, "  ret void", "}",
    ])  # fmt: skip


def _moving(graph: Graph, columns: Sequence[int]) -> set[int]:
    """The nodes that depend on a column."""
    moving = set(columns)
    for i in graph.operations:
        if any(operand in moving for operand in graph.nodes[i].operands):
            moving.add(i)
    return moving


def _read_inside(graph: Graph, moving: set[int], known: Mapping[int, float], outputs: Sequence[int]) -> list[int]:
    """What the loop reads and what is the same for all rows."""
    read = {operand for i in moving for operand in graph.nodes[i].operands} | set(outputs)
    return sorted(i for i in read if i not in moving and i not in known)


def _inputs(block: Block, base: str, places: Mapping[int, str]) -> Any:
    """Reads input i: from a place of its own, or from the i-th number behind `base`."""

    def load(i: int) -> str:
        address = places[i] if i in places else block.let(f"getelementptr double, ptr {base}, i64 {i}")
        return block.let(f"load {block.type}, ptr {address}, align 8")

    return load


def _spread(before: Block, block: Block, value: str) -> str:
    """The number in every lane, written before the loop."""
    if block.width == 1:
        return value
    first = before.let(f"insertelement {block.type} poison, double {value}, i32 0")
    return before.shuffle(block.type, first, "poison", [0] * block.width)


def _two_sum(block: Block, total: str, lost: str, value: str) -> tuple[str, str]:
    """total + value, and lost + what that sum has lost (Knuth 1969), without a branch."""
    new = block.binary("fadd", total, value)
    added = block.binary("fsub", new, total)
    of_total = block.binary("fsub", total, block.binary("fsub", new, added))
    of_value = block.binary("fsub", value, added)
    return new, block.binary("fadd", lost, block.binary("fadd", of_total, of_value))


def _stored(kind: str, value: str, place: int, lanes: int) -> str:
    name = f"%into{place}"
    return (f"  {name} = getelementptr double, ptr %sums, i64 {place * lanes}\n"
            f"  store {kind} {value}, ptr {name}, align 8")  # fmt: skip
