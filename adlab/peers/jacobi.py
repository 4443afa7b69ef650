"""jacobi: central differences at shrinking steps, extrapolated by a polynomial fit until the error stops falling."""

from __future__ import annotations

import jacobi
import numpy as np

from adlab.inputs import FloatArray
from adlab.peers.shapes import Sampled, Values


def jacobian(values: Values, point: FloatArray) -> Sampled:
    """jacobi.jacobi, with its own error estimate."""
    found, error = jacobi.jacobi(values, point)
    shape = values(point).size, point.size
    return Sampled(np.reshape(found, shape), np.reshape(error, shape))
