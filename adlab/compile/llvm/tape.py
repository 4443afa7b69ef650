"""A tape interpreter in machine code: any program at once, without compiling it.

A graph becomes a list of instructions: an opcode, and the registers of result and operands. One function walks the list. It has
a case for each primitive of the table, written by the same forms as compiled programs. That function is compiled once for a
machine and kept on disk. At one point an operation takes a nanosecond; straight-line Python takes fifty and has to be compiled
first. In a batch each instruction does 32 points before the next one is decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.compile.llvm.body import Body
from adlab.compile.llvm.engine import cached_library, machine
from adlab.compile.llvm.entries import Row, call_entry, step_entry
from adlab.compile.llvm.forms import Forms
from adlab.compile.llvm.text import Block, Externals
from adlab.graph.collector import paused
from adlab.graph.constants import constants
from adlab.graph.graph import Builder, Graph, Node
from adlab.graph.liveness import last_uses
from adlab.primitives.primitive import Parameter, Primitive
from adlab.primitives.table import PRIMITIVES

FloatArray = npt.NDArray[np.float64]
LANES = 32  # points at a time: each instruction is read once for all of them, and their registers stay in the cache

# The context: instructions, their number, registers, inputs, outputs, the outputs' registers, and the context of the
# interpreter for
# single points, which gets the points that fill no vector.
_INTERPRETER = """
define void @tape{width}(ptr noalias %x, ptr noalias %out, i64 %count, ptr noalias %context) nounwind {{
  %code = load ptr, ptr %context
  %f1 = getelementptr i64, ptr %context, i64 1
  %length = load i64, ptr %f1
  %f2 = getelementptr i64, ptr %context, i64 2
  %registers = load ptr, ptr %f2
  %f3 = getelementptr i64, ptr %context, i64 3
  %n = load i64, ptr %f3
  %f4 = getelementptr i64, ptr %context, i64 4
  %m = load i64, ptr %f4
  %f5 = getelementptr i64, ptr %context, i64 5
  %results = load ptr, ptr %f5
  %whole = and i64 %count, -{width}
  %some = icmp sgt i64 %whole, 0
  br i1 %some, label %points, label %rest
points:
  %p = phi i64 [ 0, %0 ], [ %pnext, %stored ]
  %reads = icmp sgt i64 %n, 0
  br i1 %reads, label %read, label %walk
read:
  %i = phi i64 [ 0, %points ], [ %inext, %readrow ]
  %io = mul i64 %i, {width}
  br label %readlane
readlane:
  %il = phi i64 [ 0, %read ], [ %ilnext, %readlane ]
  %ip = add i64 %p, %il
  %irow = mul i64 %ip, %n
  %ixo = add i64 %irow, %i
  %ixp = getelementptr double, ptr %x, i64 %ixo
  %ixv = load double, ptr %ixp
  %iro = add i64 %io, %il
  %irp = getelementptr double, ptr %registers, i64 %iro
  store double %ixv, ptr %irp
  %ilnext = add i64 %il, 1
  %ilmore = icmp slt i64 %ilnext, {width}
  br i1 %ilmore, label %readlane, label %readrow
readrow:
  %inext = add i64 %i, 1
  %imore = icmp slt i64 %inext, %n
  br i1 %imore, label %read, label %walk
walk:
  %work = icmp sgt i64 %length, 0
  br i1 %work, label %decode, label %write
decode:
  %k = phi i64 [ 0, %walk ], [ %knext, %next ]
  %ko = mul i64 %k, 5
  %kp = getelementptr i32, ptr %code, i64 %ko
  %opcode = load i32, ptr %kp
{operands}
  switch i32 %opcode, label %next [
{table}
  ]
{cases}
next:
  %knext = add i64 %k, 1
  %kmore = icmp slt i64 %knext, %length
  br i1 %kmore, label %decode, label %write
write:
  %j = phi i64 [ 0, %walk ], [ 0, %next ], [ %jnext, %writerow ]
  %jp = getelementptr i32, ptr %results, i64 %j
  %jr = load i32, ptr %jp
  %jr64 = sext i32 %jr to i64
  %jro = mul i64 %jr64, {width}
  br label %writelane
writelane:
  %jl = phi i64 [ 0, %write ], [ %jlnext, %writelane ]
  %jo = add i64 %jro, %jl
  %jrp = getelementptr double, ptr %registers, i64 %jo
  %jv = load double, ptr %jrp
  %jpt = add i64 %p, %jl
  %jrow = mul i64 %jpt, %m
  %joo = add i64 %jrow, %j
  %jop = getelementptr double, ptr %out, i64 %joo
  store double %jv, ptr %jop
  %jlnext = add i64 %jl, 1
  %jlmore = icmp slt i64 %jlnext, {width}
  br i1 %jlmore, label %writelane, label %writerow
writerow:
  %jnext = add i64 %j, 1
  %jmore = icmp slt i64 %jnext, %m
  br i1 %jmore, label %write, label %stored
stored:
  %pnext = add i64 %p, {width}
  %pmore = icmp slt i64 %pnext, %whole
  br i1 %pmore, label %points, label %rest
rest:
{rest}
  ret void
}}
"""
_REST = """  %left = sub i64 %count, %whole
  %xo = mul i64 %whole, %n
  %xrest = getelementptr double, ptr %x, i64 %xo
  %oo = mul i64 %whole, %m
  %orest = getelementptr double, ptr %out, i64 %oo
  %f6 = getelementptr i64, ptr %context, i64 6
  %single = load ptr, ptr %f6
  call void @tape1(ptr %xrest, ptr %orest, i64 %left, ptr %single)"""


def _operand(letter: str, place: int, width: int) -> str:
    """The address of an operand's register."""
    return f"""  %{letter}p = getelementptr i32, ptr %kp, i64 {place}
  %{letter}i = load i32, ptr %{letter}p
  %{letter}l = sext i32 %{letter}i to i64
  %{letter}o = mul i64 %{letter}l, {width}
  %{letter} = getelementptr double, ptr %registers, i64 %{letter}o"""


