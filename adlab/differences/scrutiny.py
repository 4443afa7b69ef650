"""The second look that a suspicious difference quotient gets, nearer to x.

An error estimate uses the same few values as its quotient, so it can be just as wrong. A central difference is blind to kinks:
for |x| at 0 it sees two equal values and says 0, with an error of 0. A wide stencil is blind to waves: at h = 1/16 it meets
sin(100 x) about once in each period, and sees a slow wave. So a quotient is computed again with a smaller step if any of three
things makes it suspicious: the slopes left and right of x differ; the estimated truncation error is a good part of the value;
the slope to a point very near x does not resemble the quotient.

There are two reasons why the look nearer to x may contradict the quotient, and they need opposite cures. Either f has not
settled, and a smaller step is needed. Or the values of f are noisier than their last digit, and the smaller step is worse. So
the noise is measured (`noise`) before a contradiction is believed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from adlab.differences.noise import lasting_noise, measured_noise
from adlab.differences.quotients import Array, Line, Quotient, over, quotient, weighed
from adlab.differences.stencils import Stencil, scheme
from adlab.differences.step_models import FINEST_IN_ULPS, TYPICAL_SCALE
from adlab.precision import UNIT_ROUNDOFF

KINK, UNSETTLED, BRANCH_CUT = "kink_in_stencil", "unsettled", "branch_cut"

CLOSER = 2.0**-6  # the second look is at h/64
LOOKS = 4  # looks, down to h/2²⁴, in which a kink must show
DOUBTFUL = 0.05  # part of the value: a larger truncation error is not believed without a second look
CLEARLY = 3.0  # slopes are unlike if they differ by more than so many times their errors
CUSP = 1.5, 32.0  # the gap between the slopes of |x|^a, 0.1 < a < 0.9, grows by a factor between these at each look
UNEVEN = 8.0  # noise at one node may be so many times that at another
RESOLVED = 8.0  # f is resolved if it varies over the stencil by so many times its noise; otherwise the noise may be waves
BISECTIONS = 40  # they shrink an interval to 1e-12 of its length
WIDE = 2.0**-14  # relative to x: a larger step may miss an oscillation of f


Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Verdict:
    """The result of a second look: the error, the flag ("" if nothing is wrong) and its reason, the slopes of both sides."""

    error: Array
    flag: str = ""
    reason: str = ""
    one_sided: tuple[Array, Array] | None = None


def second_look(line: Line, stencil: Stencil, h: float, first: Quotient) -> Verdict:
    """The verdict on a quotient at step h."""
    sides = _sides(line, stencil.derivative, h) if stencil.two_sided else None
    if sides is None:
        suspicious = _doubtful(first) or _swings(line, stencil, h, first)
        return _nearer(line, stencil, h, first) if suspicious else Verdict(first.error)
    one_sided = sides[0].neighbour, sides[1].neighbour
    gap, unlike = _unlike(*sides)
    kinked = _kink(line, stencil, h, first, *sides) or _slight_kink(line, stencil, h, first)
    if kinked:
        return kinked
    ragged = (gap > CLEARLY * (sides[0].roundoff + sides[1].roundoff)) & (
        gap > sides[0].truncation + sides[1].truncation
    )
    suspicious = bool((unlike | ragged).any()) or _doubtful(first) or _swings(line, stencil, h, first)
    verdict = _nearer(line, stencil, h, first) if suspicious else Verdict(first.error)
    return replace(verdict, one_sided=verdict.one_sided or one_sided)


def _unlike(left: Quotient, right: Quotient) -> tuple[Array, Mask]:
    """How far apart the derivatives of both sides are, and where that is clearly more than their errors."""
    gap = np.abs(right.neighbour - left.neighbour)
    return gap, gap > CLEARLY * (left.error + right.error)


def _kink(line: Line, stencil: Stencil, h: float, first: Quotient, left: Quotient, right: Quotient) -> Verdict | None:
    """The verdict where the sides differ at h and keep differing, or grow apart; else None."""
    gap, unlike = _unlike(left, right)
    if not unlike.any():
        return None
    kink, cusp = (unlike & found for found in _persists(line, stencil.derivative, h, gap))
    return _kinked(stencil, first, gap, (left.neighbour, right.neighbour), kink, cusp) if (kink | cusp).any() else None


def _slight_kink(line: Line, stencil: Stencil, h: float, first: Quotient) -> Verdict | None:
    """A slight kink at x that the curvature of f hides at h, because the stencil is wide. It shows nearer to x."""
    while h > WIDE * max(abs(line.origin), TYPICAL_SCALE):
        h *= CLOSER
        sides = _sides(line, stencil.derivative, h)
        found = _kink(line, stencil, h, first, *sides) if sides else None
        if found:
            return found
    return None


def _kinked(
    stencil: Stencil, first: Quotient, gap: Array, one_sided: tuple[Array, Array], kink: Mask, cusp: Mask
) -> Verdict:
    """The verdict where both sides' derivatives keep differing, by a finite gap or by one that grows without bound."""
    what = ("the slopes", "the second derivatives")[stencil.derivative - 1]
    left, right = (np.where(cusp, np.copysign(np.inf, side), side) for side in one_sided)
    how = "differ however small the step" if kink.any() else "grow apart as the step shrinks"
    reason = f"{what} left and right, {shown(left)} and {shown(right)}, {how}: f has a kink in the stencil"
    return Verdict(first.error + np.where(cusp, np.inf, np.where(kink, gap, 0.0)), KINK, reason, (left, right))


