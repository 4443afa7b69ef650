"""The search for a step: at the lengths over which f may change; farther out where noise rules, nearer where nothing settles."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from adlab.differences.admission import admitted, flat_around
from adlab.differences.estimates import LARGE, NOT_RESOLVED, REACH, VAGUE, Estimate, checked_step, plain
from adlab.differences.hearing import heard
from adlab.differences.near import NARROW
from adlab.differences.quotients import LEFT_DOMAIN, NONFINITE, Line, flag_of, rounding
from adlab.differences.scrutiny import BRANCH_CUT, CLOSER, DOUBTFUL, KINK, LOOKS, UNEVEN, UNSETTLED, cut_within
from adlab.differences.step_models import default_steps
from adlab.differences.vanishing import vanishing

FAINT = 2.0**-20  # relative to the values of f: lower waves cannot be told from noise
STAIRS = (
    "f varies by less than 1e-6 of itself around x, and in no order: noise, or waves as faint; what settles nearer to x may be "
    'a single stair of noise. Try another scheme, step="model", or a larger step'
)
ROOMY = 1024.0  # ulps of x: at the edge of the domain a step is small beside its distance only from here on
WIDENINGS, WIDER = 5, 64.0  # from 19/64, so many widenings by this factor reach to 3e8
NAUGHT = 2.0**-20  # of the first quotient: a derivative that has fallen below this is 0


def estimated(
    line: Line,
    attempt: Callable[[float], Estimate],
    step: float | None,
    relative: float,
    tolerance: float,
    order: int = 1,
) -> Estimate:
    """The attempt at the caller's step. Without one: the best of the attempts at `default_steps`.

    No further step is tried once the relative error is within the tolerance. Where none succeeds, because a second look
    contradicts the estimate or f ends within reach, the search goes on nearer to x. It gives up after a few steps.
    """
    tried: list[Estimate] = []
    start = default_steps(line.origin, relative)[0] if step is None else checked_step(step)

    def at(h: float) -> Estimate:
        tried.append(attempt(h))
        return tried[-1]

    if step is None:
        steps = default_steps(line.origin, relative)
        first = _widened(line, at, _among(line, at, steps, tolerance), max(steps), tolerance, order)
        chosen = _vanished(line, first, _searched(line, at, first), order)
    else:
        chosen = at(start)
    if {UNSETTLED, NARROW}.intersection(chosen.flags) or (chosen.success and _vague(line, chosen)):
        chosen = _explained(line, chosen)
    if chosen.success and _between_floats(line):
        reason = (
            f"f changes as much from one float to the next, {math.ulp(line.origin):.3g} apart at x, as over the stencil"
        )
        chosen = replace(chosen, success=False, flags=(*chosen.flags, NOT_RESOLVED), reason=reason)
    ends = {LEFT_DOMAIN, NONFINITE}.intersection(chosen.flags)
    if chosen.success and ends and chosen.step < ROOMY * math.ulp(line.origin):
        reason = f"f ends within a few floats of x, which are {math.ulp(line.origin):.3g} apart; no step is small beside that"
        chosen = replace(chosen, success=False, flags=(*chosen.flags, NOT_RESOLVED), reason=reason)
    chosen = admitted(line, heard(line, chosen, start), order)
    return replace(chosen, nfev=line.nfev, nit=sum(one.nit for one in tried), x=line.origin)


def _among(line: Line, attempt: Callable[[float], Estimate], steps: tuple[float, ...], tolerance: float) -> Estimate:
    """The best of the attempts at several steps. The first that is good enough ends the search."""
    chosen = attempt(steps[0])
    for h in steps[1:]:
        near = chosen.step >= steps[0] * CLOSER**2  # it has not been driven far from the step that it was given
        if chosen.success and near and np.all(chosen.error < tolerance * np.abs(chosen.df)):
            break
        chosen = _better(line, chosen, attempt(h))
    return chosen


def _widened(
    line: Line, attempt: Callable[[float], Estimate], found: Estimate, h: float, tolerance: float, order: int
) -> Estimate:
    """The best of ever larger steps, while they leave less error: f may change over lengths much greater than x.

    Around 1, cos(x/1e6) is nearly constant: its rise over a step of 1 has lost ten digits. There noise dominates, and its
    effect falls as the step grows. Once truncation shows, the next larger step is no better, and the last one is kept. Each
    must agree with all before it: around 0, tanh x is 1/h times x for every large h, and each h agrees with the last.
    """
    before, near = [found], line.known(h)
    for _ in range(WIDENINGS):
        if not found.success or np.all(found.error <= tolerance * np.abs(found.df)) or flat_around(line, found).all():
            break
        h *= WIDER
        other = attempt(h)
        agree = all(_agree(other, one) for one in before) and set(other.flags) <= set(found.flags)
        agree = agree and (_straight if order == 1 else _parabolic)(line, other, near)
        if not (other.success and agree and np.all(2 * other.error <= found.error)):
            break
        found = other
        before.append(found)
    return found


def _agree(one: Estimate, other: Estimate) -> bool:
    """Whether two estimates are as near to each other as their errors say."""
    return bool(np.all(np.abs(np.subtract(one.df, other.df)) <= np.add(one.error, other.error)))


def _straight(line: Line, found: Estimate, near: list[float]) -> bool:
    """Whether values near x, at these places, lie on the tangent that a wide stencil has found, but for noise.

    If they do not, f changes on a smaller scale than that of the stencil.
    """
    if not near:
        return True
    places = (np.array(near) - line.origin).reshape(-1, *[1] * line.centre.ndim)
    values = line.at(near)
    off = np.abs(values - line.centre - places * found.df).max(axis=0)
    return bool(np.all(off <= 2 * np.maximum(rounding(values), line.measured)))  # of two values


def _parabolic(line: Line, found: Estimate, near: list[float]) -> bool:
    """Whether the even part of f near x is the parabola that a wide stencil has found, but for noise."""
    above = np.array([place for place in near if place > line.origin])
    if not above.size:
        return True
    distances = (above - line.origin).reshape(-1, *[1] * line.centre.ndim)
    right, left = line.at(above.tolist()), line.at((line.origin - (above - line.origin)).tolist())
    off = np.abs((right + left) / 2 - line.centre - found.df * distances**2 / 2).max(axis=0)
    return bool(np.all(off <= 2 * np.maximum(rounding(np.concatenate([right, left])), line.measured)))


def _searched(line: Line, attempt: Callable[[float], Estimate], first: Estimate) -> Estimate:
    """What is found nearer to x, where the first attempt leaves something to find."""
    chosen = first
    for _ in range(LOOKS):
        if _done(line, chosen):
            break
        other = attempt(chosen.step * CLOSER)
        if chosen.success and not (other.success and np.all(other.error < chosen.error)):
            break
        chosen = other
    stairs = chosen.success and UNSETTLED in first.flags and _faint(line, first)
    return replace(first, reason=STAIRS) if stairs else chosen


def _vanished(line: Line, first: Estimate, found: Estimate, order: int) -> Estimate:
    """The estimate where its quotients fall to 0, so that no step gives a right digit; the others are left as they are."""
    doubtful = found.success and np.all(np.greater_equal(found.error, DOUBTFUL * np.abs(found.df)))
    if not (doubtful or UNSETTLED in found.flags or found is not first) or not np.all(np.abs(found.df) > 0):
        return found
    limit = vanishing(line, found.step, order)
    if limit is None or (not found.success and np.any(limit[1] > NAUGHT * np.abs(first.df))):
        return found
    return replace(found, df=plain(limit[0]), error=plain(limit[1]), success=True, reason="",
                   flags=tuple(flag for flag in found.flags if flag != UNSETTLED))  # fmt: skip


def _done(line: Line, found: Estimate) -> bool:
    """Whether nothing can be found nearer to x: at least one digit is right, or all is noise, or f ends or breaks there."""
    if {KINK, BRANCH_CUT}.intersection(found.flags) or flag_of(line.centre):
        return True
    return found.success and not _vague(line, found)


def _between_floats(line: Line) -> bool:
    """Whether floats at x are further apart than f changes over, as those of sin at 1e22. Near 0 they never are."""
    if abs(line.origin) < LARGE:
        return False
    known, ulp = line.at(line.known(math.inf)), math.ulp(line.origin)
    sides = [np.ptp(line.at([line.origin + side * k * ulp for k in range(8)]), axis=0) for side in (-1, 1)]
    return bool(np.any(np.min(sides, axis=0) > np.ptp(known, axis=0) / 10))


def _faint(line: Line, found: Estimate) -> bool:
    """Whether f varies so little around x that waves cannot be told from noise."""
    values = line.at(line.known(REACH * found.step))
    return bool(np.any(np.ptp(values, axis=0) <= FAINT * np.abs(values).max(axis=0)))


def _vague(line: Line, found: Estimate) -> bool:
    """Whether no digit is right, and noise does not explain that."""
    return bool(np.any((found.error >= np.abs(found.df) / 2) & (found.error * found.step > VAGUE * line.noise)))


def _explained(line: Line, found: Estimate) -> Estimate:
    """The estimate, failed with `BRANCH_CUT` where f jumps in the stencil but not at x."""
    where = None if found.reason == STAIRS else cut_within(line, REACH * found.step)
    if where is None or where == line.origin:
        return found
    reason = f"f jumps at {where:.6g}, which lies in the stencil; try a step below {abs(where - line.origin):.1g}"
    others = tuple(flag for flag in found.flags if flag not in (UNSETTLED, NARROW))
    return replace(found, flags=(*others, BRANCH_CUT), success=False, reason=reason)


def _better(line: Line, one: Estimate, other: Estimate) -> Estimate:
    """The one with the smaller error, if the two agree; else the finer one, since a derivative is local.

    A step that is far too large may have a small error estimate. Around 1e-10, the values of 1/x at x ± 1e-5 give a slope near
    +1e10, with an error estimate like that of the true slope, −1e20. Evidence from nearer to x wins, even if it says only that
    f has not settled or overflows there. A contradiction within the noise of f does not count: around 1e-9, the values of (1 −
    cos x)/x² are all 0, and further out they are 1/2.
    """
    fine, coarse = sorted((one, other), key=lambda estimate: estimate.step)
    if not coarse.success:
        return fine
    apart = np.abs(np.subtract(coarse.df, fine.df))
    flat = not (np.any(fine.df) or np.any(fine.error))
    if fine.success and not flat and np.all(apart <= 2 * np.add(coarse.error, fine.error)):
        return coarse if np.all(np.less_equal(coarse.error, fine.error)) else fine
    return coarse if np.all(apart * fine.step <= UNEVEN * line.noise) else fine
