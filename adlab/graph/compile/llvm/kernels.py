"""Kernels: functions `void kernel(double* x, double* out, int64 count)` over points stored one after another.

`point` computes one point on scalars. `batch` takes as many points at a time as a vector has lanes: blocks of
inputs are read as they lie and transposed in registers, outputs likewise; what is left over goes to `point`.
"""

from __future__ import annotations

from collections.abc import Sequence

from adlab.graph.compile.llvm.body import Body
from adlab.graph.compile.llvm.forms import Forms
from adlab.graph.compile.llvm.text import Block, Externals
from adlab.graph.graph import Graph

SIGNATURE = "(ptr noalias nocapture readonly %x, ptr noalias nocapture writeonly %out, i64 %count)"


def point_kernel(graph: Graph, externals: Externals, strict: bool) -> str:
    """The text of `@point`."""
    block = Block(1, externals)

    def load(i: int) -> str:
        address = block.let(f"getelementptr inbounds double, ptr %x, i64 {i}")
        return block.let(f"load double, ptr {address}")

    body = Body(graph, Forms(block, strict, frozenset()), load)
    body.write(graph.operations)
    for k, output in enumerate(graph.outputs):
        address = block.let(f"getelementptr inbounds double, ptr %out, i64 {k}")
        block.do(f"store double {body.number(output)}, ptr {address}")
    return "\n".join([f"define void @point{SIGNATURE} nounwind {{", *block.lines, "  ret void", "}"])


def batch_kernel(graph: Graph, externals: Externals, strict: bool, width: int, prefix: str, vectors: frozenset[str]) -> str:
    """The text of `@batch`; it calls `@point`."""
    block = Block(width, externals, prefix)
    n, m = len(graph.inputs), len(graph.outputs)
    columns = _Columns(block, "%rows", n)
    body = Body(graph, Forms(block, strict, vectors), columns.load)
    body.write(graph.operations)
    _store_rows(block, "%outs", [body.number(output) for output in graph.outputs])
    return f"""
define void @batch{SIGNATURE} nounwind {{
  %whole = and i64 %count, {-width}
  %some = icmp sgt i64 %whole, 0
  br i1 %some, label %body, label %rest
body:
  %p = phi i64 [ 0, %0 ], [ %next, %body ]
  %first = mul i64 %p, {n}
  %rows = getelementptr inbounds double, ptr %x, i64 %first
  %result = mul i64 %p, {m}
  %outs = getelementptr inbounds double, ptr %out, i64 %result
{chr(10).join(block.lines)}
  %next = add i64 %p, {width}
  %more = icmp slt i64 %next, %whole
  br i1 %more, label %body, label %rest
rest:
  %any = icmp slt i64 %whole, %count
  br i1 %any, label %single, label %done
single:
  %q = phi i64 [ %whole, %rest ], [ %after, %single ]
  %firstq = mul i64 %q, {n}
  %xq = getelementptr inbounds double, ptr %x, i64 %firstq
  %resultq = mul i64 %q, {m}
  %outq = getelementptr inbounds double, ptr %out, i64 %resultq
  call void @point(ptr %xq, ptr %outq, i64 1)
  %after = add i64 %q, 1
  %again = icmp slt i64 %after, %count
  br i1 %again, label %single, label %done
done:
  ret void
}}"""


class _Columns:
    """Inputs of `width` points as vectors, read when first used: blocks of four at a time, transposed."""

    def __init__(self, block: Block, base: str, n: int) -> None:
        self.block, self.base, self.n = block, base, n
        self.columns: dict[int, str] = {}

    def load(self, i: int) -> str:
        if i not in self.columns:
            start = i - i % 4
            size = min(4, self.n - start)
            rows = [self._row(lane * self.n + start, size) for lane in range(self.block.width)]
            for k, column in enumerate(transposed(self.block, rows, size)):
                self.columns[start + k] = column
        return self.columns[i]

    def _row(self, offset: int, size: int) -> str:
        address = self.block.let(f"getelementptr inbounds double, ptr {self.base}, i64 {offset}")
        return self.block.let(f"load {vector(size)}, ptr {address}, align 8")


def _store_rows(block: Block, base: str, values: Sequence[str]) -> None:
    m = len(values)
    for start in range(0, m, 4):
        columns = values[start : start + 4]
        size = len(columns)
        for lane, row in enumerate(_rows(block, columns)):
            address = block.let(f"getelementptr inbounds double, ptr {base}, i64 {lane * m + start}")
            block.do(f"store {vector(size)} {row}, ptr {address}, align 8")


def transposed(block: Block, rows: Sequence[str], size: int) -> list[str]:
    """`width` rows of `size` (1 to 4) numbers → `size` columns of `width`: join pairs of rows, then pick."""
    joined = _joined(block, rows, vector(size), size)
    width, total = len(rows), vector(len(rows) * size)
    return [
        _shuffle(block, total, joined, "poison", [lane * size + k for lane in range(width)]) for k in range(size)
    ]


def _rows(block: Block, columns: Sequence[str]) -> list[str]:
    """The other way: columns of `width` numbers → `width` rows."""
    width, size = block.width, len(columns)
    joined = _joined(block, columns, vector(width), width)
    total = vector(width * _padded(size))
    return [_shuffle(block, total, joined, "poison", [k * width + lane for k in range(size)]) for lane in range(width)]


def _joined(block: Block, parts: Sequence[str], kind: str, length: int) -> str:
    """Vectors laid end to end, the number of them padded to a power of two."""
    level = [*parts, *["poison"] * (_padded(len(parts)) - len(parts))]
    while len(level) > 1:
        mask = list(range(2 * length))
        level = [_shuffle(block, kind, a, b, mask) for a, b in zip(level[::2], level[1::2], strict=True)]
        length *= 2
        kind = vector(length)
    return level[0]


def _padded(count: int) -> int:
    return 1 << (count - 1).bit_length()


def _shuffle(block: Block, kind: str, a: str, b: str, mask: Sequence[int]) -> str:
    lanes = ", ".join(f"i32 {lane}" for lane in mask)
    return block.let(f"shufflevector {kind} {a}, {kind} {b}, <{len(mask)} x i32> <{lanes}>")


def vector(length: int) -> str:
    return f"<{length} x double>"
