"""Methods of a graph that other rooms write: pictures, LaTeX, and the graph as a function of PyTorch, JAX or CasADi.

They are attached to `Graph` and `Coloring` here. Each room is imported when its method is called.
"""

from __future__ import annotations

from typing import Any

from adlab.autodiff.sparse import Coloring
from adlab.graph.graph import Graph, attach


def plot(graph: Graph, ax: Any = None, **options: Any) -> Any:
    """Draws the graph on Matplotlib axes and returns them."""
    from adlab.draw.on_axes import plot_graph

    return plot_graph(graph, ax=ax, **options)


def to_svg(graph: Graph, **options: Any) -> str:
    """The graph as an `<svg>` element. The options are those of `plot`."""
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
    """A differentiable PyTorch module: (..., n), or tensors by name, → (...) or (..., m). `dtype` is the type of its input."""
    from adlab.peers.catalogue import library

    library("torch")  # raises a sentence that says what to install
    from adlab.exports.to_torch import export

    return export(graph, dtype)


def to_jax(graph: Graph, dtype: Any = None) -> Any:
    """A pure JAX function, for grad, jit and vmap: (..., n), or arrays by name, → (...) or (..., m). `dtype` as in `to_torch`."""
    from adlab.peers.catalogue import library

    library("jax")  # raises a sentence that says what to install
    from adlab.exports.to_jax import export

    return export(graph, dtype)


def to_casadi(graph: Graph, name: str = "f") -> Any:
    """A `casadi.Function` of one vector (n), with one vector (m) for its value."""
    from adlab.peers.catalogue import library

    library("casadi")  # raises a sentence that says what to install
    from adlab.exports.to_casadi import export

    return export(graph, name)


def _repr_svg_(graph: Graph) -> str:
    return to_svg(graph)


def _repr_png_(graph: Graph) -> bytes:
    """A PNG as well as the SVG: a notebook that is not trusted drops the SVG."""
    return png(plot(graph).figure)


def png(figure: Any) -> bytes:
    """A figure as the bytes of a PNG file."""
    import io

    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=144, bbox_inches="tight")
    return written.getvalue()


def _repr_html_(graph: Graph) -> str | None:
    from adlab.draw.svg import graph_html

    return graph_html(graph)


def _repr_latex_(graph: Graph) -> str:
    from adlab.display import displayed

    return displayed(to_latex(graph))


for _convenience in (plot, to_svg, to_dot, to_mermaid, to_latex, to_torch, to_jax, to_casadi,
                     _repr_svg_, _repr_png_, _repr_html_, _repr_latex_):  # fmt: skip
    attach(_convenience.__name__, _convenience)


def plot_pattern(coloring: Any, ax: Any = None) -> Any:
    """Draws the pattern of a Jacobian on Matplotlib axes, with a colour for each sweep, and returns them."""
    from adlab.draw.pattern import plot_pattern as drawn

    return drawn(coloring, ax)


Coloring.plot = plot_pattern
