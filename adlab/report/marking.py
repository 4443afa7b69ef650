"""Grades the answers of a class: what is right, what follows correctly from an earlier slip, and which slip came first."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adlab.arithmetic.floats import FLOATS
from adlab.display import Report, Table
from adlab.errors import AdlabError, OptionError
from adlab.function import Function
from adlab.report.exercise import DIGITS, Exercise, exercise, near
from adlab.report.sheet import FIELDS


@dataclass(frozen=True)
class SheetMark:
    """The mark of one exercise of one student.

    `asked` numbers were asked for, and `right` of them are right. `follows` more are wrong, but follow correctly from an earlier
    slip. `first` says in a sentence what the first slip was, `at` where it happened.
    """

    student: str
    formula: str
    point: str
    right: int
    follows: int
    asked: int
    first: str = ""
    at: str = ""
    file: str = ""

    @property
    def credit(self) -> float:
        """The share of numbers that are right or follow correctly from an earlier slip."""
        return (self.right + self.follows) / self.asked if self.asked else 1.0


@dataclass(frozen=True)
class ClassGrades(Report):
    """A mark for each sheet."""

    marks: tuple[SheetMark, ...]

    def to_dict(self) -> dict[str, Any]:
        """`rows` with the fields of `SheetMark` and `credit`."""
        return {"rows": [{**vars(mark), "credit": mark.credit} for mark in self.marks]}

    def sections(self) -> list[Table | str]:
        """A line for each sheet, then the most frequent first slips."""
        named = len({m.formula for m in self.marks}) > 1
        head = ["student", *(["formula"] if named else []), *(counts := ["right", "follows", "of", "credit"]), "first slip"]
        rows = [[m.student, *([m.formula] if named else []), str(m.right), str(m.follows), str(m.asked), f"{m.credit:.0%}",
                 m.first or "none"] for m in self.marks]  # fmt: skip
        notes = ["follows: numbers that are wrong, and right for what was wrong before them; credit counts them in."]
        table = Table("the class", head, rows, frozenset(counts), notes)
        mean = sum(mark.credit for mark in self.marks) / max(1, len(self.marks))
        often = Counter(mark.at for mark in self.marks if mark.at).most_common(5)
        said = [f"{len(self.marks)} exercises, mean credit {mean:.0%}."]
        if often:
            said.append(f"What went wrong first: {'; '.join(f'{at} ({times})' for at, times in often)}.")
        return [table, " ".join(said)]

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """A bar for each tenth of credit: the number of sheets that have it. Returns the Axes."""
        from adlab.plots.canvas import axes

        ax = axes(ax)
        ax.hist([100 * mark.credit for mark in self.marks], bins=range(0, 111, 10), **{"rwidth": 0.9, **options})
        ax.set(xlabel="credit in per cent", ylabel="exercises", title=f"{len(self.marks)} exercises")
        return ax


def grade(paths: Any, digits: int | None = None) -> ClassGrades:
    """Grades the answers in CSV or JSON files, which are filled-in blanks of `adlab.sheet`. A file may hold one student or all.

    A number is right to the digits that its sheet asks for, or to `digits`. A wrong number gets credit if it is right for the
    student's own numbers before it. Raises OptionError, with the line, for a file that cannot be read.
    """
    files = [paths] if isinstance(paths, (str, Path)) else list(paths)
    if not files:
        raise OptionError("no file to grade; give those that adlab sheet has made blanks for")
    marks = [_marked(sheet, digits) for path in files for sheet in _read(Path(path))]
    return ClassGrades(tuple(marks))


# --- reading --------------------------------------------------------------------------------------------------------


@dataclass
class _Answered:
    """The answers that a student has handed in."""

    student: str
    formula: str
    point: str
    digits: int
    answers: dict[str, dict[str, Any]]
    file: str
    formulas: tuple[str, ...] = ()
    """The outputs, where there are several. The answers are about number `output`."""
    output: int = 0
    tangent: Any = None
    """The direction of forward mode."""
    columns: tuple[str, ...] = ()
    """What was asked; everything, if nothing stands here."""


def _read(path: Path) -> Iterable[_Answered]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    return _from_json(path, text) if path.suffix.lower() == ".json" else _from_csv(path, text)


def _from_csv(path: Path, text: str) -> Iterable[_Answered]:
    separator = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    rows = csv.DictReader(text.splitlines(), delimiter=separator)
    missing = [name for name in FIELDS if name not in (rows.fieldnames or ())]
    if missing:
        raise OptionError(f"{path} has no column {missing[0]}; a blank by adlab sheet has {', '.join(FIELDS)}")
    found: dict[tuple[str, str, str], _Answered] = {}
    for line, row in enumerate(rows, 2):
        where = f"{path}, line {line}"
        key = str(row["student"]), str(row["formula"]), str(row["point"])
        sheet = found.setdefault(key, _Answered(*key, _whole(row["digits"], where), {}, path.name))
        answer = _answer(row["answer"], where, separator)
        column = sheet.answers.setdefault(str(row["column"]), {})
        if row["column"] == "partials":
            column.setdefault(str(row["node"]), []).append(answer)
        elif answer is not None:
            column[str(row["node"])] = answer
    return found.values()


def _whole(text: Any, where: str) -> int:
    try:
        return int(text)
    except (TypeError, ValueError):
        raise OptionError(f"{where}: digits is {text!r}, and should be a whole number") from None


def _answer(text: Any, where: str, separator: str) -> float | None:
    """The number in a cell; None for an empty cell. A comma may be the decimal point where it does not separate cells."""
    written = str(text or "").strip().replace("−", "-")
    written = written.replace(",", ".") if separator == ";" else written
    if not written:
        return None
    try:
        return float(written)
    except ValueError:
        raise OptionError(f"{where}: the answer {written!r} is not a number") from None


def _from_json(path: Path, text: str) -> Iterable[_Answered]:
    try:
        facts = json.loads(text)
        sheets = facts if isinstance(facts, list) else [facts]
        return [
            _Answered(str(s["student"]), ", ".join(formulas := _listed(s["formula"])), str(s["point"]),
                      int(s.get("digits", DIGITS)),
                      {column: {node: number for node, number in given.items() if number is not None}
                       for column, given in s["answers"].items()}, path.name, formulas, int(s.get("output", 0)),
                      s.get("tangent"), tuple(map(str, s.get("columns", ()))))
            for s in sheets
        ]  # fmt: skip
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise OptionError(f"{path} is no answer sheet: {type(error).__name__} {error}; adlab sheet makes answers.json") from None


def _listed(formula: Any) -> tuple[str, ...]:
    return tuple(map(str, formula)) if isinstance(formula, list) else (str(formula),)


# --- grading --------------------------------------------------------------------------------------------------------


def _marked(given: _Answered, digits: int | None) -> SheetMark:
    point = {name.strip(): value for name, _, value in (part.partition("=") for part in given.point.split(",")) if name.strip()}
    try:
        f = Function(list(given.formulas) or given.formula, list(point))
        place = {name: float(value) for name, value in point.items()}
        asked = exercise(f, place, given.tangent, given.output, digits or given.digits)
        unknown = [column for column in given.columns if column not in asked.columns]
        if unknown:
            raise OptionError(f"no column `{unknown[0]}` can be asked for here; there are {', '.join(asked.columns)}")
        if given.columns:
            asked = replace(asked, columns=tuple(column for column in asked.columns if column in given.columns))
        answers = {column: {node: number for node, number in answered.items() if not _is_empty(number)}
                   for column, answered in given.answers.items()}  # fmt: skip
        plain = asked.grade(_complete(asked, answers))
    except (AdlabError, ValueError) as error:
        raise OptionError(f"{given.file}, student {given.student}: {str(error).splitlines()[0]}") from error
    right, follows, at = _credited(asked, answers)
    total = sum(len(asked.order(column)) for column in asked.columns)
    first = plain.wrong or (f"{plain.missing} is missing" if plain.missing else "")
    return SheetMark(given.student, given.formula, given.point, right, follows, total, first, at, given.file)


def _is_empty(number: Any) -> bool:
    return number is None or (isinstance(number, list) and all(entry is None for entry in number))


def _complete(asked: Exercise, answers: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The answers, leaving out incomplete lists of partials. Those are graded as missing."""
    return {column: {node: number for node, number in given.items() if not (isinstance(number, list) and None in number)}
            for column, given in answers.items()}  # fmt: skip


