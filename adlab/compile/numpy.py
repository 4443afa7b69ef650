"""A graph over batches as straight-line NumPy: one ufunc call for each operation and chunk of points.

Results go into buffers. A buffer is used again as soon as its last reader is done, so the working set of a chunk is small. The
chunks are large, since the dispatch of a ufunc costs as much as a thousand points. NumPy raises its floating-point flags where
an operation leaves its domain. The fast program runs with these flags turned into exceptions. Only a chunk that raised one goes
through the careful program, which masks each restricted operation by the condition in the table. Errors are NumPy's own, up to
4 ulps an operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.arithmetic.arrays import ARRAYS, quiet
from adlab.arithmetic.floats import OnFloats, compile_python
from adlab.graph import rules
from adlab.graph.constants import constants
from adlab.graph.graph import Graph, Node
from adlab.graph.liveness import last_uses
from adlab.primitives.primitive import Parameter, Primitive

FloatArray = npt.NDArray[np.float64]
CHUNK = 8192  # points; up to twice as many: with fewer, dispatch dominates …
SMALLEST_CHUNK = 512
WORKING_SET = 2**20  # … unless so many buffers are alive that the chunk would not fit the caches

_POWERS = {
    2: "square({0}, out={1})",
    3: "square({0}, out={1}); multiply({1}, {0}, out={1})",
    4: "square({0}, out={1}); square({1}, out={1})",
}  # np.power takes ten times as long
_CONDITIONS: dict[str, Callable[..., Any]] = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal,
    "ne": lambda a, b: np.less(a, b) | np.greater(a, b),  # neither holds for NaN
    "and": np.logical_and, "or": np.logical_or,
}  # fmt: skip


class NumpyProgram:
    """Runs batches of points through a graph: `program(points)` takes (N, inputs) and returns (N, outputs).

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> NumpyProgram(lower([sympy.log(x), 1 / x], [x]))(np.array([[1.0], [0.0]]))
    array([[ 0.,  1.],
           [nan, nan]])
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._fast = _Source(graph, careful=False)
        alive = self._fast.slots + len(graph.inputs) + len(graph.outputs)
        self.chunk = max(SMALLEST_CHUNK, min(CHUNK, WORKING_SET // max(alive, 1)))

    @cached_property
    def _careful(self) -> _Source:
        return _Source(self.graph, careful=True)

    def __call__(self, points: FloatArray) -> FloatArray:
        """The outputs at every point. It is a transposed view, since each output is computed as one row."""
        found = np.empty((len(self.graph.outputs), len(points)))
        columns = points.T
        parts = max(1, len(points) // self.chunk)  # equal parts of one to two chunks: a short rest would cost a whole dispatch
        width = -(-len(points) // parts)
        for start in range(0, len(points), max(width, 1)):
            part = columns[:, start : start + width]
            self._fill(part if part.strides[1] == part.itemsize else part.copy(), found[:, start : start + width])
        return found.T

    def _fill(self, columns: FloatArray, found: FloatArray) -> None:
        try:
            with quiet(outside="raise"):
                self._fast.run(columns, found)
        except FloatingPointError:
            with quiet():
                self._careful.run(columns, found)


class NumpyKernel:
    """Batches by NumPy, single points by straight-line Python. Each program is written on first use."""

    name = "numpy"
    called, batched = 6e-8, 3e-9  # seconds for an operation: at a point, at a point of a batch

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @cached_property
    def call(self) -> OnFloats:
        return compile_python(self.graph)

    @cached_property
    def batch(self) -> NumpyProgram:
        return NumpyProgram(self.graph)

    def bind(self, x: FloatArray, out: FloatArray) -> Callable[[], None]:
        """A step from the buffer `x` to the buffer `out`."""

        def step() -> None:
            out[...] = self.batch(x) if len(x) != 1 else self.call(*x[0].tolist())

        return step


class _Source:
    """The straight-line program: written once, run on each chunk. `careful` masks points outside an operation's domain."""

    def __init__(self, graph: Graph, careful: bool) -> None:
        self.careful = careful
        self.space: dict[str, Any] = {"copyto": np.copyto}
        self.slots = 0
        self._spare: list[FloatArray] = []
        lines = list(_Writer(graph, self).lines())
        source = "\n    ".join(["def program(x, w, y):", *(lines or ["pass"])])
        exec(compile(source, "<adlab program>", "exec"), self.space)  # text that adlab itself has just written
        self._program: Callable[..., None] = self.space["program"]

    def run(self, columns: FloatArray, found: FloatArray) -> None:
        """columns (inputs, c) → found (outputs, c). Buffers come from a pool, so threads may share a program."""
        width = columns.shape[1]
        buffers = self._spare.pop() if self._spare else np.empty((self.slots, 0))
        if buffers.shape[1] < width:
            buffers = np.empty((self.slots, width))
        self._program(columns, buffers[:, :width], found)
        self._spare.append(buffers)

    def call(self, primitive: Primitive, parameter: Parameter, operands: list[str], target: str) -> str:
        """The line that applies this operation to `operands` and stores the result in `target`."""
        array = primitive.array
        plain = isinstance(array, np.ufunc) and array is not np.arctan2  # arctan2 has an angle for 0/0, and raises no flag
        if primitive.name == "powi" and parameter in _POWERS:
            self.space |= {"square": np.square, "multiply": np.multiply}
            return _POWERS[parameter].format(*operands, target)
        if plain and (rules.unconditional(primitive) or not self.careful):
            self.space[array.__name__] = array
            return f"{array.__name__}({', '.join(operands)}, out={target})"
        name = f"f{len(self.space)}"
        if rules.unconditional(primitive):
            self.space[name] = array if parameter is None else lambda *given: array(*given, parameter)
        else:
            self.space[name] = lambda *given: ARRAYS.apply(primitive, parameter, list(given))
        return f"copyto({target}, {name}({', '.join(operands)}))"


class _Writer:
    """Gives every node its place (an input row x, a constant c, a buffer w, an output row y) and writes the lines."""

    def __init__(self, graph: Graph, source: _Source) -> None:
        self.graph, self.source = graph, source
        self.guarded = {} if source.careful else _guarded_outputs(graph)
        self.outputs = [self.guarded.get(output, (0, output))[1] for output in graph.outputs]
        self.conditions = _conditions_below(graph, self.guarded)
        self.place = [f"x{i}" for i in range(len(graph.inputs))] + [""] * (len(graph) - len(graph.inputs))

    def lines(self) -> Iterator[str]:
        graph, place = self.graph, self.place
        body = list(self._body())
        yield from _unpacked("x", range(len(graph.inputs)))
        yield from _unpacked("w", range(self.source.slots))
        yield from _unpacked("y", range(len(graph.outputs)))
        yield from body
        for k, output in enumerate(self.outputs):
            if place[output] != f"y{k}":
                yield f"copyto(y{k}, {place[output]})"
        for condition in dict.fromkeys(condition for condition, _ in self.guarded.values()):
            yield f"if not b{condition}.all(): raise FloatingPointError"

    def _body(self) -> Iterator[str]:
        graph, place = self.graph, self.place
        row = {output: k for k, output in reversed(list(enumerate(self.outputs)))}
        last, free = last_uses(graph), list[str]()
        for i, value in constants(graph).items():
            place[i] = f"c{i}"
            self.source.space[place[i]] = np.array(value)
        for i in graph.operations:
            node = graph.nodes[i]
            if i in self.conditions:
                yield self._condition(i, node)
            if place[i] or i in self.guarded or (i in self.conditions and not self.conditions[i]):
                continue
            place[i] = f"y{row[i]}" if i in row else free.pop() if free else self._new_slot()
            operands = [place[operand] for operand in node.operands]
            yield self.source.call(node.primitive, node.parameter, operands, place[i])
            free += [place[o] for o in dict.fromkeys(node.operands) if last[o] == i and place[o].startswith("w")]

    def _new_slot(self) -> str:
        self.source.slots += 1
        return f"w{self.source.slots - 1}"

    def _condition(self, i: int, node: Node) -> str:
        name = node.primitive.name
        self.source.space[name + "_"] = _CONDITIONS[name]
        letters = [f"b{o}" if name in ("and", "or") else self.place[o] for o in node.operands]
        return f"b{i} = {name}_({', '.join(letters)})"


def _unpacked(name: str, indices: range) -> Iterator[str]:
    if indices:
        yield f"{', '.join(f'{name}{i}' for i in indices)}, = {name}"


def _guarded_outputs(graph: Graph) -> dict[int, tuple[int, int]]:
    """Outputs of the form `partial if condition else nan`: their conditions and their partials.

    They need no masks: the program computes the partials and stops at the first condition that fails.
    """
    uses, found = graph.uses(), {}
    for output in dict.fromkeys(graph.outputs):
        primitive, operands, _ = graph.nodes[output]
        if primitive.name == "select" and not uses[output]:
            condition, partial, otherwise = operands
            value = graph.nodes[otherwise].parameter
            if isinstance(value, float) and value != value and _decidable(graph, condition):
                found[output] = (condition, partial)
    return found


def _decidable(graph: Graph, condition: int) -> bool:
    """Whether it is built from comparisons alone."""
    stack = [condition]
    while stack:
        i = stack.pop()
        name = graph.nodes[i].primitive.name
        if name not in _CONDITIONS or not graph.active[i]:
            return False
        if name in ("and", "or"):
            stack.extend(graph.nodes[i].operands)
    return True


def _conditions_below(graph: Graph, guarded: dict[int, tuple[int, int]]) -> dict[int, bool]:
    """The comparisons, and what joins them, that the guards read; and whether anything else reads them as numbers."""
    found: dict[int, bool] = {}
    stack = [condition for condition, _ in guarded.values()]
    uses, outputs = graph.uses(), set(graph.outputs)
    while stack:
        i = stack.pop()
        if i not in found:
            found[i] = i in outputs
            if graph.nodes[i].primitive.name in ("and", "or"):
                stack.extend(graph.nodes[i].operands)
    for i in found:
        found[i] |= any(use not in guarded and use not in found for use in uses[i])
    return found
