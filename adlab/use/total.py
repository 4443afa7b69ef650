"""A loss summed over arrays of data, with derivatives by the parameters only.

The data are not variables. Compiled programs take them block by block, so a million rows need no more memory than a few
thousand. Where there is machine code, its loop adds up and stores nothing (`sums`). The sum over the rows is compensated for its
own rounding (Neumaier 1974).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.compile.alarm import all_finite
from adlab.errors import DomainError, MethodError, OverflowedError, PointError, VariableError
from adlab.function import Function, as_function
from adlab.graph import rules
from adlab.graph.graph import Builder
from adlab.inputs import FloatArray, coerce_one
from adlab.text.traversal import listing
from adlab.use.sums import NOTHING, Loop, Sum, loop_of

Columns = Mapping[str, npt.ArrayLike]
NUMBERS_IN_A_BLOCK, LONGEST, SHORTEST = 2**20, 8192, 16
"""Inputs and results of a block: 8 MB. A block has 16 to 8192 rows; more rows are not faster."""

NO_ROWS = "there are no data: the columns are empty"


def total(f: Any, data: Columns | Callable[[], Iterable[Columns]], squares: bool = False) -> Total:
    """f summed over the rows of `data`, as a function of the parameters: the variables that `data` does not name.

    `data` maps names to arrays of one length, which may be memory-mapped. For data that do not fit into memory it is a function
    that returns an iterator of such mappings. Several outputs are summed. With `squares` f is a residual r, the sum is Σ r²/2,
    and there is a Gauss–Newton product. Raises VariableError for names that are not variables of f.

    >>> import numpy as np
    >>> loss = total("(y - a*exp(-b*t))**2", {"t": np.array([0.0, 1.0, 2.0]), "y": np.array([2.0, 1.2, 0.8])})
    >>> loss.parameters, round(loss([2.0, 0.5]), 9)
    (['a', 'b'], 0.004297519)
    >>> loss.gradient([2.0, 0.5]).round(8)
    array([-0.03142179,  0.15737553])
    """
    return Total(as_function(f), data, squares)


class Total:
    """A loss over data. See `total`."""

    def __init__(self, f: Function, data: Columns | Callable[[], Iterable[Columns]], squares: bool = False) -> None:
        self.function, self.data = f, data
        self._chunks = data if callable(data) else lambda: iter([data])
        chunks = self._chunks()
        if not isinstance(chunks, Iterable):
            raise PointError(f"`data`, a function, must return blocks of data, not {type(chunks).__name__}")
        first = next(iter(chunks), None)
        if first is None:
            raise PointError("there are no data: the iterator is empty")
        if not isinstance(first, Mapping):
            raise PointError(f"`data` must be a mapping from names to arrays, not {type(first).__name__}")
        self.columns = [name for name in f.names if name in first]
        if unknown := [name for name in first if name not in f.names]:
            raise VariableError(f"data: no variable `{unknown[0]}`; there are {listing(f.names)}")
        self.parameters = [name for name in f.names if name not in first]
        if not self.parameters or not self.columns:
            given = "every variable" if self.columns else "no variable"
            raise VariableError(f"the data name {given}; some variables are data, and the others are the parameters")
        self.residual = f if squares else None
        self.loss = _summed(f, squares)
        self._places = [f.names.index(name) for name in self.columns]
        self.own_places = [f.names.index(name) for name in self.parameters]
        self._programs: dict[Any, Any] = {}
        self._loops: dict[Any, Loop | None] = {}

    # --- values and derivatives ---------------------------------------------------------------------------------

    def __call__(self, p: Any) -> float:
        """The sum. Raises DomainError with the row where f has no value, OverflowedError where the sum leaves binary64."""
        return float(self._sum(self.loss, None, p)[0])

    def gradient(self, p: Any) -> FloatArray:
        """The gradient by the parameters, shape (k,)."""
        return self._sum(self.loss, "gradient", p)

    def value_and_gradient(self, p: Any) -> tuple[float, FloatArray]:
        """The value and the gradient, from one pass over the data."""
        both = self._sum(self.loss, "value_and_gradient", p)
        return float(both[0]), both[1:]

    def hessian(self, p: Any) -> FloatArray:
        """The second partials by the parameters, shape (k, k)."""
        k = len(self.parameters)
        return self._sum(self.loss, "hessian", p).reshape(k, k)

    def hvp(self, p: Any, v: Any) -> FloatArray:
        """The Hessian times `v`, shape (k,), from one pass that does not build the Hessian."""
        return self._sum(self.loss, "hvp", p, coerce_one(v, self.parameters, "direction"))

    def gauss_newton(self, p: Any, v: Any = None) -> FloatArray:
        """JᵀJ for the Jacobian J of the residuals, shape (k, k); or its product with `v`, shape (k,). Needs `squares`."""
        f, k = self._residual(), len(self.parameters)
        direction = None if v is None else coerce_one(v, self.parameters, "direction")
        found = Sum()
        for block in self._results(f, "jacobian", p):
            rows = block.reshape(-1, k)
            with np.errstate(over="ignore", invalid="ignore"):  # the sum refuses what is not finite
                found.add((rows.T @ rows if direction is None else rows.T @ (rows @ direction))[np.newaxis])
        return found.value()

    def residuals(self, p: Any) -> FloatArray:
        """All residuals, row after row. Needs `squares`."""
        return np.concatenate([block.flatten() for block in self._results(self._residual(), None, p)])

    def jacobian(self, p: Any) -> FloatArray:
        """The residuals' Jacobian by the parameters, shape (residuals, k). Needs `squares`."""
        k = len(self.parameters)
        return np.concatenate([block.copy().reshape(-1, k) for block in self._results(self._residual(), "jacobian", p)])

    def table(self, p: Any) -> FloatArray:
        """The outputs of f for each row, shape (rows, m)."""
        return np.concatenate([block.copy() for block in self._results(self.function, None, p)])

    def _residual(self) -> Function:
        if self.residual is None:
            raise MethodError("residuals are known where f is one: total(residual, data, squares=True)")
        return self.residual

    def __repr__(self) -> str:
        kind = "Σ r²/2" if self.residual is not None else "Σ f"
        return f"<Total {kind} over {', '.join(self.columns)}; parameters {', '.join(self.parameters)}>"

    # --- block by block -----------------------------------------------------------------------------------------

    def _sum(self, f: Function, kind: str | None, p: Any, v: FloatArray | None = None) -> FloatArray:
        found, point = Sum(), coerce_one(p, self.parameters, "parameters")
        fixed = np.zeros(f.n + (0 if v is None else len(v)))
        fixed[self.own_places], fixed[f.n :] = point, NOTHING if v is None else v
        row = 0
        for chunk in self._chunks():
            arrays = self._arrays(chunk)
            loop = self._loop(f, kind) if len(arrays[0]) >= LONGEST else None
            size = len(arrays[0]) if loop is None else loop.rows_at_once(arrays, LONGEST)
            for start in range(0, len(arrays[0]), size or 1):
                part = [array[start : start + size] for array in arrays]
                if loop is None or not loop.add_to(found, part, fixed):
                    some = dict(zip(self.columns, part, strict=True))
                    for block in self._results(f, kind, point, v, [some], row + start):
                        found.add(block)
            row += len(arrays[0])
        if not row:
            raise PointError(NO_ROWS)
        return found.value()

    def _program(self, f: Function, kind: str | None) -> Any:
        if (f, kind) not in self._programs:
            self._programs[f, kind] = f.compile(derivative=kind, wrt=None if kind is None else self.parameters)
        return self._programs[f, kind]

    def _loop(self, f: Function, kind: str | None) -> Loop | None:
        """The program as a loop of machine code that sums. None where there is none."""
        if (f, kind) not in self._loops:
            self._loops[f, kind] = loop_of(self._program(f, kind), self._places)
        return self._loops[f, kind]

    def _results(
        self, f: Function, kind: str | None, p: Any, v: FloatArray | None = None, chunks: Iterable[Columns] | None = None,
        row: int = 0,
    ) -> Iterator[FloatArray]:  # fmt: skip
        """What the program gives for each block of rows, shape (rows, outputs of the program).

        `chunks` are the data to take, which begin with this row; by default all data.
        """
        program = self._program(f, kind)
        point, width = coerce_one(p, self.parameters, "parameters"), len(program.graph.outputs)
        extra = NOTHING if v is None else v
        size = self._block(len(extra) + width)
        kept, step = np.empty((size, width)), None
        for points in self.blocks(point, width, extra, chunks, row):
            if len(points) == size:  # the program reads the same buffer, and writes the same one, again and again
                step = step or program.bind(points, kept)
                step()
                found = kept
            else:
                parts = program(*np.split(points, [f.n], axis=1)[: 1 if v is None else 2])
                both = [part.reshape(len(points), -1) for part in (parts if isinstance(parts, tuple) else (parts,))]
                found = np.concatenate(both, axis=1)
            if not all_finite(found):
                self._refuse(f, points[:, : f.n], found, row, kind is not None)
            row += len(points)
            yield found

    def _block(self, results: int) -> int:
        """The rows of a block."""
        return max(SHORTEST, min(LONGEST, NUMBERS_IN_A_BLOCK // (len(self.columns) + len(self.parameters) + results)))

    def blocks(
        self, point: FloatArray, results: int = 0, extra: FloatArray = NOTHING, chunks: Iterable[Columns] | None = None,
        row: int = 0,
    ) -> Iterator[FloatArray]:  # fmt: skip
        """The points of a block of rows, shape (rows, n), and `extra` after each. The buffer is used again for the next block.

        `chunks` are the data to take, which begin with this row; by default all data.
        """
        n, size, first = self.function.n, self._block(len(extra) + results), row
        buffer = np.empty((size, n + len(extra)))
        buffer[:, self.own_places], buffer[:, n:] = point, extra
        for chunk in self._chunks() if chunks is None else chunks:
            arrays = self._arrays(chunk)
            for start in range(0, len(arrays[0]), size):
                rows = buffer[: min(size, len(arrays[0]) - start)]
                for place, array in zip(self._places, arrays, strict=True):
                    rows[:, place] = array[start : start + len(rows)]
                if not all_finite(rows):
                    k, column = np.argwhere(~np.isfinite(rows))[0]
                    name = self.loss.names[column]
                    raise PointError(f"data row {row + k}: `{name}` is {rows[k, column]}; leave such rows out")
                row += len(rows)
                yield rows
        if row == first:
            raise PointError(NO_ROWS)

    def _arrays(self, chunk: Columns) -> list[npt.NDArray[Any]]:
        """The columns in order, all of one length. Raises PointError for anything else."""
        if set(chunk) != set(self.columns):
            raise VariableError(
                f"data: a block names {listing(list(chunk))}, and the first one {listing(self.columns)}"
            )
        try:
            arrays = [np.asarray(chunk[name]) for name in self.columns]
        except ValueError as reason:
            raise PointError(f"data: a column must be numbers, one for each row: {reason}") from None
        for name, array in zip(self.columns, arrays, strict=True):
            if array.ndim != 1 or array.dtype.kind not in "biuf":
                raise PointError(
                    f"data: `{name}` must be a row of real numbers; it has shape {array.shape}, {array.dtype}"
                )
            if len(array) != len(arrays[0]):
                raise PointError(
                    f"data: `{name}` has {len(array)} numbers, and `{self.columns[0]}` has {len(arrays[0])}"
                )
        return arrays

    def _refuse(self, f: Function, points: FloatArray, found: FloatArray, before: int, derivative: bool) -> None:
        """Raises for the first row without a finite result."""
        k, column = np.argwhere(~np.isfinite(found))[0]
        if np.isnan(found[k, column]):
            reason = f.evaluator.reason(points[k], derivative)
            raise DomainError(f"data row {before + k}: {reason}") from reason
        raise OverflowedError(
            f"data row {before + k}: a result is beyond binary64 (more than 1.8e308); scale the variables"
        )


def _summed(f: Function, squares: bool) -> Function:
    """The number that a row adds to the sum."""
    if f.m == 1 and f.scalar and not squares:
        return f
    builder = Builder(f.graph.inputs)
    terms = rules.splice(builder, f.graph, range(f.n))
    if squares:
        half = builder.constant(0.5)
        terms = [builder.call("mul", half, builder.call("powi", term, parameter=2)) for term in terms]
    summed = terms[0]
    for term in terms[1:]:
        summed = builder.call("add", summed, term)
    return Function.from_graph(builder.finish([summed]), f.name)
