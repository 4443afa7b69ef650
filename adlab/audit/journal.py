"""The file of a sweep while it grows: one JSON line for each row, in the order of the tasks, and its final form.

A sweep may be killed at any moment. The journal then ends in the middle of a task's block. Resuming removes that block and goes
on with its task. So the result is the same, byte for byte.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from adlab.audit.task import COLUMNS, json_line
from adlab.errors import AdlabError, MissingExtra, OptionError, OutputError
from adlab.process import whole_file

FORMATS = (".jsonl", ".csv", ".parquet")
_BATCH = 50_000
"""Rows of a Parquet row group: a few megabytes of memory."""


class Journal:
    """Rows on their way to `out`. `done` is the number of tasks whose rows are in the journal."""

    def __init__(self, out: Path, request: dict[str, Any], resume: bool) -> None:
        if out.suffix not in FORMATS:
            raise OptionError(f"{out} must end in one of {', '.join(FORMATS)}")
        if out.suffix == ".parquet":
            _parquet()
        if out.is_dir():  # said before the work, and not after it
            raise OutputError(f"cannot write {out}: it is a directory")
        self.out, self.path = out, out.with_name(out.name + ".journal")
        self.done = 0
        if resume and out.exists() and not self.path.exists():
            raise OptionError(f"{out} is finished, and nothing is left to go on with; remove it, or leave out --resume")
        try:
            self._file: BinaryIO = open(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")  # noqa: SIM115 - until the end
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}") from error
        try:
            self._keep_others_out()
            known = self._known(request) if resume else 0
        except AdlabError:
            self._file.close()
            raise
        self._file.seek(known)
        self._file.truncate()
        if not known:
            self._file.write(json_line(request))
            self._file.flush()

    def _keep_others_out(self) -> None:
        """Two sweeps that write one journal would mix their rows. Where system or disk has no such locks, nobody looks."""
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OptionError(f"another sweep writes {self.path} now; choose another --out") from None

    def _known(self, request: dict[str, Any]) -> int:
        """The bytes of the whole blocks of a journal that the same request began. It counts their tasks."""
        lines = iter(self._file.readline, b"")
        place = end = len(head := next(lines, b""))
        if not head.endswith(b"\n"):  # killed before its first line was whole
            return 0
        if head != json_line(request):
            raise OptionError(f"{self.path} belongs to another sweep (other file, methods or points): remove it, or choose "
                              "another --out")  # fmt: skip
        for line in lines:
            place += len(line)
            try:
                task, row, rows = (json.loads(line)[key] for key in ("task", "row", "rows"))
            except (ValueError, KeyError, TypeError):  # killed while it was written
                break
            if task != self.done:
                break
            if line.endswith(b"\n") and row == rows - 1:
                end, self.done = place, task + 1
        return end

    def add(self, lines: bytes, tasks: int) -> None:
        """Writes the rows of the next tasks, as `written_rows` makes them."""
        self._file.write(lines)
        self._file.flush()
        self.done += tasks

    def rows(self) -> Iterator[dict[str, Any]]:
        """All rows so far, from the file."""
        with open(self.path, "rb") as lines:
            next(lines)
            for line in lines:
                yield json.loads(line)

    def finish(self) -> None:
        """Writes `out` from the journal, and removes the journal."""
        self._file.flush()
        os.fsync(self._file.fileno())
        try:
            with whole_file(self.out) as draft:
                {".jsonl": self._as_jsonl, ".csv": self._as_csv, ".parquet": self._as_parquet}[self.out.suffix](draft)
        except OSError as error:
            raise OutputError(f"cannot write {self.out}: {error.strerror or error}") from error
        self.close()
        self.path.unlink()

    def close(self) -> None:
        """Closes the file. What was written stays."""
        self._file.close()

    def _as_jsonl(self, draft: Path) -> None:
        with open(draft, "wb") as file, open(self.path, "rb") as lines:
            next(lines)
            shutil.copyfileobj(lines, file)

    def _as_csv(self, draft: Path) -> None:
        with open(draft, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(row | {"point": " ".join(map(repr, row["point"]))} for row in self.rows())

    def _as_parquet(self, draft: Path) -> None:
        arrow, parquet = _parquet()
        schema = arrow.schema([(column, _kind(arrow, column)) for column in COLUMNS])
        with parquet.ParquetWriter(draft, schema) as writer:
            batch: list[dict[str, Any]] = []
            for row in self.rows():
                batch.append(row)
                if len(batch) == _BATCH:
                    writer.write_table(arrow.Table.from_pylist(batch, schema))
                    batch = []
            writer.write_table(arrow.Table.from_pylist(batch, schema))


def _kind(arrow: Any, column: str) -> Any:
    if column in ("task", "row", "rows", "output"):
        return arrow.int64()
    if column in ("value", "digits", "ulps"):
        return arrow.float64()
    return arrow.list_(arrow.float64()) if column == "point" else arrow.string()


def _parquet() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("Parquet needs pyarrow: pip install 'adlab[sweep]', or choose .csv or .jsonl") from None
    return pyarrow, pyarrow.parquet
