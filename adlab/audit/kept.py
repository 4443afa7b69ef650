"""The file of a long audit: a line of JSON for each result, so that what was computed once is not computed again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from adlab.errors import OptionError, OutputError

Key = tuple[str, int, str]
"""A function, the order of its derivative, the kind of floats."""
Result = tuple[list[dict[str, Any]], list[dict[str, Any]]]
"""The rules that were tested, and those that are missing, as fields."""


class Kept:
    """Results by key, in a file or nowhere. A result of other versions is computed again. Raises OutputError and OptionError.

    >>> with Kept(None, ["adlab 1"]) as kept:
    ...     kept.known(("sin", 1, "float64"), lambda: ([{"digits": (16.0,)}], []))
    ([{'digits': (16.0,)}], [])
    """

    def __init__(self, path: str | Path | None, versions: Sequence[str]) -> None:
        self.path, self.versions = None if path is None else Path(path), list(versions)
        self._known: dict[Key, Result] = {}
        self._file: Any = None

    def __enter__(self) -> Kept:
        if self.path is None:
            return self
        try:
            whole = self._read() if self.path.exists() else 0
            self._file = open(self.path, "r+b" if whole else "wb")
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}") from error
        self._file.truncate(whole)
        self._file.seek(whole)
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    def known(self, key: Key, compute: Callable[[], Result]) -> Result:
        """The result of this key, from the file or computed now."""
        if key in self._known:
            return self._known[key]
        found = compute()
        if self._file is not None:
            line = {"key": key, "versions": self.versions, "found": [list(map(_plain, found[0])), found[1]]}
            self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
        return found

    def _read(self) -> int:
        """The bytes of the whole lines of the file. It notes the results that these versions gave."""
        assert self.path is not None
        place = 0
        with open(self.path, "rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):  # killed while it was written
                    break
                try:
                    row = json.loads(line)
                    name, order, kind = row["key"]
                    found = [_numbers(rule) for rule in row["found"][0]], row["found"][1]
                except (ValueError, KeyError, TypeError, IndexError):
                    raise OptionError(f"{self.path} is no file of an audit of rules; choose another one") from None
                place += len(line)
                if row["versions"] == self.versions:
                    self._known[name, order, kind] = found
        return place


def _plain(rule: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity and no NaN: they are texts."""
    return {name: [x if not isinstance(x, float) or math.isfinite(x) else str(x) for x in value] if isinstance(value, tuple)
            else value for name, value in rule.items()}  # fmt: skip


def _numbers(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value if name == "true" else map(float, value)) if isinstance(value, list) else value
            for name, value in rule.items()}  # fmt: skip
