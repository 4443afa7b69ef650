"""Pictures that reports share: what `report.plot(ax)` draws."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from adlab.display import count
from adlab.errors import OptionError
from adlab.plots.canvas import MARKS, SMALL, axes, entitle, legend_above, legend_on_top, palette
from adlab.plots.curves import envelope

if TYPE_CHECKING:
    from adlab.report.accuracy import AccuracyRow
    from adlab.report.steps import Curve, Steps
    from adlab.report.swell import Swell


def draw_steps(found: Steps, ax: Any, variable: str, output: int = 0, options: Mapping[str, Any] | None = None) -> Any:
    """The V of each scheme for one partial: the measured error with its two branches, the model's line, the level lines.

    The best step by the model and the best step found are marked. `options` go to `Axes.plot` for the measured errors.
    """
    ax = axes(ax)
    curves = [c for c in found.curves if c.variable == variable and c.output == output]
    if not curves:
        raise OptionError(f"no curves for `{variable}`; there are {', '.join(dict.fromkeys(c.variable for c in found.curves))}")
    for k, curve in enumerate(curves):
        _draw_curve(ax, curve, palette()[k % len(palette())], MARKS[k % len(MARKS)], options or {})
    floor = _level_lines(ax, found, variable, output)
    ax.set(xscale="log", yscale="log", xlabel="step size h", ylabel=f"absolute error of ∂f/∂{variable}")
    ax.set_ylim(bottom=floor / 1000)
    others = len(dict.fromkeys(c.variable for c in found.curves)) - 1
    more = f" ({others} other variable{'s' if others > 1 else ''}: plot(variable=…))" if others else ""
    what, marks = f"{found.where()}: ∂/∂{variable}", "best ○, by the model ★"
    entitle(ax, f"{what}{more}; {marks}", f"{what}; {marks}", what, f"∂f/∂{variable}", at_most=4)
    legend_on_top(ax)
    return ax


def _draw_curve(ax: Any, curve: Curve, colour: str, mark: str, options: Mapping[str, Any]) -> None:
    """Dashed is truncation, dotted the envelope of roundoff. Both are measured."""
    for branch, dash in ((curve.truncation, "--"), (envelope(curve.roundoff), ":")):
        ax.plot(curve.steps, np.where(branch > 0, branch, np.nan), dash, color=colour, lw=0.8, alpha=0.6)
    ax.plot(*([number] for number in curve.best), "o", color=colour, mfc="white", ms=8, mew=1.3, zorder=4)
    shown = curve.total > 0
    look = {"color": colour, "ms": 3, "alpha": 0.75, "label": curve.scheme, **options}
    ax.plot(curve.steps[shown], curve.total[shown], mark, **look)
    if curve.model is not None and curve.model.truncation > 0:
        predicted = curve.model.predicted_error(curve.steps)
        ax.plot(curve.steps, predicted, "-", color=colour, lw=1.1, alpha=0.9)
        ax.plot([curve.model.optimal_step], [curve.model.optimal_error], "*", color=colour, ms=12, mec="black", mew=0.6, zorder=5)


def _level_lines(ax: Any, found: Steps, variable: str, output: int) -> float:
    """The methods without a step, drawn at their error; at half an ulp of the truth where the error is smaller."""
    exact = found.truth.component(output, found.function.names.index(variable)).value
    least = float(np.spacing(abs(float(exact)) or 1.0)) / 2
    names = [m for m, o, v in found.levels if v == variable and o == output]
    level = max([least, *(e for (m, o, v), e in found.levels.items() if v == variable and o == output)])
    ax.axhline(level, color="black", lw=1, ls="--")
    if names:
        said = ", ".join(names) + (": below half an ulp" if level == least else "")
        columns = max(12, int(ax.figure.get_size_inches()[0] * ax.get_position().width * 72 / (0.55 * SMALL)))
        ax.text(0.99, level / 1.5, textwrap.fill(said, columns, break_on_hyphens=False),
                transform=ax.get_yaxis_transform(), ha="right", va="top", fontsize=SMALL, zorder=3,
                bbox={"facecolor": ax.get_facecolor(), "edgecolor": "none", "alpha": 0.8, "pad": 0.5})  # fmt: skip
    return level


def digits_by_method(rows: Sequence[AccuracyRow], ax: Any, title: str, options: Mapping[str, Any]) -> Any:
    """A bar for each method: the correct digits of its worst partial. `options` go to `Axes.barh`."""
    ax = axes(ax)
    worst: dict[str, float] = {}
    for row in rows:
        digits = row.digits if row.digits is not None else 0.0
        worst[row.method] = min(worst.get(row.method, 16.0), digits)
    names = list(worst)[::-1]
    bars = ax.barh(names, [worst[name] for name in names], **{"color": palette()[0], **options})
    ax.bar_label(bars, [f"{worst[name]:.1f}" for name in names], padding=3, fontsize=SMALL)
    ax.set(xlim=(0, 20), xticks=range(0, 17, 4), xlabel="correct digits of the worst partial")
    entitle(ax, title)
    return ax


def price_bars(names: Sequence[str], ratios: Sequence[float], ax: Any, title: str, options: Mapping[str, Any]) -> Any:
    """The operations of each method, as a multiple of one evaluation of f, on a log scale. `options` go to `Axes.barh`."""
    ax = axes(ax)
    bars = ax.barh(names[::-1], ratios[::-1], **{"color": palette()[0], **options})
    ax.bar_label(bars, [f"{ratio:.3g}" for ratio in ratios[::-1]], padding=3, fontsize=SMALL)
    ax.set_xscale("log")
    least, most = min(ratios, default=1.0), max(ratios, default=1.0)
    ax.set_xlim(least / 2, most * (most / least * 2) ** 0.25 * 1.5)
    ax.set_xlabel("operations, in evaluations of f")
    entitle(ax, title)
    return ax


def swell_bars(found: Swell, ax: Any, options: Mapping[str, Any]) -> Any:
    """The operations of f and of each derivative on a log scale: as a tree, after cse, and as the program that runs.

    `options` go to `Axes.bar`.
    """
    ax = axes(ax)
    series = {"as a tree": "tree_operations", "after cse": "cse_operations", "as a program": "graph_operations"}
    tallest = 1.0
    for k, (label, field) in enumerate(series.items()):
        sizes = [getattr(row, field) for row in found.rows]
        heights = [float(min(size, 10**280)) if size else np.nan for size in sizes]  # some trees exceed every float
        tallest = max([tallest, *(height for height in heights if height == height)])
        places = np.arange(len(found.rows)) + (k - 1) * 0.27
        look = {"label": label, "color": palette()[k % len(palette())], "hatch": ["", "//", ".."][k], **options}
        bars = ax.bar(places, heights, 0.25, **look)
        ax.bar_label(bars, [count(size) if size else "" for size in sizes], fontsize=SMALL, padding=2)
    ax.set_xticks(range(len(found.rows)), [row.what.replace(" ", "\n") for row in found.rows])
    ax.set(yscale="log", ylabel=f"operations, f {found.form}")
    ax.set_ylim(0.5, min(tallest * (2 * tallest) ** 0.12, 1e300))
    entitle(ax, f"swell of {found.name}")
    legend_above(ax)
    return ax


def squares(
    values: Sequence[Sequence[float | None]], rows: Sequence[str], columns: Sequence[str], title: str, log: bool, ax: Any,
    options: dict[str, Any],
) -> Any:
    """Numbers as coloured squares with the numbers in them. None stays blank. `options` go to `Axes.imshow`."""
    from matplotlib.colors import LogNorm

    ax = axes(ax)
    numbers = np.array([[np.nan if value is None else value for value in row] for row in values], dtype=float)
    known = numbers[np.isfinite(numbers)]
    scale = LogNorm(max(known.min(), 1e-3), max(known.max(), 1.0)) if log and known.size and known.max() > known.min() else None
    shown = ax.imshow(numbers, **{"aspect": "auto", "norm": scale, "cmap": "viridis_r" if log else "viridis", **options})
    for i, j in np.argwhere(np.isfinite(numbers)).tolist():
        red, green, blue, _ = shown.cmap(shown.norm(numbers[i, j]))
        dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.5  # luminance
        ax.text(j, i, f"{numbers[i, j]:.3g}", ha="center", va="center", fontsize=SMALL, color="white" if dark else "black")
    ax.set_xticks(range(len(columns)), columns, rotation=30, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(rows)), rows)
    entitle(ax, title)
    ax.grid(False)
    return ax
