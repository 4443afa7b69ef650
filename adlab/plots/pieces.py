"""Pictures that reports share: what `report.plot(ax)` draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from adlab.display import count
from adlab.errors import OptionError
from adlab.plots.canvas import COLOURS, MARKS, SMALL, axes, legend_on_top
from adlab.plots.curves import envelope

if TYPE_CHECKING:
    from adlab.report.accuracy import AccuracyRow
    from adlab.report.steps import Curve, Steps
    from adlab.report.swell import Swell


def draw_steps(found: Steps, ax: Any, variable: str, output: int = 0) -> Any:
    """The V of each scheme for one partial: measured error and its two branches, the model's line, the optimum that it
    predicts and the one found, the level lines."""
    ax = axes(ax)
    curves = [c for c in found.curves if c.variable == variable and c.output == output]
    if not curves:
        raise OptionError(f"no curves for `{variable}`; there are {', '.join(dict.fromkeys(c.variable for c in found.curves))}")
    for k, curve in enumerate(curves):
        _draw_curve(ax, curve, COLOURS[k % len(COLOURS)], MARKS[k % len(MARKS)])
    floor = _level_lines(ax, found, variable, output)
    ax.set(xscale="log", yscale="log", xlabel="step size h", ylabel=f"absolute error of ∂f/∂{variable}")
    ax.set_ylim(bottom=floor / 100)
    ax.set_title("measured (best ○), and A/h + C·hᵖ (optimum ★)")
    legend_on_top(ax)
    return ax


def _draw_curve(ax: Any, curve: Curve, colour: str, mark: str) -> None:
    """Dashed is truncation, dotted the envelope of roundoff: both measured."""
    for branch, dash in ((curve.truncation, "--"), (envelope(curve.roundoff), ":")):
        ax.plot(curve.steps, np.where(branch > 0, branch, np.nan), dash, color=colour, lw=0.8, alpha=0.6)
    ax.plot(*([number] for number in curve.best), "o", color=colour, mfc="white", ms=8, mew=1.3, zorder=4)
    shown = curve.total > 0
    ax.plot(curve.steps[shown], curve.total[shown], mark, color=colour, ms=3, alpha=0.75, label=curve.scheme)
    if curve.model is not None and curve.model.truncation > 0:
        predicted = curve.model.predicted_error(curve.steps)
        ax.plot(curve.steps, predicted, "-", color=colour, lw=1.1, alpha=0.9)
        ax.plot([curve.model.optimal_step], [curve.model.optimal_error], "*", color=colour, ms=12, mec="black", mew=0.6, zorder=5)


def _level_lines(ax: Any, found: Steps, variable: str, output: int) -> float:
    """The methods without a step, at their error or at half an ulp of the truth where they are below it."""
    exact = found.truth.component(output, found.function.names.index(variable)).value
    least = float(np.spacing(abs(float(exact)) or 1.0)) / 2
    names = [m for m, o, v in found.levels if v == variable and o == output]
    level = max([least, *(e for (m, o, v), e in found.levels.items() if v == variable and o == output)])
    ax.axhline(level, color="black", lw=1, ls="--")
    if names:
        ax.text(0.99, level / 1.5, ", ".join(names) + (": below half an ulp" if level == least else ""),
                transform=ax.get_yaxis_transform(), ha="right", va="top", fontsize=SMALL)  # fmt: skip
    return level


def digits_by_method(rows: Sequence[AccuracyRow], ax: Any = None) -> Any:
    """Correct digits of the worst partial of each method, as bars."""
    ax = axes(ax)
    worst: dict[str, float] = {}
    for row in rows:
        digits = row.digits if row.digits is not None else 0.0
        worst[row.method] = min(worst.get(row.method, 16.0), digits)
    names = list(worst)[::-1]
    bars = ax.barh(names, [worst[name] for name in names], color=COLOURS[0])
    ax.bar_label(bars, [f"{worst[name]:.1f}" for name in names], padding=3, fontsize=SMALL)
    ax.set(xlim=(0, 17.5), xlabel="correct digits of the worst partial (binary64: just under 16)")
    return ax


def swell_bars(found: Swell, ax: Any = None) -> Any:
    """Operations of f and of each derivative: as a tree, after cse, and as the program really runs, on a log scale."""
    ax = axes(ax)
    series = {"as a tree": "tree_operations", "after cse": "cse_operations", "as a program": "graph_operations"}
    for k, (label, field) in enumerate(series.items()):
        sizes = [getattr(row, field) for row in found.rows]
        heights = [float(min(size, 10**280)) if size else np.nan for size in sizes]  # some trees exceed every float
        places = np.arange(len(found.rows)) + (k - 1) * 0.27
        bars = ax.bar(places, heights, 0.25, label=label, color=COLOURS[k], hatch=["", "//", ".."][k])
        ax.bar_label(bars, [count(size) if size else "" for size in sizes], fontsize=SMALL, padding=2)
    ax.set_xticks(range(len(found.rows)), [row.what.replace(" ", "\n") for row in found.rows])
    ax.set(yscale="log", ylabel="operations")
    ax.set_title(f"swell, {found.form}")
    ax.legend()
    return ax


def squares(
    values: Sequence[Sequence[float | None]], rows: Sequence[str], columns: Sequence[str], title: str, log: bool, ax: Any,
    options: dict[str, Any],
) -> Any:
    """Numbers as coloured squares with the numbers in them; what is None stays blank. `options` go to `Axes.imshow`."""
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
    ax.set_title(title)
    ax.grid(False)
    return ax
