"""A trace to be filled in by hand, and what went wrong where it first went wrong.

A slip is found by trying: what would the answer be with this sign, without that path, with the partial for the other operand?
Since rows are graded in the order of the sweeps, all that the first wrong number rests on is right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adlab.autodiff.trace import Trace
from adlab.errors import OptionError
from adlab.expressions import listing, shown
from adlab.function import as_function, point_of
from adlab.graph.arithmetic import FLOATS
from adlab.graph.primitives import PRIMITIVES
from adlab.tables import Report, Table

NEAR = 5e-3  # relative: a number rounded to three significant digits is as near as that
NOTHING = 1e-9  # of the largest number of the column: what counts as 0
LARGEST = 200  # rows
FACTORS = (2.0, 0.5, 3.0, 1 / 3, 4.0, 0.25, 10.0, 0.1)

MISTAKEN = ("add", "sub", "mul", "div", "neg", "sin", "cos", "tan", "exp", "log", "sqrt", "sinh", "cosh", "tanh")
"""Operations that people take for one another."""

Answers = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Part:
    """What one path brings to a tangent or an adjoint: `carried` × `partial`, to or from the node `by`."""

    by: str
    carried: float
    partial: float
    others: tuple[float, ...]
    """The other partials of the same operation."""

    @property
    def value(self) -> float:
        return self.carried * self.partial


@dataclass(frozen=True)
class Exercise(Report):
    """A blank trace. `columns` are what is asked for: primal, perhaps tangent, partials, adjoint."""

    trace: Trace
    columns: tuple[str, ...]

    def sections(self) -> list[Table | str]:
        """The table to fill in, and how to hand it in."""
        graph = self.trace.graph
        rows = [[graph.names[i], graph.written(i) if i >= len(graph.inputs) else repr(self.trace.primals[i]),
                 *("…" if self._asked(column, i) else "" for column in self.columns)] for i in self.trace.shown]  # fmt: skip
        first, last = graph.names[self.trace.shown[-1]], graph.inputs[0]
        how = f'grade({{"primal": {{"{first}": …}}, "adjoint": {{"{first}": 1, …, "{last}": …}}}}) says what is right.'
        return [Table("fill in", ["node", "is", *self.columns], rows), how]

    def to_dict(self) -> dict[str, Any]:
        """`rows`: node, what it is, and the columns that are asked for."""
        graph = self.trace.graph
        return {"rows": [{"node": graph.names[i], "is": graph.written(i),
                          "asked": [c for c in self.columns if self._asked(c, i)]} for i in self.trace.shown]}  # fmt: skip

    def grade(self, answers: Answers) -> Grade:
        """What is right of `answers`, {column: {node: number}}; of partials, {node: [number, …]}, one for each operand.

        A number is right within half a per cent: three significant digits will do. Columns and nodes may be left out.
        Raises OptionError for a column or node that is not asked for, and for what is no number.
        """
        self._check(answers)
        right, first = 0, ""
        asked = [(column, node) for column in self.columns for node in self._order(column)]
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
        """All that is asked for, filled in."""
        names = self.trace.graph.names
        return {
            column: {names[node]: self._expected(column, node) for node in self._order(column)} for column in self.columns
        }

    def _asked(self, column: str, node: int) -> bool:
        return node >= len(self.trace.graph.inputs) or column not in ("primal", "partials")

    def _order(self, column: str) -> list[int]:
        """In the order of the sweep: adjoints from the output back."""
        nodes = [node for node in self.trace.shown if self._asked(column, node)]
        return nodes[::-1] if column == "adjoint" else nodes

    def _expected(self, column: str, node: int) -> Any:
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
        for column, given in answers.items():
            if column not in self.columns:
                raise OptionError(f"no column `{column}` is asked for; there are {listing(self.columns)}")
            known = [names[node] for node in self._order(column)]
            for name, number in given.items():
                if name not in known:
                    raise OptionError(f"no {column} of `{name}` is asked for; there are {listing(known, limit=20)}")
                entries = number if column == "partials" and isinstance(number, Sequence) else [number]
                for entry in entries:
                    _number(entry, f"the {column} of {name}")

    def _wrong(self, column: str, node: int, given: Any) -> str | None:
        """The first thing to say of this answer; None if it is right."""
        expected, name = self._expected(column, node), self.trace.graph.names[node]
        if column == "partials":
            return self._wrong_partials(name, list(given) if isinstance(given, Sequence) else [given], expected)
        answer, scale = float(given), self._scale(column)
        if _near(answer, expected, scale):
            return None
        slips = self._primal_slips if column == "primal" else self._path_slips
        found = [(abs(answer - value), text) for value, text in slips(column, node) if _near(answer, value, scale)]
        nearest = min((distance for distance, _ in found), default=0.0) + NOTHING * scale
        likely = next((text for distance, text in found if distance <= nearest), "no common slip gives that number")
        return f"the {column} of {name} is not {answer:.6g}: {likely}"

    def _wrong_partials(self, name: str, given: list[Any], expected: list[float]) -> str | None:
        if len(given) != len(expected):
            return f"{name} has {len(expected)} operands, and a partial for each; {len(given)} were given"
        numbers = [float(number) for number in given]
        wrong = [k for k, pair in enumerate(zip(numbers, expected, strict=True)) if not _near(*pair, abs(pair[1]) or 1.0)]
        if not wrong:
            return None
        if len(numbers) == 2 and all(map(_near, numbers, expected[::-1], (1.0, 1.0))):
            return f"the partials of {name} are swapped"
        k = wrong[0]
        slips = [(-expected[k], "its sign is wrong"), *_multiples(expected[k])]
        likely = next((text for value, text in slips if _near(numbers[k], value, 1.0)), "no common slip gives that number")
        return f"the partial of {name} for its operand {k + 1} is not {numbers[k]:.6g}: {likely}"

    def _scale(self, column: str) -> float:
        values = [abs(self._expected(column, node)) for node in self._order(column)]
        return max((value for value in values if math.isfinite(value)), default=1.0)

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
        for other in (PRIMITIVES[name] for name in MISTAKEN if name != primitive.name):
            if other.arity == len(at):
                yield FLOATS.apply(other, None, at), f"that is {other.written(letters)}"
        for other_node in trace.shown:
            if other_node != node:
                yield trace.primals[other_node], f"that is the value of {names[other_node]}"
        yield from _multiples(expected)

    def _path_slips(self, column: str, node: int) -> Iterator[tuple[float, str]]:
        """What an adjoint or tangent would be with one thing done wrongly."""
        parts = self._parts(column, node)
        expected = self._expected(column, node)
        yield -expected, "its sign is wrong"
        for part in parts:
            rest = expected - part.value
            if len(parts) > 1:
                yield rest, f"the contribution {part.by} is missing"
                yield rest - part.value, f"the contribution {part.by} has the wrong sign"
                yield expected + part.value, f"the contribution {part.by} is counted twice"
            if len(parts) > 2:
                yield part.value, f"only the contribution {part.by} is counted"
            for other in part.others:
                yield rest + part.carried * other, f"the contribution {part.by} has the partial for the other operand"
            yield rest + part.partial, f"the contribution {part.by} is the partial alone, not times the {column}"
            yield rest + part.carried, f"the contribution {part.by} is the {column} alone, without the partial"
            value = self.trace.primals[node]
            yield rest + part.carried * value, f"the contribution {part.by} has a value in the place of the partial"
        if column == "adjoint" and self.trace.tangents is not None:
            yield self.trace.tangents.get(node, 0.0), "that is its tangent"
        yield self.trace.primals[node], "that is its value"
        yield from _multiples(expected)

    def _parts(self, column: str, node: int) -> list[Part]:
        trace, names = self.trace, self.trace.graph.names
        if column == "adjoint":
            into = [(c.source, c.operand) for c in trace.into(node)]
            return [self._part(f"from {names[use]}", use, k, trace.adjoints[use]) for use, k in into]
        operands, tangents = trace.graph.nodes[node].operands, trace.tangents or {}
        return [self._part(f"of {names[a]}", node, k, tangents.get(a, 0.0)) for k, a in enumerate(operands)]

    def _part(self, by: str, operation: int, operand: int, carried: float) -> Part:
        partials = [0.0 if partial is None else partial for partial in self.trace.partials[operation]]
        return Part(by, carried, partials[operand], tuple(p for k, p in enumerate(partials) if k != operand))


@dataclass(frozen=True)
class Grade(Report):
    """How many numbers are `right` of those `asked`, what is `wrong` first, and what is `missing` first."""

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


def _near(answer: float, right: float, scale: float) -> bool:
    return abs(answer - right) <= NEAR * abs(right) + NOTHING * scale


def _multiples(right: float) -> Iterator[tuple[float, str]]:
    for factor in FACTORS:
        yield factor * right, f"it is off by the factor {factor:.3g}"


def _number(given: Any, what: str) -> float:
    try:
        number = float(given)
    except (TypeError, ValueError):
        raise OptionError(f"{what} is {shown(given)}, which is not a number; give an int or a float") from None
    if not math.isfinite(number):
        raise OptionError(f"{what} is {number}, which is not a finite number; leave out what you do not know")
    return number


def exercise(f: Any, x: Any = None, tangent: Any = None, output: int = 0) -> Exercise:
    """A trace of f at x to be filled in by hand, and graded.

    `f` is a Function, an expression or a text; `tangent` a direction, which adds the forward mode's column. Raises what
    `f.trace` raises, and OptionError for more than 200 rows.

    >>> asked = exercise("x*y + x", {"x": 2, "y": 3})
    >>> print(asked.grade({"primal": {"v1": 6, "v2": 8}, "adjoint": {"v2": 1, "v1": 1, "y": 2, "x": 3}}))
    5 of 8 numbers are right. First of all, the adjoint of x is not 3: the contribution from v2 is missing.
    """
    f = as_function(f)
    if len(f.graph.operations) > LARGEST:
        raise OptionError(f"an exercise of {len(f.graph.operations)} rows is too long to do by hand; at most {LARGEST}")
    trace = f.trace(point_of(f, x), tangent, output)
    columns = ("primal", "partials", "adjoint") if tangent is None else ("primal", "tangent", "partials", "adjoint")
    return Exercise(trace, columns)
