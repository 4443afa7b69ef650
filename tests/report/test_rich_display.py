"""In a notebook everything shows itself: formulas as LaTeX, graphs as SVG, reports as HTML; never a script, never too much."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
import sympy

import adlab
from adlab import gallery

LARGEST = 200_000  # characters that a notebook's page takes without a pause
DEEP = 5_000


def worked() -> adlab.Function:
    return gallery.worked_example()


def gradient(x: Any) -> Any:
    return worked().gradient(x)


REPORTS: dict[str, Callable[[], Any]] = {
    "trace": lambda: worked().trace([1, 2]),
    "truth": lambda: adlab.truth(worked()),
    "compare": lambda: adlab.compare(worked(), methods=["reverse", "central-difference"]),
    "swell": lambda: adlab.swell("x**2"),
    "cost": lambda: adlab.cost(worked(), methods=["reverse"], timed=False),
    "steps": lambda: adlab.steps("exp(x)", 1.0, schemes=["forward-difference"]),
    "check": lambda: adlab.check(worked(), gradient, at=[[1, 2]]),
}


def shown_in_latex(text: str) -> str:
    """What stands between the dollars, having seen that its braces and environments close."""
    found = re.fullmatch(r"\$\\displaystyle (.*)\$", text, re.DOTALL)
    assert found
    depth = 0
    for sign in re.sub(r"\\[{}]", "", found[1]):
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    assert sorted(re.findall(r"\\begin{(\w+)}", found[1])) == sorted(re.findall(r"\\end{(\w+)}", found[1]))
    return found[1]


@pytest.mark.parametrize("name", gallery.GALLERY)
def test_every_function_graph_trace_and_program_is_bounded_latex_and_svg(name: str) -> None:
    f = gallery.named(name)
    program = f.derivative()
    for thing in (f, f.graph, program, program.graph, f.trace(f.point), f.compile(derivative="jacobian")):
        assert len(shown_in_latex(thing._repr_latex_())) < LARGEST
    for thing in (f.graph, program.graph, f.trace(f.point)):
        drawn = thing._repr_svg_()
        assert ElementTree.fromstring(drawn).tag.endswith("svg")
        assert len(drawn) < LARGEST


def test_a_graph_too_large_to_draw_shows_its_wengert_list_under_the_collapsed_picture() -> None:
    """Up to 60 nodes the picture alone is shown; of any larger graph the picture and at most 200 lines."""
    assert gallery.chain(14).graph._repr_html_() is None  # 57 nodes
    for graph in (gallery.chain(15).graph, gallery.chain(DEEP).graph, gallery.bundle_adjustment().graph):
        html = graph._repr_html_()
        assert html.startswith("<svg")
        assert len(html) < LARGEST
        listing = ElementTree.fromstring(f"<div>{html}</div>").find("pre")
        assert listing.text == str(graph)
        assert len(listing.text.splitlines()) <= 201


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_is_html_with_inline_style_and_no_script(report: str) -> None:
    html = REPORTS[report]()._repr_html_()
    assert "<table" in html
    assert not re.search(r"<(script|link|style|iframe|img)\b|\bon\w+=|javascript:|https?://", html)
    ElementTree.fromstring(f"<div>{html}</div>")  # well formed, all text escaped


def test_a_short_formula_is_typeset_as_a_formula() -> None:
    assert shown_in_latex(worked()._repr_latex_()) == (
        r"\left(x_{1}, x_{2}\right) \mapsto \log{\left(\left(x_{1} + x_{2}\right)^{2} + \sin{\left(x_{1} x_{2} \right)} \right)}"
    )
    assert r"\begin{pmatrix} x + y \\ x y \end{pmatrix}" in adlab.Function(["x + y", "x*y"])._repr_latex_()


def test_a_longer_one_and_a_program_line_by_line() -> None:
    for thing in (gallery.logistic_map(20), worked().derivative(), worked().graph):
        assert r"\begin{aligned}" in thing._repr_latex_()
    assert r"\text{outputs}" in worked().derivative()._repr_latex_()


def test_large_latex_is_withheld_and_its_size_said() -> None:
    f = gallery.chain(DEEP)
    for thing in (f, f.graph, f.trace(0.5)):
        assert shown_in_latex(thing._repr_latex_()) == rf"\text{{{4 * DEEP:,} operations: too many to typeset}}"
    program = f.derivative()
    assert f"{len(program.graph.operations):,} operations" in program._repr_latex_()


def test_a_shared_formula_is_never_unfolded_to_be_typeset() -> None:
    level = sympy.Symbol("x", real=True)
    for _ in range(60):
        level = sympy.Add(level, sympy.sin(level), evaluate=False)  # 2**60 leaves as a tree
    assert len(adlab.Function(level)._repr_latex_()) < LARGEST


def test_the_picture_of_a_trace_has_its_numbers() -> None:
    trace = worked().trace([1, 2])
    assert "0.5215007789468606" in trace._repr_svg_()
    assert trace.to_svg(step=3) != trace.to_svg()
    assert trace.graph.to_svg(direction="LR") != trace.graph._repr_svg_()
