"""Fits whose answers are known: how many certified digits each way to differentiate reaches, and what it spends.

NIST's Statistical Reference Datasets for nonlinear regression are such problems. They come from a file, one problem a line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from adlab.display import Report, Table
from adlab.errors import AdlabError, OptionError
from adlab.function import Function
from adlab.inputs import FloatArray
from adlab.methods import lookup
from adlab.progress import stage
from adlab.use.fit import fit
from adlab.use.slopes import evaluations_each

METHODS = ("reverse", "symbolic", "complex-step", "forward-difference", "central-difference", "central-difference-4",
           "central-difference-6", "central-difference-8")  # fmt: skip
"""Every method that goes over all rows of the data at once."""
SAME, GOOD = 1, 9
"""Digits: with fewer than the first the search has ended elsewhere; the second are what the summary counts."""


@dataclass(frozen=True)
class FitProblem:
    """A model, its data, first guesses, and the certified parameters as texts, since their digits count."""

    name: str
    model: Function
    columns: Mapping[str, FloatArray]
    response: str
    starts: Mapping[str, Mapping[str, float]]
    certified: Mapping[str, str]


@dataclass(frozen=True)
class FitAttempt:
    """One fit. `digits` of the worst parameter, None where there is no answer; then `reason` says why."""

    problem: str
    start: str
    method: str
    digits: float | None
    evaluations: int
    """Of the model over all data, those for difference quotients included."""
    jacobians: int
    reason: str = ""


@dataclass(frozen=True)
class CertifiedFits(Report):
    """All fits. `given`: the digits of the certified parameters, more than which nobody can reach."""

    source: str
    given: int
    attempts: Sequence[FitAttempt]

    @property
    def methods(self) -> list[str]:
        """In the order of the table."""
        return list(dict.fromkeys(attempt.method for attempt in self.attempts))

    def of(self, method: str, problem: str | None = None) -> list[FitAttempt]:
        """The fits by one method, perhaps of one problem alone."""
        return [found for found in self.attempts if found.method == method and problem in (None, found.problem)]

    def worst(self, method: str, problem: str) -> float | None:
        """The digits from the worst of the starts."""
        digits = [found.digits or 0.0 for found in self.of(method, problem)]
        return min(digits) if digits and min(digits) >= SAME else None

    def to_dict(self) -> dict[str, Any]:
        """`source`, `given`, and `rows`, one for each fit."""
        return {"source": self.source, "given": self.given, "rows": [asdict(attempt) for attempt in self.attempts]}

    def sections(self) -> list[Table | str]:
        """Digits by problem and method, then what it took."""
        names = list(dict.fromkeys(attempt.problem for attempt in self.attempts))
        rows = [[name, *(_shown(self.worst(method, name)) for method in self.methods)] for name in names]
        count = len(self.of(self.methods[0]))
        each = [self.of(method) for method in self.methods]
        summary = [
            [f"median of {count}", *(_shown(median(found.digits or 0.0 for found in fits)) for fits in each)],
            [f"{GOOD} digits or more, of {count}", *(str(sum((found.digits or 0.0) >= GOOD for found in fits)) for fits in each)],
            ["elsewhere, or no answer", *(str(sum((found.digits or 0.0) < SAME for found in fits)) for fits in each)],
            ["evaluations of the model", *(f"{sum(found.evaluations for found in fits):,}" for fits in each)],
            ["Jacobians", *(f"{sum(found.jacobians for found in fits):,}" for fits in each)],
        ]
        short = [_short(method) for method in self.methods]
        return [
            Table(f"certified digits of the worst parameter from the worst start, of {self.given}", ["problem", *short], rows,
                  frozenset(short)),
            Table("all fits", ["", *short], summary, frozenset(short)),
        ]  # fmt: skip

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """How many fits reach at least so many digits, by method. `options` go to `Axes.plot`. Returns the Axes."""
        from adlab.plots.canvas import COLOURS, HEIGHT, WIDE, axes, new_axes

        ax = new_axes(WIDE, 1.4 * HEIGHT) if ax is None else axes(ax)
        count = len(self.of(self.methods[0]))
        for k, method in enumerate(self.methods):
            fits = self.of(method)
            reached = np.sort([max(found.digits or 0.0, 0.0) for found in fits])
            spent = f"{sum(found.evaluations for found in fits):,}"
            if jacobians := sum(found.jacobians for found in fits):
                spent += f" + {jacobians:,} J"
            look = {"color": COLOURS[k % len(COLOURS)], "ls": ["-", "--", "-.", ":"][k % 4], "lw": 3 - 0.25 * k,
                    "label": f"{_short(method)}: {spent}", **options}  # fmt: skip
            ax.plot([0, *reached, reached[-1]], [count, *(count - np.arange(count)), 0], drawstyle="steps-pre", **look)
        ax.set(xlabel=f"certified digits of the worst parameter, of {self.given}", xlim=(0, self.given + 0.3))
        ax.set(ylabel=f"fits of {count} with at least as many", ylim=(0, count * 1.03), title=f"fits of {self.source}")
        ax.legend(title="evaluations of the model + Jacobians (J)", loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2,
                  frameon=False)  # fmt: skip
        return ax


def _short(method: str) -> str:
    """The name of a method over a narrow column."""
    return method.replace("-difference", "")


def _shown(digits: float | None) -> str:
    return "–" if digits is None else f"{digits:.1f}"


def certified_fits(path: str | Path, methods: Sequence[str] | None = None) -> CertifiedFits:
    """Every problem of a file from every start, with the Jacobian by every method.

    Each line of the file is an object: `id`; `expr`, the model; `start1`, `start2`, …, which map parameters to first guesses;
    `certified`, the right parameters as texts; `data_columns`, names, and `data`, rows of numbers; perhaps `response`, a column
    or a formula in it, by default the column that the model does not use. Numbers may be texts. Raises OptionError for anything
    else, with its line, MethodError for an unknown method, and MissingExtra without SciPy.
    """
    for method in methods or METHODS:
        lookup(method)
    problems = list(read_problems(path))
    found = []
    for problem in problems:
        for start in problem.starts:
            for method in methods or METHODS:
                stage(f"fitting {problem.name} from {start} by {method}")
                found.append(_attempt(problem, start, method))
    given = max(_significant(text) for problem in problems for text in problem.certified.values())
    return CertifiedFits(Path(path).stem, given, found)


def _attempt(problem: FitProblem, start: str, method: str) -> FitAttempt:
    try:
        found = fit(problem.model, problem.columns, problem.starts[start], method=method, response=problem.response)
    except (OptionError, ImportError):
        raise
    except AdlabError as reason:
        return FitAttempt(problem.name, start, method, None, 0, 0, str(reason).splitlines()[0])
    each = evaluations_each(method, len(found.names))
    digits = min(agreement(found.parameters[name], text) for name, text in problem.certified.items())
    evaluations, jacobians = found.evaluations + each * found.jacobians, 0 if each else found.jacobians
    return FitAttempt(problem.name, start, method, digits, evaluations, jacobians)


def agreement(found: float, certified: str) -> float:
    """The digits in which a number agrees with a certified one, at most those that it has.

    >>> round(agreement(2.3894, "2.3894212918E+02"), 1), agreement(238.94212918, "2.3894212918E+02")
    (0.0, 11.0)
    """
    right = float(certified)
    error = abs(found - right) / abs(right) if right else abs(found)
    return float(min(_significant(certified), max(0.0, -math.log10(error)))) if error else float(_significant(certified))


def _significant(text: str) -> int:
    """The digits of a number before its exponent."""
    return max(1, len(text.lower().partition("e")[0].lstrip("+-0.").replace(".", "")))


# --- the file -------------------------------------------------------------------------------------------------------


def read_problems(path: str | Path) -> Iterator[FitProblem]:
    """The problems of a file; see `certified_fits`."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as wrong:
        raise OptionError(f"{path} cannot be read: {getattr(wrong, 'strerror', None) or wrong}") from wrong
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise OptionError(f"{path} holds no problems")
    for number, line in numbered:
        try:
            yield _problem(json.loads(line))
        except AdlabError as wrong:
            raise OptionError(f"{path}, line {number}: {wrong}") from wrong
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as wrong:
            raise OptionError(f"{path}, line {number} is no problem of a fit: {type(wrong).__name__} {wrong}") from wrong


