"""Methods × functions in one table: the digits, the operations or the time of every method on every function."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from adlab.display import Report, Table, significant
from adlab.errors import AdlabError, OptionError
from adlab.function import Function, as_function, point_of
from adlab.inputs import listed
from adlab.methods import chosen
from adlab.precision import PATIENCE, patience as limited, seconds_left, seconds_of, share
from adlab.progress import stage
from adlab.report.accuracy import attempt, rows as accuracy_rows
from adlab.report.cost import cost
from adlab.report.truth import truth
from adlab.tracing.places import at_point

Show = Literal["digits", "operations", "time"]
MEANING: dict[str, str] = {
    "digits": "correct digits of the worst partial, of 16",
    "operations": "operations, in units of f",
    "time": "time, in units of f",
}


@dataclass(frozen=True)
class Grid(Report):
    """`values[i][j]` is the number of method i on function j. None where there is none; then `notes[i][j]` says why."""

    show: Show
    methods: tuple[str, ...]
    functions: tuple[Function, ...]
    points: tuple[tuple[float, ...], ...]
    values: tuple[tuple[float | None, ...], ...]
    notes: tuple[tuple[str, ...], ...]

    @property
    def letters(self) -> list[str]:
        """The head of each column: the formula where it is short, else a letter that the legend explains."""
        short = [f.written or f.title for f in self.functions]
        return [text if len(text) <= WIDEST else f"f{k}" for k, text in enumerate(short, 1)]

    def to_dict(self) -> dict[str, Any]:
        """`show`, and `rows`: a row for each method and function."""
        return {"show": self.show, "rows": [
            {"method": method, "function": f.title, "point": dict(zip(f.names, point, strict=True)),
             self.show: self.values[i][j], "note": self.notes[i][j]}
            for i, method in enumerate(self.methods) for j, (f, point) in enumerate(zip(self.functions, self.points, strict=True))
        ]}  # fmt: skip

    def sections(self) -> list[Table | str]:
        """The table, and what each column is."""
        heads = _distinct(self.letters)
        cells = [[method, *(note or "–" if value is None else significant(value, 3) for value, note in zip(*line, strict=True))]
                 for method, *line in zip(self.methods, self.values, self.notes, strict=True)]  # fmt: skip
        where = [f"{letter}: {f.title} at {', '.join(f'{n} = {x:g}' for n, x in zip(f.names, point, strict=True))}"
                 for letter, f, point in zip(heads, self.functions, self.points, strict=True)]  # fmt: skip
        return [Table(MEANING[self.show], ["method", *heads], cells, frozenset(heads)), "\n".join(where)]

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The table as a picture, with a square for each number. `options` go to `Axes.imshow`. Returns the Axes."""
        from adlab.plots.pieces import squares

        heads = _distinct(self.letters)
        ax = squares(self.values, self.methods, heads, MEANING[self.show], self.show != "digits", ax, options)
        long = [f"f{k}: {f.title}" for k, f in enumerate(self.functions, 1) if self.letters[k - 1] == f"f{k}"]
        ax.set_xlabel("\n".join(line for text in long for line in textwrap.wrap(text, 48, break_on_hyphens=False)))
        return ax


WIDEST = 18
"""The longest formula, in characters, that stands over its column."""


def _distinct(names: Sequence[str]) -> list[str]:
    """Names, changed where two are the same."""
    return [name if names.count(name) == 1 else f"{name} ({k})" for k, name in enumerate(names, 1)]


