"""A diagram with all places fixed: every shape and every line of text, in points, ready for a renderer.

The renderers (`on_axes` with Matplotlib, `svg` by hand) only go through the lists of a `Picture`. Everything that they share is
decided here: sizes, places, curves, and the inks of Okabe & Ito (2008), which colour-blind readers can tell apart.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from adlab.draw.collapse import LIMIT, collapse
from adlab.draw.describe import describe
from adlab.draw.diagram import Arrow, Box, Diagram, Direction, DrawnTrace, Piece, Role, TextRow
from adlab.draw.frame import check
from adlab.draw.layout import Extent, Point, layout
from adlab.errors import OptionError
from adlab.graph.graph import Graph

HEADING, NUMBERS, SMALL = 8.0, 7.6, 7.2  # sizes of text, in points
LEADING = 1.24  # distance between lines, in units of the text's size
MARGIN, PADDING, LABEL_GAP = 4.0, 4.5, 3.0
HEAD, HALF_HEAD, BADGE = 4.6, 2.1, 4.4  # sizes of arrow heads, and of the disc with the Σ
MOST = 300  # boxes at most, if a caller raises the usual limit
STACK = 2.2  # points between the outlines of a box for many nodes, which looks like a pile of cards
KEY_GAP, NARROWEST = 1.6, 190.0  # ems between the parts of the key, and the least width for it

INKS: dict[Role, tuple[str, str]] = {
    "name": ("", ""),  # the ink of the page
    "text": ("", ""),
    "partial": ("", ""),
    "unknown": ("#767676", "#9a9a9a"),
    "note": ("#767676", "#9a9a9a"),
    "primal": ("#0072b2", "#56b4e9"),
    "tangent": ("#007a5a", "#2fc79b"),
    "adjoint": ("#b84f00", "#f0883e"),
}
"""For light and for dark paper. Bluish green and vermillion are darkened, so that they can be read as text (contrast 4.5)."""

# Advance widths in DejaVu Sans, the widest of the usual sans-serif fonts, in thousandths of an em.
_WIDTHS = {
    " ,.·": 318, "'ijlIJ": 295, "/:;\\|": 337, "-f": 361, "()[]t": 392, "r!": 411, "*_`–\"": 510, "sz∂": 525,
    "?cLF": 575, "vxykPTYo": 612, "aeΣ": 632, "bdghnpquS0123456789{}$": 636, "AVXZKBCR": 698, "UNHDGOQ&": 780,
    "w": 818, "#+<=>^~×−↓↑→←⇣⇢⇒": 838, "M": 863, "%mW@…": 1000,
}  # fmt: skip
_WIDTH = {character: width / 1000 for characters, width in _WIDTHS.items() for character in characters}


class Rect(NamedTuple):
    x: float
    y: float
    width: float
    height: float


class TextLine(NamedTuple):
    """One line of text. Its pieces follow each other; the line starts at x, or has its middle there."""

    x: float
    y: float
    size: float
    pieces: TextRow
    anchor: Literal["start", "middle"] = "middle"

    def starts(self) -> Iterator[tuple[Piece, float]]:
        """The pieces and where each begins."""
        x = self.x - (row_width(self.pieces, self.size) / 2 if self.anchor == "middle" else 0)
        for piece in self.pieces:
            x += piece.gap * self.size
            yield piece, x
            x += text_width(piece.text, self.size, piece.role == "name")


Stroke = tuple[tuple[float, float], ...]
"""One point to move to or to draw a line to; three points for a cubic Bézier curve."""


@dataclass(frozen=True)
class PlacedBox:
    box: Box
    rect: Rect
    lines: tuple[TextLine, ...]
    badge: tuple[float, float] | None = None


@dataclass(frozen=True)
class PlacedArrow:
    arrow: Arrow
    strokes: tuple[Stroke, ...]
    head: Stroke
    lines: tuple[TextLine, ...]


@dataclass(frozen=True)
class Picture:
    title: str
    width: float
    height: float
    boxes: tuple[PlacedBox, ...]
    arrows: tuple[PlacedArrow, ...]
    notes: tuple[TextLine, ...]
    divide: Stroke = ()


def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width of a text, in points. In fonts narrower than DejaVu Sans it is less.

    >>> round(text_width("v1 = x1 + x2", 10))
    67
    """
    return sum(map(_character_width, text)) * size * (1.12 if bold else 1.0)


def _character_width(character: str) -> float:
    if character in _WIDTH:
        return _WIDTH[character]
    if unicodedata.combining(character):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.66 if character.isalpha() else 0.84


