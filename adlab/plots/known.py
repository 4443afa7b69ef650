"""Pictures of what is known of numbers: intervals, errors beside their bounds, derivatives by their order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from adlab.plots.canvas import SMALL, axes, entitle, legend_above, palette

MOST = 40
"""The most rows of a picture; with more, no label could be read."""
WIDE_RANGE = 1e3
"""Numbers further apart than this are drawn on a logarithmic axis."""


class Span(NamedTuple):
    """A number or an interval, with its name. Both ends are None where nothing is known; then `said` is written there."""

    name: str
    low: float | None
    high: float | None
    said: str = ""


def spans(rows: Sequence[Span], ax: Any, title: str, xlabel: str, options: Mapping[str, Any]) -> Any:
    """A line for each interval and a point for each number, from top to bottom. `options` go to `Axes.plot`."""
    ax, shown = axes(ax), list(rows[:MOST])
    ends = [end for row in shown for end in (row.low, row.high) if end is not None and math.isfinite(end)]
    for k, row in enumerate(shown):
        if row.low is None or row.high is None or not ends:
            ax.text(0.5, k, row.said, transform=ax.get_yaxis_transform(), ha="center", va="center", fontsize=SMALL)
            continue
        low, high = (float(np.clip(end, min(ends), max(ends))) for end in (row.low, row.high))
        mark = "o" if row.low == row.high else "|"
        look = {"color": palette()[0], "marker": mark, "lw": 4, "ms": 7 if mark == "o" else 11, **options}
        ax.plot([low, high], [k, k], **look)
        if row.said:
            ax.annotate(row.said, ((low + high) / 2, k), (0, 6), textcoords="offset points", ha="center", fontsize=SMALL)
    sizes = [abs(end) for end in ends if end]
    if sizes and max(sizes) > WIDE_RANGE * min(sizes):
        ax.set_xscale("symlog", linthresh=max(min(sizes), max(sizes) * 1e-16), linscale=1.5)
        ax.xaxis.get_major_locator().set_params(numticks=6)
    ax.axvline(0, color="black", lw=0.8, zorder=1)
    ax.margins(x=0.15)
    _rows(ax, [row.name for row in shown], len(rows))
    ax.set_xlabel(xlabel)
    entitle(ax, title)
    return ax


class Measured(NamedTuple):
    """An error and its bound, with their name. None stands where there is none."""

    name: str
    error: float | None
    bound: float | None
    wrong: bool = False


def errors(
    rows: Sequence[Measured], ax: Any, title: str, xlabel: str, names: tuple[str, str], least: float, options: Mapping[str, Any]
) -> Any:
    """Each error as a point, and its bound as a tick, on a logarithmic axis. Errors below `least` are drawn there.

    `names` are the names of both. `options` go to `Axes.plot` for the errors.
    """
    ax, shown = axes(ax), list(rows[:MOST])
    colours = palette()
    places = [max(row.error, least) if row.error is not None and math.isfinite(row.error) else math.nan for row in shown]
    bounds = [row.bound if row.bound is not None and 0 < row.bound < math.inf else math.nan for row in shown]
    for k, (place, bound) in enumerate(zip(places, bounds, strict=True)):
        ax.plot([place, bound], [k, k], "-", color="0.6", lw=1, zorder=1)
    for wrong, colour, label in ((False, colours[0], names[0]), (True, colours[1 % len(colours)], f"{names[0]}, too large")):
        chosen = [k for k, row in enumerate(shown) if row.wrong == wrong]
        if chosen:
            ax.plot([places[k] for k in chosen], chosen, **{"color": colour, "marker": "o", "ls": "", "label": label, **options})
    ax.plot(bounds, range(len(shown)), "|", color="black", ms=12, mew=1.6, label=names[1])
    ax.set_xscale("log")
    known = [number for number in (*places, *bounds) if number == number]
    if known:
        ax.set_xlim(min(known) / 3, max(known) * 3)
    _rows(ax, [row.name for row in shown], len(rows))
    ax.set_xlabel(xlabel)
    entitle(ax, title)
    legend_above(ax)
    return ax


def by_order(values: Sequence[float | None], ax: Any, title: str, variable: str, options: Mapping[str, Any]) -> Any:
    """The size of each derivative by its order, and of its Taylor coefficient f⁽ᵏ⁾/k!. Open marks are negative.

    `options` go to `Axes.plot`.
    """
    ax = axes(ax)
    colours, orders = palette(), range(len(values))
    coefficients = [v if v is None else v / math.factorial(k) for k, v in enumerate(values)]
    series = {"derivative": [*values], "derivative / k!": coefficients}
    for colour, mark, (label, numbers) in zip((colours[0], colours[1 % len(colours)]), "os", series.items(), strict=True):
        sizes = [abs(v) if v else math.nan for v in numbers]
        ax.plot(orders, sizes, "-", **{"color": colour, "marker": mark, "lw": 1, "label": label, **options})
        below = [k for k in orders if (numbers[k] or 0.0) < 0]
        ax.plot(below, [sizes[k] for k in below], mark, mfc="white", mec=colour, mew=1.4, ls="")
    ax.set_xticks(orders if len(values) <= 12 else range(0, len(values), 5))
    ax.set(yscale="log", xlabel=f"order k of the derivative by {variable}", ylabel="size (open marks: negative; no mark: 0)")
    entitle(ax, title)
    legend_above(ax)
    return ax


def _rows(ax: Any, names: Sequence[str], whole: int) -> None:
    """Names down the left side, the first at the top."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", labelsize=SMALL if len(names) <= 20 else SMALL / 2)
    if whole > len(names):
        ax.set_ylabel(f"the first {len(names)} of {whole}")
