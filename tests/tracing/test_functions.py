"""NumPy's and math's functions of arrays: a traced function has NumPy's value, and the slope of NumPy's values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adlab
from adlab.errors import AdlabError, TracingError

A = np.array([[2.0, -1.0, 0.5], [0.3, 1.7, 0.2], [-0.4, 0.6, 3.1]])
W = np.cos(np.arange(24.0) ** 2)
"""Weights, so that no entry of an array is lost in a plain sum."""


def matrix(x: Any) -> Any:
    return x.reshape(2, 3)


def positive(x: Any) -> Any:
    return np.outer(x[:3], x[:3]) + 2 * np.eye(3)


SAMPLES: dict[str, Callable[[Any], Any]] = {
    "diff before and after": lambda x: np.diff(x, prepend=0.5, append=x[0]),
    "second diff of rows": lambda x: np.diff(matrix(x), n=2, axis=1),
    "gradient": lambda x: np.gradient(x),
    "gradient at a spacing": lambda x: np.gradient(x, 0.3, edge_order=2),
    "gradient at places": lambda x: np.gradient(x, np.array([0, 0.5, 2, 2.5, 4, 7.0])),
    "gradient at places, parabolas at the ends": lambda x: np.gradient(x, np.array([0, 0.5, 2, 2.5, 4, 7.0]), edge_order=2),
    "gradient at traced places": lambda x: np.gradient(np.arange(6.0) ** 2, np.cumsum(np.exp(x))),
    "gradients of a matrix": lambda x: np.concatenate(np.gradient(matrix(x))),
    "gradient of one axis": lambda x: np.gradient(matrix(x), axis=1),
    "trapezoid at traced places": lambda x: getattr(np, "trapezoid" if hasattr(np, "trapezoid") else "trapz")(x**2, x),
    "interp": lambda x: np.interp(x[:2], np.array([-9.0, 0.1, 9.0]), x[3:]),
    "searchsorted": lambda x: x[np.searchsorted(np.array([-1.0, 0.0, 1.0]), x[0])],
    "digitize": lambda x: x * np.digitize(x, np.array([-1.0, 0.0, 1.0])),
    "median of six": np.median,
    "median of five": lambda x: np.median(x[:5]),
    "median of rows": lambda x: np.median(matrix(x), axis=1),
    "quantiles": lambda x: np.quantile(x, [0, 0.2, 0.33, 1]),
    "percentile of columns": lambda x: np.percentile(matrix(x), 30, axis=0),
    "convolve": lambda x: np.convolve(x, x[:3] ** 2),
    "convolve to the same length": lambda x: np.convolve(x[:3], x, mode="same"),
    "convolve where they overlap": lambda x: np.convolve(x, [1.0, -2.0, 1.0], mode="valid"),
    "correlate": lambda x: np.correlate(x, x[2:4], mode="full"),
    "correlate where they overlap": lambda x: np.correlate(x, x[2:5]),
    "linspace": lambda x: np.linspace(x[0], x[1] ** 2, 5),
    "linspace without its end": lambda x: np.linspace(0, x[1], 4, endpoint=False),
    "select": lambda x: np.select([x < -0.5, x < 0.5], [x, x**2], x**3),
    "piecewise": lambda x: np.piecewise(x, [x < -0.5, x > 0.5], [lambda t: t * t, np.sin, 0.25]),
    "pad": lambda x: np.pad(matrix(x), ((1, 0), (0, 2))),
    "pad by reflection": lambda x: np.pad(x, 2, mode="reflect"),
    "apply_along_axis": lambda x: np.apply_along_axis(lambda row: row * row[0], 1, matrix(x)),
    "apply_along_axis to numbers": lambda x: np.apply_along_axis(np.prod, 0, matrix(x)),
    "vectorize": lambda x: np.vectorize(lambda t, s: t * s if t > 0.2 else t + s)(x, x[::-1]),
    "frompyfunc": lambda x: np.frompyfunc(lambda t: t * t, 1, 1)(x),
    "meshgrid and einsum": lambda x: np.einsum("ij,jk,ik->i", *np.meshgrid(x[:3], x[3:]), A),
    "sinc": lambda x: np.sinc(np.concatenate([x, x[:1] - x[:1]])),
    "i0": np.i0,
    "trace beside the diagonal": lambda x: np.trace(np.outer(x, x), offset=1),
    "count_nonzero": lambda x: x * np.count_nonzero(x > 0),
    "slogdet": lambda x: np.linalg.slogdet(A + np.outer(x[:3], x[3:]))[1],
    "the sign of a determinant": lambda x: np.linalg.slogdet(A * x[0])[0] * x,
    "cholesky": lambda x: np.linalg.cholesky(positive(x)),
    "matrix_power": lambda x: np.linalg.matrix_power(A * x[0] + np.diag(x[3:]), 5),
    "negative matrix_power": lambda x: np.linalg.matrix_power(positive(x), -2),
    "multi_dot": lambda x: np.linalg.multi_dot([matrix(x), A, matrix(x).T]),
    "trunc": lambda x: np.trunc(7.3 * x) * x + np.fmod(x, 0.37),
    "copysign": lambda x: np.copysign(x, x[::-1]) * np.copysign(x, -1.0),
    "math.trunc and math.fmod": lambda x: math.trunc(7.3 * x[0]) * x[1] + math.fmod(x[2], x[3]),
    "math.copysign": lambda x: math.copysign(x[0], x[1]),
    "math.dist": lambda x: math.dist(x[:3], x[3:]) + math.dist([x[0], 1.0], [0.0, x[1]]),
    "math.isclose": lambda x: x[0] ** 2 if math.isclose(x[0], x[1], rel_tol=0.5) else x[1],
}  # fmt: skip


def weighted(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A sum of the entries of what the function gives, with different weights."""

    def total(x: Any) -> Any:
        entries = np.asarray(function(x)).ravel()
        return sum(w * entry for w, entry in zip(np.resize(W, len(entries)), entries, strict=True))

    return total