def _nearer(line: Line, stencil: Stencil, h: float, first: Quotient) -> Verdict:
    """The same stencil at h/64.

    The error must cover what that changes, apart from the finer quotient's own rounding and noise.
    """
    finer = quotient(line, stencil, h * CLOSER)
    if finer is None:
        return cut_at(line, stencil, h, first.error) or Verdict(first.error)
    moved = np.abs(finer.df - first.df)
    vague = (first.truncation > np.abs(first.df)) & (first.truncation > first.roundoff)
    noisy = finer.truncation > 2 * first.truncation + CLEARLY * finer.roundoff  # a truncation error would have become smaller
    error = np.maximum(first.error, moved - CLEARLY * finer.roundoff)
    covered = np.all(error == first.error) or not first.measured  # a fit knows its own noise; more noise may be only here
    if covered and np.all((moved <= 2 * (first.error + finer.error)) & ~vague & (first.measured | ~noisy)):
        return Verdict(error)
    noise = _noise(line, stencil, h)
    blur = over(float(stencil.amplification) * noise, h, stencil.derivative)
    if np.all(moved <= 2 * (first.error + finer.error + UNEVEN * blur * CLOSER**-stencil.derivative)):
        line.heard(noise)
        return Verdict(first.error if first.measured else first.error + blur)
    cut = cut_at(line, stencil, h, error)
    if cut:
        return cut
    if np.all(moved <= 2 * (first.error + finer.error)):
        return Verdict(error)
    reason = (
        f"the quotient has not settled: {shown(first.df)} at h = {h:.3g}, but {shown(finer.df)} at h/64; "
        "try a smaller step, unless f has no derivative there"
    )
    return Verdict(error, UNSETTLED, reason)


def _noise(line: Line, stencil: Stencil, h: float) -> Array:
    """The noise of f near x, measured so near that a function which the stencil resolves is a straight line there.

    It is 0 if what looks like noise may be waves, because f varies no more than that over the whole stencil.
    """
    noise = lasting_noise(line, h * CLOSER**2)
    return np.where(np.ptp(line.values(stencil.wider, h), axis=0) >= RESOLVED * noise, noise, 0.0)


def cut_at(line: Line, stencil: Stencil, h: float, error: Array) -> Verdict | None:
    """The verdict where f jumps at x; None where it does not."""
    sides = _jump(line, h) if stencil.derivative == 1 else None
    reason = "f jumps at x, as at a branch cut or a step: the values on both sides do not tend to one number"
    return Verdict(error, BRANCH_CUT, reason, sides) if sides else None


def _jump(line: Line, h: float) -> tuple[Array, Array] | None:
    """The slopes left and right if f jumps at x, infinite on the side of the jump. None if it does not jump."""
    finest = max(FINEST_IN_ULPS * math.ulp(line.origin), h * UNIT_ROUNDOFF)
    steps = np.maximum(np.append(h * CLOSER ** np.arange(LOOKS + 1), finest), finest)
    noise = measured_noise(line, h * CLOSER**2)
    slopes, jumps = [], []
    for sign in (-1, 1):
        rises = line.at((line.origin + sign * steps).tolist()) - line.centre
        jumps.append((np.abs(rises) > np.abs(rises).max(axis=0) / 2 + RESOLVED * noise).all(axis=0))
        slopes.append(sign * np.where(jumps[-1], np.copysign(np.inf, rises[0]), rises[1] / steps[1]))
    return (slopes[0], slopes[1]) if np.any(jumps) else None


