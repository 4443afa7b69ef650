"""The common face of the backends, the ways to compile a graph: a program for points, floats, batches and buffers.

Every backend computes the same: NaN at a point outside the domain, infinity for a value beyond binary64, NaN for a derivative
beyond it, and never an exception. Three kinds of points are computed by the function's evaluator instead (`behind`): where a
number has left binary64's range on the way, where f is on a kink, and where f is real only by way of complex numbers.

`backend="auto"` answers the first points by walking the graph. It goes on with a backend that is ready soon: the tape
interpreter where llvmlite is installed, else Python and NumPy. It compiles to machine code once it has spent as long without.
So it takes little more than twice the time of the best choice. `call` and `bind` compile at once.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, partial
from math import prod
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from adlab.arithmetic.domain import steady
from adlab.autodiff.programs import WALKS
from adlab.compile.alarm import all_finite, vouched_bind, vouched_call, watched
from adlab.compile.behind import Asked, Behind
from adlab.compile.derivatives import names_of, planned
from adlab.compile.factor import shortened
from adlab.compile.numpy import NumpyKernel
from adlab.compile.python import PythonKernel, Walker
from adlab.compile.reuse import reused
from adlab.compile.sparse import SparseProgram
from adlab.compile.spread import compact, spread_over
from adlab.compile.threads import Threads, counted, in_blocks
from adlab.errors import MethodError, MissingExtra, OptionError, PointError
from adlab.graph.graph import Graph
from adlab.inputs import coerced

FloatArray = npt.NDArray[np.float64]
Shape = tuple[int, ...]
Step = Callable[[], None]

BACKENDS = ("auto", "python", "numpy", "llvm")
ACCURACIES = ("fast", "strict")

# Seconds that an operation takes, about. Compiling pays once as much time has been spent without it.
WALKED_POINTS = 1000  # small batches are walked too
MACHINE_CODE, MACHINE_CODE_AT_LEAST = 2e-4, 0.02


class Kernel(Protocol):
    """What a backend makes of a graph."""

    @property
    def name(self) -> str:
        """The name, as in `backend=`."""

    @property
    def call(self) -> Callable[..., tuple[float, ...]]:
        """Floats in, all outputs out."""

    @property
    def batch(self) -> Callable[[FloatArray], FloatArray]:
        """(N, inputs) → (N, outputs)."""

    def bind(self, x: FloatArray, out: FloatArray) -> Step:
        """A step that reads C-contiguous `x`, (N, inputs), and writes C-contiguous `out`, (N, outputs)."""


class Quick(Kernel, Protocol):
    """A backend that is ready soon, with the seconds that an operation takes at a point, and at a point of a batch."""

    @property
    def called(self) -> float: ...
    @property
    def batched(self) -> float: ...


class CompiledProgram:
    """A program that computes f, its derivative, or both. `shapes` are those of its parts at one point.

    >>> import adlab
    >>> f = adlab.Function("log((x1 + x2)**2 + sin(x1*x2))")
    >>> program = f.compile(derivative="value_and_gradient")
    >>> program([1.0, 2.0])
    (2.2934734504528866, array([0.52150078, 0.56349637]))
    >>> program.call(1.0, 2.0)
    (2.2934734504528866, 0.5215007789468606, 0.5634963734499162)
    >>> x, out = np.array([1.0, 2.0]), np.empty(3)
    >>> step = program.bind(x, out); step(); out
    array([2.29347345, 0.52150078, 0.56349637])
    """

    def __init__(
        self,
        graph: Graph,
        shapes: Sequence[Shape],
        quick: Callable[[], Quick],
        best: Callable[[], Kernel],
        behind: Behind | None = None,
        widths: Sequence[int] | None = None,
    ) -> None:
        self.graph = graph
        """What is computed: the outputs of all parts in a row."""
        self.shapes = tuple(shapes)
        self.n = len(graph.inputs)
        self.widths = (self.n,) if widths is None else tuple(widths)  # of the point, and of the vector if there is one
        self.behind = behind  # computes the points at which binary64 is not enough; None for a graph that belongs to no function
        self.threads = 1  # that share a batch, unless a call names another number
        self._make_quick, self._make_best = quick, best
        self._operations = len(graph.operations)
        self._walks = 0
        self._spent = 0.0
        self.recipe: partial[tuple[dict[str, Any], dict[str, Any]]] | None = None
        """What `save` writes: the function, and the options with which it was compiled."""

    @cached_property
    def _quick(self) -> Quick:
        return self._make_quick()

    @cached_property
    def _best(self) -> Kernel:
        return self._make_best()

    def _kernel(self, points: int) -> Kernel:
        """The backend for so many more points: the best one, once the quick one has taken as long as compiling takes."""
        if "_best" in self.__dict__:
            return self._best
        each = self._quick.called if points == 1 else self._quick.batched
        self._spent += points * each * self._operations
        patience = MACHINE_CODE_AT_LEAST + MACHINE_CODE * self._operations
        return self._best if self._spent > patience else self._quick

    @property
    def backend(self) -> str:
        """The name of the backend that serves frequent calls."""
        return self._best.name

    @cached_property
    def call(self) -> Callable[..., tuple[float, ...]]:
        """n floats in, the tuple of all numbers out (values, then partials row-major). This is the cheapest call.

        Raises TypeError for anything but n numbers.
        """
        return self._best.call if self.behind is None else vouched_call(self._best, self._mended_row)

    @cached_property
    def _quick_call(self) -> Callable[..., tuple[float, ...]]:
        return self._quick.call if self.behind is None else vouched_call(self._quick, self._mended_row)

    def __call__(self, x: Any, *vectors: Any, threads: Threads | None = None) -> Any:
        """At one point, shape (n,), or at many, (..., n): an array for each part, or a float for a single number.

        A point may also be a mapping from the names of the inputs to numbers, or to arrays of them.

        A program of jvp, hvp or vjp takes the vector as a second argument: one for all points, or one each. `threads`, a number
        or "auto", share a large batch. Raises PointError for another shape or no real numbers, OptionError for bad threads.
        """
        shared = self.threads if threads is None else counted(threads)
        points = self._together((x, *vectors))
        before = points.shape[:-1]
        if not before:
            found = np.array(self._at(points.tolist()))
        else:
            rows = np.ascontiguousarray(points.reshape(prod(before), self.n)) if points.ndim > 2 else points
            found = self._over(rows, shared).reshape(*before, len(self.graph.outputs))
        parts, start = [], 0
        for shape in self.shapes:
            size = prod(shape)
            part = found[..., start : start + size].reshape(before + shape)
            parts.append(part if part.shape else float(part))
            start += size
        return parts[0] if len(parts) == 1 else tuple(parts)

    def bind(self, x: FloatArray, out: FloatArray) -> Step:
        """`step = program.bind(x, out)`: each `step()` reads the buffer `x` and writes the buffer `out`.

        `x` has shape (n,) or (N, n). `out` holds as many numbers as there are results, all parts of a point in a row. Both are
        C-contiguous and aligned arrays of float64, without a number in common. On the llvm backend a step allocates nothing.
        """
        for what, buffer in (("x", x), ("out", out)):
            if not isinstance(buffer, np.ndarray) or buffer.dtype != np.float64 or not buffer.flags.c_contiguous:
                raise PointError(f"`{what}` must be a C-contiguous NumPy array of float64; try np.ascontiguousarray")
            if not buffer.flags.aligned:
                raise PointError(f"`{what}` begins at an address that is no multiple of 8; copy it into an array of its own")
        if np.may_share_memory(x, out):
            raise PointError("`x` and `out` share memory: a result would overwrite a number that is still to be read")
        if x.ndim not in (1, 2) or x.shape[-1] != self.n:
            raise PointError(f"`x` has shape {x.shape}; give ({self.n},) or (N, {self.n})")
        points, width = x.size // self.n if self.n else 1, len(self.graph.outputs)
        if out.size != points * width or not out.flags.writeable:
            raise PointError(f"`out` must be writeable and hold {points} × {width} numbers, not shape {out.shape}")
        rows, results = x.reshape(points, self.n), out.reshape(points, width)
        if self.behind is None:
            return self._best.bind(rows, results)
        return vouched_bind(self._best, rows, results, partial(self._mend, rows, results))

    def save(self, path: Any) -> None:
        """Writes the function and what was compiled of it as JSON. `adlab.load(path)` compiles it again."""
        from adlab.graph.saved import write

        if self.recipe is None:
            raise MethodError("only what f.compile(…) returns can be saved; this program belongs to no function")
        write(path, *self.recipe())

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A program is pickled, and copied, as its function and options, and compiled again on the other side."""
        if self.recipe is None:
            raise MethodError("only what f.compile(…) returns can be copied; this program belongs to no function")
        return compile_function, self.recipe.args

    def _repr_latex_(self) -> str:
        found: str = self.graph._repr_latex_()
        return found

    def __repr__(self) -> str:
        return f"<CompiledProgram: {self.graph!r}, backend {self.backend}>"

    def _at(self, point: list[float]) -> tuple[float, ...]:
        if self._walk():
            return self._walked(*point)
        best = self._kernel(1) is self.__dict__.get("_best")
        return self.call(*point) if best else self._quick_call(*point)

    @cached_property
    def _walked(self) -> Callable[..., tuple[float, ...]]:
        walker = Walker(self.graph)
        return walker.call if self.behind is None else vouched_call(walker, self._mended_row)

    def _mended_row(self, point: Sequence[float], found: Sequence[float]) -> tuple[float, ...]:
        return tuple(self._mend(np.array([point]), np.array([found]), True)[0].tolist())

    def _mend(self, rows: FloatArray, found: FloatArray, alarmed: bool) -> FloatArray:
        """`found`. Rows that binary64 has spoiled are replaced in place."""
        assert self.behind is not None
        return self.behind.mended(self.graph, rows, found, alarmed)

    def _over(self, rows: FloatArray, threads: int) -> FloatArray:
        """(N, inputs) → (N, outputs)."""
        walks = len(rows) <= WALKED_POINTS and self._walk()
        kernel = Walker(self.graph) if walks else self._kernel(len(rows))
        return in_blocks(partial(self._watched, kernel), rows, len(self.graph.outputs), self._operations, threads)

    def _watched(self, kernel: Kernel | Walker, rows: FloatArray, out: FloatArray | None) -> FloatArray:
        if self.behind is None:
            found = kernel.batch(rows)
        elif hasattr(kernel, "vouched_bind"):  # machine code watches itself
            found = np.empty((len(rows), len(self.graph.outputs))) if out is None else out
            vouched_bind(kernel, np.ascontiguousarray(rows), found, partial(self._mend, rows, found))()
            return found
        else:
            with watched() as alarm:
                found = kernel.batch(rows)
            found = self._mend(rows, found, alarm.raised) if alarm.raised or not all_finite(found) else found
        if out is not None:
            out[:] = found
        return found

    def _walk(self) -> bool:
        """Whether this call walks the graph, because nothing is compiled yet and it may be one of few calls."""
        if "_best" in self.__dict__ or "_quick" in self.__dict__ or self._walks >= WALKS:
            return False
        self._walks += 1
        return True

    def _together(self, given: Sequence[Any]) -> FloatArray:
        """The arguments side by side, shape (..., n)."""
        if len(given) != len(self.widths):
            wanted = "a point and a vector" if len(self.widths) > 1 else "one argument, the point"
            raise PointError(f"the program takes {wanted}; {len(given)} were given")
        names, parts = self.graph.inputs, list[FloatArray]()
        for x, n, what in zip(given, self.widths, ("point", "vector"), strict=False):
            parts.append(coerced(x, names[:n], what))
            names = names[n:]
        if len(parts) == 1:
            return parts[0]
        try:
            before = np.broadcast_shapes(*(part.shape[:-1] for part in parts))
        except ValueError:
            raise PointError(f"{parts[0].shape[:-1]} points and {parts[1].shape[:-1]} vectors do not go together") from None
        return np.concatenate([np.broadcast_to(part, (*before, part.shape[-1])) for part in parts], axis=-1)


