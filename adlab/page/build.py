"""The page of one function at one point."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any, Literal

from adlab.function import Function
from adlab.inputs import takes_at
from adlab.page import markup
from adlab.page.document import MODULES, document
from adlab.page.facts import facts
from adlab.page.file import Page
from adlab.page.formulas import command, formula_text, mathml_of
from adlab.page.still import still
from adlab.report.compare import Comparison, compare
from adlab.tracing.places import at_point

BOOT = 'window.adlab = mount(document, JSON.parse(document.getElementById("data").textContent));\n'
"""The last line of the script of a file. What `mount` returns is there for tests, and for the curious."""

NAMED = 8
"""Inputs whose values stand in the heading."""
NO_PICTURE: dict[str, Any] = {"width": 0, "height": 0, "boxes": [], "edges": []}
"""In place of a graph that is too large to be drawn box by box. The script draws it, folded."""


@takes_at
def page(f: Any, x: Any = None, out: str | Path | None = None, comparison: Comparison | Literal[False] | None = None) -> Page:
    """The interactive page of a formula at a point: step through both sweeps, fill in, predict, break, compare.

    `f` is a Function, an expression or a text. Of several outputs the reader chooses one. `x` is a point. With `out` the file is
    written. `comparison` is one that is made already; False leaves it out. Raises what `f.trace` raises outside the domain.

    >>> print(page("x*sin(x)", 2.0).html[:15])
    <!doctype html>
    """
    function, point = at_point(f, x)
    found = compare(function, point, timed=False) if comparison is None else comparison or None
    data = facts(function, point, found) | {"formula": formula_text(function), "command": command(function, point)}
    rows = data.pop("rows")
    body = "\n".join(_body(function, data, rows))
    made = Page(document(data["title"], [body], data, MODULES, BOOT), data["title"], (body, data), still(data, rows))
    if out is not None:
        made.save(out)
    return made


def _body(f: Function, data: dict[str, Any], rows: dict[str, Any]) -> list[str]:
    place = ", ".join(f"{escape(name)} = {float(x)!r}" for name, x in zip(f.names[:NAMED], data["point"], strict=False))
    return [
        f'<header><h1 aria-label="{escape(f.title, quote=True)}">{mathml_of(f)}</h1><p>at'
        f" {place}{f', … ({f.n} inputs)' * (f.n > NAMED)}. adlab computes f and its derivatives on the graph of the "
        "formula. Step through it, fill it in, break it.</p></header>", "<main>", *_sections(data, rows), "</main>",
        f'<footer><p class="quiet">Made by <code>{escape(data["command"])}</code></p></footer>',
    ]  # fmt: skip


def _sections(data: dict[str, Any], rows: dict[str, Any]) -> list[str]:
    adjoints = {name: row["adjoint"] for name, row in rows.items()}
    drawn = markup.graph_svg(data["picture"] or NO_PICTURE, data, adjoints)
    picture = f'<figure class="scroll" tabindex="0" role="region" aria-label="Graph">{drawn}<div id="folds" class="controls"></div></figure>'
    lines = "".join(f"<li>{escape(line)}</li>" for line in data["programs"][0]["lines"])
    program = ('<details class="program" open><summary>The derivative as a program, with the line of this step</summary><div class="scroll" '
               f'tabindex="0" role="region" aria-label="Program"><ol id="program">{lines}</ol></div></details>') if lines else '<ol id="program" hidden></ol>'  # fmt: skip
    what = "value and gradient" if len(data["outputs"]) == 1 else "all values and the Jacobian"
    counts = data["counts"]
    cost = f"Operations counted: f {counts['f']}, {what} by reverse mode {counts['reverse']}" + (
        f", by forward mode {counts['forward']}." if counts["forward"] else ".")  # fmt: skip
    why = "a loop, a branch or a solver is a program of its own" if data["recorded"] else f"JavaScript has no {', '.join(data['missing'])}"
    return [
        *([f'<p class="warning">{escape(data["lost"])}</p>'] if data["lost"] else []),
        f'<p id="notlive" hidden>This page shows recorded numbers and cannot compute others: {escape(why)}.</p>',
        '<section id="steps"><h2>Step by step</h2>', "<p>The forward sweep computes every node. The reverse sweep carries adjoints back: "
        "v̄ = ∂f/∂v. A node passes its adjoint, times the local partial, to each operand. What arrives by several paths is summed.</p>",
        markup.predict("uses", "take the node that is used most often. How many contributions arrive there?"),
        markup.controls(data), f'<div class="two">{picture}<div>{markup.wengert(data, rows)}{program}</div></div>', f'<p>{cost} <span id="spent"></span></p>',
        markup.predict("cost", "with 100 inputs and one output, which mode is cheaper?",
                       f'<select name="guess">{markup.options([("", "…"), ("forward", "forward"), ("reverse", "reverse")])}</select>'),
        markup.predict("swell", "how many operations has the symbolic derivative, written out as a tree?"), "</section>",
        markup.live(data), *([] if data["comparison"] is None else markup.comparison(data["comparison"])),
    ]  # fmt: skip
