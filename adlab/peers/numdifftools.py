"""numdifftools: central differences over a sequence of steps, extrapolated by Richardson and Wynn."""

from __future__ import annotations

import numdifftools
import numpy as np

from adlab.inputs import FloatArray
from adlab.peers.shapes import Sampled, Values


def jacobian(values: Values, point: FloatArray) -> Sampled:
    """numdifftools.Jacobian, with its own error estimate."""
    found = numdifftools.Jacobian(values, full_output=True)(point)
    shape = values(point).size, point.size
    return Sampled(np.reshape(found[0], shape), np.reshape(found[1], shape))
