"""Several divisions by one number share its reciprocal, and each is rounded as a division is."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import adlab

pytest.importorskip("llvmlite")

RATIOS = adlab.Function(["x1/x4", "x2/x4", "x3/x4"])


def test_a_shared_divisor_costs_no_digits() -> None:
    """At most 0.501 ulp from the exact quotient, over many decades and for both signs."""
    rng = np.random.default_rng(3)
    points = rng.choice([-1.0, 1.0], (3000, 4)) * 10 ** rng.uniform(-60, 60, (3000, 4))
    found = RATIOS.compile("llvm")(points)
    for point, row in zip(points, found, strict=True):
        for a, quotient in zip(point[:3], row, strict=True):
            error = abs(Fraction(quotient) - Fraction(a) / Fraction(point[3]))
            assert error <= Fraction(501, 1000) * Fraction(np.spacing(abs(quotient)))


@pytest.mark.parametrize("divisor", [1e-310, 5e-324, 1e-308, 1.7e308, 3e-300, 1e300])
def test_a_divisor_at_the_end_of_the_range_gives_the_quotients_to_the_last_digit(divisor: float) -> None:
    points = np.array([[divisor, 3 * divisor if divisor < 1 else divisor / 3, 0.0, divisor]] * 9)
    found = RATIOS.compile("llvm")(points)
    np.testing.assert_allclose(found, points[:, :3] / divisor, rtol=2.3e-16)


def test_nothing_is_divided_by_zero() -> None:
    points = np.array([[1.0, 0.0, -1.0, 0.0], [1.0, 2.0, 3.0, 4.0]] * 9)
    found = RATIOS.compile("llvm")(points)
    assert np.isnan(found[::2]).all()
    np.testing.assert_array_equal(found[1::2], [[0.25, 0.5, 0.75]] * 9)
