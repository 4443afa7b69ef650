"""Work against precision: what each method pays for its digits, on one function and over many formulas."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from adlab.errors import AdlabError
from adlab.function import Function
from adlab.gallery import helmholtz, worked_example
from adlab.methods import METHODS, chosen
from adlab.plots.canvas import COLOURS, MARKS, axes, joined, label_ends, panels
from adlab.precision import CONTEXT, UNIT_ROUNDOFF, working
from adlab.report.cost import cost
from adlab.report.figures.measure import MOST_DIGITS, digits, relative_error
from adlab.report.truth import truth

DRAWS, COMPONENTS = 7, 10  # random points around the given one; the n of the Helmholtz energy that is shown
FEWEST = 4  # digits at which the curves over the corpus begin
LOOKS = {"automatic": 0, "symbolic": 2, "difference": 1, "complex step": 3}
"""Colour and mark of a family of methods."""


def work_and_precision(given: Any = None) -> Any:
    """Error of the gradient against the operations that f and its gradient take, for every method in binary64. Above: the
    worked example (n = 2). Below: the Helmholtz energy of a mixture (n = 10). The error is ‖error‖/‖∇f‖, the median over seven
    points within 10 % of the function's own point. It is drawn no lower than half an ulp, 1.1e−16. Operations are counted as in
    `gradient_cost`, and are medians too. Thin lines lead to the names."""
    spots = panels(given, 2, 1, height=7.0)
    for ax, f in zip(spots, (worked_example(), helmholtz(COMPONENTS)), strict=True):
        _scatter(ax, _priced(f))
        ax.set_title(f"{f.name}, n = {f.n}" if f.n == 2 else f.name)
        ax.set_xlabel("operations for f and its gradient")
    return spots


def _priced(f: Function) -> dict[str, tuple[float, float]]:
    """Operations and relative error by method, the medians over points."""
    assert f.point is not None
    shifts = np.random.default_rng(0).uniform(-0.1, 0.1, (DRAWS, f.n))
    points = np.array(f.point) * (1 + shifts)
    tables = [cost(f, point, timed=False) for point in points]
    exact = [truth(f, point).gradient for point in points]
    found = {}
    for name, method in chosen(None).items():
        errors = [relative_error(f, method, point, wanted) for point, wanted in zip(points, exact, strict=True)]
        operations = [row.operations for table in tables if (row := table.row(name)).operations is not None]
        if operations and None not in errors:
            found[name] = float(np.median(operations)), max(float(np.median(np.array(errors, dtype=float))), UNIT_ROUNDOFF)
    return found


def _scatter(ax: Any, found: Mapping[str, tuple[float, float]]) -> None:
    from matplotlib.ticker import NullFormatter

    for name, (operations, error) in found.items():
        k = LOOKS[METHODS[name].family]
        ax.plot([operations], [error], MARKS[k], color=COLOURS[k], ms=6, zorder=3)
    central = [found[name] for name in found if name.startswith("central-difference")]
    ax.plot(*zip(*central, strict=True), "-", color=COLOURS[LOOKS["difference"]], lw=1)
    work = [operations for operations, _ in found.values()]
    ax.set(xscale="log", yscale="log", ylabel="relative error of the gradient", ylim=(1e-19, 1e-5),
           xlim=(min(work) / 2, max(work) * 2))  # fmt: skip
    ax.xaxis.set_minor_formatter(NullFormatter())
    ends = {label: (*spot, COLOURS[LOOKS[METHODS[label.split(",")[-1].strip()].family]]) for label, spot in joined(found).items()}
    label_ends(ax, ends, leaders=True)


# --- over many formulas ---------------------------------------------------------------------------------------------


class NoCorpus(AdlabError):
    """The formulas for a figure are not part of the project, and were not found beside it."""


def digits_over_the_feynman_corpus(ax: Any = None) -> Any:
    """The share of formulas whose gradient has at least so many correct digits, −log10(‖error‖/‖∇f‖) in binary64, by method.
    The formulas are those of the Feynman lectures (AI Feynman's list), at one point each, with all partials. The judge is a
    reference gradient of 45 digits, for which no derivative rule was used. A method without an answer counts as 0 digits. The
    formulas are not part of the project. They are read from the directory that ADLAB_CORPORA names."""
    found = corpus_digits(feynman())
    count = len(next(iter(found.values())))
    ax = axes(ax)
    from_the_right = sorted(found, key=lambda name: -float(np.median(found[name])))
    for k, name in enumerate(from_the_right):
        reached = np.sort(found[name])
        share = 100 * (1 - np.arange(count) / count)
        look = {"color": COLOURS[k % len(COLOURS)], "ls": ["-", "--"][k // len(COLOURS) % 2]}
        ax.plot([0, *reached, reached[-1]], [100, *share, 0], drawstyle="steps-pre", lw=1.4, label=name, **look)
    ax.set(xlabel="correct digits of the gradient", xlim=(FEWEST, MOST_DIGITS + 0.2), ylim=(0, 103))
    ax.set(ylabel=f"% of {count} formulas with at least as many", xticks=range(FEWEST, MOST_DIGITS + 1, 2))
    ax.set_title("the Feynman lectures' formulas")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return ax


def corpora() -> Path:
    """The directory of formulas that are not part of the project."""
    beside = Path(__file__).resolve().parents[4] / "shared" / "corpora"
    return Path(os.environ.get("ADLAB_CORPORA", beside))


def feynman() -> list[dict[str, Any]]:
    """The rows of the corpus. Raises NoCorpus where it is not found."""
    file = corpora() / "feynman.jsonl"
    if not file.is_file():
        raise NoCorpus(f"there is no {file}; set ADLAB_CORPORA to the directory that holds feynman.jsonl")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def corpus_digits(rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Correct digits of the gradient of each row, by method."""
    found: dict[str, list[float]] = {name: [] for name in chosen(None)}
    for row in rows:
        f = Function(row["expr"], variables=row["variables"])
        point = np.array([row["point"][name] for name in row["variables"]], dtype=float)
        with working(170):
            exact = [CONTEXT.mpf(row["gradient"][name]) for name in row["variables"]]
        for name, reached in found.items():
            reached.append(digits(relative_error(f, METHODS[name], point, exact)))
    return found
