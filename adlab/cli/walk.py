"""A trace in the terminal, one line for each key: Enter or the space bar goes on, b goes back, q ends."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from adlab.display.terminal import columns, has_colour, painted
from adlab.errors import OptionError
from adlab.progress import finished

FORWARD, BACK, END = ("\r", "\n", " ", "n", "\x1b[C", "\x1b[B"), ("b", "p", "\x7f", "\x1b[D", "\x1b[A"), ("q", "\x04", "\x1b", "")
"""Keys, including arrows and the end of input."""
HELP = "Enter: next   b: back   q: end"


def step_through(found: Any) -> None:
    """Shows a report line by line in the terminal. Raises OptionError where standard input is not a terminal."""
    if not sys.stdin.isatty():
        raise OptionError("--step waits for keys, and standard input is no terminal; leave out --step for the whole trace")
    finished()
    walked(found.text(columns(), has_colour()).split("\n"), keys, has_colour())


def walked(lines: list[str], read: Callable[[], contextlib.AbstractContextManager[Callable[[], str]]], colour: bool) -> None:
    """Shows one more line at each key. `read` gives a function that waits for one."""
    shown = _next(lines, 0)
    print("\n".join(lines[:shown]))
    with read() as key:
        while shown < len(lines):
            print(painted(HELP, "quiet", colour), end="", flush=True)
            pressed = key()
            print("\r\x1b[K", end="")
            if pressed in END:
                return
            if pressed in BACK and shown > 1:
                shown -= 1
                print("\x1b[A\x1b[K", end="", flush=True)
            elif pressed in FORWARD:
                following = _next(lines, shown)
                print("\n".join(lines[shown:following]))
                shown = following


def _next(lines: list[str], shown: int) -> int:
    """One line further: past titles, heads and blank lines, to the end of the next line that says something."""
    place = shown + 1
    rule = next((i for i in range(shown, min(shown + 12, len(lines))) if "──" in lines[i]), None)
    if shown == 0 or (shown < len(lines) and not lines[shown].strip()):
        place = (rule + 2) if rule is not None else shown + 2
    while place < len(lines) and lines[place].startswith("  "):  # the same sentence or row, broken
        place += 1
    return min(place, len(lines))


@contextlib.contextmanager
def keys() -> Iterator[Callable[[], str]]:
    """Yields a function that waits for one key. In any case the terminal is restored afterwards."""
    import select
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def key() -> str:
        pressed = os.read(descriptor, 1)
        if pressed == b"\x1b" and select.select([descriptor], [], [], 0)[0]:  # an arrow is three bytes at once
            pressed += os.read(descriptor, 2)
        return pressed.decode("utf-8", "replace")

    try:
        tty.setcbreak(descriptor, termios.TCSADRAIN)  # keys that were pressed before are kept
        yield key
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
