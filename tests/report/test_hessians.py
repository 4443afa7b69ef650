"""Hessians side by side: every method against the truth, symmetry as a free check, swell and cost."""

from __future__ import annotations

import json

import numpy as np
import pytest

import adlab
from adlab.errors import MethodError
from adlab.report.hessian_methods import METHODS, chosen, differences_of_values
from adlab.report.hessians import asymmetry

EXACT = [name for name, method in METHODS.items() if method.family in ("automatic", "symbolic", "complex step")]


@pytest.fixture(scope="module")
def worked():
    return adlab.compare(adlab.gallery.worked_example(), order=2)


@pytest.mark.parametrize("name", EXACT)
def test_exact_methods_keep_their_digits(worked, name: str) -> None:
    row = worked.row(name)
    assert row.status == "ok"
    assert row.digits > 14.5
    assert row.asymmetry < 1e-14


def test_differences_lose_what_their_theory_says(worked) -> None:
    by_gradients = worked.row("central difference of gradients").digits
    by_values = worked.row("differences of values").digits
    assert 9 < by_gradients < 13
    assert 5 < by_values < 10
    assert any("differences of values the fewest" in sentence.text for sentence in worked.verdict)


def test_the_hessian_swells_as_a_tree_and_not_as_a_program() -> None:
    found = adlab.compare(adlab.gallery.logistic_map(5), order=2, methods=["symbolic", "forward over forward"], timed=False)
    sizes = found.to_dict()["swell"][2]
    assert int(sizes["as a tree"]) > 10 * int(sizes["as a program"])
    assert found.row("forward over forward").operations < 50
    assert found.row("symbolic").digits > 14.5


def test_a_wrong_hessian_is_told_by_its_asymmetry() -> None:
    assert asymmetry(np.array([[1.0, 2.0], [2.0, 3.0]])) == 0
    assert asymmetry(np.array([[0.0, 1.0], [np.nan, 0.0]])) > 1
    assert asymmetry(np.zeros((0, 0))) == 0


@pytest.mark.parametrize("at", [[0.3, -2.0], [30.0, 3.0], [0.0, 0.0]])
def test_second_differences_of_a_quadratic_are_exact_but_for_rounding(at: list[float]) -> None:
    found = differences_of_values(adlab.Function("x**2 + 3*x*y - y**2"), np.array(at))
    assert np.allclose(found, [[2, 3], [3, -2]], atol=1e-4)


def test_where_the_truth_is_0_the_rest_is_judged() -> None:
    methods = ["forward over reverse", "differences of values"]
    found = adlab.compare("sin(x)*2 + y**3", [1.0, 2.0], order=2, methods=methods, timed=False)
    assert found.row("forward over reverse").digits > 14.5
    assert found.row("differences of values").digits > 5


def test_a_method_that_cannot_is_a_row_that_says_why() -> None:
    found = adlab.compare("Max(x, 1)*x*y", [3.0, 2.0], order=2, methods=["complex step of gradients"], timed=False)
    assert found.row("complex step of gradients").status == "refused"
    with pytest.raises(MethodError, match="called `newton`"):
        adlab.compare("x*y", [1.0, 2.0], order=2, methods=["newton"])
    with pytest.raises(MethodError, match="one output"):
        adlab.compare(["x", "y"], [1.0, 2.0], order=2)
    assert list(chosen("symbolic, forward over reverse")) == ["symbolic", "forward over reverse"]


def test_what_takes_too_long_is_a_row_and_the_rest_stands() -> None:
    """Derivatives of zeta far to the right take mpmath seconds."""
    adlab.compare("1/x", 1000.0, order=2, timed=False)  # what is imported for this is no work of the next
    found = adlab.compare("1/zeta(x)", 1000.0, order=2, patience=1.5)
    assert {row.status for row in found.rows} >= {"gave up", "refused"}
    assert found.row("differences of values").status == "ok"
    assert all(row.asymmetry is None for row in found.rows if row.status != "ok")
    assert "not symmetric" not in str(found.full)


def test_methods_that_lose_the_same_share_a_sentence_and_a_size_is_a_number() -> None:
    found = adlab.compare(adlab.gallery.logistic_map(12), order=2, timed=False)
    lossy = [sentence.text for sentence in found.verdict if "of 16 digits in" in sentence.text]
    named = [name for name in EXACT if any(name in text for text in lossy)]
    assert 1 <= len(lossy) < len(named)
    assert "operations as a program, and no formula here" in str(found)


def test_the_report_in_every_form(worked) -> None:
    facts = json.loads(json.dumps(worked.to_dict(), default=str))
    assert facts["truth"]["status"] in ("certified", "heuristic")
    for report in (worked, worked.full):
        for text in (str(report), report._repr_html_(), report.to_markdown()):
            assert "forward over reverse" in text
    assert "after cse" in str(worked.full)
    assert "∂x1∂x2" in worked.table().text()


@pytest.mark.parametrize(("formula", "at"), [
    ("x**2/(x-1)", [3.0]), pytest.param("Abs(x)*y", [0.0, 2.0], marks=pytest.mark.slow), ("x*y+z**3", [1.0, 1e-3, -2.0]),
    pytest.param("x1*exp(x2)/(1+x1**2)", [1.0, 2.0], marks=pytest.mark.slow),
    pytest.param("sqrt(x*y*z*u)+x**2", [1.0, 2.0, 3.0, 4.0], marks=pytest.mark.slow),
])  # fmt: skip
def test_a_screen_holds_it(formula: str, at: list[float]) -> None:
    """24 lines of 80 columns, the last for the prompt, as `compare` of first derivatives keeps them."""
    shown = str(adlab.compare(formula, at, order=2)).split("\n")
    assert len(shown) < 24
    assert max(map(len, shown)) <= 80
    assert any(line.startswith("•") for line in shown)
