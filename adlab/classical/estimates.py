"""What a finite-difference method answers with: a derivative, its error, its price, and what went wrong on the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from adlab.classical.quotients import Array, Line, Quotient, flag_of
from adlab.classical.scrutiny import CLOSER, KINK, LOOKS, second_look
from adlab.classical.stencils import Stencil
from adlab.classical.step_models import default_steps
from adlab.errors import OptionError

NOT_RESOLVED = "step_not_resolved"


@dataclass(frozen=True, eq=False)
class Estimate:
    """∂f/∂xᵢ by finite differences, and what is known of it.

    `df` and `error` are floats, or arrays of shape (m,). `nfev` counts every value of f that was taken, those for the
    error estimate and for steps given up included. `step` is the realised one, `scheme` the name of the method
    that gave the value in the end.

    `error` estimates |df − ∂f/∂xᵢ|; it is not a bound. It is truncation, as a stencil of higher order sees it, plus the
    roundoff of values that are themselves correctly rounded. What f has lost *inside*, no difference of its values
    can see: near 0, the values of (1 − cos x)/x² are wrong, but wrong by the same amount at neighbouring x.

    `flags`, out of: `step_not_resolved` (x + h == x), `left_domain` (f is not defined at a node; a one-sided stencil
    of the same order takes over), `nonfinite` (a value is infinite; likewise), `kink_in_stencil` (see `one_sided`: the
    slopes left and right, which every two-sided scheme gives), `unsettled` (a second look at h/64 contradicts
    the estimate). Where there is nothing to trust, `success` is False and `reason` says why in a sentence.
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


def estimated(
    line: Line, attempt: Callable[[float], Estimate], step: float | None, relative: float, tolerance: float
) -> Estimate:
    """The attempt at the caller's step; without one, the best of those at `default_steps`.

    No further step is tried once the relative error is within the tolerance. Where none succeeds, because a second look
    contradicts the estimate or f ends within reach, the search goes on nearer to x, and gives up after a few times.
    """
    if step is not None:
        return replace(attempt(checked_step(step)), nfev=line.nfev)
    first, *others = default_steps(line.origin, relative)
    chosen = attempt(first)
    for h in others:
        if chosen.success and np.all(chosen.error <= tolerance * np.abs(chosen.df)):
            break
        chosen = _better(chosen, attempt(h))
    for _ in range(LOOKS):
        if chosen.success or KINK in chosen.flags or flag_of(line.centre):
            break
        chosen = attempt(chosen.step * CLOSER)
    return replace(chosen, nfev=line.nfev)


def _better(one: Estimate, other: Estimate) -> Estimate:
    """The one of smaller error, if the two agree; else the finer: a derivative is local.

    Far too large a step may come with a small error estimate: around 1e-10, the values of 1/x at x ± 1e-5 give a slope
    near +1e10 with much the same error as that of the true one, −1e20. What contradicts it from nearer to x is right,
    even if it is no more than the finding that f has not settled or overflows there.
    """
    fine, coarse = sorted((one, other), key=lambda estimate: estimate.step)
    if not (fine.success and coarse.success):
        return fine
    agree = np.all(np.abs(np.subtract(coarse.df, fine.df)) <= 2 * np.add(coarse.error, fine.error))
    return coarse if agree and np.all(np.less_equal(coarse.error, fine.error)) else fine


def concluded(line: Line, stencil: Stencil, h: float, found: Quotient, scheme: str, obstacle: str = "") -> Estimate:
    """The estimate that a quotient amounts to, after a second look; `obstacle` is the flag of what was met before."""
    verdict = second_look(line, stencil, h, found)
    return Estimate(
        df=_plain(found.df),
        error=_plain(verdict.error),
        nfev=line.nfev,
        step=found.step,
        scheme=scheme,
        flags=tuple(filter(None, (obstacle, verdict.flag))),
        success=not verdict.flag,
        reason=verdict.reason,
        one_sided=verdict.one_sided and (_plain(verdict.one_sided[0]), _plain(verdict.one_sided[1])),
    )


def failed(line: Line, h: float, scheme: str, flag: str, reason: str) -> Estimate:
    """No value: NaN of f's shape, of which nothing is known."""
    nothing = np.full(line.centre.shape, math.nan)
    unknown = np.full(line.centre.shape, math.inf)
    return Estimate(_plain(nothing), _plain(unknown), line.nfev, h, scheme, (flag,), success=False, reason=reason)


def failed_at_x(line: Line, h: float, scheme: str) -> Estimate | None:
    """The failure, if f has no finite value at x itself."""
    flag = flag_of(line.centre)
    reason = "f has no finite value at the point itself; try another point"
    return failed(line, h, scheme, flag, reason) if flag else None


def unresolved(line: Line, h: float, scheme: str) -> Estimate:
    """The failure of a step so small that x + h == x, or that nodes fall together."""
    spacing = f"{math.ulp(line.origin):.3g}"
    reason = f"h = {h:.3g} is too small for the spacing of floats at x = {line.origin!r}, {spacing}; try a larger step"
    return failed(line, h, scheme, NOT_RESOLVED, reason)


def checked_step(step: float) -> float:
    """A step given by the caller; raises `OptionError` if it cannot be one."""
    if not (isinstance(step, Real) and 0 < step < math.inf):
        raise OptionError(f"a step must be a positive finite number, got {step!r}")
    return float(step)


def _plain(numbers: Array) -> float | Array:
    return float(numbers) if numbers.ndim == 0 else numbers
