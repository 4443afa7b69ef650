"""Powers of complex numbers, for the complex step. They keep a tiny imaginary part beside a large real part."""

from __future__ import annotations

from typing import Any

import numpy as np

from adlab.primitives import numerics as num

SQUARED = 16
"""The largest exponent for which a complex power is multiplied out: five products and their roundings at most."""


def power_complex(a: Any, b: Any, shift: Any = 0) -> Any:
    """By the polar form |a|**b exp(ib·angle).

    For whole b the angle is measured from the negative axis: near π a tiny one is lost.
    """
    whole = np.equal(np.imag(b), 0) & np.equal(np.real(b), np.floor(np.real(b)))
    side = np.where(whole & np.less(a.real, 0), -1.0, 1.0)[()]
    size, angle = np.abs(a), np.arctan2(side * a.imag, side * a.real)
    turned = (b + shift) * angle + np.imag(b) * np.log(np.where(np.equal(size, 0), 1.0, size))
    sign = np.power(side, np.real(b)) * side**shift
    return sign * num.power_shifted_array(size, np.real(b), shift) * np.exp(1j * turned)


def power_integer_complex(a: Any, exponent: int) -> Any:
    """The power of a complex number. A small exponent is done by repeated squaring: then (ih)² is exactly real. By way of angles
    it would not be, since the cosine of a rounded π/2 is not quite 0."""
    if not 0 < exponent <= SQUARED:
        return power_complex(a, exponent)
    product, square = None, a
    while exponent:
        if exponent & 1:
            product = square if product is None else product * square
        exponent >>= 1
        square = square * square if exponent else square
    return product


def power_rational_complex(a: Any, exponent: Any) -> Any:
    return num.power_rational_array(np.abs(a), exponent) * np.exp(1j * float(exponent) * np.angle(a))
