"""Sigmoid, softplus and logaddexp for floats, arrays and complex numbers: sums of exponentials without overflow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adlab.primitives.numerics import NAN, Array, elementwise, two_sum
from adlab.primitives.special import rounded_once


def sigmoid(a: float) -> float:
    """1/(1 + exp(-a)), computed with the exponential that decays."""
    if a >= 0:
        return 1 / (1 + math.exp(-a))
    growing = math.exp(a)
    return growing / (1 + growing)


def sigmoid_array(a: Array) -> Array:
    decay = np.exp(-np.abs(a))
    return np.where(np.greater_equal(a, 0), 1.0, decay) / (1 + decay)


def sigmoid_complex(a: Any) -> Any:
    return _share_complex(sigmoid_array(a.real), sigmoid_array(-a.real), a.imag)


def _share_complex(s: Any, q: Any, t: Any) -> Any:
    """s exp(it)/(q + s exp(it)) for s + q = 1, without a subtraction that cancels."""
    size = q * q + 2 * s * q * np.cos(t) + s * s
    return (s * s + s * q * np.cos(t)) / size + 1j * (s * q * np.sin(t) / size)


def softplus(a: float) -> float:
    """log(1 + exp(a)) without overflow."""
    return max(a, 0.0) + math.log1p(math.exp(-abs(a))) if a == a else a


def softplus_array(a: Array) -> Array:
    return np.maximum(a, 0.0) + np.log1p(np.exp(-np.abs(a)))


def softplus_complex(a: Any) -> Any:
    return logaddexp_complex(a, np.zeros_like(a))


def log1p_complex(a: Any) -> Any:
    """log(1 + a) of a complex number. NumPy's function loses a small real part."""
    slope = a.imag / (1 + a.real)
    near = np.log1p(a.real) + 0.5 * np.log1p(np.square(slope)) + 1j * np.arctan(slope)
    return np.where(np.real(a) > -1, near, np.log(1 + a))


def exp2_complex(a: Any) -> Any:
    return np.exp2(a.real) * np.exp(1j * math.log(2) * a.imag)


def logaddexp(a: float, b: float) -> float:
    """log(exp(a) + exp(b)) without overflow. Near 0, where two terms cancel, the precision is doubled."""
    if a != a or b != b:
        return NAN
    larger = max(a, b)
    if a == b and math.isinf(a):
        return a
    value = larger + math.log1p(math.exp(-abs(a - b)))
    return value if abs(value) >= -0.5 * larger else _log_of_sum(a, b)


def _log_of_sum(a: float, b: float) -> float:
    return rounded_once(lambda m: m.log(m.exp(m.mpf(a)) + m.exp(m.mpf(b))))


def logaddexp_array(a: Array, b: Array) -> Array:
    larger = np.maximum(a, b)
    value = np.where(np.isinf(a) & np.equal(a, b), larger, larger + np.log1p(np.exp(-np.abs(a - b))))
    close = np.abs(value) < -0.5 * larger
    if np.any(close):
        value = np.where(close, _LOGADDEXP(np.where(close, a, 0.0), np.where(close, b, 0.0)), value)
    return value[()]


_LOGADDEXP = elementwise(logaddexp, 2)


def logaddexp_complex(a: Any, b: Any) -> Any:
    """log of p exp(is) + q exp(it): both shares turned by their angles, added to the real value."""
    p, q = share_array(a.real, b.real), share_array(b.real, a.real)
    shrunk = -2 * (p * np.square(np.sin(a.imag / 2)) + q * np.square(np.sin(b.imag / 2)))
    turned = p * np.sin(a.imag) + q * np.sin(b.imag)
    size = 0.5 * np.log1p(2 * shrunk + np.square(shrunk) + np.square(turned))
    return logaddexp_array(a.real, b.real) + size + 1j * np.arctan2(turned, 1 + shrunk)


def expover(a: float) -> float:
    """exp(a)/a. exp(a) alone may overflow where the quotient does not."""
    half = math.exp(a / 2)
    return half / a * half


def expover_array(a: Array) -> Array:
    half = np.exp(a / 2)
    return np.divide(half, a) * half


def share(a: float, b: float) -> float:
    """exp(a)/(exp(a) + exp(b)), from the exact difference of a and b: a rounded difference of hundreds would cost hundreds of
    ulps."""
    difference, rest = two_sum(a, -b)
    value = sigmoid(difference)
    return value + value * sigmoid(-difference) * rest if math.isfinite(rest) else value


def share_array(a: Array, b: Array) -> Array:
    difference, rest = two_sum(a, -b)
    value = sigmoid_array(difference)
    return np.where(np.isfinite(rest), value + value * sigmoid_array(-difference) * rest, value)[()]


def sharing(a: float, b: float) -> float:
    """The shares of exp(a) and exp(b) in their sum, multiplied."""
    return share(a, b) * share(b, a)


def sharing_array(a: Array, b: Array) -> Array:
    return share_array(a, b) * share_array(b, a)


def sharing_complex(a: Any, b: Any) -> Any:
    """p/(1 - 2(1 - 2p) sin²(t/2) + i tanh(d/2) sin t) for a - b = d + it and the real value p: no two terms cancel."""
    p, t = sharing_array(a.real, b.real), a.imag - b.imag
    return p / (1 - 2 * (1 - 2 * p) * np.square(np.sin(t / 2)) + 1j * (np.tanh((a.real - b.real) / 2) * np.sin(t)))


def share_complex(a: Any, b: Any) -> Any:
    return _share_complex(share_array(a.real, b.real), share_array(b.real, a.real), a.imag - b.imag)