def cut_within(line: Line, reach: float) -> float | None:
    """Where f jumps within `reach` of x, by bisecting the largest rise between known values; else None.

    A jump keeps its height while the interval around it shrinks. A continuous function flattens out.
    """
    known = line.known(reach)
    if len(known) < 2:
        return None
    rises = np.abs(np.diff(line.at(known), axis=0)).reshape(len(known) - 1, -1)
    output = int(np.argmax(rises.max(axis=0)))
    high_ones = np.flatnonzero(rises[:, output] >= rises[:, output].max() / 2)
    k = min(high_ones.tolist(), key=lambda i: abs(known[i] + known[i + 1] - 2 * line.origin))  # the nearest one
    low, high, height = known[k], known[k + 1], rises[k, output]
    for _ in range(BISECTIONS):
        middle = low + (high - low) / 2
        left, between, right = line.at([low, middle, high]).reshape(3, -1)[:, output]
        low, high = (low, middle) if abs(between - left) > abs(right - between) else (middle, high)
    left, right = line.at([low, high]).reshape(2, -1)[:, output]
    stays = abs(right - left) > height / 2 and abs(right - left) > RESOLVED * np.ravel(line.noise)[output]
    return high if stays else None


def _doubtful(first: Quotient) -> bool:
    """Whether the truncation error is so large a part of some value that its estimate cannot be relied on."""
    return bool(np.any((first.truncation > DOUBTFUL * np.abs(first.df)) & (first.truncation > first.roundoff)))


def _swings(line: Line, stencil: Stencil, h: float, first: Quotient) -> bool:
    """Whether f oscillates or jumps between the nodes: the slope to a point near x does not resemble the quotient.

    Low orders in a narrow stencil are exempt: their own error shows a jump, and few functions oscillate within 1e-4 of x.
    """
    narrow = h < WIDE * (abs(line.origin) or TYPICAL_SCALE)
    near = scheme("forward-difference" if max(stencil.offsets) > 0 else "backward-difference", stencil.derivative)
    if narrow and stencil.order <= 2:
        return False
    slope = weighed(line, near, h * CLOSER)
    return bool(np.any(np.abs(slope.df - first.df) > DOUBTFUL * np.abs(first.df) + CLEARLY * slope.roundoff))


def _sides(line: Line, derivative: int, h: float) -> tuple[Quotient, Quotient] | None:
    """The derivatives left and right of x, with neighbours of second order. None if one side has no values."""
    left = quotient(line, scheme("backward-difference", derivative), h)
    right = quotient(line, scheme("forward-difference", derivative), h)
    return (left, right) if left and right else None


def _persists(line: Line, derivative: int, h: float, gap: Array) -> tuple[Mask, Mask]:
    """Where the gap between the two sides stays as h shrinks, within a factor of 2 and rounding, there is a kink.

    Where it grows steadily, but more slowly than 1/h, there is a cusp.

    The slopes of a smooth f differ too, by h f″, but less and less: the steep sqrt(x² + 1e-12) has a "kink" at h = 1e-5 and
    none at h/64. The slopes of a noisy f, or at a jump, differ by 64 times more at each look.
    """
    stays = grows = np.ones(gap.shape, dtype=bool)
    for look in range(1, LOOKS + 1):
        sides = _sides(line, derivative, h * CLOSER**look)
        if sides is None:
            return stays & (look > 1), grows & False
        seen, blur = _unlike(*sides)[0], sides[0].error + sides[1].error
        stays = stays & (seen + blur > gap / 2) & (seen - blur < gap * 2)
        grows = grows & (seen > gap * CUSP[0] ** look) & (seen < gap * CUSP[1] ** look)
    return stays, grows


def shown(numbers: Array) -> str:
    listed: Sequence[float] = np.atleast_1d(numbers).tolist()
    return ", ".join(f"{number:.6g}" for number in listed[:4]) + (", …" if len(listed) > 4 else "")
