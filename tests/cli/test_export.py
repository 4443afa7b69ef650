"""`adlab export`: code in files, printed, refused."""

from __future__ import annotations

import pytest

from adlab.cli.main import main


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
    assert "def f(x" in source
    assert "adlab" not in source.replace("Written by adlab", "")


@pytest.mark.parametrize(("words", "sentence"), [
    (["x"], "name one language"),
    (["x", "--c", "--numpy"], "name one language"),
    (["besselj(0, x)", "--c"], "`besselj` has no form in C99"),
    (["x", "--numpy", "--out", "/no/such/place.py"], "cannot be written"),
])  # fmt: skip
def test_what_cannot_be_exported_is_one_sentence(words, sentence, capsys) -> None:
    assert main(["export", *words, "--quiet"]) == 2
    assert sentence in capsys.readouterr().err
