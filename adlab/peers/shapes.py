"""What all peers agree on: points (..., n) in, Jacobians (..., m, n) out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from adlab.errors import OptionError, PointError
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray

Jacobians = Callable[[FloatArray], FloatArray]
"""What a peer makes of a graph: the Jacobian at one point (n,), or at many (..., n)."""

Values = Callable[[FloatArray], FloatArray]
"""A black box for a peer that samples: (..., n) → (..., m), NaN outside the domain."""


class Sampled(NamedTuple):
    """The Jacobian (m, n) that a peer found by sampling, its own estimate of the error, and its remarks."""

    jacobian: FloatArray
    error: FloatArray | None = None
    notes: tuple[str, ...] = ()


def checked(shape: Sequence[int], graph: Graph) -> None:
    """Raises PointError unless the last axis holds one coordinate for each input."""
    n = len(graph.inputs)
    if len(shape) == 0 or shape[-1] != n:
        raise PointError(f"this function takes shape ({n},) or (..., {n}), for {', '.join(graph.inputs)}; not {tuple(shape)}")


def unreadable(x: Any, graph: Graph, reason: object = "") -> PointError:
    """The error for an input that a framework cannot turn into real numbers."""
    said = f": {str(reason).splitlines()[0][:200]}" if str(reason) else ""
    names = ", ".join(graph.inputs)
    return PointError(f"this function takes real numbers, one array or a mapping from {names}; not {type(x).__name__}{said}")


def precision(dtype: Any) -> str:
    """The name of a precision that is given by name, or as a type of NumPy or Python.

    >>> precision("bfloat16"), precision(float), precision(np.float32)
    ('bfloat16', 'float64', 'float32')
    """
    try:
        return dtype if isinstance(dtype, str) else np.dtype(dtype).name
    except TypeError:
        raise no_precision(dtype) from None


def no_precision(dtype: Any) -> OptionError:
    """The error for a dtype in which there are no derivatives."""
    return OptionError(f"`dtype` is a precision such as \"float32\" or \"float64\", not {dtype!r}")
