"""The figures. Drawing functions take data and axes; they neither open, save nor set global style.

`adlab figures` calls every function in `FIGURES` and names the file after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adlab.errors import OptionError, OutputError
from adlab.progress import stage
from adlab.tables import count

if TYPE_CHECKING:
    from adlab.report.accuracy import AccuracyRow
    from adlab.report.steps import Curve, Steps
    from adlab.report.swell import Swell

# Okabe & Ito's palette: told apart by colour-blind readers too; markers and dashes tell them apart in print.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKS = ["o", "s", "^", "D", "v", "P", "X"]
STYLE: dict[Any, Any] = {
    "font.size": 10, "axes.titlesize": 11, "axes.labelsize": 10, "legend.fontsize": 8.5, "figure.figsize": (6.4, 4.4),
    "axes.grid": True, "grid.alpha": 0.25, "axes.spines.top": False, "axes.spines.right": False,
    "svg.hashsalt": "adlab", "svg.fonttype": "path",
}  # fmt: skip


def new_axes(width: float = 6.4, height: float = 4.4) -> Any:
    """Axes on a figure of their own that no window shows."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def axes(ax: Any) -> Any:
    """The axes given, or new ones."""
    return new_axes() if ax is None else ax


def write(figure: Any, path: Path) -> None:
    """Saves a figure; the same bytes each time. Raises OutputError where the file cannot be written."""
    metadata = {".png": {"Software": None}, ".svg": {"Date": None, "Creator": None}}.get(path.suffix.lower())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=200, metadata=metadata)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


# --- pieces that reports share ----------------------------------------------------------------------------------


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
    tops = [np.nanmax(c.total) for c in curves]
    ax.set_ylim(floor / 10, max(tops) * 10)
    ax.set_title("error against step size (★ predicted, ○ found optimum)")
    ax.legend(loc="upper center", bbox_to_anchor=(0.52, 1.0))
    return ax


def _draw_curve(ax: Any, curve: Curve, colour: str, mark: str) -> None:
    """Dashed is truncation, dotted the envelope of roundoff: both measured."""
    from adlab.report.steps import envelope

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
        ax.text(0.99, level * 1.3, ", ".join(names) + (": below half an ulp" if level == least else ""),
                transform=ax.get_yaxis_transform(), ha="right", va="bottom", fontsize=8.5)  # fmt: skip
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
    ax.bar_label(bars, [f"{worst[name]:.1f}" for name in names], padding=3, fontsize=8.5)
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
        ax.bar_label(bars, [count(size) if size else "" for size in sizes], fontsize=8, padding=2)
    ax.set_xticks(range(len(found.rows)), [row.what.replace(" ", "\n") for row in found.rows])
    ax.set(yscale="log", ylabel="operations")
    ax.set_title(f"swell, {found.form}")
    ax.legend()
    return ax


def lines(ax: Any, x: Sequence[float], series: Mapping[str, Sequence[float | None]]) -> None:
    """Labelled curves, each with its own colour and marker; None is a gap."""
    for k, (label, values) in enumerate(series.items()):
        y = [np.nan if value is None else float(value) for value in values]
        ax.plot(x, y, "-", marker=MARKS[k % len(MARKS)], color=COLOURS[k % len(COLOURS)], ms=4.5, lw=1.3, label=label)


# --- the figures ------------------------------------------------------------------------------------------------


def error_against_step_size(ax: Any = None) -> Any:
    """Absolute error of ∂f/∂x1 for the worked example log((x1+x2)² + sin(x1 x2)) at (1, 2) in binary64, against the step."""
    from adlab.gallery import worked_example
    from adlab.report.steps import steps

    return steps(worked_example(), variable="x1").plot(ax)


def truncation_and_roundoff(ax: Any = None) -> Any:
    """The two errors of the central difference of the worked example in x1, measured apart at the same binary64 nodes."""
    from adlab.gallery import worked_example
    from adlab.report.steps import steps

    ax = axes(ax)
    (curve,) = steps(worked_example(), variable="x1", schemes=["central-difference"]).curves
    for label, errors, colour, mark in (
        (f"truncation, measured: slope {curve.truncation_slope:.2f}", curve.truncation, COLOURS[0], "o"),
        (f"roundoff, measured: slope {curve.roundoff_slope:.2f}", curve.roundoff, COLOURS[1], "s"),
    ):
        ax.plot(curve.steps, np.where(errors > 0, errors, np.nan), mark, color=colour, ms=4, label=label)
    ax.plot(curve.steps, curve.total, "o", color=COLOURS[6], mfc="none", ms=5.5, mew=0.7, label="total")
    if curve.model is not None:
        ax.plot(curve.steps, curve.model.predicted_error(curve.steps), "-", color="grey", lw=1.2, label="theory A/h + C·h²")
    ax.set(xscale="log", yscale="log", xlabel="step size h", ylabel="absolute error of ∂f/∂x1", ylim=(1e-19, 10))
    ax.set_title("central difference: what the error is made of")
    ax.legend(loc="upper center", bbox_to_anchor=(0.55, 1.0))
    return ax


