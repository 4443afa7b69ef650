"""What the page shows, as plain data: the graph with its layout, the rules it needs, the comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adlab.arithmetic.nodes import Nodes
from adlab.autodiff.programs import guards
from adlab.autodiff.sweeps import reverse
from adlab.differences.stencils import SCHEMES, scheme
from adlab.draw.layout import Extent, layout
from adlab.draw.picture import text_width
from adlab.function import Function
from adlab.graph import rules
from adlab.graph.graph import Builder, Graph, Node
from adlab.inputs import FloatArray
from adlab.methods import METHODS
from adlab.page.recording import lost, recordings, rows
from adlab.primitives.primitive import to_float
from adlab.primitives.table import CONSTANT
from adlab.report.compare import Comparison

TEXT, PAD, HEIGHT, GAP = 13.0, 14.0, 59.0, 26.0
"""Size of the letters in a box, room at its sides, height of a box of three rows, room between ranks, in pixels."""
NARROWEST = 132.0
"""Width of the narrowest box, in pixels: it holds an adjoint of six digits with its name."""
WIDEST = 26
"""Characters of a right-hand side that a box shows; the rest is in the table."""
MOST_BOXES = 220
"""Operations up to which the graph is drawn box by box."""
MOST_OUTPUTS = 40
"""The most outputs that a reader can choose from."""
MOST_COMPARED = 400
"""Rows of the table of accuracy up to which each partial has its own. Beyond, each method has one row."""

# The primitives that the page's script can compute itself. All other numbers are recorded, and the page says so.
IN_JAVASCRIPT = frozenset(
    ["add", "sub", "mul", "div", "neg", "powi", "powr", "pow", "sqrt", "cbrt", "hypot", "exp", "log", "xlogy", "gauss", "growth",
     "sin", "cos", "tan", "sec", "csc", "cot", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "sech", "csch", "coth",
     "asinh", "acosh", "atanh", "abs", "sign", "heaviside", "floor", "ceiling", "mod", "min", "max", "lt", "le", "gt", "ge",
     "eq", "ne", "and", "or", "not", "select", "expm1", "log1p", "log2", "exp2", "sigmoid", "softplus", "logaddexp", "acot",
     "share", "sharing", "expover", "heading", "cosquare"]
)  # fmt: skip


def facts(f: Function, point: FloatArray, found: Comparison | None = None) -> dict[str, Any]:
    """Everything that the page's script reads, ready for JSON.

    >>> import numpy
    >>> data = facts(Function("x*sin(x)"), numpy.array([2.0]))
    >>> [node["name"] for node in data["nodes"]], data["nodes"][1]["partials"]
    (['x', 'v1', 'v2'], ['cos(x)'])
    """
    graph = f.graph
    names = graph.names
    trace, recorded = rows(f, point), recordings(f, point)
    nodes = [_node(graph, i, names, trace) for i in range(len(graph))]
    listed = [_key(node) for node in graph.nodes if node.operands]
    used = {node.primitive.name for node in graph.nodes if node.operands}
    needed = {_key(node): node for node in graph.nodes if node.operands and not graph.compound}
    known = {key: _rule(node) for key, node in needed.items()}
    inside = {name for rule in known.values() for name in rule.pop("uses")}
    live = (used | inside) <= IN_JAVASCRIPT
    for node in nodes if live else ():
        del node["slopes"]  # the script computes them
    return {
        "title": f.title, "variables": list(f.names), "point": [float(x) for x in point], "outputs": list(graph.outputs),
        "nodes": nodes, "rules": known, "keys": dict(zip(map(str, graph.operations), listed, strict=True)),
        "rows": trace, "recorded": recorded, "live": live, "lost": lost(f, point, trace),
        "missing": sorted((used | inside) - IN_JAVASCRIPT),
        "picture": picture(graph, nodes) if len(graph.operations) <= MOST_BOXES else None,
        "programs": [_program(f, k) for k in range(min(f.m, MOST_OUTPUTS))], "counts": _counts(f), "schemes": _schemes(), "comparison": None if found is None else compared(found),
    }  # fmt: skip


def _key(node: Node) -> str:
    return node.primitive.name if node.parameter is None or node.primitive.compound else f"{node.primitive.name}:{to_float(node.parameter)!r}"


def _node(graph: Graph, i: int, names: Sequence[str], trace: dict[str, Any]) -> dict[str, Any]:
    node = graph.nodes[i]
    row = trace.get(names[i], {})
    constant = node.primitive is CONSTANT
    plain = bool(node.operands) and not node.primitive.compound and node.parameter is not None
    bodies = {name: str(body).splitlines() for name, body in node.primitive.bodies(node.parameter).items()} if node.operands else {}
    return ({"bodies": bodies} if bodies else {}) | {
        "name": names[i], "op": node.primitive.name, "operands": list(node.operands),
        "parameter": to_float(node.parameter) if plain else None,
        "text": graph.written(i), "value": to_float(node.parameter) if constant else row.get("primal"),
        "partials": row.get("partials_in_letters", []), "slopes": row.get("partials", []), "active": bool(graph.active[i]),
    }  # fmt: skip


def _rule(node: Node) -> dict[str, Any]:
    """The local partials of an operation as a small graph: its inputs are the operands and the result."""
    rule = rules.partials(node.primitive, node.parameter)
    listed = [
        [inner.primitive.name, list(inner.operands), None if inner.parameter is None else to_float(inner.parameter)]
        for inner in rule.nodes[len(rule.inputs) :]
    ]
    uses = {inner.primitive.name for inner in rule.nodes if inner.operands}
    return {"inputs": len(rule.inputs), "nodes": listed, "outputs": list(rule.outputs), "uses": uses,
            "routes": node.primitive.routes}  # fmt: skip


def picture(graph: Graph, nodes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Boxes and the routes of the edges, in pixels, from top to bottom."""
    drawn = [i for i, node in enumerate(graph.nodes) if node.primitive is not CONSTANT]
    place = {i: k for k, i in enumerate(drawn)}
    widths = [max(NARROWEST, text_width(_label(nodes[i]), TEXT, True) + 2 * PAD) for i in drawn]
    boxes = [Extent(width / 2, width / 2, HEIGHT + GAP) for width in widths]
    edges = [(place[operand], place[i], k) for i in drawn for k, operand in enumerate(graph.nodes[i].operands)
             if operand in place]  # fmt: skip
    where = layout(boxes, [(a, b) for a, b, _ in edges], [None] * len(edges))
    return {
        "width": where.breadth, "height": where.length,
        "boxes": [{"node": i, "x": p.across, "y": p.along, "w": width, "h": HEIGHT, "label": _label(nodes[i])}
                  for i, p, width in zip(drawn, where.places, widths, strict=True)],
        "edges": [{"from": drawn[a], "to": drawn[b], "operand": k, "route": _reaching([[q.across, q.along] for q in route])}
                  for (a, b, k), route in zip(edges, where.routes, strict=True)],
    }  # fmt: skip


