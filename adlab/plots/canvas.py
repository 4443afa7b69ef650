"""What all figures share: colours, marks, sizes, axes, labels beside curves, and files with the same bytes each time."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adlab.errors import OutputError
from adlab.process import whole_file

# Okabe & Ito's palette, which colour-blind readers can tell apart. Markers and dashes tell lines apart in print.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKS = ["o", "s", "^", "D", "v", "P", "X"]
SMALL = 9.0
"""The smallest text, in points. A figure 5.2 inches wide, shown on half a page (3.5 inches), has it 6 points high."""
WIDTH, HEIGHT = 4.8, 3.6
"""Inches of a figure: on half a page its text is still read."""
WIDE = 5.2
"""Inches of a figure with a colour bar or a legend beside it."""
STYLE: dict[Any, Any] = {
    "font.size": 10, "axes.titlesize": 10.5, "axes.labelsize": 10, "legend.fontsize": SMALL, "figure.figsize": (WIDTH, HEIGHT),
    "xtick.labelsize": SMALL, "ytick.labelsize": SMALL,
    "axes.grid": True, "grid.alpha": 0.25, "axes.spines.top": False, "axes.spines.right": False,
    "svg.hashsalt": "adlab", "svg.fonttype": "path",
}  # fmt: skip


def new_axes(width: float = WIDTH, height: float = HEIGHT) -> Any:
    """Axes on a new figure that no window shows."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def axes(ax: Any) -> Any:
    """The given axes, or new ones. A figure without a layout gets one in which no label is cut or covered."""
    if ax is None:
        return new_axes()
    figure = ax.get_figure(root=True) if hasattr(ax, "get_subplotspec") else None
    if figure is not None and figure.get_layout_engine() is None and ax.get_subplotspec() is not None:
        figure.set_layout_engine("constrained")
    return ax


def palette() -> list[str]:
    """The user's own cycle of colours where it was changed, else `COLOURS`."""
    from matplotlib import rcParams, rcParamsDefault

    own = rcParams["axes.prop_cycle"]
    if own == rcParamsDefault["axes.prop_cycle"]:
        return COLOURS
    return [str(colour) for colour in own.by_key().get("color", COLOURS)]


