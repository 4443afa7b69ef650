"""What a reader without scripts sees: headings, the graph as SVG, the Wengert list with all numbers, the comparison.

Every text from outside goes through `escape`. There is no `style=` and no handler in the markup: the page's security policy
forbids both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from adlab.page.facts import MOST_OUTPUTS

MOST_ROWS = 400
"""The most lines of the Wengert list that the page writes out. Beyond, the script shows a window of lines."""
WIDE = 640
"""The widest graph, in pixels, that is fitted into its column."""
MOST_DIRECTIONS = 60
"""The most directions of forward mode that a reader can choose from."""


def number(value: Any) -> str:
    """A number with five significant digits. A text stays as it is, and None becomes nothing."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:.5g}".replace("-", "−") if isinstance(value, float) else f"{value:,}"


def graph_svg(picture: dict[str, Any], data: dict[str, Any], adjoints: dict[str, Any]) -> str:
    """The graph with primals and adjoints, box by box."""
    width, height = picture["width"], picture["height"]
    wide = width > WIDE  # it is not shrunk to the column, where nobody could read it; it scrolls
    parts = [
        f'<svg id="graph" class="{"wide" if wide else "fitted"}" role="img" aria-label="The computational graph. The table beside it has the same facts." '
        f'width="{(0.85 if wide else 1.25) * width:.0f}" viewBox="-4 -4 {width + 8:.0f} {height + 8:.0f}">'
    ]
    for edge in picture["edges"]:
        path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in edge["route"])
        parts.append(f'<g class="edge" data-from="{edge["from"]}" data-to="{edge["to"]}" data-operand="{edge["operand"]}">'
                     f'<path d="{path}"/></g>')  # fmt: skip
    for box in picture["boxes"]:
        i, x, y, w, h = box["node"], box["x"], box["y"], box["w"], box["h"]
        node = data["nodes"][i]
        kind = "input" if i < len(data["variables"]) else "output" if i in data["outputs"] else "operation"
        parts.append(
            f'<g class="box {kind}" id="box{i}" data-node="{i}"><rect x="{x - w / 2:.1f}" y="{y - h / 2:.1f}" width="{w:.1f}" '
            f'height="{h}" rx="{14 if kind == "input" else 4}"/>'
            f'<text class="name" x="{x:.1f}" y="{y - 12:.1f}">{escape(box["label"])}</text>'
            f'<text id="boxprimal{i}" x="{x:.1f}" y="{y + 5:.1f}">{number(node["value"])}</text>'
            f'<text class="adjoint" id="boxadjoint{i}" x="{x:.1f}" y="{y + 22:.1f}">{number(adjoints.get(node["name"]))}</text></g>'
        )
    return "".join([*parts, "</svg>"])


def wengert(data: dict[str, Any], rows: dict[str, Any]) -> str:
    """The Wengert list as a table: the accessible twin of the graph."""
    body = []
    listed = [i for i, node in enumerate(data["nodes"]) if node["operands"] or i < len(data["variables"])]
    for i in listed[:MOST_ROWS]:
        node, row = data["nodes"][i], rows.get(data["nodes"][i]["name"], {})
        terms = "  ".join(f"{'−' if c['value'] < 0 else '+'} {number(abs(c['value']))} from {c['from']}"
                          for c in row.get("contributions", []))  # fmt: skip
        right = escape(node["text"]) + _bodies(node) if node["operands"] else "input"
        partials = escape(", ".join(used(data["nodes"], node)))
        body.append(
            f'<tr id="row{i}" data-name="{escape(node["name"])}"><th scope="row"><button type="button" class="node" data-node="{i}">'
            f'{escape(node["name"])}</button></th><td>{right}</td><td id="primal{i}">{number(node["value"])}</td>'
            f'<td id="partials{i}">{partials}</td><td class="tangent" id="tangent{i}"></td>'
            f'<td id="terms{i}">{escape(terms)}</td><td class="adjoint" id="adjoint{i}">{number(row.get("adjoint"))}</td></tr>'
        )
    more = (f'<p id="window" hidden><button type="button" class="earlier">earlier lines</button> <span></span> '
            '<button type="button" class="later">later lines</button></p>'
            f"<noscript><p>{len(listed) - MOST_ROWS:,} more lines are left out.</p></noscript>") if len(listed) > MOST_ROWS else ""  # fmt: skip
    heads = ["node", "operation", "primal", "local partials", "tangent", "contributions", "adjoint"]
    head = "".join(f'<th scope="col" class="{name}">{name}</th>' if name in ("tangent", "adjoint") else f'<th scope="col">{name}</th>'
                   for name in heads)  # fmt: skip
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Wengert list"><table id="list"><caption>The Wengert list: every '
        f"operation on a line, its adjoint v̄ = ∂f/∂v as the sum of its contributions</caption><thead><tr>"
        f"{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>{more}"
    )


