"""What people type who do not know the command line yet: read where it is clear, else answered by what to write."""

from __future__ import annotations

import json

import pytest

from adlab.cli.main import COMMANDS, main
from adlab.display.terminal import seen
from adlab.methods import METHODS
from tests.cli.test_cli import refused, run


@pytest.mark.parametrize(("given", "point"), [
    (["x*y", "--at", "x=3,y=2"], [3, 2]), (["x*y", "--at", "x=3 y=2"], [3, 2]), (["x*y", "--at", "3", "2"], [3, 2]),
    (["x*y", "--at", "3,2"], [3, 2]), (["x*y", "--at", "(3, pi/2)"], [3, 1.5707963267948966]), (["x**2", "--at", "3"], [3]),
    (["x**2", "--at", "-1.5e-3"], [-1.5e-3]), (["x*y", "--at", "x=max(1, 2); y=1"], [2, 1]), (["--at", "3", "x**2"], [3]),
    (["x*y", "--at", "y=1", "x=2"], [2, 1]), (["x*y", "--at=x=3,y=2"], [3, 2]), (["x*y", "--at", "1 2"], [1, 2]),
    (["x*y", "--at", "{x: 1, y: 2}"], [1, 2]), (["x**2", "--at", "x", "=", "1"], [1]), (["x**2", "--at", "x:-1.5"], [-1.5]),
    (["x*y", "--at", "[1, 2]"], [1, 2]), (["x*y", "--at", "x", "=", "1", "y", "=", "2"], [1, 2]),
])  # fmt: skip
def test_a_point_is_read_however_it_is_written(capsys, given: list[str], point: list[float]) -> None:
    assert json.loads(run(capsys, "truth", *given, "--json"))["point"] == point


@pytest.mark.parametrize(("given", "said"), [
    (["truth", "x*y", "--at", "3"], "1 number for 2 variables; write --at x=1 y=2"),
    (["truth", "x*y", "--at", "x=3,5", "y=1"], "5 has no name"),
    (["truth", "x*y", "--at", "X=1", "y=2"], "the formula's variable is x; write --at x=1"),
    (["truth", "x*y", "--at", "x=1", "y=z"], "it holds z"),
    (["swell", "@logistics"], "the nearest is `logistic-map`"),
    (["glossary", "adjiont"], "did you mean `adjoint`"),
    (["completion", "powershell"], "bash, zsh, fish"),
    (["derive", "x*y", "--by", "z"], "no variable `z`; there are x, y"),
    (["derive", "x*y", "--order", "9"], "order 9"),
    (["derive", "π"], "it has no variable to differentiate by"),
    (["truth", "x*y", "x=1", "y=2"], "a point stands after --at"),
    (["truth", "x*y", "at", "1"], "a point stands after --at"),
    (["truth", "x*y", "-at", "1", "2"], "did you mean --at?"),
    (["truth", "x*y", "--a", "1", "2"], "did you mean --at?"),
    (["truth", "x", "--at", "x=sqrt(-1)"], "it is no real number"),
    (["truth", "x", "--at", "x=nan"], "every number in a formula is finite"),
    (["truth", "x", "--at", "x=1/0"], "division by zero"),
    (["compare", "x*y"], "no point given; write --at x=1 y=2"),
    (["x*y"], "no point given; write --at x=1 y=2"),
    (["@wored", "--at", "1"], "the nearest is `worked-example`"),
    (["difrence", "x"], "did you mean difference?"),
    (["steps", "x", "--at", "1", "--plot", "--json"], "--plot needs a value"),
    (["swell", "x", "--json", "--csv"], "a report is printed in one form"),
    (["table", "nofile.txt"], "there is no file nofile.txt"),
    (["check", "x^2", "--at", "1"], "no gradient; write it before the formula"),
    (["check", "x*y", "numpy:gradient", "--at", "1", "2"], "the gradient comes first"),
    (["difference", "log(x)", "--at", "x=-1"], "needs x > 0"),
    (["compare", "cbrt(x)", "--at", "-8"], "for the real root write real_root(x, 3)"),
    (["compare", "2*(x-1)**(2/5)", "--at", "-8"], "write real_root(v1, 5)**2"),
    (["truth", "x", "--methods", "reverse"], "takes no --methods; it takes --at, --variables"),
])  # fmt: skip
def test_what_is_not_clear_is_answered_by_what_to_write(capsys, given: list[str], said: str) -> None:
    assert said in refused(capsys, *given)


