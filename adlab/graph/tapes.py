"""Graphs, and the rules of the table, as the flat arrays of the compiled core (`adlab/native`)."""

from __future__ import annotations

from typing import Any

from adlab import native
from adlab.graph import rules
from adlab.graph.constants import constants
from adlab.graph.graph import Graph
from adlab.graph.quick import HELPERS
from adlab.primitives.primitive import Parameter, Primitive


def tape_of(graph: Graph) -> Any:
    """The graph as a tape, made once. None where there is no core, and for operations with bodies."""
    if native.core is None:
        return None
    tape = graph.__dict__.get("tape")
    if tape is None and not graph.compound:
        tape = graph.__dict__["tape"] = native.core.Tape(len(graph.inputs), graph.nodes, graph.outputs, {}, False)
    return tape


PULLED, WRITTEN, PUSHED = range(3)  # the kinds of rules, as in core.h


def rule(primitive: Primitive, parameter: Parameter, kind: int) -> Any:
    """A rule as a tape: bar × partial to be computed, the same to be written down, or the partials to be computed.

    What is computed is what `compile_python`, in the room above, computes. That one writes a third power as two products, but
    walks the graph, with `pow`, where another operation raises an exception. For a rule in which this can be, an empty tape sends
    the core back to Python. So does one with a branch, whose laws the core does not have, if it is to be written down.
    """
    graph = rules.partials(primitive, parameter) if kind == PUSHED else rules.pullback(primitive, parameter)
    names = {node.primitive.name for node in graph.nodes}
    powers = {node.parameter for node in graph.nodes if node.primitive.name == "powi"}
    raising = names - {"input", "constant", "add", "sub", "mul", "neg", "powi"}
    if names & {"select", "ne"} if kind == WRITTEN else 3 in powers and (raising or powers - {2, 3}):
        return native.core.Tape(0, (), (), {}, True)
    known = {} if kind == WRITTEN else constants(graph)
    return native.core.Tape(len(graph.inputs), graph.nodes, graph.outputs, known, True)


def derivative_tape(graph: Graph, value: bool) -> Any:
    """The reverse-mode program of all partials as a tape. None where the readable sweep must write it."""
    tape = tape_of(graph)
    return None if tape is None else tape.derivative(value)


HELPERS["rule"] = rule
