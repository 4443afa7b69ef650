"""Richardson's extrapolation: the step goes to zero by algebra, not by computing.

The error of a central difference is a series in even powers, D(h) = f′ + c₂ h² + c₄ h⁴ + …, with unknown cⱼ. But D(h) and
D(h/2) are two equations: (4 D(h/2) − D(h)) / 3 is free of c₂, and so on, column by column (Neville's scheme):

    D(h)
    D(h/2)   T₁₁                     T_ij = T_i,j-1 + (T_i,j-1 − T_i-1,j-1) / (4ʲ − 1)
    D(h/4)   T₂₁   T₂₂

Each entry of a row costs no value of f. So large steps will do, whose roundoff is small: that is the whole gain. A
row further down halves h and doubles the roundoff, and at some row that outweighs what extrapolation still
gains. The error estimate grows then, and the method stops (Ridders, Adv. Eng. Software 4 (1982) 75).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adlab.classical.estimates import Estimate, best, checked_step, concluded, failed, failed_at_x, unresolved
from adlab.classical.quotients import Array, Line, Quotient, Value, quotient
from adlab.classical.step_models import UNIT_ROUNDOFF, default_steps
from adlab.classical.stencils import Stencil, scheme

FIRST_STEP = 2.0**-2  # relative: log at x has a series that converges up to |x|
ROWS = 14
PATIENCE = 2  # rows without improvement before it stops: a first step may be too large to start with
TOLERANCE = 2.0**13 * UNIT_ROUNDOFF  # twelve digits, else another first step is tried

# The tableau's base, and the ratio by which the powers in its error series differ, 2 to that stride.
BASES = (("central-difference", 4.0), ("forward-difference", 2.0), ("backward-difference", 2.0))


def richardson(
    value: Value, x: npt.ArrayLike, index: int, step: float | None = None, centre: float | Array | None = None
) -> Estimate:
    """∂f/∂xᵢ by extrapolating central differences with steps h, h/2, h/4 …; one-sided ones at the edge of the domain.

    `step` is the first of these h; without it, 1/4 of each of the scales of `default_steps` as needed. Arguments, errors
    and flags are those of `difference`; the `step` of the result is the smallest that entered the value.

    >>> import math
    >>> slope = richardson(lambda x: math.exp(x[0]), [1.0], 0)
    >>> abs(slope.df - math.e) < slope.error < 1e-12
    True
    """
    line = Line(value, x, index, centre)
    steps = default_steps(line.origin, FIRST_STEP) if step is None else (checked_step(step),)
    ...
