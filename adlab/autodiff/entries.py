"""A sparse matrix as adlab hands it out: the entries that may differ from 0, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adlab.errors import PointError
from adlab.inputs import FloatArray


@dataclass(frozen=True)
class Places:
    """Where the entries stand, row by row: entry k is in row `rows[k]` and column `columns[k]` of a matrix of this `shape`."""

    rows: Any
    columns: Any
    shape: tuple[int, int]

    @classmethod
    def of(cls, found: Sequence[Sequence[int]], width: int) -> Places:
        """The places for these columns of each row."""
        rows = np.array([i for i, columns in enumerate(found) for _ in columns], dtype=np.intp)
        return cls(rows, np.array([j for columns in found for j in columns], dtype=np.intp), (len(found), width))

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class SparseMatrix:
    """The entries of a matrix, or of a batch of matrices of one pattern: `values` has shape (..., entries)."""

    values: FloatArray
    places: Places
    coloring: Any = None
    """The sweeps that found the matrix. A compiled program has none: it writes the entries one by one."""

    @property
    def rows(self) -> Any:
        return self.places.rows

    @property
    def columns(self) -> Any:
        return self.places.columns

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the matrix, or of the batch."""
        return self.values.shape[:-1] + self.places.shape

    def toarray(self) -> FloatArray:
        """The dense array with its zeros, shape (..., m, n)."""
        found = np.zeros(self.shape)
        found[..., self.rows, self.columns] = self.values
        return found

    def __getitem__(self, place: Any) -> SparseMatrix:
        """One matrix of a batch, or some of them."""
        if self.values.ndim == 1:
            raise PointError("this is one matrix; .toarray()[i, j] has an entry")
        return SparseMatrix(self.values[place], self.places, self.coloring)

    def __getattr__(self, name: str) -> Any:
        """`pattern`, `colors` and `sweeps`: those of the colouring."""
        if name in COLORED and self.coloring is not None:
            return getattr(self.coloring, name)
        raise AttributeError(f"a SparseMatrix has no {name}")

    def preferred(self) -> Any:
        """A `scipy.sparse.csr_array` with `coloring`, `pattern`, `colors` and `sweeps` where sweeps have found it.

        Without SciPy, and for a batch, this object itself.
        """
        if self.values.ndim != 1:
            return self
        try:
            from scipy.sparse import csr_array
        except ImportError:
            return self
        found: Any = csr_array((self.values, (self.rows, self.columns)), shape=self.places.shape)
        for name in ("coloring", *COLORED) if self.coloring is not None else ():
            setattr(found, name, getattr(self, name))
        return found


COLORED = ("pattern", "colors", "sweeps")
