"""Exercise sheets for a class: a variant for each student by a seed, an answer key, and a blank file for the answers."""

from __future__ import annotations

import csv
import io
import itertools
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Literal, NamedTuple

from adlab.display import Report, Table
from adlab.display.table import in_latex, in_markdown
from adlab.errors import AdlabError, OptionError, OutputError
from adlab.function import Function, as_function
from adlab.process import whole_file
from adlab.report.exercise import DIGITS, LARGEST, Exercise, exercise
from adlab.symbolic.treesize import Distinct

Vary = Literal["point", "formula"]
FIELDS = ("student", "formula", "point", "digits", "column", "node", "operand", "answer")
"""Columns of the blank file: the ones that identify a line, and at the end the one that a student fills in."""
COORDINATES = [k / 2 for k in range(-6, 7) if k]
"""Numbers that a student can compute with: halves from −3 to 3."""
SWAPS = [("sin", "cos"), ("sinh", "cosh"), ("exp", "sinh"), ("tan", "tanh"), ("log", "sqrt")]
"""Groups of functions that may replace each other in variants of a formula."""
TRIES = 200
"""Variants that are tried for one student until one has a value and derivatives of a convenient size."""
AGAIN = 20
"""How often a variant that another student has is drawn again."""
LARGEST_VALUE = 1e3
"""The largest value or derivative that a student is asked to compute with."""
PRINTED = (
    "body{font-family:sans-serif;max-width:48em;margin:auto}section{break-after:page}"
    "table{border-collapse:collapse}td,th{border:1px solid #999;height:1.8em;min-width:5em}"
)
LONGEST = 2000
"""The longest formula, in parts, that is written on a sheet."""
MOST_STUDENTS = 1000
"""Students of one call: a larger number is a slip, and would fill a folder."""


class _Task(NamedTuple):
    """One exercise on one student's sheet."""

    student: int
    formula: str
    point: dict[str, float]
    asked: Exercise

    def request(self) -> str:
        """What is to be filled in, in words."""
        graph = self.asked.trace.graph
        last = graph.names[graph.outputs[self.asked.trace.output]]
        return (
            "Fill in each node: its value (primal), its local partials (one for each operand), and its adjoint, from the last "
            f"node back. The adjoint of a node is the derivative of {last} by this node. {self.asked.digits} significant digits "
            "are enough."
        )

    def table(self, solved: bool) -> Table:
        """The table to fill in; the key has the answers in it."""
        e = self.asked
        graph, solution = e.trace.graph, e.solution()
        rows = []
        for node in e.trace.shown:
            name = graph.names[node]
            cells = [_cell(solution[column].get(name), e.digits + 2) if solved else "" for column in e.columns]
            given = graph.written(node) if node >= len(graph.inputs) else f"input, {e.trace.primals[node]:g}"
            rows.append([name, given, *cells])
        return Table("", ["node", "is", *e.columns], rows)


