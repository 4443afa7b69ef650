"""Curves of error against step size, prepared for drawing and fitting."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

PER_DECADE = 12
"""Steps in each decade of h."""


def envelope(errors: FloatArray) -> FloatArray:
    """The running maximum over a decade of h: single minima are lucky zeros, where two errors happen to cancel."""
    half = PER_DECADE // 2
    padded = np.pad(errors, half, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    known = ~np.isnan(windows)
    return np.where(known.any(axis=1), np.max(np.where(known, windows, -np.inf), axis=1), np.nan)