def row_width(row: TextRow, size: float, widest: bool = False) -> float:
    """The width of a row of pieces, as they are or as wide as they may become."""
    texts = [(piece.widest if widest else "") or piece.text for piece in row]
    widths = (text_width(text, size, piece.role == "name") for text, piece in zip(texts, row, strict=True))
    return sum(widths) + sum(piece.gap for piece in row) * size


def picture_of(
    graph: Graph,
    trace: DrawnTrace | None = None,
    step: int | None = None,
    *,
    direction: Direction = "TB",
    primal: Graph | None = None,
    outputs: Sequence[str] | None = None,
    limit: int = LIMIT,
) -> Picture:
    """The picture of a graph. It is collapsed if it has more than `limit` inputs and operations. Options are as in `describe`.

    Raises OptionError for frames of a collapsed graph, and a limit beyond MOST.
    """
    size = len(graph.inputs) + len(graph.operations)
    if not 1 <= limit <= MOST:
        raise OptionError(f"`limit` is {limit}; it must be from 1 to {MOST}, for what has more boxes cannot be read")
    if size > limit:
        check(graph, trace, step)
        if step is not None:
            raise OptionError(f"`step` needs every operation drawn: this graph has {size} nodes, more than limit={limit}")
        return compose(collapse(graph, primal, outputs, limit), direction)
    diagram = describe(graph, trace, step, direction=direction, primal=primal, outputs=outputs)
    return compose(diagram, direction)


def compose(diagram: Diagram, direction: Direction = "TB") -> Picture:
    """The picture of a diagram. The flow is from top to bottom ("TB") or from left to right ("LR").

    Raises OptionError for another direction.
    """
    if direction not in ("TB", "LR"):
        raise OptionError(f'`direction` is {direction!r}; it must be "TB" (top to bottom) or "LR" (left to right)')
    return _Composer(diagram, direction).picture()


class _Composer:
    """Computes sizes first, then the layout in (across, along), then the page, where these are (x, y) or (y, x)."""

    def __init__(self, diagram: Diagram, direction: Direction) -> None:
        self.diagram, self.across = diagram, direction == "TB"
        self.sizes = [_box_size(box) for box in diagram.boxes]
        edges = [(arrow.source, arrow.target) for arrow in diagram.arrows]
        boxes = [self._box_extent(*size) for size in self.sizes]
        labels = [self._label_extent(arrow) for arrow in diagram.arrows]
        far = [box.far for box in diagram.boxes] if diagram.headings else None
        constants = {i for i, box in enumerate(diagram.boxes) if box.kind == "constant"}
        pinned = constants & {source for source, _ in edges}
        self.layout = layout(boxes, edges, labels, far, pinned)
        self.breadth, self.length = self.layout.breadth, self.layout.length
        self.body = (self.breadth, self.length) if self.across else (self.length, self.breadth)
        key_width = max(map(_key_width, diagram.key), default=0.0)
        self.width = max(self.body[0], min(key_width, NARROWEST)) + 2 * MARGIN
        self.left = (self.width - self.body[0]) / 2
        self.top = MARGIN + (LEADING * HEADING + 3 if diagram.headings else 0)

    def _box_extent(self, width: float, height: float) -> Extent:
        across, along = (width, height) if self.across else (height, width)
        return Extent(across / 2, across / 2, along)

    def _label_extent(self, arrow: Arrow) -> Extent | None:
        """A label is to the right of its line, or on it."""
        if not arrow.rows:
            return None
        width, height = _block(arrow.rows, SMALL)
        if self.across:
            return Extent(LABEL_GAP, LABEL_GAP + width, height)
        return Extent(height + 1, LABEL_GAP, width + 2 * LABEL_GAP)

    def _at(self, point: Point) -> tuple[float, float]:
        x, y = point if self.across else reversed(point)
        return self.left + x, self.top + y

    def picture(self) -> Picture:
        boxes = tuple(map(self._box, self.diagram.boxes, self.sizes, self.layout.places))
        arrows = tuple(map(self._arrow, self.diagram.arrows, self.layout.routes, self.layout.labels))
        key = list(_key(self.diagram.key, self.width - 2 * MARGIN, self.top + self.body[1] + 6))
        bottom = key[-1].y + 0.4 * SMALL if key else self.top + self.body[1]
        height = bottom + MARGIN
        title, notes = self.diagram.title, (*self._headings(), *key)
        return Picture(title, self.width, height, boxes, arrows, notes, self._divide())

    def _box(self, box: Box, size: tuple[float, float], place: Point) -> PlacedBox:
        x, y = self._at(place)
        width, height = size
        rect = Rect(x - width / 2, y - height / 2, width, height)
        baseline = y - _block(box.rows, HEADING)[1] / 2 - 0.26 * HEADING
        lines = []
        for i, row in enumerate(box.rows):
            baseline += HEADING * LEADING
            lines.append(TextLine(x, baseline, HEADING if i == 0 else NUMBERS, row))
        badge = ((x, rect.y + height) if self.across else (rect.x + width, y)) if box.sums else None
        return PlacedBox(box, rect, tuple(lines), badge)

    def _arrow(self, arrow: Arrow, route: Sequence[Point], place: Point | None) -> PlacedArrow:
        tip = route[-1]
        ahead = 1 if tip.along > route[0].along else -1
        base = Point(tip.across, tip.along - ahead * HEAD)
        corners = (tip, Point(tip.across - HALF_HEAD, base.along), Point(tip.across + HALF_HEAD, base.along))
        strokes = tuple(tuple(map(self._at, stroke)) for stroke in _curve([*route[:-1], base]))
        return PlacedArrow(arrow, strokes, tuple(map(self._at, corners)), self._label(arrow, place))

    def _label(self, arrow: Arrow, place: Point | None) -> tuple[TextLine, ...]:
        if place is None:
            return ()
        x, y = self._at(place)
        height = _block(arrow.rows, SMALL)[1]
        top = y - height / 2 if self.across else y - height - 1
        return tuple(
            TextLine(x + LABEL_GAP if self.across else x, top + SMALL * (LEADING * (i + 1) - 0.3), SMALL, row,
                 "start" if self.across else "middle")
            for i, row in enumerate(arrow.rows)
        )  # fmt: skip

    def _headings(self) -> Iterator[TextLine]:
        divide = self.layout.divide
        if self.diagram.headings is None or divide is None:
            return
        near, far = ((Piece(text, "note"),) for text in self.diagram.headings)
        first = MARGIN + HEADING
        if self.across:
            yield TextLine(self.left + divide / 2, first, HEADING, near)
            yield TextLine(self.left + (divide + self.breadth) / 2, first, HEADING, far)
        else:
            yield TextLine(self.left, first, HEADING, near, "start")
            yield TextLine(self.left, self.top + divide + HEADING + 2, HEADING, far, "start")

    def _divide(self) -> Stroke:
        divide = self.layout.divide
        if divide is None:
            return ()
        return self._at(Point(divide, 0.0)), self._at(Point(divide, self.length))


