"""The sparsity pattern of a Jacobian as a picture: a square for each entry, in the colour of the sweep that finds it."""

from __future__ import annotations

from typing import Any

import numpy as np

from adlab.autodiff.sparse import Coloring


def plot_pattern(coloring: Coloring, ax: Any = None) -> Any:
    """Draws the pattern on Matplotlib axes and returns them. Rows of reverse sweeps are hatched."""
    import matplotlib.pyplot as plt
    from matplotlib.collections import PolyCollection

    m, n = len(coloring.row_colors), len(coloring.column_colors)
    if ax is None:
        _, ax = plt.subplots(figsize=(5, 5 * max(0.3, min(2.0, m / n))), layout="constrained")
    squares: dict[tuple[bool, int], list[Any]] = {}
    for i, columns in enumerate(coloring.pattern):
        for j in columns:
            row = coloring.row_colors[i]
            sweep = (False, coloring.column_colors[j]) if row is None else (True, row)
            square = np.array([(j, i), (j + 1, i), (j + 1, i + 1), (j, i + 1)]) - 0.5
            squares.setdefault(sweep, []).append(square)  # type: ignore[arg-type]
    shades = plt.get_cmap("tab20")
    for k, ((backward, number), these) in enumerate(sorted(squares.items())):
        label, hatch = f"{'reverse' if backward else 'forward'} sweep {number + 1}", "///" if backward else None
        ax.add_collection(PolyCollection(these, facecolors=[shades(k % 20)], hatch=hatch, label=label))
    ax.set(xlim=(-0.5, n - 0.5), ylim=(m - 0.5, -0.5), xlabel="variable", ylabel="output", aspect="equal")
    ax.set_title(f"{coloring.entries} of {m} × {n} entries, {coloring.sweeps} sweeps")
    if len(squares) <= 8:
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return ax
