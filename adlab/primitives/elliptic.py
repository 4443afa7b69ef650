"""Legendre's elliptic integrals F, E and Π, and their derivatives by the parameter m and the characteristic ν, on floats.

With v = 1/sin²θ each of them is an integral of powers over t = v sin²φ − 1, from 0 to ∞ (DLMF 19.25 and 19.16, where Carlson's
integrals are such):

    sin^(1 + 2a + 2b) φ / 2 · ∫ (t + 1)^p (t + cos²φ)^(−1/2) (t + Δ)^q (t + Λ)^(−1 − a) dt,  Δ = 1 − m sin²φ,  Λ = 1 − ν sin²φ.

All factors are positive, so nothing cancels, whatever the order of derivative is. In log t the integrand is analytic in a strip
of half-width π and decays exponentially, so the trapezoidal rule converges exponentially, too: at the step below its error is
beyond a double's digits (Trefethen and Weideman, SIAM Review 56, 2014).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adlab.precision import CONTEXT, working
from adlab.primitives.numerics import Array

STEP = 0.375
"""The step in log t. The rule leaves about exp(−2π · π/step) = 1e-22 of the integral, and 2π/step times that for each order."""
DECADES = 80.0
"""So far the nodes go beyond the smallest and the largest factor, in log t. There √t or 1/√t, as it decays, is below 1e-17."""
SMALLEST = 5e-324  # cos²φ = 0 has no logarithm
TOGETHER = 256
"""Points of a batch that are computed at once, each at several hundred nodes: their table stays in the processor's cache."""
Kind = tuple[float, float, float]
"""The exponents p, q and −1 − a of the formula above; the last one is not used where there is no ν."""
BITS = 160
"""Bits for 1 − m sin²φ where it cancels: twice those of binary64, and some beside a zero that lies between two doubles."""


def gap(angle: Array, m: Array) -> Array:
    """1 − m sin²φ, as cos²φ + (1 − m) sin²φ, a sum of positive numbers. For m > 1, where it cancels, with more bits."""
    with np.errstate(all="ignore"):
        plain = np.cos(angle) ** 2 + (1 - m) * np.sin(angle) ** 2
    return np.where(m > 1, _longer(angle, m), plain)[()] if np.any(m > 1) else plain


def _exactly(angle: float, m: float) -> float:
    if not (m > 1 and math.isfinite(angle) and math.isfinite(m)):
        return math.nan
    with working(BITS + max(0, math.frexp(angle)[1])):
        return float(1 - CONTEXT.mpf(m) * CONTEXT.sin(CONTEXT.mpf(angle)) ** 2)


def _longer(angle: Array, m: Array) -> Array:
    return np.asarray(np.frompyfunc(_exactly, 2, 1)(angle, m), dtype=float)


def _turns(angle: Array) -> Array:
    """The k for which |φ − kπ| ≤ π/2, by the sign of cos φ where φ/π is rounded to the wrong side."""
    whole = np.rint(angle / math.pi)
    wrong = (whole % 2 == 0) != (np.cos(angle) >= 0)
    return np.where(wrong, whole + np.where(angle / math.pi > whole, 1.0, -1.0), whole)


def _powers(sine: Array, cosine2: Array, delta: Array, pole: Array | None, kind: Kind, orders: int) -> Array:
    """The integral of the head of this file: `kind` has the exponents p, q and −1 − a, `orders` is a + b."""
    p, q, w = kind
    factors = [delta] if pole is None else [delta, pole]
    low = np.log(np.minimum.reduce([np.ones_like(sine), np.maximum.reduce([cosine2, np.full_like(sine, SMALLEST)]), *factors]))
    low = np.maximum(low, np.log(np.minimum.reduce([np.ones_like(sine), *factors]))) if q < 0 else np.zeros_like(sine)
    high = np.log(np.maximum.reduce([np.ones_like(sine), *factors]))
    count = int((np.max(high - low) + 2 * DECADES) / STEP)
    t = np.exp(low[..., None] - DECADES + STEP * np.arange(count))
    product = t * (t + 1) ** p / np.sqrt(t + cosine2[..., None]) * (t + delta[..., None]) ** q
    if pole is not None:
        product = product * (t + pole[..., None]) ** w
    return sine ** (1 + 2 * orders) / 2 * STEP * np.sum(product, axis=-1)


