"""Kernels: functions `void kernel(double* x, double* out, int64 count, void*)` over points stored one after another.

`point` computes one point with scalars. `batch` takes as many points at a time as vectors have lanes. Blocks of inputs are read
as they are stored and transposed in registers; outputs likewise. Points that are left over go to `point`. A long program is a
row of functions that are called one after another for each point, or tile of points, with a workspace between them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from adlab.compile.llvm.body import Body
from adlab.compile.llvm.forms import Forms, vector_functions
from adlab.compile.llvm.order import runs
from adlab.compile.llvm.plan import OUTPUT_BLOCK, Segment, Segmentation, segmented
from adlab.compile.llvm.text import Block, Externals, Registers, is_double, vector
from adlab.graph.constants import constants
from adlab.graph.graph import Graph
from adlab.graph.liveness import peak

POINTERS = "ptr noalias nocapture readonly %x, ptr noalias nocapture writeonly %out"
LONGEST = 1024  # operations in a segment of a batch
LONGEST_AT_A_POINT = 512  # with 1024 LLVM takes twice as long, and the program is no faster
STACK = 1 << 16  # bytes of workspace that are kept on the stack
CACHE = 1 << 18  # bytes of workspace that a tile of points may take
LARGEST_TILE = 64  # points in a tile
ENOUGH = 3  # operands: from here on one call on a vector is quicker than a call for each
FEW = 16  # values alive at once, or inputs and outputs: four registers of each take little memory besides the processor's own
CHAIN = 4  # operations for each link: with fewer, a processor that starts two in a cycle waits for each link, which takes four
WIDE = 16  # operations for each link of the longest chain: with as many, four at a time are often alike
LONGEST_PACKED = 1536  # operations among which LLVM may look for those: with 1700 that took more than a second


def point_kernel(graph: Graph, externals: Externals, strict: bool, registers: Registers) -> str:
    """The text of `@point`."""
    together = frozenset() if strict else vector_functions(registers)
    cut = segmented(graph, longest=LONGEST_AT_A_POINT, together=together, most=registers.lanes)
    functions, calls, known = [], [], constants(graph)
    for k, segment in enumerate(cut.segments):
        block = Block(1, externals, registers)
        lines = _segment(graph, known, cut, segment, Forms(block, strict), _Rows(block, graph), together)
        functions.append(
            f"define internal void @point{k}({POINTERS}, ptr noalias nocapture %space) nounwind {{\n"
            + "\n".join([*lines, "  ret void", "}"])
        )
        calls.append(f"  call void @point{k}(ptr %x, ptr %out, ptr %space)")
    acquire, release = _workspace(externals, 8 * cut.slots)
    head = f"define void @point({POINTERS}, i64 %count, ptr %context) noinline nounwind {{"
    return "\n".join([*functions, head, *acquire, *calls, *release, "  ret void", "}"])


def batch_kernel(graph: Graph, externals: Externals, strict: bool, registers: Registers) -> str:
    """The text of `@batch`, which calls `@point`."""
    longest, width = _batch_shape(graph, registers)
    cut = segmented(graph, share=True, longest=longest)
    n, m = len(graph.inputs), len(graph.outputs)
    tile = max(width, min(LARGEST_TILE, CACHE // 8 // max(cut.slots, 1)) // width * width)
    functions, calls, known = [], [], constants(graph)
    for k, segment in enumerate(cut.segments):
        block = Block(width, externals, registers)
        lines = _segment(graph, known, cut, segment, Forms(block, strict), _Rows(block, graph))
        functions.append(_over_points(f"batch{k}", lines, n, m, cut.slots, width))
        calls.append(f"  call void @batch{k}(ptr %xt, ptr %outt, ptr %space, i64 %size)")
    acquire, release = _workspace(externals, 8 * cut.slots * tile)
    whole = len(cut.segments) == 1  # nothing lies between segments, so one tile can hold all points
    return "\n".join([*functions, _driver(n, m, width, "%whole" if whole else str(tile), calls, acquire, release)])


def _length(graph: Graph) -> int:
    """The operations in a segment. Fewer segments are faster, but a compiler takes long over a long one."""
    return LONGEST if len(graph.operations) <= 4 * LONGEST else LONGEST // 2


def _batch_shape(graph: Graph, registers: Registers) -> tuple[int, int]:
    """The operations in a segment, and the number of points to take at a time.

    A program with few operations for its depth is a chain, in which each link waits for the one before. Other points fill that
    time: several registers of them, unless the points take much memory. The same helps where few values are alive and registers
    are left over.
    """
    is_chain = len(graph.operations) < CHAIN * _depth(graph)
    several = peak(graph) <= FEW or (is_chain and len(graph.inputs) + len(graph.outputs) <= FEW)
    return _length(graph), registers.lanes * (4 if several else 1)


def is_wide(graph: Graph) -> bool:
    """Whether it pays to let LLVM look for numbers of one point that are computed alike. It takes long over a long program."""
    return WIDE * _depth(graph) <= len(graph.operations) <= LONGEST_PACKED


def _depth(graph: Graph) -> int:
    """The operations of the longest chain, in which each needs the one before."""
    depth = [0] * len(graph)
    for i in graph.operations:
        depth[i] = 1 + max([depth[operand] for operand in graph.nodes[i].operands])
    return max(depth, default=0)


def _segment(
    graph: Graph, known: Mapping[int, float], cut: Segmentation, segment: Segment, forms: Forms, rows: _Rows,
    together: frozenset[str] = frozenset()
) -> list[str]:
    """The lines that compute a segment's operations and store the values that it leaves for later segments.

    Functions `together` are called for several operands at once.
    """
    here = set(segment.operations)

    def load(i: int) -> str:
        return rows.fetch(cut.slot[i]) if i in cut.slot and i not in here else rows.load(i)

    body = Body(graph, forms, load, known)
    lanes = forms.block.registers.lanes
    complete = _complete(graph, segment)

    def store(blocks: Sequence[int]) -> None:
        for start in blocks:
            rows.store(start, [body.number(output) for output in graph.outputs[start : start + OUTPUT_BLOCK]])

    for run in runs(graph, segment.operations, together, lanes):
        if len(run) >= ENOUGH:
            body.call_together(run, lanes)
        for i in run:
            body.write(i)
            if i in cut.slot:
                rows.keep(cut.slot[i], body.number(i))
            store(complete.get(i, ()))
    store(complete.get(None, ()))
    return forms.block.lines


def _complete(graph: Graph, segment: Segment) -> dict[int | None, list[int]]:
    """The blocks of outputs that each operation completes; those that need none of this segment's at None.

    A block that is stored at once leaves its registers to the operations that follow.
    """
    order = {i: count for count, i in enumerate(segment.operations)}
    found: dict[int | None, list[int]] = defaultdict(list)
    for start in segment.stores:
        block = [output for output in graph.outputs[start : start + OUTPUT_BLOCK] if output in order]
        found[max(block, key=order.__getitem__, default=None)].append(start)
    return found


def _over_points(name: str, lines: Sequence[str], n: int, m: int, slots: int, width: int) -> str:
    """A segment as a loop over `size` points, `width` at a time."""
    return f"""
