"""How exact are the values of f? Measured from nothing but more of them.

A value is rounded once at the very least, which makes it wrong by up to u|f|; but (1 − cos x)/x² at 1e-3 has lost nine
digits on the way, and a function that works in single precision has eight to lose. A difference quotient must
know, for it divides these errors by h.

Noise and function are told apart by differences of neighbouring values: the k-th differences of a smooth f fall as
δᵏ with the spacing δ, those of noise grow as binomial sums of independent errors do, with mean square
(2k)!/(k!)² σ² (Hamming; Moré & Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33 (2011) 1292). So of the
table of differences the first level is sought from which on three in a row say the same σ.
"""

from __future__ import annotations

import math

import numpy as np

from adlab.differences.quotients import Array, Line, rounding

NODES = 9
CLOSE = 2.0**-12
GOLDEN = 1 + 5063 / 8192  # no simple fraction: binary32 values at nodes 64 of their ulps apart can all be rounded alike
NARROWEST = 4  # ulps of x: closer nodes are unevenly spaced
NEIGHBOURS = 16  # ulps of x
SMALLEST = 2.0**-960  # of x: ulps of less would underflow
LOUD = 2.0**-12  # of f: rounding seldom leaves less than three digits
LEVELS = 6
ALIKE = 4.0  # the σ of three levels in a row agree within this factor
HALF_WIDTH = math.sqrt(3.0)  # of errors spread evenly, in units of their σ


def measured_noise(line: Line, spacing: float) -> Array:
    """By how much values of f near x may be wrong, shape () or (m,): measured, and at the least their last rounding.

    Nine values are taken on a side of x, about `spacing` apart, and nine more closely, for roundings may fall into step
    with the nodes; the quieter side counts, since at x itself f may have a kink or a jump. What differs from node to node is
    seen; an error that all of them share is not.

    >>> line = Line(lambda x: float(np.float32(math.exp(x[0]))), [1.0], 0)
    >>> 2e-8 < measured_noise(line, 2.0**-12) < 4e-7      # single precision: half an ulp of e is 1.2e-7
    np.True_
    """
    heard = [found for side in (1, -1) if (found := _on_side(line, side, spacing)) is not None]
    return np.min(heard, axis=0) if heard else line.noise


def lasting_noise(line: Line, spacing: float) -> Array:
    """The noise measured at a spacing; where it is loud, no more than what is left of it among neighbouring floats.

    Waves shorter than the spacing look like noise, and are smooth nearer to x. Where f is the very same there, it goes in
    stairs, which show further out only.

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


def _on_side(line: Line, side: int, spacing: float) -> Array | None:
    """The larger of what two spacings show; `None` if f has no value at a node."""
    found, ulp = [], math.ulp(max(abs(line.origin), CLOSE * spacing))
    for part in (GOLDEN, GOLDEN * CLOSE):
        apart = max(round(part * spacing / ulp), NARROWEST) * ulp  # whole ulps: so the nodes are evenly spaced
        values = line.at([line.origin + side * k * apart for k in range(1, NODES + 1)])
        if not np.isfinite(values).all():
            return None
        found.append(np.maximum(HALF_WIDTH * _deviation(values), rounding(values)))
    return np.asarray(np.max(found, axis=0))


def _deviation(values: Array) -> Array:
    """σ by the first of three levels that agree, where differences change sign, as noise does; 0 where none do."""
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
