"""A derivative that is 0 at x, where difference quotients never settle.

The second difference quotient of |x|³ at 0 is 2h. No step gives one right digit of the derivative, which is 0: relative to the
quotient, each step is as wrong as the one before. But the quotients fall by the same factor at each look. Their limit is 0, and
the last of them says how near.
"""

from __future__ import annotations

import math

import numpy as np

from adlab.differences.quotients import Array, Line, weighed
from adlab.differences.scrutiny import CLOSER, LOOKS
from adlab.differences.stencils import scheme

LEAST = 2.0  # each quotient is smaller than the one before by so much at least: for |x|^p, p is then at least 1/6
STEADY = 2.0  # the factors differ by no more than this
ULPS = 16.0  # the last step is at least so many ulps of x
NAMES = ("central-difference", "forward-difference", "backward-difference")


def vanishing(line: Line, h: float, order: int) -> tuple[Array, Array] | None:
    """The last quotient and its distance from 0, where the quotients of both sides tend to 0 from h on; else None.

    Near the spacing of floats h is larger, so that there is room for looks.

    >>> quotient, error = vanishing(Line(lambda x: abs(x[0]) ** 3, [0.0], 0), 2.0**-10, 2)
    >>> bool(0 < quotient < error < 1e-9)
    True
    """
    h, last = max(h, ULPS * math.ulp(line.origin) * CLOSER**-LOOKS), []
    for name in NAMES:
        stencil = scheme(name, order)
        steps = [h * CLOSER**look for look in range(LOOKS + 1)]
        if not all(line.resolves(stencil, step) for step in steps):
            return None
        quotients = np.array([weighed(line, stencil, step).df for step in steps])
        sizes = np.abs(quotients)
        with np.errstate(all="ignore"):
            factors = sizes[:-1] / sizes[1:]
            falls = (factors >= LEAST) & (factors.max(axis=0) <= STEADY * factors.min(axis=0))
        if not np.all(falls | (sizes == 0).all(axis=0)):
            return None
        last.append(quotients[-1])
    return last[0], 2 * np.abs(last).max(axis=0)
