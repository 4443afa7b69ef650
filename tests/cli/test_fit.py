"""`adlab fit` and `adlab minimize`."""

from __future__ import annotations

import json

import pytest

from adlab.cli.main import main

pytest.importorskip("scipy")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "line.csv"
    path.write_text("x, y\n0,1\n1,3\n2,5\n3,7.5\n")
    return path


def test_a_model_is_fitted_to_a_file(table, capsys) -> None:
    assert main(["fit", "a*x + b", "--data", str(table), "--at", "a=1", "b=0", "--json", "--quiet"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["value"] for row in rows] == pytest.approx([2.15, 0.9])


@pytest.mark.parametrize(("text", "words"), [
    ("x,y\n1,two\n", "line 2: 'two' is not a number"),
    ("x,y\n1\n", "line 2: 1 numbers for 2 columns"),
    ("x,x\n1,2\n", "each once"),
    ("x,y\n", "no rows"),
])  # fmt: skip
def test_a_file_that_is_no_table_is_named_with_its_line(table, text, words, capsys) -> None:
    table.write_text(text)
    assert main(["fit", "a*x", "--data", str(table), "--at", "a=1", "--quiet"]) == 2
    assert words in capsys.readouterr().err


def test_what_is_missing_is_said(table, capsys) -> None:
    assert main(["fit", "a*x", "--at", "a=1", "--quiet"]) == 2
    assert main(["fit", "a*x", "--data", str(table), "--quiet"]) == 2
    assert main(["fit", "a*x", "--data", str(table) + "x", "--at", "a=1", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "--data FILE is missing" in said
    assert "--at gives the start" in said
    assert "cannot be read" in said


def test_a_minimum_is_found(capsys) -> None:
    assert main(["minimize", "(x - 2)**2 + y**2", "--at", "x=0", "y=1", "--quiet"]) == 0
    assert "A minimum" in capsys.readouterr().out
