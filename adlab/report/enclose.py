"""Guaranteed intervals: the values that f and its partials can have anywhere in a box of inputs, and what that proves.

The reverse program is run on proven intervals (`adlab.arithmetic.enclosures`), once, or once on each piece of the box. An
interval on one side of 0 proves the sign of a partial on the whole box, so f is monotone there. An enclosed value proves that
every operation stays inside its domain.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np

from adlab.arithmetic import arb
from adlab.arithmetic.domain import needed
from adlab.arithmetic.enclosures import ENCLOSURES, UNDEFINED, undefined
from adlab.arithmetic.intervals import SURELY
from adlab.arithmetic.numbers import evaluate
from adlab.display import Report, Table
from adlab.errors import OptionError, PointError
from adlab.function import Function, as_function, is_code
from adlab.graph.graph import Graph
from adlab.inputs import coerce_one, takes_at
from adlab.primitives.ranges import Interval, hull
from adlab.text.traversal import listing
from adlab.tracing.places import function_at

LARGEST = 1_000_000  # operations × pieces: half a minute


@dataclass(frozen=True)
class Enclosed:
    """The value of f (`variable` empty) or one partial. It lies between `low` and `high` all over the box.

    Both are None where it is not proven to exist everywhere. `sign` is what the interval proves; `why` says what prevented a
    proof.
    """

    variable: str
    low: float | None
    high: float | None
    sign: str
    why: str = ""
    output: int | None = None


@dataclass(frozen=True)
class Enclosure(Report):
    """What is proven of a function on a box.

    `kinks` are operations that may have a kink or jump inside the box. Then the partials are enclosed at all points where f has
    them.
    """

    title: str
    box: dict[str, Interval]
    pieces: int
    rows: list[Enclosed]
    kinks: list[str]

    @property
    def defined(self) -> bool:
        """Whether f is proven to have a value everywhere in the box."""
        return all(row.low is not None for row in self.rows if not row.variable)

    def value(self, output: int = 0) -> Interval | None:
        """The enclosure of f; None where f is not proven to have a value."""
        return self._found("", output)

    def partial(self, variable: str, output: int = 0) -> Interval | None:
        """The enclosure of one partial."""
        return self._found(variable, output)

    def _found(self, variable: str, output: int) -> Interval | None:
        for row in self.rows:
            if row.variable == variable and (row.output or 0) == output:
                return None if row.low is None or row.high is None else (row.low, row.high)
        raise OptionError(f"there is no output {output} by `{variable}` in this enclosure")

    def sections(self) -> list[Table | str]:
        """The box, a row for each value and partial, and what is proven or what prevents a proof."""
        place = ", ".join(name + (f" = {a!r}" if a == b else f" in [{a!r}, {b!r}]") for name, (a, b) in self.box.items())
        many = any(row.output is not None for row in self.rows)
        head = [*(["output"] if many else []), "of", "from", "to", "sign"]
        cells = [
            [*([str(row.output)] if many else []), f"∂/∂{row.variable}" if row.variable else "f",
             "–" if row.low is None else repr(row.low), "–" if row.high is None else repr(row.high), row.sign]
            for row in self.rows
        ]  # fmt: skip
        cut = f", in {self.pieces} pieces" if self.pieces > 1 else ""
        table = Table(f"{self.title} for {place}{cut}", head, cells, frozenset(["from", "to"]))
        return [table, "\n".join(f"• {sentence}" for sentence in self.sentences())]

    def sentences(self) -> list[str]:
        """What is proven, and what is not."""
        said = ["f has a value at every point of the box: proven."] if self.defined else []
        said += [f"{why}." for why in dict.fromkeys(row.why for row in self.rows if row.why)]
        return said + [
            f"f may have a kink or jump in the box at {node}: the partials are enclosed at all points where f has them."
            for node in self.kinks
        ]

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The interval of f and of each partial over the box; `options` go to `Axes.plot`. Returns the Axes."""
        from adlab.plots.known import Span, spans

        rows = [
            Span(f"{'∂' * bool(r.variable)}f{'' if r.output is None else r.output}{f'/∂{r.variable}' * bool(r.variable)}",
                 r.low, r.high, r.sign)
            for r in self.rows
        ]  # fmt: skip
        sides = [f"{name} = {a:.6g}" if a == b else f"{name} in [{a:.6g}, {b:.6g}]" for name, (a, b) in self.box.items()]
        place = listing([side.replace(" ", "\u00a0") for side in sides], 6)
        return spans(rows, ax, f"{self.title} for {place}", "proven interval, and sign", options)

    def to_dict(self) -> dict[str, Any]:
        """`box, pieces, defined, kinks, rows, sentences`."""
        return {
            "box": {name: list(side) for name, side in self.box.items()}, "pieces": self.pieces, "defined": self.defined,
            "kinks": self.kinks, "rows": [asdict(row) for row in self.rows], "sentences": self.sentences(),
        }  # fmt: skip


@takes_at
def enclose(f: Any, box: Any, pieces: int = 1) -> Enclosure:
    """Guaranteed intervals for f and each partial over a box of inputs.

    `f` is a Function, an expression or a text, or a Python function, traced in the middle of the box. `box` gives each variable
    a pair (low, high) or a number, by name or in order; one pair is enough where n = 1. Cutting the box into `pieces` for each
    variable makes the intervals tighter and costs time. Raises MissingExtra without python-flint, PointError for a box that does
    not fit, OptionError for so many pieces that they would take minutes.

    >>> found = enclose("x*exp(-x)", (0, 0.5))
    >>> found.partial("x"), found.rows[1].sign
    ((0.10653065971263331, 1.0), 'positive')
    """
    f = function_at(f, _middle(box)) if is_code(f) else as_function(f, box)
    arb.required()
    sides = _sides(f, box)
    program = f.program("reverse")
    cuts = [_cut(side, pieces) for side in sides]
    count = math.prod(map(len, cuts))
    if count * len(program) > LARGEST:
        raise OptionError(f"{count} pieces of {len(program)} operations each would take minutes; take fewer pieces")
    found: list[list[Interval]] = [evaluate(program, list(part), ENCLOSURES) for part in product(*cuts)]
    rows = [row for i in range(f.m) for row in _rows(f, program, found, i)]
    kinks = list(dict.fromkeys(node for values in found for node in _kinks(f.graph, values)))
    return Enclosure(f.title, dict(zip(f.names, sides, strict=True)), count, rows, kinks)


