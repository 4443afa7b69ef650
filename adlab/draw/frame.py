"""The part of a trace that is known after its first operations, forward and then in reverse, as words and numbers."""

from __future__ import annotations

from collections import Counter, defaultdict

from adlab.draw.diagram import Direction, DrawnTrace, Piece, Role, State, TextRow, short_number
from adlab.errors import OptionError
from adlab.graph.graph import Graph

UNKNOWN = "–"
UNFINISHED = " …"
SIGNS: dict[Role, dict[Direction, str]] = {
    "primal": {"TB": "↓", "LR": "→"},
    "tangent": {"TB": "⇣", "LR": "⇢"},
    "adjoint": {"TB": "↑", "LR": "←"},
    "partial": {"TB": "∂", "LR": "∂"},
}
MEANINGS: dict[Role, str] = {
    "primal": "primal", "tangent": "tangent", "adjoint": "adjoint, contribution", "partial": "local partial"
}  # fmt: skip


def check(graph: Graph, trace: DrawnTrace | None, step: int | None) -> None:
    """Raises OptionError for a trace of another graph, and for a step that does not exist."""
    if trace is None and step is not None:
        raise OptionError("`step` says how far a trace has come: give `trace=` with it")
    if trace is not None and trace.graph is not graph:
        raise OptionError("the trace belongs to another graph: draw `trace.graph`, or trace this one")
    count = len(graph.operations)
    if step is not None and not 0 <= step <= 2 * count:
        raise OptionError(f"`step` is {step}; the trace has {count} operations, so it goes from 0 to {2 * count}")


