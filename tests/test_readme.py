"""No README can go stale: every command and every session in any of them is run, and its output compared by meaning.

`python tests/test_readme.py` writes the outputs anew, in every README.md of the repository.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from recorded import differences

ROOT = Path(__file__).resolve().parents[1]
FRONT = ROOT / "README.md"
READMES = [FRONT, *sorted(path for room in ("adlab", "notebooks", "figures") for path in (ROOT / room).rglob("README.md"))]
CONSOLE = re.compile(r"(<!-- (?P<flags>[a-z0-9, ]+) -->\n)?```console\n(?P<body>.*?)```", re.DOTALL)
PYTHON = re.compile(r"(<!-- (?P<flags>[a-z0-9, ]+) -->\n)?```pycon\n(?P<body>.*?)```", re.DOTALL)
WIDTH = "120"  # columns: what GitHub shows of a line without scrolling
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
        stack.enter_context(mock.patch.dict(os.environ, COLUMNS=WIDTH))
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


def needs(flags: str | None) -> list[str]:
    """The extras that a block marked `<!-- needs … -->` is about."""
    return (flags or "").partition("needs ")[2].split()


def blocks() -> list[Any]:
    """(command, expected output, flags) of every session, named by its README and its command."""
    return [
        pytest.param(*pair, match["flags"] or "", id=f"{path.relative_to(ROOT).parent}: {pair[0][:60]}")
        for path in READMES
        for match in CONSOLE.finditer(path.read_text(encoding="utf-8"))
        for pair in sessions(match["body"])
    ]


def vocabulary(text: str) -> set[str]:
    """The words of an output without its units of time: what stays where times decide how a table is laid out."""
    return set(re.findall(r"[^\W\d_]{2,}", text)) - {"ns", "µs", "ms"}


@pytest.mark.parametrize(("command", "expected", "flags"), blocks())
def test_every_command_prints_what_its_readme_says(
    command: str, expected: str, flags: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extras = needs(flags)
    for extra in extras:
        pytest.importorskip(extra)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "figures").mkdir()
    for recorded in (ROOT / "figures").glob("*.json"):
        shutil.copy(recorded, tmp_path / "figures")
    now = run(command, bool(extras))
    if "times vary" in flags:
        assert vocabulary(expected) == vocabulary(now)
    else:
        assert not differences(expected, now)


class ByMeaning(doctest.OutputChecker):
    """Doctest's own comparison, and where characters differ, that of meanings."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return super().check_output(want, got, optionflags) or not differences(
            want.replace("<BLANKLINE>", ""), got
        )


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT).parent))
def test_every_python_session_in_a_readme(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that need an extra where it is installed; .ci/run has them all."""
    monkeypatch.chdir(tmp_path)
    found = list(PYTHON.finditer(path.read_text(encoding="utf-8")))
    text = "\n".join(match["body"] for match in found if all(map(find_spec, needs(match["flags"]))))
    test = doctest.DocTestParser().get_doctest(text, {}, path.name, str(path), 0)
    runner = doctest.DocTestRunner(ByMeaning(), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    report = io.StringIO()
    with plain():
        runner.run(test, out=report.write)
    assert runner.failures == 0, report.getvalue()


def test_there_is_something_to_compare() -> None:
    assert len(blocks()) > 10
    assert any(PYTHON.search(path.read_text(encoding="utf-8")) for path in READMES)


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT).parent))
def test_every_link_to_a_file_leads_to_one(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), link


def written_inline() -> list[Any]:
    """The commands that stand within a sentence or a cell, with the README in which they first do."""
    found: dict[str, str] = {}
    for path in READMES:
        for command in re.findall(r"`(adlab [a-z][^`]*)`", path.read_text(encoding="utf-8")):
            found.setdefault(command, str(path.relative_to(ROOT).parent))
    return [pytest.param(command, id=f"{where}: {command[:60]}") for command, where in found.items()]


HOLES = re.compile(r"\b(?:FILE|NAME|VERB|WORD|FORMULA|PROBLEM)\b|…|mymodule|mymodel|bench|figures|EXPR|@gallery")
"""What a reader fills in, and what takes long: there the command line only has to understand the rest."""


@pytest.mark.parametrize("command", written_inline())
def test_every_command_within_a_sentence_can_be_typed(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from adlab.cli.arguments import rearranged
    from adlab.cli.main import COMMANDS, TAKES

    monkeypatch.chdir(tmp_path)
    words = shlex.split(command.replace("[", "").replace("]", "").replace("FILE…", "FILE"))[1:]
    if words[0] == "VERB":
        return
    assert words[0] in COMMANDS
    own = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert COMMANDS[words[0]].more is not None or own <= {*TAKES[words[0]], "--help"}
    assert rearranged(words, TAKES)[0] == words[0]
    if len(words) > 1 and not HOLES.search(command) and "--help" not in words:
        assert run(command.replace("DIR", "made"))


def test_the_table_of_the_front_page_has_every_command_and_every_public_name() -> None:
    import adlab
    from adlab.cli.main import COMMANDS

    page = FRONT.read_text(encoding="utf-8").partition("## Everything adlab does")[2].partition("## Extras")[0]
    named = {word for code in re.findall(r"`([^`]+)`", page) for word in re.findall(r"[\w-]+", code)}
    assert set(COMMANDS) <= named
    assert {name for name in adlab.__all__ if not name.startswith("_")} <= named


def test_the_front_page_is_short() -> None:
    text = FRONT.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 250
    assert len(text.encode()) <= 12 * 1024


def test_ci_calls_the_readmes_own_test_command() -> None:
    setup = [
        line.strip()
        for block in SETUP.findall(FRONT.read_text(encoding="utf-8"))
        for line in block.splitlines()
        if "pip install -e" in line
    ]
    environment = "python3 -m venv .venv && . .venv/bin/activate && "
    assert setup[0] == environment + "pip install -e . && adlab"
    assert setup[1] == environment + "pip install -e '.[test]' && pytest"
    assert setup[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


class Said(doctest.DocTestRunner):
    """Runs a session and keeps what each example printed."""

    def __init__(self) -> None:
        super().__init__(optionflags=doctest.ELLIPSIS)
        self.said: list[str] = []

    def report_success(self, out: Any, test: Any, example: Any, got: str) -> None:
        self.said.append(example.want if example.exc_msg else got)

    report_failure = report_success

    def report_unexpected_exception(self, out: Any, test: Any, example: Any, exc_info: Any) -> None:
        name = f"{exc_info[0].__module__}.{exc_info[0].__name__}"
        self.said.append(f"Traceback (most recent call last):\n    ...\n{name}: {exc_info[1]}\n")


def spoken(path: Path, text: str) -> str:
    """The text with the outputs of its Python sessions written anew; all of a file are one session."""
    found = [match for match in PYTHON.finditer(text) if all(map(find_spec, needs(match["flags"])))]
    parser, names = doctest.DocTestParser(), {}
    for match in found:
        test = parser.get_doctest(match["body"], names, path.name, str(path), 0)
        runner = Said()
        with plain() if not needs(match["flags"]) else contextlib.nullcontext():
            runner.run(test, out=lambda _: None, clear_globs=False)
        names = test.globs
        body = ""
        for example, said in zip(test.examples, runner.said, strict=True):
            first, *rest = example.source.rstrip("\n").split("\n")
            printed = "".join("<BLANKLINE>\n" if line == "\n" else line for line in said.splitlines(keepends=True))
            body += "\n".join([f">>> {first}", *(f"... {line}".rstrip() for line in rest)]) + "\n" + printed
        text = text.replace(match["body"], body)
    return text


def rewrite() -> None:
    """Puts today's outputs into every README; blocks whose extras are not installed stay as they are."""

    def again(match: re.Match[str]) -> str:
        extras = needs(match["flags"])
        if not all(find_spec(extra) for extra in extras):
            return match[0]
        commands = re.findall(r"^\$ (.*)$", match["body"], flags=re.MULTILINE)
        body = "".join(f"$ {command}\n{run(command, bool(extras)).rstrip()}\n" for command in commands)
        return f"{match[1] or ''}```console\n{body}```"

    for path in READMES:
        path.write_text(spoken(path, CONSOLE.sub(again, path.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    rewrite()
