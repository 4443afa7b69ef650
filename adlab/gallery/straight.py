"""Builds the gallery's formulas straight into a graph, without SymPy objects in between.

SymPy makes about 2,000 objects a second when it evaluates and 100,000 when it does not. A graph takes a million nodes a second.
A function built this way has no expression. It is judged from its graph, and labelled so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from adlab.function import Function
from adlab.graph.collector import paused
from adlab.graph.graph import Builder, Graph, Node
from adlab.primitives.table import CONSTANT, HEADS, INPUT, PRIMITIVES

ADD, SUB, MUL, DIV, NEG, POWI, SQRT = (PRIMITIVES[n] for n in ("add", "sub", "mul", "div", "neg", "powi", "sqrt"))


@dataclass(frozen=True, slots=True)
class Wire:
    """A node of the graph that is being built."""

    position: int


class Hand:
    """Writes operations into a graph as they are asked for. Exact SymPy numbers become constants.

    Letters come before operations, as they do in a formula's graph.
    """

    def __init__(self) -> None:
        self.builder = Builder(())

    def letter(self, name: str) -> Wire:
        self.builder.inputs += (name,)
        return Wire(self.builder.cons(INPUT, (), name))

    def add(self, terms: Sequence[Any]) -> Wire:
        return self._chain(ADD, [self._at(term) for term in terms])

    def mul(self, factors: Sequence[Any]) -> Wire:
        """The product, with a number last, as lowering has it."""
        places = [self._at(factor) for factor in factors]
        nodes = self.builder.nodes
        return self._chain(MUL, sorted(places, key=lambda place: (nodes[place].primitive is CONSTANT, place)))

    def binary(self, name: str, a: Any, b: Any) -> Wire:
        return Wire(self.builder.cons(PRIMITIVES[name], (self._at(a), self._at(b))))

    def negative(self, a: Any) -> Wire:
        return Wire(self.builder.cons(NEG, (self._at(a),)))

    def power(self, a: Any, exponent: Any) -> Wire:
        if exponent is sympy.S.Half:
            return Wire(self.builder.cons(SQRT, (self._at(a),)))
        return Wire(self.builder.cons(POWI, (self._at(a),), int(exponent)))

    def apply(self, head: Any, a: Any) -> Wire:
        return Wire(self.builder.cons(HEADS[head], (self._at(a),)))

    def _chain(self, primitive: Any, places: Sequence[int]) -> Wire:
        cons, result = self.builder.cons, places[0]
        for place in places[1:]:
            result = cons(primitive, (result, place))
        return Wire(result)

    def _at(self, term: Any) -> int:
        if isinstance(term, Wire):
            return term.position
        return self.builder.constant(Fraction(term.p, term.q) if isinstance(term, sympy.Rational) else float(term))

    def finish(self, outputs: Sequence[Wire], variables: Sequence[Wire]) -> Graph:
        """The graph of what the outputs need, with the inputs in the order of `variables`."""
        graph = self.builder.finish([output.position for output in outputs])
        order = [variable.position for variable in variables]
        if order == list(range(len(order))):
            return graph
        place = list(range(len(graph.nodes)))
        for new, old in enumerate(order):
            place[old] = new
        inputs = tuple(graph.inputs[old] for old in order)
        nodes = [Node(INPUT, (), name) for name in inputs]
        nodes += [Node(p, tuple(place[o] for o in operands), c) for p, operands, c in graph.nodes[len(inputs) :]]
        return Graph(inputs, tuple(nodes), graph.outputs)


HAND: ContextVar[Hand | None] = ContextVar("HAND", default=None)


@contextmanager
def straight() -> Iterator[None]:
    """Inside this block the gallery builds its families straight into graphs, except those that it parses from a text.

    >>> from adlab.gallery import rosenbrock
    >>> with straight():
    ...     f = rosenbrock(3)
    >>> f.independent, f.gradient([0.0, 0.0, 0.0])
    (False, array([-2., -2.,  0.]))
    """
    token = HAND.set(Hand())
    try:
        with paused():
            yield
    finally:
        HAND.reset(token)


def function(output: Any, variables: Sequence[Any], name: str, point: Sequence[float], about: str) -> Function:
    """The Function that a family has written or built."""
    hand = HAND.get()
    if hand is None:
        return Function(output, variables=variables, name=name, point=point, about=about)
    outputs = [output] if isinstance(output, Wire) else output
    built = Function.from_graph(hand.finish(outputs, variables), name)
    built.scalar, built.about = isinstance(output, Wire), about
    built.point = tuple(float(number) for number in point)
    HAND.set(Hand())  # the next family has letters of its own
    return built
