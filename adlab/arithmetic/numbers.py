"""The one evaluator of graphs, and what an arithmetic must offer to it and to the two sweeps (`adlab.autodiff`).

>>> from adlab.arithmetic.arrays import ARRAYS
>>> from adlab.arithmetic.floats import FLOATS
>>> from adlab.arithmetic.symbols import SYMPY
>>> from adlab.graph.lowering import lower
>>> import numpy, sympy
>>> x = sympy.Symbol("x", real=True)
>>> graph = lower([sympy.exp(x) * x], [x])
>>> evaluate(graph, [1.0], FLOATS)[-1], evaluate(graph, [numpy.array([0.0, 1.0])], ARRAYS)[-1]
(2.718281828459045, array([0.        , 2.71828183]))
>>> evaluate(graph, [x], SYMPY)[-1]
x*exp(x)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from adlab.graph import rules
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive
from adlab.primitives.table import PART

T = TypeVar("T")
Values = Sequence[T]


class Arithmetic(Protocol[T]):
    """Numbers of type T: how constants, operations and local partials are computed."""

    def constant(self, value: Any) -> T:
        """An exact constant in this arithmetic."""

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[T]) -> T:
        """One operation."""

    def partials(self, graph: Graph, position: int, values: Values[T]) -> Sequence[T | None]:
        """The local partial for each operand of a node; None where no derivative can flow."""

    def add(self, a: T, b: T) -> T:
        """a + b."""

    def mul(self, a: T, b: T) -> T:
        """a × b."""

    def exists(self, value: T) -> bool:
        """Whether this is a number, and not the sign that there is none."""

    def compound(self, operation: Any, parameter: Parameter, operands: list[T]) -> Any:
        """All results of a loop, a branch or a solver, computed or written down. `part` nodes read them one by one."""

    def part(self, value: Any, k: int) -> T:
        """Result number k of what `compound` has returned."""

    def reached(self, position: int, contributions: Sequence[T | None]) -> Sequence[T | None]:
        """What each operand of a loop, branch or solver receives in the reverse sweep, where its node is used."""


class Adjoints(Arithmetic[T], Protocol[T]):
    """What a reverse sweep needs besides."""

    def pullback(self, graph: Graph, position: int, values: Values[T], bar: T) -> Sequence[T | None]:
        """What a node with adjoint `bar` passes to each operand: bar × partial. None where no derivative can flow."""


def evaluate(graph: Graph, inputs: Sequence[T], arithmetic: Arithmetic[T]) -> list[T]:
    """The value of every node, in order. For a compound operation: what the arithmetic keeps for its results."""
    if graph.compound:
        return _evaluate_compound(graph, inputs, arithmetic)
    values = list(inputs)
    apply, constant = arithmetic.apply, arithmetic.constant
    for primitive, operands, parameter in graph.nodes[len(values) :]:
        if operands:
            values.append(apply(primitive, parameter, [values[operand] for operand in operands]))
        else:
            values.append(constant(parameter))
    return values


def _evaluate_compound(graph: Graph, inputs: Sequence[T], arithmetic: Arithmetic[T]) -> list[Any]:
    """As `evaluate`, for graphs that hold operations with bodies."""
    values: list[Any] = list(inputs)
    for primitive, operands, parameter in graph.nodes[len(values) :]:
        given = [values[operand] for operand in operands]
        if not operands:
            values.append(arithmetic.constant(parameter))
        elif primitive is PART:
            values.append(arithmetic.part(given[0], parameter))
        elif primitive.compound:
            values.append(arithmetic.compound(primitive, parameter, given))
        else:
            values.append(arithmetic.apply(primitive, parameter, given))
    return values


def rule_inputs(graph: Graph, position: int, values: Values[T]) -> list[T]:
    return [*(values[operand] for operand in graph.nodes[position].operands), values[position]]


class Numbers(ABC):
    """Numbers that Python can add and multiply."""

    @abstractmethod
    def constant(self, value: Any) -> Any:
        """An exact constant in this arithmetic."""

    @abstractmethod
    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        """One operation."""

    def pullback(self, graph: Graph, position: int, values: Values[Any], bar: Any) -> Sequence[Any]:
        """The adjoint times each partial, one by one."""
        mul = self.mul
        return [None if partial is None else mul(bar, partial) for partial in self.partials(graph, position, values)]

    def partials(self, graph: Graph, position: int, values: Values[Any]) -> Sequence[Any]:
        """The partials of a node. Its rule is a graph, evaluated in the same arithmetic."""
        primitive, _, parameter = graph.nodes[position]
        rule = rules.partials(primitive, parameter)
        inside = evaluate(rule, rule_inputs(graph, position, values), self)
        return [inside[output] for output in rule.outputs]

    def add(self, a: Any, b: Any) -> Any:
        return a + b

    def mul(self, a: Any, b: Any) -> Any:
        return a * b

    def exists(self, value: Any) -> bool:
        """NaN is not a number; everything else exists."""
        return bool(value == value)

    def compound(self, operation: Any, parameter: Parameter, operands: list[Any]) -> tuple[Any, ...]:
        """The results, by the operation's own `apply`: see `adlab.graph.compound`."""
        return tuple(operation.apply(self, parameter, operands))

    def part(self, value: Any, k: int) -> Any:
        """Result number k."""
        return value[k]

    def reached(self, position: int, contributions: Sequence[Any]) -> Sequence[Any]:
        """All of them: numbers are not guarded by a condition."""
        return contributions
