"""The backend: a graph compiled to machine code, with one kernel for a point and one for batches."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.compile.llvm.engine import machine, program
from adlab.compile.llvm.entries import Row, call_entry, step_entry
from adlab.compile.llvm.kernels import batch_kernel, is_wide, point_kernel
from adlab.compile.llvm.stream import FAR, WIDE, each_kernel, is_thin
from adlab.compile.llvm.text import Externals
from adlab.graph.graph import Graph

FloatArray = npt.NDArray[np.float64]
LARGE = 1 << 16
"""Operations. A longer program would take LLVM ten seconds and more. It is compiled in a tenth of that, and takes 1.7 times as
long at a point."""


class LlvmKernel:
    """Points and batches. Each kernel is compiled on first use. `accuracy="strict"`: only scalar libm, nothing fused."""

    name = "llvm"

    def __init__(self, graph: Graph, accuracy: str) -> None:
        self.graph, self.strict = graph, accuracy == "strict"
        self._large = len(graph.operations) > LARGE

    @cached_property
    def _point(self) -> Any:
        externals = Externals()
        text = point_kernel(self.graph, externals, self.strict, machine().registers) + each_kernel(self.graph)
        return program(text, externals, ["point", "each"], self._large, is_wide(self.graph))

    @cached_property
    def _batch(self) -> Any:
        externals, registers = Externals(), machine().registers
        externals.declarations["point"] = "declare void @point(ptr, ptr, i64, ptr)"
        externals.addresses["point"] = self._point["point"]
        text = batch_kernel(self.graph, externals, self.strict, registers)
        return program(text, externals, ["batch"], self._large)

    @cached_property
    def call(self) -> Callable[..., tuple[float, ...]]:
        """Floats in, tuple of floats out."""
        return self.vouched_call(None)

    def vouched_call(self, mend: Callable[[Row, Row], Row] | None) -> Callable[..., Row]:
        """As `call`, with `mend(point, found)` asked where binary64 was left, or a result is not finite."""
        n, m = len(self.graph.inputs), len(self.graph.outputs)
        return call_entry(self._point["point"], n, m, self._point, mend=mend)

    def batch(self, points: FloatArray) -> FloatArray:
        """(N, inputs) → (N, outputs)."""
        out = np.empty((len(points), len(self.graph.outputs)))
        self.bind(np.ascontiguousarray(points), out)()
        return out

    def bind(self, x: FloatArray, out: FloatArray) -> Callable[[], None]:
        """A step from the buffer `x` to the buffer `out`."""
        return self.vouched_bind(x, out, None)

    def vouched_bind(self, x: FloatArray, out: FloatArray, mend: Callable[[bool], object] | None) -> Callable[[], None]:
        """As `bind`, with `mend(alarmed)` called where binary64 was left, or a result is not finite."""
        if len(x) == 1:
            return step_entry(self._point["point"], x, out, self._point, mend=mend)
        far = out.nbytes >= FAR
        stream = far and out.nbytes >= WIDE * len(x)
        if far and is_thin(self.graph):
            return step_entry(self._point["each"], x, out, self._point, mend=mend, stream=stream and out.size <= x.size)
        return step_entry(self._batch["batch"], x, out, (self._point, self._batch), mend=mend, stream=stream)
