"""A graph as SVG, written by hand: text stays text, and every node and edge has a tooltip with all digits.

Inside a page the ink is the page's own (`currentColor`). Alone, or as an image, the picture follows the reader's choice of a
light or dark screen. There is no script and nothing is loaded. The same graph gives the same bytes.

>>> from adlab.graph.lowering import lower
>>> import sympy
>>> a, b = sympy.symbols("a<b b&c", real=True)
>>> "a&lt;b" in graph_svg(lower([a * b], [a, b]))
True
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from adlab.draw.collapse import LIMIT
from adlab.draw.diagram import Direction, DrawnTrace
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

LEANING = 72
"""The part of a coloured ink that is its own, in per cent. The rest is the page's ink, so that it is readable on dark pages."""
_HOLLOW = ' style="fill: none"'
_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def graph_svg(
    graph: Graph,
    trace: DrawnTrace | None = None,
    step: int | None = None,
    *,
    direction: Direction = "TB",
    primal: Graph | None = None,
    outputs: Sequence[str] | None = None,
    limit: int = LIMIT,
) -> str:
    """The graph as an `<svg>` element, for a page or as a file of its own. The options are those of `plot_graph`."""
    return svg(picture_of(graph, trace, step, direction=direction, primal=primal, outputs=outputs, limit=limit))


def graph_html(graph: Graph) -> str | None:
    """A graph too large to be drawn whole: collapsed, with its Wengert list below the picture. None for other graphs."""
    if len(graph.inputs) + len(graph.operations) <= LIMIT:
        return None  # the picture alone says everything
    return f'{graph_svg(graph)}<pre style="max-height: 24em; overflow: auto">{_text(str(graph))}</pre>'


def svg(picture: Picture) -> str:
    """A picture as an `<svg>` element."""
    width, height = _number(picture.width), _number(picture.height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="adlab-graph" role="img" width="{width}pt" height="{height}pt" '
        f'viewBox="0 0 {width} {height}">',
        f"<title>Computational graph: {_text(picture.title)}</title>",
        f"<style>{_STYLE}</style>",
    ]
    if picture.divide:
        parts.append(f'<path class="divide" d="{_path((picture.divide[:1], picture.divide[1:]))}"/>')
    parts += [_group(f"edge {arrow.arrow.state}", arrow.arrow.tooltip, _arrow(arrow)) for arrow in picture.arrows]
    for box in picture.boxes:
        kind = f"node {box.box.kind} {box.box.state}{' output' if box.box.output else ''}"
        parts.append(_group(kind, box.box.tooltip, _box(box)))
    parts += map(_line, picture.notes)
    return "\n".join([*parts, "</svg>"])


def _style() -> str:
    """Inside a page: the page's own ink, with coloured inks mixed into it. Alone: paper too, light or dark.

    Programs that do not know `color-mix` use the declaration before it.
    """
    rules = [
        "text { font-family: 'DejaVu Sans', Verdana, Arial, sans-serif; fill: currentColor; stroke: none }",
        ".name { font-weight: bold }",
        ".edge path { stroke: currentColor; fill: none; stroke-width: 0.8 }",
        ".edge .head { fill: currentColor; stroke: none }",
        ".node rect { stroke: currentColor; stroke-width: 0.9; fill: currentColor; fill-opacity: 0.04 }",
        ".node.input rect { fill: #56b4e9; fill-opacity: 0.25 }",
        ".node.constant rect { fill: none; stroke-dasharray: 2 1.6 }",
        ".node.output rect { fill: #009e73; fill-opacity: 0.16 }",
        ".node.group rect { fill: #e69f00; fill-opacity: 0.14 }",
        ".node.now rect { fill: #f0e442; fill-opacity: 0.2; stroke-width: 1.9 }",
        ".node.unknown rect, .edge.unknown path { stroke-opacity: 0.4; fill-opacity: 0 }",
        ".edge.unknown .head { fill-opacity: 0.4 }",
        ".edge.passed path { stroke: #d55e00; stroke-width: 1.5 }",
        ".edge.passed .head { fill: #d55e00; stroke: none }",
        ".badge circle { fill: #b84f00; stroke: none }",
        ".badge text { fill: #ffffff; font-weight: bold }",
        ".divide { stroke: currentColor; stroke-opacity: 0.4; stroke-dasharray: 4 3; fill: none }",
    ]
    leaning = [
        f".{role} {{ fill: {ink}; fill: color-mix(in srgb, {ink} {LEANING}%, currentColor) }}"
        for role, (ink, _) in INKS.items()
        if ink
    ]
    by_day, by_night = ([f".{role} {{ fill: {inks[k]} }}" for role, inks in INKS.items() if inks[k]] for k in (0, 1))
    alone = "svg.adlab-graph:root"
    return "\n".join(
        [
            "",
            *(_scoped(".adlab-graph", rule) for rule in (*rules, *leaning)),
            f"{alone} {{ color: #1b1b1b; background: #ffffff; color-scheme: light dark }}",
            *(_scoped(alone, rule) for rule in by_day),
            "@media (prefers-color-scheme: dark) {",
            f"{alone} {{ color: #e8e8e8; background: #121212 }}",
            *(_scoped(alone, rule) for rule in by_night),
            "}",
            "",
        ]
    )


