"""What a picture of a graph says, before anything has a place: boxes of text, and arrows with text beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from adlab.graph.graph import Graph

DIGITS = 5  # significant, of a number in a box: enough to follow a sum by hand
LONGEST = 26  # characters of a name or an operation in a box

Direction = Literal["TB", "LR"]
Kind = Literal["input", "constant", "operation", "group"]
Role = Literal["name", "text", "primal", "tangent", "adjoint", "partial", "note", "unknown"]
State = Literal["done", "unknown", "now", "passed"]


class DrawnContribution(Protocol):
    """What the operation `source` passes back to its operand number `operand`, the node `target`."""

    @property
    def source(self) -> int: ...
    @property
    def target(self) -> int: ...
    @property
    def operand(self) -> int: ...
    @property
    def value(self) -> float: ...
    @property
    def sum_after(self) -> float: ...


class DrawnTrace(Protocol):
    """The numbers of a graph at a point, by node position: what a picture needs of a trace."""

    @property
    def graph(self) -> Graph: ...
    @property
    def primals(self) -> Sequence[float]: ...
    @property
    def adjoints(self) -> Mapping[int, float]: ...
    @property
    def tangents(self) -> Mapping[int, float] | None: ...
    @property
    def partials(self) -> Mapping[int, Sequence[float | None]]: ...
    @property
    def contributions(self) -> Sequence[DrawnContribution]: ...


class Piece(NamedTuple):
    """A stretch of text in one ink. `gap` is the room before it, in ems. `widest` is the longest text that it may become."""

    text: str
    role: Role = "text"
    gap: float = 0.0
    widest: str = ""


TextRow = tuple[Piece, ...]


@dataclass(frozen=True)
class Box:
    """One node: its text, and how it is drawn. `sums` marks an adjoint that is a sum of several contributions."""

    kind: Kind
    rows: tuple[TextRow, ...]
    tooltip: str
    output: bool = False
    sums: bool = False
    state: State = "done"
    far: bool = False


@dataclass(frozen=True)
class Arrow:
    """One operand, from the box that is read to the box that reads it."""

    source: int
    target: int
    rows: tuple[TextRow, ...] = ()
    tooltip: str = ""
    state: State = "done"


@dataclass(frozen=True)
class Diagram:
    """Boxes in topological order, and arrows between them.

    `key` says what the signs mean, in one line or more. `headings` are those of the two halves, if there are halves.
    """

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    key: tuple[TextRow, ...] = ()
    headings: tuple[str, str] | None = None


def short_number(number: float) -> str:
    """A number as it is written in a picture, to five digits.

    >>> short_number(2.2934734504528866), short_number(-4e-7), short_number(9.0), short_number(float("inf"))
    ('2.2935', '−4e-7', '9', 'inf')
    """
    mantissa, _, exponent = f"{abs(number):.{DIGITS}g}".partition("e")
    return f"{'−' if number < 0 else ''}{mantissa}" + (f"e{int(exponent)}" if exponent else "")


def cut(text: str, limit: int = LONGEST) -> str:
    """A long text without its middle.

    >>> cut("a_very_long_name_for_a_variable", 12)
    'a_very…iable'
    """
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[len(text) - (limit - 1) // 2 :]}"


def size_in_words(graph: Graph) -> str:
    """How large a graph is, in words: `1 input, 147 operations, 1 output`."""
    counts = {"input": len(graph.inputs), "operation": len(graph.operations), "output": len(graph.outputs)}
    return ", ".join(f"{count:,} {what}{'s'[: count != 1]}" for what, count in counts.items())
