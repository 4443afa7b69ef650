"""How exact the values of f are, measured from more of its values.

A value is rounded at least once, which makes it wrong by up to u|f|. But (1 − cos x)/x² at 1e-3 has lost nine digits on the
way, and a function in single precision has only eight. A difference quotient divides these errors by h, so it must know them.

Differences of neighbouring values tell noise and function apart. For spacing δ, the k-th differences of a smooth f fall as δᵏ.
Those of noise grow as binomial sums of independent errors do, with mean square (2k)!/(k!)² σ² (Hamming; Moré & Wild,
"Estimating computational noise", SIAM J. Sci. Comput. 33 (2011) 1292). So the difference table is searched for the first level
from which three in a row give the same σ.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from adlab.differences.quotients import Array, Line, rounding

Mask = npt.NDArray[np.bool_]

NODES = 9  # values: eight differences, from which the size of a random error is known to about a third
CLOSE = 2.0**-12  # relative to x: nodes so near see the noise, and hardly a change of f
GOLDEN = 1 + 5063 / 8192  # no simple fraction: binary32 values at nodes 64 of their ulps apart may all be rounded alike
NARROWEST = 4  # ulps of x: closer nodes are unevenly spaced
NEIGHBOURS = 16  # ulps of x: the spacing of neighbouring floats that are examined
SMALLEST = 2.0**-960  # of x: ulps of smaller numbers would underflow
LOUD = 2.0**-12  # of f: rounding seldom leaves less than three digits
LEVELS = 6
HEARD = 8.0  # times the last rounding: values that are less exact may hide waves
SCALES, MOST = 16.0, 16  # scales on which waves are looked for: each so many times finer than the last; how many at most
FARTHEST = 2.0**10  # times the distance at which f is smooth: where another slope must show
FINEST = 2.0**-40  # of the distance from x: as near as the place of a jump is found
ALIKE = 4.0  # the σ of three levels in a row agree within this factor; two slopes of one wave within as many errors
HALF_WIDTH = math.sqrt(3.0)  # of evenly spread errors, in units of their σ


def measured_noise(line: Line, spacing: float) -> Array:
    """The error that values of f near x may have, shape () or (m,): measured, and at least their last rounding.

    Nine values are taken on each side of x, about `spacing` apart, and nine more closely, since roundings may be in step with
    the nodes. The quieter side counts, since f may have a kink or a jump at x itself. Errors that differ from node to node are
    seen. An error that all nodes share is not.

    >>> line = Line(lambda x: float(np.float32(math.exp(x[0]))), [1.0], 0)
    >>> 2e-8 < measured_noise(line, 2.0**-12) < 4e-7      # single precision: half an ulp of e is 1.2e-7
    np.True_
    """
    heard = [found for side in (1, -1) if (found := _on_side(line, side, spacing)) is not None]
    return np.min(heard, axis=0) if heard else line.noise


def lasting_noise(line: Line, spacing: float) -> Array:
    """The noise measured at a spacing. Where it is loud: at most what is left of it among neighbouring floats.

    Waves shorter than the spacing look like noise, and are smooth nearer to x. Where f is the same at neighbouring floats it
    goes in stairs, which show further out only.

    >>> waves = Line(lambda x: math.sin(1e6 * x[0]), [1.0], 0)
    >>> measured_noise(waves, 1e-3) > 0.1, lasting_noise(waves, 1e-3) < 1e-9
    (np.True_, np.True_)
    """
    apart = NEIGHBOURS * math.ulp(max(abs(line.origin), SMALLEST))
    values = line.at([line.origin + side * apart for side in (-1, 1)])
    stairs = np.isfinite(values).all(axis=0) & (values == line.centre).all(axis=0)
    here = measured_noise(line, spacing)
    doubtful = ~stairs & (here > LOUD * np.abs(line.centre))
    return np.where(doubtful, np.minimum(here, measured_noise(line, apart)), here) if doubtful.any() else here


def waves(line: Line, slope: Array, within: Array, step: float) -> Array:
    """Whether `slope`, right to `within`, belongs to a stencil that has skipped waves: nearer to x, f is as smooth, and steeper.

    It is looked for among the floats next to x; where values are less exact than their last digit, on all scales up to the step,
    since faint waves look like noise. Rounded values may be smooth near x as well, between two jumps: (1 − cos x)/x² is. A jump
    stays, however near one looks.
    """
    nearest = NEIGHBOURS * math.ulp(max(abs(line.origin), SMALLEST))
    distances = [nearest]
    with np.errstate(all="ignore"):
        if np.any(line.measured > HEARD * rounding(line.at(line.known(step)))):
            distances += [step * SCALES**-k for k in range(1, MOST + 1) if step * SCALES**-k > nearest]
        found = np.zeros(line.centre.shape, dtype=bool)
        for apart in distances:
            if found.all():
                break
            other, near, off = _slope_near(line, slope, within, apart)
            if apart > nearest and other.any():  # one stair may pass for a slope, but not at two distances
                again, closer, _ = _slope_near(line, slope, within, apart / GOLDEN**3)
                other = np.logical_and.reduce([other, again, ALIKE * np.abs(closer - near) < off])
            for i in np.argwhere(other & ~found):
                at = tuple(int(k) for k in i)
                found[at] = not _jumps(line, at, float(near[at]), float(off[at]) / 2, apart)
    return found


def _slope_near(line: Line, slope: Array, within: Array, apart: float) -> tuple[Mask, Array, Array]:
    """Whether f is smooth among values so far apart, with a slope that is clearly another; that slope; how far it is off."""
    places = [line.origin + k * apart for k in (-2, -1, 1, 2)]
    values = line.at(places)
    left, right = ((line.centre - values[1]) / (line.origin - places[1]), (values[2] - line.centre) / (places[2] - line.origin))
    near, wider = (left + right) / 2, (values[3] - values[0]) / (places[3] - places[0])
    off = np.abs(near - slope)
    other = np.isfinite(values).all(axis=0) & (values != line.centre).all(axis=0)
    # Otherwise there is a jump at x, or the waves are too short for the distance of floats.
    other &= ALIKE * np.maximum(np.abs(right - left), np.abs(wider - near)) < off
    other &= off > ALIKE * within + ALIKE * rounding(values) / apart
    if other.any():
        other &= off > ALIKE * within + ALIKE * measured_noise(line, apart) / apart
    return other, near, off


def _jumps(line: Line, i: tuple[int, ...], slope: float, off: float, apart: float) -> bool:
    """Whether f leaves its slope at x by a jump: a secant from x that differs by `off` is sought, then the place where it does.

    The way there is halved until two floats are left. A wave rises by half as much in half the interval, a jump by as much.
    """

    def beyond(distance: float) -> float:
        return float(line.at([line.origin + distance])[(0, *i)] - line.centre[i] - slope * distance)

    high, least = 2 * apart, math.ulp(max(abs(line.origin), SMALLEST))
    while abs(above := beyond(high)) < off * high and high < max(CLOSE * abs(line.origin), FARTHEST * apart):
        high *= 2
    low = high / 2
    below = beyond(low)
    rise = abs(above - below)
    while high - low > max(least, FINEST * high):
        middle = low + (high - low) / 2
        between = beyond(middle)
        if abs(between - below) >= abs(above - between):
            high, above = middle, between
        else:
            low, below = middle, between
    return not abs(above - below) < rise / ALIKE  # a value that is no number counts as a jump


def _on_side(line: Line, side: int, spacing: float) -> Array | None:
    """The larger noise that two spacings show; None if f has no value at a node."""
    found, ulp = [], math.ulp(max(abs(line.origin), CLOSE * spacing))
    for part in (GOLDEN, GOLDEN * CLOSE):
        apart = max(round(part * spacing / ulp), NARROWEST) * ulp  # whole ulps, so the nodes are evenly spaced
        values = line.at([line.origin + side * k * apart for k in range(1, NODES + 1)])
        if not np.isfinite(values).all():
            return None
        found.append(np.maximum(HALF_WIDTH * _deviation(values), rounding(values)))
    return np.asarray(np.max(found, axis=0))


def _deviation(values: Array) -> Array:
    """σ from the first of three levels that agree, where differences change sign as noise does; 0 where there are none."""
    table, levels, turns = values, [], []
    for k in range(1, LEVELS + 1):
        table = np.diff(table, axis=0)
        levels.append(np.sqrt(np.mean(table**2, axis=0) / math.comb(2 * k, k)))
        turns.append((table.min(axis=0) < 0) & (table.max(axis=0) > 0))
    found = np.zeros(values.shape[1:])
    for k in reversed(range(LEVELS - 2)):
        three = np.array(levels[k : k + 3])
        agree = turns[k] & (three.max(axis=0) <= ALIKE * three.min(axis=0))
        found = np.where(agree, levels[k], found)
    return found
