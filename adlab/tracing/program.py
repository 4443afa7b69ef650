"""A Python function as graphs: one for each way through its branches, recorded when a point first goes that way."""

from __future__ import annotations

import contextlib
import gc
import inspect
import math
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any, Literal

import numpy as np
import sympy
from numpy import array, asarray, empty  # as they are outside a trace

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.symbols import SYMPY
from adlab.errors import AdlabError, DomainError, OptionError, PointError, TracingError
from adlab.graph import rules
from adlab.graph.graph import Builder, Graph, Node
from adlab.inputs import FloatArray
from adlab.primitives.table import PRIMITIVES
from adlab.tracing import samples  # noqa: F401 (fills the list of NumPy's functions)
from adlab.tracing.array import Array, plain
from adlab.tracing.names import traced_names
from adlab.tracing.recorder import HERE, NE, NUMPY, Mark, Recorder, SourceLine
from adlab.tracing.scalar import Scalar, scalar

EQ = PRIMITIVES["eq"]
Guards = Literal["retrace", "refuse"]
MOST_PATHS = 256
"""The most paths that are kept. A loop that runs until something converges has many, and each is a graph."""


@dataclass(frozen=True)
class Decision:
    """A branch on a path: whether its condition held, and where it stands. Conditions are the outputs of `CodePath.decisions`."""

    held: bool
    line: SourceLine
    text: str
    alone: bool = False
    """Whether an equality held: then the points beside this one go another way."""


@dataclass(frozen=True)
class CodePath:
    """One way through a function: its graph, the conditions that lead this way, and the source line of each node."""

    graph: Graph
    decisions: Graph
    taken: tuple[Decision, ...]
    lines: dict[int, Mark]

    @cached_property
    def guarded(self) -> Graph:
        """The graph, with no value where a branch goes another way: what stands for the function at points not yet known."""
        if not self.taken:
            return self.graph
        builder = Builder(self.graph.inputs)
        outputs = rules.splice(builder, self.graph, range(len(self.graph.inputs)))
        conditions = rules.splice(builder, self.decisions, range(len(self.graph.inputs)))
        held = [c if d.held else builder.call("not", c) for c, d in zip(conditions, self.taken, strict=True)]
        this_way = reduce(lambda a, b: builder.call("and", a, b), held)
        nothing = builder.constant(math.nan)
        return builder.finish([builder.call("select", this_way, output, nothing) for output in outputs])

    def condition(self, variables: Sequence[Any]) -> Any:
        """When a point goes this way, as a SymPy condition."""
        values = evaluate(self.decisions, list(variables), SYMPY)
        conditions = [values[output] for output in self.decisions.outputs]
        return sympy.And(*(c if d.held else sympy.Not(c) for c, d in zip(conditions, self.taken, strict=True)))

    def departs(self, point: Sequence[float]) -> Decision | None:
        """The first branch at which this point goes another way. None if it goes this way."""
        if not self.taken:
            return None
        values = evaluate(self.decisions, list(point), FLOATS)
        for output, decision in zip(self.decisions.outputs, self.taken, strict=True):
            if (values[output] != 0) != decision.held:
                return decision
        return None


