"""Correct digits of the gradient over a plane: where each method is accurate, and where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adlab.function import Function
from adlab.gallery import worked_example
from adlab.inputs import FloatArray
from adlab.methods import METHODS
from adlab.plots.canvas import SMALL, panels
from adlab.report.figures.measure import MOST_DIGITS, digits, relative_error
from adlab.report.truth import truth

SHOWN = ("reverse", "central-difference", "forward-difference")
FAR, POINTS = 3.0, 51  # how far the axes go, and the points on each: an odd number, so that 0 is one
LOST = 2.0  # digits below the median, from which a point is marked
FEWEST = 4  # digits at which the colours begin


def correct_digits_over_the_plane(given: Any = None) -> Any:
    """Correct decimal digits of ∇f, −log10(‖error‖/‖∇f‖), for the worked example log((x1+x2)² + sin(x1 x2)) in binary64. Each
    of 51 × 51 points is judged by high-precision values of the expression. The hatched part is outside the domain: there
    (x1+x2)² + sin(x1 x2) ≤ 0 and every method refuses. The line is the edge. A cross marks at least two digits fewer than the
    method's own median. At the edge the gradient itself is ill-conditioned. Differences choose their steps themselves."""
    f = worked_example()
    axis = np.linspace(-FAR, FAR, POINTS)
    measured = digits_over(f, axis, SHOWN)
    spots = panels(given, 2, 2, height=5.4)
    image = None
    for ax, (name, found) in zip(spots, measured.items(), strict=False):
        image = _panel(ax, f, axis, found)
        ax.set_title(name)
    for ax in (spots[0], spots[2]):
        ax.set_ylabel("x2")
    for ax in spots[1:3]:
        ax.set_xlabel("x1")
    _key(spots[3], image)
    spots[0].figure.suptitle("log((x1 + x2)**2 + sin(x1*x2)) over the plane: correct digits of ∇f", fontsize=10.5)
    return spots


def digits_over(f: Function, axis: FloatArray, methods: Sequence[str]) -> dict[str, FloatArray]:
    """Correct digits of the gradient by each method at every (axis[j], axis[i]), shape (len(axis),) × 2.

    NaN outside the domain; 0 where a method has no answer inside it.
    """
    found = {name: np.full((len(axis), len(axis)), np.nan) for name in methods}
    for i, x2 in enumerate(axis):
        for j, x1 in enumerate(axis):
            point = np.array([x1, x2])
            if np.isnan(f.values(point)).any():
                continue
            exact = truth(f, point).gradient
            for name in methods if None not in exact else ():
                found[name][i, j] = digits(relative_error(f, METHODS[name], point, exact))
    return found


def _panel(ax: Any, f: Function, axis: FloatArray, found: FloatArray) -> Any:
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm

    bands = BoundaryNorm(range(FEWEST, MOST_DIGITS + 1), 256)
    image = ax.pcolormesh(axis, axis, found, cmap=colormaps["viridis"], norm=bands, shading="nearest", rasterized=True)
    fine = np.linspace(axis[0], axis[-1], 301)
    condition = Function(f.domain[0].lhs, f.variables)
    edge = condition(np.stack(np.meshgrid(fine, fine), axis=-1))
    ax.contourf(fine, fine, edge, levels=[-np.inf, 0], colors="white", hatches=["////"])
    ax.contour(fine, fine, edge, levels=[0], colors="black", linewidths=1)
    low = found < np.nanmedian(found) - LOST
    rows, columns = np.nonzero(low)
    ax.plot(axis[columns], axis[rows], "x", color="#D55E00", ms=4.5, mew=1.3)
    ax.set(aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    ax.text(0.97, 0.97, f"{np.nanmin(found):.1f} to {np.nanmax(found):.1f}", transform=ax.transAxes, fontsize=SMALL, ha="right",
            va="top", bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5})  # fmt: skip
    ax.grid(visible=False)
    return image


def _key(ax: Any, image: Any) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    ax.set_axis_off()
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((0.05, 0.72, 0.9, 0.08)), orientation="horizontal")
    bar.set_label("correct digits")
    bar.set_ticks([FEWEST, 6, 8, 10, 12, 14, MOST_DIGITS])
    marks = [
        Patch(facecolor="white", edgecolor="black", hatch="////", label="f is not real"),
        Line2D([], [], color="#D55E00", marker="x", ls="", mew=1.3, label="two digits below\nits own median"),
    ]
    ax.legend(handles=marks, loc="lower center", frameon=False, bbox_to_anchor=(0.5, 0.02))
