"""What a graph offers and rooms above it write: pictures, LaTeX, the frameworks' versions. Each is imported when called."""

from __future__ import annotations

from typing import Any

from adlab.graph.graph import Graph, attach


def plot(graph: Graph, ax: Any = None, **options: Any) -> Any:
    """The graph drawn on Matplotlib axes; returns them."""
    from adlab.draw.on_axes import plot_graph

    return plot_graph(graph, ax=ax, **options)


def to_svg(graph: Graph, **options: Any) -> str:
    """The graph as an `<svg>` element; the options are those of `plot`."""
    from adlab.draw.svg import graph_svg

    return graph_svg(graph, **options)


def to_dot(graph: Graph) -> str:
    """The graph in Graphviz's language."""
    from adlab.draw import export

    return export.to_dot(graph)


def to_mermaid(graph: Graph) -> str:
    """The graph in Mermaid's language (Markdown pages render it)."""
    from adlab.draw import export

    return export.to_mermaid(graph)


def to_latex(graph: Graph) -> str:
    """The graph as LaTeX, one line for each operation."""
    from adlab.draw import latex

    return latex.to_latex(graph)


def to_torch(graph: Graph, dtype: Any = None) -> Any:
    """A differentiable PyTorch module, (..., n) or tensors by name → (...) or (..., m); `dtype` is that of its input."""
    from adlab.peers.catalogue import library

    return library("torch").function(graph, dtype)


def to_jax(graph: Graph, dtype: Any = None) -> Any:
    """A pure JAX function, (..., n) or arrays by name → (...) or (..., m), for grad, jit and vmap; `dtype` likewise."""
    from adlab.peers.catalogue import library

    return library("jax").function(graph, dtype)


def to_casadi(graph: Graph, name: str = "f") -> Any:
    """A `casadi.Function` of one vector (n), with one vector (m) for its value."""
    from adlab.peers.catalogue import library

    return library("casadi").function(graph, name)


def _repr_svg_(graph: Graph) -> str:
    return to_svg(graph)


def _repr_html_(graph: Graph) -> str | None:
    from adlab.draw.svg import graph_html

    return graph_html(graph)


def _repr_latex_(graph: Graph) -> str:
    from adlab.display import displayed

    return displayed(to_latex(graph))


for _convenience in (plot, to_svg, to_dot, to_mermaid, to_latex, to_torch, to_jax, to_casadi,
                     _repr_svg_, _repr_html_, _repr_latex_):  # fmt: skip
    attach(_convenience.__name__, _convenience)
