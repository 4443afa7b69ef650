"""HIPS autograd: NumPy code traced on a tape as it runs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np

from adlab.graph.graph import Graph
from adlab.inputs import FloatArray
from adlab.peers.lowering import COMPARISONS, POWERS, Framework, numpy_names, of_whole_order
from adlab.peers.shapes import Jacobians


def _special() -> dict[str, Callable[..., Any]]:
    """autograd wraps SciPy's special functions if SciPy is installed."""
    try:
        import autograd.scipy.special as special
    except ImportError:
        return {}
    return {
        "erf": special.erf, "erfc": special.erfc, "erfinv": special.erfinv, "erfcinv": special.erfcinv,
        "gamma": special.gamma, "loggamma": special.gammaln, "polygamma": of_whole_order(special.polygamma),
        "besselj": lambda a, n: special.jn(int(n), a) if n == int(n) else NotImplemented,
        "bessely": lambda a, n: special.yn(int(n), a) if n == int(n) else NotImplemented,
        "besseli": lambda a, n: special.iv(float(n), a),
    }  # fmt: skip


NUMBERS = Framework(
    "autograd",
    {
        **numpy_names(anp), **POWERS, **COMPARISONS,
        "and": np.logical_and, "or": np.logical_or, "not": np.logical_not,
        "select": lambda condition, a, b: anp.where(condition != 0, a, b), **_special(),
    },
)  # fmt: skip


def reverse(graph: Graph, dtype: str = "float64") -> Jacobians:
    """autograd.grad of each output."""
    gradient = autograd.grad(_summed(graph))

    def jacobians(points: FloatArray) -> FloatArray:
        with _zeros_unsaid():
            return np.stack([gradient(points.astype(dtype), i) for i in range(len(graph.outputs))], axis=-2)

    return jacobians


def hessian(graph: Graph, dtype: str = "float64") -> Jacobians:
    """autograd.grad of each entry of autograd.grad, for one output."""
    gradient = autograd.grad(_summed(graph))
    rows = [autograd.grad(lambda points, i=i: anp.sum(gradient(points, 0)[..., i])) for i in range(len(graph.inputs))]

    def hessians(points: FloatArray) -> FloatArray:
        with _zeros_unsaid():
            return np.stack([row(points.astype(dtype)) for row in rows], axis=-2)

    return hessians


def _summed(graph: Graph) -> Callable[[Any, int], Any]:
    """An output, summed over a batch. Points do not mix, so the gradient of the sum is that of each point."""
    return lambda points, output: anp.sum(NUMBERS.outputs(graph, [points[..., i] for i in range(len(graph.inputs))])[output])


@contextmanager
def _zeros_unsaid() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Output seems independent of input")  # its gradient is 0, which is right
        yield
