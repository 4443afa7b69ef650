"""A slight kink next to x, which no odd part of f shows.

A two-sided scheme sees the odd part of f around x, (f(x + h) − f(x − h))/2. That of |x − c| with c very near x is straight.
So the scheme takes the mean of both slopes for the derivative, and finds no error. The even part tells. It is f″h²/2 + … where f
is smooth. It has a term in |h| where f has a kink, and that is half as steep as the slopes differ. A fit to even parts finds it.
The derivative at x, left or right of the kink, is then as far from the mean.
"""

from __future__ import annotations

import numpy as np

from adlab.differences.fits import CONFIDENCE, basis_at
from adlab.differences.quotients import Array, Line, least_of, over, weights_on
from adlab.differences.stencils import Stencil
from adlab.precision import UNIT_ROUNDOFF

KINKS = (1, 2, 4, 6, 8, 10, 12, 14)  # the powers in the even part of f with a kink at x: the first is the kink's
BENDS = (2, 1, 3, 5, 7, 9, 11, 13)  # those in the odd part of f whose second derivative jumps at x
POINTS = 5  # at least so many points for a fit that three numbers of terms must agree on: two may agree by luck
REACHES = 96.0, 24.0, 6.0  # times the step: the points within each are fitted
LADDER = (1.0, 0.75, 0.5, 0.375, 0.25, 0.1875, 0.125)  # times the step: where fresh values are taken
ROUNDED = 1.0 + 2.0**-20  # times the step: covers the widest pair of the ladder, however its nodes were rounded
CLEAR = 4.0  # times the error of the fit: a smaller term is none
ALIKE = 2.0**-20  # both sides of a pair are as far from x, but for this part


def lifted(distances: tuple[float, ...], even: Array, size: Array) -> Array:
    """How far the slopes of both sides are from their mean, in units of the widest distance; 0 where no kink is clearly seen.

    `even` is (f(x + d) + f(x − d))/2 − f(x), shape (K, ...), at K distances in units of the widest. `size` bounds the
    values of f.

    >>> steps = (1.0, 0.75, 0.5, 0.375, 0.25, 0.1875, 0.125)
    >>> parts = np.array([[1e-9 * s + s * s, s * s] for s in steps])
    >>> lifted(steps, parts, np.ones(2)).round(12)
    array([1.e-09, 0.e+00])
    """
    half, error = _term(distances, even, size)
    return np.where(np.abs(half) > CLEAR * error, np.abs(half), 0.0)


def _term(distances: tuple[float, ...], even: Array, size: Array, powers: tuple[int, ...] = KINKS) -> tuple[Array, Array]:
    """The coefficient of the first power, and its error, by the best of all fits."""
    base = basis_at(distances, powers[: len(distances)], 0)
    count, unit = len(base.terms), [1] * (even.ndim - 1)
    if count < 3:
        return np.zeros(even.shape[1:]), np.full(even.shape[1:], np.inf)
    floor = np.maximum(UNIT_ROUNDOFF * size, np.finfo(np.float64).tiny)
    found, parts = weights_on(base.sums, even), weights_on(base.transform, even) / floor
    squares = np.concatenate([np.add.accumulate(parts[::-1] ** 2)[::-1], np.zeros_like(parts[:1])])
    sigma = np.sqrt(squares[base.terms[1 : count - 1]]) * base.spread[1 : count - 1].reshape(-1, *unit)
    noise = CONFIDENCE * floor * np.maximum(sigma, 1.0) * base.length[1 : count - 1].reshape(-1, *unit)
    moved = np.abs(found[1:] - found[:-1])
    errors = (moved[1 : count - 1] if len(distances) < POINTS else np.maximum(moved[: count - 2], moved[1 : count - 1])) + noise
    errors = np.where(np.isnan(errors), np.inf, errors)
    half, least = least_of(errors, found[1 : count - 1], errors)
    return half, least


def lift_at(line: Line, stencil: Stencil, step: float, df: Array) -> Array:
    """How far the slopes of both sides are from `df`, as known values around x show it; 0 where they do not.

    Values that have been computed are enough; nothing is computed here.
    """
    return _seen(line, step, df, REACHES) if stencil.two_sided and stencil.derivative == 1 else np.zeros(line.centre.shape)


def kink_at(line: Line, step: float, slope: Array, reaches: tuple[float, ...]) -> Array:
    """How far the slopes of both sides are from their mean, as known values show it, or fresh ones at this step.

    >>> line = Line(lambda x: x[0] ** 3 + 1e-7 * abs(x[0] - 1), [1.0], 0)
    >>> kink_at(line, 1e-3, np.array(3.0), (ROUNDED,)).round(10)
    np.float64(1e-07)
    """
    _climb(line, step, reaches)
    return _seen(line, step, slope, reaches)


def bend_at(line: Line, step: float, reaches: tuple[float, ...]) -> Array:
    """How far the second derivatives of both sides are from their mean, as the odd part of f around x shows it."""
    _climb(line, step, reaches)
    return 2 * _seen(line, step, None, reaches)


def _climb(line: Line, step: float, reaches: tuple[float, ...]) -> None:
    """Takes values at the rungs of the ladder, where too few pairs are known within the widest reach."""
    if len(_pairs(line, max(reaches) * step)) < POINTS:
        line.at([line.origin + sign * part * step for part in LADDER for sign in (1, -1)])


def _seen(line: Line, step: float, df: Array | None, reaches: tuple[float, ...]) -> Array:
    """The term of a kink in even parts around the slope `df`; without a slope, that of a bend in odd parts; 0 where unclear."""
    half, least = np.zeros(line.centre.shape), np.full(line.centre.shape, np.inf)
    for reach in reaches:
        pairs = _pairs(line, reach * step)
        if len(pairs) < POINTS:
            break
        above, below = (np.array(side) for side in zip(*pairs, strict=True))
        x, widest = line.origin, float((above[-1] - below[-1]) / 2)
        right, left = line.at(above.tolist()), line.at(below.tolist())
        slip = ((above - x) - (x - below)).reshape(-1, *[1] * line.centre.ndim)  # rounding has moved the nodes
        part = (right - left) / 2 if df is None else ((right - line.centre) + (left - line.centre) - df * slip) / 2
        size = np.maximum(np.abs(np.concatenate([right, left])).max(axis=0), line.measured / UNIT_ROUNDOFF)
        distances, powers = tuple(((above - below) / (2 * widest)).tolist()), BENDS if df is None else KINKS
        found, error = (over(term, widest, powers[0]) for term in _term(distances, part, size, powers))
        half, least = np.where(error < least, found, half), np.fmin(error, least)
    return np.where(np.abs(half) > CLEAR * least, np.abs(half), 0.0)


def _pairs(line: Line, reach: float) -> list[tuple[float, float]]:
    """Places within reach, above and below x and as far from it, at which f is known; the nearest first."""
    x, known = line.origin, line.known(reach)
    below = [place for place in reversed(known) if place < x]
    pairs, k = [], 0
    for place in known:
        distance = place - x
        while k < len(below) and x - below[k] < distance * (1 - ALIKE):
            k += 1
        if distance > 0 and k < len(below) and x - below[k] <= distance * (1 + ALIKE):
            pairs.append((place, below[k]))
    return pairs
