"""The README cannot go stale: every command and every session in it is run, and its output compared.

`python tests/test_readme.py` writes the outputs anew. What is measured (times and their ratios) is masked; all
other characters must agree.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
CONSOLE = re.compile(r"(<!-- (?P<flags>[a-z ]+) -->\n)?```console\n(?P<body>.*?)```", re.DOTALL)
PYTHON = re.compile(r"```pycon\n(.*?)```", re.DOTALL)
SETUP = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@pytest.fixture(autouse=True)
def _without_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    """The README shows what the plain installation prints."""
    monkeypatch.setattr("adlab.report.judge.certifying", lambda: False)
    monkeypatch.setattr("adlab.report.truth.certifying", lambda: False)


def run(command: str) -> str:
    """The output of an adlab command, run in this process."""
    from adlab.cli import main

    words = shlex.split(command)
    assert words[0] == "adlab", command
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        main([*words[1:], "--quiet"] if len(words) > 1 and words[1] not in ("gallery", "--help") else words[1:])
    return out.getvalue()


def sessions(body: str) -> list[tuple[str, str]]:
    """(command, expected output) pairs of a console block."""
    parts = re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def masked(text: str) -> str:
    """Times, and in tables with a time column the ratio beside it, become #; column widths with them."""
    text = re.sub(r"\d[\d.]*(e[-+]\d+)? (ns|µs|ms|s)\b +[\d.e+]+", "# #", text)
    return re.sub(r"[ ─]+", " ", text)


def blocks() -> list[tuple[str, str]]:
    text = README.read_text(encoding="utf-8")
    return [pair for match in CONSOLE.finditer(text) for pair in sessions(match["body"])]


@pytest.mark.parametrize(("command", "expected"), blocks(), ids=lambda value: value[:60])
def test_every_command_prints_what_the_readme_says(command: str, expected: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "figures").mkdir()
    for recorded in (ROOT / "figures").glob("*.json"):
        shutil.copy(recorded, tmp_path / "figures")
    assert masked(run(command)).strip() == masked(expected).strip()


def test_every_python_session_in_the_readme() -> None:
    text = "\n".join(PYTHON.findall(README.read_text(encoding="utf-8")))
    test = doctest.DocTestParser().get_doctest(text, {}, "README", str(README), 0)
    assert test.examples
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    report = io.StringIO()
    runner.run(test, out=report.write)
    assert runner.failures == 0, report.getvalue()


def test_every_picture_in_the_readme_is_there() -> None:
    for path in re.findall(r"\]\(((?:figures|notebooks)/[^)]+)\)", README.read_text(encoding="utf-8")):
        assert (ROOT / path).exists(), path


def test_ci_calls_the_readmes_own_test_command() -> None:
    commands = [line.strip() for block in SETUP.findall(README.read_text(encoding="utf-8")) for line in block.splitlines()]
    setup = [line for line in commands if line.startswith("pip install")]
    assert setup[0] == "pip install -e . && adlab"
    assert setup[1] == "pip install -e '.[test]' && pytest"
    ran = (ROOT / ".ci" / "run").read_text(encoding="utf-8").replace("-q ", "")
    assert setup[1] in ran


def rewrite() -> None:
    """Puts today's outputs into the README."""

    def again(match: re.Match[str]) -> str:
        body = "".join(f"$ {command}\n{run(command).rstrip()}\n" for command, _ in sessions(match["body"]))
        return f"{match[1] or ''}```console\n{body}```"

    README.write_text(CONSOLE.sub(again, README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    rewrite()