def _reaching(route: list[list[float]]) -> list[list[float]]:
    """The route with both ends on the borders of the boxes, which are smaller than their room in the layout."""
    (x, y), (u, v) = route[0], route[-1]
    return [[x, y - GAP / 2], *route, [u, v + GAP / 2]]


def _label(node: dict[str, Any]) -> str:
    text = node["name"] if node["text"] == node["name"] else f"{node['name']} = {node['text']}"
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _program(f: Function, output: int) -> dict[str, Any]:
    """The lines of the reverse-mode program of one output, and which of them does what; nothing if it is long.

    `primal` gives the line of each node. `edges` gives, for operation and number of operand, the lines of the local partial, of
    the contribution and of the sum. A rule may be fused with the product, so the first two are one line.
    """
    graph = f.graph
    if graph.compound or len(graph.operations) > MOST_BOXES:
        return {"lines": [], "primal": {}, "edges": {}}
    builder = Builder.on(graph)
    numbers = Nodes(builder, guards(graph, builder))
    noted: list[tuple[str, int, int]] = []
    adjoints = reverse(graph, range(len(graph)), {graph.outputs[output]: numbers.constant(1)}, numbers,
                       lambda node, k, part, total: noted.append((f"{node}.{k}", part, total)))  # fmt: skip
    primals = list(graph.operations)
    wanted = [*primals, *(node for _, part, total in noted for node in (part, total))]
    program = builder.finish([*(adjoints.get(i, numbers.zero) for i in range(f.n)), *wanted])
    line = {node: k for k, node in enumerate(program.operations)}
    places = [line.get(node, -1) for node in program.outputs[f.n :]]
    sums = places[len(primals) :]
    edges = {key: [sums[2 * k], sums[2 * k], sums[2 * k + 1]] for k, (key, _, _) in enumerate(noted)}
    lines = [f"{program.names[i]} = {program.written(i)}" for i in program.operations]
    letter = "f" if f.m == 1 else f"f{output}"
    gradient = ", ".join(f"∂{letter}/∂{name} = {program.names[i]}" for name, i in zip(f.names, program.outputs, strict=False))
    return {"lines": [*lines, gradient], "primal": dict(zip(primals, places, strict=False)), "edges": edges}


