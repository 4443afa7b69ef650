"""The worked example as a graph: with all its numbers, forward, in reverse, and as its derivative program."""

from __future__ import annotations

from typing import Any

from adlab.gallery import worked_example


def worked_example_graph(ax: Any = None) -> Any:
    """The graph of log((x1+x2)² + sin(x1 x2)) at (1, 2) after both sweeps. Each node shows its value and its adjoint. Each edge
    shows the local partial and the contribution that is passed back along it. Σ marks an adjoint that is a sum of
    contributions. Numbers have five digits."""
    f = worked_example()
    return f.trace(f.point).plot(ax)


def worked_example_forward(ax: Any = None) -> Any:
    """The same graph after the forward sweep in the direction (1, 0). Values and tangents are there; the tangent of the output
    is ∂f/∂x1. Of the adjoints only the seed is there yet."""
    f = worked_example()
    trace = f.trace(f.point, tangent=(1, 0))
    return f.graph.plot(ax, trace=trace, step=len(f.graph.operations))


def worked_example_reverse(ax: Any = None) -> Any:
    """The same graph three operations into the reverse sweep. v6, v5 and v4 have passed their contributions back. The adjoints
    of v1, x1 and x2 wait for v3 and v2."""
    f = worked_example()
    return f.graph.plot(ax, trace=f.trace(f.point), step=len(f.graph.operations) + 3)


def worked_example_program(ax: Any = None) -> Any:
    """The gradient program, which the reverse sweep writes when it runs on nodes. f's own operations are on the left, the
    operations of the adjoints on the right. Arrows show what the adjoints read. The outputs are f and both partials."""
    f = worked_example()
    outputs = ["f", *(f"∂f/∂{name}" for name in f.names)]
    return f.program("reverse").plot(ax, primal=f.graph, outputs=outputs)