class Frame:
    """The state after the first `step` operations of a trace: 0 to n go forward, n to 2n in reverse. By default: all.

    A number that is not yet computed is a dash. A sum that is not yet complete has dots after it.
    """

    def __init__(self, graph: Graph, trace: DrawnTrace | None, step: int | None, direction: Direction) -> None:
        check(graph, trace, step)
        order, count = [*graph.operations, *reversed(graph.operations)], len(graph.operations)
        self.graph, self.trace, self.step, self.direction = graph, trace, step, direction
        done = len(order) if step is None else step
        self.forward, self.backward = set(order[: min(done, count)]), set(order[count:done])
        self.reversing = done >= count
        self.now = order[done - 1] if step else None
        self.uses = graph.uses()
        self.passed: dict[tuple[int, int], float] = {}  # contributions, by operation and operand
        self.sums: dict[int, list[float]] = defaultdict(list)  # the running sum of every adjoint
        self.arrived: Counter[int] = Counter()
        for part in trace.contributions if trace else ():
            self.passed[part.source, part.operand] = part.value
            self.sums[part.target].append(part.sum_after)
            self.arrived[part.target] += part.source in self.backward

    # --- states -------------------------------------------------------------------------------------------------

    def state(self, position: int) -> State:
        """How the box of a node looks."""
        if position == self.now:
            return "now"
        return "done" if position in self.forward or not self.graph.nodes[position].operands else "unknown"

    def flow(self, position: int, operand: int) -> State:
        """How the arrow from an operand to its operation looks."""
        if position not in self.forward:
            return "unknown"
        return "passed" if self.step is not None and self._has_passed(position, operand) else "done"

    def is_sum(self, position: int) -> bool:
        """Whether several contributions have been added in this adjoint."""
        return self.arrived[position] > 1

    def _has_passed(self, position: int, operand: int) -> bool:
        return position in self.backward and (position, operand) in self.passed

    # --- texts --------------------------------------------------------------------------------------------------

    def rows(self, position: int) -> tuple[TextRow, ...]:
        """The numbers of a node that is not a constant."""
        if self.trace is None:
            return ()
        known = position in self.forward or not self.graph.nodes[position].operands
        primal = self._number("primal", self.trace.primals[position], known)
        tangent, adjoint = self._tangent(position, known), self._adjoint(position)
        if self.direction == "LR":
            return tuple((piece,) for piece in (primal, tangent, adjoint) if piece)
        first = (primal, adjoint._replace(gap=0.8)) if adjoint else (primal,)
        return (first, (tangent,)) if tangent else (first,)

    def label(self, position: int, operand: int) -> tuple[TextRow, ...]:
        """Beside an arrow: the local partial, and what has been passed back along the arrow."""
        if self.trace is None or not self.graph.active[self.graph.nodes[position].operands[operand]]:
            return ()
        partial = self.trace.partials[position][operand]
        if partial is None:
            return ()
        rows = [(self._number("partial", partial, position in self.forward),)]
        if (position, operand) in self.passed:
            value = self.passed[position, operand]
            rows.append((self._number("adjoint", value, position in self.backward),))
        return tuple(rows)

    def _number(self, role: Role, value: float, known: bool) -> Piece:
        sign = SIGNS[role][self.direction]
        full = f"{sign} {short_number(value)}"
        return Piece(full, role, widest=full) if known else Piece(f"{sign} {UNKNOWN}", "unknown", widest=full)

    def _tangent(self, position: int, known: bool) -> Piece | None:
        if self.trace is None or self.trace.tangents is None:
            return None
        return self._number("tangent", self.trace.tangents.get(position, 0.0), known)

    def _adjoint(self, position: int) -> Piece | None:
        if self.trace is None or not self.trace.adjoints or not self.graph.active[position]:
            return None
        complete = self.reversing and all(use in self.backward for use in self.uses[position])
        final = self._number("adjoint", self.trace.adjoints.get(position, 0.0), complete)
        if self.step is None:
            return final
        sign, arrived = SIGNS["adjoint"][self.direction], self.arrived[position]
        running = [f"{sign} {short_number(value)}{UNFINISHED}" for value in self.sums[position][:-1]]
        final = final._replace(widest=max([final.widest, *running], key=len))
        return final._replace(text=running[arrived - 1], role="adjoint") if 0 < arrived <= len(running) else final

    # --- tooltips: all digits, the same in every frame but for what is not yet known ---------------------------

    def tooltip(self, position: int) -> str:
        graph, trace = self.graph, self.trace
        name, operation = graph.names[position], bool(graph.nodes[position].operands)
        lines = [f"{name} = {graph.written(position)}" if operation else name]
        if trace is None or (operation and position not in self.forward):
            return lines[0]
        lines.append(f"primal {trace.primals[position]!r}")
        if trace.tangents is not None:
            lines.append(f"tangent {trace.tangents.get(position, 0.0)!r}")
        if (adjoint := self._adjoint(position)) and adjoint.role == "adjoint":
            parts = self._parts(position)
            total = trace.adjoints.get(position, 0.0) if len(parts) == len(self.sums[position]) else sum(parts)
            lines.append(f"adjoint {total!r}" + (f" = {' + '.join(map(repr, parts))}" if len(parts) > 1 else ""))
        return "\n".join(lines)

    def _parts(self, position: int) -> list[float]:
        contributions = self.trace.contributions if self.trace else ()
        return [part.value for part in contributions if part.target == position and part.source in self.backward]

    def passage(self, position: int, operand: int) -> str:
        """The tooltip of an arrow."""
        if not self.label(position, operand) or self.trace is None or position not in self.forward:
            return ""
        names = self.graph.names
        name, above = names[self.graph.nodes[position].operands[operand]], names[position]
        text = f"∂{above}/∂{name} = {self.trace.partials[position][operand]!r}"
        if self._has_passed(position, operand):
            adjoint, value = self.trace.adjoints.get(position, 0.0), self.passed[position, operand]
            text += f"\ncontribution to the adjoint of {name}: {value!r} = {adjoint!r} × this"
        return text

    def key(self, on_edges: bool = True) -> tuple[TextRow, ...]:
        """How far a frame has come, and what the signs mean; also those on edges, if there are any."""
        if self.trace is None:
            return ()
        there: list[Role] = ["primal"]
        there += ["tangent"] if self.trace.tangents is not None else []
        there += ["adjoint"] if self.trace.adjoints else []
        there += ["partial"] if on_edges else []
        signs = [Piece(f"{SIGNS[role][self.direction]} {MEANINGS[role]}", role) for role in there]
        if on_edges and any(len(sums) > 1 for sums in self.sums.values()):
            signs.append(Piece("Σ sum of contributions", "adjoint"))
        if self.step is None:
            return (tuple(signs),)
        signs.append(Piece(f"{UNKNOWN} not yet computed", "unknown"))
        way = "reverse" if self.step > len(self.graph.operations) else "forward"
        at = f", {way}: {self.graph.names[self.now]}" if self.now is not None else ""
        return (Piece(f"step {self.step} of {2 * len(self.graph.operations)}{at}", "note"),), tuple(signs)
