"""The recorder: while a Python function runs, it writes each operation down as a node of a graph."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Sequence
from fractions import Fraction
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

from adlab.arithmetic.floats import FLOATS
from adlab.errors import TracingError
from adlab.graph.compound import Compound
from adlab.graph.graph import Builder, Node
from adlab.primitives.primitive import Parameter, Primitive
from adlab.primitives.table import PRIMITIVES

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
NUMPY = os.path.dirname(os.path.abspath(np.__file__)) + os.sep
NE = PRIMITIVES["ne"]
LONGEST_LINE = 80
"""Characters of a source line that a message shows."""
LARGEST_EXACT = 2**53
"""The largest integer up to which binary64 holds every integer."""


class SourceLine(NamedTuple):
    """A line of the user's source."""

    file: str
    number: int

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.number}"

    @property
    def text(self) -> str:
        """The source of the line, at most 80 characters of it; empty where it is not known."""
        text = linecache.getline(self.file, self.number).strip()
        return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"


_OURS: dict[str, bool] = {}


def is_ours(code: CodeType) -> bool:
    """Whether the code belongs to adlab or to NumPy."""
    file = code.co_filename  # Python keeps the hash of a string, but not of a code object
    known = _OURS.get(file)
    if known is None:
        known = _OURS[file] = file.startswith((HERE, NUMPY))
    return known


def users_frame() -> FrameType | None:
    """The innermost frame of code that belongs neither to adlab nor to NumPy."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and _OURS.get(frame.f_code.co_filename, False):
        frame = frame.f_back
    while frame is not None and is_ours(frame.f_code):
        frame = frame.f_back
    return frame


def users_line() -> SourceLine:
    """The line of the user's code that is running."""
    frame = users_frame()
    return SourceLine("<unknown>", 0) if frame is None else SourceLine(frame.f_code.co_filename, frame.f_lineno)


class Mark(NamedTuple):
    """A place in the user's code, kept as an instruction. Its line is looked up only on demand, since that takes long."""

    code: CodeType
    instruction: int

    @property
    def line(self) -> SourceLine:
        """The line of the instruction."""
        for start, end, number in self.code.co_lines():
            if start <= self.instruction < end and number is not None:
                return SourceLine(self.code.co_filename, number)
        return SourceLine(self.code.co_filename, self.code.co_firstlineno)


def refuse(what: str, instead: str) -> TracingError:
    """The error for what cannot be traced: the line, the reason, what to write instead."""
    line = users_line()
    source = f" `{line.text}`" if line.text else ""
    return TracingError(f"{line}:{source}: {what}; {instead}")


class Guard(NamedTuple):
    """A branch that the function took: the node of the condition, whether it held, and the line that asked."""

    position: int
    held: bool
    line: SourceLine


class Recorder:
    """A graph that grows while a function runs. Positions are those of its builder."""

    depth = 0
    """How many bodies of loops and branches this recorder is inside of."""

    plain = True
    """Whether its numbers are floats."""

    def __init__(self, names: Sequence[str]) -> None:
        self.builder = Builder(names)
        self.grown, self.met_before = self.builder.nodes, self.builder.known
        self.lines: dict[int, Mark] = {}
        """The line of the user's source that first asked for each node."""
        self.constants: dict[tuple[type, float], int] = {}
        self.guards: dict[int, Guard] = {}
        """Each condition that decided a branch, once."""

    @staticmethod
    def value(primitive: Primitive, values: Sequence[Any], parameter: Parameter) -> Any:
        """What the operation gives on binary64."""
        return primitive.value(values, parameter)

    @staticmethod
    def number(constant: Any) -> Any:
        """A constant as a number of this recorder."""
        return float(constant)

    @staticmethod
    def compound(operation: Compound, parameter: Parameter, values: Sequence[Any]) -> Sequence[Any]:
        """What an operation with bodies gives on binary64."""
        return operation.apply(FLOATS, parameter, values)

    @staticmethod
    def current() -> Recorder | None:
        """The recorder of the running trace; None outside one."""
        return None

    def adopt(self, number: Any) -> Any:
        """A traced number of another recorder."""
        raise refuse("a traced number has outlived its trace", "return it from the function, and keep no global of it")

    def float_or_int(self, value: float) -> int:
        """The position of a constant of Python's own types, which is kept."""
        key = (type(value), value)
        position = self.constants.get(key)
        if position is None:
            position = self.constants[key] = self.constant(value)
        return position

    def constant(self, value: Any) -> int:
        """The position of a constant. Whole numbers and fractions are exact; a float is the binary64 that it is."""
        if isinstance(value, (bool, np.bool_)):
            return self.builder.constant(int(value))
        if isinstance(value, (int, np.integer)):
            return self.builder.constant(int(value) if abs(int(value)) <= LARGEST_EXACT else float(value))
        if isinstance(value, Fraction):
            return self.builder.constant(float(value))
        return self.builder.constant(float(value))

    def node(self, primitive: Primitive, operands: tuple[int, ...], parameter: Parameter = None) -> int:
        """The position of an operation, and its line. It does what `Builder.cons` does, without a call in between."""
        nodes = self.grown
        count = len(nodes)
        node = _new(Node, (primitive, operands, parameter))
        position = self.met_before.setdefault(node, count)
        if position == count:
            nodes.append(node)
            frame: Any = sys._getframe(2)
            while frame is not None:
                ours = _OURS.get(frame.f_code.co_filename)
                if ours is None:
                    ours = is_ours(frame.f_code)
                if not ours:
                    self.lines[count] = _new(Mark, (frame.f_code, frame.f_lasti))
                    break
                frame = frame.f_back
        return position

    def is_condition(self, position: int) -> bool:
        """Whether the number at this position is true or false."""
        return self.grown[position].primitive.truth_valued

    def decide(self, position: int, held: bool) -> bool:
        """Records that a branch was taken because the condition at this position held, or did not."""
        if position not in self.guards and self.builder.value_of(position) is None:
            self.guards[position] = Guard(position, held, users_line())
        return held


_new: Any = tuple.__new__  # what Mark(…) comes down to, without a call in between