define internal void @{name}({POINTERS}, ptr noalias nocapture %spaces, i64 %size) nounwind {{
  br label %body
body:
  %p = phi i64 [ 0, %0 ], [ %next, %body ]
  %firstx = mul i64 %p, {n}
  %rows = getelementptr inbounds double, ptr %x, i64 %firstx
  %firsto = mul i64 %p, {m}
  %outs = getelementptr inbounds double, ptr %out, i64 %firsto
  %firsts = mul i64 %p, {slots}
  %space = getelementptr inbounds double, ptr %spaces, i64 %firsts
{chr(10).join(lines)}
  %next = add i64 %p, {width}
  %more = icmp slt i64 %next, %size
  br i1 %more, label %body, label %done
done:
  ret void
}}"""


def _driver(
    n: int, m: int, width: int, tile: str, calls: Sequence[str], acquire: Sequence[str], release: Sequence[str]
) -> str:
    """Takes tile after tile through all segments, then the remaining points one by one."""
    return f"""
define void @batch({POINTERS}, i64 %count, ptr %context) nounwind {{
{chr(10).join(acquire)}
  %whole = and i64 %count, {-width}
  %some = icmp sgt i64 %whole, 0
  br i1 %some, label %tiles, label %rest
tiles:
  %t = phi i64 [ 0, %0 ], [ %tnext, %tiles ]
  %firstx = mul i64 %t, {n}
  %xt = getelementptr inbounds double, ptr %x, i64 %firstx
  %firsto = mul i64 %t, {m}
  %outt = getelementptr inbounds double, ptr %out, i64 %firsto
  %left = sub i64 %whole, %t
  %full = icmp sge i64 %left, {tile}
  %size = select i1 %full, i64 {tile}, i64 %left
{chr(10).join(calls)}
  %tnext = add i64 %t, %size
  %tmore = icmp slt i64 %tnext, %whole
  br i1 %tmore, label %tiles, label %rest
rest:
  %any = icmp slt i64 %whole, %count
  br i1 %any, label %single, label %done
single:
  %q = phi i64 [ %whole, %rest ], [ %after, %single ]
  %firstxq = mul i64 %q, {n}
  %xq = getelementptr inbounds double, ptr %x, i64 %firstxq
  %firstoq = mul i64 %q, {m}
  %outq = getelementptr inbounds double, ptr %out, i64 %firstoq
  call void @point(ptr %xq, ptr %outq, i64 1, ptr %context)
  %after = add i64 %q, 1
  %again = icmp slt i64 %after, %count
  br i1 %again, label %single, label %done
done:
{chr(10).join(release)}
  ret void
}}"""


def _workspace(externals: Externals, size: int) -> tuple[list[str], list[str]]:
    """The lines that reserve `size` bytes as %space, and the lines that free them."""
    if size <= STACK:
        return [f"  %space = alloca i8, i64 {max(size, 8)}, align 64"], []
    externals.declarations["PyMem_RawMalloc"] = "declare noalias ptr @PyMem_RawMalloc(i64)"
    externals.declarations["PyMem_RawFree"] = "declare void @PyMem_RawFree(ptr)"
    return [f"  %space = call ptr @PyMem_RawMalloc(i64 {size})"], ["  call void @PyMem_RawFree(ptr %space)"]


class _Rows:
    """Where a segment's numbers are: inputs and outputs by points, the workspace by slots of one vector each."""

    def __init__(self, block: Block, graph: Graph) -> None:
        self.block = block
        self.n, self.m = len(graph.inputs), len(graph.outputs)
        self.x, self.out = ("%x", "%out") if block.width == 1 else ("%rows", "%outs")
        self.columns: dict[int, str] = {}

    def load(self, i: int) -> str:
        """Input i. For vectors a block of four inputs is read at once."""
        if self.block.width == 1:
            return self._read("double", self.x, i)
        if i not in self.columns:
            start = i - i % 4
            size = min(4, self.n - start)
            rows = [self._read(vector(size), self.x, lane * self.n + start) for lane in range(self.block.width)]
            self.columns |= enumerate(columns(self.block, rows, size), start)
        return self.columns[i]

    def store(self, start: int, values: Sequence[str]) -> None:
        """A block of outputs."""
        if self.block.width == 1:
            if len(values) == OUTPUT_BLOCK and sum(map(is_double, values)) >= 2:
                self._write(vector(len(values)), self.block.filled(values), self.out, start)
                return
            for k, value in enumerate(values, start):
                self._write("double", value, self.out, k)
        else:
            for lane, row in enumerate(rows(self.block, values)):
                self._write(vector(len(values)), row, self.out, lane * self.m + start)

    def fetch(self, slot: int) -> str:
        return self._read(self.block.type, "%space", slot * self.block.width)

    def keep(self, slot: int, value: str) -> None:
        self._write(self.block.type, value, "%space", slot * self.block.width)

    def _read(self, kind: str, base: str, offset: int) -> str:
        return self.block.let(f"load {kind}, ptr {self._address(base, offset)}, align 8")

    def _write(self, kind: str, value: str, base: str, offset: int) -> None:
        self.block.do(f"store {kind} {value}, ptr {self._address(base, offset)}, align 8")

    def _address(self, base: str, offset: int) -> str:
        return self.block.let(f"getelementptr inbounds double, ptr {base}, i64 {offset}")