@cache
def _opcodes() -> tuple[dict[tuple[Primitive, Parameter], int], str, Externals]:
    """The opcode of each operation that has one, the interpreters' text, and the functions that it calls."""
    candidates: list[tuple[Primitive, Parameter]] = [
        (primitive, None) for primitive in PRIMITIVES.values() if primitive.parameter_at is None and not primitive.variadic
    ]
    candidates += [(PRIMITIVES["powi"], 2), (PRIMITIVES["powi"], 3), (PRIMITIVES["pow"], 0), (PRIMITIVES["pow"], -1)]
    candidates.append((PRIMITIVES["heaviside"], Fraction(1, 2)))
    codes: dict[tuple[Primitive, Parameter], int] = {}
    externals = Externals()
    cases: dict[int, list[str]] = {1: [], LANES: []}
    for primitive, parameter in candidates:
        if primitive.name in ("powi", "powr") and parameter is None:
            continue
        made = {width: _case(primitive, parameter, width, len(codes)) for width in cases}
        if any(called.addresses for _, called in made.values()):
            continue  # it would be called back in Python, so the other backends compute it
        for width, (text, called) in made.items():
            cases[width].append(text)
            externals.declarations |= called.declarations
        codes[primitive, parameter] = len(codes)
    return codes, "\n".join(_interpreter(width, cases[width]) for width in cases), externals


def _case(primitive: Primitive, parameter: Parameter, width: int, code: int) -> tuple[str, Externals]:
    builder = Builder([f"x{k}" for k in range(primitive.arity)])
    graph = builder.finish([builder.cons(primitive, tuple(range(primitive.arity)), parameter)])
    externals = Externals()
    block = Block(width, externals, machine().registers, prefix=f"c{code}_")
    body = Body(graph, Forms(block, strict=False), lambda i: block.let(f"load {block.type}, ptr %{'abc'[i]}, align 8"))
    body.write(len(graph) - 1)
    block.do(f"store {block.type} {body.number(len(graph) - 1)}, ptr %t, align 8")
    return "\n".join([f"op{code}:", *block.lines, "  br label %next"]), externals


def _interpreter(width: int, cases: Sequence[str]) -> str:
    table = "\n".join(f"    i32 {code}, label %op{code}" for code in range(len(cases)))
    operands = "\n".join(_operand(letter, place, width) for place, letter in enumerate("tabc", 1))
    rest = _REST if width > 1 else ""
    return _INTERPRETER.format(width=width, operands=operands, table=table, cases="\n".join(cases), rest=rest)


@cache
def _library() -> Any:
    _, text, externals = _opcodes()
    return cached_library(text, externals, ["tape1", f"tape{LANES}"])


def tape_kernel(graph: Graph) -> TapeKernel | None:
    """The graph on a tape. None if it has an operation that the interpreter leaves to the other backends."""
    codes, _, _ = _opcodes()
    known = constants(graph)
    if all(i in known or _key(graph.nodes[i]) in codes for i in graph.operations):
        return TapeKernel(graph, known)
    return None