def test_a_formula_alone_is_compared_and_help_is_a_word_too(capsys) -> None:
    assert run(capsys, "x**2", "--at", "3", "--methods", "reverse").startswith("f = x**2 at x = 3")
    assert "worked example" in run(capsys, "@worked", "--methods", "reverse")
    assert run(capsys, "-V") == run(capsys, "version") == run(capsys, "--version")
    for asked in (["help", "trace"], ["trace", "-h"]):
        with pytest.raises(SystemExit):
            main(asked)
        assert "usage: adlab trace" in capsys.readouterr().out


def test_a_gradient_and_a_formula_that_are_swapped_are_told_so(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", "x^2", "2*x", "--at", "3", "--quiet"])
    assert ended.value.code == 1
    assert "the other way round it is right" in capsys.readouterr().err


def test_a_side_of_a_box_needs_no_name_where_there_is_one_variable(capsys) -> None:
    pytest.importorskip("flint")
    assert json.loads(run(capsys, "enclose", "x**2", "--at", "0..2", "--json"))["box"] == {"x": [0, 2]}
    assert "2 sides for 1 variables" in refused(capsys, "enclose", "x**2", "--at", "0..2", "1..2")


WRONG = {
    "an option that is none": ["--nothing"],
    "a form that is none": ["--format", "nothing"],
    "a formula that is none": ["x +* y", "--at", "1"],
    "a name that is none": ["@nothing", "--at", "1"],
    "two formulas": ["x", "y", "--at", "1"],
    "a point that is none": ["x*y", "--at", "x=one", "y=2"],
    "a value that is missing": ["x*y", "--at"],
    "a picture that cannot be": ["x", "--at", "1", "--plot", "nowhere/picture.png"],
}
"""Kinds of mistakes. What a command does not take is a mistake there as well, so each is wrong for every command."""


@pytest.mark.parametrize("what", WRONG)
def test_every_command_answers_a_mistake_with_one_sentence_and_exit_code_2(capsys, what: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        given = [command, *WRONG[what]]
        if command == "check":
            given = [command, "1", *WRONG[what]]
        refused(capsys, *given)
    assert not list(tmp_path.iterdir())


def test_every_command_has_a_usage_line_and_two_examples() -> None:
    """`peers` and `bench` have examples without an argument among them."""
    for name, command in COMMANDS.items():
        assert len(command.examples) >= 2, name
        assert command.about


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_is_at_most_80_columns_wide(command: str, capsys) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    out = capsys.readouterr().out
    assert "usage: adlab" in out
    assert max(map(len, out.splitlines())) <= 80, out


@pytest.mark.parametrize("command", ["gallery", "methods", "glossary", "peers"])
def test_lists_follow_the_width(command: str, capsys) -> None:
    for width in (60, 80):
        assert max(map(seen, run(capsys, command, "--width", str(width)).splitlines())) <= width


def test_every_method_has_one_line_of_80_columns(capsys) -> None:
    lines = run(capsys, "methods", "--width", "80").splitlines()
    assert {line.split()[0] for line in lines if line} >= set(METHODS)
    table = [line for line in lines if line[:1] == " "]
    assert [line for line in table if not line.startswith("  names")] == []  # no line is broken, but for the last sentence


@pytest.mark.parametrize(("typed", "written"), [
    ("gradient", "derive"), ("diff", "derive"), ("hessian", "--order 2"), ("plot", "--plot FILE"), ("backprop", "trace"),
    ("test", "check MODULE:FUNCTION"), ("homework", "sheet"), ("minimise", "minimize"),
])  # fmt: skip
def test_what_other_commands_are_called_elsewhere(typed: str, written: str, capsys) -> None:
    assert written in refused(capsys, typed, "x**2", "--at", "1")


def test_a_gradient_is_named_by_its_module_or_by_its_file(capsys, tmp_path, monkeypatch) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "slopes_of_xy.py").write_text("def grad(x, y):\n    return y, x\n\nnumber = 3\n")
    monkeypatch.chdir(tmp_path)
    point = ["x*y", "--at", "1", "2", "--quiet"]
    assert "every component is right" in run(capsys, "check", "below/slopes_of_xy.py:grad", *point)
    assert "no function `slope`; it has grad" in refused(capsys, "check", "below/slopes_of_xy.py:slope", *point)
    assert "is no function, but int" in refused(capsys, "check", "below/slopes_of_xy.py:number", *point)
    assert "there is no file below/other.py" in refused(capsys, "check", "below/other.py:grad", *point)
    assert "`grad` is neither MODULE:FUNCTION nor" in refused(capsys, "check", "grad", *point)
