"""A trace to fill in by hand, and a grader that finds the first slip.

A slip is found by trying. What would the answer be with this sign, without that path, with the partial for the other operand?
Rows are graded in the order of the sweeps, so everything that the first wrong number depends on is right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.trace import Trace
from adlab.display import Report, Table
from adlab.errors import OptionError
from adlab.graph import rules
from adlab.inputs import takes_at
from adlab.primitives.primitive import Primitive, to_float
from adlab.primitives.table import PRIMITIVES
from adlab.text.traversal import listing, shown
from adlab.tracing.places import at_point

DIGITS = 3
"""Significant digits that an answer needs by default."""
NOTHING = 1e-9  # part of the largest number of the column that counts as 0
LARGEST = 200  # rows: a longer exercise is too long for a person
FACTORS = (2.0, 0.5, 3.0, 1 / 3, 4.0, 0.25, 10.0, 0.1)

Answers = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class PathPart:
    """What one path brings to a tangent or an adjoint: `carried` × `partial`, to or from the node `by`."""

    by: str
    carried: float
    partial: float
    operation: int
    operand: int

    @property
    def value(self) -> float:
        return self.carried * self.partial


@dataclass(frozen=True)
class Exercise(Report):
    """A blank trace. `columns` are what is asked for: primal, perhaps tangent, partials, adjoint."""

    trace: Trace
    columns: tuple[str, ...]
    digits: int = DIGITS
    """Significant digits that an answer needs."""

    @property
    def near(self) -> float:
        """The largest relative error of a number that is rounded to those digits."""
        return 0.5 * 10.0 ** (1 - self.digits)

    def sections(self) -> list[Table | str]:
        """The table to fill in, and how to hand it in."""
        graph = self.trace.graph
        rows = [[graph.names[i], graph.written(i) if i >= len(graph.inputs) else repr(self.trace.primals[i]),
                 *("…" if self.asks(column, i) else "" for column in self.columns)] for i in self.trace.shown]  # fmt: skip
        first, last = graph.names[self.trace.shown[-1]], graph.inputs[0]
        primal, rest = (f'"primal": {{"{first}": …}}, ', f', …, "{last}": …') if graph.operations else ("", "")
        how = f'grade({{{primal}"adjoint": {{"{first}": 1{rest}}}}}) says what is right.'
        return [Table("fill in", ["node", "is", *self.columns], rows), how]

    def to_dict(self) -> dict[str, Any]:
        """`rows`: node, what it is, and the columns that are asked for."""
        graph = self.trace.graph
        return {"rows": [{"node": graph.names[i], "is": graph.written(i),
                          "asked": [c for c in self.columns if self.asks(c, i)]} for i in self.trace.shown]}  # fmt: skip

    def grade(self, answers: Answers) -> Grade:
        """Grades `answers`, {column: {node: number}}. Partials are {node: [number, …]}, one for each operand.

        A number is right if it agrees when rounded to `digits` significant digits, by default three. Columns and nodes may be
        left out. Raises OptionError for a column or node that is not asked for, and for anything that is not a finite number.
        """
        self._check(answers)
        right, first = 0, ""
        asked = [(column, node) for column in self.columns for node in self.order(column)]
        following = ""
        for column, node in asked:
            name = self.trace.graph.names[node]
            given = answers.get(column, {}).get(name)
            if given is None:
                following = following or f"the {column} of {name}"
                continue
            said = self._wrong(column, node, given)
            right += said is None
            first = first or (said or "")
        return Grade(right, len(asked), first, following)

    # --- the right answers --------------------------------------------------------------------------------------

    def solution(self) -> dict[str, dict[str, Any]]:
        """Everything that is asked for, filled in."""
        names = self.trace.graph.names
        return {
            column: {names[node]: self.expected(column, node) for node in self.order(column)} for column in self.columns
        }

    def asks(self, column: str, node: int) -> bool:
        """Whether there is something to fill in. A branch that is not taken may have no value, and then no partial."""
        if node < len(self.trace.graph.inputs) and column in ("primal", "partials"):
            return False
        due = self.expected(column, node)
        return all(math.isfinite(number) for number in (due if isinstance(due, list) else [due]))

    def order(self, column: str) -> list[int]:
        """The nodes in the order of the sweep: adjoints from the output back."""
        nodes = [node for node in self.trace.shown if self.asks(column, node)]
        return nodes[::-1] if column == "adjoint" else nodes

    def expected(self, column: str, node: int) -> Any:
        trace = self.trace
        if column == "primal":
            return trace.primals[node]
        if column == "partials":
            return [0.0 if partial is None else partial for partial in trace.partials[node]]
        found = trace.adjoints if column == "adjoint" else trace.tangents or {}
        return found.get(node, 0.0)

    # --- what is wrong ------------------------------------------------------------------------------------------

    def _check(self, answers: Answers) -> None:
        names = self.trace.graph.names
        for column, given in _items(answers, "the answers are", "{column: {node: number}}"):
            if column not in self.columns:
                raise OptionError(f"no column `{column}` is asked for; there are {listing(self.columns)}")
            known = [names[node] for node in self.order(column)]
            for name, number in _items(given, f"the column `{column}` is", "{node: number}"):
                if name not in known:
                    raise OptionError(f"no {column} of `{name}` is asked for; there are {listing(known, limit=20)}")
                for entry in _several(number) if column == "partials" else [number]:
                    _number(entry, f"the {column} of {name}")

    def _wrong(self, column: str, node: int, given: Any) -> str | None:
        """The first thing to say about this answer; None if it is right."""
        expected, name = self.expected(column, node), self.trace.graph.names[node]
        if column == "partials":
            return self._wrong_partials(node, [float(number) for number in _several(given)], expected)
        answer, scale = float(given), self.scale(column, node)
        if near(answer, expected, scale, self.near):
            return None
        slips = self._primal_slips if column == "primal" else self._path_slips
        return f"the {column} of {name} is not {answer:.6g}: {_likely(answer, slips(column, node), scale, self.near)}"

    def _wrong_partials(self, node: int, given: list[float], expected: list[float]) -> str | None:
        name = self.trace.graph.names[node]
        if len(given) != len(expected):
            return f"{name} has {len(expected)} operands, and a partial for each; {len(given)} were given"
        wrong = [k for k, pair in enumerate(zip(given, expected, strict=True)) if not near(*pair, abs(pair[1]) or 1.0, self.near)]
        if not wrong:
            return None
        if len(given) == 2 and all(near(*pair, 1.0, self.near) for pair in zip(given, expected[::-1], strict=True)):
            return f"the partials of {name} are swapped"
        k = wrong[0]
        slips = [(-expected[k], "its sign is wrong"), *self._wrong_rules(node, k), *self._near_misses(node, k)]
        return f"the partial of {name} for its operand {k + 1} is not {given[k]:.6g}: {_likely(given[k], slips, 1.0, self.near)}"

    def scale(self, column: str, node: int) -> float:
        """The size of the terms of the number. Its rounding error can only be judged by that."""
        trace, operands = self.trace, self.trace.graph.nodes[node].operands
        if column == "adjoint":
            parts = [contribution.value for contribution in trace.into(node)]
        elif column == "primal":
            parts = [trace.primals[i] for i in operands] if trace.graph.nodes[node].primitive.name in ("add", "sub") else []
        else:
            tangents = trace.tangents or {}
            parts = [(p or 0.0) * tangents.get(i, 0.0) for i, p in zip(operands, trace.partials.get(node, ()), strict=False)]
        sizes = [abs(size) for size in (self.expected(column, node), *parts) if math.isfinite(size)]
        return max(sizes, default=0.0) or 1.0

    def _primal_slips(self, _: str, node: int) -> Iterator[tuple[float, str]]:
        trace, names = self.trace, self.trace.graph.names
        primitive, operands, parameter = trace.graph.nodes[node]
        at = [trace.primals[operand] for operand in operands]
        letters = tuple(names[operand] for operand in operands)
        expected = trace.primals[node]
        yield -expected, "its sign is wrong"
        if len(at) == 2:
            yield FLOATS.apply(primitive, parameter, at[::-1]), f"that is {primitive.written(letters[::-1], parameter)}"
        if primitive.name in ("sin", "cos", "tan"):
            yield FLOATS.apply(primitive, parameter, [math.radians(at[0])]), "that takes degrees; the angle is in radians"
        for other in (p for p in PRIMITIVES.values() if p.common and p is not primitive):
            if other.arity == len(at):
                yield FLOATS.apply(other, None, at), f"that is {other.written(letters)}"
        for other_node in trace.shown:
            if other_node != node:
                yield trace.primals[other_node], f"that is the value of {names[other_node]}"
        yield from _multiples(expected)

    def _wrong_rules(self, node: int, operand: int) -> Iterator[tuple[float, str]]:
        """What the partial of an operation by one operand would be by wrong rules."""
        trace, names = self.trace, self.trace.graph.names
        primitive, operands, _ = trace.graph.nodes[node]
        at, letters = [trace.primals[i] for i in operands], tuple(names[i] for i in operands)
        expected = trace.partials[node][operand] or 0.0
        if len(operands) > 1:
            yield trace.partials[node][1 - operand] or 0.0, f"that is the partial for its operand {2 - operand}"
        for other in (p for p in PRIMITIVES.values() if p.common and p is not primitive):
            if other.arity == len(operands):
                yield _partial(other, operand, at), f"that is the partial of {other.written(letters)}"
        if expected:
            yield 1 / expected, "that is upside down"

    def _near_misses(self, node: int, operand: int) -> Iterator[tuple[float, str]]:
        """Other numbers that people write for that partial."""
        trace = self.trace
        yield from _multiples(trace.partials[node][operand] or 0.0)
        for i in dict.fromkeys((*trace.graph.nodes[node].operands, node)):
            yield trace.primals[i], f"that is the value of {trace.graph.names[i]}"

    def _path_slips(self, column: str, node: int) -> Iterator[tuple[float, str]]:
        """What an adjoint or tangent would be with one thing done wrong."""
        parts = self._parts(column, node)
        expected = self.expected(column, node)
        yield -expected, "its sign is wrong"
        if column == "adjoint" and node == self.trace.graph.outputs[self.trace.output]:
            yield 0.0, "the output's own adjoint is the seed, 1"
        for part in parts:
            rest = expected - part.value
            if len(parts) > 1:
                yield rest, f"the contribution {part.by} is missing"
                yield rest - part.value, f"the contribution {part.by} has the wrong sign"
                yield expected + part.value, f"the contribution {part.by} is counted twice"
            if len(parts) > 2:
                yield part.value, f"only the contribution {part.by} is counted"
        if len(parts) > 1:
            yield math.prod(part.value for part in parts), "the contributions are multiplied, and should be added"
        if column == "adjoint":
            yield from self._order_slips(node, expected)
        for part in parts:
            rest = expected - part.value
            yield rest + part.partial, f"the contribution {part.by} is the partial alone, not times the {column}"
            yield rest + part.carried, f"the contribution {part.by} is the {column} alone, without the partial"
            at = part.operation, part.operand
            for partial, why in (*self._wrong_rules(*at), *self._near_misses(*at)):
                yield rest + part.carried * partial, f"the contribution {part.by} has a wrong partial ({why})"
        if column == "adjoint" and self.trace.tangents is not None:
            yield self.trace.tangents.get(node, 0.0), "that is its tangent"
        yield self.trace.primals[node], "that is its value"
        yield from _multiples(expected)

    def _order_slips(self, node: int, expected: float) -> Iterator[tuple[float, str]]:
        """What this adjoint would be if a node that several others read passed its own adjoint on too early or too often."""
        trace, names = self.trace, self.trace.graph.names
        for source in dict.fromkeys(part.source for part in trace.into(node)):
            arrivals = [part.sum_after for part in trace.into(source)]
            if len(arrivals) > 1:
                passed = sum(part.partial for part in trace.into(node) if part.source == source)
                rest, turn = expected - passed * arrivals[-1], f"the order is wrong: {names[source]} passed its adjoint on"
                for early in arrivals[:-1]:
                    yield rest + passed * early, f"{turn} before everything that reads it had its turn"
                for often in (len(arrivals) * arrivals[-1], sum(arrivals)):
                    yield rest + passed * often, f"{turn} {len(arrivals)} times; its turn comes once, after all that reads it"

    def _parts(self, column: str, node: int) -> list[PathPart]:
        trace, names = self.trace, self.trace.graph.names
        if column == "adjoint":
            return [PathPart(f"from {names[c.source]}", trace.adjoints[c.source], c.partial, c.source, c.operand)
                    for c in trace.into(node)]  # fmt: skip
        tangents, partials = trace.tangents or {}, trace.partials.get(node, ())
        return [PathPart(f"of {names[a]}", tangents.get(a, 0.0), partials[k] or 0.0, node, k)
                for k, a in enumerate(trace.graph.nodes[node].operands)]  # fmt: skip


@dataclass(frozen=True)
class Grade(Report):
    """How many numbers are `right` of those `asked`, the first that is `wrong`, and the first that is `missing`."""

    right: int
    asked: int
    wrong: str
    missing: str

    @property
    def passed(self) -> bool:
        return self.right == self.asked

    def sections(self) -> list[Table | str]:
        """A sentence or two."""
        text = f"{self.right} of {self.asked} numbers are right."
        if self.wrong:
            return [f"{text} First of all, {self.wrong}."]
        return [text if self.passed else f"{text} None is wrong; next comes {self.missing}."]

    def to_dict(self) -> dict[str, Any]:
        """`passed`, `right`, `asked`, `wrong`, `missing`."""
        return {"passed": self.passed, "right": self.right, "asked": self.asked, "wrong": self.wrong, "missing": self.missing}


def near(answer: float, right: float, scale: float, relative: float) -> bool:
    """Whether an answer is right within a relative error. Only what is tiny beside `scale` counts as 0."""
    return math.isfinite(right) and abs(answer - right) <= relative * abs(right) + NOTHING * scale


def _partial(primitive: Primitive, operand: int, at: Sequence[float]) -> float:
    rule = rules.partials(primitive)
    inside = evaluate(rule, [*at, FLOATS.apply(primitive, None, list(at))], FLOATS)
    return float(inside[rule.outputs[operand]])


def _multiples(right: float) -> Iterator[tuple[float, str]]:
    for factor in FACTORS:
        yield factor * right, f"it is off by the factor {factor:.3g}"


def _likely(answer: float, slips: Iterable[tuple[float, str]], scale: float, relative: float) -> str:
    """The slip that gives this number: the nearest, or the first of several that are equally near."""
    found = [(abs(answer - value), text) for value, text in slips if near(answer, value, scale, relative)]
    nearest = min((distance for distance, _ in found), default=0.0) + NOTHING * scale
    return next((text for distance, text in found if distance <= nearest), "no common slip gives that number")


def _items(given: Any, what: str, wanted: str) -> list[tuple[Any, Any]]:
    if not isinstance(given, Mapping):
        raise OptionError(f"{what} {shown(given)}; give a dictionary, {wanted}")
    return list(given.items())


def _several(given: Any) -> list[Any]:
    """The partials of one operation: a list of them, or a single one."""
    return list(given) if isinstance(given, list | tuple | np.ndarray) and np.ndim(given) else [given]


def _number(given: Any, what: str) -> float:
    try:
        number = math.nan if isinstance(given, str) else to_float(given)
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number) and not isinstance(given, float):
        raise OptionError(f"{what} is {shown(given)}, which is not a number; give an int or a float")
    if not math.isfinite(number):
        raise OptionError(f"{what} is {number}, which is not a finite number; leave out what you do not know")
    return number


@takes_at
def exercise(f: Any, x: Any = None, tangent: Any = None, output: int = 0, digits: int = DIGITS) -> Exercise:
    """A trace of f at x to fill in by hand, with a grader.

    `f` is a Function, an expression or a text. `tangent` is a direction; it adds the column of forward mode. `digits` says how
    many significant digits an answer needs. Raises what `f.trace` raises, and OptionError for more than 200 rows.

    >>> asked = exercise("x*y + x", {"x": 2, "y": 3})
    >>> print(asked.grade({"primal": {"v1": 6, "v2": 8}, "adjoint": {"v2": 1, "v1": 1, "y": 2, "x": 3}}))
    5 of 8 numbers are right. First of all, the adjoint of x is not 3: the contribution from v2 is missing.
    """
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= 12:
        raise OptionError(f"digits={digits!r}: an answer may be asked for to 1 to 12 significant digits")
    f, point = at_point(f, x)
    if len(f.graph.operations) > LARGEST:
        raise OptionError(f"an exercise of {len(f.graph.operations)} rows is too long to do by hand; at most {LARGEST}")
    trace = f.trace(point, tangent, output)
    if not f.n or not trace.shown:
        raise OptionError("there is nothing to fill in: the formula is a constant")
    columns = ("primal", "partials", "adjoint") if tangent is None else ("primal", "tangent", "partials", "adjoint")
    return Exercise(trace, columns, digits)