def used(nodes: list[dict[str, Any]], node: dict[str, Any]) -> list[str]:
    """The local partials that a sweep uses, in letters: those by operands that depend on an input."""
    return [text for text, k in zip(node["partials"], node["operands"], strict=False) if nodes[k]["active"]]


def _bodies(node: dict[str, Any]) -> str:
    """What stands inside a loop, a branch or a solver: its own Wengert list, to be opened."""
    return "".join(
        f'<details class="body"><summary>{escape(name)}: {len(lines)} lines</summary><ol>'
        f"{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ol></details>"
        for name, lines in node.get("bodies", {}).items()
    )


def comparison(found: dict[str, Any]) -> Iterator[str]:
    """Verdict and tables."""
    yield ('<section id="comparison"><h2>The comparison</h2><p id="stale" class="quiet" hidden>You have changed the numbers. What follows was '
           'computed by Python, at the numbers of the heading.</p><ul id="verdict" class="verdict">')  # fmt: skip
    for sentence in found["verdict"]:
        because = escape(json.dumps(sentence["because"]), quote=True)
        button = ('<button type="button" class="needsscript" hidden aria-pressed="false" '
                  f'data-because="{because}">show what it rests on</button>')  # fmt: skip
        yield f'<li>{escape(sentence["text"])} {button if sentence["because"] != ["truth"] else ""}</li>'
    yield "</ul>"
    for table in found["tables"]:
        yield from _table(table)
    yield '<label class="quiet" hidden>Copied text <textarea id="clip" readonly></textarea></label></section>'


def _table(table: dict[str, Any]) -> Iterator[str]:
    heads = "".join(f'<th scope="col"><button type="button" class="sort">{escape(head)}</button></th>' for head in table["heads"])
    rows = "".join(
        "<tr>" + "".join(f'<td data-value="{escape(str("" if x is None else x), quote=True)}">{escape(number(x))}</td>' for x in row) + "</tr>"
        for row in table["rows"]
    )
    buttons = "".join(f'<button type="button" class="copy" data-form="{form}">copy as {name}</button> '
                      for form, name in (("markdown", "Markdown"), ("csv", "CSV"), ("latex", "LaTeX")))  # fmt: skip
    title = escape(table["title"])
    yield (f'<section data-table="{table["name"]}"><h3>{title}</h3><div class="scroll" tabindex="0" role="region" aria-label="{title}"><table><thead><tr>{heads}'
           f'</tr></thead><tbody>{rows}</tbody></table></div><p class="needsscript" hidden>{buttons}</p></section>')  # fmt: skip


def options(choices: Iterable[tuple[str, str]]) -> str:
    """The options of a select element."""
    return "".join(f'<option value="{escape(value, quote=True)}">{escape(text)}</option>' for value, text in choices)


def controls(data: dict[str, Any]) -> str:
    """The toolbar of the walk through the graph."""
    directions = [] if data["recorded"] else list(enumerate(data["variables"]))[:MOST_DIRECTIONS]
    modes = [("reverse", "reverse mode"), *((f"forward:{i}", f"forward mode, direction {name}") for i, name in directions),
             *((f"both:{i}", f"both, direction {name}") for i, name in directions)]  # fmt: skip
    faults = [("", "nothing broken"), ("overwrite", "overwrite instead of add"), ("factor", "forget a factor"), ("order", "walk in the wrong order")]
    tanh = any(node["op"] == "tanh" for node in data["nodes"])
    live = [("tanh", "1 − tanh² as the partial of tanh" if tanh else "1 − tanh² at 22"), ("step", "a difference with step 1e-16")]
    faults = faults[:1] if data["recorded"] else [*faults, *(live if data["live"] else [])]
    outputs = [(str(k), f"f{k}: {data['nodes'][i]['name']}") for k, i in enumerate(data["outputs"][:MOST_OUTPUTS])]
    output = f'<label>output <select id="output">{options(outputs)}</select></label>' if len(outputs) > 1 else ""
    levels = [("0", "Watch"), ("1", "Fill one"), ("2", "Fill all")]
    return (
        '<div class="needsscript stepper" hidden><div class="controls" role="group" aria-label="Steps">'
        '<button type="button" id="back">← Back</button><button type="button" id="next">Next →</button>'
        '<label>step <input type="range" id="slider" min="0" max="1" value="0"></label><span id="where"></span>'
        '<button type="button" id="play">Play</button></div>'
        f'<div class="controls"><label>sweep <select id="mode">{options(modes)}</select></label>'
        f'{output}<label>your part <select id="level">{options(levels)}</select></label>'
        f'<label>break it <select id="break">{options(faults)}</select></label></div>'
        '<div class="say" aria-live="polite"><p id="letters"></p><p id="numbers"></p></div><p id="damage" aria-live="polite"></p>'
        '<div id="ask" hidden><label><span id="question"></span> <input id="answer" autocomplete="off" inputmode="text" '
        'aria-describedby="feedback"></label> <button type="button" id="check">Check</button> <button type="button" id="hint">Hint</button>'
        '<p id="feedback" aria-live="polite"></p></div>'
        '<div class="controls"><span id="score"></span><label class="filling" hidden>your name <input id="student" autocomplete="off" size="14">'
        '</label><button type="button" class="filling" id="download" hidden>save my answers</button></div></div>'
    )


