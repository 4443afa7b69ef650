"""The command line as a user meets it: every command, every slip, exit codes, and how fast help comes."""

from __future__ import annotations

import gc
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from adlab.cli.arguments import rearranged
from adlab.cli.help import parser
from adlab.cli.main import COMMANDS, DESCRIPTION, OPTIONS, TAKES, main
from adlab.methods import METHODS

FAST = ["--methods", "reverse,central-difference"]


def run(capsys, *argv: str) -> str:
    """The output of a command that must succeed."""
    code = main(list(argv))
    out, err = capsys.readouterr()
    assert code == 0, err
    return out


def refused(capsys, *argv: str) -> str:
    """The one sentence of a command that must fail; on a slow machine lines on progress may stand before it."""
    code = main(list(argv))
    out, err = capsys.readouterr()
    err = re.sub(r"(?m)^adlab: \d+ s, .* …\n", "", err)
    assert code == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("adlab: ")
    assert "Traceback" not in err
    return err


COMPARED = ["log((x1 + x2)**2 + sin(x1*x2))", "--at", "x1=1", "x2=2"]


@pytest.mark.parametrize(
    ("argv", "keys"),
    [
        (["compare", *COMPARED, *FAST], {"value", "truth", "accuracy", "swell", "cost", "verdict"}),
        (["trace", *COMPARED], {"rows", "value", "gradient"}),
        (["steps", "exp(x)", "--at", "x=1", "--methods", "central-difference"], {"curves", "slopes", "best"}),
        (["difference", *COMPARED, "--scheme", "central-difference", "--step", "oracle"], {"df", "error", "flags"}),
        (["difference", "--methods", "central-difference,adaptive-difference"], {"rows"}),
        (["swell", "@logistic-map:4"], {"rows", "form"}),
        (["cost", *COMPARED, *FAST], {"rows", "counts"}),
        (["graph", COMPARED[0]], {"inputs", "operations", "outputs", "counts"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_every_report_comes_as_text_json_and_markdown(capsys, argv, keys) -> None:
    assert run(capsys, *argv).strip()
    assert keys <= set(json.loads(run(capsys, *argv, "--json")))
    if argv[0] != "graph":
        assert "| --- |" in run(capsys, *argv, "--markdown") or "---" in run(capsys, *argv, "--markdown")


def test_adlab_alone_is_the_worked_example(capsys) -> None:
    out = run(capsys)
    assert "2.29347345" in out
    assert "∂f/∂x1 = (2*x1 + x2*cos(x1*x2) + 2*x2)/((x1 + x2)**2 + sin(x1*x2))" in out
    assert len(out.splitlines()) < 24
    assert max(map(len, out.splitlines())) <= 80


def test_full_has_the_tables_and_no_line_is_longer_than_asked(capsys) -> None:
    out = run(capsys, "--full", "--width", "80", "--methods", "reverse,central-difference")
    assert "verdict" in out
    assert "2.2934734504528866" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    "argv",
    [
        ["graph", "-x + y"],
        ["trace", "-x*y", "--at", "x=1", "y=2"],
        ["trace", "--at", "x=1", "y=2", "x*y"],
        ["trace", "--at", "x=-1.5", "y=pi/3", "x*sin(y)"],
        ["trace", "x*y", "--at=x=1", "--at=y=2"],
        ["trace", "x*y", "--at", "x=2**-3", "y=sqrt(2)"],
        ["trace", "lambda*if", "--at", "lambda=1", "if=2"],
        ["graph", "@speelpenning:4", "--derivative", "reverse"],
        ["graph", "x*y", "--format", "dot"],
        ["graph", "x*y", "--format", "mermaid"],
        ["graph", "x*y", "--format", "python"],
        ["graph", "x*y", "--format", "latex"],
        ["gallery"],
        ["--version"],
    ],
    ids=" ".join,
)
def test_formulas_and_points_in_any_order(capsys, argv) -> None:
    assert run(capsys, *argv).strip()


def test_values_of_a_point_may_be_expressions(capsys) -> None:
    found = json.loads(run(capsys, "trace", "sin(x)", "--at", "x=pi/6", "--json"))
    assert found["value"] == pytest.approx(0.5)


def test_names_given_a_value_are_variables(capsys) -> None:
    found = json.loads(run(capsys, "trace", "pi*x", "--at", "pi=3", "x=2", "--json"))
    assert found["value"] == 6.0


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["trace", "x*sine(y)", "--at", "x=1", "y=2"], "`sin`"),
        (["trace", "x*y", "--at", "x=1"], "y"),
        (["trace", "x*y", "--at", "x=1", "y=2", "z=3"], "unknown z"),
        (["trace", "x*y", "--at", "x=1", "y=nan"], "y"),
        (["trace", "x*y"], "no point"),
        (["trace", "log(x)", "--at", "x=-1"], "log(x)"),
        (["compare", "log(x)", "--at", "x=0"], "x > 0"),
        (["compare", "x", "--at", "x=1", "--methods", "revers"], "reverse"),
        (["compare", "x", "--att", "x=1"], "--at"),
        (["compare", "x", "y"], "two formulas"),
        (["compare"], "formula"),
        (["graph", "@worked-exampel"], "worked-example"),
        (["graph", "x*y", "--plot", "picture.jpg"], ".png"),
        (["steps", "Abs(x)", "--at", "x=0"], "no truth"),
        (["compare", "x*y", "--variables", "x", "--at", "x=1"], "y"),
        (["nothing"], "nothing"),
        (["figures", "--only", "nothing"], "gradient_cost"),
        (["check", "nomodule:grad", "x", "--at", "x=1"], "nomodule"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_slip_gets_one_sentence_that_says_what_to_try(capsys, argv, said: str) -> None:
    assert said in refused(capsys, *argv)


def test_a_picture_is_written_where_it_is_asked_for(capsys, tmp_path) -> None:
    for ending in ("png", "svg", "pdf"):
        path = tmp_path / f"picture.{ending}"
        run(capsys, "graph", "x*sin(y)", "--at", "x=1", "y=2", "--plot", str(path))
        assert path.stat().st_size > 1000


def test_a_gradient_of_ones_own_is_judged(capsys, tmp_path, monkeypatch) -> None:
    (tmp_path / "owngradient.py").write_text("def grad(x):\n    return [2 * x[0] * x[1], x[0]]\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        run(capsys, "check", "owngradient:grad", "x**2*y", "--at", "x=1.5", "y=2", "--at", "x=3", "y=1")
    out = capsys.readouterr().out
    assert ended.value.code == 1
    assert "• " in out
    assert "WRONG" in out
    assert "every component is right" in run(capsys, "check", "owngradient:grad", "x*y", "--at", "x=2", "y=0")


def test_second_derivatives_by_order(capsys) -> None:
    at = ["--at", "x=1", "y=3"]
    assert "∂²f/∂x∂y" in run(capsys, "truth", "x**2*y", *at, "--order", "2")
    assert "forward over reverse" in run(capsys, "compare", "x**2*y", *at, "--order", "2")
    assert "reverse over reverse" not in run(capsys, "compare", "x**2*y", *at, "--order", "2", "--methods", "symbolic")
    assert "--order 3" in refused(capsys, "compare", "x**2*y", *at, "--order", "3")


def test_check_takes_texts_models_and_tolerances(capsys, tmp_path, monkeypatch) -> None:
    (tmp_path / "ownmodel.py").write_text("import math\ndef f(x, y):\n    return x * math.sin(y)\n")
    monkeypatch.chdir(tmp_path)
    at = ["--at", "x=1.5", "y=2"]
    assert "every component is right" in run(capsys, "check", "[sin(y), x*cos(y)]", "x*sin(y)", *at)
    assert "high-precision" in run(capsys, "check", "[sin(y), x*cos(y)]", "ownmodel:f", *at)
    assert "every component is right" in run(capsys, "check", "1.0001*sin(y), x*cos(y)", "x*sin(y)", *at, "--rtol", "1e-3")
    assert "float32" in refused(capsys, "check", "sin(y), x*cos(y)", "x*sin(y)", *at, "--rtol", "flat")
    said = refused(capsys, "check", "x*sin(y)", "owngradient:grad", *at)
    assert 'the gradient comes first, then the formula: adlab check owngradient:grad "x*sin(y)"' in said


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom adlab.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'sympy', 'numpy', 'matplotlib'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert all(command in done.stdout for command in COMMANDS)


def test_python_dash_m_is_the_command_line() -> None:
    done = subprocess.run([sys.executable, "-m", "adlab", "graph", "x*y"], capture_output=True, text=True, check=True)
    assert done.stdout == "v1 = x*y\n"
    failed = subprocess.run([sys.executable, "-m", "adlab", "graph", "x*"], capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize(("asked", "said"), [
    (["difference", "exp(x)", "--at", "x=1", "--order", "0"], "order"),
    (["difference", "exp(x)", "--at", "x=1", "--methods", "richardson"], "name one scheme by --scheme"),
    (["difference", "--scheme", "richardson"], "takes --methods only"),
])  # fmt: skip
def test_options_that_would_be_ignored_are_refused(asked: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*asked, "--quiet"]) == 2
    assert said in capsys.readouterr().err


def test_the_beginning_of_a_name_of_the_gallery_is_enough(capsys) -> None:
    assert "worked example" in run(capsys, "swell", "@worked")


def test_eulers_number_is_said_to_be_one(capsys) -> None:
    assert main(["truth", "E*x", "--at", "x=1"]) == 0
    assert "Euler" in capsys.readouterr().err
    assert main(["truth", "E*x", "--at", "x=1", "E=2"]) == 0
    assert "Euler" not in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_in_a_users_words(capsys, command: str) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    out = capsys.readouterr().out
    assert f"usage: adlab {command}" in out
    assert "--formula" not in out
    takes = COMMANDS[command].takes.split()
    assert ('"EXPR"' in out) == ("formula" in takes)
    assert ("central-difference-4" in out) == ("methods" in takes)


def test_the_examples_of_the_help_are_understood() -> None:
    """And some of them are run, by the tests of their reports."""
    made = parser(DESCRIPTION, COMMANDS, OPTIONS)
    for name, command in COMMANDS.items():
        for example in command.examples:
            made.parse_args(rearranged([name, *shlex.split(example)], TAKES, lambda: METHODS))


def test_the_help_shows_every_command_once_and_all_that_it_shows_can_be_typed(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    shown = [shlex.split(line[:43]) for line in out.splitlines() if line.startswith("  adlab")]
    assert sorted(words[1] for words in shown if len(words) > 1) == sorted(COMMANDS)
    made = parser(DESCRIPTION, COMMANDS, OPTIONS)
    for words in shown[1:]:
        made.parse_args(rearranged(words[1:] or ["gallery"], TAKES, lambda: METHODS))


def test_completion_knows_every_command_and_option(capsys) -> None:
    for shell in ("bash", "zsh", "fish"):
        script = run(capsys, "completion", shell)
        assert all(name in script for name in COMMANDS)
        assert "--methods" in script or "-l methods" in script
        assert "central-difference-8" in script
    source = "COMP_WORDS=(adlab compare --methods rev); COMP_CWORD=3; _adlab; echo ${COMPREPLY[@]}"
    done = subprocess.run(["bash", "-c", run(capsys, "completion", "bash") + source], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["reverse"]


@pytest.mark.parametrize("language", ["latex", "python", "c", "mermaid", "text"])
def test_a_derivative_comes_in_every_language(capsys, language: str) -> None:
    out = run(capsys, "derive", "x*sin(y)", "--format", language)
    assert "cos" in out


def test_what_few_commands_need_is_not_imported_for_the_first_screen() -> None:
    """Tracing is for Python functions, threads are for batches: the first screen has neither."""
    code = (
        "import sys; from adlab.cli.main import main; main(['@worked-example', '--quiet'])\n"
        "print(*{'adlab.tracing.traced', 'concurrent.futures', 'matplotlib', 'adlab.page', 'adlab.bench'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == ""


def test_the_garbage_collector_is_left_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    before = gc.get_threshold()
    assert main(["derive", "x*y"]) == 0
    assert main(["derive", "log(x"]) == 2
    assert gc.get_threshold() == before


def test_a_file_of_which_nothing_can_be_read_ends_with_2_and_the_first_reason(tmp_path: Path, capsys) -> None:
    (tmp_path / "a.csv").write_text("expr\nsin(x\ncos(\n")
    assert main(["read", "--quiet", str(tmp_path / "a.csv")]) == 2
    assert "none of its formulas can be read; line 2: column 4: this `(` is never closed" in capsys.readouterr().err
    (tmp_path / "a.csv").write_text("expr\nsin(x\ncos(x)\n")
    assert main(["read", "--quiet", str(tmp_path / "a.csv")]) == 0
