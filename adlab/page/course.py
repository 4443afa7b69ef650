"""A course: an index, a page for each function, two explorers, and ten questions. All of it opens from a folder, without a server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from adlab.errors import OptionError, OutputError
from adlab.function import Function, as_function
from adlab.gallery import GALLERY, chain, logistic_map, speelpenning, worked_example
from adlab.page import questions
from adlab.page.build import page
from adlab.page.document import document
from adlab.page.facts import facts
from adlab.page.file import Page
from adlab.progress import stage
from adlab.symbolic.treesize import tree_operations_of_graph

EXPLORED = [("exp(x)", [1.0]), ("sin(x)", [1.0]), ("x**3", [2.0]), ("exp(1e3*x)/1e3", [1e-3]), ("1/(1 + x**2)", [0.5]), ("sin(x) + 1e6", [1.0]),
            ("log((x1 + x2)**2 + sin(x1*x2))", [1.0, 2.0])]  # fmt: skip
"""What the explorer of errors offers. The scale of x, or of f, moves the best step."""
FAMILIES: list[tuple[str, Callable[[int], Function], Sequence[int]]] = [
    ("logistic map: 4·x·(1 − x), again and again", logistic_map, range(2, 11)),
    ("chain: sin(x)·exp(−x), again and again", chain, range(1, 9)),
    ("product of n numbers (Speelpenning)", speelpenning, range(2, 11)),
]
"""What the explorer of swell offers: title, function of a depth, depths."""

EXPLORERS = ("numbers", "words", "curves", "explorers")
"""The modules of the script of the explorers; the questions have one more."""
BOOT = 'window.adlab = {}(document, JSON.parse(document.getElementById("data").textContent));\n'


def course(functions: Iterable[Any] | None = None, out: str | Path = "course") -> list[Path]:
    """Writes a course into a folder: `index.html`, a page for each function, `explore.html`, `questions.html`. Returns the files.

    Functions are Functions with a point, or (f, x) pairs; by default the gallery. The folder
    is made if its parent exists. Raises OptionError for a function without a point, and OutputError where files cannot be written.
    """
    given = [make() for make in GALLERY.values()] if functions is None else list(functions)
    if not given:
        raise OptionError("a course needs at least one function")
    chosen = [_with_point(item) for item in given]
    folder = Path(out)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}") from error
    written, rows = [], []
    taken: set[str] = {"index", "explore", "questions"}
    for k, (f, point) in enumerate(chosen, 1):
        stage(f"page {k} of {len(chosen)}: {f.name}")
        name = _file_name(f.name, taken)
        written.append(page(f, point).save(folder / f"{name}.html"))
        rows.append(f'<tr><th scope="row"><a href="{name}.html">{escape(f.title)}</a></th><td>{f.n}</td><td>{len(f.graph.operations)}</td>'
                    f"<td>{escape(f.about)}</td></tr>")  # fmt: skip
    stage("index, explorers, questions")
    pages = {"index": index(rows), "explore": explorers(), "questions": ten_questions()}
    return [*(made.save(folder / f"{name}.html") for name, made in pages.items()), *written]


def index(rows: Iterable[str]) -> Page:
    """The first page of a course: where to begin, and a line for each function."""
    body = [
        "<header><h1>Derivatives, step by step</h1><p>Each page shows one formula: step through both sweeps, fill in the trace, predict, break it, "
        'compare the methods.</p></header><main><section><h2>Where to begin</h2><ol><li>Open the first function below. Press Next until the end.</li>'
        '<li>Set <em>your part</em> to <em>Fill one</em>, then to <em>Fill all</em>.</li><li>Do the <a href="questions.html">ten questions</a>.</li>'
        '<li>Play with the <a href="explore.html">two explorers</a>: the error of differences, and expression swell.</li></ol></section>',
        '<section><h2>The functions</h2><div class="scroll" tabindex="0" role="region" aria-label="Functions"><table><thead><tr><th scope="col">function</th>'
        '<th scope="col">inputs</th><th scope="col">operations</th><th scope="col">what it shows</th></tr></thead><tbody>',
        *rows, "</tbody></table></div></section></main>", _made(),
    ]  # fmt: skip
    return Page(document("derivatives, step by step", body, {}, (), ""), "course")


def explorers() -> Page:
    """The page of the two explorers."""
    titles, families = [text for text, _ in EXPLORED], [title for title, _, _ in FAMILIES]
    body = [
        '<header><h1>Two explorers</h1><p><a href="index.html">All pages</a></p></header><main><section class="errors"><h2>Error against step</h2>'
        "<p>A large step makes a truncation error, a small step a roundoff error. Drag the marker to the step at which the central difference "
        f'should be best. Then show the error.</p><div class="needsscript" hidden>{questions.errors(titles)}</div></section>',
        '<section class="swell"><h2>Expression swell</h2><p>The derivative of a nested formula, written out as one formula, grows from level to level. '
        f'The reverse-mode program does not. Estimate first.</p><div class="needsscript" hidden>{questions.swell(families)}</div></section></main>', _made(),
    ]  # fmt: skip
    return Page(document("two explorers", body, _explored(), EXPLORERS, BOOT.format("mountExplorers")), "two explorers")


def ten_questions() -> Page:
    """The page of the ten questions."""
    asked = questions.questions([text for text, _ in EXPLORED], [title for title, _, _ in FAMILIES])
    places = [{"x": 2.0, "y": 3.0}] * 2
    data = _explored() | {
        "worked": _facts(worked_example(), [1.0, 2.0]), "product": _facts(Function("x*sin(x)"), [2.0]),
        "pair": [_facts(Function(text, ["x", "y"]), list(at.values())) for text, at in zip(["x*y", "sin(x) + y"], places, strict=True)],
    }  # fmt: skip
    body = ['<header><h1>Ten questions</h1><p>Each is answered by what you do. <a href="index.html">All pages</a></p></header><main>',
            *questions.markup(asked), "</main>", _made()]  # fmt: skip
    return Page(document("ten questions", body, data, (*EXPLORERS, "questions"), BOOT.format("mountQuestions")), "ten questions")


def _explored() -> dict[str, Any]:
    return {"functions": [_facts(Function(text), at) for text, at in EXPLORED], "families": [
        {"title": title, "rows": [_grown(depth, make(depth)) for depth in depths]} for title, make, depths in FAMILIES]}  # fmt: skip


def _grown(depth: int, f: Function) -> dict[str, int]:
    """Operations of f, of its gradient written out as formulas, and of its reverse-mode program."""
    program = f.derivative("reverse", value=True).graph
    tree = tree_operations_of_graph(f.derivative("reverse").graph)
    return {"depth": depth, "f": len(f.graph.operations), "tree": tree, "program": len(program.operations)}


def _facts(f: Function, point: Sequence[float]) -> dict[str, Any]:
    import numpy

    return facts(f, numpy.array(point))


def _with_point(item: Any) -> tuple[Function, Any]:
    """A function and its point."""
    f, point = item if isinstance(item, tuple) and len(item) == 2 else (item, None)
    f = as_function(f)
    point = f.point if point is None else point
    if point is None:
        raise OptionError(f"{f.name} has no point; give pairs of a function and a point, or Function(…, point=[…])")
    return f, point


def _file_name(name: str, taken: set[str]) -> str:
    """A file name of letters, digits and hyphens that is not taken yet."""
    start = re.sub(r"[^a-z0-9]+", "-", re.sub(r"['’]|\(.*", "", name.lower())).strip("-") or "page"
    found, k = start, 2
    while found in taken:
        found, k = f"{start}-{k}", k + 1
    taken.add(found)
    return found


def _made() -> str:
    return '<footer><p class="quiet">Made by <code>adlab page @gallery --out course/</code></p></footer>'