def entitle(ax: Any, *texts: str, at_most: int = 3) -> None:
    """The first text that fits the axes, as their title; where none fits, the last one, cut.

    It is broken into at most so many lines: between words, or else at operators.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    size = FontProperties(size=_points("axes.titlesize"))
    width = ax.figure.get_size_inches()[0] * ax.get_position().width * 72
    columns = max(12, int(width / (TextPath((0, 0), "n" * 10, prop=size).get_extents().width / 10)))
    for text in texts:
        kept = text.replace(" = ", "\u00a0=\u00a0")  # so that x = 1 is not broken apart
        breakable = re.sub(r"(?<=\w\))(?=[-+*/])|(?<=[^*]\*)(?=[^*])", "\u200b ", kept)
        lines = textwrap.wrap(breakable, columns, break_on_hyphens=False)
        shown = [line.replace("\u200b ", "").replace("\u200b", "") for line in lines]
        if len(shown) <= at_most:
            break
    else:
        shown = [*shown[: at_most - 1], shown[at_most - 1][: columns - 1] + "…"]
    ax.set_title("\n".join(shown))


def _points(name: str) -> float:
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties

    known: Any = rcParams
    return float(FontProperties(size=known[name]).get_size_in_points())


def legend_above(ax: Any, columns: int = 3) -> None:
    """A legend in a strip of its own between the axes and the title, where it covers nothing."""
    title = ax.get_title()
    handles, names = ax.get_legend_handles_labels()
    width = ax.figure.get_size_inches()[0] * ax.get_position().width
    columns = max(1, min(columns, int(width / 1.2)))
    ax.legend(handles, names, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, frameon=False, borderaxespad=0.1,
              columnspacing=1.0, handletextpad=0.4)  # fmt: skip
    rows = -(-len(names) // columns)
    ax.set_title(title, pad=6 + 1.5 * _points("legend.fontsize") * rows)


def panels(given: Any, rows: int, columns: int, width: float = WIDE, height: float = HEIGHT, **shared: Any) -> Any:
    """The given array of axes, or that of a new figure, (rows × columns,)."""
    from matplotlib.figure import Figure

    if given is not None:
        return np.ravel(given)
    return np.ravel(Figure(figsize=(width, height), layout="constrained").subplots(rows, columns, squeeze=False, **shared))


def two_panels(ratio: float) -> Any:
    """Two axes side by side on a new figure. The left one is wider by `ratio`, at most two and a half times.

    Their places are final. Graphs need that, since they are drawn as large as their axes.
    """
    from matplotlib.figure import Figure

    ratio = min(2.5, max(1.0, ratio))
    figure = Figure(figsize=(WIDE * (1 + ratio), 1.8 * HEIGHT))
    where = {"left": 0.01, "right": 0.99, "bottom": 0.02, "top": 0.86, "wspace": 0.03}
    return np.ravel(figure.subplots(1, 2, gridspec_kw={"width_ratios": [ratio, 1], **where}))


def write(figure: Any, path: Path) -> None:
    """Saves a figure, with the same bytes each time. Raises OutputError where the file cannot be written."""
    metadata = {".png": {"Software": None}, ".svg": {"Date": None, "Creator": None}}.get(path.suffix.lower())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as draft:
            figure.savefig(draft, dpi=200, metadata=metadata)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def lines(ax: Any, x: Sequence[float], series: Mapping[str, Sequence[float | None]], **style: Any) -> None:
    """Labelled curves, each with its own colour and marker. None is a gap."""
    for k, (label, values) in enumerate(series.items()):
        y = [np.nan if value is None else float(value) for value in values]
        look = {"marker": MARKS[k % len(MARKS)], "color": COLOURS[k % len(COLOURS)], "ms": 4.5, "lw": 1.3, **style}
        ax.plot(x, y, "-", label=label, **look)


def legend_on_top(ax: Any, entries: Sequence[Any] = ()) -> None:
    """A legend in a strip above everything that is drawn. The axes, logarithmic upward, grow by that strip.

    `entries` are its lines and their names; by default all that have a name.
    """
    drawn, names = entries or ax.get_legend_handles_labels()
    heights = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in ax.lines])
    width, height = ax.figure.get_size_inches() * ax.get_position().size
    columns = 2 if width > 3.2 else 1
    strip = (1.5 * -(-len(names) // columns) + 1.0) * SMALL / 72 / height
    bottom, top = ax.get_ylim()[0], float(np.nanmax(heights[np.isfinite(heights)]))
    ax.set_ylim(bottom, top * (top / bottom) ** (strip / (1 - strip)))
    ax.legend(drawn, names, loc="upper center", ncols=columns, fontsize=SMALL, borderaxespad=0.2, columnspacing=1.2,
              handletextpad=0.4, labelspacing=0.3)  # fmt: skip


def label_ends(ax: Any, labels: Mapping[str, tuple[float, float, str]], leaders: bool = False) -> None:
    """Names each curve beside its end, (x, y, colour). Names that would overlap are moved apart, up and down.

    All names are in a column at the right. `leaders` are thin lines from the names to the curves. The axes' limits must be
    final, since places are computed in units of the axes' height.
    """
    if not labels:
        return
    to_axes = ax.transData + ax.transAxes.inverted()
    spots = {name: to_axes.transform((x, y)) for name, (x, y, _) in labels.items()}
    pitch = 1.25 * SMALL / 72 / (ax.figure.get_figheight() * ax.get_position().height)
    names = sorted(spots, key=lambda name: float(spots[name][1]))
    heights = spread([float(spots[name][1]) for name in names], pitch)
    right = max(1.0, *(float(spot[0]) for spot in spots.values())) + 0.02
    for name, height in zip(names, heights, strict=True):
        ax.text(right, height, name, transform=ax.transAxes, color=ink(labels[name][2]), fontsize=SMALL, va="center", ha="left")
        if leaders:
            ax.plot([spots[name][0], right - 0.01], [spots[name][1], height], "-", transform=ax.transAxes,
                    color=labels[name][2], lw=0.5, alpha=0.7, clip_on=False)  # fmt: skip


def ink(colour: str) -> Any:
    """A colour of the palette, darkened to be read as text."""
    from matplotlib.colors import to_rgb

    return tuple(0.68 * part for part in to_rgb(colour))


def spread(places: Sequence[float], pitch: float) -> list[float]:
    """Ascending places, moved as little as possible until each is `pitch` beyond the one before.

    Places that meet form a block, which stands at the mean of where its members wanted to be (pool adjacent violators).

    >>> spread([0.0, 1.0, 1.0, 5.0], 1.0)
    [-0.3333333333333333, 0.6666666666666667, 1.6666666666666667, 5.0]
    """
    blocks: list[list[float]] = []  # [sum of wanted starts, members]
    for k, place in enumerate(places):
        blocks.append([place - k * pitch, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, members = blocks.pop()
            blocks[-1] = [blocks[-1][0] + total, blocks[-1][1] + members]
    starts = [total / members for total, members in blocks for _ in range(int(members))]
    return [start + k * pitch for k, start in enumerate(starts)]


def joined(series: Mapping[str, Sequence[Any]]) -> dict[str, tuple[Any, ...]]:
    """Names with the same values, joined under one label. Names whose values end in None are left out.

    >>> joined({"forward-difference": [1, 2], "backward-difference": [1, 2], "reverse": [1, 1]})
    {'forward-, backward-difference': (1, 2), 'reverse': (1, 1)}
    """
    names: dict[Any, list[str]] = {}
    for name, values in series.items():
        if values[-1] is not None:
            names.setdefault(tuple(values), []).append(name)
    return {_together(group): values for values, group in names.items()}


def _together(names: Sequence[str]) -> str:
    """Names, with their common ending written once: `forward-, backward-difference`."""
    tail = f"-{names[0].rpartition('-')[2]}"
    if len(names) > 1 and all(name.endswith(tail) for name in names):
        return ", ".join([*(name.removesuffix(tail) + "-" for name in names[:-1]), names[-1]])
    return ", ".join(names)
