"""Differences that find their own step: a polynomial is fitted to values at many steps, and shows its own noise.

The odd part of f around x, (f(x + h) − f(x − h))/2 = f′h + f‴h³/6 + …, is sampled at h, 3h/4, h/2, 3h/8, … A polynomial of m
odd powers is fitted by least squares to any run of these points. Its first coefficient c(m) is an estimate of f′. More terms
reduce the truncation error. More points than terms average the noise away, and the residue of the fit *is* the noise of f: it
is measured, not assumed. So every fit comes with both parts of its error,

    |c(m + 1) − c(m)|    and    2 σ ‖w‖,

where σ is the deviation of the points from the fit, and w are the weights that compute c from them. The fit with the least sum is
chosen. With it come the step, the order, and the points to trust. Richardson's tableau is the special case of as many terms as
points. It has no residue, so it cannot measure the noise.

The second derivative comes from the even part in the same way. At the edge of the domain, f on one side of x is fitted with all
powers.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adlab.differences.estimates import Estimate, concluded, failed, failed_at_x, in_step, unresolved
from adlab.differences.fits import CONFIDENCE, RUNGS, Basis, basis
from adlab.differences.quotients import (
    NONFINITE,
    Array,
    Bound,
    Line,
    Quotient,
    Value,
    combined,
    flag_of,
    over,
    rounding,
)
from adlab.differences.richardson import FIRST_STEP, TOLERANCE
from adlab.differences.search import estimated
from adlab.differences.stencils import scheme

NAME = "adaptive-difference"
MOST = 40  # steps
LEAST = 2.0**-1000
TERMS = 9  # of a polynomial: beyond h¹⁷, binary64 gains nothing
FINEST = 1024  # ulps of x: below this step h falls no faster, since a fit needs room for its points
LEAPS, LEAP = 12, 4.0  # while quotients do not settle, h falls by this factor, at most so often
UNSETTLED = 1.5  # a quotient is unsettled if it changes by more than so many times what a parabola would after the change before,
UNLIKE = 0.3  # and by more than this part of itself,
CONVINCING = 0.01  # while the best fit is not yet accurate to this part of it
FREEDOM = 4  # a fit with so many points more than terms may end the search
SLOWLY = 8.0  # the error grows by this factor if fits still improve at the end: convergence is slow, as at the edge of x√x
PATIENCE = 3  # steps without a better fit

# What is sampled: x ± h, or one side; and the stencil for the second look at the result, which must be of high order.
SIDES = (
    (0, NAME, "central-difference-8"),
    (1, f"{NAME}, forward", "forward-difference-4"),
    (-1, f"{NAME}, backward", "backward-difference-4"),
)


@np.errstate(all="ignore")  # overflows and invalid operations show in the values
def adaptive(
    value: Value,
    x: npt.ArrayLike,
    index: int,
    step: float | None = None,
    centre: float | Array | None = None,
    order: int = 1,
    bound: Bound | None = None,
) -> Estimate:
    """∂f/∂xᵢ, or ∂²f/∂xᵢ² for `order` 2, by the best of all fits to differences at h, 3h/4, h/2 …

    `step` is the first of these h; by default `FIRST_STEP` times the scales of `default_steps`. Arguments, errors and flags are
    those of `difference`. The `step` of the result is the smallest that was used.

    >>> slope = adaptive(lambda x: math.exp(x[0]), [1.0], 0)
    >>> abs(slope.df - math.e) < slope.error < 1e-13
    True
    """
    line = Line(value, x, index, centre, bound)
    return estimated(line, lambda h: _from(line, h, order), step, FIRST_STEP, TOLERANCE, order)


def _from(line: Line, h: float, derivative: int) -> Estimate:
    """The fit to steps from this one down. It is on one side of x if f is not defined on the other."""
    failure = failed_at_x(line, h, NAME)
    if failure:
        return failure
    if not line.resolves(scheme("central-difference", derivative), h / LEAP):
        return unresolved(line, h, NAME)
    obstacle = ""
    for sign, name, judge in SIDES:
        search = _Search(line, sign, derivative)
        found = search.run(h)
        if found:
            made = concluded(line, scheme(judge, derivative), found.step, found, name, obstacle)
            made = in_step(line, made) if derivative == 1 and not sign else made
            own = len(search.steps) * (1 if sign else 2) + (1 if sign or derivative == 2 else 0)
            return replace(made, nit=len(search.quotients), nfev=line.nfev, nfev_scheme=own)
        obstacle = obstacle or flag_of(line.at([line.origin - h, line.origin + h])) or NONFINITE
    reason = (
        f"f, or its difference quotient, is not finite for h from {h:.3g} to {h * LEAP**-LEAPS:.3g}; try a smaller step"
    )
    return failed(line, h, NAME, obstacle, reason)


class _Fit(NamedTuple):
    """The coefficient wanted, both parts of its error, and how many points the fit has to spare; shape () or (m,)."""

    df: Array
    truncation: Array
    noise: Array
    freedom: Array

    @property
    def error(self) -> Array:
        return self.truncation + self.noise

    def is_noise(self) -> bool:
        """Whether more points would only average: truncation is less than noise, and the fit has points to spare."""
        return bool(np.all((self.truncation <= self.noise) & (self.freedom >= FREEDOM)))


class _Search:
    """The search from a first step downwards, until no further point improves the fit.

    `sign` says on which side of x f is sampled; 0 means on both. `powers` are the powers of h in what is sampled. If 0 is one
    of them, x itself is a point, where what is sampled is 0.
    """

    def __init__(self, line: Line, sign: int, derivative: int) -> None:
        self.line, self.sign, self.derivative = line, sign, derivative
        self.powers = tuple(range(TERMS)) if sign else tuple(range(derivative % 2, 2 * TERMS, 2))
        self.wanted = self.powers.index(derivative)
        self.least = self.wanted + 2 - (self.powers[0] == 0)  # points for one fit, and for one more term to judge it by
        self.steps: list[np.float64] = []
        self.points: list[Array] = []
        self.quotients: list[tuple[np.float64, Array]] = []  # at all steps, skipped ones included
        self.best: _Fit | None = None

    def run(self, h: float) -> Quotient | None:
        """The best fit; None if f has too few values, or the derivative overflows."""
        leaps, stale, least = LEAPS, 0, FINEST * math.ulp(self.line.origin)
        for _ in range(MOST):
            leaps = leaps if h >= least else 0
            step = np.float64(h * RUNGS[len(self.steps) % 2])  # its square may overflow quietly
            point = self._point(step)
            if point is None and (self.steps or not leaps):
                break
            if point is None or (leaps and self._unsettled(point, step)):
                self.steps, self.points, self.best, leaps, h = [], [], None, leaps - 1, float(step) / LEAP
                continue
            self.steps.append(step)
            self.points.append(point)
            h /= 2.0 ** (len(self.steps) % 2 == 0)
            if len(self.steps) >= self.least:
                last, self.best = self.best, self._best()
                stale = stale + 1 if last and np.all(self.best.error > 0.9 * last.error) else 0
                if stale == PATIENCE or self.best.is_noise():
                    break
        else:
            self.best = self.best and self.best._replace(truncation=SLOWLY * self.best.truncation)
        if self.best is None or not np.isfinite(self.best.df).all():
            return None
        return Quotient(self.best.df, self.best.df + self.best.truncation, self.best.noise, float(self.steps[-1]), True)

    def _point(self, h: np.float64) -> Array | None:
        """The odd or even part at h, or the rise on one side. Rounded nodes are corrected as if f were linear."""
        x, centre = self.line.origin, self.line.centre
        above, below = (x if self.sign < 0 else x + h), (x if self.sign > 0 else x - h)
        right, left = self.line.at([above, below])
        merged = len({above, x, below}) < (2 if self.sign else 3)
        if merged or not (np.isfinite(right).all() and np.isfinite(left).all()):
            return None
        slope = (right - left) / (above - below)
        if self.sign or self.derivative == 1:
            return np.asarray(slope * h * (self.sign if self.derivative == 2 else 1))
        slip = (above - x) - (x - below)
        return np.asarray(((right - centre) + (left - centre) - slope * slip) / 2)

    def _unsettled(self, point: Array, h: np.float64) -> bool:
        """Whether the last three quotients, with the one at h, approach no limit."""
        lead = 1 if self.sign else self.derivative
        self.quotients.append((h, over(point, float(h), lead)))
        if len(self.quotients) < 3:
            return False
        (h0, q0), (h1, q1), (_, q2) = self.quotients[-3:]
        size = np.maximum(np.abs(q1), np.abs(q2))
        if self.best and np.all(self.best.error <= CONVINCING * size):
            return False
        power = 1 if self.sign else 2
        parabola = np.abs(q1 - q0) * ((h1 / h0) ** power - (h / h0) ** power) / (1 - (h1 / h0) ** power)
        blur = over(CONFIDENCE * self.line.noise, float(h), lead)
        return bool(np.any((np.abs(q2 - q1) > UNSETTLED * parabola + blur) & (np.abs(q2 - q1) > UNLIKE * size)))

    def _rounding(self) -> Array:
        """The error that the last rounding of the values in use may cause."""
        x = self.line.origin
        nodes = [x, *(x + sign * h for h in self.steps for sign in {self.sign or 1, self.sign or -1})]
        return np.maximum(rounding(self.line.at(nodes)), self.line.measured)

    def _best(self) -> _Fit:
        """For each output, the fit with the least error over all runs of points that end with the last point."""
        points = np.array(self.points)
        shape = points.shape[1:]
        if self.powers[0] == 0:
            points = np.concatenate([points, np.zeros_like(points[:1])])
        points, floor = points.reshape(len(points), -1), self._rounding().ravel() / 2
        scale = np.exp2(np.floor(np.log2(np.maximum(np.abs(points).max(axis=0), LEAST))))  # so that squares do not overflow
        points, floor = points / scale, floor / scale
        starts = range(len(self.steps) - self.least + 1)
        bases = [basis(start % 2, len(self.steps) - start, self.powers, self.wanted) for start in starts]
        fits = [self._fits(base, points[start:], floor, start) for start, base in zip(starts, bases, strict=True)]
        every, spare = np.concatenate(fits, axis=1) * scale, np.concatenate([base.spare for base in bases])
        least = np.argmin(every[1] + every[2], axis=0)
        df, truncation, noise = every[:, least, np.arange(least.size)].reshape(3, *shape)
        return _Fit(df, truncation, noise, spare[least].reshape(shape))

    def _fits(self, base: Basis, points: Array, floor: Array, start: int) -> Array:
        """The derivative, its truncation error and its noise, by polynomials of every number of terms; shape (3, terms, m)."""
        squares = np.cumsum(combined(base.transform, points)[::-1] ** 2, axis=0)[::-1]
        sigma = np.sqrt(squares[base.terms]) * base.spread
        noise = CONFIDENCE * np.maximum(sigma, floor) * base.length
        found = math.factorial(self.derivative) * np.array(
            [combined(base.sums, points), np.abs(combined(base.following, points)), noise]
        )
        return over(found, float(self.steps[start]), self.derivative)
