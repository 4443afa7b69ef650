"""A batch is computed and looked through piece by piece: the same numbers, and no piece is overlooked."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import adlab

pytest.importorskip("llvmlite")
from adlab.compile.llvm import engine, kernel, pieces, store
from adlab.compile.llvm.kernel import LlvmKernel


@pytest.mark.parametrize("place", [None, 0, 31, 32, 63, 64, 200, 256, 299], ids=lambda place: f"row {place}")
def test_a_row_without_a_value_is_seen_in_any_piece(place, monkeypatch):
    monkeypatch.setattr(pieces, "FIRST", 1)  # 32 points in a piece
    points, out, asked = np.ones((300, 2)), np.empty((300, 1)), []
    if place is not None:
        points[place] = -1.0
    LlvmKernel(adlab.Function("log(x)*y").graph, "fast").vouched_bind(points, out, asked.append)()
    assert asked == ([] if place is None else [False])  # False: no number left the range


def test_pieces_give_the_numbers_of_the_whole(monkeypatch):
    program = adlab.Function("sin(x*y)/(1 + x**2)").compile("llvm", "gradient")
    points = np.random.default_rng(2).uniform(-1, 1, (1000, 2))
    whole = program(points)
    monkeypatch.setattr(pieces, "FIRST", 1)
    found = np.empty((1000, 2))
    program.bind(points, found)()
    np.testing.assert_array_equal(found, whole)


def test_a_large_program_is_the_same_function_as_a_small_one(monkeypatch):
    f, points = adlab.gallery.helmholtz(10), np.random.default_rng(3).uniform(0.01, 0.05, (100, 10))
    slopes = f.derivative().graph
    careful = LlvmKernel(slopes, "fast").batch(points)
    monkeypatch.setattr(kernel, "LARGE", len(slopes.operations) - 1)
    soon, short = LlvmKernel(slopes, "fast"), []
    compiled = engine.compiled
    monkeypatch.setattr(store, "programs", False)
    monkeypatch.setattr(engine, "compiled", lambda *given: short.append(given[2]) or compiled(*given))
    np.testing.assert_allclose(soon.batch(points), careful, rtol=1e-12)
    np.testing.assert_allclose(soon.call(*points[0]), careful[0], rtol=1e-12)
    assert short == [True, True]  # its two kernels, the one for a point and the one for batches, were not optimised


def test_numbers_that_are_computed_alike_in_one_vector_are_the_same(monkeypatch):
    """A Jacobian by rows, of entries that are constant and others, at one point."""
    x = sympy.symbols("x1:31", real=True)
    f = adlab.Function([a * (3 - 2 * a) - 5 * b + sympy.sin(c) for a, b, c in zip(x, x[1:], x[2:], strict=False)], x)
    point, packed = np.linspace(-1, 2, 30), []
    compiled = engine.compiled
    monkeypatch.setattr(store, "programs", False)
    monkeypatch.setattr(engine, "compiled", lambda *given: packed.append(given[3]) or compiled(*given))
    program = f.compile("llvm", "jacobian", sparse=True)
    found = np.empty(len(program.rows))
    program.bind(point, found)()
    np.testing.assert_allclose(found, f.jacobian(point)[program.rows, program.columns], rtol=1e-15)
    assert packed == [True]


def test_outputs_that_repeat_are_mended_together():
    f = adlab.Function([f"log(x{i})*exp(x{i + 1})*exp(-x{i + 1} - 1)" for i in range(1, 36)])
    program = f.compile("llvm", "jacobian")  # 35 × 36 entries, nearly all of them the same 0
    ordinary, beyond = np.full(f.n, 2.0), np.full(f.n, 2.0)
    beyond[5] = 800.0  # exp(800) is beyond binary64, and exp(800)*exp(-801) is not
    outside = np.where(np.arange(f.n) == 3, -1.0, 2.0)
    points, found = np.array([ordinary, beyond, outside]), np.empty((3, f.m, f.n))
    program.bind(points, found.reshape(3, -1))()
    np.testing.assert_allclose(found[:2], [f.jacobian(ordinary), f.jacobian(beyond)], rtol=1e-12)
    assert np.isnan(found[2]).any(axis=1).nonzero()[0].tolist() == [3]  # of the rows only that of log(x4), which is log(-1)
    np.testing.assert_array_equal(np.array(program.call(*beyond)).reshape(f.m, f.n), found[1])
    alone = np.empty((f.m, f.n))
    program.bind(beyond.copy(), alone.reshape(-1))()
    np.testing.assert_array_equal(alone, found[1])


@pytest.mark.parametrize("length", [1, 7, 8, 9, 63, 64, 65, 72, 75, 130])
def test_every_result_of_a_point_is_looked_at(length):
    """The look takes 64 numbers at a time, then 8, then one."""
    f, asked = adlab.Function([f"2*x{i}" for i in range(length)]), []
    point, out = np.ones((1, length)), np.empty((1, length))
    step = LlvmKernel(f.graph, "fast").vouched_bind(point, out, asked.append)
    step()
    assert not asked
    for place in range(length):
        for odd in (np.nan, np.inf):
            point[0, place] = odd
            step()
            assert asked.pop() is False
        point[0, place] = 1.0
