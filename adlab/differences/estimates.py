"""What a finite-difference method answers: a derivative, its error, its price, and what went wrong on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from adlab.differences.near import NARROW, near_look
from adlab.differences.quotients import LEFT_DOMAIN, NONFINITE, Array, Line, Quotient, flag_of
from adlab.differences.scrutiny import BRANCH_CUT, KINK, UNSETTLED, second_look
from adlab.differences.stencils import Stencil
from adlab.errors import OptionError

NOT_RESOLVED, UNDERFLOW, UNCONFIRMED = "step_not_resolved", "underflow", "unconfirmed"
FLAT, NOISY, STATEFUL, NOT_ANALYTIC = "flat", "noisy", "stateful", "not_analytic"
GAVE_UP = "gave_up"

ODD = 1 + (5**0.5 - 1) * 2.0**-9  # a factor that is no short number, so that nodes fall elsewhere; the step stays nearly the same
LARGE = 2.0**40  # floats from here on are at least 2⁻¹² apart
REACH = 6.0  # steps: the widest stencils reach so far
VAGUE = 64.0  # a step is too large if its error exceeds the value itself and so many times the noise

STATUS = {UNSETTLED: -1, NONFINITE: -3, LEFT_DOMAIN: -3, KINK: -5, BRANCH_CUT: -6, NOT_RESOLVED: -7, UNDERFLOW: -8,
          NARROW: -9, FLAT: -10, STATEFUL: -11, NOT_ANALYTIC: -12, UNCONFIRMED: -13, GAVE_UP: -14}  # fmt: skip
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
    - `gave_up`: the time was over before anything was known;
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
    judge: Stencil | None = None
    """The stencil that looks at it again, at other nodes."""

    @property
    def nfev_estimate(self) -> int:
        """What the error estimate cost: evaluations for it, for second looks, and for steps that were given up."""
        return self.nfev - self.nfev_scheme

    @property
    def status(self) -> int:
        """0 for success, else the number of what went wrong in `STATUS`."""
        return 0 if self.success else STATUS[self.flags[-1]]


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
        judge=stencil,
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
