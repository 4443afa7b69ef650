"""Exercise sheets for a class: a variant for each student by a seed, an answer key, and a blank file for the answers."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Literal

from adlab.display import Report, Table
from adlab.display.table import in_latex, in_markdown
from adlab.errors import AdlabError, OptionError, OutputError
from adlab.function import Function, as_function
from adlab.process import whole_file
from adlab.report.exercise import DIGITS, Exercise, exercise

Vary = Literal["point", "formula"]
FIELDS = ("student", "formula", "point", "digits", "column", "node", "operand", "answer")
"""Columns of the blank file: the ones that identify a line, and at the end the one that a student fills in."""
COORDINATES = [k / 2 for k in range(-6, 7) if k]
"""Numbers that a student can compute with: halves from −3 to 3."""
SWAPS = [("sin", "cos"), ("sinh", "cosh"), ("exp", "sinh"), ("tan", "tanh"), ("log", "sqrt")]
"""Groups of functions that may replace each other in variants of a formula."""
TRIES = 200
"""Variants that are tried for one student until one has a value and derivatives of a convenient size."""
LARGEST = 1e3
"""The largest value or derivative that a student is asked to compute with."""
PRINTED = (
    "body{font-family:sans-serif;max-width:48em;margin:auto}section{break-after:page}"
    "table{border-collapse:collapse}td,th{border:1px solid #999;height:1.8em;min-width:5em}"
)
MOST_STUDENTS = 1000


@dataclass(frozen=True)
class Sheet(Report):
    """A sheet for each student: 1, 2, …. `exercises` are blank; the answers are in `key()`."""

    title: str
    seed: int
    formulas: tuple[str, ...]
    exercises: tuple[Exercise, ...]

    def points(self) -> list[dict[str, float]]:
        """The point of each student."""
        return [dict(zip(e.trace.graph.inputs, e.trace.primals, strict=False)) for e in self.exercises]

    def sections(self) -> list[Table | str]:
        """What each student has to do."""
        rows = [[str(k), formula, _place(point)] for k, (formula, point) in enumerate(self._variants(), 1)]
        how = f"seed {self.seed}: the same seed makes the same sheets. With out=DIR they are written, with a key and blanks."
        return [Table(self.title, ["student", "formula", "point"], rows), how]

    def to_dict(self) -> dict[str, Any]:
        """`title, seed, rows`: student, formula, point, and what is asked for."""
        return {"title": self.title, "seed": self.seed, "rows": [
            {"student": k, "formula": formula, "point": point, "digits": e.digits, "asked": e.to_dict()["rows"]}
            for k, ((formula, point), e) in enumerate(zip(self._variants(), self.exercises, strict=True), 1)
        ]}  # fmt: skip

    def _variants(self) -> Iterator[tuple[str, dict[str, float]]]:
        return zip(self.formulas, self.points(), strict=True)

    # --- files --------------------------------------------------------------------------------------------------

    def blank(self) -> str:
        """A CSV file to fill in: a line for each number that is asked for, with an empty last column."""
        return _csv(line | {"answer": ""} for line in self._lines())

    def key(self) -> str:
        """The same file, filled in correctly."""
        return _csv(self._lines())

    def _lines(self) -> Iterator[dict[str, Any]]:
        for k, ((formula, point), e) in enumerate(zip(self._variants(), self.exercises, strict=True), 1):
            start = {"student": k, "formula": formula, "point": _place(point), "digits": e.digits}
            for column, answers in e.solution().items():
                for node, answer in answers.items():
                    several = enumerate(answer, 1) if column == "partials" else [("", answer)]
                    for operand, number in several:
                        yield start | {"column": column, "node": node, "operand": operand, "answer": f"{number:.{e.digits + 2}g}"}

    def blank_json(self) -> str:
        """The blank file as JSON: a list of students, whose `answers` are {column: {node: null}}."""
        return json.dumps([
            {"student": k, "formula": formula, "point": _place(point), "digits": e.digits,
             "answers": {column: {node: [None] * len(a) if column == "partials" else None for node, a in answers.items()}
                         for column, answers in e.solution().items()}}
            for k, ((formula, point), e) in enumerate(zip(self._variants(), self.exercises, strict=True), 1)
        ], indent=1, ensure_ascii=False)  # fmt: skip

    def markdown(self, solved: bool = False) -> str:
        """All sheets, or the key, as one Markdown document."""
        parts = [f"# {in_markdown(self.title)}{': the key' * solved}"]
        for k, (formula, point) in enumerate(self._variants(), 1):
            what = f"`{formula}` at {in_markdown(_place(point))}"
            parts += [f"## Student {k}", what, self._asked(k), self._table(k, solved).markdown()]
        return "\n\n".join(parts) + "\n"

    def latex(self, solved: bool = False) -> str:
        """All sheets, or the key, as one LaTeX document with a page for each."""
        head = "\\documentclass{article}\n\\usepackage{booktabs}\n\\usepackage[margin=2.5cm]{geometry}\n\\begin{document}"
        parts = [head]
        for k, (formula, point) in enumerate(self._variants(), 1):
            parts += [rf"\section*{{{in_latex(self.title)}, student {k}{': key' * solved}}}",
                      rf"\texttt{{{in_latex(formula)}}} at {in_latex(_place(point))}. {in_latex(self._asked(k))}", "",
                      r"\renewcommand{\arraystretch}{1.6}", self._table(k, solved).latex(), r"\newpage"]  # fmt: skip
        return "\n".join([*parts, r"\end{document}", ""])

    def html(self, solved: bool = False) -> str:
        """All sheets, or the key, as one web page that prints one sheet on a page."""
        parts = ["<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>", f"<title>{escape(self.title)}</title>",
                 f"<style>{PRINTED}</style></head><body>"]  # fmt: skip
        for k, (formula, point) in enumerate(self._variants(), 1):
            parts += [f"<section><h2>{escape(self.title)}, student {k}{': key' * solved}</h2>",
                      f"<p><code>{escape(formula)}</code> at {escape(_place(point))}. {escape(self._asked(k))}</p>",
                      self._table(k, solved).html(), "</section>"]  # fmt: skip
        return "".join([*parts, "</body></html>\n"])

    def _asked(self, student: int) -> str:
        e = self.exercises[student - 1]
        what = {"primal": "the value of each node", "partials": "its local partials, one for each operand",
                "adjoint": "its adjoint, from the output back", "tangent": "its tangent"}  # fmt: skip
        return f"Fill in {', '.join(what[column] for column in e.columns)}, to {e.digits} significant digits."

    def _table(self, student: int, solved: bool) -> Table:
        """The table to fill in; the key has the answers in it."""
        e = self.exercises[student - 1]
        graph, solution = e.trace.graph, e.solution()
        rows = []
        for node in e.trace.shown:
            name = graph.names[node]
            cells = [_cell(solution[column].get(name), e.digits + 2) if solved else "" for column in e.columns]
            given = graph.written(node) if node >= len(graph.inputs) else f"input, {e.trace.primals[node]:g}"
            rows.append([name, given, *cells])
        return Table("", ["node", "is", *e.columns], rows)

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

    `vary` makes the variants differ by their "point", or by the "formula" too (other numbers, other functions). `seed` chooses
    them; the same seed gives the same sheets. `digits` says how many significant digits an answer needs. `out` is a directory
    for the files: sheets and keys, and blanks for the answers, which `adlab.grade` reads.

    Raises OptionError for options that are not possible, and where no variant has a value; and what reading a formula raises.

    >>> made = sheet("x*sin(y)", students=2, seed=1)
    >>> made.exercises[0].grade({"adjoint": {"v2": 1}}).right
    1
    """
    if isinstance(students, bool) or not isinstance(students, int) or not 1 <= students <= MOST_STUDENTS:
        raise OptionError(f"students={students!r}: there are sheets for 1 to {MOST_STUDENTS}")
    if vary not in ("point", "formula"):
        raise OptionError(f'vary={vary!r} is neither "point" nor "formula"')
    base = as_function(f)
    text = f if isinstance(f, str) else str(base.expr)
    made = [_variant(base, text, vary, random.Random(f"{seed} {k}"), digits) for k in range(students)]
    title = "derivatives by hand" + (f": {base.title}" if vary == "point" else "")
    found = Sheet(title, seed, tuple(formula for formula, _ in made), tuple(e for _, e in made))
    if out is not None:
        found.write(out)
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
        if all(abs(number) < LARGEST for number in numbers) and any(made.trace.gradient):
            return written, made
    raise OptionError(f"no variant of {text} has values of a size to reckon with" + (f" ({reason})" if reason else ""))


def _other(text: str, draw: random.Random) -> str:
    """The formula with other whole numbers, and with functions replaced by others of their group."""
    for pair in SWAPS:
        one, other = pair if draw.random() < 0.5 else pair[::-1]
        text = re.sub(rf"\b{one}\b(?=\s*\()", other, text)
    return re.sub(r"(?<![\w.])[2-9](?![\w.])", lambda _: str(draw.randint(2, 5)), text)