@dataclass
class Arguments:
    """How a flat point becomes the arguments of a function: a name and a shape for each."""

    names: list[str]
    shapes: list[tuple[int, ...]]
    keywords: bool = False

    @classmethod
    def like(cls, function: Callable[..., Any], example: Any) -> tuple[Arguments, FloatArray]:
        """Made from an example: a tuple or dict gives several arguments, anything else is the only one."""
        if isinstance(example, dict):
            given, names = list(example.values()), [str(key) for key in example]
        elif isinstance(example, tuple) and not _takes_one(function):
            given, names = list(example), _parameters(function, len(example))
        else:
            given, names = [example], _parameters(function, 1)
        try:
            arrays = [asarray(item, dtype=float) for item in given]
        except (TypeError, ValueError, OverflowError) as reason:
            raise PointError(f"the example must be numbers or arrays of numbers: {reason}") from None
        if not all(np.isfinite(array).all() for array in arrays):
            raise PointError("the example has a number that is not finite")
        flat = np.concatenate([array.ravel() for array in arrays]) if arrays else empty(0)
        return cls(names, [array.shape for array in arrays], isinstance(example, dict)), flat

    @property
    def variables(self) -> list[str]:
        """A name for each number: the argument's own, or with an index: `x0`, `x1`, … or `a0_1`."""
        found: list[str] = []
        for name, shape in zip(self.names, self.shapes, strict=True):
            found += [name + "_".join(map(str, place)) for place in np.ndindex(shape)] if shape else [name]
        return found

    def call(self, function: Callable[..., Any], numbers: Sequence[Any]) -> Any:
        """The function at these numbers, floats or traced."""
        given, start = [], 0
        for shape in self.shapes:
            if not shape:
                given.append(numbers[start])
                start += 1
                continue
            count = int(np.prod(shape))
            part = numbers[start : start + count]
            start += count
            if part and isinstance(part[0], float):
                given.append(array(part).reshape(shape))
                continue
            held = empty(count, dtype=object)
            held[:] = part
            given.append(held.reshape(shape).view(Array))
        return function(**dict(zip(self.names, given, strict=True))) if self.keywords else function(*given)


def _parameters(function: Callable[..., Any], count: int) -> list[str]:
    try:
        names = [
            p.name for p in inspect.signature(function).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]  # fmt: skip
    except (TypeError, ValueError):
        names = []
    names = names[:count] + [f"x{i}" for i in range(len(names), count)]
    return names if count > 1 or len(names) == 1 else ["x"]


