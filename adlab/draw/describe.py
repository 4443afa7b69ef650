"""A graph as a diagram: which boxes there are, what is written in them, and which arrows connect them.

Inputs, constants and operations are boxes of different kinds. No adjoint flows back to a constant. It gets a box of its own at
every use, so that no `2` connects distant parts of a picture. An operand that is used twice has two arrows.

>>> from adlab.graph.lowering import lower
>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> square = describe(lower([x * x - 2], [x]))
>>> [(box.kind, box.rows[0][0].text) for box in square.boxes]
[('input', 'x'), ('operation', 'v1'), ('constant', '2'), ('operation', 'v2')]
>>> [(arrow.source, arrow.target) for arrow in square.arrows]
[(0, 1), (1, 3), (2, 3)]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from adlab.draw.diagram import (
    Arrow,
    Box,
    Diagram,
    Direction,
    DrawnTrace,
    Kind,
    Piece,
    State,
    TextRow,
    cut,
    size_in_words,
)
from adlab.draw.frame import Frame
from adlab.errors import OptionError
from adlab.graph.graph import Graph, Node
from adlab.primitives.primitive import number_text

LONGEST_CONSTANT = 10
"""Characters of a constant in a picture; a longer one would stretch its box."""


def describe(
    graph: Graph,
    trace: DrawnTrace | None = None,
    step: int | None = None,
    *,
    direction: Direction = "TB",
    primal: Graph | None = None,
    outputs: Sequence[str] | None = None,
) -> Diagram:
    """The diagram of a graph, with the numbers of a trace as far as they are known after `step` operations.

    `primal` is the graph that a derivative program was written on. Its nodes are in the near half, the others in the far one,
    and arrows have no numbers. `outputs` names the outputs. Raises OptionError for options that do not fit the graph.
    """
    describer = _Describer(graph, Frame(graph, trace, step, direction), primal, output_tags(graph, outputs))
    for position in range(len(graph.inputs)):
        describer.node(position)
    for position in graph.operations:
        describer.node(position)
    for position in describer.tags:
        if position not in describer.box_of:
            describer.constant(position, position, "done", describer.tags[position])
    return describer.diagram()


class _Describer:
    def __init__(self, graph: Graph, frame: Frame, primal: Graph | None, tags: dict[int, tuple[TextRow, ...]]) -> None:
        self.graph, self.frame, self.primal, self.tags = graph, frame, primal, tags
        self.far = [False] * len(graph) if primal is None else [not own for own in shared(graph, primal)]
        self.boxes: list[Box] = []
        self.arrows: list[Arrow] = []
        self.box_of: dict[int, int] = {}

    def node(self, position: int) -> None:
        """An input or an operation, after the constants that it reads."""
        graph, frame = self.graph, self.frame
        operands, state = graph.nodes[position].operands, frame.state(position)
        sources = [self.box_of[o] if o in self.box_of else self.constant(o, position, state) for o in operands]
        self.box_of[position] = len(self.boxes)
        rows = (heading(graph, position), *frame.rows(position), *self.tags.get(position, ()))
        kind: Kind = "operation" if operands else "input"
        output, far = position in self.tags, self.far[position]
        sums = self.primal is None and frame.is_sum(position)
        self.boxes.append(Box(kind, rows, frame.tooltip(position), output, sums, state, far))
        for k, source in enumerate(sources):
            label = frame.label(position, k) if self.primal is None else ()
            flow = frame.flow(position, k)
            self.arrows.append(Arrow(source, self.box_of[position], label, frame.passage(position, k), flow))

    def constant(self, position: int, reader: int, state: State, tag: tuple[TextRow, ...] | None = None) -> int:
        """A box for one use of a constant."""
        rows = ((Piece(constant_text(self.graph.nodes[position])),), *(tag or ()))
        seen: State = "unknown" if state == "unknown" else "done"
        full = self.graph.names[position]
        self.boxes.append(Box("constant", rows, full, tag is not None, state=seen, far=self.far[reader]))
        return len(self.boxes) - 1

    def diagram(self) -> Diagram:
        headings = None if self.primal is None else ("primal", "derivative")
        title, key = size_in_words(self.graph), self.frame.key(on_edges=self.primal is None)
        return Diagram(title, tuple(self.boxes), tuple(self.arrows), key, headings)


def heading(graph: Graph, position: int) -> TextRow:
    """The name of a node and, for an operation, what it does."""
    name = Piece(cut(graph.names[position]), "name")
    return (name, Piece(f"= {cut(graph.written(position))}", gap=0.28)) if graph.nodes[position].operands else (name,)


def constant_text(node: Node) -> str:
    """A constant by itself: as it is written if that is short, else to the digits of a picture."""
    text = number_text(node.parameter)
    return cut(text[1:-1] if text[0] == "(" else text, LONGEST_CONSTANT)


def output_tags(graph: Graph, names: Sequence[str] | None) -> dict[int, tuple[TextRow, ...]]:
    """For every node that is an output, the lines that say which one. A single output without a name needs none."""
    if names is None:
        names = [f"output {k}" for k in range(1, len(graph.outputs) + 1)] if len(graph.outputs) > 1 else [""]
    if len(names) != len(graph.outputs):
        raise OptionError(f"`outputs` has {len(names)} names, but the graph has {len(graph.outputs)} outputs")
    of: dict[int, list[str]] = defaultdict(list)
    for position, name in zip(graph.outputs, names, strict=True):
        of[position] += [cut(name)] if name else []
    return {position: ((Piece(f"⇒ {', '.join(tags)}"),),) if tags else () for position, tags in of.items()}


def shared(graph: Graph, primal: Graph) -> list[bool]:
    """Which nodes of a graph are also in the graph `primal`: the same operation on the same nodes.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> shared(lower([sympy.exp(2 * x) + x], [x]), lower([sympy.sin(2 * x)], [x]))    # x, 2, 2*x; exp, +
    [True, True, True, False, False]
    """
    known = {node: position for position, node in enumerate(primal.nodes)}
    place: dict[int, int] = {}
    for position, node in enumerate(graph.nodes):
        if all(operand in place for operand in node.operands):
            same = known.get(node._replace(operands=tuple(place[operand] for operand in node.operands)))
            if same is not None:
                place[position] = same
    return [position in place for position in range(len(graph))]
