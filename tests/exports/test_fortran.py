"""Fortran that adlab has written: compiled without a warning, with the numbers of adlab."""

from __future__ import annotations

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

import adlab
from adlab.gallery import GALLERY

FORMULAS = ["log((x + y)**2 + sin(x*y))", "x**y + x**1.5", "Piecewise((sqrt(x)*y, x > 0), (x*y**2, True))*erf(x)",
            "Mod(x, y)*cbrt(y**2) + floor(1e12*x)", "sigmoid(x*y) + atan2(x, y)*hypot(x, y)",
            "Max(x, y)*Abs(x - 1) + log1p(x**2)"]  # fmt: skip
POINTS = [[1.0, 2.0], [0.3, -1.25], [-0.5, 0.75], [2.5, 2.5], [1e-200, 1e-200]]
STRICT = ["-std=f2008", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wno-unused-function", "-Wno-unused-dummy-argument",
          "-Wno-compare-reals", "-O0", "-shared", "-fPIC"]  # fmt: skip
DOUBLES = ctypes.POINTER(ctypes.c_double)


def compiled(texts: list[str], folder) -> ctypes.CDLL:
    (folder / "all.f90").write_text("\n".join(texts))
    done = subprocess.run(["gfortran", *STRICT, "all.f90", "-o", "all.so", "-lm"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(folder / "all.so"))


def called(function, width: int, *vectors) -> tuple[int, np.ndarray]:
    out, status = np.empty(width), ctypes.c_int(-1)
    arrays = [*(np.array(vector, dtype=float) for vector in vectors), out]
    function(*(array.ctypes.data_as(DOUBLES) for array in arrays), ctypes.byref(status))
    return status.value, out


@pytest.mark.skipif(not shutil.which("gfortran"), reason="no Fortran compiler")
def test_fortran_gives_the_numbers_of_adlab_or_says_why_not(tmp_path) -> None:
    functions = [adlab.Function(text, ["x", "y"]) for text in FORMULAS]
    library = compiled([f.to_fortran("value_and_gradient", name=f"slope{k}") for k, f in enumerate(functions)], tmp_path)
    passed = 0
    for k, f in enumerate(functions):
        program = f.compile("python", "value_and_gradient")
        for point in POINTS:
            status, found = called(getattr(library, f"slope{k}"), 3, point)
            want = np.concatenate([np.ravel(part) for part in program(point)])
            here = ~np.isnan(found)
            np.testing.assert_allclose(found[here], want[here], rtol=1e-15)
            assert status == (0 if here.all() else 2 if not here.any() and status == 2 else 1)
            passed += status == 0
    assert passed > len(FORMULAS) * 2


@pytest.mark.skipif(not shutil.which("gfortran"), reason="no Fortran compiler")
def test_a_product_and_the_status_in_fortran(tmp_path) -> None:
    f = adlab.Function("x**2*sin(y)", ["x", "y"])
    texts = [f.to_fortran("hvp", name="product"), adlab.Function("log(x)").to_fortran(name="outside"),
             adlab.Function("1/x**2").to_fortran(name="beyond")]  # fmt: skip
    library = compiled(texts, tmp_path)
    status, found = called(library.product, 2, [1.5, 0.5], [2.0, -1.0])
    assert status == 0
    np.testing.assert_allclose(found, f.hvp([1.5, 0.5], [2.0, -1.0]), rtol=1e-14)
    assert called(library.outside, 1, [-1.0])[0] == 1
    assert called(library.beyond, 1, [1e200])[0] == 2


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("gfortran"), reason="no Fortran compiler")
def test_every_gallery_function_compiles_as_fortran(tmp_path) -> None:
    texts = []
    for k, make in enumerate(GALLERY.values()):
        f = make()
        if len(f.graph) < 400:
            try:
                texts.append(f.to_fortran("gradient" if f.m == 1 and f.scalar else "jacobian", name=f"g{k}"))
            except adlab.UnsupportedExpression:
                continue
    assert len(texts) > 10
    compiled(texts, tmp_path)


def test_what_fortran_lacks_is_refused_by_name() -> None:
    with pytest.raises(adlab.UnsupportedExpression, match="`besselk` has no form in Fortran"):
        adlab.Function("besselk(0, x)").to_fortran()


def test_no_line_is_longer_than_fortran_allows() -> None:
    formula = "+".join(f"long_name_of_a_variable_{k}**2*1.2345678901234567e-300" for k in range(30))
    text = adlab.Function(formula).to_fortran("gradient")
    assert max(map(len, text.splitlines())) <= 132
