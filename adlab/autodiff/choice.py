"""Which sweeps find a Jacobian with the fewest operations: forward, reverse, or coloured ones of one kind or both.

A forward sweep in one direction visits only what its input reaches, a reverse sweep from one output only what that output needs.
A coloured sweep, of many columns or rows at once, visits everything; but there are few of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from adlab.autodiff.jacobian import Mode, forward_cost, reverse_cost
from adlab.autodiff.sparse import Coloring
from adlab.display import count
from adlab.graph.graph import Graph

ZEROS = 32
"""Entries of a dense row that are written in the time of one operand of a sweep, as measured."""


@dataclass(frozen=True)
class Choice:
    """The cost of each way, in operands that are visited; `reason` says which is the cheapest.

    >>> from adlab.autodiff.sparse import coloring
    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> graph = lower([sympy.sin(x * y)], [x, y])
    >>> print(Choice.of(graph, coloring(graph)).reason)
    reverse sweeps visit 3 operands; coloured ones would visit 3, forward sweeps 4
    """

    costs: dict[str, int]
    coloring: Coloring

    @classmethod
    def of(cls, graph: Graph, coloring: Coloring) -> Choice:
        """The costs of a graph's Jacobian. On a tie fewer sweeps come first, then the plainer kind."""
        m, n = len(graph.outputs), len(graph.inputs)
        whole = sum(graph.active[operand] for node in graph.nodes for operand in node.operands)
        dense = m * n // ZEROS
        kind = "mixed" if coloring.forward_sweeps and coloring.reverse_sweeps else "coloured"
        costs = {"reverse": reverse_cost(graph) + dense, "forward": forward_cost(graph, range(n)) + dense}
        ordered = dict(sorted(costs.items(), key=lambda pair: {"reverse": m, "forward": n}[pair[0]]))
        return cls({**ordered, kind: whole * coloring.sweeps}, coloring)

    @property
    def name(self) -> str:
        """"forward", "reverse", "coloured" or "mixed"."""
        return min(self.costs, key=lambda name: self.costs[name])

    @property
    def mode(self) -> Mode | None:
        """The mode, where every output or every input has a sweep of its own; None for coloured sweeps."""
        modes: dict[str, Mode] = {"forward": "forward", "reverse": "reverse"}
        return modes.get(self.name)

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        chosen, *others = sorted(self.costs, key=lambda name: (name != self.name, self.costs[name]))
        sweeps = {"coloured": "coloured ones", "mixed": "coloured ones of both kinds"}
        rest = [f"{sweeps.get(name, f'{name} sweeps')} {'would visit ' * (k == 0)}{count(self.costs[name])}"
                for k, name in enumerate(others)]  # fmt: skip
        first = sweeps.get(chosen, f"{chosen} sweeps").replace("ones", "sweeps")
        return f"{first} visit {count(self.costs[chosen])} operands; {', '.join(rest)}"
