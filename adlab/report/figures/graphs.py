"""The worked example as a graph: with all its numbers, forward, in reverse, and as its derivative program."""

from __future__ import annotations

from typing import Any

from adlab.gallery import worked_example


def worked_example_graph(ax: Any = None) -> Any:
    """The graph of log((x1+x2)² + sin(x1 x2)) at (1, 2): each node with its value and its adjoint v̄, each edge with the
    local partial."""
    from adlab.gallery import worked_example

    f = worked_example()
    return f.trace(f.point).plot(ax)
