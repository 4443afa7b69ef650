"""Sparse Jacobians and Hessians as programs: the entries that may differ from 0, and nothing else.

A program needs no colours. The sweeps that write it visit only what each output needs, or each input reaches, and write the
entries one by one. What is left out is 0, also where an output has no value. Of a Hessian the lower triangle is written, and
each entry stands for its mirror image too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from adlab.arithmetic.domain import turning
from adlab.arithmetic.nodes import Nodes
from adlab.arithmetic.sparsity import pattern
from adlab.autodiff import programs
from adlab.autodiff.entries import Places, SparseMatrix
from adlab.autodiff.evaluator import Evaluator
from adlab.autodiff.jacobian import cheaper_mode
from adlab.autodiff.sparse_hessian import symmetric
from adlab.autodiff.sweeps import forward, reverse
from adlab.compile.behind import Behind
from adlab.compile.existence import guarded
from adlab.compile.threads import Threads
from adlab.errors import MethodError
from adlab.graph.collector import paused
from adlab.graph.graph import Builder, Graph
from adlab.graph.liveness import ancestors, descendants
from adlab.inputs import FloatArray

if TYPE_CHECKING:
    from adlab.compile.program import CompiledProgram

Shape = tuple[int, ...]
SPARSE = ("jacobian", "value_and_jacobian", "hessian")


@dataclass(frozen=True)
class CompilePlan:
    """A graph to compile. `shapes`: the shapes of its parts at one point. `widths`: the lengths of its arguments."""

    graph: Graph
    shapes: Sequence[Shape]
    behind: Behind
    widths: Sequence[int]
    places: Places | None = None
    """Where the entries of the last part stand. Only a sparse program has them."""


class SparseProgram:
    """A compiled program whose last part is a sparse matrix.

    >>> import adlab
    >>> f = adlab.Function(["x1*x2", "x2**2", "sin(x3)"])
    >>> program = f.compile("python", "jacobian", sparse=True)
    >>> program.rows, program.columns, program.call(1.0, 2.0, 0.0)
    (array([0, 0, 1, 2]), array([0, 1, 1, 2]), (2.0, 1.0, 4.0, 1.0))
    """

    def __init__(self, program: CompiledProgram, places: Places) -> None:
        self.program, self.places, self.graph, self.n = program, places, program.graph, program.n

    @property
    def backend(self) -> str:
        """The name of the backend that serves frequent calls."""
        return self.program.backend

    @property
    def call(self) -> Callable[..., tuple[float, ...]]:
        """As for a dense program, except that the matrix is given as the list of its entries."""
        return self.program.call

    def bind(self, x: FloatArray, out: FloatArray) -> Callable[[], None]:
        """As for a dense program, except that the matrix is given as the list of its entries."""
        return self.program.bind(x, out)

    @property
    def rows(self) -> Any:
        return self.places.rows

    @property
    def columns(self) -> Any:
        return self.places.columns

    def __call__(self, x: Any, threads: Threads | None = None) -> Any:
        """One point gives a `scipy.sparse.csr_array` (without SciPy a `SparseMatrix`). Many points give one `SparseMatrix`."""
        found = self.program(x, threads=threads)
        if isinstance(found, tuple):
            return (*found[:-1], SparseMatrix(found[-1], self.places).preferred())
        return SparseMatrix(np.atleast_1d(found), self.places).preferred()

    def save(self, path: Any) -> None:
        """Saves the program as a dense program is saved."""
        self.program.save(path)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.program.__reduce_ex__(protocol)

    def __repr__(self) -> str:
        return f"<SparseProgram: {len(self.places)} entries of {self.places.shape}, {self.program!r}>"


def sparsely(at: Evaluator, derivative: str, columns: list[int], scalar: bool) -> CompilePlan:
    """The plan of a sparse Hessian, or of a sparse Jacobian with or without the values before it."""
    if derivative == "hessian":
        return _hessian(at, columns)
    return _jacobian(at, columns, derivative.startswith("value_and_"), scalar)


@paused()
def _jacobian(at: Evaluator, columns: list[int], keep: bool, scalar: bool) -> CompilePlan:
    m, place = at.m, {j: k for k, j in enumerate(columns)}
    wanted = [[place[j] for j in row if j in place] for row in pattern(at.graph)]
    places = Places.of([sorted(row) for row in wanted], len(columns))
    builder = Builder.on(at.graph)
    numbers = Nodes(builder, programs.guards(at.graph, builder))
    entries = _partials(at.graph, columns, list(zip(places.rows.tolist(), places.columns.tolist(), strict=True)), numbers)
    raw = builder.finish([*at.graph.outputs, *entries])
    owners = places.rows.tolist()

    def row(point: FloatArray) -> FloatArray:
        values = [at.values(point)] if keep else []
        return np.concatenate([*values, at.jacobian(point)[:, columns][places.rows, places.columns]])

    pairs = [(entry, (i,)) for i, entry in zip(owners, raw.outputs[m:], strict=True)]
    shown = [(output, ()) for output in raw.outputs[:m]] if keep else []
    graph = guarded(raw, [*shown, *pairs], turning(at.graph))
    shapes: list[Shape] = [() if scalar else (m,)] * keep
    behind = Behind(row, lambda: raw, m, values=keep, owners=owners)
    return CompilePlan(graph, [*shapes, (len(places),)], behind, (at.n,), places)


def _partials(graph: Graph, columns: Sequence[int], pairs: Sequence[tuple[int, int]], numbers: Nodes) -> list[int]:
    """The partials of these outputs by these columns. A row of all partials would be as long for each output as for one."""
    zero, outputs, values = numbers.constant(0), graph.outputs, range(len(graph))
    if cheaper_mode(graph, columns) == "forward":
        moved = _moved(graph, columns, numbers)
        return [moved[k].get(outputs[i], zero) for i, k in pairs]
    swept = {
        output: reverse(graph, values, {output: numbers.one}, numbers, among=ancestors(graph, output), keep=False)
        for output in dict.fromkeys(outputs)
    }
    return [swept[outputs[i]].get(columns[k], zero) for i, k in pairs]


def _moved(graph: Graph, columns: Sequence[int], numbers: Nodes) -> list[dict[int, int]]:
    """For each column, the tangents of all nodes that the column reaches and that an output needs."""
    nodes, needed, waiting = graph.nodes, set(graph.outputs), list(set(graph.outputs))
    while waiting:
        new = {operand for operand in nodes[waiting.pop()].operands if operand not in needed}
        needed |= new
        waiting += new
    uses = [[reader for reader in readers if reader in needed] for readers in graph.uses()]
    one = numbers.constant(1)
    return [dict(forward(graph, range(len(graph)), {j: one}, numbers, descendants(graph, uses, j))) for j in columns]


@paused()
def _hessian(at: Evaluator, columns: list[int]) -> CompilePlan:
    if at.m != 1:
        raise MethodError(f"a sparse Hessian needs one output, and this function has m = {at.m}")
    k = len(columns)
    first = programs.derivative(at.graph, "reverse", True, columns)
    slopes = Graph(first.inputs, first.nodes, first.outputs[1:])
    place = {j: at_ for at_, j in enumerate(columns)}
    places = Places.of(symmetric([[place[j] for j in row if j in place] for row in pattern(slopes)]), k)
    builder = Builder.on(slopes)
    numbers = Nodes(builder, programs.guards(slopes, builder))
    found = _moved(slopes, columns, numbers)
    pairs = list(zip(places.rows.tolist(), places.columns.tolist(), strict=True))
    zero = builder.constant(0)
    entries = [found[min(i, j)].get(slopes.outputs[max(i, j)], zero) for i, j in pairs]
    raw = builder.finish([*first.outputs, *entries])

    def row(point: FloatArray) -> FloatArray:
        square = at.second(point, np.eye(at.n)[:, columns])[columns]
        return np.asarray(square[places.rows, places.columns])

    held = [(entry, (0, 1 + max(i, j))) for (i, j), entry in zip(pairs, raw.outputs[1 + k :], strict=True)]
    graph = guarded(raw, held, turning(first))
    alone = Graph(raw.inputs, raw.nodes, (raw.outputs[0], *raw.outputs[1 + k :]))
    behind = Behind(row, lambda: alone, 1, owners=[0] * len(places))
    return CompilePlan(graph, [(len(places),)], behind, (at.n,), places)
