"""Richardson's extrapolation: algebra takes the step to zero.

The error of a central difference is a series in even powers, D(h) = f′ + c₂ h² + c₄ h⁴ + …, with unknown cⱼ. But D(h) and
D(h/2) are two equations: (4 D(h/2) − D(h)) / 3 has no c₂ term. The same goes on, column by column (Neville's scheme):

    D(h)
    D(h/2)   T₁₁                     T_ij = T_i,j-1 + (T_i,j-1 − T_i-1,j-1) / (4ʲ − 1)
    D(h/4)   T₂₁   T₂₂

The entries of a row cost no further values of f. So large steps, with their small roundoff, are enough: that is the gain. Each
further row halves h and doubles the roundoff. At some row this outweighs what extrapolation gains. Then the error estimate
grows and the method stops (Ridders, Adv. Eng. Software 4 (1982) 75).
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from adlab.differences.estimates import Estimate, concluded, failed, failed_at_x, in_step, unresolved
from adlab.differences.quotients import NONFINITE, Array, Bound, Line, Quotient, Value, flag_of, weighed
from adlab.differences.search import estimated
from adlab.differences.stencils import Stencil, scheme
from adlab.precision import UNIT_ROUNDOFF

# Relative to x: the series of log at x converges up to |x|. Not 1/4: for sin(8πx) every node would see a zero.
FIRST_STEP = 19 / 64
ROWS = 14  # at most: the last step is 2⁻¹³ of the first, and roundoff outweighs what is left of truncation
PATIENCE = 2  # rows without improvement before it stops; the first steps may be too large to judge
TOLERANCE = 2.0**13 * UNIT_ROUNDOFF  # twelve digits; otherwise another first step is tried

# The first column of the tableau; the factor by which a halved step divides the error of each further column; and the stencil
# for the
# second look at the result. That one must be of high order, so that it is not worse than what it judges.
BASES = (
    ("central-difference", 4.0, "central-difference-8"),
    ("forward-difference", 2.0, "forward-difference-4"),
    ("backward-difference", 2.0, "backward-difference-4"),
)


@np.errstate(all="ignore")  # overflows and invalid operations show in the values
def richardson(
    value: Value,
    x: npt.ArrayLike,
    index: int,
    step: float | None = None,
    centre: float | Array | None = None,
    order: int = 1,
    bound: Bound | None = None,
) -> Estimate:
    """∂f/∂xᵢ, or ∂²f/∂xᵢ² for `order` 2, by extrapolating central differences with steps h, h/2, h/4 …

    At the edge of the domain the differences are one-sided.

    `step` is the first of these h; by default `FIRST_STEP` times the scales of `default_steps`. Arguments, errors and flags are
    those of `difference`. The `step` of the result is the smallest that was used.

    >>> slope = richardson(lambda x: math.exp(x[0]), [1.0], 0)
    >>> abs(slope.df - math.e) < slope.error < 1e-12
    True
    """
    line = Line(value, x, index, centre, bound)
    return estimated(line, lambda h: _from(line, h, order), step, FIRST_STEP, TOLERANCE, order)


def _from(line: Line, h: float, order: int) -> Estimate:
    """The tableau that starts with this step. It is on one side of x if f is not defined on the other."""
    central = scheme("central-difference", order)
    failure = failed_at_x(line, h, "richardson")
    if failure:
        return failure
    if not line.resolves(central, h / 2):
        return unresolved(line, h, "richardson")
    obstacle = flag_of(line.values(central, h))
    for base, ratio, judge in BASES:
        found = _extrapolated(line, scheme(base, order), ratio, h)
        if found:
            made = concluded(line, scheme(judge, order), found.step, found, "richardson", obstacle)
            made = in_step(line, made) if order == 1 and scheme(judge, order).two_sided else made
            rows = 1 + round(math.log2(h / found.step))
            nodes = {Fraction(offset, 2**row) for offset in scheme(base, order).offsets for row in range(rows)}
            return replace(made, nit=rows, nfev_scheme=len(nodes))
    least = h * 2.0 ** (1 - ROWS)
    reason = f"f, or its difference quotient, is not finite for h from {h:.3g} to {least:.3g}; try a smaller step"
    return failed(line, h, "richardson", obstacle or NONFINITE, reason)


def _extrapolated(line: Line, base: Stencil, ratio: float, h: float) -> Quotient | None:
    """The entry of smallest error, for each output. None if fewer than two rows lie in the domain."""
    above: list[Quotient] = []
    found: Quotient | None = None
    stale = 0
    for i in range(ROWS):
        step = h * 2.0**-i
        first = weighed(line, base, step)
        if not line.resolves(base, step) or not np.isfinite(first.df).all():
            if above:
                break
            continue
        row = _row(first, above, ratio)
        for entry in row[1:]:
            found = _smaller(entry, found) if found else entry
        if found:
            found = _disturbed(found, row)
            stale = stale + 1 if found.step > step else 0
        if stale == PATIENCE:
            break
        above = row
    return found


def _row(first: Quotient, above: list[Quotient], ratio: float) -> list[Quotient]:
    """The next row of the tableau. Each entry's `neighbour` is the one of its two parents that differs more from it."""
    row = [first]
    for j, parent in enumerate(above, start=1):
        left, factor = row[-1], ratio**j
        df = left.df + (left.df - parent.df) / (factor - 1)
        neighbour = np.where(np.abs(df - left.df) > np.abs(df - parent.df), left.df, parent.df)
        roundoff = (factor * left.roundoff + parent.roundoff) / (factor - 1)
        row.append(Quotient(df, neighbour, roundoff, first.step))
    return row


def _smaller(entry: Quotient, found: Quotient) -> Quotient:
    """For each output, the one with the smaller error; `found` itself where the entry is nowhere better."""
    better = entry.error < found.error
    if not better.any():
        return found
    df = np.where(better, entry.df, found.df)
    neighbour = np.where(better, entry.neighbour, found.neighbour)
    return Quotient(df, neighbour, np.where(better, entry.roundoff, found.roundoff), entry.step)


def _disturbed(found: Quotient, row: list[Quotient]) -> Quotient:
    """The result, its roundoff raised to what a later row shows: smaller steps show the noise of the values more.

    The smallest of several errors may be small by luck, and f may be less exact than its last digit. What a later row has not
    improved, noise has usually disturbed. That noise was there before, in proportion to 1/h.
    """
    least = np.min([entry.error for entry in row[1:]], axis=0)
    shown = np.where(least > found.error, least * row[0].step / found.step, 0.0)
    return replace(found, roundoff=np.maximum(found.roundoff, shown))
