"""Work against precision: what each method pays for its digits, on one function and over many formulas."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mpmath
import numpy as np

from adlab.errors import AdlabError, OptionError
from adlab.function import Function
from adlab.gallery import helmholtz, worked_example
from adlab.points import FloatArray
from adlab.registry import METHODS, Method, chosen
from adlab.report.cost import cost
from adlab.report.figures.canvas import COLOURS, MARKS, axes, label_ends, panels
from adlab.report.truth import truth

ROUNDOFF = 2.0**-53
DRAWS = 7
LOOKS = {"automatic": 0, "symbolic": 2, "difference": 1, "complex step": 3}
"""Colour and mark of a family of methods."""


def work_and_precision(given: Any = None) -> Any:
    """Error of the gradient against the operations that f and its gradient take, for every method: the worked example (n = 2)
    and the Helmholtz energy of a mixture (n = 10), binary64. Relative error ‖error‖/‖∇f‖, median over seven points within
    10 % of the function's own, drawn no lower than half an ulp, 1.1e−16; operations as in `gradient_cost`, median
    likewise. Thin lines lead to the names."""
    spots = panels(given, 2, 1, height=7.0)
    for ax, f in zip(spots, (worked_example(), helmholtz(10)), strict=True):
        _scatter(ax, _priced(f))
        ax.set_title(f"{f.name}, n = {f.n}" if f.n == 2 else f.name)
    spots[1].set_xlabel("operations for f and its gradient")
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
            found[name] = float(np.median(operations)), max(float(np.median(np.array(errors, dtype=float))), ROUNDOFF)
    return found


def relative_error(f: Function, method: Method, point: FloatArray, exact: Sequence[Any]) -> float | None:
    """‖error‖/‖∇f‖, with the truth's digits; None where the method has no answer."""
    try:
        gradient = method(f, point).jacobian[0].tolist()
    except AdlabError:
        return None
    if not all(map(math.isfinite, gradient)):
        return None
    with mpmath.workprec(200):
        size = mpmath.norm(exact)
        error = mpmath.norm([mpmath.mpf(g) - e for g, e in zip(gradient, exact, strict=True)])
        return float(error / size) if size else float(error)


def _scatter(ax: Any, found: Mapping[str, tuple[float, float]]) -> None:
    ax.set(xscale="log", yscale="log", ylabel="relative error of the gradient")
    for name, (operations, error) in found.items():
        k = LOOKS[METHODS[name].family]
        ax.plot([operations], [error], MARKS[k], color=COLOURS[k], ms=6, zorder=3)
    central = [found[name] for name in found if name.startswith("central-difference")]
    ax.plot(*zip(*central, strict=True), "-", color=COLOURS[LOOKS["difference"]], lw=1)
    ax.set_ylim(1e-17, 1e-5)
    label_ends(ax, {name: (*spot, COLOURS[LOOKS[METHODS[name].family]]) for name, spot in found.items()}, leaders=True)
