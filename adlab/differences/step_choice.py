"""How a step is chosen: by hand, in proportion to x, by a search, or at the optimum of the error model.

The model E(h) = A/hᵈ + C hᵖ needs two unknown numbers: how wrong a value of f is, and how large the derivative in the
truncation error is. Both can be measured. Better knowledge replaces them, such as the noise |f₆₄ − f| from high-precision
values, or the true derivative. With the latter the step is the *oracle's*, which no method that sees values alone can have.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adlab.differences.noise import GOLDEN, measured_noise
from adlab.differences.quotients import Array, Line, over, quotient
from adlab.differences.stencils import Stencil
from adlab.differences.step_models import TYPICAL_SCALE, ErrorModel, default_steps, relative_step
from adlab.errors import OptionError

MODES = ("auto", "relative", "model", "oracle")
CLEAR = 8.0  # the truncation error is visible if it is so many times the noise
WIDEN = 4.0
SINGLE = 2.0**-24  # of f: half an ulp of binary32, at most
AROUND = 4  # values on each side of x: as many as a float needs to show rounding to binary32
ODD = 1 + 2.0**-20 + 2.0**-28  # a step longer by this has more bits than binary32 holds
FINER = 2.0**-6  # the search for the truncation error starts this far below the default step


def step_of(
    line: Line,
    stencil: Stencil,
    mode: str,
    noise: float | Array | None = None,
    derivative: float | Array | None = None,
) -> float | None:
    """The step of a mode; None for "auto", which is a search. Raises `OptionError` for an unknown mode.

    "relative" is u^(1/(p+d)) times |x|. "model" is the optimum for the `noise` of f and its derivative of order p + d; each is
    measured if it is not given. "oracle" is the same, but the derivative must be given.

    >>> from adlab.differences.stencils import scheme
    >>> line = Line(lambda x: float(np.exp(x[0])), [1.0], 0)
    >>> step_of(line, scheme("central-difference"), "relative") == 2.0**-18
    True
    >>> h = step_of(line, scheme("central-difference"), "oracle", derivative=np.e)      # in theory, 6.9e-6
    >>> 3e-6 < h < 2e-5
    True
    """
    if mode not in MODES:
        raise OptionError(f"no way to choose a step is called {mode!r}; there are {', '.join(MODES)}, or give a number")
    if mode == "auto":
        return None
    relative = relative_step(stencil.order, stencil.derivative)
    if mode == "relative":
        return default_steps(line.origin, relative)[0]
    if mode == "oracle" and derivative is None:
        raise OptionError(f"an oracle must be told the derivative of order {stencil.order + stencil.derivative}")
    return _optimum(models(line, stencil, noise, derivative), line, relative)


def noise_of_single_precision(line: Line, stencil: Stencil) -> Array | None:
    """The error of a value of f if f seems to be computed in binary32, because all its values are such numbers; else None.

    >>> from adlab.differences.stencils import scheme
    >>> single = Line(lambda x: float(np.exp(np.float32(x[0]))), [1.0], 0)
    >>> 1 < noise_of_single_precision(single, scheme("central-difference")) / (2.0**-25 * np.e) < 4
    np.True_
    """
    h = default_steps(line.origin, relative_step(stencil.order, stencil.derivative))[0]
    odd = line.origin + h * ODD  # not a binary32 number, so a polynomial computed in binary64 has none as its value there
    if not (_single(np.append(line.values(stencil, h).ravel(), line.centre)) and _single(line.at([odd]))):
        return None
    spacing = min(default_steps(line.origin, relative_step(2)))
    around = line.at([line.origin + k * GOLDEN * spacing for k in range(-AROUND, AROUND + 1)])
    steps = np.count_nonzero(np.diff(around, axis=0), axis=0)
    if not _single(around) or np.any(steps < AROUND):  # a constant is exact, and so are both sides of a jump
        return None
    slope = np.ptp(around, axis=0) / (2 * AROUND * GOLDEN * spacing)
    rounded = SINGLE * (np.abs(line.centre) + np.abs(line.origin) * slope)  # the rounding of the value, and of x before it
    noise: Array = np.maximum(measured_noise(line, spacing), rounded)
    line.heard(noise)
    return np.asarray(noise)


def hear_single_precision(line: Line, stencil: Stencil, h: float | None) -> None:
    """Tells the line how wrong values of f in binary32 are at the nodes of a step: they may be much larger than f(x), as at 0."""
    if h is None:
        return
    nodes, values = line.nodes(stencil, h), line.values(stencil, h)
    slope = np.ptp(values, axis=0) / np.ptp(nodes)
    line.heard(SINGLE * (np.abs(values).max(axis=0) + np.abs(nodes).max() * slope))


def _single(values: Array) -> bool:
    """Whether all are finite numbers of binary32."""
    return bool(np.isfinite(values).all() and np.all(values.astype(np.float32) == values))


def models(
    line: Line, stencil: Stencil, noise: float | Array | None = None, derivative: float | Array | None = None
) -> list[ErrorModel]:
    """The error model of each output. What is not given is measured."""
    if noise is None:
        noise = measured_noise(line, min(default_steps(line.origin, relative_step(2))))
    if derivative is None:
        derivative = _seen_derivative(line, stencil, np.asarray(noise))
    pairs = np.broadcast_arrays(np.abs(noise), np.abs(derivative), line.centre)[:2]
    return [ErrorModel(stencil, float(e), float(d)) for e, d in zip(pairs[0].flat, pairs[1].flat, strict=True)]


def _optimum(found: Sequence[ErrorModel], line: Line, relative: float) -> float:
    """The smallest of the optimal steps, at most the scale of x and at least what the spacing of floats allows."""
    finest = min(default_steps(line.origin, 2.0**-60))
    largest = max(abs(line.origin), TYPICAL_SCALE) / 2
    steps = [model.optimal_step for model in found if 0 < model.optimal_step < np.inf]
    return float(np.clip(min(steps, default=max(default_steps(line.origin, relative))), finest, largest))


def _seen_derivative(line: Line, stencil: Stencil, noise: Array) -> Array:
    """|f⁽ᵖ⁺ᵈ⁾|, from the first step, going up, whose truncation error clearly exceeds the noise; else from the last step."""
    p, d = stencil.order, stencil.derivative
    h = min(default_steps(line.origin, relative_step(p, d))) * FINER
    found = np.zeros(line.centre.shape)
    while h <= max(abs(line.origin), TYPICAL_SCALE):
        seen = quotient(line, stencil, h)
        h *= WIDEN
        if seen is None and found.any():
            break
        if seen is None:
            continue
        found = seen.truncation / (abs(float(stencil.truncation)) * np.float64(seen.step) ** p)
        if np.all(seen.truncation > CLEAR * over(float(stencil.amplification) * noise, seen.step, d)):
            break
    return found
