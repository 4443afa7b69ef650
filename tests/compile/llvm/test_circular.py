"""Sine and cosine of the same numbers, computed together: each right to an ulp, wherever the argument is."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

import adlab

pytest.importorskip("llvmlite")
BOTH = adlab.Function(["sin(x)", "cos(x)"]).compile("llvm")
RNG = np.random.default_rng(3)


def ulps(found: float, exact: mpmath.mpf) -> float:
    return float(abs(mpmath.mpf(found) - exact)) / float(np.spacing(abs(float(exact))))


@pytest.mark.parametrize("angles", [
    RNG.uniform(-1, 1, 64), RNG.uniform(-100, 100, 64), RNG.uniform(-1e6, 1e6, 64), 10.0 ** RNG.uniform(-60, 0, 64),
    math.pi / 2 * np.arange(-32, 32), math.pi / 2 * 1e4 * np.arange(-32, 32),
], ids=["small", "hundreds", "millions", "tiny", "quarters", "far quarters"])  # fmt: skip
def test_both_are_right_to_an_ulp(angles: np.ndarray) -> None:
    with mpmath.workprec(200):
        for angle, (sine, cosine) in zip(angles.tolist(), BOTH(angles[:, None]).tolist(), strict=True):
            exact = mpmath.mpf(angle)
            assert ulps(cosine, mpmath.cos(exact)) < 1
            assert angle == sine == 0 or ulps(sine, mpmath.sin(exact)) < 1


def test_zeros_keep_their_sign_and_a_number_beyond_the_polynomials_is_no_neighbours_affair() -> None:
    odd = [0.0, -0.0, 5e-324, -1e-300, 2.0**20, -1e18, math.inf, math.nan]
    angles = np.array([angle for each in odd for angle in (each, 0.5, 0.6, 0.7)] * 2)
    found = BOTH(angles[:, None])
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found, np.transpose([np.sin(angles), np.cos(angles)]), rtol=1e-15, atol=0)
    assert np.signbit(found[:12:4, 0]).tolist() == [False, True, False]


def test_small_numbers_raise_no_alarm() -> None:
    out, alarms = np.empty((64, 2)), list[bool]()
    BOTH._best.vouched_bind(10.0 ** RNG.uniform(-150, 0, (64, 1)), out, alarms.append)()
    assert not alarms
