"""Functions for Numba: the numbers of the C that adlab writes, callable from compiled code and from SciPy."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

import adlab

pytestmark = pytest.mark.filterwarnings("ignore")
numba = pytest.importorskip("numba")
FORMULAS = ["log((x + y)**2 + sin(x*y))", "x**y + x**1.5", "Piecewise((sqrt(x)*y, x > 0), (x*y**2, True))*erf(x)",
            "Mod(x, y)*cbrt(y**2)", "sigmoid(x*y) + atan2(x, y)*hypot(x, y)", "Max(x, y)*Abs(x - 1)"]  # fmt: skip
POINTER = ctypes.POINTER(ctypes.c_double)
POINTS = [[1.0, 2.0], [0.3, -1.25], [-0.5, 0.75], [2.5, 2.5], [1e-200, 1e-200]]


def called(function, width: int, *vectors) -> tuple[int, np.ndarray]:
    out = np.empty(width)
    arrays = [*(np.array(vector, dtype=float) for vector in vectors), out]
    return function.ctypes(*(array.ctypes.data_as(POINTER) for array in arrays)), out


@pytest.mark.parametrize("formula", [FORMULAS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in FORMULAS[1:])])
def test_a_cfunc_has_adlabs_numbers_or_says_why_not(formula: str) -> None:
    f = adlab.Function(formula, ["x", "y"])
    function, program, passed = f.to_numba("value_and_gradient"), f.compile("python", "value_and_gradient"), 0
    for point in POINTS:
        status, found = called(function, 3, point)
        want = np.concatenate([np.ravel(part) for part in program(point)])
        here = ~np.isnan(found)
        np.testing.assert_allclose(found[here], want[here], rtol=1e-15)
        assert status == 0 or not here.all()
        passed += status == 0
    assert passed >= 2


def test_a_product_takes_the_vector_as_its_second_argument() -> None:
    f = adlab.Function("x**2*sin(y)", ["x", "y"])
    status, found = called(f.to_numba("hvp"), 2, [1.5, 0.5], [2.0, -1.0])
    assert status == 0
    np.testing.assert_allclose(found, f.hvp([1.5, 0.5], [2.0, -1.0]), rtol=1e-14)


def test_the_status_tells_a_missing_number_from_one_that_left_the_range() -> None:
    assert called(adlab.Function("log(x)").to_numba(), 1, [-1.0])[0] == 1
    assert called(adlab.Function("1/x**2").to_numba(), 1, [1e200])[0] == 2


def test_compiled_code_calls_it_by_its_address() -> None:
    rosenbrock = adlab.Function("(1 - x)**2 + 100*(y - x**2)**2").to_numba("gradient")
    slope = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER)(rosenbrock.address)
    out = np.empty(2)
    assert slope(np.array([1.0, 1.0]).ctypes.data_as(POINTER), out.ctypes.data_as(POINTER)) == 0
    assert out.tolist() == [0.0, 0.0]


def test_what_numba_lacks_is_refused_by_name() -> None:
    with pytest.raises(adlab.UnsupportedExpression, match="`polygamma` has no form in Numba"):
        adlab.Function("gamma(x)").to_numba("gradient")
