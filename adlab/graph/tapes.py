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


def rule(primitive: Primitive, parameter: Parameter) -> Any:
    """The rule for bar × partial as a tape that computes what `compile_python`, in the room above, makes of it.

    That one writes a third power as two products, but walks the graph, with `pow`, where another operation raises an exception.
    For a rule in which this can be, an empty tape sends the core back to Python.
    """
    graph = rules.pullback(primitive, parameter)
    powers = {node.parameter for node in graph.nodes if node.primitive.name == "powi"}
    raising = {node.primitive.name for node in graph.nodes} - {"input", "constant", "add", "sub", "mul", "neg", "powi"}
    if 3 in powers and (raising or powers - {2, 3}):
        return native.core.Tape(0, (), (), {}, True)
    return native.core.Tape(len(graph.inputs), graph.nodes, graph.outputs, constants(graph), True)


HELPERS["rule"] = rule