def compile_function(
    f: Any,
    backend: str = "auto",
    derivative: str | None = None,
    accuracy: str = "fast",
    wrt: Sequence[Any] | None = None,
    constants: Mapping[Any, float] | None = None,
    sparse: bool = False,
    threads: Threads = 1,
) -> CompiledProgram | SparseProgram:
    """`Function.compile`. Raises as `planned` does, and MissingExtra where `backend="llvm"` lacks llvmlite."""
    shared = counted(threads)
    plan = planned(f, derivative, wrt, constants, sparse)
    program = compile_graph(plan.graph, plan.shapes, backend, accuracy, plan.behind, plan.widths)
    program.threads = shared
    program.recipe = partial(_recipe, f, backend, derivative, accuracy, wrt, constants, sparse, threads)
    return program if plan.places is None else SparseProgram(program, plan.places)


def _recipe(
    f: Any, backend: str, derivative: str | None, accuracy: str, wrt: Sequence[Any] | None,
    constants: Mapping[Any, float] | None, sparse: bool, threads: Threads
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The function and the options, as JSON can write them."""
    names = None if wrt is None else names_of(wrt)
    fixed = None if constants is None else {str(name): float(value) for name, value in constants.items()}
    options: dict[str, Any] = {"backend": backend, "derivative": derivative, "accuracy": accuracy}
    options |= {"wrt": names, "constants": fixed}
    options |= {"sparse": True} if sparse else {}  # an older adlab, which knows neither, reads what has neither
    options |= {"threads": threads} if threads != 1 else {}
    return f.to_data(), options


def compile_graph(
    graph: Graph,
    shapes: Sequence[Shape],
    backend: str = "auto",
    accuracy: str = "fast",
    behind: Behind | None = None,
    widths: Sequence[int] | None = None,
) -> CompiledProgram:
    """A program of the parts `shapes`, which together are the graph's outputs in order.

    `widths` are the lengths of its arguments. `behind` computes the points at which binary64 is not enough.
    """
    _one_of("backend", backend, BACKENDS)
    _one_of("accuracy", accuracy, ACCURACIES)
    if not graph.outputs:  # nothing to compute, whatever the backend
        nothing = PythonKernel(graph)
        return CompiledProgram(graph, shapes, lambda: NumpyKernel(graph), lambda: nothing)
    backend = _for_bodies(graph, backend) if graph.compound else backend
    graph = shortened(graph) if accuracy == "fast" else reused(graph)
    if behind is not None and not steady(graph):
        asked = Asked(graph, behind)
        program = CompiledProgram(graph, shapes, lambda: asked, lambda: asked, None, widths)
        program._best = asked
        return program
    if backend != "auto":
        named = partial(_kernel, backend, graph, accuracy)
        program = CompiledProgram(graph, shapes, partial(NumpyKernel, graph), named, behind, widths)
        program._best = named()  # a caller who names a backend wants it compiled now
        return program
    if not has_machine_code():
        quick = NumpyKernel(graph)
        return CompiledProgram(graph, shapes, lambda: quick, lambda: quick, behind, widths)
    best = partial(_kernel, "llvm", graph, accuracy)
    return CompiledProgram(graph, shapes, partial(_quick, graph), best, behind, widths)


def _for_bodies(graph: Graph, backend: str) -> str:
    """The Python backend, which walks operations with bodies. Raises MethodError where another backend is asked for."""
    if backend in ("auto", "python"):
        return "python"
    names = sorted({node.primitive.name for node in graph.nodes if node.primitive.bodies(node.parameter)})
    raise MethodError(f'backend="{backend}" has no form of {", ".join(names)}; use backend="python", or "auto"')


def _quick(graph: Graph) -> Quick:
    fewer = compact(graph)
    if fewer is not None:
        return spread_over(_quick(fewer), graph)
    from adlab.compile.llvm.tape import tape_kernel

    return (tape_kernel(graph) if graph.outputs else None) or NumpyKernel(graph)


def _kernel(backend: str, graph: Graph, accuracy: str) -> Kernel:
    fewer = compact(graph)
    if fewer is not None:
        return spread_over(_kernel(backend, fewer, accuracy), graph)
    if backend == "python":
        return PythonKernel(graph)
    if backend == "numpy":
        return NumpyKernel(graph)
    if not has_machine_code():
        raise MissingExtra('backend="llvm" needs llvmlite, on Linux or macOS; pip install "adlab[jit]"')
    if not graph.outputs:  # machine code would loop at least once
        return PythonKernel(graph)
    from adlab.compile.llvm.kernel import LlvmKernel

    kernel: Kernel = LlvmKernel(graph, accuracy)
    return kernel


@cache
def has_machine_code() -> bool:
    """Windows has its mathematical functions in another library, and no vector forms."""
    return importlib.util.find_spec("llvmlite") is not None and sys.platform != "win32"


def _one_of(name: str, value: Any, allowed: Sequence[Any]) -> None:
    if value not in allowed:
        raise OptionError(f"{name}={value!r} is none of {', '.join(map(repr, allowed))}")
