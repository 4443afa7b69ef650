"""Pictures of a bench: everybody's times on a logarithmic axis, and the time per node against the number of nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adlab.plots.canvas import COLOURS, STYLE, axes

if TYPE_CHECKING:
    from adlab.bench.linearity import Linearity
    from adlab.bench.results import Bench

MARKS = "s^DvPX<>ph*d"
TITLES = {"first": "from the formula to the first gradient", "point": "one point", "batch": "a point of a batch of 10,000"}


def draw_bench(found: Bench) -> Any:
    """A panel for each figure, with the legend on top. Returns the last Axes."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.8, 1.2 + len(TITLES) * (0.55 + 0.21 * len(found.problems))), layout="constrained")
        panels = figure.subplots(len(TITLES))
        for ax, name in zip(panels, TITLES, strict=True):
            panel(ax, found, name)
        handles, labels = panels[1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=6, frameon=False, handletextpad=0.1, columnspacing=1)
    return panels[-1]


def panel(ax: Any, found: Bench, figure: str) -> Any:
    """One figure: a line for each problem, a mark for each contestant. adlab's marks are filled, and in front."""
    rows = {problem: place for place, problem in enumerate(reversed(found.problems))}
    peers = [peer for peer in found.peers if peer not in found.ours]
    for peer in [*peers, *(name for name in found.ours if name in found.peers)]:
        times = {rows[problem]: found.time(problem, peer, figure) for problem in rows}
        points = [(seconds, place) for place, seconds in times.items() if seconds]
        ax.scatter(*zip(*points, strict=True) if points else ([], []), label=peer, **_look(peer, peers, found.ours))
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda seconds, _: _seconds(seconds))
    ax.set_yticks(list(rows.values()), list(rows))
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_title(TITLES[figure])
    return ax


def _look(peer: str, peers: list[str], ours: Sequence[str]) -> dict[str, Any]:
    if peer in ours:
        hollow = peer != ours[0]
        return {"marker": "o", "s": 120 if hollow else 55, "zorder": 3, "edgecolors": COLOURS[0], "linewidths": 1.6,
                "facecolors": "none" if hollow else COLOURS[0]}  # fmt: skip
    k = peers.index(peer)
    return {"marker": MARKS[k % len(MARKS)], "s": 26, "color": COLOURS[1 + k % (len(COLOURS) - 1)], "alpha": 0.9}


def _seconds(seconds: float) -> str:
    """A tick, in its own unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size * (1 - 1e-9):
            return f"{seconds / size:g} {unit}"
    return f"{seconds / 1e-9:g} ns"


def draw_linearity(found: Linearity, ax: Any = None) -> Any:
    """Microseconds a node: flat lines mean linear time."""
    from matplotlib.lines import Line2D

    ax = axes(ax)
    dashes: dict[str, Any] = dict(zip(found.families, ("-", "--", ":"), strict=False))
    marks = dict(zip(found.stages, zip(COLOURS, "os^", strict=False), strict=True))
    for family in found.families:
        for stage, (colour, mark) in marks.items():
            runs = found.of(family)
            ax.plot([run.nodes for run in runs], [run.per_node(stage) * 1e6 for run in runs], dashes[family], marker=mark,
                    color=colour)  # fmt: skip
    ax.set_xscale("log")
    ax.set_ylim(bottom=0)
    ax.set_xlabel("nodes of the graph")
    ax.set_ylabel("time per node, µs")
    kinds = [Line2D([], [], linestyle="", marker=mark, color=colour, label=found.stages[stage])
             for stage, (colour, mark) in marks.items()]  # fmt: skip
    kinds += [Line2D([], [], linestyle=dash, color="black", label=family) for family, dash in dashes.items()]
    ax.legend(handles=kinds, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))  # above: lines go everywhere else
    return ax