def _problem(row: Mapping[str, Any]) -> FitProblem:
    columns = dict(zip(row["data_columns"], np.array(row["data"], dtype=float).T, strict=True))
    certified = {name: str(value) for name, value in row["certified"].items()}
    starts = {word: {name: float(value) for name, value in row[word].items()} for word in row
              if word.startswith("start") and word[5:].isdigit()}  # fmt: skip
    if not starts or not certified or not all(math.isfinite(float(text)) for text in certified.values()):
        raise OptionError("it needs start1, and certified numbers")
    if wrong := next((word for word, start in starts.items() if set(start) != set(certified)), ""):
        raise OptionError(f"{wrong} must name the certified parameters: {', '.join(certified)}")
    predictors = [name for name in columns if name not in certified]
    model = Function(row["expr"], [*certified, *_used(row["expr"], predictors)], name=str(row["id"]))
    response = str(row.get("response") or next(name for name in predictors if name not in model.names))
    if response not in columns:  # a formula in the columns, such as log(y)
        formula = Function(response)
        columns[response] = np.asarray(formula(np.column_stack([columns[name] for name in formula.names])))
    return FitProblem(str(row["id"]), model, columns, response, starts, certified)


def _used(text: str, names: Sequence[str]) -> list[str]:
    """Those of the names that occur in a formula."""
    found = Function(text).names
    return [name for name in names if name in found]