def _at(angle: Array | None, m: Array, characteristic: Array | None, kind: Kind, orders: int) -> Array:
    """The integral from 0 to φ, or to π/2 for None: by the part beyond the nearest multiple of π, and whole half-periods."""
    one = np.ones_like(m)
    if angle is None:
        return _powers(one, 0 * one, 1 - m, None if characteristic is None else 1 - characteristic, kind, orders)
    turns, sine = _turns(angle), np.sin(angle)
    pole = None if characteristic is None else gap(angle, characteristic)
    found = _powers(np.abs(sine), np.cos(angle) ** 2, gap(angle, m), pole, kind, orders)
    found = np.where((sine < 0) != (turns % 2 != 0), -found, found)
    around = np.flatnonzero(turns)  # only there m and ν are below 1, so that the whole half-periods have a value
    if around.size:
        beyond = None if characteristic is None else characteristic[around]
        found[around] += 2 * turns[around] * _at(None, m[around], beyond, kind, orders)
    return found


def _real(angle: Array | None, m: Array, characteristic: Array | None, whole: bool) -> Array:
    """Where the integral is real: its integrand has no pole and no negative root on the way. With `whole` it may end in one."""
    far = np.zeros(m.shape, dtype=bool)
    near = far if angle is None else np.abs(angle) <= math.pi / 2

    def between(k: Array) -> Array:
        return (k < 1) | (far if angle is None else near & (gap(angle, k) > 0))

    inside = between(m) | ((m == 1) & whole)
    return inside if characteristic is None else inside & between(characteristic)


def computed(kind: Callable[[int, int], Kind], *, angle: bool, pole: bool) -> Callable[..., Any]:
    """The function of arrays whose last argument is the order: b by m, or 2^a 3^b for a times by ν and b times by m."""

    def over_array(*given: Any) -> Any:
        *operands, order = given
        a, b = split(order) if pole else (0, int(order))
        exponents = kind(a, b)
        shape = np.broadcast_shapes(*map(np.shape, operands))
        rows = np.array([np.broadcast_to(np.asarray(operand, dtype=float), shape).ravel() for operand in operands])
        found = np.full(rows.shape[1], math.nan)
        with np.errstate(all="ignore"):
            real = np.flatnonzero(np.isfinite(rows).all(axis=0) & _real(*_named(rows, angle, pole), whole=exponents[1] >= 0.5))
            for start in range(0, len(real), TOGETHER):
                here = real[start : start + TOGETHER]
                found[here] = scale(exponents[1] + b, a, b) * _at(*_named(rows[:, here], angle, pole), exponents, a + b)
        return found.reshape(shape)[()]

    return over_array


def _named(rows: Array, angle: bool, pole: bool) -> tuple[Array | None, Array, Array | None]:
    """The angle, m and ν, in this order, of operands in SymPy's order."""
    return rows[-2] if angle else None, rows[-1], rows[0] if pole else None


def scalar(array: Callable[..., Any]) -> Callable[..., float]:
    """The function of floats that goes with one of arrays."""
    return lambda *given: float(array(*given))


def split(order: int) -> tuple[int, int]:
    """The a and b of 2^a 3^b.

    >>> split(12)
    (2, 1)
    """
    a = (int(order) & -int(order)).bit_length() - 1
    return a, round(math.log(int(order) >> a, 3))


def scale(power: float, a: int, b: int) -> float:
    """The factor that b derivatives of (1 − m s²)^power and a of (1 − ν s²)^−1 leave before powers of s."""
    factor = float(math.factorial(a))
    for k in range(b):
        factor *= k - power
    return factor


first = computed(lambda a, b: (-0.5, -0.5 - b, 0.0), angle=True, pole=False)
second = computed(lambda a, b: (-1.5, 0.5 - b, 0.0), angle=True, pole=False)
third = computed(lambda a, b: (0.5, -0.5 - b, -1.0 - a), angle=True, pole=True)
complete_third = computed(lambda a, b: (0.5, -0.5 - b, -1.0 - a), angle=False, pole=True)
