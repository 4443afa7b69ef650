"""The walk through a trace: a key a line, back and forth, and out."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys

import pytest

import adlab
from adlab.cli.main import main
from adlab.cli.walk import HELP, _next, walked


def run(keys: list[str]) -> None:
    pressed = iter(keys)

    @contextlib.contextmanager
    def read():
        yield lambda: next(pressed, "q")

    walked(str(adlab.gallery.worked_example().trace([1, 2])).split("\n"), read, False)


def shown(capsys) -> list[str]:
    out = capsys.readouterr().out.replace("\r\x1b[K", "").replace(HELP, "")
    return [line for line in out.split("\n") if line]


def test_each_key_shows_one_more_line(capsys) -> None:
    run(["q"])
    first = shown(capsys)
    assert first[-1].startswith("x1")
    run(["\n", " ", "q"])
    assert [line.split()[0] for line in shown(capsys)[-2:]] == ["x2", "v1"]


def test_it_ends_with_the_last_line(capsys) -> None:
    run(["\n"] * 100)
    assert "∇f = (0.5215, 0.5635)" in shown(capsys)[-1]


@pytest.mark.parametrize("width", [40, 50, 80])
def test_what_is_broken_into_lines_comes_at_one_key(width: int) -> None:
    lines = adlab.gallery.worked_example().trace([1, 2]).text(width).split("\n")
    assert any(line.startswith("  ") for line in lines)
    shown = 0
    while shown < len(lines):
        shown = _next(lines, shown)
        assert shown == len(lines) or not lines[shown].startswith("  ")


def test_back_takes_a_line_away(capsys) -> None:
    run(["\n", "b", "q"])
    assert "\x1b[A\x1b[K" in capsys.readouterr().out


def test_without_a_terminal_it_is_refused(capsys) -> None:
    assert main(["trace", "x*y", "--at", "1", "2", "--step"]) == 2
    assert "no terminal" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(pty, "openpty"), reason="no pseudo-terminals here")
def test_in_a_terminal_keys_are_read_at_once() -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "adlab", "trace", "x*y", "--at", "1", "2", "--step", "--quiet"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, text=True) as process:
        os.write(ours, b"  q")
        try:
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            os.close(ours)
            os.close(theirs)
    assert process.returncode == 0
    assert "v1" in out
    assert "reverse mode" not in out
