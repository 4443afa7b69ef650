"""A proof that a function has a value everywhere in a box, and where that lies: lemmas that a small checker re-verifies.

The walk on intervals attaches a fact to every operation, and composition carries the facts along. Written down, the facts are a
proof: `adlab.use.lemmas` checks each by itself, and knows nothing of this package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from adlab.arithmetic.domain import needed
from adlab.arithmetic.intervals import INTERVALS
from adlab.arithmetic.numbers import evaluate
from adlab.display import Report, Table
from adlab.errors import DomainError, PointError, UnsupportedExpression
from adlab.function import as_function
from adlab.graph.graph import Graph
from adlab.inputs import in_order
from adlab.primitives.ranges import ENTIRE, Interval
from adlab.use.lemmas import RULES, check


@dataclass(frozen=True)
class Proof(Report):
    """Lemmas, one for each input, constant and operation; the last ones are the outputs' (`outputs` names them)."""

    title: str
    box: dict[str, Interval]
    lemmas: list[dict[str, Any]]
    outputs: tuple[str, ...]

    def check(self) -> str:
        """Empty where the checker accepts every lemma, else the first that it does not accept."""
        return check(self.lemmas, self.box)

    def sections(self) -> list[Table | str]:
        """What is proven, and the lemmas."""
        box = ", ".join(f"{name} in [{low:.6g}, {high:.6g}]" for name, (low, high) in self.box.items())
        rows = [[lemma["name"], lemma["text"], *(f"{float.fromhex(end):.9g}" for end in lemma["in"])] for lemma in self.lemmas
                if lemma["operation"] not in ("input", "constant")]  # fmt: skip
        verdict = self.check() or f"The checker accepts all {len(self.lemmas)} lemmas."
        return [f"For all {box}: {self.title} has a value.",
                Table("lemmas", ["value", "operation", "low", "high"], rows, frozenset(["low", "high"])), verdict]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """The lemmas, their intervals as hexadecimal floats, which lose no bit."""
        return {"title": self.title, "box": {name: list(side) for name, side in self.box.items()}, "rows": self.lemmas,
                "outputs": list(self.outputs), "checked": self.check()}  # fmt: skip


def prove(f: Any, box: Any) -> Proof:
    """A proof that f has a value all over the box, which maps names to pairs (low, high), or lists the pairs in order.

    Raises DomainError with the operation and its condition where interval arithmetic cannot prove it, and
    UnsupportedExpression for an operation that the checker does not know.

    >>> proof = prove("log(x**2 + 1)/y", {"x": (-1, 2), "y": (1, 3)})
    >>> proof.check(), [round(float.fromhex(end), 6) for end in proof.lemmas[-1]["in"]]
    ('', [-0.0, 1.609438])
    """
    g = as_function(f)
    sides = _sides(box, g.names)
    graph = g.graph
    for i in graph.operations:
        if graph.nodes[i].primitive.name not in RULES:
            raise UnsupportedExpression(
                f"the checker knows no {graph.nodes[i].primitive.name}; it knows {', '.join(sorted(RULES))}"
            )
    values = evaluate(graph, sides, INTERVALS)
    for i in graph.operations:
        primitive, operands, parameter = graph.nodes[i]
        defined = INTERVALS.defined(primitive, parameter, [values[o] for o in operands])
        if not defined or values[i] == ENTIRE:
            condition = needed(graph, i, primitive.value_condition(parameter))
            why = "may leave binary64's range" if defined else f"needs {condition}"
            met = [f"{graph.names[o]} in [{values[o][0]:.6g}, {values[o][1]:.6g}]" for o in dict.fromkeys(operands)]
            raise DomainError(
                f"not proven: {graph.names[i]} = {graph.written(i)} {why}, with {', '.join(met)}; try a smaller box"
            )
    lemmas = [_lemma(graph, i, values[i]) for i in range(len(graph))]
    proof = Proof(g.title, dict(zip(g.names, sides, strict=True)), lemmas, tuple(_name(graph, o) for o in graph.outputs))
    if refused := proof.check():
        raise DomainError(f"not proven: the checker, with intervals of its own, finds that {refused}; try a smaller box")
    return proof


def _lemma(graph: Graph, i: int, side: Interval) -> dict[str, Any]:
    primitive, operands, parameter = graph.nodes[i]
    exact = None
    if not operands and i >= len(graph.inputs):
        if hasattr(parameter, "free_symbols"):
            raise UnsupportedExpression(f"the checker knows no constant {parameter}; write it as a fraction")
        exact = "/".join(map(str, Fraction(parameter).as_integer_ratio()))
    elif operands and parameter is not None:
        exact = str(Fraction(parameter))
    return {"name": _name(graph, i), "operation": primitive.name, "of": [_name(graph, o) for o in operands],
            "parameter": exact, "in": [end.hex() for end in side], "text": graph.written(i)}  # fmt: skip


def _name(graph: Graph, i: int) -> str:
    """A name of its own for every node, constants too."""
    return graph.names[i] if graph.nodes[i].operands or i < len(graph.inputs) else f"constant {i}"


def _sides(box: Any, names: list[str]) -> list[Interval]:
    if not isinstance(box, Mapping | Iterable):
        raise PointError(f"the box maps names to pairs (low, high), or lists the pairs; found {box!r}")
    pairs = in_order(box, names, "box") if isinstance(box, Mapping) else list(box)
    if len(pairs) != len(names):
        raise PointError(f"the box has {len(pairs)} sides, and there are {len(names)} variables: {', '.join(names)}")
    try:
        sides = [(float(low), float(high)) for low, high in pairs]
    except OverflowError:
        raise PointError("a side of the box is beyond binary64 (more than 1.8e308)") from None
    except (TypeError, ValueError):
        raise PointError(f"a side of the box is a pair (low, high); found {pairs!r}") from None
    for name, (low, high) in zip(names, sides, strict=True):
        if not -float("inf") < low <= high < float("inf"):
            raise PointError(
                f"the box: `{name}` runs from {low} to {high}; the first must be finite and not the larger one"
            )
    return sides
