"""SciPy's two differentiators of black boxes: `differentiate.jacobian` and `optimize.approx_fprime`."""

from __future__ import annotations

import numpy as np
import scipy.differentiate
import scipy.optimize

from adlab.inputs import FloatArray
from adlab.peers.shapes import Sampled, Values


def differentiate(values: Values, point: FloatArray) -> Sampled:
    """Central differences of order 8 with a step that shrinks until the error estimate stops falling; vectorised."""
    found = scipy.differentiate.jacobian(lambda x: np.moveaxis(values(np.moveaxis(x, 0, -1)), -1, 0), point)
    words = {-1: "the error estimate grew", -2: "no convergence", -3: "a value is not finite"}
    notes = [words.get(int(status), f"status {status}") for status in np.unique(found.status) if status != 0]
    return Sampled(found.df, found.error, tuple(f"SciPy says: {note}" for note in notes))


def approx_fprime(values: Values, point: FloatArray) -> Sampled:
    """Forward differences with the step sqrt(eps) for every variable, whatever its size."""
    return Sampled(np.atleast_2d(scipy.optimize.approx_fprime(point, values)))
