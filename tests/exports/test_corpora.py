"""Formulas of the corpora in C: one file, no warning, the numbers of adlab."""

from __future__ import annotations

import ctypes
import shutil
import subprocess

import numpy as np
import pytest
from corpora import rows

import adlab

KINDS = ("feynman", "global_optimisation", "symbolic_regression", "rubi_special", "rubi_sections")
ROWS = 500  # spread evenly over all of them


@pytest.mark.slow
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_500_formulas_of_the_corpora_compile_without_a_warning_and_agree_to_4_ulps(compiler, tmp_path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    every = [row for name in KINDS for row in rows(name) if "variables" in row and "point" in row]
    chosen = every[:: len(every) // ROWS]
    assert len(chosen) >= ROWS
    codes = []
    for k, row in enumerate(chosen):
        try:
            f = adlab.Function(row["expr"], row["variables"])
            point = [float(row["point"][name]) for name in f.names]
            codes.append((f, point, f.to_c("value_and_gradient", name=f"f{k}", at=point)))
        except adlab.UnsupportedExpression:
            continue
    assert len(codes) > 0.8 * len(chosen)
    text = "".join(code.header + code.source.replace(f'#include "{code.name}.h"', "") for *_, code in codes)
    (tmp_path / "all.c").write_text(text)
    subprocess.run([compiler, "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O0", "-shared", "-fPIC", "all.c",
                    "-o", "all.so", "-lm"], cwd=tmp_path, check=True)  # fmt: skip
    library, right = ctypes.CDLL(str(tmp_path / "all.so")), 0
    for f, point, code in codes:
        out = (ctypes.c_double * (f.n + 1))()
        status = getattr(library, code.name)((ctypes.c_double * f.n)(*point), out)
        found, expected = np.array(out[:]), np.array(f.compile("python", "value_and_gradient").call(*point))
        here = ~np.isnan(found)
        assert (np.abs(found - expected)[here] <= 4 * np.spacing(np.abs(expected[here]))).all(), f.title
        right += status == 0
    assert right > 0.95 * len(codes)
