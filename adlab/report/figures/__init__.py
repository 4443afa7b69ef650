"""The figures. Drawing functions take data and axes; they neither open, save nor set global style.

`canvas` holds what all are drawn with and `pieces` what reports share; each of the rest is one subject, and `catalogue` the
list of them: `adlab figures` calls every function there and names the file after it.
"""

from __future__ import annotations

from adlab.report.figures.canvas import STYLE, axes, new_axes, write
from adlab.report.figures.catalogue import FIGURES, draw_all
from adlab.report.figures.pieces import digits_by_method, draw_steps, swell_bars

__all__ = [
    "FIGURES", "STYLE", "axes", "digits_by_method", "draw_all", "draw_steps", "new_axes", "swell_bars", "write",
]  # fmt: skip