@dataclass(frozen=True)
class Sheet(Report):
    """A sheet for each student: 1, 2, …. `exercises` are blank; the answers are in `key()`.

    With several `tasks` on a sheet, `formulas` and `exercises` hold those of student 1, then those of student 2, and so on.
    """

    title: str
    seed: int
    formulas: tuple[str, ...]
    exercises: tuple[Exercise, ...]
    tasks: int = 1

    def points(self) -> list[dict[str, float]]:
        """The point of each exercise."""
        return [dict(zip(e.trace.graph.inputs, e.trace.primals, strict=False)) for e in self.exercises]

    def sections(self) -> list[Table | str]:
        """What each student has to do."""
        rows = [[str(task.student), task.formula, _place(task.point)] for task in self._tasks()]
        how = f"seed {self.seed}: the same seed makes the same sheets. With out=DIR they are written, with a key and blanks."
        return [Table(self.title, ["student", "formula", "point"], rows), how]

    def to_dict(self) -> dict[str, Any]:
        """`title, seed, rows`: student, formula, point, and what is asked for."""
        return {"title": self.title, "seed": self.seed, "rows": [
            {"student": task.student, "formula": task.formula, "point": task.point, "digits": task.asked.digits,
             "asked": task.asked.to_dict()["rows"]}
            for task in self._tasks()
        ]}  # fmt: skip

    def _tasks(self) -> Iterator[_Task]:
        for k, parts in enumerate(zip(self.formulas, self.points(), self.exercises, strict=True)):
            yield _Task(k // self.tasks + 1, *parts)

    def _sheets(self) -> Iterator[tuple[int, list[_Task]]]:
        """Each student with the tasks on this student's sheet."""
        for student, tasks in itertools.groupby(self._tasks(), lambda task: task.student):
            yield student, list(tasks)

    # --- files --------------------------------------------------------------------------------------------------

    def blank(self) -> str:
        """A CSV file to fill in: a line for each number that is asked for, with an empty last column."""
        return _csv(line | {"answer": ""} for line in self._lines())

    def key(self) -> str:
        """The same file, filled in correctly."""
        return _csv(self._lines())

    def _lines(self) -> Iterator[dict[str, Any]]:
        for student, formula, point, e in self._tasks():
            start = {"student": student, "formula": formula, "point": _place(point), "digits": e.digits}
            for column, answers in e.solution().items():
                for node, answer in answers.items():
                    several = enumerate(answer, 1) if column == "partials" else [("", answer)]
                    for operand, number in several:
                        yield start | {"column": column, "node": node, "operand": operand, "answer": f"{number:.{e.digits + 2}g}"}

    def blank_json(self) -> str:
        """The blank file as JSON: a list of students, whose `answers` are {column: {node: null}}."""
        return json.dumps([
            {"student": student, "formula": formula, "point": _place(point), "digits": e.digits,
             "answers": {column: {node: [None] * len(a) if column == "partials" else None for node, a in answers.items()}
                         for column, answers in e.solution().items()}}
            for student, formula, point, e in self._tasks()
        ], indent=1, ensure_ascii=False)  # fmt: skip

    def markdown(self, solved: bool = False) -> str:
        """All sheets, or the key, as one Markdown document."""
        parts = [f"# {in_markdown(self.title)}{': the key' * solved}"]
        for student, tasks in self._sheets():
            parts.append(f"## Student {student}")
            for task in tasks:
                parts += [f"`{task.formula}` at {in_markdown(_place(task.point))}", task.request(), task.table(solved).markdown()]
        return "\n\n".join(parts) + "\n"

    def latex(self, solved: bool = False) -> str:
        """All sheets, or the key, as one LaTeX document with a page for each."""
        head = "\\documentclass{article}\n\\usepackage{booktabs}\n\\usepackage[margin=2.5cm]{geometry}\n\\begin{document}"
        parts = [head]
        for student, tasks in self._sheets():
            parts.append(rf"\section*{{{in_latex(self.title)}, student {student}{': key' * solved}}}")
            for task in tasks:
                parts += [rf"\texttt{{{in_latex(task.formula)}}} at {in_latex(_place(task.point))}.", in_latex(task.request()),
                          "", r"\renewcommand{\arraystretch}{1.6}", task.table(solved).latex(), r"\bigskip", ""]  # fmt: skip
            parts.append(r"\newpage")
        return "\n".join([*parts, r"\end{document}", ""])

    def html(self, solved: bool = False) -> str:
        """All sheets, or the key, as one web page that prints one sheet on a page."""
        parts = ["<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>", f"<title>{escape(self.title)}</title>",
                 f"<style>{PRINTED}</style></head><body>"]  # fmt: skip
        for student, tasks in self._sheets():
            parts.append(f"<section><h2>{escape(self.title)}, student {student}{': key' * solved}</h2>")
            for task in tasks:
                parts += [f"<p><code>{escape(task.formula)}</code> at {escape(_place(task.point))}. {escape(task.request())}</p>",
                          task.table(solved).html()]  # fmt: skip
            parts.append("</section>")
        return "".join([*parts, "</body></html>\n"])

    def write(self, out: str | Path) -> list[Path]:
        """Writes sheets and keys in Markdown, LaTeX and HTML, and the blank files, into a directory. Returns the files.

        The directory is made if its parent exists. Raises OutputError where the files cannot be written.
        """
        folder = Path(out)
        texts = {
            "sheets.md": self.markdown(), "sheets.tex": self.latex(), "sheets.html": self.html(),
            "key.md": self.markdown(True), "key.tex": self.latex(True), "key.html": self.html(True),
            "answers.csv": self.blank(), "answers.json": self.blank_json(), "key.csv": self.key(),
        }  # fmt: skip
        try:
            folder.mkdir(exist_ok=True)
            for name, text in texts.items():
                with whole_file(folder / name) as draft:
                    draft.write_text(text, encoding="utf-8")
        except OSError as error:
            raise OutputError(f"cannot write {folder}: {error.strerror or error}") from error
        return [folder / name for name in texts]


def _place(point: dict[str, float]) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in point.items())


def _cell(answer: Any, digits: int) -> str:
    if answer is None:
        return ""
    return ", ".join(f"{number:.{digits}g}" for number in answer) if isinstance(answer, list) else f"{answer:.{digits}g}"


