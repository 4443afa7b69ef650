"""The look very near x that every estimate gets before it may claim success.

An error estimate uses the same values as the quotient. Neither sees what lies between the nodes: a peak narrower than the
stencil, waves shorter than the step, a value of f at x that its neighbours do not share. So pairs of new values are taken, at
h/64 and nearer by the same factor again and again, as near to x as rounding allows. Two questions are asked of each pair:

* is the slope (f(x + δ) − f(x − δ))/2δ the derivative found, apart from the errors of both?
* is f(x) the mean of f(x + δ) and f(x − δ), apart from a curvature that falls as δ²?

A slight kink that passes both is looked for in the even parts of f (`lifts`).

Where a slope contradicts the result a little, the error is raised to cover it. Where it contradicts clearly, f is noisy, or it
jumps, or it has something `narrow` there. Then the search goes on nearer to x.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from adlab.differences.lifts import lift_at
from adlab.differences.noise import lasting_noise, measured_noise
from adlab.differences.quotients import Array, Line, Quotient, over
from adlab.differences.scrutiny import CLOSER, DOUBTFUL, Verdict, cut_at, shown
from adlab.differences.stencils import Stencil
from adlab.differences.step_models import TYPICAL_SCALE

NARROW = "narrow"

GOLDEN = (1 + 5**0.5) / 2  # no short number: periods and roundings must not be in step with the probes
VISIBLE = 2.0**10  # the rise of f to the nearest probe is at least so many times the noise of its values
NEAREST = 2.0**-41  # of the scale of x: the nearest probe is no farther, though the derivative found may not show there
PROBES = 8  # pairs at most, and the nearest: from h = 1, that is 2⁻⁴⁸
ULPS = 16.0  # no probe is nearer to x than so many ulps
ROOM = 4.0  # the truncation error may be so many times what the step h suggests
LUCK = 4.0  # a fit to noise may have a small residue by luck; this factor allows for it
NOISES = 8.0  # noise may be so many times its usual size


def near_look(line: Line, stencil: Stencil, found: Quotient, verdict: Verdict) -> Verdict:
    """The verdict after the look near x: the same, or with a larger error, or with a flag."""
    distances = _distances(line, found)
    if not distances:  # h is so near to the spacing of floats that only the noise can be examined there
        blur = over(float(stencil.amplification) * measured_noise(line, found.step), found.step, stencil.derivative)
        return replace(verdict, error=np.maximum(verdict.error, blur))
    for distance in distances:
        probe = _Probe.at(line, distance)
        if probe is None:
            continue
        verdict = _judged(line, stencil, found, verdict, probe)
        if verdict.flag:
            return verdict
    return replace(verdict, error=np.maximum(verdict.error, lift_at(line, stencil, found.step, found.df)))


def _distances(line: Line, found: Quotient) -> list[float]:
    """The distances of the probes from x, the largest first."""
    x, h = line.origin, found.step
    scale = abs(x) or min(h, TYPICAL_SCALE)
    with np.errstate(all="ignore"):
        seen = VISIBLE * line.noise / np.abs(found.df)
    least = ULPS * math.ulp(x)
    nearest = max(min(float(np.max(np.where(np.isfinite(seen), seen, np.inf))), NEAREST * scale), least)
    first = h * CLOSER * GOLDEN
    between = [first * CLOSER**k for k in range(PROBES)]
    return [distance for distance in dict.fromkeys((*between, nearest)) if nearest <= distance <= first]


Truths = npt.NDArray[np.bool_]


class _Probe:
    """Values at x ± δ, on both sides or where f has one: the slope there, and how far f(x) is off the mean."""

    def __init__(self, line: Line, distance: float, above: Array | None, below: Array | None) -> None:
        x, centre = line.origin, line.centre
        self.distance, self.two_sided = distance, above is not None and below is not None
        right, left = (x + distance) - x, x - (x - distance)
        if above is not None and below is not None:
            self.slope = (above - below) / (right + left)
            self.rise = (above - centre + (below - centre)) / 2 - self.slope * (right - left) / 2
            self.same = (above == centre) & (below == centre)
        else:
            one, sign = (above, right) if above is not None else (below, -left)
            self.slope = np.asarray((np.asarray(one) - centre) / sign)
            self.rise = np.zeros(centre.shape)
            self.same = np.asarray(self.slope == 0)

    @classmethod
    def at(cls, line: Line, distance: float) -> _Probe | None:
        """The probe at a distance from x. None where f has no value on either side."""
        values = line.at([line.origin + distance, line.origin - distance])
        above, below = (value if np.isfinite(value).all() else None for value in values)
        return None if above is None and below is None else cls(line, distance, above, below)


def _judged(line: Line, stencil: Stencil, found: Quotient, verdict: Verdict, probe: _Probe) -> Verdict:
    """What one probe adds to the verdict."""
    far = _Probe.at(line, found.step)
    moved, allowed, lifted = _contradiction(line, stencil, found, verdict, probe, far)
    wrong = (moved > allowed) & np.isfinite(moved)
    if not (wrong | lifted).any():
        return verdict
    noise = _noise(line, found.step, probe)
    explained = np.abs(probe.rise) <= NOISES * noise
    explained &= over(moved, 1.0, 0) <= allowed + NOISES * over(noise, probe.distance, stencil.derivative)
    if np.all(explained | ~(wrong | lifted)):
        line.heard(noise)
        blur = over(float(stencil.amplification) * noise, found.step, stencil.derivative)
        if found.measured and not probe.same.any():
            return replace(verdict, error=LUCK * verdict.error)
        return replace(verdict, error=np.maximum(verdict.error, blur))
    if not lifted.any() and np.all(~wrong | (moved <= DOUBTFUL * np.abs(found.df))):
        return replace(verdict, error=np.where(wrong, np.maximum(verdict.error, moved), verdict.error))
    cut = cut_at(line, stencil, found.step, verdict.error)
    return cut or _narrow(line, found, verdict, probe, lifted)


def _contradiction(
    line: Line, stencil: Stencil, found: Quotient, verdict: Verdict, probe: _Probe, far: _Probe | None
) -> tuple[Array, Array, Truths]:
    """How much the probe's derivative differs, how much it may differ, and where f(x) is off the curve."""
    noise, ratio = line.noise, probe.distance / found.step
    if stencil.derivative == 1:
        moved = np.abs(probe.slope - found.df)
        expected = np.zeros(moved.shape) if far is None else np.abs(far.slope - found.df)
        two_sided = probe.two_sided and far is not None and far.two_sided
        allowed = 2 * verdict.error + ROOM * expected * ratio ** (2 if two_sided else 0.5)
        allowed = allowed + NOISES * noise / probe.distance
        bent = np.zeros(moved.shape) if far is None else np.abs(far.rise)
    else:
        moved = np.zeros(found.df.shape)  # a second difference so near to x is noise
        allowed, bent = moved, np.abs(found.df) * found.step * found.step / 2
    curve = ROOM * bent * ratio ** (2 if stencil.derivative == 2 else 1.5) + NOISES * noise
    if stencil.derivative == 2:
        curve = curve + ROOM * verdict.error * probe.distance * probe.distance
    return moved, allowed, (np.abs(probe.rise) > curve) & np.isfinite(probe.rise)


def _noise(line: Line, h: float, probe: _Probe) -> Array:
    """The noise of f near x. Where f is the same at both probes it goes in stairs, which show at h only."""
    near = lasting_noise(line, probe.distance)
    return np.where(probe.same, np.maximum(near, measured_noise(line, h)), near) if probe.same.any() else near


def _narrow(line: Line, found: Quotient, verdict: Verdict, probe: _Probe, lifted: Truths) -> Verdict:
    what = (
        f"f(x) is off the curve through its neighbours, by {shown(np.abs(probe.rise))} at a distance of {probe.distance:.2g}"
        if lifted.any()
        else f"the slope is {shown(found.df)} over h = {found.step:.3g}, but {shown(probe.slope)} over {probe.distance:.2g}"
    )
    reason = f"{what}: f has something narrower than the stencil at x = {line.origin:.17g}; try a much smaller step"
    return replace(verdict, flag=NARROW, reason=reason)
