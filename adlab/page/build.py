"""One self-contained HTML file: markup, data, style sheet and script, with a policy that loads nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from adlab.errors import AdlabError, MethodError, OutputError
from adlab.function import Function
from adlab.graph.graph import Graph
from adlab.inputs import takes_at
from adlab.page import markup
from adlab.page.facts import MOST_BOXES, facts
from adlab.process import whole_file
from adlab.report.compare import Comparison, compare
from adlab.tracing.traced import at_point

LARGEST_FORMULA = 4000
"""The longest formula, in characters of MathML, that is typeset. A longer one is shown as text."""

MODULES = ("numbers", "words", "exercise", "walk", "curves", "tables", "page")
"""The modules of the page's script, each after those that it imports."""
BOOT = 'window.adlab = mount(document, JSON.parse(document.getElementById("data").textContent));\n'
"""The last line of the script of a file. What `mount` returns is there for tests, and for the curious."""

SHORT_FORMULA, FEW = 400, 40
"""The longest formula, in characters, and the largest number of coordinates that stand in the command below a page."""


class Page:
    """An HTML page of one function at one point. `html` is the text of the file."""

    def __init__(self, html: str, title: str) -> None:
        self.html, self.title = html, title

    def __str__(self) -> str:
        return self.html

    def _repr_html_(self) -> str:
        """In a notebook: a frame of its own, with scripts and nothing else allowed."""
        return f'<iframe sandbox="allow-scripts allow-downloads" width="100%" height="900" srcdoc="{escape(self.html, quote=True)}"></iframe>'

    def save(self, path: str | Path) -> Path:
        """Writes the file and returns its path. Raises OutputError where that is impossible."""
        target = Path(path)
        try:
            with whole_file(target) as draft:
                draft.write_text(self.html, encoding="utf-8")
        except OSError as error:
            raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
        return target


@takes_at
def page(f: Any, x: Any = None, out: str | Path | None = None, comparison: Comparison | Literal[False] | None = None) -> Page:
    """The interactive page of a formula at a point: step through both sweeps, fill in, predict, break, compare.

    `f` is a Function, an expression or a text with one output. `x` is a point. With `out` the file is written. `comparison` is
    one that is made already; False leaves it out. Raises MethodError for several outputs, and what `f.trace` raises outside the domain.

    >>> print(page("x*sin(x)", 2.0).html[:15])
    <!doctype html>
    """
    function, point = at_point(f, x)
    if function.m != 1:
        raise MethodError(f"a page shows one output, and this function has m = {function.m}; give one of its outputs")
    found = compare(function, point, timed=False) if comparison is None else comparison or None
    data = facts(function, point, found) | {"formula": formula_text(function), "command": _command(function, point)}
    rows = {row["node"]: row for row in function.trace(point).to_dict()["rows"]}
    made = Page(_document(function, data, rows), data["title"])
    if out is not None:
        made.save(out)
    return made


def formula_text(f: Function) -> str:
    """The formula as a text from which adlab makes the same graph, node by node; empty where there is none.

    A file of answers names nodes. So whoever grades it must find the same ones.
    """
    if not f.readable or len(f.graph.operations) > MOST_BOXES:
        return ""
    for text in (lambda: f.written, lambda: str(f.outputs[0]), lambda: nested(f.graph)):
        written = text()
        if 0 < len(written) <= LARGEST_FORMULA and _same_graph(written, f):
            return written
    return ""


def nested(graph: Graph) -> str:
    """The graph's output as one text, every operation in brackets.

    >>> nested(Function("x*y + sin(x)").graph)
    '((x*y) + sin(x))'
    """
    written: dict[str, str] = {}
    for i in graph.operations:
        text = re.sub(r"(?<![\w.])[^\W\d]\w*", lambda found: written.get(found[0], found[0]), graph.written(i))
        written[graph.names[i]] = text if re.fullmatch(r"\w+\(.*\)", text) and not graph.nodes[i].primitive.operator else f"({text})"
        if len(text) > LARGEST_FORMULA:
            return text
    return written.get(graph.names[graph.outputs[0]], graph.names[graph.outputs[0]])


def _same_graph(text: str, f: Function) -> bool:
    try:
        again = Function(text, f.names).graph
        return (again.nodes, again.outputs) == (f.graph.nodes, f.graph.outputs)
    except AdlabError:
        return False


def _command(f: Function, point: Any) -> str:
    """What makes this page again: a command where the formula is short, else a line of Python."""
    text = formula_text(f)
    if text and len(text) <= SHORT_FORMULA and '"' not in text:
        at = " ".join(f"{name}={float(x)!r}" for name, x in zip(f.names, point, strict=True))
        return f'adlab page "{text}" --at {at} --out page.html'
    given = f"{[float(x) for x in point]}" if f.n <= FEW else "x"
    return f'adlab.page(f, {given}, out="page.html")  # f: {f.title}'


