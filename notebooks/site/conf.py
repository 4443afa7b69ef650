"""The documentation site, from the same sources as everything else: notebooks, READMEs, docstrings, the glossary's words.

    pip install -e '.[docs]' && sphinx-build -c notebooks/site . build/site

The source folder is the repository itself, so no page is a copy. Notebooks are shown with the outputs that are stored in
them. Formulas become MathML, so a page needs no network.
"""

from __future__ import annotations

import re
from typing import Any

project = "adlab"
copyright = "the adlab authors"
extensions = ["myst_nb", "sphinx.ext.autodoc"]
root_doc = "notebooks/site/index"
include_patterns = ["README.md", ".github/*.md", "adlab/**/README.md", "adlab/README.md", "figures/README.md",
                    "notebooks/*.ipynb", "notebooks/README.md", "notebooks/site/*.md"]  # fmt: skip
exclude_patterns = ["**/.ipynb_checkpoints"]
templates_path = ["templates"]

nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True

html_theme = "furo"
html_title = "adlab"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_additional_pages = {"index": "first.html"}
html_copy_source = False
html_show_sphinx = False


TITLES = {
    "function": "A function", "report": "Reports", "text": "Reading formulas", "methods": "Methods",
    "tracing": "Python functions, control flow and solvers", "arithmetic": "Arithmetics and operations of your own",
    "use": "Put to use", "page": "The interactive page", "gallery": "Named functions", "compile": "Programs",
    "display": "What every report can do",
    "testing": "For your own test suite", "errors": "Errors",
}  # fmt: skip
"""What the names of each room are called, in the order of the page. A room that is not here comes last, by its own name."""
BESIDE = ["adlab.compile.program.CompiledProgram", "adlab.display.Report", "adlab.testing.assert_gradient"]
"""What people hold or call and is no name of adlab's own."""


def reference() -> str:
    """Every public name by its room, for autodoc to describe: nothing can be left out."""
    import adlab
    from adlab.gallery import GALLERY

    names = [f"adlab.{name}" for name in adlab.__all__ if name not in ("gallery", "__version__")]
    names += [f"adlab.gallery.{make.__name__}" for make in GALLERY.values()] + BESIDE
    rooms: dict[str, list[str]] = {}
    for name in names:
        rooms.setdefault(_found(name).__module__.split(".")[1], []).append(name)
    order = [*(room for room in TITLES if room in rooms), *(room for room in rooms if room not in TITLES)]
    return "\n".join(_described(TITLES.get(room, room.capitalize()), rooms[room]) for room in order)


def _found(name: str) -> Any:
    from importlib import import_module

    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


INNER = "of_code, strictly, plan, cached, evaluator, batches, values, several, independent, readable, with_graph"
"""Members of `Function` that other rooms of adlab call, and users need not."""
FUNCTION = f".. autoclass:: adlab.Function\n   :members:\n   :inherited-members:\n   :exclude-members: {INNER}\n"
"""Many methods of a function stand in the class that it inherits from."""


def _described(title: str, names: list[str]) -> str:
    lines = [FUNCTION if name == "adlab.Function" else f".. autoclass:: {name}\n   :members:\n" if isinstance(_found(name), type)
             else f".. autofunction:: {name}\n" for name in names]
    return f"## {title}\n\n```{{eval-rst}}\n" + "\n".join(lines) + "```\n"


def glossary() -> str:
    """The words of `adlab glossary`, as a glossary that any page can refer to."""
    from adlab.report.glossary import WORDS

    pairs = sorted(WORDS.items(), key=lambda pair: pair[0].lower())
    return "```{glossary}\n" + "\n".join(f"{word}\n  {meaning}\n" for word, meaning in pairs) + "```\n"


def _filled(app: Any, page: str, source: list[str]) -> None:
    """A page that says `<!-- reference -->` or `<!-- glossary -->` gets it there."""
    for make in (reference, glossary):
        mark = f"<!-- {make.__name__} -->"
        if mark in source[0]:
            source[0] = source[0].replace(mark, make())


def restructured(lines: list[str]) -> list[str]:
    """A docstring of adlab's, whose marks are backticks and examples, in the markup that autodoc reads.

    >>> restructured(["`f` is |x|*y_", "", ">>> f(2)", "2"])
    ['``f`` is \\\\|x\\\\|\\\\*y\\\\_', '', '>>> f(2)', '2']
    """
    found, example = [], False
    for line in lines:
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        found.append(line if example else _escaped(line))
    return found


def _escaped(line: str) -> str:
    """Code in single backticks becomes a literal; but for the star of a list, every other mark stands for itself."""
    star = re.match(r"\s*\* ", line)
    start, text = (star[0], line[star.end() :]) if star else ("", line)
    parts = re.split(r"(``.+?``|`[^`]+`)", text)
    return start + "".join(
        f"``{part.strip('`')}``" if k % 2 else re.sub(r"([*|_\\])", r"\\\1", part) for k, part in enumerate(parts)
    )


def _docstring(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    lines[:] = restructured(lines)


SPELLED = {
    r"\\[bB]igg?[lr]?(?![a-zA-Z])": "", r"\\dots(?![a-zA-Z])": r"\\ldots", r"\\mathrel\{\+\}=": r"\\text{ += }",
    r"\\[td]?frac(\d)(\d)": r"\\frac{\1}{\2}",
}  # fmt: skip
"""What docutils does not know of LaTeX, and what to write instead. MathML stretches brackets by itself."""
LEAF = r"(<m[in][^>]*>[^<]*</m[in]>|<mrow>(?:(?!</?mrow>).)*</mrow>)"
SET = {
    rf"<munderover>\s*{LEAF}\s*{LEAF}\s*(<mo[^>]*>[ˉ˙]</mo>)\s*</munderover>": r"<msub><mover>\1\3</mover>\2</msub>",
    r"<mover[^>]*>": '<mover accent="false">', "ˉ": "¯",  # browsers without a mathematical font draw an accent into the letter
    r"(<mo>&ApplyFunction;</mo>)(?!\s*<mo[^>]*>\()": r'\1<mspace width="0.17em"></mspace>',
}  # fmt: skip
"""What docutils writes, and what is read better: an index beside a letter with a bar, a space between sin and v."""


def mathml(latex: str, block: bool) -> str:
    """A formula as MathML.

    >>> "<msub><mover" in mathml(r"\\bar v_1", block=False)
    True
    """
    from docutils.utils.math.latex2mathml import tex2mathml

    for pattern, instead in SPELLED.items():
        latex = re.sub(pattern, instead, latex)
    written = str(tex2mathml(latex, as_block=block))
    for pattern, instead in SET.items():
        written = re.sub(pattern, instead, written, flags=re.DOTALL)
    return written


def setup(app: Any) -> None:
    from docutils import nodes
    from docutils.utils.math import MathError
    from sphinx.util import logging

    log = logging.getLogger(__name__)

    def formula(writer: Any, node: Any, block: bool) -> None:
        try:
            written = mathml(node.astext(), block)
        except MathError as error:
            log.warning("%s in the formula %s", error, node.astext(), location=node)
            written = writer.encode(node.astext())
        writer.body.append(f'<div class="math">{written}</div>' if block else written)
        raise nodes.SkipNode

    def inline(writer: Any, node: Any) -> None:
        formula(writer, node, block=False)

    def display(writer: Any, node: Any) -> None:
        formula(writer, node, block=True)

    app.connect("source-read", _filled)
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    app.connect("autodoc-process-docstring", _docstring)
