"""Reverse mode on a long chain within a budget of memory: a tape, binomial checkpoints, recomputation."""

from __future__ import annotations

from typing import Any

import numpy as np

from adlab.autodiff.checkpoints import Budgeted
from adlab.gallery import chain
from adlab.plots.canvas import COLOURS, axes, label_ends, lines

LENGTHS = (50, 200, 800)
"""Steps of the chain, each of a few operations."""
BUDGETS, SMALLEST = 12, 24
"""Budgets for each chain, from this one to more than a whole tape."""


def memory_of_reverse_mode(ax: Any = None) -> Any:
    """Operations that one gradient evaluates, over those of f, against the largest number of values alive at once, for the chain
    x → sin x · e^−x applied 50, 200 and 800 times. The right end of each curve is a tape, which holds every value and evaluates
    each operation once. To its left a budget is given, down to 24 values; binomial checkpointing keeps a few states, and
    operations are evaluated again. Both are counted while the gradient is computed."""
    ax = axes(ax)
    ends = {}
    for k, length in enumerate(LENGTHS):
        peaks, again = zip(*measured(length), strict=True)
        name = f"{length} steps"
        lines(ax, peaks, {name: again}, color=COLOURS[k], marker="os^"[k % 3])
        ends[name] = (peaks[-1], again[-1], COLOURS[k])
    ax.set(xscale="log", xlabel="values alive at once", ylabel="operations evaluated, over those of f",
           title="a gradient within a budget of memory")  # fmt: skip
    ax.set_ylim(bottom=0)
    label_ends(ax, ends)
    return ax


def measured(length: int) -> list[tuple[int, float]]:
    """(values alive at once, operations evaluated over those of f) for each budget, the least first."""
    graph = chain(length).graph
    tape, found = len(graph.operations), []
    for budget in np.unique(np.geomspace(SMALLEST, 2 * tape, BUDGETS).astype(int)).tolist():
        run = Budgeted(graph, [0.5], budget)
        run.gradient()
        found.append((run.peak, run.operations / tape))
    return sorted(set(found))
