"""The graph: a Wengert list, in which every node is assigned once and no two are alike, and the builder that makes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, chain, compress, count as count_from
from typing import Any, ClassVar, NamedTuple

from adlab.graph.checker import checked
from adlab.graph.simplify import LAWS, PECULIAR
from adlab.primitives.primitive import Number, Parameter, Primitive, number_text
from adlab.primitives.table import CONSTANT, INPUT, PRIMITIVES

UNITS = (0, 1, -1)
"""The constants that let an operation be left out."""


class Node(NamedTuple):
    """One line of the list: an operation, the positions of its operands (any number), and its constant parameter.

    An operation with several results has one node. `part` nodes read the results; the parameter of each says which one.
    """

    primitive: Primitive
    operands: tuple[int, ...] = ()
    parameter: Parameter = None


@dataclass(frozen=True, eq=False)
class Graph:
    """How `outputs` are computed from `inputs`: `nodes` is a list in which each node comes after its operands, no two alike.

    The first `len(inputs)` nodes are the inputs, in order. Constants and operations follow. A node is known by its position.
    `names` gives a name for each: an input's own name, a constant's value, and v1, v2, … for operations.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x1, x2 = sympy.symbols("x1 x2", real=True)
    >>> print(lower([sympy.log((x1 + x2) ** 2 + sympy.sin(x1 * x2))], [x1, x2]))
    v1 = x1 + x2
    v2 = v1**2
    v3 = x1*x2
    v4 = sin(v3)
    v5 = v2 + v4
    v6 = log(v5)
    """

    inputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.nodes) if "nodes" in self.__dict__ else len(self.__dict__["tape"])

    @classmethod
    def of_tape(cls, inputs: tuple[str, ...], tape: Any) -> Graph:
        """The graph of a tape of the compiled core. Its nodes are made when somebody looks at them."""
        self = object.__new__(cls)
        self.__dict__.update(inputs=inputs, outputs=tape.outputs, compound=False, tape=tape)
        return self

    def __getattr__(self, name: str) -> Any:
        if name != "nodes" or "tape" not in self.__dict__:
            raise AttributeError(f"a graph has no attribute `{name}`")
        nodes = self.__dict__["nodes"] = self.__dict__["tape"].nodes
        return nodes

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled and copied: all but the compiled core's own form of it."""
        return {"nodes": self.nodes, **{name: value for name, value in self.__dict__.items() if name != "tape"}}

    @cached_property
    def operations(self) -> range | tuple[int, ...]:
        """The positions of the operations, in order."""
        return tuple(i for i, node in enumerate(self.nodes) if node.operands)

    @cached_property
    def active(self) -> list[bool]:
        """Which nodes depend on an input. No adjoint flows back to the others."""
        active = [True] * len(self.inputs)
        for _, operands, _ in self.nodes[len(self.inputs) :]:
            for operand in operands:
                if active[operand]:
                    active.append(True)
                    break
            else:
                active.append(False)
        return active

    @cached_property
    def compound(self) -> bool:
        """Whether some operation has several results or graphs of its own. Then every walk checks each node for that."""
        return any(primitive.compound for primitive in {node[0] for node in self.nodes})

    @cached_property
    def names(self) -> list[str]:
        names = list(self.inputs)
        count, taken = 0, set(self.inputs)
        prefixes = chain(("v", "node"), ("node" + "_" * k for k in count_from(1)))
        prefix = next(p for p in prefixes if not any(name.startswith(p) and name[len(p) :].isdigit() for name in taken))
        for node in self.nodes[len(self.inputs) :]:
            if node.operands:
                count += 1
            names.append(f"{prefix}{count}" if node.operands else number_text(node.parameter))
        return names

    def written(self, position: int) -> str:
        """The right-hand side of one line, in letters: `v2 + v4`."""
        primitive, operands, parameter = self.nodes[position]
        if not operands:
            return self.names[position]
        return primitive.written(tuple(self.names[operand] for operand in operands), parameter)

    def counts(self) -> dict[str, int]:
        """How often each primitive occurs.

        >>> from adlab.graph.lowering import lower
        >>> import sympy
        >>> x = sympy.Symbol("x", real=True)
        >>> lower([sympy.sin(x) * sympy.sin(x + 1)], [x]).counts()
        {'sin': 2, 'add': 1, 'mul': 1}
        """
        return dict(Counter(self.nodes[i].primitive.name for i in self.operations))

    def weight(self) -> float:
        """The cost of one evaluation by the table, in units of one addition."""
        return sum(self.nodes[i].primitive.weight(self.nodes[i].parameter) for i in self.operations)

    def lines(self) -> Iterator[str]:
        """One line for each operation, followed by its body graphs if it has some. The last line names the outputs."""
        for i in self.operations:
            yield f"{self.names[i]} = {self.written(i)}"
            primitive, _, parameter = self.nodes[i]
            for name, body in primitive.bodies(parameter).items():
                yield f"    {name} of {', '.join(body.inputs)}:"
                yield from (f"        {line}" for line in str(body).splitlines())
        last = self.operations[-1:] if len(self.outputs) == 1 else ()
        if tuple(self.outputs) != tuple(last):
            yield "outputs: " + ", ".join(self.names[i] for i in self.outputs)

    def __str__(self) -> str:
        count, limit = len(self.operations), 200
        if count <= limit:
            return "\n".join(self.lines())
        ends = [*self.operations[: limit // 2], *self.operations[-limit // 2 :]]
        shown = [f"{self.names[i]} = {self.written(i)}" for i in ends]
        return "\n".join([*shown[: limit // 2], f"… {count - limit} more operations …", *shown[limit // 2 :]])

    def __repr__(self) -> str:
        return f"<Graph: {len(self.inputs)} inputs, {len(self.operations)} operations, {len(self.outputs)} outputs>"

    def uses(self) -> list[list[int]]:
        """For every node, the positions of the operations that read it: once for each operand that it is."""
        uses: list[list[int]] = [[] for _ in self.nodes]
        for i in self.operations:
            for operand in self.nodes[i].operands:
                uses[operand].append(i)
        return uses

    def check(self) -> Graph:
        """The graph itself. Raises GraphError unless it is well formed, and every body in it too."""
        return checked(self)

    # Rooms above this one add these by `attach`: pictures (adlab.draw) and other frameworks' versions (adlab.exports).
    plot: ClassVar[Callable[..., Any]]
    to_dot: ClassVar[Callable[..., str]]
    to_latex: ClassVar[Callable[..., str]]
    to_mermaid: ClassVar[Callable[..., str]]
    to_svg: ClassVar[Callable[..., str]]
    to_torch: ClassVar[Callable[..., Any]]
    to_jax: ClassVar[Callable[..., Any]]
    to_casadi: ClassVar[Callable[..., Any]]
    _repr_svg_: ClassVar[Callable[..., str]]
    _repr_html_: ClassVar[Callable[..., str | None]]
    _repr_latex_: ClassVar[Callable[..., str]]


def attach(name: str, convenience: Callable[..., Any]) -> None:
    """Gives every graph a method that is written in a higher room, which this room must not import."""
    setattr(Graph, name, convenience)


class Builder:
    """Appends nodes, each distinct one once. `simplify` turns on constant folding and the laws of 0 and 1.

    Lowering builds a formula as it is written. Derivative programs simplify, since the chain rule multiplies by 1 very often.
    """

    def __init__(self, inputs: Iterable[str], simplify: bool = False) -> None:
        self.inputs = tuple(inputs)
        self.nodes: list[Node] = [Node(INPUT, (), name) for name in self.inputs]
        self.known: dict[Node, int] = {node: i for i, node in enumerate(self.nodes)}
        self.simplify = simplify
        self.peculiar = bytearray(len(self.nodes))
        """Marks the nodes that a law of `simplify` may apply to. Most nodes are plain. Kept only if simplification is on."""
        self.units: dict[int, int] = {}
        """The positions of the constants 0, 1 and -1."""
        self.folded: dict[Any, int] = {}
        """Results of `simplify` for operations on two constants, kept for the next time."""

    @classmethod
    def on(cls, graph: Graph) -> Builder:
        """A simplifying builder that starts with everything that `graph` computes, so that new nodes can share it."""
        builder = cls(graph.inputs, simplify=True)
        builder.nodes = list(graph.nodes)
        builder.known = {node: i for i, node in enumerate(builder.nodes)}
        builder.peculiar = bytearray(node.primitive in PECULIAR for node in builder.nodes)
        for unit in UNITS:
            builder.constant(unit)
        return builder

    def constant(self, value: Number | Any) -> int:
        """A constant: an int, a Fraction, a float (the binary64 it is), or a SymPy number symbol such as pi."""
        known = self.known.get(_new(Node, (CONSTANT, (), value)))
        if known is not None and (known in self.units or value not in UNITS):
            return known
        if isinstance(value, Fraction) and value.denominator == 1:
            value = value.numerator
        if isinstance(value, float) and value == 0:
            value = value + 0  # -0.0 and 0.0 are one constant
        position = self.cons(CONSTANT, (), value)
        if isinstance(value, (int, float)) and value in UNITS:
            self.units[position] = int(value)
        return position

    def apply(self, primitive: Primitive, operands: Sequence[int], parameter: Parameter = None) -> int:
        """The position of this operation on these nodes. A new node is added only if there is none yet."""
        if self.simplify and (law := LAWS.get(primitive)) is not None:
            return law(self, tuple(operands), parameter)
        return self.cons(primitive, tuple(operands), parameter)

    def cons(self, primitive: Primitive, operands: tuple[int, ...], parameter: Parameter = None) -> int:
        """The position of exactly this node; it is added if it is new."""
        node = _new(Node, (primitive, operands, parameter))
        new = len(self.nodes)
        position = self.known.setdefault(node, new)
        if position == new:
            self.nodes.append(node)
            if self.simplify:
                self.peculiar.append(primitive in PECULIAR)
        return position

    def call(self, name: str, *operands: int, parameter: Parameter = None) -> int:
        """`apply` by the primitive's name."""
        return self.apply(PRIMITIVES[name], operands, parameter)

    def value_of(self, position: int) -> Any:
        """The exact value of a constant node, else None."""
        node = self.nodes[position]
        return node.parameter if node.primitive is CONSTANT else None

    def finish(self, outputs: Sequence[int]) -> Graph:
        """The graph of what the outputs need. Everything else is dead code and is dropped."""
        count, nodes = len(self.inputs), self.nodes
        needed = bytearray(len(nodes))
        for output in outputs:
            needed[output] = 1
        for i in range(len(nodes) - 1, count - 1, -1):
            if needed[i]:
                for operand in nodes[i][1]:
                    needed[operand] = 1
        needed[:count] = b"\1" * count
        if needed.count(1) == len(nodes):
            return Graph(self.inputs, tuple(nodes), tuple(outputs))
        place = list(accumulate(needed, initial=0))  # for each node, how many nodes before it stay
        moved = place.__getitem__
        kept = [
            _new(Node, (primitive, tuple(map(moved, operands)), parameter)) if operands else node
            for node in compress(nodes, needed) for primitive, operands, parameter in (node,)
        ]  # fmt: skip
        return Graph(self.inputs, tuple(kept), tuple(map(moved, outputs)))


_new: Any = tuple.__new__  # what `Node(…)` does, without the extra call
