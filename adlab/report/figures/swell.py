"""Expression swell: how the derivative of a family grows, by what notation holds it."""

from __future__ import annotations

from typing import Any

from adlab.gallery import logistic_map
from adlab.report.figures.canvas import axes, lines
from adlab.report.swell import swell_by_depth


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