def _formula(f: Function) -> str:
    """The formula in MathML where it is short, else as text."""
    from sympy import mathml

    plain = all(re.fullmatch(r"[^\W\d]\w*", name) for name in f.names)  # SymPy's printer turns other names into markup
    short = f.n <= 12 and len(f.graph.operations) <= 60
    try:
        written = mathml(f.outputs[0], printer="presentation") if plain and short and f.readable else ""
    except Exception:  # a function that SymPy's printer does not know
        written = ""
    if not written or len(written) > LARGEST_FORMULA:
        return f"<code>{escape(f.title)}</code>"
    return f'<math display="inline"><mi>f</mi><mo>=</mo>{written}</math>'


def script(*modules: str) -> str:
    """The modules of `script/` as one. A module inside a file cannot be imported by address, so `import` and `export` go."""
    texts = [files("adlab.page").joinpath("script", f"{name}.js").read_text(encoding="utf-8") for name in modules]
    return re.sub(r"^import .*\n|^export (?=const|function|class)", "", "\n".join(texts), flags=re.MULTILINE)


def _document(f: Function, data: dict[str, Any], rows: dict[str, Any]) -> str:
    code = script(*MODULES) + BOOT
    style = files("adlab.page").joinpath("page.css").read_text(encoding="utf-8")
    policy = (f"default-src 'none'; script-src '{_hash(code)}'; style-src '{_hash(style)}'; img-src data:; base-uri 'none'; "
              "form-action 'none'")  # fmt: skip
    place = ", ".join(f"{escape(name)} = {float(x)!r}" for name, x in zip(f.names, data["point"], strict=True))
    return "\n".join([
        '<!doctype html>', '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">', f"<title>adlab: {escape(data['title'])}</title>",
        f"<style>{style}</style></head><body>", f"<header><h1>{_formula(f)}</h1><p>at {place}. adlab computes f and its derivatives on "
        "the graph of the formula. Step through it, fill it in, break it.</p></header>", "<main>", *_sections(data, rows), "</main>",
        f'<footer><p class="quiet">Made by <code>{escape(data["command"])}</code></p></footer>',
        f'<script type="application/json" id="data">{packed(data)}</script>', f'<script type="module">{code}</script>', "</body></html>",
    ])  # fmt: skip


def _sections(data: dict[str, Any], rows: dict[str, Any]) -> list[str]:
    adjoints = {name: row["adjoint"] for name, row in rows.items()}
    picture = "<p>The graph has too many operations to draw; the table lists them.</p>" if data["picture"] is None else (
        f"<figure>{markup.graph_svg(data['picture'], data, adjoints)}</figure>")  # fmt: skip
    lines = "".join(f"<li>{escape(line)}</li>" for line in data["program"])
    program = f'<details><summary>The derivative as a program</summary><ol id="program">{lines}</ol></details>' if lines else (
        '<ol id="program" hidden></ol>')  # fmt: skip
    counts = data["counts"]
    cost = f"Operations counted: f {counts['f']}, value and gradient by reverse mode {counts['reverse']}" + (
        f", by forward mode {counts['forward']}." if counts["forward"] else ".")  # fmt: skip
    missing = ", ".join(data["missing"])
    return [
        f'<p id="notlive" hidden>This page shows recorded numbers and cannot compute others: JavaScript has no {escape(missing)}.</p>',
        '<section id="steps"><h2>Step by step</h2>', "<p>The forward sweep computes every node. The reverse sweep carries adjoints back: "
        "v̄ = ∂f/∂v. A node passes its adjoint, times the local partial, to each operand. What arrives by several paths is summed.</p>",
        markup.predict("uses", "take the node that is used most often. How many contributions arrive there?"),
        markup.controls(data), f'<div class="two">{picture}{markup.wengert(data, rows)}</div>', f'<p>{cost} <span id="spent"></span></p>', program,
        markup.predict("cost", "with 100 inputs and one output, which mode is cheaper?",
                       f'<select name="guess">{markup.options([("", "…"), ("forward", "forward"), ("reverse", "reverse")])}</select>'),
        markup.predict("swell", "how many operations has the symbolic derivative, written out as a tree?"), "</section>",
        markup.live(data), *([] if data["comparison"] is None else markup.comparison(data["comparison"])),
    ]  # fmt: skip


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def packed(data: Any) -> str:
    """Data as JSON that can stand in a page: "</" would end the element that holds it, wherever it occurs."""
    return json.dumps(_finite(data), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _finite(data: Any) -> Any:
    """JSON has no NaN and no infinity: null stands for both."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and (data != data or abs(data) == float("inf")) else data