def slope_of_values(f: Callable[[Any], Any], x: Any) -> Any:
    """By a central difference of order four, which is right to 1e-8 or so for these functions."""
    h = 1e-3
    lines = np.eye(len(x)) * h
    return np.array([(8 * (f(x + e) - f(x - e)) - (f(x + 2 * e) - f(x - 2 * e))) / (12 * h) for e in lines], dtype=float)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_function_of_arrays_is_numpys_and_its_slope_that_of_numpys_values(name: str) -> None:
    f = weighted(SAMPLES[name])
    rng = np.random.default_rng(7)
    points = rng.uniform(-1.5, 1.5, (3, 6))
    traced = adlab.from_python(f, points[0])
    for x in points:
        assert traced(x) == pytest.approx(float(f(x)), rel=1e-12, abs=1e-12)
        assert traced.gradient(x) == pytest.approx(slope_of_values(f, x), rel=1e-6, abs=1e-6)


def test_the_sign_of_zero_decides_nothing_silently() -> None:
    """copysign(1, -0.0) is -1, and no comparison tells -0.0 from 0.0. So there is no value at 0."""
    f = adlab.from_python(lambda x: math.copysign(x[0], x[1]), [1.0, 2.0])
    with pytest.raises(AdlabError):
        f([1.0, -0.0])


def test_a_matrix_that_is_not_positive_definite_has_no_cholesky_factor() -> None:
    f = adlab.from_python(lambda x: np.linalg.cholesky(np.array([[1.0, x[0]], [x[0], 1.0]])).sum(), [0.5])
    assert f.gradient([0.5]) == pytest.approx([1 - 0.5 / math.sqrt(0.75)], rel=1e-13)
    with pytest.raises(AdlabError, match=r"sqrt\(.*needs"):
        f.gradient([2.0])


@pytest.mark.parametrize("option", [{"method": "nearest"}, {"keepdims": True}, {"weights": np.ones(6)}], ids=str)
def test_an_option_that_is_not_served_is_refused(option: dict[str, Any]) -> None:
    with pytest.raises(TracingError, match=r"quantile.*linear"):
        adlab.from_python(lambda x: np.sum(np.quantile(x, 0.3, **option)), np.arange(6.0) ** 2)
