"""Methods × functions: the numbers are those of the reports they come from, and failures are words."""

from __future__ import annotations

import pytest

import adlab
from adlab.cli.main import main
from adlab.report.grid import read_line, read_list

SOME = ["reverse", "central-difference", "complex-step"]


def test_digits_are_those_of_the_comparison() -> None:
    found = adlab.table([("x*sin(y)", [1.0, 2.0]), "exp(x)"], methods=SOME)
    compared = adlab.compare("x*sin(y)", [1.0, 2.0], methods=SOME, timed=False).accuracy
    for method, (digits, _) in zip(SOME, found.values, strict=True):
        assert digits == min(row.digits for row in compared if row.method == method)


def test_what_cannot_be_is_a_word() -> None:
    found = adlab.table(["floor(x)*x", "log(x - 5)"], methods=SOME, points=[2.5, 1.0])
    assert found.values[2][0] is None
    assert found.notes[2][0] == "refused"
    assert [row[1] for row in found.notes] == ["domain"] * 3
    assert "refused" in str(found)


@pytest.mark.parametrize("show", ["digits", "operations", "time"])
def test_it_has_every_form(show) -> None:
    found = adlab.table(["x**2", "sin(x)*x", "x**2"], methods=SOME, show=show)
    assert len(found.to_dict()["rows"]) == 9
    assert found.to_csv().splitlines()[0].startswith("method,function,point")
    assert "\\toprule" in found.to_latex()
    ax = found.plot()
    assert [label.get_text() for label in ax.get_yticklabels()] == SOME
    assert len({label.get_text() for label in ax.get_xticklabels()}) == 3


def test_a_file_of_formulas(tmp_path, capsys) -> None:
    path = tmp_path / "formulas.txt"
    path.write_text("# mine\nx*sin(y) at x=1, y=pi/2\n@rosenbrock:3\nexp(x)  # at its default\n")
    items = read_list(path)
    assert [f.n for f, _ in items] == [2, 3, 1]
    assert items[0][1]["y"] == pytest.approx(1.5707963)
    assert main(["table", str(path), "tanh(x)", "--methods", "reverse", "--quiet"]) == 0
    assert "tanh(x)" in capsys.readouterr().out
    path.write_text("x*\n")
    with pytest.raises(adlab.OptionError, match="line 1"):
        read_list(path)


def test_a_name_that_begins_with_at_is_no_point() -> None:
    f, point = read_line("at + bat*2")
    assert f.names == ["at", "bat"]
    assert point is None
