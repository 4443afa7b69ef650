"""`adlab export`: code in files, printed, refused."""

from __future__ import annotations

import runpy

import pytest

from adlab.cli.main import main
from adlab.testing import assert_gradient


def test_c_takes_the_name_of_its_file(tmp_path, capsys) -> None:
    assert (
        main(["export", "x*sin(y)", "--c", "--derivative", "gradient", "--out", str(tmp_path / "slope.c"), "--quiet"])
        == 0
    )
    assert "slope.h" in capsys.readouterr().out
    assert "int slope(const double x[2], double out[2]);" in (tmp_path / "slope.h").read_text()
    assert '#include "slope.h"' in (tmp_path / "slope.c").read_text()


@pytest.mark.parametrize("language", ["numpy", "python", "jax", "torch"])
def test_every_language_is_python_that_compiles(language, capsys) -> None:
    assert main(["export", "Max(x, y)**1.5*erf(x)", f"--{language}", "--derivative", "hessian", "--quiet"]) == 0
    source = capsys.readouterr().out
    compile(source, language, "exec")
    assert "def hessian(x" in source
    assert "adlab" not in source.replace("Written by adlab", "")


@pytest.mark.parametrize("language", ["numpy", "python"])
def test_a_written_gradient_has_that_name_and_passes_a_test_of_gradients(language: str, tmp_path) -> None:
    path = tmp_path / "model.py"
    assert main(["export", "x*y**2", f"--{language}", "--derivative", "gradient", "--out", str(path), "--quiet"]) == 0
    assert_gradient("x*y**2", runpy.run_path(str(path))["gradient"], at=[[1, 2], [3, -1]])


@pytest.mark.parametrize(("words", "sentence"), [
    (["x"], "name one language"),
    (["x", "--c", "--numpy"], "name one language"),
    (["besselj(0, x)", "--c"], "`besselj` has no form in C99"),
    (["x", "--numpy", "--out", "/no/such/place.py"], "cannot be written"),
])  # fmt: skip
def test_what_cannot_be_exported_is_one_sentence(words, sentence, capsys) -> None:
    assert main(["export", *words, "--quiet"]) == 2
    assert sentence in capsys.readouterr().err