def _scoped(scope: str, rule: str) -> str:
    """A rule for this picture only. Otherwise a style sheet inside a page would apply to the whole page."""
    selectors, body = rule.split(" {", 1)
    return ", ".join(f"{scope} {selector}" for selector in selectors.split(", ")) + " {" + body


_STYLE = _style()


def _group(classes: str, tooltip: str, inside: Iterator[str]) -> str:
    title = [f"<title>{_text(tooltip)}</title>"] if tooltip else []
    return "".join([f'<g class="{classes}">', *title, *inside, "</g>"])


def _box(placed: PlacedBox) -> Iterator[str]:
    box, (x, y, width, height) = placed.box, placed.rect
    radius = corner(box, height)
    if box.kind == "group":
        yield _rect(Rect(x + STACK, y + STACK, width, height), radius, _HOLLOW)
    yield _rect(placed.rect, radius)
    if box.output:
        yield _rect(Rect(x + 2, y + 2, width - 4, height - 4), radius - 2, _HOLLOW)
    yield from map(_line, placed.lines)
    if placed.badge:
        x, y = placed.badge
        yield (
            f'<g class="badge"><circle cx="{_number(x)}" cy="{_number(y)}" r="{BADGE}"/>'
            f'<text x="{_number(x)}" y="{_number(y + 2.6)}" font-size="7.2" text-anchor="middle">Σ</text></g>'
        )


def _rect(rect: Rect, radius: float, style: str = "") -> str:
    x, y, width, height = map(_number, rect)
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{_number(radius)}"{style}/>'


def _arrow(placed: PlacedArrow) -> Iterator[str]:
    yield f'<path d="{_path(placed.strokes)}"/>'
    yield f'<path class="head" d="{_path([(corner,) for corner in placed.head])}Z"/>'
    yield from map(_line, placed.lines)


def _path(strokes: Sequence[Stroke]) -> str:
    letters = {1: "L", 3: "C"}
    drawn = (
        (letters[len(stroke)] if i else "M") + " ".join(f"{_number(x)},{_number(y)}" for x, y in stroke)
        for i, stroke in enumerate(strokes)
    )
    return "".join(drawn)


def _line(line: TextLine) -> str:
    spans = "".join(
        f'<tspan class="{piece.role}"{_gap(piece.gap * line.size)}>{_text(piece.text)}</tspan>' for piece in line.pieces
    )
    at = f'x="{_number(line.x)}" y="{_number(line.y)}" font-size="{line.size}"'
    return f'<text {at} text-anchor="{line.anchor}">{spans}</text>'


def _gap(room: float) -> str:
    return f' dx="{_number(room)}"' if room else ""


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text), quote=False)
