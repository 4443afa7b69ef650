"""What all peers agree on: points (..., n) in, Jacobians (..., m, n) out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from adlab.errors import PointError
from adlab.graph.graph import Graph
from adlab.points import FloatArray

Jacobians = Callable[[FloatArray], FloatArray]
"""What a peer makes of a graph: the Jacobian at one point (n,), or at many (..., n)."""

Values = Callable[[FloatArray], FloatArray]
"""A black box for a peer that samples: (..., n) → (..., m), NaN outside the domain."""


class Sampled(NamedTuple):
    """The Jacobian (m, n) that a peer found by sampling, its own estimate of the error, and what else it says."""

    jacobian: FloatArray
    error: FloatArray | None = None
    notes: tuple[str, ...] = ()


def checked(shape: Sequence[int], graph: Graph) -> None:
    """PointError unless the last axis holds one coordinate for each input."""
    n = len(graph.inputs)
    if len(shape) == 0 or shape[-1] != n:
        raise PointError(f"this function takes shape ({n},) or (..., {n}), for {', '.join(graph.inputs)}; not {tuple(shape)}")
