"""Numbers that rounding does not decide: points a few units in the last place beside have nearly the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from adlab.inputs import FloatArray

BESIDE, AGREEING = (3.0, -5.0), 2.0**-30
"""Ulps to points beside, and the relative change there that a well-conditioned derivative stays within."""


def agreeing(compute: Callable[[list[float]], FloatArray], point: FloatArray) -> FloatArray:
    """What `compute` finds at a point; NaN where rounding decides, as points a few ulps beside tell."""
    found = compute(point.tolist())
    for ulps in BESIDE:
        beside = compute((point * (1 + ulps * 2.0**-52)).tolist())
        with np.errstate(invalid="ignore"):
            apart = np.abs(found - beside) > AGREEING * np.maximum(np.abs(found), np.abs(beside))
        found = np.where(apart, np.nan, found)
    return found