def _middle(box: Any) -> Any:
    """The point in the middle of a box, in the form in which a Python function takes its arguments."""
    if isinstance(box, Mapping):
        return {name: float(np.mean(side)) for name, side in box.items()}
    pair = isinstance(box, Sequence) and len(box) == 2 and not any(isinstance(side, Sequence) for side in box)
    return float(np.mean(box)) if pair or not isinstance(box, Sequence) else [float(np.mean(side)) for side in box]


def _sides(f: Function, box: Any) -> list[Interval]:
    """The box as an interval for each variable."""
    if not isinstance(box, Mapping):
        listed = list(box) if isinstance(box, Sequence) and not isinstance(box, str) else [box]
        if f.n == 1 and len(listed) == 2 and not any(isinstance(side, Sequence) for side in listed):
            listed = [listed]
        if len(listed) != f.n:
            raise PointError(f"the box has {len(listed)} sides; give one (low, high) or number for each of {', '.join(f.names)}")
        box = dict(zip(f.names, listed, strict=True))
    pairs = {name: tuple(side) if isinstance(side, Sequence) and not isinstance(side, str) else (side, side)
             for name, side in box.items()}  # fmt: skip
    for name, pair in pairs.items():
        if len(pair) != 2:
            raise PointError(f"the box has {pair!r} for {name}; a side is a pair (low, high), or a number")
    low, high = (coerce_one({name: pair[k] for name, pair in pairs.items()}, f.names, "box").tolist() for k in (0, 1))
    for name, a, b in zip(f.names, low, high, strict=True):
        if a > b:
            raise PointError(f"the box has {name} from {a!r} to {b!r}; give the lower end first")
    return list(zip(low, high, strict=True))


def _cut(side: Interval, pieces: int) -> list[Interval]:
    if isinstance(pieces, bool) or not isinstance(pieces, int) or pieces < 1:
        raise OptionError(f"pieces={pieces!r}: a box is cut into a whole number of pieces, at least 1")
    low, high = side
    ends = [low, *(low + (high - low) * (k / pieces) for k in range(1, pieces)), high]
    distinct = sorted(set(ends))
    return list(pairwise(distinct)) or [side]


def _rows(f: Function, program: Graph, found: list[list[Interval]], i: int) -> Iterator[Enclosed]:
    """The value of one output and its partials. The partials exist only where the value does."""
    output = i if f.m > 1 else None
    places = [program.outputs[i], *program.outputs[f.m + i * f.n : f.m + (i + 1) * f.n]]
    lacking = ""
    for variable, place in zip(["", *f.names], places, strict=True):
        why = lacking or next((_reason(program, values, place) for values in found if undefined(values[place])), "")
        if not variable:
            lacking = why
        if why:
            yield Enclosed(variable, None, None, "not decided", why, output)
        else:
            low, high = hull(end for values in found for end in values[place])
            yield Enclosed(variable, low, high, sign(low, high), "", output)


def sign(low: float, high: float) -> str:
    """What an interval proves of the sign.

    >>> sign(1.0, 2.0), sign(0.0, 2.0), sign(-1.0, 1.0)
    ('positive', 'not negative', 'not decided')
    """
    if low == high == 0:
        return "zero"
    if low > 0 or high < 0:
        return "positive" if low > 0 else "negative"
    return "not negative" if low == 0 else "not positive" if high == 0 else "not decided"


def _reason(program: Graph, values: Sequence[Interval], place: int) -> str:
    """Why there is no enclosure: the first operation under `place` that may have no value, and the intervals that it met."""
    below, stack = set(), [place]
    while stack:
        i = stack.pop()
        if i not in below and undefined(values[i]):
            below.add(i)
            stack.extend(program.nodes[i].operands)
    first = min(below)
    primitive, operands, parameter = program.nodes[first]
    if not operands:
        return "it is not proven that a condition of the Piecewise holds everywhere in the box"
    moving = [o for o in dict.fromkeys(operands) if program.active[o]]
    met = ", ".join(f"{program.names[o]} is in [{values[o][0]:.6g}, {values[o][1]:.6g}]" for o in moving) or "it is a constant"
    written = f"{program.names[first]} = {program.written(first)}"
    if ENCLOSURES.defined(primitive, parameter, [values[o] for o in operands]):
        return f"{written} is not proven to be bounded in the box, where {met}"
    needs = needed(program, first, primitive.value_condition(parameter))
    return f"{written} is not proven to have a value everywhere in the box: it needs {needs}, and {met}"


def _kinks(graph: Graph, values: Sequence[Interval]) -> Iterator[str]:
    """The operations of f that are not proven to be smooth. The program starts with f's own graph."""
    for i in graph.operations:
        primitive, operands, parameter = graph.nodes[i]
        sides = [values[o] for o in operands]
        if primitive.smooth is True or not graph.active[i] or UNDEFINED in sides or any(map(undefined, sides)):
            continue
        if ENCLOSURES.conditions(primitive, parameter, sides, values[i])[-1] != SURELY:
            yield f"{graph.names[i]} = {graph.written(i)}"
