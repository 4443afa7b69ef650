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
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
CONSOLE = re.compile(r"(<!-- (?P<flags>[a-z0-9, ]+) -->\n)?```console\n(?P<body>.*?)```", re.DOTALL)
PYTHON = re.compile(r"(<!-- (?P<flags>[a-z0-9, ]+) -->\n)?```pycon\n(?P<body>.*?)```", re.DOTALL)
SETUP = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def run(command: str, extras: bool = False) -> str:
    """The output of an adlab command, run in this process; unless it needs extras, as the plain installation gives it."""
    from adlab.cli.main import main

    words = shlex.split(command)
    assert words[0] == "adlab", command
    out = io.StringIO()
    with contextlib.ExitStack() as stack:
        if not extras:
            stack.enter_context(plain())
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(out))
        main([*words[1:], "--quiet"] if len(words) > 1 and words[1] not in ("gallery", "--help") else words[1:])
    return out.getvalue()


@contextlib.contextmanager
def plain() -> Iterator[None]:
    """As if python-flint were not installed."""
    with (
        mock.patch("adlab.truth.judge.certifying", return_value=False),
        mock.patch("adlab.report.truth.certifying", return_value=False),
    ):
        yield


def sessions(body: str) -> list[tuple[str, str]]:
    """(command, expected output) pairs of a console block."""
    parts = re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def masked(text: str) -> str:
    """Times, and in tables with a time column the ratio beside it, become #; column widths with them."""
    text = re.sub(r"\d[\d.]*(e[-+]\d+)? (ns|µs|ms|s)\b +[\d.e+]+", "# #", text)
    return re.sub(r"[ ─]+", " ", text)


def needs(flags: str | None) -> list[str]:
    """The extras that a block marked `<!-- needs … -->` is about."""
    return (flags or "").partition("needs ")[2].split()


def blocks() -> list[tuple[str, str, list[str]]]:
    """(command, expected output, extras) of every session."""
    text = README.read_text(encoding="utf-8")
    return [(*pair, needs(match["flags"])) for match in CONSOLE.finditer(text) for pair in sessions(match["body"])]


@pytest.mark.parametrize(("command", "expected", "extras"), blocks(), ids=lambda value: str(value)[:60])
def test_every_command_prints_what_the_readme_says(
    command: str, expected: str, extras: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for extra in extras:
        pytest.importorskip(extra)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "figures").mkdir()
    for recorded in (ROOT / "figures").glob("*.json"):
        shutil.copy(recorded, tmp_path / "figures")
    assert masked(run(command, bool(extras))).strip() == masked(expected).strip()


def test_every_python_session_in_the_readme() -> None:
    """Those that need an extra where it is installed; .ci/run has them all."""
    found = PYTHON.finditer(README.read_text(encoding="utf-8"))
    text = "\n".join(match["body"] for match in found if all(map(find_spec, needs(match["flags"]))))
    test = doctest.DocTestParser().get_doctest(text, {}, "README", str(README), 0)
    assert test.examples
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    report = io.StringIO()
    with plain():
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
    """Puts today's outputs into the README; blocks whose extras are not installed stay as they are."""

    def again(match: re.Match[str]) -> str:
        extras = needs(match["flags"])
        if not all(find_spec(extra) for extra in extras):
            return match[0]
        commands = re.findall(r"^\$ (.*)$", match["body"], flags=re.MULTILINE)
        body = "".join(f"$ {command}\n{run(command, bool(extras)).rstrip()}\n" for command in commands)
        return f"{match[1] or ''}```console\n{body}```"

    README.write_text(CONSOLE.sub(again, README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    rewrite()
