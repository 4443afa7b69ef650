"""The last hearing of an answer: nodes that it was not made of may contradict it.

All nodes of a scheme are in step: their distances are short numbers, and each is in the error estimate already. So they share
roundings of x, and skip the same waves. And where f is singular next to x, as (x − c)√(x − c) is, quotients converge so slowly
that two of them, one of high order, agree on the wrong digits. Three questions are put to fresh values:

* is the quotient of the same order at h/8, at nodes out of step, the derivative found? What it differs by is in the error;
* has f a kink at x, or next to it, that the even part of f shows; for a second derivative, also a jump of f″ in the odd part?
  A scheme on one side of x is held against the same scheme on the other;
* has the search been driven nearer and nearer to x, without one right digit in the end?
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from adlab.differences.estimates import Estimate, plain
from adlab.differences.lifts import REACHES, ROUNDED, bend_at, kink_at
from adlab.differences.near import ULPS
from adlab.differences.noise import GOLDEN, lasting_noise
from adlab.differences.quotients import Array, Line, over, quotient
from adlab.differences.scrutiny import CLOSER, KINK, UNSETTLED, shown
from adlab.differences.stencils import Stencil

NEARER = GOLDEN / 13  # about 1/8, and no short number
RUNGS = 6  # halvings of h, from h to about h/40
NEAR = GOLDEN * CLOSER  # times the step: where the first pair of the look near x is
SLOWLY = 1.6  # an error that falls as √h is so many times what it changes by from h to h/8
UNSEEN = 128.0  # times the noise of a value: the fits of a ladder do not show a smaller rise of f
DRIVEN = 2.0**-15  # of the first step: an answer from nearer to x has been driven there; a fit goes that far by itself
HOPELESS = 0.5  # of the value: with a larger error, no digit is right
REACHED = (*REACHES, ROUNDED, 1 / 6, 1 / 32)  # times the step: pairs within each of these are looked at for a kink


def heard(line: Line, found: Estimate, start: float) -> Estimate:
    """The estimate after the hearing: its error raised, or refused. The search began at the step `start`."""
    judge = found.judge
    if not found.success or judge is None:
        return found
    found = _again(line, found, judge, start)
    found = _kinked(line, found, judge) if judge.two_sided else _beside(line, found, judge)
    driven = found.success and found.step < DRIVEN * start
    if driven and np.any(found.error > HOPELESS * _size(line, found, judge.derivative, start)):
        reason = "quotients nearer and nearer to x settle on nothing: f has no derivative there, or is too noisy"
        return replace(found, success=False, flags=(*found.flags, UNSETTLED), reason=reason)
    return found


def _size(line: Line, found: Estimate, order: int, start: float) -> Array:
    """The derivative, or what values at the first step suggest if that is larger: quotients may fall to 0, and be right."""
    rises = np.abs(line.at([line.origin + start, line.origin - start]) - line.centre)
    return np.fmax(np.abs(found.df), over(np.fmax(rises[0], rises[1]), start, order))


def _again(line: Line, found: Estimate, stencil: Stencil, start: float) -> Estimate:
    """The estimate, its error raised to what the same quotient is at nodes nearer to x and out of step.

    Where the search has gone farther out than its `start`, all the way back is looked at: at a distance, tanh x is constant on
    both sides, and noise hides what it does between. At the end of the domain, the stencil at h is asked as well: a fit may take
    a singularity there for a polynomial.
    """
    steps = [found.step * NEARER] if stencil.two_sided else [found.step * NEARER, found.step]
    while min(steps) > start:
        steps.append(min(steps) * NEARER)
    roomy = [step for step in steps if step > ULPS * math.ulp(line.origin)]
    others = [other for other in (quotient(line, stencil, step) for step in roomy) if other is not None]
    if not others:
        return found
    side, looked = -1 if max(stencil.offsets) <= 0 else 1, [found.step, *(steps if found.step > start else [])]
    stairs = np.max([_stairs(line, step, side) for step in looked], axis=0)
    moves = [np.abs(other.df - found.df) for other in others]
    surprising = np.any([moved > found.error + other.roundoff for moved, other in zip(moves, others, strict=True)], axis=0)
    if not (surprising | (stairs > 0)).any():
        return found
    noise = np.max([stairs, lasting_noise(line, found.step), lasting_noise(line, min(steps))], axis=0)
    line.heard(noise)
    amplified = float(stencil.amplification) * noise
    unexplained = [  # noise at h/8 is no fault of h; but where h is farther out than the start, it hides the derivative itself
        moved - (0 if found.step > start else np.maximum(other.roundoff, over(amplified, other.step, stencil.derivative)))
        for moved, other in zip(moves, others, strict=True)
    ]
    blur = over(amplified, found.step, stencil.derivative)
    slowly = 1.0 if stencil.two_sided else SLOWLY
    raised = np.maximum(blur, np.where(surprising, slowly * np.max(unexplained, axis=0), 0.0))
    return replace(found, error=plain(np.where(surprising | (stairs > 0), np.maximum(found.error, raised), found.error)))


def _stairs(line: Line, h: float, side: int) -> Array:
    """How wrong values are if f goes in stairs: equal to f(x) near x, though even a fourth power seen at h would show there."""
    places = [line.origin + side * h / 2**k for k in range(RUNGS)]
    rises = np.abs(line.at([*places, line.origin + side * h * NEAR]) - line.centre)
    level = (rises[-1] == 0) & (rises[0] * NEAR**4 > line.rounding)
    last = np.zeros(level.shape)
    for rise in rises[:-1]:  # the nearest rise that is not 0; halfway from there it would be a quarter, but is 0
        last = np.where(rise > 0, rise, last)
    return np.where(level, last / 2, 0.0)


def _kinked(line: Line, found: Estimate, stencil: Stencil) -> Estimate:
    """The estimate, its error raised where f has a kink within its nodes; failed where it may be at x."""
    h, df = found.step, np.asarray(found.df)
    slope = df if stencil.derivative == 1 else _slope(line, h)
    kink = kink_at(line, h, slope, REACHED)
    bend = bend_at(line, h, REACHED) if stencil.derivative == 2 and not kink.any() else np.zeros(kink.shape)
    if not (np.any(kink > 0) or np.any(bend > 0)):
        return found
    lift = kink if stencil.derivative == 1 else np.where(kink > 0, np.inf, bend)
    error = np.maximum(found.error, lift)
    near = kink_at(line, h * CLOSER, slope, (ROUNDED,)) if kink.any() else bend_at(line, h * CLOSER, (ROUNDED,))
    size = kink if kink.any() else bend
    unseen = (size > 0) & (over(UNSEEN * line.noise, h * CLOSER, 1 if kink.any() else 2) > size)
    if not np.any(((near > size / 2) & (near < 2 * size)) | unseen):
        return replace(found, error=plain(error))
    what = "slopes" if kink.any() else "second derivatives"
    reason = f"the {what} left and right of x differ by {shown(2 * size)}, as near as can be seen: f has a kink in the stencil"
    sides = None if np.isinf(lift).any() else (plain(df - lift), plain(df + lift))
    return replace(found, error=plain(error), success=False, flags=(*found.flags, KINK), reason=reason, one_sided=sides)


def _beside(line: Line, found: Estimate, stencil: Stencil) -> Estimate:
    """The estimate of a scheme on one side of x, after what only such a scheme is asked."""
    return _slow(line, _mirrored(line, found, stencil), stencil)


def _slow(line: Line, found: Estimate, stencil: Stencil) -> Estimate:
    """The estimate, its error raised where quotients converge as slowly as √h, which no stencil of higher order shows.

    From 64 h to 8 h and on to h they change by less and less: where f is smooth, by a factor of 8 at least.
    """
    quotients = [quotient(line, stencil, found.step / CLOSER**part) for part in (0, 0.5, 1)]
    if None in quotients:
        return found
    fine, middle, coarse = (one for one in quotients if one is not None)
    last, before = np.abs(fine.df - middle.df), np.abs(middle.df - coarse.df)
    slow = (last > before * CLOSER**0.5) & (last > 4 * (fine.roundoff + middle.roundoff))
    return replace(found, error=plain(np.where(slow, np.maximum(last, found.error), found.error)))


def _mirrored(line: Line, found: Estimate, stencil: Stencil) -> Estimate:
    """The estimate of a scheme on one side of x, its error raised to what the other side says, if f is as smooth there.

    The slopes of both sides agree unless f has a kink. That may be between x and the nodes. A jump on the other side is none of
    this scheme's business: there the quotient changes with the step.
    """
    mirror = Stencil.of([-offset for offset in stencil.offsets], stencil.derivative)
    other, nearer = (quotient(line, mirror, step) for step in (found.step, found.step * NEARER))
    if other is None or nearer is None:
        return found
    apart = np.abs(other.df - found.df)
    kink = (apart > found.error + other.error) & (2 * np.abs(nearer.df - other.df) < apart)
    return replace(found, error=plain(np.where(kink, np.maximum(apart, found.error), found.error)))


def _slope(line: Line, h: float) -> Array:
    """The first derivative, nearly."""
    right, left = line.at([line.origin + h, line.origin - h])
    return np.asarray((right - left) / (2 * h))
