"""What an answer must pass before it is given away: bounds, flat stretches, an error that is finite and not 0."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from adlab.differences.estimates import FLAT, NOISY, Estimate, plain
from adlab.differences.noise import waves
from adlab.differences.plateau import independent, steepest
from adlab.differences.quotients import NONFINITE, Array, Line, over
from adlab.differences.scrutiny import UNSETTLED
from adlab.differences.step_models import TYPICAL_SCALE
from adlab.precision import UNIT_ROUNDOFF
from adlab.primitives.ranges import TINIEST

AROUND = 1.0 + 2.0**-20  # steps: covers the nodes next to x, however they were rounded
SAFE = 4.0  # the bound on the error of f holds at x, and may be somewhat larger at the nodes
WIDE = 8.0  # times the smallest step: how far the nodes of a fit reach
NEAR = 2.0**-4  # of the scale of x: waves are looked for from there on
NOISY_FROM = 256.0  # times the last rounding: larger noise gets the flag `noisy`


def _bounded(line: Line, found: Estimate, order: int) -> Estimate:
    """The estimate, its error raised where values at the nodes may be much more wrong than f(x), as where f(x) is nearly 0."""
    ends = [line.bound_at(line.origin + side * found.step) for side in (-1, 1)] if line.bound is not None else []
    known = [end for end in ends if end is not None]
    if not known or np.all(np.max(known, axis=0) <= line.measured):
        return found
    worst = np.where(np.max(known, axis=0) > line.measured, np.max(known, axis=0), 0.0)
    return replace(found, error=plain(np.asarray(np.maximum(found.error, over(worst, found.step, order)))))


def _flat(line: Line, found: Estimate, order: int) -> Estimate:
    """The estimate where all values near x are equal. It succeeds only if f is known to be exact to that degree.

    Such an f may be constant, or may have been rounded to a constant, as −log(1 + exp(−x)) is at 40. A bound on the error of f
    tells how steep f may be. Without one, what f does farther out may tell it: see `plateau`.
    """
    flat = flat_around(line, found)
    if not found.success or not flat.any():
        return found
    error = np.where(
        flat, np.maximum(found.error, over(np.maximum(SAFE * line.noise, TINIEST), found.step, order)), found.error
    )
    found = replace(found, error=plain(error), flags=(*found.flags, FLAT))
    if line.bound is not None or independent(line, flat):
        return found
    steep = steepest(line, flat, found.step)
    if steep is not None:
        return replace(found, error=plain(np.asarray(np.maximum(found.error, steep))))
    reason = (
        "all values of f around x are equal: f is constant there, or has been rounded to a constant; values cannot tell"
    )
    return replace(found, success=False, reason=reason)


def flat_around(line: Line, found: Estimate) -> npt.NDArray[np.bool_]:
    """Whether the values next to x are all the same; for a scheme on one side of x, those of its own nodes."""
    near = line.at(line.known(AROUND * found.step))
    if found.judge is not None and not found.judge.two_sided:
        near = line.values(found.judge, found.step)
    if not len(near):
        return np.zeros(line.centre.shape, dtype=bool)
    return np.asarray((np.asarray(found.df) == 0) & (np.ptp(near, axis=0) == 0))


def admitted(line: Line, found: Estimate, order: int) -> Estimate:
    """The estimate with what every answer must have: an error above 0, and a finite one if it is a success."""
    found = _flat(line, _bounded(line, found, order), order)
    error = np.fmax(found.error, np.fmax(UNIT_ROUNDOFF * np.abs(found.df), TINIEST))
    noisy = np.any(line.measured > NOISY_FROM * line.rounding)
    if noisy and found.success:  # a fit may be lucky: its error is at least what the noise does to nodes so far apart
        error = np.fmax(error, over(line.measured, WIDE * found.step, order))
    flags = (*found.flags, NOISY) if noisy and found.success else found.flags
    found = replace(found, error=plain(np.asarray(error)), flags=flags)
    reach = min(found.step, NEAR * (abs(line.origin) or TYPICAL_SCALE))
    if found.success and waves(line, *_slope(line, found, error, order, reach), reach).any():
        reason = "f has waves that are shorter than the stencil: its slope nearer to x is another"
        return replace(found, success=False, flags=(*flags, UNSETTLED), reason=reason)
    if found.success and not (np.isfinite(error).all() and np.isfinite(found.df).all()):
        return replace(
            found, success=False, flags=(*flags, NONFINITE), reason="the error is not finite; try a smaller step"
        )
    return found


def _slope(line: Line, found: Estimate, error: Array, order: int, h: float) -> tuple[Array, Array]:
    """The first derivative that nodes within h show, and how far that may be off."""
    if order == 1:
        return np.asarray(found.df), np.asarray(error)
    values = line.at([line.origin + part * h for part in (1, -1, 0.5, -0.5)])
    wide, near = (values[0] - values[1]) / (2 * h), (values[2] - values[3]) / h
    slope = (4 * near - wide) / 3
    return slope, np.abs(slope - near) / 4 + over(line.noise, h, 1)
