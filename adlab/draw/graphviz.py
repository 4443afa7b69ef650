"""The layout that Graphviz's dot makes, for those who have it: `engine="dot"`.

It takes what `adlab.draw.layout.layout` takes and gives what that gives, so everything else is the same; dot knows of
no halves, and draws a derivative program as one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from adlab.draw.layered.places import BESIDE
from adlab.draw.layout import BETWEEN, Edge, Extent, Layout, Point
from adlab.errors import MissingExtra

_INCH = 72.0
_STEPS = 4  # straight pieces for each of dot's Bézier curves


def dot_layout(
    boxes: Sequence[Extent],
    edges: Sequence[Edge],
    labels: Sequence[Extent | None],
    far: Sequence[bool] | None = None,
    pinned: Collection[int] = (),
) -> Layout:
    """The layout by dot. Raises MissingExtra where pygraphviz or dot is not installed."""
    drawn = _drawn(boxes, edges, labels)
    _, _, breadth, length = map(float, drawn.graph_attr["bb"].split(","))
    places = [_point(drawn.get_node(i).attr["pos"], length) for i in range(len(boxes))]
    routes, middles = [], []
    for e, (source, target) in enumerate(edges):
        edge = drawn.get_edge(source, target, key=str(e))
        routes.append(tuple(_route(edge.attr["pos"], length)))
        middles.append(_label(edge.attr["lp"], labels[e], length))
    return Layout(tuple(places), tuple(middles), tuple(routes), breadth, length)


def _drawn(boxes: Sequence[Extent], edges: Sequence[Edge], labels: Sequence[Extent | None]) -> Any:
    try:
        from pygraphviz import AGraph

        graph = AGraph(directed=True, strict=False, nodesep=BESIDE / _INCH, ranksep=1.5 * BETWEEN / _INCH)
        for i, box in enumerate(boxes):
            size = {"width": (box.before + box.after) / _INCH, "height": box.along / _INCH}
            graph.add_node(i, shape="box", fixedsize=True, label="", **size)
        for e, ((source, target), label) in enumerate(zip(edges, labels, strict=True)):
            graph.add_edge(source, target, key=str(e), dir="none", **_space(label))
        graph.layout(prog="dot")
    except (ImportError, OSError, ValueError) as error:
        raise MissingExtra(
            f'engine="dot" needs Graphviz and pygraphviz (pip install pygraphviz), here: {error}; leave `engine` out '
            "for adlab's own layout"
        ) from error
    return graph


def _space(label: Extent | None) -> dict[str, str]:
    """A label for dot to place: an empty table of its size."""
    if label is None:
        return {}
    size = f'WIDTH="{label.before + label.after:.0f}" HEIGHT="{label.along:.0f}"'
    return {"label": f'<<TABLE BORDER="0" FIXEDSIZE="TRUE" {size}><TR><TD></TD></TR></TABLE>>'}


def _point(text: str, length: float) -> Point:
    """dot counts upward, a layout downward."""
    across, up = map(float, text.split(","))
    return Point(across, length - up)


def _label(text: str | None, label: Extent | None, length: float) -> Point | None:
    if not text or label is None:
        return None
    across, along = _point(text, length)
    return Point(across - (label.after - label.before) / 2, along)


def _route(text: str, length: float) -> Iterator[Point]:
    """A chain of Bézier curves as points that go only forward."""
    controls = [_point(part, length) for part in text.split()]
    yield controls[0]
    last, end = controls[0], controls[-1]
    for k in range(0, len(controls) - 1, 3):
        for step in range(1, _STEPS + 1):
            point = _bezier(controls[k : k + 4], step / _STEPS)
            if last.along + 0.5 < point.along < end.along - 0.5:
                yield point
                last = point
    yield end


def _bezier(points: Sequence[Point], t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    across, along = (sum(w * p[k] for w, p in zip(weights, points, strict=True)) for k in (0, 1))
    return Point(across, along)
