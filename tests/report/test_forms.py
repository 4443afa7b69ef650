"""Every report comes in every form: text, Markdown, HTML, LaTeX, CSV, JSON, and as a picture where it can be drawn."""

from __future__ import annotations

import contextlib
import csv
import importlib
import io
import json
import pkgutil
from html.parser import HTMLParser
from importlib.util import find_spec

import pytest

import adlab
from adlab.audit.series import series_rules
from adlab.display import Report
from adlab.report.listing import gallery_listing, method_listing
from adlab.use.nestings import nestings

F = adlab.Function("x*sin(y)", point=(1.0, 2.0))
QUICK = ["reverse", "central-difference"]
REPORTS = {
    "Comparison": lambda: adlab.compare(F, methods=QUICK, timed=False),
    "FullComparison": lambda: adlab.compare(F, methods=QUICK, timed=False).full,
    "Answers": lambda: adlab.compare(F, methods=QUICK, timed=False).answers,
    "HessianComparison": lambda: adlab.compare(F, order=2, timed=False),
    "FullHessians": lambda: adlab.compare(F, order=2, timed=False).full,
    "Overview": lambda: adlab.overview([adlab.compare(F, methods=QUICK, timed=False)]),
    "Conditioning": lambda: adlab.conditioning(F),
    "Derivative": lambda: adlab.derive(F),
    "Trace": lambda: F.trace([1, 2]),
    "Steps": lambda: adlab.steps(F, schemes=["forward-difference"]),
    "Difference": lambda: adlab.difference(F),
    "Swell": lambda: adlab.swell(F),
    "Cost": lambda: adlab.cost(F, methods=QUICK, timed=False),
    "Truth": lambda: adlab.truth(F),
    "HessianTruth": lambda: adlab.truth(F, order=2),
    "Derivatives": lambda: adlab.derivatives("exp(x)", 1.0, order=3),
    "Rounding": lambda: adlab.rounding(F),
    "Check": lambda: adlab.check(F, lambda x: [1.0, 2.0], at=[[1, 2]]),
    "Exercise": lambda: adlab.exercise(F),
    "Grade": lambda: adlab.exercise(F).grade(adlab.exercise(F).solution()),
    "Sheet": lambda: adlab.sheet(F, students=2),
    "Grid": lambda: adlab.table([F, "exp(x)"], methods=QUICK),
    "Glossary": adlab.glossary,
    "MethodList": method_listing,
    "GalleryList": gallery_listing,
    "Improvement": lambda: adlab.improve("sqrt(x + 1) - sqrt(x)", 1e12),
    "SeriesRules": lambda: series_rules("tan", "adlab", order=2),
    "Nestings": lambda: nestings(F),
    "Fit": lambda: adlab.fit("a*t + b", {"t": [0, 1, 2, 3], "y": [1, 2, 3.1, 4]}, {"a": 1, "b": 1}),
    "Minimum": lambda: adlab.minimize("(x - 1)**2 + y**2", [0, 1]),
}
if find_spec("flint"):
    REPORTS["Enclosure"] = lambda: adlab.enclose(F, {"x": (0, 1), "y": 2})
GRAPHS = {"Derivative", "Trace"}
"""Their pictures are graphs, which carry the formula and the numbers in their nodes."""
OWN_LATEX = {"Derivative", "Trace"}
"""Formulas and traces are set as formulas, not as tables."""
ELSEWHERE = {
    "ClassGrades", "Contest", "Conventions", "Corpus", "Enclosure", "Linearity", "Startup", "Bench", "Digest", "Listing",
    "CertifiedFits", "InC", "Proof", "Rules", "Scaling", "SideBySide", "SparseMatrices", "Streamed", "Sweep", "Vouching",
}  # fmt: skip
"""What needs files, other systems or much time. The tests of these reports look at their forms."""


class Balanced(HTMLParser):
    """Fails where a tag closes that is not the last one open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br", "img", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<br/>` opens nothing."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", REPORTS)
def test_it_comes_in_every_form(name: str) -> None:
    if name in ("Fit", "Minimum"):
        pytest.importorskip("scipy")
    report = REPORTS[name]()
    assert type(report).__name__ == name
    assert str(report).strip()
    assert report.to_markdown().strip()
    facts = json.loads(report.to_json())
    assert facts
    assert facts.keys() == report.to_dict().keys()
    head, *rows = csv.reader(io.StringIO(report.to_csv()))
    assert rows
    assert all(len(row) == len(head) for row in rows)
    latex = report.to_latex()
    assert ("\\toprule" in latex) == (name not in OWN_LATEX)
    assert latex.count("\\begin{") == latex.count("\\end{") > 0
    Balanced(report._repr_html_())
    Balanced(report.to_html(picture=False))
    if hasattr(report, "plot"):
        assert report.plot().get_title() or name in GRAPHS


def test_no_report_is_forgotten() -> None:
    for module in pkgutil.walk_packages(adlab.__path__, "adlab."):
        if module.name.split(".")[1] in ("report", "use", "audit", "autodiff"):
            with contextlib.suppress(ImportError):  # enclosures need an extra
                importlib.import_module(module.name)
    known = {made.__name__ for made in Report.__subclasses__() if made.__module__.startswith("adlab.")}
    assert known - set(REPORTS) <= ELSEWHERE
