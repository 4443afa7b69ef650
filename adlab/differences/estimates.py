"""What a finite-difference method answers: a derivative, its error, its price, and what went wrong on the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np
import numpy.typing as npt

from adlab.differences.near import NARROW, near_look
from adlab.differences.noise import waves
from adlab.differences.plateau import independent, steepest
from adlab.differences.quotients import LEFT_DOMAIN, NONFINITE, Array, Line, Quotient, flag_of, over
from adlab.differences.scrutiny import (
    BRANCH_CUT,
    CLOSER,
    DOUBTFUL,
    KINK,
    LOOKS,
    UNEVEN,
    UNSETTLED,
    cut_within,
    second_look,
)
from adlab.differences.stencils import Stencil
from adlab.differences.step_models import default_steps
from adlab.differences.vanishing import vanishing
from adlab.errors import OptionError
from adlab.precision import UNIT_ROUNDOFF
from adlab.primitives.ranges import TINIEST

NOT_RESOLVED, UNDERFLOW, UNCONFIRMED = "step_not_resolved", "underflow", "unconfirmed"
FLAT, NOISY, STATEFUL, NOT_ANALYTIC = "flat", "noisy", "stateful", "not_analytic"

ODD = 1 + (5**0.5 - 1) * 2.0**-9  # a factor that is no short number, so that nodes fall elsewhere; the step stays nearly the same
LARGE = 2.0**40  # floats from here on are at least 2⁻¹² apart
AROUND = 1.0 + 2.0**-20  # steps: covers the nodes next to x, however they were rounded
REACH = 6.0  # steps: the widest stencils reach so far
FAINT = 2.0**-20  # relative to the values of f: lower waves cannot be told from noise
STAIRS = (
    "f varies by less than 1e-6 of itself around x, and in no order: noise, or waves as faint; what settles nearer to x may be "
    'a single stair of noise. Try another scheme, step="model", or a larger step'
)
ROOMY = 1024.0  # ulps of x: at the edge of the domain a step is small beside its distance only from here on
SAFE = 4.0  # the bound on the error of f holds at x, and may be somewhat larger at the nodes
WIDENINGS, WIDER = 5, 64.0  # from 19/64, so many widenings by this factor reach to 3e8
WIDE = 8.0  # times the smallest step: how far the nodes of a fit reach
NOISY_FROM = 256.0  # times the last rounding: larger noise gets the flag `noisy`
NAUGHT = 2.0**-20  # of the first quotient: a derivative that has fallen below this is 0
VAGUE = 64.0  # a step is too large if its error exceeds the value itself and so many times the noise

STATUS = {UNSETTLED: -1, NONFINITE: -3, LEFT_DOMAIN: -3, KINK: -5, BRANCH_CUT: -6, NOT_RESOLVED: -7, UNDERFLOW: -8,
          NARROW: -9, FLAT: -10, STATEFUL: -11, NOT_ANALYTIC: -12, UNCONFIRMED: -13}  # fmt: skip
"""The number of the flag that made a method fail. `scipy.differentiate` gives some of them numbers (-1: the error grew; -3: not
finite); these are the same here."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """∂f/∂xᵢ (or ∂²f/∂xᵢ²) by finite differences, and what is known of it. Names are as in `scipy.differentiate`.

    `df` and `error` are floats, or arrays of shape (m,). `nfev` counts every value of f that was computed, also for the error
    estimate and for steps that were given up. `nfev_scheme` counts the values that the derivative itself is made of. `nit`
    counts the steps that were tried. `step` is the step after rounding. `scheme` is the method that gave the value in the end.
    `x` is the coordinate.

    `error` estimates |df − ∂f/∂xᵢ|. It is not a bound. It is the truncation error, as a stencil of higher order sees it, plus
    roundoff. Roundoff assumes correctly rounded values of f, or the noise that was measured. An error *inside* f that is the
    same at neighbouring x cannot be seen in differences of its values.

    `flags` may contain:

    - `step_not_resolved`: x + h == x;
    - `left_domain`: f is not defined at a node, so a one-sided stencil of the same order takes over;
    - `nonfinite`: a value is infinite, with the same consequence;
    - `kink_in_stencil`: the slopes left and right differ; a two-sided scheme gives them in `one_sided`;
    - `branch_cut`: f jumps in the stencil;
    - `unsettled`: a second look at h/64 contradicts the estimate;
    - `narrow`: f does something within the stencil that its nodes do not see;
    - `flat`: all values are equal, so f is constant there, or rounded to a constant;
    - `noisy`: values are much less exact than their last digit;
    - `stateful`: f gives another answer when it is called again at the same point;
    - `underflow`: a complex step is too small;
    - `not_analytic`: a real difference contradicts the complex step;
    - `unconfirmed`: no real difference could be found to confirm it.

    Where nothing can be trusted, `success` is False, `status` is not 0, and `reason` says why in a sentence.
    """

    df: float | Array
    error: float | Array
    nfev: int
    step: float
    scheme: str
    flags: tuple[str, ...] = ()
    success: bool = True
    reason: str = ""
    one_sided: tuple[float | Array, float | Array] | None = None
    nit: int = 1
    x: float = math.nan
    nfev_scheme: int = 0

    @property
    def nfev_estimate(self) -> int:
        """What the error estimate cost: evaluations for it, for second looks, and for steps that were given up."""
        return self.nfev - self.nfev_scheme

    @property
    def status(self) -> int:
        """0 for success, else the number of what went wrong in `STATUS`."""
        return 0 if self.success else STATUS[self.flags[-1]]


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

    def at(h: float) -> Estimate:
        tried.append(attempt(h))
        return tried[-1]

    if step is None:
        steps = default_steps(line.origin, relative)
        first = _widened(line, at, _among(line, at, steps, tolerance), max(steps), tolerance)
        chosen = _vanished(line, first, _searched(line, at, first), order)
    else:
        chosen = at(checked_step(step))
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
    chosen = _admitted(line, _flat(line, _bounded(line, chosen, order), order), order)
    return replace(chosen, nfev=line.nfev, nit=sum(one.nit for one in tried), x=line.origin)


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
    flat = _flat_around(line, found)
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


def _flat_around(line: Line, found: Estimate) -> npt.NDArray[np.bool_]:
    """Whether the values next to x are all the same."""
    near = line.at(line.known(AROUND * found.step))
    if not len(near):
        return np.zeros(line.centre.shape, dtype=bool)
    return np.asarray((np.asarray(found.df) == 0) & (np.ptp(near, axis=0) == 0))


def _admitted(line: Line, found: Estimate, order: int) -> Estimate:
    """The estimate with what every answer must have: an error above 0, and a finite one if it is a success."""
    error = np.fmax(found.error, np.fmax(UNIT_ROUNDOFF * np.abs(found.df), TINIEST))
    noisy = np.any(line.measured > NOISY_FROM * line.rounding)
    if noisy and found.success:  # a fit may be lucky: its error is at least what the noise does to nodes so far apart
        error = np.fmax(error, over(line.measured, WIDE * found.step, order))
    flags = (*found.flags, NOISY) if noisy and found.success else found.flags
    found = replace(found, error=plain(np.asarray(error)), flags=flags)
    if found.success and order == 1 and waves(line, np.asarray(found.df), np.asarray(error)).any():
        reason = "f has waves that are shorter than the stencil: its slope among the floats next to x is another"
        return replace(found, success=False, flags=(*flags, UNSETTLED), reason=reason)
    if found.success and not (np.isfinite(error).all() and np.isfinite(found.df).all()):
        return replace(
            found, success=False, flags=(*flags, NONFINITE), reason="the error is not finite; try a smaller step"
        )
    return found


def _among(line: Line, attempt: Callable[[float], Estimate], steps: tuple[float, ...], tolerance: float) -> Estimate:
    """The best of the attempts at several steps. The first that is good enough ends the search."""
    chosen = attempt(steps[0])
    for h in steps[1:]:
        near = chosen.step >= steps[0] * CLOSER**2  # it has not been driven far from the step that it was given
        if chosen.success and near and np.all(chosen.error < tolerance * np.abs(chosen.df)):
            break
        chosen = _better(line, chosen, attempt(h))
    return chosen


def _widened(line: Line, attempt: Callable[[float], Estimate], found: Estimate, h: float, tolerance: float) -> Estimate:
    """The best of ever larger steps, while they leave less error: f may change over lengths much greater than x.

    Around 1, cos(x/1e6) is nearly constant: its rise over a step of 1 has lost ten digits. There noise dominates, and its
    effect falls as the step grows. Once truncation shows, the next larger step is no better, and the last one is kept.
    """
    for _ in range(WIDENINGS):
        if not found.success or np.all(found.error <= tolerance * np.abs(found.df)) or _flat_around(line, found).all():
            break
        h *= WIDER
        other = attempt(h)
        apart = np.abs(np.subtract(other.df, found.df))
        agree = np.all(apart <= 2 * np.add(other.error, found.error)) and set(other.flags) <= set(found.flags)
        if not (other.success and agree and np.all(2 * other.error <= found.error)):
            break
        found = other
    return found


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


def concluded(line: Line, stencil: Stencil, h: float, found: Quotient, scheme: str, obstacle: str = "") -> Estimate:
    """The estimate that follows from a quotient, after a second look. `obstacle` is the flag of a problem met before."""
    verdict = second_look(line, stencil, h, found)
    verdict = verdict if verdict.flag else near_look(line, stencil, found, verdict)
    return Estimate(
        df=plain(found.df),
        error=plain(verdict.error),
        nfev=line.nfev,
        nfev_scheme=len(stencil.offsets),
        step=found.step,
        scheme=scheme,
        flags=tuple(filter(None, (obstacle, verdict.flag))),
        success=not verdict.flag,
        reason=verdict.reason,
        one_sided=verdict.one_sided and (plain(verdict.one_sided[0]), plain(verdict.one_sided[1])),
    )


def in_step(line: Line, found: Estimate) -> Estimate:
    """The estimate of a first derivative, with the error that all its nodes share.

    Distances of nodes are short numbers, so their roundings can be in step. At x = 1e-9 all x ± h round 1 + x by the same
    8e-17. No fit to log(1 + x)/x can see that, and it moves the derivative from −0.5 to 82. So the difference quotient at h is
    computed again at `ODD` h. For a smooth f that changes it by hardly any of what truncation does.
    """
    h = found.step
    if not found.success or len({line.origin - h, line.origin, line.origin + h}) < 3:
        return found
    quotients = []
    for step in (h, h * ODD):
        above, below = line.origin + step, line.origin - step
        right, left = line.at([above, below])
        quotients.append((right - left) / (above - below))
    moved, truncation = np.abs(quotients[1] - quotients[0]), np.abs(quotients[0] - found.df)
    expected = truncation * (ODD**2 - 1) * REACH + VAGUE * line.noise / h
    unseen = np.isfinite(moved) & (moved > expected)
    if not unseen.any():
        return found
    line.heard(np.where(unseen, moved * h, 0.0))
    return replace(found, error=plain(np.asarray(np.maximum(found.error, np.where(unseen, REACH * moved, 0.0)))))


def failed(line: Line, h: float, scheme: str, flag: str, reason: str) -> Estimate:
    """An estimate without a value: NaN of f's shape. Nothing is known."""
    nothing = np.full(line.centre.shape, math.nan)
    unknown = np.full(line.centre.shape, math.inf)
    return Estimate(plain(nothing), plain(unknown), line.nfev, h, scheme, (flag,), success=False, reason=reason)


def failed_at_x(line: Line, h: float, scheme: str) -> Estimate | None:
    """The failure, if f has no finite value at x itself."""
    flag = flag_of(line.centre)
    reason = "f has no finite value at the point itself; try another point"
    return failed(line, h, scheme, flag, reason) if flag else None


def unresolved(line: Line, h: float, scheme: str) -> Estimate:
    """The failure of a step so small that x + h == x, or that nodes coincide."""
    spacing = f"{math.ulp(line.origin):.3g}"
    reason = f"h = {h:.3g} is too small for the spacing of floats at x = {line.origin!r}, {spacing}; try a larger step"
    return failed(line, h, scheme, NOT_RESOLVED, reason)


def checked_step(step: float) -> float:
    """A step that the caller gave. Raises `OptionError` if it is not possible."""
    if not (isinstance(step, Real) and 0 < step < math.inf):
        raise OptionError(f"a step must be a positive finite number, got {step!r}")
    return float(step)


def plain(numbers: Array) -> float | Array:
    """An array without dimensions as a float; others as they are."""
    return float(numbers) if numbers.ndim == 0 else numbers
