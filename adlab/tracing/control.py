"""`where`, `cond`, `while_loop` and `scan` for traced functions: control flow that stays in the graph.

Without them a loop unrolls, and an `if` takes the branch of the example. With them a loop of a million turns is one node. The
bodies are functions; they may use traced numbers from around them. On ordinary numbers all four simply compute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adlab.errors import TracingError
from adlab.graph.compound import Compound
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter
from adlab.primitives.table import PART
from adlab.tracing import functions
from adlab.tracing.array import Array, is_traced, plain, wrapped
from adlab.tracing.loops import BRANCH, SCAN, WHILE, Branched, Repeated, Scanned, reordered
from adlab.tracing.recorder import Recorder, refuse
from adlab.tracing.scalar import Scalar, scalar, truth


class Structure:
    """A number, an array, or a tuple or list of them, as a flat list and back."""

    def __init__(self, value: Any) -> None:
        self.kind = type(value) if isinstance(value, (tuple, list)) else None
        self.parts = [Structure(item) for item in value] if self.kind else []
        self.shape = () if self.kind else plain(value).shape

    @classmethod
    def of(cls, parts: Sequence[Structure]) -> Structure:
        """A tuple of what these describe."""
        self = cls(())
        self.parts = list(parts)
        return self

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return sum(part.size for part in self.parts) if self.kind else int(np.prod(self.shape))

    def flat(self, value: Any) -> list[Any]:
        """The numbers, in order. Raises TracingError where the shape is different."""
        if self.kind is not None:
            if not isinstance(value, (tuple, list)) or len(value) != len(self.parts):
                raise TracingError("a body must return what it was given: the same number of parts, of the same shapes")
            return [number for part, item in zip(self.parts, value, strict=True) for number in part.flat(item)]
        array = plain(value)
        if array.shape != self.shape:
            raise TracingError(f"a body must return what it was given: shape {self.shape}, not {array.shape}")
        return list(array.ravel().tolist())

    def built(self, numbers: list[Any]) -> Any:
        """The value from its numbers, which it takes from the front of the list."""
        if self.kind is not None:
            return self.kind(part.built(numbers) for part in self.parts)
        if not self.shape:
            return numbers.pop(0)
        held = np.empty(int(np.prod(self.shape)), dtype=object)
        for i in range(held.size):
            held[i] = numbers.pop(0)
        return wrapped(held.reshape(self.shape))


class Inner(Recorder):
    """The recorder of a body. A traced number from outside becomes a further input of the body, constant in the loop."""

    def __init__(self, outer: Recorder, names: list[str], known: list[Scalar]) -> None:
        super().__init__(names)
        self.outer, self.known = outer, known
        self.depth = outer.depth + 1
        self.met: list[Scalar] = []

    def adopt(self, number: Scalar) -> Scalar:
        """The number from outside, as a number of this body."""
        if number.recorder.depth < self.outer.depth and isinstance(self.outer, Inner):
            number = self.outer.adopt(number)
        for place, constant in enumerate(self.known):
            if constant.position == number.position and constant.recorder is number.recorder:
                return Scalar(self, number.value, len(self.builder.inputs) - len(self.known) + place)
        self.met.append(number)
        return Scalar(self, number.value, self.constant(number.value))


def body_of(outer: Recorder, function: Callable[..., Any], given: Sequence[Any], structures: Sequence[Structure],
            known: list[Scalar], own: int = 0) -> tuple[Graph, Any, list[Scalar]]:  # fmt: skip
    """The graph of a body: its inputs are the numbers of the arguments, then those that it uses from around it.

    `given` are the values at which it is traced. Returns the graph, what the body returned, and the numbers from outside. The
    body is traced again until all of those are inputs.
    """
    while True:
        values = [number for structure, value in zip(structures, given, strict=True) for number in structure.flat(value)]
        names = [f"a{i}" for i in range(len(values))] + [f"k{i}" for i in range(len(known))]
        inner = Inner(outer, names, known)
        numbers = [Scalar(inner, float(getattr(v, "value", v)), i) for i, v in enumerate(values)]
        found = function(*(structure.built(numbers) for structure in structures))
        if inner.guards:
            guard = next(iter(inner.guards.values()))
            raise TracingError(f"{guard.line}: `{guard.line.text}` branches inside a body; use adlab.where or adlab.cond there")
        flat = Structure(found).flat(found)
        outputs = [scalar(inner, number) for number in flat]  # one from around, returned as it is, is met here
        if not inner.met:
            if any(output is None for output in outputs):
                raise TracingError("a body must return numbers")
            return inner.builder.finish([output.position for output in outputs if output is not None]), found, known
        known = [*known, *_distinct(inner.met)]


def _distinct(numbers: Sequence[Scalar]) -> list[Scalar]:
    return list({(id(number.recorder), number.position): number for number in numbers}.values())


def record(recorder: Recorder, operation: Compound, parameter: Parameter, operands: Sequence[Any]) -> list[Scalar]:
    """A compound operation on traced numbers: its values on floats, its node, and a part node for each result."""
    given = [scalar(recorder, number) for number in operands]
    if any(number is None for number in given):
        raise TracingError("a loop carries numbers only")
    numbers = [number for number in given if number is not None]
    results = recorder.compound(operation, parameter, [number.value for number in numbers])
    whole = recorder.node(operation, tuple(number.position for number in numbers), parameter)
    return [Scalar(recorder, value, recorder.node(PART, (whole,), k)) for k, value in enumerate(results)]


def innermost(*values: Any) -> Recorder | None:
    """The recorder of the traced numbers among these values, at any depth. None where there are no traced numbers."""
    found: list[Recorder] = [item.recorder for value in values for item in _leaves(value) if isinstance(item, Scalar)]
    return max(found, key=lambda recorder: recorder.depth) if found else Recorder.current()


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _leaves(item)]
    return list(plain(value).ravel().tolist()) if is_traced(value) else []


def where(condition: Any, a: Any, b: Any) -> Any:
    """`a` where the condition holds, else `b`. Both are computed; the derivative is that of the one chosen.

    >>> float(where(True, 1.0, 2.0))
    1.0
    """
    if is_traced(condition) or is_traced(a) or is_traced(b):
        return functions.where(condition, a, b)
    found = np.where(condition, a, b)
    return found[()] if found.ndim == 0 else found


def cond(condition: Any, yes: Callable[..., Any], no: Callable[..., Any], *operands: Any) -> Any:
    """`yes(*operands)` if the condition holds, else `no(*operands)`. Only that one is computed; the graph keeps both.

    >>> cond(2.0 > 1.0, lambda x: x**2, lambda x: -x, 3.0)
    9.0
    """
    recorder = innermost(condition, *operands)
    if recorder is None:
        return yes(*operands) if condition else no(*operands)
    structures = [Structure(operand) for operand in operands]
    known: list[Scalar] = []
    while True:
        graph_yes, found, after = body_of(recorder, yes, operands, structures, known)
        graph_no, other, last = body_of(recorder, no, operands, structures, after)
        if len(last) == len(known):
            break
        known = last
    shape = Structure(found)
    if len(shape.flat(found)) != len(Structure(other).flat(other)):
        raise TracingError("both bodies of a cond must return the same number of results")
    flat = [number for structure, value in zip(structures, operands, strict=True) for number in structure.flat(value)]
    chosen = truth(scalar(recorder, condition))
    return shape.built(list(record(recorder, BRANCH, Branched(graph_yes, graph_no), [chosen, *flat, *known])))


def while_loop(condition: Callable[..., Any], body: Callable[..., Any], start: Any) -> Any:
    """`start`, replaced by `body(start)` as long as `condition(start)` holds. One node, whatever the number of turns.

    >>> while_loop(lambda x: x < 100.0, lambda x: x * 2, 3.0)
    192.0
    """
    recorder = innermost(start)
    if recorder is None:
        while condition(start):
            start = body(start)
        return start
    shape = Structure(start)
    known: list[Scalar] = []
    while True:
        turn, _, after = body_of(recorder, body, [start], [shape], known)
        test, _, last = body_of(recorder, lambda state: truth(condition(state)), [start], [shape], after)
        if len(last) == len(known):
            break
        known = last
    numbers = shape.flat(start)
    if len(turn.outputs) != len(numbers):
        raise TracingError("the body of a while_loop must return what it was given")
    return shape.built(list(record(recorder, WHILE, Repeated(test, turn, len(numbers), len(known)), [*numbers, *known])))


def scan(body: Callable[..., Any], start: Any, xs: Any = None, length: int | None = None) -> tuple[Any, Any]:
    """`state, out = body(state, x)` for each x of `xs`, or `length` times with x = None. Returns the last state and all outs.

    It is one node for any length. Its reverse mode keeps the states of every √length-th turn only.

    >>> scan(lambda total, x: (total + x, total), 0.0, [1.0, 2.0, 3.0])
    (6.0, array([0., 1., 3.]))
    """
    turns = len(xs) if xs is not None else length
    if turns is None or turns < 0:
        raise refuse("a scan needs xs or a length", "give one of them")
    recorder = innermost(start, xs if xs is not None else 0.0)
    if recorder is None or turns == 0:
        plainly: list[Any] = []
        for t in range(turns):
            start, out = body(start, None if xs is None else xs[t])
            plainly.append(out)
        return start, None if not plainly or plainly[0] is None else np.array(plainly)
    shape = Structure(start)
    given, structures = [start], [shape]
    if xs is not None:
        given, structures = [start, xs[0]], [shape, Structure(xs[0])]
    out_shape: list[Structure | None] = []

    def turn(state: Any, x: Any = None) -> Any:
        after, out = body(state, x)
        out_shape.append(None if out is None else Structure(out))
        shape.flat(after)  # raises if the shape is different
        return (after,) if out is None else (after, out)

    graph, _, known = body_of(recorder, turn, given, structures, [])
    carried, own = len(shape.flat(start)), len(structures[1].flat(xs[0])) if xs is not None else 0
    graph = _own_last(graph, carried, own, len(known))
    driven = [] if xs is None else [number for t in range(turns) for number in structures[1].flat(xs[t])]
    results = record(recorder, SCAN, Scanned(graph, carried, len(known), own, turns), [*shape.flat(start), *known, *driven])
    rest: list[Any] = list(results[carried:])
    outer = out_shape[-1]
    outs = None if outer is None else [outer.built(rest) for _ in range(turns)]
    last = shape.built(list(results[:carried]))
    return last, None if outs is None else _stacked(outs)


def _own_last(graph: Graph, carried: int, own: int, constants: int) -> Graph:
    """The body's inputs in the loop's order: carried, constants, own."""
    order = [*range(carried), *range(carried + own, carried + own + constants), *range(carried, carried + own)]
    return reordered(graph, order, range(len(graph.outputs)))


def _stacked(outs: list[Any]) -> Any:
    return np.stack([plain(out).astype(object) for out in outs]).view(Array)


__all__ = ["cond", "scan", "where", "while_loop"]
