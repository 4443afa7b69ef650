"""The numbers that a page starts from: a row for each node, and for graphs with loops or solvers each contribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.sweeps import reverse
from adlab.autodiff.trace import in_letters
from adlab.errors import AdlabError
from adlab.function import Function
from adlab.inputs import FloatArray
from adlab.primitives.table import PART

Rows = dict[str, dict[str, Any]]
SEEN = 1e-4
"""The relative error that a reader sees in five digits."""
FEW = 4
"""Wrong numbers that the warning names."""


def rows(f: Function, point: FloatArray) -> Rows:
    """The rows of the trace of the first output, by node. Raises what `f.trace` raises outside the domain."""
    if not f.graph.compound:
        return {row["node"]: row for row in f.trace(point).to_dict()["rows"]}
    (f.gradient if f.m == 1 else f.jacobian)(point)  # where there is none, it says why
    return _swept(f, point, 0)[0]


def recordings(f: Function, point: FloatArray) -> list[list[dict[str, Any]]] | None:
    """With loops or solvers: for each output every contribution. Other graphs need none, since the script sweeps them."""
    return [_swept(f, point, k)[1] for k in range(f.m)] if f.graph.compound else None


def lost(f: Function, point: FloatArray, found: Rows) -> str:
    """A sentence where the walk in plain binary64 ends at wrong numbers; empty where it ends at adlab's own.

    The page shows the walk as it is. adlab's own answers are computed again with more range, or more digits, where that is needed.
    """
    try:
        value, partials = float(np.ravel(f(point))[0]), np.reshape(f.gradient(point) if f.m == 1 else f.jacobian(point), (f.m, f.n))[0]
    except AdlabError as error:
        return f"adlab itself refuses to answer here: {str(error).splitlines()[0]}"
    letter, last = ("f" if f.m == 1 else "f0"), f.graph.names[f.graph.outputs[0]]
    due = [(letter, found.get(last, {}).get("primal"), value)]
    due += [(f"∂{letter}/∂{name}", found.get(name, {}).get("adjoint") or 0.0, right) for name, right in zip(f.names, partials.tolist(), strict=True)]
    wrong = [(what, got, right) for what, got, right in due if got is not None and not abs(got - right) <= SEEN * abs(right)]
    if not wrong:
        return ""
    said = "; ".join(f"{what} = {got:.5g}, and right is {right:.5g}" for what, got, right in wrong[:FEW])
    return f"On this walk numbers leave the range of binary64, or lose their digits. It ends at {said}. adlab’s other answers take more range, or more digits."


def _swept(f: Function, point: FloatArray, output: int) -> tuple[Rows, list[dict[str, Any]]]:
    graph, names = f.graph, f.graph.names
    values = evaluate(graph, point.tolist(), FLOATS)
    arrived: list[dict[str, Any]] = []

    def note(source: int, operand: int, value: float, after: float) -> None:
        target = graph.nodes[source].operands[operand]
        arrived.append({"from": source, "to": target, "place": operand, "value": value, "after": after})

    adjoints = reverse(graph, values, {graph.outputs[output]: 1.0}, FLOATS, note)
    found: list[dict[str, Any]] = []
    sums: dict[int, float] = {}
    for position in reversed(graph.operations):  # the order of the sweep; `part` nodes hand their adjoint on as it is
        bar = adjoints.get(position)
        if bar is None:
            continue
        node = graph.nodes[position]
        if node.primitive is PART:
            given = [{"from": position, "to": node.operands[0], "place": 0, "value": bar, "after": bar}]
        else:
            given = [part for part in arrived if part["from"] == position]
        passed = [b for b in bar if b is not None] if isinstance(bar, list) else [bar]
        for part in given:
            single = passed[0] if len(passed) == 1 and passed[0] else None
            part["bar"], part["partial"] = single, None if single is None else part["value"] / single
            part["before"] = sums.get(part["to"])
            sums[part["to"]] = part["after"]
            found.append(part)
    made: Rows = {}
    for i, name in enumerate(names):
        into = [{"from": names[part["from"]], "value": part["value"], "sum_after": part["after"]} for part in found if part["to"] == i]
        value, bar = values[i], adjoints.get(i)
        made[name] = {"node": name, "primal": value if isinstance(value, float) else None, "contributions": into,
                      "adjoint": bar if isinstance(bar, float) else None,
                      "partials_in_letters": [] if graph.nodes[i].primitive is PART else in_letters(graph, i)}  # fmt: skip
    return made, found
