"""The page as a file: self-contained, readable without scripts, and safe whatever the names are."""

from __future__ import annotations

import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pytest

import adlab
from adlab.errors import OutputError
from adlab.page.build import page
from adlab.page.formulas import command


class Elements(HTMLParser):
    """Every element with its attributes, and the text outside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.inside = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.words.append(data)


@pytest.fixture(scope="module")
def worked() -> str:
    return page(adlab.gallery.worked_example()).html


def test_it_is_one_file_that_asks_for_nothing(worked: str) -> None:
    for tag, attributes in Elements(worked).found:
        assert tag not in ("link", "img", "iframe", "object", "embed"), tag
        assert not {"src", "style"} & set(attributes), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
    assert "default-src 'none'" in worked
    assert len(worked.encode()) < 1_500_000


def test_every_number_of_the_trace_stands_there_without_scripts(worked: str) -> None:
    words = " ".join(Elements(worked).words)
    for row in adlab.gallery.worked_example().trace([1, 2]).to_dict()["rows"]:
        assert f"{row['primal']:.5g}" in words
        assert f"{row['adjoint']:.5g}".replace("-", "−") in words
    assert "Wengert list" in words


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "</script><b>", "a&b", '"x"', "x' onload='1"])
def test_a_name_is_text_whatever_it_is(name: str) -> None:
    import sympy

    x, y = sympy.Symbol(name, real=True), sympy.Symbol("y", real=True)
    found = Elements(page(adlab.Function(x * sympy.sin(y), [x, y]), [1.0, 2.0]).html)
    assert [tag for tag, _ in found.found].count("script") == 2
    assert name in " ".join(found.words)


def test_the_data_hold_the_rules_of_the_table_and_no_other() -> None:
    html = page("tanh(x)*x", 0.5).html
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found
    data = json.loads(found[1])
    assert set(data["rules"]) == {"tanh", "mul"}
    assert [node[0] for node in data["rules"]["tanh"]["nodes"] if node[1]] == ["cosh", "powi", "div"]


def test_a_comparison_as_html_is_the_page_with_its_own_tables() -> None:
    found = adlab.compare("x*sin(x)", 2.0, methods=["reverse", "central-difference"], timed=False)
    html = found.to_html()
    assert html == page(found.function, 2.0, comparison=found).html
    assert re.findall(r'<td data-value="([a-z-]+)">[a-z-]+</td><td data-value="x">', html) == ["reverse", "central-difference"]
    assert "<script" not in found.full.to_html()
    lost = adlab.compare("sqrt(x**4)", 0.0, timed=False)  # reverse mode has no derivative there, so there is no page
    assert "<script" not in lost.to_html()
    assert "high-precision values" in lost.to_html()


def test_what_javascript_cannot_compute_is_said() -> None:
    html = page("besselj(0, x)*x", 1.5).html
    assert "JavaScript has no besselj" in html


@pytest.mark.parametrize(("formula", "point", "said"), [
    ("x/(x+y)", [1e308, 1e308], "It ends at f = 0, and right is 0.5; ∂f/∂x = 0, and right is 2.5e-309"),
    ("1/x**2", [1e100], "It ends at ∂f/∂x = 0, and right is -2e-300"),
    ("x*sin(x)", [2.0], ""),
    ("Piecewise((sqrt(x), x > 0), (0*x, True))", [-1.0], ""),
])  # fmt: skip
def test_a_walk_that_ends_at_wrong_numbers_says_so(formula: str, point: list[float], said: str) -> None:
    html = page(formula, point, comparison=False).html
    assert ('class="warning"' in html) == bool(said)
    assert said in html


def test_a_page_of_several_outputs_offers_each_and_says_how_it_was_made() -> None:
    f = adlab.Function(["x*y", "sin(x) + y"], ["x", "y"])
    html = page(f, [2.0, 3.0]).html
    assert '<select id="output"><option value="0">f0: v1</option><option value="1">f1: v3</option></select>' in html
    assert "<th scope=\"col\"><button type=\"button\" class=\"sort\">of</button></th>" in html
    made: dict[str, object] = {}
    exec(command(f, [2.0, 3.0]).replace("adlab.page(", "found = (").replace(', out="page.html"', ""), {"adlab": adlab}, made)
    assert made["found"][0].jacobian([2, 3]).tolist() == f.jacobian([2, 3]).tolist()


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        page("x*y", [1, 2], out=tmp_path / "no" / "page.html")


def test_the_command_of_a_page_makes_the_same_function() -> None:
    """It reads as the same formula by its variables, whatever the function is called; what has no formula is said in Python."""
    for f in (adlab.gallery.worked_example(), adlab.Function("b*a + sin(a)", ["b", "a"], name="g")):
        text, _, *at = shlex.split(command(f, [0.5, 2.0]))[2:-2]
        point = {name: float(x) for name, x in (pair.split("=") for pair in at)}
        assert adlab.Function(text)(point) == pytest.approx(f([0.5, 2.0]), rel=1e-15)
    assert command(adlab.gallery.rosenbrock(30), [1.0] * 30).startswith("adlab.page(f, [1.0, 1.0")