def _schemes() -> list[dict[str, Any]]:
    """The named difference schemes: nodes, weights, order. The script computes their quotients at the reader's point."""
    named = [method.name for method in METHODS.values() if method.name in SCHEMES]
    return [{"name": name, "offsets": [float(o) for o in scheme(name).offsets], "weights": [float(w) for w in scheme(name).weights],
             "order": scheme(name).order} for name in named]  # fmt: skip


def _counts(f: Function) -> dict[str, int]:
    """Operations of f, of its reverse-mode program, of its forward-mode program."""
    return {
        "f": len(f.graph.operations),
        "reverse": len(f.derivative("reverse", value=True).graph.operations),
        "forward": len(f.derivative("forward", value=True).graph.operations) if f.n <= 50 else 0,
    }


def compared(found: Comparison) -> dict[str, Any]:
    """The comparison's three tables and its verdict. Each sentence names what it depends on."""
    facts = found.to_dict()
    rows = facts["accuracy"]
    title = "Accuracy"
    if len(rows) > MOST_COMPARED:
        rows, title = _worst(rows), "Accuracy of each method's worst partial"
    several = any(row.get("output") for row in rows)
    accuracy = [[row["method"], row["variable"], *([f"f{row['output']}"] if several else []), row["value"], row["digits"], row["ulps"], row["status"]]
                for row in rows]  # fmt: skip
    heads = ["method", "by", *(["of"] if several else []), "value", "correct digits", "error, ulps", "status"]
    return {
        "tables": [
            {"name": "accuracy", "title": title, "heads": heads, "rows": accuracy},
            {"name": "swell", "title": "Swell", "heads": ["what", "tree operations", "after cse", "operations of the program", "status"],
             "rows": [[row["what"], row.get("tree_operations"), row.get("cse_operations"), row.get("graph_operations"),
                       row.get("status")] for row in facts["swell"]]},
            {"name": "cost", "title": "Cost", "heads": ["method", "operations", "in units of f", "evaluations", "status"],
             "rows": [[row["method"], row.get("operations"), row.get("ratio"), row.get("evaluations"), row.get("status")]
                      for row in facts["cost"]]},
        ],
        "verdict": facts["verdict"],
    }  # fmt: skip


def _worst(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each method the row of its worst partial."""
    worst: dict[str, dict[str, Any]] = {}
    for row in rows:
        digits = -1.0 if row["digits"] is None else row["digits"]
        if row["method"] not in worst or digits < (worst[row["method"]]["digits"] or -1.0):
            worst[row["method"]] = row
    return list(worst.values())