def _csv(lines: Iterator[dict[str, Any]]) -> str:
    written = io.StringIO()
    writer = csv.DictWriter(written, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return written.getvalue()


def sheet(
    f: Any, students: int = 30, seed: int = 7, out: str | Path | None = None, vary: Vary = "point", digits: int = DIGITS
) -> Sheet:
    """Exercise sheets, one for each student: the trace of f, with the value, local partials and adjoint of every node.

    `f` is a formula, or a list of formulas: then every sheet has an exercise on each. `vary` makes the variants differ by their
    "point", or by the "formula" too (other numbers, other functions). `seed` chooses them; the same seed gives the same sheets.
    `digits` says how many significant digits an answer needs. `out` is a directory for the files: sheets and keys, and blanks
    for the answers, which `adlab.grade` reads.

    Raises OptionError for options that are not possible, and where no variant has a value; and what reading a formula raises.

    >>> made = sheet("x*sin(y)", students=2, seed=1)
    >>> made.exercises[0].grade({"adjoint": {"v2": 1}}).right
    1
    """
    if isinstance(students, bool) or not isinstance(students, int) or not 1 <= students <= MOST_STUDENTS:
        raise OptionError(f"students={students!r}: there are sheets for 1 to {MOST_STUDENTS}")
    if vary not in ("point", "formula"):
        raise OptionError(f'vary={vary!r} is neither "point" nor "formula"')
    given = list(f) if isinstance(f, (list, tuple)) else [f]
    if not given:
        raise OptionError("no formula for the sheets")
    functions = [as_function(one) for one in given]
    for base, one in zip(functions, given, strict=True):
        _short_enough(base, one)
    seeds = [f"{seed} {{}}{f' {task}' * bool(task)}" for task in range(len(given))]
    drawn = [_variants(*parts, vary, students, digits) for parts in zip(functions, given, seeds, strict=True)]
    made = [variant for sheet in zip(*drawn, strict=True) for variant in sheet]
    title = "derivatives by hand" + (f": {functions[0].title}" if vary == "point" and len(given) == 1 else "")
    found = Sheet(title, seed, tuple(formula for formula, _ in made), tuple(e for _, e in made), len(given))
    if out is not None:
        found.write(out)
    return found


def _short_enough(f: Function, given: Any) -> None:
    """Raises OptionError for a formula that no sheet has room for, before anything is drawn or written."""
    if len(f.graph.operations) > LARGEST:
        raise OptionError(f"an exercise of {len(f.graph.operations)} rows is too long to do by hand; at most {LARGEST}")
    if not isinstance(given, str) and (size := Distinct.of(f.outputs).tree_nodes) > LONGEST:
        raise OptionError(f"{f.title} is too long to be written on a sheet: with every part in each place, {size:.3g} of them")


def _variants(base: Function, given: Any, seeds: str, vary: Vary, students: int, digits: int) -> list[tuple[str, Exercise]]:
    """A variant for each student. As long as there are others, no two are the same."""
    text = given if isinstance(given, str) else str(base.expr)
    made: dict[tuple[str, tuple[float, ...]], tuple[str, Exercise]] = {}
    found = []
    for k in range(students):
        draw = random.Random(seeds.format(k))
        for _ in range(AGAIN):
            formula, asked = _variant(base, text, vary, draw, digits)
            key = formula, tuple(asked.trace.primals[: base.n])
            if key not in made:
                break
        made[key] = formula, asked
        found.append((formula, asked))
    return found


def _variant(base: Function, text: str, vary: Vary, draw: random.Random, digits: int) -> tuple[str, Exercise]:
    """A formula and a point with a value and derivatives of a convenient size. Variants are drawn until there is one."""
    reason = ""
    for _ in range(TRIES):
        try:
            written = _other(text, draw) if vary == "formula" else text
            f = base if written == text else Function(written, base.names, name=base.name)
            made = exercise(f, [draw.choice(COORDINATES) for _ in f.names], digits=digits)
        except AdlabError as refused:
            reason = str(refused).splitlines()[0]
            continue
        numbers = [*made.trace.primals, *made.trace.gradient]
        if all(abs(number) < LARGEST_VALUE for number in numbers) and any(made.trace.gradient):
            return written, made
    raise OptionError(f"no variant of {text} has values of a size to reckon with" + (f" ({reason})" if reason else ""))


def _other(text: str, draw: random.Random) -> str:
    """The formula with other whole numbers, and with functions replaced by others of their group."""
    for pair in SWAPS:
        one, other = pair if draw.random() < 0.5 else pair[::-1]
        text = re.sub(rf"\b{one}\b(?=\s*\()", other, text)
    return re.sub(r"(?<![\w.])[2-9](?![\w.])", lambda _: str(draw.randint(2, 5)), text)
