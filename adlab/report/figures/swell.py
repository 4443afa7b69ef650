"""Expression swell: how the derivative of a family grows in each notation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adlab.function import Function
from adlab.gallery import chain, logistic_map, speelpenning
from adlab.plots.canvas import COLOURS, axes, label_ends, lines
from adlab.report.swell import swell_by_depth

DEPTHS = {"logistic": range(2, 11), "chain": range(1, 9)}
FACTORS = [3, 4, 6, 8, 12, 16, 24, 32]
SECONDS = 120.0  # far more than these sizes need: the end of a curve must not depend on the machine


def swell_of_the_logistic_map(ax: Any = None) -> Any:
    """Operations in d l_n/dx for l_{n+1} = 4 l_n (1 − l_n), as SymPy evaluates it, against the depth n. The curves count the
    derivative as a tree and after cse (both as `sympy.count_ops` counts), its distinct nodes (with leaves), and the primitives
    of the reverse-mode program (with the value)."""
    return _by_depth(axes(ax), lambda n: logistic_map(n, form="evaluated"), DEPTHS["logistic"], "the logistic map")


def swell_of_the_chain(ax: Any = None) -> Any:
    """Operations in the derivative of x → sin x · e^−x, applied n times, against the depth n. They are counted as in the figure
    above."""
    return _by_depth(axes(ax), chain, DEPTHS["chain"], "the chain x → sin x · e⁻ˣ")


def swell_of_speelpennings_product(ax: Any = None) -> Any:
    """Operations in all n partials of x1 x2 ⋯ xn together, against n. For the flat product, common-subexpression elimination
    leaves about n²/2. For the nested product ((x1 x2) x3) ⋯ it sees the prefixes and leaves about 4n. Reverse mode needs 3n − 5
    for either, value included. Trees and cse are counted by `sympy.count_ops`, the program in primitives."""
    flat = swell_by_depth(lambda n: speelpenning(n, form="evaluated"), FACTORS, SECONDS)
    nested = swell_by_depth(speelpenning, FACTORS, SECONDS)
    series = {
        "as a tree": flat["as a tree"],
        "flat, after cse": flat["after cse"],
        "nested, after cse": nested["after cse"],
        "reverse program": nested["reverse program"],
    }
    ax = axes(ax)
    _curves(ax, FACTORS, series, "number of factors n", "Speelpenning's product")
    ax.set_xscale("log")
    ax.set_xticks(FACTORS, [str(n) for n in FACTORS])
    ax.set_xticks([], minor=True)
    return ax


def _by_depth(ax: Any, make: Callable[[int], Function], depths: Sequence[int], family: str) -> Any:
    found = swell_by_depth(make, depths, SECONDS)
    _curves(ax, found.pop("depth"), found, "depth n", family)
    ax.set_xticks(depths)
    return ax


def _curves(ax: Any, sizes: Sequence[int], series: dict[str, list[int | None]], axis: str, family: str) -> None:
    lines(ax, sizes, series)
    ax.set(yscale="log", xlabel=axis, ylabel="operations in the derivative")
    ax.set_title(f"swell of {family}")
    label_ends(ax, {name: (sizes[-1], values[-1] or 1, COLOURS[k]) for k, (name, values) in enumerate(series.items())})