def predict(kind: str, question: str, field: str = '<input name="guess" autocomplete="off" inputmode="numeric" size="9">') -> str:
    """A question to answer before something is shown."""
    needs = " needslive" if kind == "step" else ""
    return (f'<form class="predict needsscript{needs}" hidden data-kind="{kind}"><label>Predict first: {escape(question)} {field}</label> '
            '<button>Answer</button><output></output></form>')  # fmt: skip


def live(data: dict[str, Any]) -> str:
    """Sliders for the inputs, and the error of differences against the step."""
    boxes = []
    for i, (name, x) in enumerate(zip(data["variables"], data["point"], strict=True)):
        if i >= 12:
            break
        spread = min(2 * abs(x) or 2.0, 1e307)  # the ends of the slider, and its length, stay in range
        low, high, here = x - spread, x + spread, f'data-variable="{i}" class="live"'
        boxes.append(f'<label>{escape(name)} <input type="number" step="any" value="{x!r}" {here}> <input type="range" step="any" '
                     f'aria-label="{escape(name)}" min="{low!r}" max="{high!r}" value="{x!r}" {here}></label>')  # fmt: skip
    x, y = (*map(escape, data["variables"]), "", "")[:2]
    plane = ("" if len(data["variables"]) != 2 else f'<figure><svg id="plane" class="plane" tabindex="0" role="img" aria-label="The plane of {x} and '
             f'{y}, with the point. Arrow keys move it; the fields above have its numbers."></svg><figcaption id="plain"></figcaption></figure>')  # fmt: skip
    by = options((str(i), name) for i, name in enumerate(data["variables"][:60]))
    return (
        '<section class="needsscript needslive" hidden><h2>Change the numbers</h2><p>Everything on this page is computed again as you '
        f'type. No value means: outside the domain.</p><div class="controls">{"".join(boxes)}</div><p id="now" aria-live="polite"></p>'
        + plane
        + "<h2>Differences: which step is best?</h2><p>A difference quotient needs a step h. A large step makes a truncation error. A "
        "small step makes a roundoff error.</p>"
        + predict("step", "drag the marker to the step h at which the central difference is most accurate: h = 10^",
                  '<input type="range" name="guess" min="-16" max="0" step="0.25" value="-15"><span class="guess">−15</span>')
        + '<div id="predicted"><div class="aftersteps" hidden><div class="controls"><label>by <select id="by">'
        + by
        + '</select></label><label>h = 10^ <input type="range" id="h" min="-16" max="0" step="0.25" value="-8"></label>'
        '<label><input type="checkbox" id="single"> float32</label></div><svg id="curve" class="curve" role="img" aria-label="Error of the forward '
        'and the central difference against the step" viewBox="0 0 640 300"></svg><p id="atstep" aria-live="polite"></p>'
        '<h3>Every scheme, with its usual step</h3><p>At the numbers above. The error is the distance from reverse mode. '
        'adaptive-difference and complex-step are Python’s alone: see the comparison.</p>'
        f'<div class="controls"><label>by <select id="differenced">{by}</select></label></div><div class="scroll" tabindex="0" role="region" '
        'aria-label="Every scheme"><table id="schemes"><thead><tr><th scope="col">scheme</th><th scope="col">step h, float64</th><th scope="col">float64</th>'
        '<th scope="col">error</th><th scope="col">float32</th><th scope="col">error</th></tr></thead><tbody></tbody></table></div></div></div></section>'
    )
