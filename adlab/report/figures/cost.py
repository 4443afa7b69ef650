"""What a gradient costs, in operations: against the number of inputs, of outputs, and against its error."""

from __future__ import annotations

from typing import Any

from adlab.gallery import rosenbrock, speelpenning
from adlab.report.cost import cost
from adlab.report.figures.canvas import COLOURS, MARKS, axes


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
