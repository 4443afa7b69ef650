"""LLVM IR, written as text: one straight line of instructions on numbers or on short vectors of them.

LLVM parses text fastest, and a reader can check it. Every instruction is pure, so one that was written before is not written
again: value numbering is a dictionary from an instruction's text to the name of its result.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Registers:
    """Doubles in a vector register, the prefix of glibc's functions for such vectors, and which of those exist."""

    lanes: int = 1
    prefix: str = ""
    functions: frozenset[str] = frozenset()
    fused: bool = False
    """Whether a × b + c is one instruction."""


@dataclass
class Externals:
    """The functions that a module calls, by name: declarations, its own functions, and the addresses of what libm lacks."""

    declarations: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, int] = field(default_factory=dict)

    def declare(self, name: str, result: str, operands: list[str]) -> None:
        attributes = "nounwind willreturn memory(none)"
        self.declarations[name] = f"declare {result} @{name}({', '.join(operands)}) {attributes}"


class Block:
    """Straight-line code under construction. `width` is 1 for scalars, else the number of lanes."""

    def __init__(
        self, width: int, externals: Externals, registers: Registers | None = None, prefix: str = "t"
    ) -> None:
        self.width, self.externals, self.registers = width, externals, registers or Registers()
        self.prefix = prefix
        self.type = self.of("double")
        self.lines: list[str] = []
        self._names: dict[str, str] = {}

    def of(self, scalar: str) -> str:
        """The type of `width` such scalars."""
        return scalar if self.width == 1 else f"<{self.width} x {scalar}>"

    def wide(self, lanes: int) -> Block:
        """Writes into the same block, on vectors."""
        found = Block(lanes, self.externals, self.registers, self.prefix)
        found.lines, found._names = self.lines, self._names
        return found

    def gathered(self, scalars: Sequence[str]) -> str:
        """A vector of these numbers. The first one stands in all lanes that are left."""
        found = "poison"
        for lane in range(self.width):
            scalar = scalars[lane] if lane < len(scalars) else scalars[0]
            found = self.let(f"insertelement {self.type} {found}, double {scalar}, i32 {lane}")
        return found

    def filled(self, scalars: Sequence[str]) -> str:
        """A vector of these numbers, which begins as one of those that are known."""
        kind, poison = vector(len(scalars)), "poison"
        found = f"<{', '.join(f'double {scalar if is_double(scalar) else poison}' for scalar in scalars)}>"
        for lane, scalar in enumerate(scalars):
            if not is_double(scalar):
                found = self.let(f"insertelement {kind} {found}, double {scalar}, i32 {lane}")
        return found

    def lane(self, vector: str, lane: int) -> str:
        """One number of a vector."""
        return self.let(f"extractelement {self.type} {vector}, i32 {lane}")

    def let(self, instruction: str) -> str:
        """The name of this pure instruction's result."""
        name = self._names.get(instruction)
        if name is None:
            name = self._names[instruction] = f"%{self.prefix}{len(self._names)}"
            self.lines.append(f"  {name} = {instruction}")
        return name

    def do(self, instruction: str) -> None:
        """An instruction that is written for its effect."""
        self.lines.append(f"  {instruction}")

    def number(self, value: float) -> str:
        """A constant, the same in every lane."""
        literal = double(value)
        return literal if self.width == 1 else f"<{', '.join([f'double {literal}'] * self.width)}>"

    def binary(self, operation: str, a: str, b: str) -> str:
        return self.let(f"{operation} {self.type} {a}, {b}")

    def negative(self, a: str) -> str:
        return self.let(f"fneg {self.type} {a}")

    def compare(self, relation: str, a: str, b: str) -> str:
        """`relation` is one of fcmp's: olt, oge, uno …"""
        return self.let(f"fcmp {relation} {self.type} {a}, {b}")

    def logic(self, operation: str, p: str, q: str) -> str:
        return self.let(f"{operation} {self.of('i1')} {p}, {q}")

    def negation(self, p: str) -> str:
        true = "true" if self.width == 1 else f"<{', '.join(['i1 true'] * self.width)}>"
        return self.logic("xor", p, true)

    def choose(self, condition: str, a: str, b: str) -> str:
        return self.let(f"select {self.of('i1')} {condition}, {self.type} {a}, {self.type} {b}")

    def intrinsic(self, name: str, *operands: str) -> str:
        suffix = "f64" if self.width == 1 else f"v{self.width}f64"
        return self._call(f"llvm.{name}.{suffix}", self.type, operands)

    def function(self, name: str, *operands: str, lanewise: bool = False) -> str:
        """A function of the C library. On vectors its vector form is used, unless it is to be called `lanewise`."""
        if self.width == 1:
            return self._call(name, "double", operands)
        if lanewise:
            return self._lane_by_lane(name, operands)
        return self._part_by_part(f"{self.registers.prefix}{'v' * len(operands)}_{name}", operands)

    def _lane_by_lane(self, name: str, operands: tuple[str, ...]) -> str:
        result = "poison"
        for lane in range(self.width):
            scalars = [self.lane(operand, lane) for operand in operands]
            value = self._call(name, "double", tuple(scalars))
            result = self.let(f"insertelement {self.type} {result}, double {value}, i32 {lane}")
        return result

    def _part_by_part(self, name: str, operands: tuple[str, ...]) -> str:
        """One register after another."""
        size, kind = self.registers.lanes, vector(self.registers.lanes)
        if size == self.width:
            return self._call(name, kind, operands)
        parts = []
        for start in range(0, self.width, size):
            lanes = range(start, start + size)
            inside = [self.shuffle(self.type, operand, "poison", lanes) for operand in operands]
            parts.append(self._call(name, kind, tuple(inside)))
        return self.joined(parts, size)

    def joined(self, parts: Sequence[str], length: int) -> str:
        """Vectors of `length`, joined end to end. Their number is a power of two."""
        while len(parts) > 1:
            lanes = range(2 * length)
            parts = [
                self.shuffle(vector(length), a, b, lanes) for a, b in zip(parts[::2], parts[1::2], strict=True)
            ]
            length *= 2
        return parts[0]

    def shuffle(self, kind: str, a: str, b: str, lanes: Iterable[int]) -> str:
        """Lanes picked from two vectors of this kind; lanes of `b` are numbered after those of `a`."""
        picked = [f"i32 {lane}" for lane in lanes]
        return self.let(f"shufflevector {kind} {a}, {kind} {b}, <{len(picked)} x i32> <{', '.join(picked)}>")

    def _call(self, name: str, kind: str, operands: tuple[str, ...]) -> str:
        if name not in self.externals.declarations:
            self.externals.declare(name, kind, [kind] * len(operands))
        return self.let(f"call {kind} @{name}({', '.join(f'{kind} {operand}' for operand in operands)})")


def double(value: float) -> str:
    """A double, with every bit.

    >>> double(1.0)
    '0x3FF0000000000000'
    """
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def is_double(operand: str) -> bool:
    """Whether an operand is a number that `double` wrote."""
    return operand.startswith("0x")


def vector(length: int) -> str:
    """The type of so many doubles."""
    return f"<{length} x double>"