def swell_of_the_logistic_map(ax: Any = None) -> Any:
    """Operations in d l_n/dx for l_{n+1} = 4 l_n (1 − l_n), as SymPy evaluates it, by depth n: as a tree, as a graph of
    distinct nodes, after cse, and as the reverse-mode program. A curve ends where SymPy gave up."""
    from adlab.gallery import logistic_map
    from adlab.report.swell import swell_by_depth

    ax = axes(ax)
    found = swell_by_depth(lambda n: logistic_map(n, form="evaluated"), range(2, 11))
    lines(ax, found["depth"], {label: values for label, values in found.items() if label != "depth"})
    ax.set(yscale="log", xlabel="depth n", ylabel="operations in the derivative")
    ax.set_title("expression swell of the logistic map")
    ax.legend()
    return ax


def gradient_cost(ax: Any = None) -> Any:
    """Operations for f and its whole gradient, as a multiple of those for f alone, against the number of inputs n: one
    product of all inputs (Speelpenning), and a sum in which each input meets two neighbours (Rosenbrock), whose forward
    mode is cheap because most tangents stay 0. Central differences with the evaluations for their error estimate."""
    from adlab.gallery import rosenbrock, speelpenning
    from adlab.report.cost import cost

    ax = axes(ax)
    sizes = [2, 4, 8, 16, 32, 64]
    names = ["reverse", "forward", "central-difference"]
    for make, dash in ((speelpenning, "-"), (rosenbrock, "--")):
        tables = [cost(make(n), methods=names, timed=False) for n in sizes]
        for k, name in enumerate(names):
            ratios = [table.row(name).ratio for table in tables]
            ax.plot(sizes, ratios, dash, marker=MARKS[k], color=COLOURS[k], ms=5, lw=1.4, label=f"{name}, {make.__name__}")
    ax.axhline(4, color="black", lw=1, ls=":")
    ax.text(sizes[-1], 4.15, "theory: at most 4 in reverse mode", ha="right", va="bottom", fontsize=8.5)
    ax.set(xscale="log", yscale="log", xlabel="number of inputs n", ylabel="operations, as a multiple of f's own")
    ax.set_xticks(sizes, [str(n) for n in sizes])
    ax.set_xticks([], minor=True)
    ax.set_title("what a gradient costs")
    ax.legend(loc="upper left")
    return ax


def worked_example_graph(ax: Any = None) -> Any:
    """The graph of log((x1+x2)² + sin(x1 x2)) at (1, 2): each node with its value and its adjoint v̄, each edge with the
    local partial."""
    from adlab.gallery import worked_example

    f = worked_example()
    return f.trace(f.point).plot(ax)


FIGURES: list[Callable[..., Any]] = [
    error_against_step_size, truncation_and_roundoff, swell_of_the_logistic_map, gradient_cost, worked_example_graph,
]  # fmt: skip


def draw_all(directory: Path, only: str = "") -> Iterable[Path]:
    """Draws every figure into a directory, as PNG (200 dpi) and SVG, and its caption into README.md."""
    import matplotlib

    names = [draw.__name__ for draw in FIGURES]
    if only and only not in names:
        raise OptionError(f"no figure `{only}`; there are {', '.join(names)}")
    with matplotlib.rc_context(STYLE):
        for draw in FIGURES:
            if only and draw.__name__ != only:
                continue
            stage(f"drawing {draw.__name__}")
            figure = draw().figure
            for ending in (".png", ".svg"):
                path = directory / (draw.__name__ + ending)
                write(figure, path)
                yield path
    if not only:
        yield _captions(directory)


def _captions(directory: Path) -> Path:
    path = directory / "README.md"
    parts = ["# Figures", "Drawn by `adlab figures`; a file's stem is the function in `adlab/report/figures.py` that draws it."]
    for draw in FIGURES:
        caption = " ".join((draw.__doc__ or "").split())
        parts.append(f"## {draw.__name__}\n\n![{draw.__name__}]({draw.__name__}.png)\n\n{caption}")
    try:
        path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    return path
