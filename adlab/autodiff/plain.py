"""Sweeps of floats by the compiled core, where it has been built and nothing needs a second look.

The core answers only at a plain point: every operation is smooth and has a value, and every number on the way is finite and in
binary64's range. There its numbers are those of the readable sweeps, bit for bit. Everywhere else it leaves the point to them.
"""

from __future__ import annotations

import numpy as np

from adlab.arithmetic import flags
from adlab.graph.graph import Graph
from adlab.graph.tapes import tape_of
from adlab.inputs import FloatArray


def plain_jacobian(graph: Graph, point: FloatArray) -> FloatArray | None:
    """All partials, shape (m, n), by reverse sweeps. None where the readable sweeps must answer."""
    tape = tape_of(graph) if flags.known else None
    if tape is None:
        return None
    found = np.empty((len(graph.outputs), len(graph.inputs)))
    return found if tape.jacobian(point, found) else None


def plain_product(graph: Graph, point: FloatArray, directions: FloatArray) -> FloatArray | None:
    """The Jacobian times each column, in one forward sweep. None where the readable sweep must answer."""
    tape = tape_of(graph) if flags.known else None
    if tape is None or not directions.size:
        return None
    found = np.empty((len(graph.outputs), directions.shape[1]))
    return found if tape.product(point, np.ascontiguousarray(directions), found) else None
