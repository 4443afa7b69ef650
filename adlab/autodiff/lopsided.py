"""A free check of a Hessian: it is symmetric. Where two entries that are one derivative have no digit in common, one is wrong.

Forward mode over a gradient program computes ∂²f/∂x∂y and ∂²f/∂y∂x by different operations. Where their terms cancel, each is
left with its own rounding errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adlab.arithmetic.extended import nearest
from adlab.autodiff.careful import exact_second
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray

NO_DIGIT = 0.1
"""Relative: two numbers further apart have no digit in common."""
FEW = 6
"""Rows up to which a loop over the entries is quicker than NumPy."""
LARGEST_MENDED = 20_000
"""Inputs times nodes of the gradient program. Beyond, more bits would take longer than a minute."""


def lopsided(found: FloatArray) -> bool:
    """Whether two entries of a square matrix that are one derivative have no digit in common.

    >>> lopsided(np.array([[1.0, 2.0], [2.1, 3.0]])), lopsided(np.array([[1.0, 2.0], [-2.0, 3.0]]))
    (False, True)
    """
    if len(found) <= FEW:  # NumPy would take longer to begin
        rows = found.tolist()
        pairs = ((row[j], rows[j][i]) for i, row in enumerate(rows) for j in range(i))
        return any(abs(a - b) > NO_DIGIT * min(abs(a), abs(b)) for a, b in pairs)
    return bool((np.abs(found - found.T) > NO_DIGIT * np.minimum(np.abs(found), np.abs(found.T))).any())


def evened(
    found: FloatArray, directions: FloatArray, f: Graph, gradient: Graph, point: FloatArray, first: Callable[[Any], FloatArray]
) -> FloatArray:
    """What was found in binary64 for all `directions`. A lopsided Hessian of f is computed again, with the bits that it needs.

    `gradient` is the gradient program, the value first; `first` gives the gradient at a point, as one row.
    """
    n = len(point)
    if n == 1 or found.shape != (n, n) or not lopsided(found) or not np.array_equal(directions, np.eye(n)):
        return found
    if n * len(gradient) > LARGEST_MENDED:
        return found
    rows = exact_second(f, gradient, point.tolist(), first(point)[0].tolist())
    right = np.array([[nearest(entry) for entry in row] for row in rows])
    return np.where(np.isfinite(right), right, found)