def _key(node: Node) -> tuple[Primitive, Parameter]:
    """A power whose exponent is not 2 or 3 is `pow` with a constant."""
    if node.primitive.name == "powi" and node.parameter not in (2, 3):
        return PRIMITIVES["pow"], 0
    return node.primitive, node.parameter


class TapeKernel:
    """Points and batches through the interpreter."""

    name = "tape"
    called, batched = 3e-9, 4e-10  # seconds for an operation: at a point, at a point of a batch

    def __init__(self, graph: Graph, known: dict[int, float]) -> None:
        self.n, self.m = len(graph.inputs), len(graph.outputs)
        tape = _Tape(graph, known)
        self._single = _Context(tape, 1, 0)
        self._many = _Context(tape, LANES, self._single.address)
        self._library = _library()
        self.call = self.vouched_call(None)

    def vouched_call(self, mend: Callable[[Row, Row], Row] | None) -> Callable[..., Row]:
        """Floats in, tuple of floats out; `mend(point, found)` where binary64 was left, or a result is not finite."""
        return call_entry(self._library["tape1"], self.n, self.m, self._single, self._single.address, mend)

    def batch(self, points: FloatArray) -> FloatArray:
        """(N, inputs) → (N, outputs)."""
        out = np.empty((len(points), self.m))
        self.bind(np.ascontiguousarray(points), out)()
        return out

    def bind(self, x: FloatArray, out: FloatArray) -> Callable[[], None]:
        """A step from the buffer `x` to the buffer `out`."""
        return self.vouched_bind(x, out, None)

    def vouched_bind(self, x: FloatArray, out: FloatArray, mend: Callable[[bool], object] | None) -> Callable[[], None]:
        """As `bind`, with `mend(alarmed)` called where binary64 was left, or a result is not finite."""
        return step_entry(self._library[f"tape{LANES}"], x, out, (self._single, self._many), self._many.address, mend)


class _Tape:
    """The instructions of a graph, five numbers each: opcode, register of the result, registers of three operands.

    Inputs have the first registers. Constants follow, then exponents of powers, which `pow` takes as operands. The rest are
    reused from one result to the next.
    """

    @paused()
    def __init__(self, graph: Graph, known: dict[int, float]) -> None:
        self.graph = graph
        n = len(graph.inputs)
        exponents: list[Any] = list({node.parameter for node in graph.nodes if node.primitive.name == "powi"})
        self.constants = [*known.values(), *map(float, exponents)]
        self.place = list(range(n)) + [0] * (len(graph) - n)
        for register, i in enumerate(known, n):
            self.place[i] = register
        self._exponent_at = {exponent: n + len(known) + k for k, exponent in enumerate(exponents)}
        self._fixed = self.taken = n + len(self.constants)
        self.code = np.array(self._instructions(known), dtype=np.int32)
        self.results = np.array([self.place[output] for output in graph.outputs], dtype=np.int32)

    def _instructions(self, known: dict[int, float]) -> list[int]:
        graph, place, codes, fixed = self.graph, self.place, _opcodes()[0], self._fixed
        last = last_uses(graph)
        free: list[int] = []
        instructions: list[int] = []
        for i in graph.operations:
            if i in known:
                continue
            node = graph.nodes[i]
            code = codes.get(node[::2])
            operands = [place[operand] for operand in node.operands]
            if code is None:
                code = codes[_key(node)]
                operands.append(self._exponent_at[node.parameter])
            if free:
                place[i] = free.pop()
            else:
                place[i], self.taken = self.taken, self.taken + 1
            instructions += (code, place[i], *operands, *_PADDING[len(operands)])
            for operand in node.operands:
                if last[operand] == i and place[operand] >= fixed:
                    free.append(place[operand])
                    last[operand] = -1  # once, even if it is both operands
        return instructions


_PADDING = {1: (0, 0), 2: (0,), 3: ()}


class _Context:
    """A tape with registers for so many points at a time, laid out as the interpreter reads it."""

    def __init__(self, tape: _Tape, width: int, single: int) -> None:
        n = len(tape.graph.inputs)
        self.tape, self.registers = tape, np.zeros((tape.taken, width))
        self.registers[n : n + len(tape.constants)] = np.array(tape.constants).reshape(-1, 1)
        self.head = np.array(
            [tape.code.ctypes.data, len(tape.code) // 5, self.registers.ctypes.data, n, len(tape.results),
             tape.results.ctypes.data, single], dtype=np.int64)  # fmt: skip
        self.address = int(self.head.ctypes.data)
