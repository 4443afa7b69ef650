"""A graph drawn with Matplotlib, on given axes or on new ones.

Nothing here opens a window, saves a file or changes a global setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adlab.draw.collapse import LIMIT
from adlab.draw.diagram import Box, Direction, DrawnTrace, Role
from adlab.draw.picture import (
    BADGE,
    INKS,
    STACK,
    Picture,
    PlacedArrow,
    PlacedBox,
    Rect,
    Stroke,
    TextLine,
    corner,
    picture_of,
)
from adlab.graph.graph import Graph

FONT = "DejaVu Sans"  # it comes with Matplotlib, and the picture was measured in it
SKY, GREEN, ORANGE, YELLOW, VERMILLION = "#56b4e9", "#009e73", "#e69f00", "#f0e442", "#d55e00"
_ON_BOXES, _ON_LINES = 3, 2


def plot_graph(
    graph: Graph,
    ax: Any = None,
    trace: DrawnTrace | None = None,
    step: int | None = None,
    *,
    direction: Direction = "TB",
    primal: Graph | None = None,
    outputs: Sequence[str] | None = None,
    limit: int = LIMIT,
) -> Any:
    """The graph on Matplotlib axes, which are returned.

    - `trace`: its numbers are drawn with the nodes (value, tangent, adjoint) and edges (local partial, contribution). `step=k`
      shows the first k operations done, forward and then in reverse, and the rest as not yet computed.
    - `direction`: "TB", which fits half a page, or "LR".
    - `primal`: for a derivative program, the graph of the function. Its nodes are drawn in a half of their own.
    - `outputs`: names for the outputs. `limit`: a graph with more nodes is collapsed.

    Without `ax` there is a new figure (`ax.figure`) of the picture's own size, in which text is 7 to 8 points high. On given
    axes the picture, with its text, is as large as their present size allows.
    """
    picture = picture_of(graph, trace, step, direction=direction, primal=primal, outputs=outputs, limit=limit)
    return draw(picture, _new_axes(picture) if ax is None else ax)


def draw(picture: Picture, ax: Any) -> Any:
    """Draws a picture on axes. Their limits become its width and height, in points."""
    ax.set_axis_off()
    ax.set_xlim(0, picture.width)
    ax.set_ylim(picture.height, 0)
    ax.set_aspect("equal")
    pen = _Pen(ax, picture)
    if picture.divide:
        pen.path((picture.divide[:1], picture.divide[1:]), color=pen.ink, alpha=0.4, dash=(4, 3))
    for arrow in picture.arrows:
        pen.arrow(arrow)
    for box in picture.boxes:
        pen.box(box)
    for line in picture.notes:
        pen.line(line)
    return ax


def _new_axes(picture: Picture) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(picture.width / 72, picture.height / 72))
    return figure.add_axes((0, 0, 1, 1))


class _Pen:
    """Draws in the ink of the current style, light or dark, at the scale of the axes."""

    def __init__(self, ax: Any, picture: Picture) -> None:
        from matplotlib import rcParams
        from matplotlib.colors import to_rgb

        self.ax = ax
        figure = ax.figure.figure  # for a subfigure, the whole figure
        if figure.get_layout_engine() is not None:
            figure.draw_without_rendering()  # otherwise the size of the axes would not be known yet
        extent, dpi = ax.get_window_extent(), figure.dpi
        self.scale = min(extent.width / picture.width, extent.height / picture.height) * 72 / dpi
        self.ink = rcParams["text.color"]
        self.dark = sum(to_rgb(self.ink)) > 1.5

    def colour(self, role: Role) -> str:
        return INKS[role][self.dark] or self.ink

    def path(self, strokes: Sequence[Stroke], color: Any, width: float = 0.8, alpha: float = 1.0,
             dash: tuple[float, float] | None = None) -> None:  # fmt: skip
        self._patch(strokes, edgecolor=color, facecolor="none", linewidth=width, alpha=alpha, dash=dash)

    def _patch(self, strokes: Sequence[Stroke], linewidth: float, dash: tuple[float, float] | None = None,
               **style: Any) -> None:  # fmt: skip
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        codes = [Path.MOVETO]
        for stroke in strokes[1:]:
            codes += [Path.CURVE4] * 3 if len(stroke) == 3 else [Path.LINETO]
        path = Path([point for stroke in strokes for point in stroke], codes)
        linestyle: Any = (0, tuple(length / linewidth for length in dash)) if dash else "solid"
        self.ax.add_patch(PathPatch(path, linewidth=linewidth * self.scale, linestyle=linestyle, **style))

    def arrow(self, placed: PlacedArrow) -> None:
        state = placed.arrow.state
        color = VERMILLION if state == "passed" else self.ink
        alpha, width = (0.4 if state == "unknown" else 1.0), (1.5 if state == "passed" else 0.8)
        self.path(placed.strokes, color, width, alpha)
        corners = [(corner,) for corner in (*placed.head, placed.head[0])]
        self._patch(corners, linewidth=0, facecolor=color, alpha=alpha, edgecolor="none")
        for line in placed.lines:
            self.line(line)

    def box(self, placed: PlacedBox) -> None:
        from matplotlib.patches import Circle

        rect, box = placed.rect, placed.box
        if box.kind == "group":
            self._outline(box, Rect(rect.x + STACK, rect.y + STACK, rect.width, rect.height), hollow=True)
        self._outline(box, rect)
        if box.output:
            self._outline(box, Rect(rect.x + 2, rect.y + 2, rect.width - 4, rect.height - 4), hollow=True, tighter=2)
        for line in placed.lines:
            self.line(line)
        if placed.badge:
            self.ax.add_patch(Circle(placed.badge, BADGE, facecolor=INKS["adjoint"][0], linewidth=0, zorder=_ON_BOXES))
            x, y = placed.badge
            self._text("Σ", x, y + 2.6, 7.2, color="white", ha="center", weight="bold")

    def _outline(self, box: Box, rect: Rect, hollow: bool = False, tighter: int = 0) -> None:
        from matplotlib.colors import to_rgba
        from matplotlib.patches import FancyBboxPatch

        radius = corner(box, rect.height) - tighter
        fill, opacity = _fill(box)
        line = 1.9 if box.state == "now" else 0.9
        self.ax.add_patch(
            FancyBboxPatch(
                rect[:2], rect.width, rect.height, boxstyle=f"round,pad=0,rounding_size={radius}",
                facecolor="none" if hollow else to_rgba(fill or self.ink, opacity),
                edgecolor=to_rgba(self.ink, 0.4 if box.state == "unknown" else 1.0),
                linewidth=line * self.scale,
                linestyle=(0, (2 / line, 1.6 / line)) if box.kind == "constant" else "solid", zorder=_ON_LINES,
            )
        )  # fmt: skip

    def line(self, line: TextLine) -> None:
        for piece, x in line.starts():
            weight = "bold" if piece.role == "name" else "normal"
            self._text(piece.text, x, line.y, line.size, color=self.colour(piece.role), ha="left", weight=weight)

    def _text(self, text: str, x: float, y: float, size: float, **style: Any) -> None:
        self.ax.text(
            x, y, text, fontsize=size * self.scale, family=FONT, va="baseline", parse_math=False, usetex=False,
            zorder=_ON_BOXES + 1, **style,
        )  # fmt: skip


def _fill(box: Box) -> tuple[str, float]:
    """The colour (none means the ink) and opacity of a box."""
    if box.state == "now":
        return YELLOW, 0.2
    if box.state == "unknown" or box.kind == "constant":
        return "", 0.0
    if box.output:
        return GREEN, 0.16
    return {"input": (SKY, 0.25), "group": (ORANGE, 0.14), "operation": ("", 0.04)}[box.kind]
