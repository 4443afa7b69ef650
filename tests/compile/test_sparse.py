"""Sparse Jacobians and Hessians: the dense ones without their zeros, compiled, in batches, and by few sweeps."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import adlab

BACKENDS = ["python", "numpy", "auto"]
N = 12


def letters(n: int) -> list[str]:
    return [f"x{i}" for i in range(1, n + 1)]


CHAIN = adlab.gallery.rosenbrock(N)
ARROW = adlab.Function("x1**2*(" + " + ".join(f"sin(x{i})" for i in range(2, N + 1)) + ")", letters(N))
BAND = adlab.Function([f"x{i}**2*exp(x{min(i + 1, N)}) - x{max(i - 1, 1)}" for i in range(1, N + 1)], letters(N))
BRANCH = adlab.Function(["Piecewise((log(x1)*x2, x1 > 0), (x2**2, True))", "Abs(x3)*x1", "sqrt(x2)", "3"], letters(3))
POINT = np.linspace(0.5, 1.5, N)


def dense(matrix) -> np.ndarray:
    return matrix.toarray()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("f", [BAND, ARROW, CHAIN], ids=["band", "arrow", "chain"])
def test_a_compiled_sparse_jacobian_is_the_dense_one(f, backend) -> None:
    program = f.compile(backend, "value_and_jacobian", sparse=True)
    value, matrix = program(POINT)
    np.testing.assert_allclose(value, f(POINT), rtol=1e-14)
    np.testing.assert_allclose(dense(matrix), f.jacobian(POINT), rtol=1e-14)
    batch = f.compile(backend, "jacobian", sparse=True)(np.stack([POINT, POINT + 0.1]))
    assert batch.shape == (2, f.m, N)
    np.testing.assert_allclose(dense(batch)[1], f.jacobian(POINT + 0.1), rtol=1e-14)
    np.testing.assert_allclose(dense(batch[0]), f.jacobian(POINT), rtol=1e-14)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("f", [ARROW, CHAIN], ids=["arrow", "chain"])
def test_a_compiled_sparse_hessian_is_the_dense_one_with_few_entries(f, backend) -> None:
    program = f.compile(backend, "hessian", sparse=True)
    np.testing.assert_allclose(dense(program(POINT)), f.hessian(POINT), rtol=1e-13, atol=1e-13)
    assert len(program.places) == 3 * N - 2
    chosen = f.compile(backend, "hessian", sparse=True, wrt=["x2", "x1"])
    np.testing.assert_allclose(dense(chosen(POINT)), f.hessian(POINT)[np.ix_([1, 0], [1, 0])], rtol=1e-13)


def test_entries_that_do_not_exist_are_nan_and_their_neighbours_are_not() -> None:
    program = BRANCH.compile("python", "jacobian", sparse=True)
    rows = [[1.0, 2.0, 0.5], [-1.0, 2.0, 0.0], [2.0, -1.0, 0.5], [1.0, 1e-320, 1e-200]]
    expected = BRANCH.compile("python", "jacobian")(rows)[:, program.rows, program.columns]
    np.testing.assert_allclose(program(rows).values, expected, rtol=1e-14)
    assert np.isnan(dense(program(rows[2]))[2, 1])
    assert np.isnan(dense(program(rows[2]))).sum() == 1


def test_a_hessian_from_few_sweeps() -> None:
    for f, colors in ((ARROW, 2), (CHAIN, 3), (adlab.Function("x1*x2*x3*x4"), 4), (adlab.Function("x1 + x2**3"), 1)):
        at = np.linspace(0.5, 1.5, f.n)
        found = f.hessian(at, sparse=True)
        np.testing.assert_allclose(dense(found), f.hessian(at), rtol=1e-12, atol=1e-13)
        assert f.hessian_coloring.sweeps == colors
        assert (found.sweeps, found.pattern) == (colors, f.hessian_coloring.pattern)
    assert "instead of 12" in CHAIN.hessian_coloring.reason


def test_a_sparse_program_is_saved_copied_and_pickled(tmp_path) -> None:
    program = BAND.compile("python", "jacobian", sparse=True, wrt=["x3", "x1"])
    assert (program.backend, program.n) == ("python", N)
    program.save(tmp_path / "p.json")
    for again in (adlab.load(tmp_path / "p.json"), pickle.loads(pickle.dumps(program)), copy.deepcopy(program)):
        assert np.array_equal(dense(again(POINT)), dense(program(POINT)))


def test_sparse_is_for_matrices_of_one_function() -> None:
    with pytest.raises(adlab.OptionError, match="sparse=True is for"):
        BAND.compile(derivative="jvp", sparse=True)
    with pytest.raises(adlab.MethodError, match="one output"):
        BAND.compile(derivative="hessian", sparse=True)