def columns(block: Block, rows: Sequence[str], size: int) -> list[str]:
    """`width` rows of `size` (1 to 4) numbers → `size` columns of `width`."""
    if size == 4 and block.width % 4 == 0:
        squares = [_transposed(block, rows[start : start + 4]) for start in range(0, block.width, 4)]
        return [block.joined(parts, 4) for parts in zip(*squares, strict=True)]
    whole = block.joined(_padded(rows), size)
    kind = vector(block.width * size)
    return [block.shuffle(kind, whole, "poison", range(k, block.width * size, size)) for k in range(size)]


def rows(block: Block, columns: Sequence[str]) -> list[str]:
    """The reverse of `columns`: 1 to 4 columns of `width` numbers → `width` rows."""
    width, size = block.width, len(columns)
    if size == 4 and width % 4 == 0:
        parts = [[block.shuffle(block.type, c, "poison", range(k, k + 4)) for c in columns] for k in range(0, width, 4)]
        return [row for part in parts for row in _transposed(block, part)]
    whole = block.joined(_padded(columns), width)
    total = len(_padded(columns)) * width
    return [block.shuffle(vector(total), whole, "poison", range(lane, size * width, width)) for lane in range(width)]


def _transposed(block: Block, square: Sequence[str]) -> list[str]:
    """Four vectors of four, with rows and columns exchanged: pairs are interleaved, then their halves exchanged."""
    kind = vector(4)
    low, high = (
        [block.shuffle(kind, square[i], square[i + 1], lanes) for i in (0, 2)] for lanes in ((0, 4, 2, 6), (1, 5, 3, 7))
    )
    return [block.shuffle(kind, a, b, lanes) for lanes in ((0, 1, 4, 5), (2, 3, 6, 7)) for a, b in (low, high)]


def _padded(parts: Sequence[str]) -> list[str]:
    return [*parts, *["poison"] * ((1 << (len(parts) - 1).bit_length()) - len(parts))]