def _credited(asked: Exercise, answers: Mapping[str, Mapping[str, Any]]) -> tuple[int, int, str]:
    """How many are right, how many follow from the student's own numbers, and the place of the first that does neither."""
    own = _Own(asked, _complete(asked, answers))
    right = follows = 0
    first = ""
    for column in asked.columns:
        for node in asked.order(column):
            given = own.given(column, node)
            if given is None:
                continue
            scale = 1.0 if column == "partials" else asked.scale(column, node)
            if own.agrees(given, asked.expected(column, node), scale):
                right += 1
            elif own.agrees(given, own.implied(column, node), scale):
                follows += 1
            else:
                first = first or f"the {column} of {asked.trace.graph.names[node]}"
    return right, follows, first


class _Own:
    """A trace as the student has it: own numbers where there are some, right ones elsewhere."""

    def __init__(self, asked: Exercise, answers: Mapping[str, Mapping[str, Any]]) -> None:
        self.asked, self.answers, self.graph = asked, answers, asked.trace.graph
        self.primals = [self._number("primal", node, value) for node, value in enumerate(asked.trace.primals)]

    def given(self, column: str, node: int) -> Any:
        """The answer that was handed in; None where there is none."""
        return self.answers.get(column, {}).get(self.graph.names[node])

    def agrees(self, given: Any, wanted: Any, scale: float) -> bool:
        """Whether an answer agrees with what is wanted, to the digits asked for. Of partials, all must agree."""
        if isinstance(wanted, list):
            several = given if isinstance(given, list) else [given]
            return len(several) == len(wanted) and all(
                near(float(g), w, abs(w) or 1.0, self.asked.near) for g, w in zip(several, wanted, strict=True)
            )
        return near(float(given), wanted, max(scale, abs(wanted)), self.asked.near)

    def implied(self, column: str, node: int) -> Any:
        """What the number should be if everything that the student has before it were right."""
        if column == "primal":
            primitive, operands, parameter = self.graph.nodes[node]
            return FLOATS.apply(primitive, parameter, [self.primals[operand] for operand in operands])
        if column == "partials":
            return self._partials_at(node)
        if column == "tangent":
            carried = [self._number("tangent", i, self.asked.expected("tangent", i)) for i in self.graph.nodes[node].operands]
            return sum(t * p for t, p in zip(carried, self._partials(node), strict=True))
        seed = 1.0 if node == self.graph.outputs[self.asked.trace.output] else 0.0
        parts = self.asked.trace.into(node)
        return seed + sum(self._number("adjoint", c.source, self.asked.trace.adjoints[c.source])
                          * self._partials(c.source)[c.operand] for c in parts)  # fmt: skip

    def _number(self, column: str, node: int, right: float) -> float:
        given = self.given(column, node)
        return right if given is None else float(given)

    def _partials(self, node: int) -> list[float]:
        """The student's own partials of a node, or the partials at the student's own values."""
        given = self.given("partials", node)
        found = self._partials_at(node)
        several = given if isinstance(given, list) else [given]
        return found if given is None or len(several) != len(found) else [float(number) for number in several]

    def _partials_at(self, node: int) -> list[float]:
        found = FLOATS.partials(self.graph, node, self.primals)
        return [0.0 if partial is None else partial for partial in found]
