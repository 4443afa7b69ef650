"""A batch is computed and looked through piece by piece: the same numbers, and no piece is overlooked."""

from __future__ import annotations

import numpy as np
import pytest

import adlab

pytest.importorskip("llvmlite")
from adlab.compile.llvm import entries


@pytest.mark.parametrize("place", [0, 63, 64, 200, 256, 299], ids=lambda place: f"row {place}")
def test_a_row_that_left_the_range_is_mended_in_any_piece(place, monkeypatch):
    monkeypatch.setattr(entries, "_NEAR", 1)  # 64 points in a piece
    program = adlab.Function("log(exp(x) + exp(y))*z").compile("llvm", "gradient")
    points = np.random.default_rng(2).uniform(-1, 1, (300, 3))
    points[place] = 800.0  # its exponentials overflow; its gradient is a number
    found = np.empty((300, 3))
    program.bind(points, found)()
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[place], [400.0, 400.0, 800.0 + np.log(2)], rtol=1e-14)


def test_pieces_give_the_numbers_of_the_whole(monkeypatch):
    program = adlab.Function("sin(x*y)/(1 + x**2)").compile("llvm", "gradient")
    points = np.random.default_rng(2).uniform(-1, 1, (1000, 2))
    whole = program(points)
    monkeypatch.setattr(entries, "_NEAR", 1)
    pieces = np.empty((1000, 2))
    program.bind(points, pieces)()
    np.testing.assert_array_equal(pieces, whole)
