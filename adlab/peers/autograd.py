"""HIPS autograd: NumPy code traced on a tape as it runs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
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


def reverse(graph: Graph) -> Jacobians:
    """autograd.grad of each output."""

    def f(points: Any, output: int) -> Any:
        return anp.sum(NUMBERS.outputs(graph, [points[..., i] for i in range(len(graph.inputs))])[output])

    gradient = autograd.grad(f)

    def jacobians(points: FloatArray) -> FloatArray:
        # points do not mix, so the gradient of the sum over a batch is that of each point
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Output seems independent of input")  # its gradient is 0, which is right
            return np.stack([gradient(points, i) for i in range(len(graph.outputs))], axis=-2)

    return jacobians
