"""Columns of numbers from a CSV file, for fits on the command line."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from adlab.errors import OptionError
from adlab.inputs import FloatArray


def read_columns(path: str | Path) -> dict[str, FloatArray]:
    """The columns, by the names in the first line. Raises OptionError, with the line, for what is not a table of numbers."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as wrong:
        raise OptionError(f"{path} cannot be read: {getattr(wrong, 'strerror', None) or wrong}") from wrong
    rows = [(number, row) for number, row in enumerate(csv.reader(lines), 1) if any(cell.strip() for cell in row)]
    if len(rows) < 2:
        raise OptionError(f"{path} has no rows below a line of names")
    names = [name.strip() for name in rows[0][1]]
    if len(set(names)) < len(names) or not all(names):
        raise OptionError(f"{path}: the first line must name every column, each once; found {', '.join(names)}")
    columns: list[list[float]] = [[] for _ in names]
    for number, row in rows[1:]:
        if len(row) != len(names):
            raise OptionError(f"{path}, line {number}: {len(row)} numbers for {len(names)} columns")
        for column, cell in zip(columns, row, strict=True):
            try:
                column.append(float(cell))
            except ValueError:
                raise OptionError(f"{path}, line {number}: {cell.strip()!r} is not a number") from None
    return {name: np.array(column) for name, column in zip(names, columns, strict=True)}
