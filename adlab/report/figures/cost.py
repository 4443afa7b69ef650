"""What a gradient costs, in operations: against the number of inputs, of outputs, and against its error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adlab.function import Function
from adlab.gallery import network, rosenbrock, speelpenning
from adlab.methods import chosen
from adlab.plots.canvas import COLOURS, MARKS, SMALL, axes, entitle, joined, label_ends, panels
from adlab.report.cost import cost

SIZES = (2, 4, 8, 16, 32)
"""Numbers of variables, doubled each time, so that a cost in proportion is a straight line."""
SHAPES = (1, 2, 4, 8, 16, 32)
"""Numbers of inputs and of outputs, doubled each time."""


def gradient_cost(given: Any = None) -> Any:
    """Operations for f and its whole gradient, as a multiple of those for f alone, against the number of inputs n, for every
    method. Above: a product of all inputs (Speelpenning, nested). Below: a sum in which each input meets two neighbours
    (Rosenbrock). There forward mode is cheap, because most tangents stay 0. For automatic methods the primitives of the program
    are counted. For sampling methods evaluations of f are counted, with those for the error estimate; the evaluations of the
    complex step are on complex numbers. For symbolic methods `sympy.count_ops` counts the partials alone. The dotted line is 4,
    the limit that theory gives for reverse mode."""
    spots = panels(given, 2, 1, height=6.4, sharex=True)
    for ax, make, title in ((spots[0], speelpenning, "Speelpenning's product"), (spots[1], rosenbrock, "Rosenbrock's function")):
        _ratios(ax, make)
        ax.set_title(title)
    spots[1].set_xlabel("number of inputs n")
    return spots


def forward_or_reverse(ax: Any = None) -> Any:
    """Operations of the whole Jacobian by forward mode, divided by those by reverse mode, for a network of n inputs and m
    outputs with three layers of 8 tanh between them. They are counted in the derivative programs. The number in a cell says how
    many times more the costlier mode takes. The black line is the measured crossover, where both cost the same. Theory puts it
    near n = m."""
    ax = axes(ax)
    ratios = np.array([[forward_over_reverse(network(n, m)) for n in SHAPES] for m in SHAPES])
    ticks = np.arange(len(SHAPES))
    limit = float(np.abs(np.log2(ratios)).max())
    ax.imshow(np.log2(ratios), origin="lower", cmap="PuOr", vmin=-1.6 * limit, vmax=1.6 * limit, aspect="auto")
    for i, j in np.ndindex(ratios.shape):
        ratio = max(ratios[i, j], 1 / ratios[i, j])
        if ratio > 1.05:  # or the crossover's line runs here
            ax.text(j, i, f"{ratio:.1f}", ha="center", va="center", fontsize=SMALL)
    ax.contour(ticks, ticks, np.log2(ratios), levels=[0], colors="black", linewidths=1.8)
    ax.set_xticks(ticks, [str(n) for n in SHAPES])
    ax.set_yticks(ticks, [str(m) for m in SHAPES])
    ax.grid(visible=False)
    ax.set(xlabel="number of inputs n", ylabel="number of outputs m")
    entitle(ax, "Jacobian of a network: forward mode is cheaper at the upper left, reverse mode at the lower right")
    return ax


# --- what is drawn --------------------------------------------------------------------------------------------------


def _ratios(ax: Any, make: Callable[[int], Function]) -> None:
    tables = [cost(make(n), timed=False) for n in SIZES]
    series = {name: tuple(table.row(name).ratio for table in tables) for name in chosen(None)}
    ends = {}
    for k, (label, values) in enumerate(joined(series).items()):
        colour, mark = COLOURS[k % len(COLOURS)], MARKS[k % len(MARKS)]
        ax.plot(SIZES, [v or np.nan for v in values], "-", marker=mark, color=colour, ms=4, lw=1.2,
                mfc="white" if k >= len(COLOURS) else colour)  # fmt: skip
        ends[label] = (float(SIZES[-1]), values[-1] or 1.0, colour)
    ax.axhline(4, color="black", lw=1, ls=":")
    ends["bound of reverse mode: 4"] = (float(SIZES[-1]), 4.0, "#000000")
    ax.set(xscale="log", yscale="log", ylabel="operations, as a multiple of f's own", ylim=(0.6, 900))
    ax.set_xticks(SIZES, [str(n) for n in SIZES])
    ax.set_xticks([], minor=True)
    label_ends(ax, ends)


def forward_over_reverse(f: Function) -> float:
    """Operations of the forward program over those of the reverse program, values included in both."""
    return len(f.program("forward").operations) / len(f.program("reverse").operations)
