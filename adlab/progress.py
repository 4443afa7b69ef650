"""Says what a long computation is doing. The command line shows it, after two seconds."""

from __future__ import annotations

import sys
import threading

_stage = "starting"
_watcher: Watcher | None = None


def finished() -> None:
    """Says that the answer comes now. Whoever shows progress clears its line and is silent from here on."""
    if _watcher is not None:
        _watcher.stop()


def stage(name: str) -> None:
    """Says which piece of work begins now."""
    global _stage
    _stage = name


class Watcher:
    """Writes on standard error what is going on: first after two seconds, then every five."""

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
        """Stops writing, and clears the line."""
        if not self.quiet and not self._done.is_set():
            self._done.set()
            self._thread.join()
            self._say("")

    def _say(self, text: str) -> None:
        """In a file each message gets a line of its own. In a terminal they share one line, which is cleared at the end."""
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        elif text:
            print(text, file=sys.stderr, flush=True)

    def _watch(self) -> None:
        waited = 2
        while not self._done.wait(2 if waited == 2 else 5):
            self._say(f"adlab: {waited} s, {_stage} …")
            waited += 5