def _box_size(box: Box) -> tuple[float, float]:
    """Width and height. The round ends of an input need room."""
    width, height = _block(box.rows, HEADING)
    if box.kind == "constant":
        return max(width, height) + PADDING, height + PADDING
    return width + 2 * PADDING + (0.5 * height if box.kind == "input" else 0), height + 1.4 * PADDING


def corner(box: Box, height: float) -> float:
    """The radius of the corners of a box: inputs are round, the rest is nearly square."""
    return min(height / 2, 12.0) if box.kind == "input" else 3.0


def _block(rows: Sequence[TextRow], size: float) -> tuple[float, float]:
    return max(row_width(row, size, widest=True) for row in rows), len(rows) * LEADING * size


def _curve(points: Sequence[Point]) -> Iterator[tuple[Point, ...]]:
    """The route as strokes: along the flow at its ends and beside boxes and labels, smooth through the other joints."""
    slopes = [0.0, *(_slope(*three) for three in zip(points, points[1:], points[2:], strict=False)), 0.0]
    yield (points[0],)
    for a, b, out, into in zip(points, points[1:], slopes, slopes[1:], strict=False):
        if abs(a.across - b.across) < 0.01:
            yield (b,)
        else:
            half = (b.along - a.along) / 2
            yield Point(a.across + out * half, a.along + half), Point(b.across - into * half, b.along - half), b


def _slope(a: Point, b: Point, c: Point) -> float:
    """The slope at b of a curve that neither turns back nor overshoots (Fritsch & Butland 1984)."""
    before, after = ((q.across - p.across) / (q.along - p.along) for p, q in ((a, b), (b, c)))
    return 2 * before * after / (before + after) if before * after > 0 else 0.0


def _key_width(row: TextRow) -> float:
    return row_width(row, SMALL) + KEY_GAP * SMALL * (len(row) - 1)


def _key(rows: Sequence[TextRow], width: float, top: float) -> Iterator[TextLine]:
    """The key below the drawing. Each row is broken into as many lines as it needs."""
    lines: list[TextRow] = []
    for row in rows:
        line: TextRow = ()
        for piece in row:
            if line and _key_width((*line, piece)) > width:
                lines.append(line)
                line = ()
            line += (piece,)
        lines.append(line)
    for i, line in enumerate(lines):
        spaced = tuple(piece._replace(gap=KEY_GAP if k else 0.0) for k, piece in enumerate(line))
        yield TextLine(MARGIN + width / 2, top + SMALL * LEADING * (i + 1), SMALL, spaced)