def _takes_one(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(needed) == 1 and not any(p.kind is p.VAR_POSITIONAL for p in parameters)


@dataclass
class Program:
    """A Python function of real numbers, and the paths through it that have been recorded.

    >>> def f(x):
    ...     return x[0] * np.sin(x[1]) if x[0] > 0 else x[1] ** 2
    >>> program = Program.of(f, [1.0, 2.0])
    >>> print(program.path([1.0, 2.0]).graph)
    v1 = sin(x1)
    v2 = x0*v1
    >>> print(program.path([-1.0, 2.0]).graph)
    v1 = x1**2
    """

    function: Callable[..., Any]
    arguments: Arguments
    example: FloatArray
    guards: Guards = "retrace"
    paths: list[CodePath] = field(default_factory=list)
    shape: tuple[int, ...] = ()

    @classmethod
    def of(cls, function: Callable[..., Any], example: Any, guards: Guards = "retrace") -> Program:
        """Records the path of the example. Raises TracingError with the line for what cannot be traced."""
        if not callable(function):
            raise OptionError(f"this needs a Python function, not {type(function).__name__}; a formula goes to adlab.Function")
        if guards not in ("retrace", "refuse"):
            raise OptionError(f'guards={guards!r} is neither "retrace" nor "refuse"')
        arguments, flat = Arguments.like(function, example)
        self = cls(function, arguments, flat, guards)
        path = self.path(flat.tolist())
        self._compare(path, flat)
        return self

    @property
    def size(self) -> int:
        """How many outputs."""
        return int(np.prod(self.shape))

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", "f").replace("<lambda>", "f")

    def path(self, point: Sequence[float]) -> CodePath:
        """The path of this point: a known one, or a new one, unless new ones are refused."""
        departed = None
        for known in self.paths:
            departed = known.departs(point)
            if departed is None:
                return known
        if self.guards == "refuse" and self.paths:
            assert departed is not None
            raise TracingError(
                f"{departed.line}: `{departed.text}` goes another way at this point than at the example, and guards=\"refuse\" "
                "forbids a new path; trace with an example that goes this way, or with guards=\"retrace\""
            )
        if len(self.paths) >= MOST_PATHS:
            del self.paths[1]  # the oldest except the example's own
        path = self._record(list(point))
        self._check_nearby(path, list(point))
        self.paths.append(path)
        return path

    def values(self, point: Sequence[float]) -> list[float]:
        """The function itself, run on floats: its outputs in order."""
        return [float(item) for item in plain(self.arguments.call(self.function, [float(x) for x in point])).ravel()]

    def _record(self, point: list[float]) -> CodePath:
        recorder = Recorder(self.arguments.variables)
        numbers = [Scalar(recorder, float(value), i) for i, value in enumerate(point)]
        with traced_names(getattr(self.function, "__globals__", None)), _without_collection():
            found = run(self.function, lambda: self.arguments.call(self.function, numbers))
        outputs, self.shape = _outputs(recorder, found)
        builder = recorder.builder
        graph = builder.finish([output.position for output in outputs])
        taken = list(recorder.guards.values())
        decisions = builder.finish([guard.position for guard in taken])
        lines = _moved(builder.nodes, graph, recorder.lines)
        alone = [builder.nodes[guard.position].primitive is (EQ if guard.held else NE) for guard in taken]
        made = tuple(Decision(g.held, g.line, g.line.text, a) for g, a in zip(taken, alone, strict=True))
        return CodePath(graph, decisions, made, lines)

    def _compare(self, path: CodePath, point: FloatArray) -> None:
        """The function on floats must agree with its graph, twice. Otherwise it depends on something that is not an input."""
        graph = evaluate(path.graph, point.tolist(), FLOATS)
        for turn in ("", " the second time"):
            try:
                plainly = self.values(point.tolist())
            except Exception:  # on floats math raises where the graph has NaN; the graph's domain explains that later
                return
            for output, value in zip(path.graph.outputs, plainly, strict=True):
                if not _close(value, graph[output]):
                    raise TracingError(
                        f"{self.name} gives {value!r} on floats{turn} and {graph[output]!r} when traced: it depends on something "
                        "besides its inputs (random numbers, the time, a variable that it changes), or it made a constant of a "
                        "traced number; pass what it depends on as an input"
                    )


    def refuse_alone(self, path: CodePath, point: Sequence[float], slopes: FloatArray | None) -> None:
        """Raises DomainError where the path's derivative at the point is not that of the function on both sides of it.

        `if x == 0: return 1` holds at one point only, and its branch says nothing of what is beside it. So differences of the
        function itself, by each variable that decides an equality, are held against the `slopes` of the path, (m, n). None is
        for higher derivatives, which are not held against anything, but refused.
        """
        here = np.array(self.values(point))
        for output, decision in zip(path.decisions.outputs, path.taken, strict=True):
            for k in sorted(_inputs_of(path.decisions, output)) if decision.alone else ():
                h = BESIDE * max(1.0, abs(point[k]))
                try:
                    low, high = (np.array(self.values([*point[:k], point[k] + d, *point[k + 1 :]])) for d in (-h, h))
                except Exception:  # there is no value beside the point
                    continue
                slope, size = (high - low) / (2 * h), np.abs(here) + np.abs(high)
                wrong = np.abs(high + low - 2 * here) > 1e3 * AGREED * size  # a jump
                if slopes is not None:
                    wrong |= np.abs(slope - slopes[:, k]) > AGREED * (np.abs(slope) + np.abs(slopes[:, k]) + size)
                if slopes is None or np.any(wrong):
                    raise DomainError(
                        f"{decision.line}: `{decision.text}` holds at this point and not beside it, where {self.name} is another "
                        f"function: by {self.arguments.variables[k]} it has no derivative here, or not that of this branch. "
                        "Write it without ==, or pass what is compared as a constant"
                    )

    def _check_nearby(self, path: CodePath, point: list[float]) -> None:
        """At another point of the path too: a constant that was made of a traced number, however that was done, shows there."""
        moved = [x + AWAY * (abs(x) or 1.0) * (1.0 + k % 8 / 8) * (-1.0) ** k for k, x in enumerate(point)]
        try:
            if path.departs(moved) is not None:
                return
            graph, plainly = evaluate(path.graph, moved, FLOATS), self.values(moved)
        except Exception:  # there is no value so far away, or the loop of a body does not end
            return
        for output, value in zip(path.graph.outputs, plainly, strict=True):
            if not _close(value, graph[output], 10 * SLACK):
                raise TracingError(
                    f"{self.name} gives {value!r} at {moved} and its graph {graph[output]!r}: it made a constant of a traced "
                    "number (by a text, a cache, another library), or depends on something besides its inputs (random numbers, "
                    "the time); compute with the number itself, or wrap that part by adlab.external"
                )


BESIDE = 1e-5
"""How far beside a point at which an equality holds a function is evaluated. The error of the difference is about 1e-10."""
AGREED = 1e-5
"""The part of its size by which such a difference may miss the derivative of the branch."""
AWAY = 2.0**-12
"""How far from a point, relative to its size, a new path is held against the function: far beyond `SLACK`, and still near."""
SLACK = 1e-9
"""The relative difference that rounding can make between a function on floats and its graph: NumPy sums in another order."""


def _inputs_of(graph: Graph, output: int) -> set[int]:
    """The inputs on which a node depends."""
    needed = {output}
    for i in range(output, len(graph.inputs) - 1, -1):
        if i in needed:
            needed.update(graph.nodes[i].operands)
    return {i for i in needed if i < len(graph.inputs)}


def _close(a: float, b: float, slack: float = SLACK) -> bool:
    return a != a or b != b or abs(a - b) <= slack * max(abs(a), abs(b)) or a == b


def run(function: Callable[..., Any], call: Callable[[], Any]) -> Any:
    """Calls a user's function. Whatever it raises becomes a TracingError with the line."""
    try:
        return call()
    except AdlabError:
        raise
    except Exception as reason:
        frames = traceback.extract_tb(reason.__traceback__)
        theirs = [frame for frame in frames if not frame.filename.startswith((HERE, NUMPY))] or list(frames)
        line = SourceLine(theirs[-1].filename, theirs[-1].lineno or 0)
        said = str(reason) or "it says no more"
        raise TracingError(f"{line}: `{line.text}` raised {type(reason).__name__}: {said}") from reason


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """No search for reference cycles while a graph grows: it has none, and the search takes a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _outputs(recorder: Recorder, found: Any) -> tuple[list[Scalar], tuple[int, ...]]:
    """What the function returned as traced numbers, in order, and its shape."""
    if found is None:
        raise TracingError("the function returned None; it must return a number or an array of numbers")
    try:
        array = plain(nested(found))
        outputs = [scalar(recorder, item) for item in array.ravel().tolist()]
    except (TypeError, ValueError) as reason:
        raise TracingError(f"the function must return numbers, not {type(found).__name__}: {reason}") from None
    if not outputs or any(output is None for output in outputs):
        raise TracingError(f"the function must return a number or an array of numbers, not {type(found).__name__}")
    return [output for output in outputs if output is not None], array.shape


def nested(found: Any) -> Any:
    """Lists and tuples of traced numbers as an array of objects."""
    if isinstance(found, (list, tuple)):
        parts = [plain(nested(part)) for part in found]
        return array([part.astype(object) for part in parts] if parts else [], dtype=object)
    return found


def _moved(before: Sequence[Node], graph: Graph, lines: dict[int, Mark]) -> dict[int, Mark]:
    """The lines by the positions that nodes have in the finished graph, which leaves out what no output needs."""
    if len(before) == len(graph.nodes):
        return lines
    place = {node: i for i, node in enumerate(graph.nodes)}
    moved: dict[int, int] = {}
    found = {}
    for i, (primitive, operands, parameter) in enumerate(before):
        if all(operand in moved for operand in operands):
            position = place.get(Node(primitive, tuple(moved[operand] for operand in operands), parameter))
            if position is not None:
                moved[i] = position
                if i in lines:
                    found[position] = lines[i]
    return found


__all__ = ["Arguments", "CodePath", "Program", "nested", "run"]
