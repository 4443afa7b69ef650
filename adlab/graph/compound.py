"""Operations with graphs of their own: loops, branches, solver calls. The protocol that each of them follows.

A `Compound` is a primitive whose value and derivatives come from *body* graphs. A node of it holds in its parameter what
the operation is made of: a hashable object with the body graphs, the number of turns, and the like. Its operands are any
number of nodes. It has one position in the graph and a fixed number of results; `part` nodes read them one by one:

    v1 = repeat(x, y; 5 times)        one node, parameter Repeated(body, 5), two results
        body of a, b: …
    v2 = v1[0]                        part nodes: an ordinary number each
    v3 = v1[1]

Values, tangents (JVP) and adjoints (VJP) are written once, for any arithmetic, as three methods. Each takes `numbers`,
the arithmetic, and T, what it computes with: floats, arrays, balls, running error bounds, nodes of a new graph …

- `apply(numbers, parameter, operands) -> results`. It may walk a body with `evaluate(body, inputs, numbers)`, and may
  look at values to decide (has a loop ended?) where `numbers` has values. It is never called with nodes: there the
  operation is *written down* as a node, so a loop stays a loop in a derivative program, however often it turns.
- `jvp(numbers, parameter, operands, results, tangents) -> tangents of the results`. A tangent that is None is zero.
- `vjp(numbers, parameter, operands, results, bars) -> adjoints of the operands`. The same: None stands for zero.

`jvp` and `vjp` are called with nodes too. So they don't look at values. They apply other operations, by
`numbers.apply` for primitives, and by `applied(numbers, operation, parameter, operands)` for compound ones: on floats
this computes at once, on nodes it writes the derivative program. The tangent of a loop is a loop over the tangent of its
body; its adjoint is another compound operation, a loop that runs backwards over the states of the first one. The bodies
they need are `adlab.autodiff.programs.tangent_program` and `adjoint_program`
of the body (`fresh` finds names for the inputs they add). An operation without rules of
its own, whose `apply` looks at no value, inherits both by unrolling: `adlab.autodiff.unrolled.Unrolled`.

The sweeps, the evaluator, the printer and the checker know no operation by name; what follows this protocol is served.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from adlab.errors import UnsupportedExpression
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive


class Compound(Primitive, ABC):
    """An operation with bodies, by its name. See the module for the protocol.

    Whatever asks for one function of it (`array`, `scalar`, `form`) is refused by name with UnsupportedExpression.
    """

    compound: ClassVar[bool] = True

    def __init__(self, name: str) -> None:
        super().__init__(
            name, _refused(name, "formula"), _refused(name, "array function"), _refused(name, "function of floats"), ()
        )

    @abstractmethod
    def count(self, parameter: Parameter = None) -> int:
        """The number of operands."""

    @abstractmethod
    def results(self, parameter: Parameter = None) -> int:
        """The number of results."""

    @abstractmethod
    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        """The body graphs by their names, for the printer and the checker."""

    @abstractmethod
    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> Sequence[Any]:
        """The results, in an arithmetic that has values."""

    @abstractmethod
    def jvp(
        self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
        tangents: Sequence[Any | None],
    ) -> Sequence[Any | None]:  # fmt: skip
        """The tangents of the results from those of the operands; None is zero."""

    @abstractmethod
    def vjp(
        self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
        bars: Sequence[Any | None],
    ) -> Sequence[Any | None]:  # fmt: skip
        """The adjoints of the operands from those of the results; None is zero."""

    def weight(self, parameter: Parameter = None) -> float:
        """The cost of one application, in additions; by default each body once."""
        return sum(body.weight() for body in self.bodies(parameter).values())

    def written(self, operands: tuple[str, ...], parameter: Parameter = None) -> str:
        """As a call; a subclass may add what its parameter says."""
        return f"{self.name}({', '.join(operands)})"


def applied(numbers: Any, operation: Compound, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
    """The results of a compound operation in any arithmetic: computed at once, or written down as nodes."""
    value = numbers.compound(operation, parameter, list(operands))
    return [numbers.part(value, k) for k in range(operation.results(parameter))]


def filled(numbers: Any, given: Sequence[Any | None]) -> list[Any]:
    """Tangents or adjoints with a zero of the arithmetic for every None."""
    return [numbers.constant(0) if number is None else number for number in given]


def refuse_bodies(graph: Graph, what: str) -> None:
    """Raises UnsupportedExpression where `what` does not serve operations with bodies and the graph has some."""
    if graph.compound:
        names = sorted({node.primitive.name for node in graph.nodes if node.primitive.bodies(node.parameter)})
        raise UnsupportedExpression(f"{what} does not serve {', '.join(names)}: an operation with graphs of its own")


def _refused(name: str, what: str) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        raise UnsupportedExpression(f"`{name}` is an operation with graphs of its own; it has no {what}")

    return refuse
