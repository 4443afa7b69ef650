"""What a long computation is doing, for whoever wants to show it (the command line does, after two seconds)."""

from __future__ import annotations

import sys
import threading

_stage = "starting"
_watcher: Watcher | None = None


def finished() -> None:
    """Says that the answer comes now: whoever tells of progress is to be silent, and its line is cleared."""
    if _watcher is not None:
        _watcher.stop()


def stage(name: str) -> None:
    """Says what comes now."""
    global _stage
    _stage = name


class Watcher:
    """Tells on standard error what is going on, from two seconds on, every five."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watcher:
        global _watcher
        _watcher = self
        if not self.quiet:
            self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Says nothing any more, and clears its line."""
        if not self.quiet and not self._done.is_set():
            self._done.set()
            self._thread.join()
            self._say("")

    def _say(self, text: str) -> None:
        """A line of its own in a file; in a terminal always the same line, which is empty in the end."""
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        elif text:
            print(text, file=sys.stderr, flush=True)

    def _watch(self) -> None:
        waited = 2
        while not self._done.wait(2 if waited == 2 else 5):
            self._say(f"adlab: {waited} s, {_stage} …")
            waited += 5