def table(
    functions: Iterable[Any], methods: Any = None, show: Show = "digits", points: Sequence[Any] | None = None,
    patience: float = PATIENCE,
) -> Grid:  # fmt: skip
    """Every method on every function. `functions` are Functions, expressions, texts, or pairs of one of these with a point.

    `points` are their points, in order. By default a function's own point is used, else 1, 2, 3 … for its variables. `show`
    chooses the table: "digits", "operations" or "time". A word stands where a method has no number. Each function takes at most
    about `patience` seconds; what is not known by then has given up. Raises OptionError for any
    other `show`, and what reading a formula raises.

    >>> found = table(["x**2", "sin(x)"], methods=["reverse", "forward-difference"], show="operations")
    >>> found.values
    ((2.0, 2.0), (2.0, 2.0))
    """
    if show not in MEANING:
        raise OptionError(f"show={show!r} is none of {', '.join(MEANING)}")
    seconds = seconds_of(patience)
    several = None if isinstance(functions, (str, Function)) else listed(functions)
    given = [functions] if several is None else several
    pairs = [item if isinstance(item, tuple) and len(item) == 2 else (item, None) for item in given]
    if points is not None:
        if len(points) != len(pairs):
            raise OptionError(f"{len(points)} points for {len(pairs)} functions")
        pairs = [(f, point) for (f, _), point in zip(pairs, points, strict=True)]
    made = [as_function(f, x) for f, x in pairs]
    if not made:
        raise OptionError("no function for the table")
    places = [point_of(f, _default(f) if x is None else x) for f, (_, x) in zip(made, pairs, strict=True)]
    made = [at_point(f, x)[0] for f, x in zip(made, places, strict=True)]
    names = list(chosen(methods))
    columns = []
    for f, place in zip(made, places, strict=True):
        stage(f"working on {f.title}")
        columns.append(_column(f, place, names, show, seconds))
    return Grid(
        show, tuple(names), tuple(made), tuple(tuple(place.tolist()) for place in places),
        tuple(tuple(column[i][0] for column in columns) for i in range(len(names))),
        tuple(tuple(column[i][1] for column in columns) for i in range(len(names))),
    )  # fmt: skip


def _default(f: Function) -> Any:
    return f.point if f.point is not None else [float(k) for k in range(1, f.n + 1)]


def _column(f: Function, place: Any, names: Sequence[str], show: Show, seconds: float) -> list[tuple[float | None, str]]:
    """For each method its number, or a word that says why there is none."""
    try:
        with limited(seconds):
            return _digits(f, place, names) if show == "digits" else _prices(f, place, names, show)
    except AdlabError as reason:  # f itself has no value there
        return [(None, type(reason).__name__.removesuffix("Error").lower())] * len(names)


def _digits(f: Function, place: Any, names: Sequence[str]) -> list[tuple[float | None, str]]:
    f(place)
    judged = truth(f, place, patience=share())
    attempts = {name: attempt(f, method, place) for name, method in chosen(names).items()}
    judgement = accuracy_rows(f, judged, attempts)
    found: list[tuple[float | None, str]] = []
    for name in names:
        mine = [row for row in judgement if row.method == name]
        known = [row.digits for row in mine if row.digits is not None]
        whole = len(known) == len(mine)
        found.append((min(known, default=None) if whole else None, next((row.status for row in mine if row.status != "ok"), "")))
    return found


def _prices(f: Function, place: Any, names: Sequence[str], show: Show) -> list[tuple[float | None, str]]:
    rows = {row.method: row for row in cost(f, place, names, timed=show == "time", patience=seconds_left()).rows}
    mine = [rows[name] for name in names]
    return [(row.time_ratio if show == "time" else row.ratio, "" if row.status == "ok" else row.status) for row in mine]


def read_list(path: str | Path) -> list[tuple[Any, Any]]:
    """Functions and points from a file. A line has a formula or @NAME, and perhaps ` at x=1, y=2`. `#` begins a comment.

    Raises OptionError for a file that cannot be read, and for a line that is not a formula with its point.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    found: list[tuple[Any, Any]] = []
    for k, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if text:
            try:
                found.append(read_line(text))
            except AdlabError as error:
                raise OptionError(f"{path}, line {k}: {str(error).splitlines()[0]}") from error
    return found


def read_line(text: str) -> tuple[Any, Any]:
    """A function and its point; None where no point is given.

    >>> f, point = read_line("x*sin(y) at x=1, y=pi/2")
    >>> f.names, point["x"]
    (['x', 'y'], 1.0)
    """
    place = re.search(r"\sat\s+(?=[^\W\d]\w*\s*=)", text)
    written = text[: place.start()].strip() if place else text
    if written.startswith("@"):
        from adlab.gallery import named

        f = named(written[1:])
    else:
        f = Function(written)
    if place is None:
        return f, None
    values = {}
    for part in re.split(r"\s*[,;]\s*|\s+(?=[^\W\d]\w*\s*=)", text[place.end() :].strip()):
        name, equals, number = part.partition("=")
        if not equals:
            raise OptionError(f"{part!r} is not of the form NAME=VALUE")
        values[name.strip()] = float(Function(number.strip())([]))
    return f, values
