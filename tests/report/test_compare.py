"""The comparison: every method is a row, whatever happens to it."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest

import adlab
from adlab.methods import chosen
from adlab.report.accuracy import unit_in_the_last_place

OURS = list(chosen(None))


@pytest.fixture(scope="module")
def worked():
    return adlab.compare(adlab.gallery.worked_example(), timed=False)


def test_the_dictionary_has_what_it_promises(worked) -> None:
    found = worked.to_dict()
    assert found["value"] == pytest.approx(2.2934734504528866, abs=0)
    assert found["truth"]["status"] in ("heuristic", "certified")
    assert [float(g) for g in found["truth"]["gradient"]] == pytest.approx([0.5215007789468607, 0.5634963734499162], rel=1e-15)
    columns = {"method", "variable", "value", "error", "relative_error", "ulps", "digits", "status", "note"}
    assert columns <= set(found["accuracy"][0])
    assert {"what", "tree_operations", "tree_nodes", "graph_nodes", "cse_operations"} <= set(found["swell"][0])
    assert {"method", "operations", "ratio", "evaluations", "seconds", "time_ratio", "status"} <= set(found["cost"][0])
    json.dumps(found)


def test_every_method_has_a_row_for_every_variable(worked) -> None:
    assert [(row.method, row.variable) for row in worked.accuracy] == [(m, v) for m in OURS for v in ("x1", "x2")]


def test_errors_are_measured_against_the_truth(worked) -> None:
    for row in worked.accuracy:
        exact = worked.truth.component(0, ["x1", "x2"].index(row.variable)).value
        assert row.error == pytest.approx(float(abs(row.value - exact)), rel=1e-6)
        assert row.ulps == pytest.approx(row.error / math.ulp(float(exact)), rel=1e-6)
        assert row.digits == pytest.approx(min(16, -math.log10(row.relative_error)), rel=1e-6)


def test_automatic_and_complex_step_are_right_to_the_last_digits(worked) -> None:
    for row in worked.accuracy:
        if row.method in ("reverse", "forward", "complex-step", "symbolic", "symbolic-cse"):
            assert row.ulps < 4, row
        if row.method in ("forward-difference", "backward-difference"):
            assert 6 < row.digits < 11, row


def test_nobodys_error_is_printed_as_zero() -> None:
    """x² at 3: every automatic method returns exactly 6."""
    text = str(adlab.compare("x**2", 3.0, methods=["reverse", "complex-step"], timed=False).full)
    line = next(line for line in text.splitlines() if line.startswith("reverse"))
    assert "< 1.1e-16" in line
    assert "< 1" in line


def test_what_cannot_serve_is_a_row_that_says_why() -> None:
    found = adlab.compare("floor(x)*x", 2.5, timed=False)
    row = next(row for row in found.accuracy if row.method == "complex-step")
    assert row.status == "refused"
    assert "not complex-differentiable" in row.note
    assert all(r.status == "ok" for r in found.accuracy if r.method in ("reverse", "forward", "central-difference"))


def test_at_a_kink_truth_is_unavailable_and_conventions_are_named() -> None:
    found = adlab.compare("Abs(x)", 0.0, timed=False)
    assert found.truth.status == "unavailable"
    row = next(row for row in found.accuracy if row.method == "reverse")
    assert row.value == 0.0
    assert row.status == "no truth"
    assert "abs" in row.note


def test_rows_carry_the_output_when_there_are_several() -> None:
    found = adlab.compare(["x*y", "x + y"], [1.0, 2.0], methods=["reverse", "forward"], timed=False)
    assert [(r["method"], r["output"], r["variable"]) for r in found.to_dict()["accuracy"]] == [
        (m, i, v) for m in ("reverse", "forward") for i in (0, 1) for v in "xy"
    ]


def test_outside_the_domain_there_is_nothing_to_compare() -> None:
    with pytest.raises(adlab.DomainError, match="log"):
        adlab.compare("log(x)", -1.0)


def test_all_four_forms_of_a_report(worked) -> None:
    assert "verdict" in str(worked.full)
    assert "Trust" in str(worked)
    assert "<table>" in worked._repr_html_()
    assert "<script" not in worked._repr_html_()
    assert "| method |" in worked.to_markdown()
    assert worked.plot().get_xlabel()


@pytest.mark.parametrize("exact", [1.0, 0.5215007789468607, 1e-300, 5e-324, 1e300])
def test_a_unit_in_the_last_place_is_binary64s(exact: float) -> None:
    assert float(unit_in_the_last_place(exact)) == math.ulp(exact)


def test_what_underflows_is_as_right_as_binary64_can_be() -> None:
    """tanh' at 500 is 5.1e-435, and 0 the binary64 nearest to it; a denormal result that is far off has lost its digits."""
    (row,) = adlab.compare("tanh(x/2)/2 + 1/2", 1000.0, methods=["reverse"], timed=False).accuracy
    assert (row.value, row.digits, row.note) == (0.0, 16.0, "5.08e-435 underflows to 0.0")
    (row,) = adlab.compare("x*1e-310", 3.0, methods=["central-difference"], timed=False).accuracy
    assert row.value != 1e-310
    assert row.digits < 16


def test_what_a_sentence_is_about_is_no_matter_of_its_words() -> None:
    """Screen and answers leave sentences out by what they are about: other words, or another language, change nothing."""
    found = adlab.compare("Abs(x)", 0.0, methods=["reverse", "central-difference"], timed=False)
    told = dataclasses.replace(found, verdict=[dataclasses.replace(s, text=f"{k}.") for k, s in enumerate(found.verdict)])
    kept = [f"{k}." for k, s in enumerate(found.verdict) if s.about not in ("swell", "cost")]
    assert found.verdict[0].about == "truth"
    assert [s.about for s in found.verdict][-2:] == ["swell", "cost"]
    assert told.answers.to_dict()["verdict"] == kept
    assert [line[2:] for line in told.text(80).splitlines() if line.startswith("•")] == kept[1:]


def test_the_answers_are_the_comparisons_own_without_size_and_price() -> None:
    found = adlab.compare(["x*y", "Abs(x)"], [0.0, 3.0], methods=["reverse", "complex-step"], timed=False)
    answers = found.answers
    truth, table, verdict = answers.sections()
    assert truth.startswith("truth")
    assert [line[:2] for line in table.rows] == [
        [m, f"∂f{i}/∂{v}"] for m in ("reverse", "complex-step") for i in (0, 1) for v in ("x", "y")
    ]
    assert [line[2] for line in table.rows[:4]] == ["3", "0", "0", "0"]
    assert all(line[-1] for line in table.rows if line[2] == "–")  # who has no answer says why
    assert answers.to_dict()["accuracy"] == found.to_dict()["accuracy"]
    left_out = {sentence.text for sentence in found.verdict} - set(answers.to_dict()["verdict"])
    assert left_out
    assert {text.partition(":")[0] for text in left_out} <= {"Swell", "Cost"}
    assert "\n".join(f"• {text}" for text in answers.to_dict()["verdict"]) == verdict
