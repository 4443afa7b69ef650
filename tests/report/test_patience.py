"""One budget for a report: what takes too long gives up, its row says so, and the rest stands."""

from __future__ import annotations

import math

import pytest

import adlab
from adlab.errors import GaveUp, MethodError, OptionError
from adlab.page.formulas import formula_text
from adlab.report.steps import STEPS
from adlab.truth import second

SLOW = "digamma(x)", -100000000.5  # SymPy's derivative, evaluated by mpmath, would take hours


def test_a_method_that_does_not_end_is_a_row_that_says_so() -> None:
    found = adlab.compare(*SLOW, patience=3.0, timed=False)
    status = {row.method: row.status for row in found.accuracy}
    assert status["symbolic"] == "gave up"
    assert "takes too long" in next(row.note for row in found.accuracy if row.method == "symbolic")


def test_a_single_method_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adlab.symbolic.derivative.SECONDS", 0.5)
    with pytest.raises(GaveUp, match=r"gave up after 0\.5 s"):
        adlab.Function("polygamma(1,x)").gradient(-100000000.5, method="symbolic")


def test_evaluations_of_f_are_work_too() -> None:
    """Every scheme that asks for f again and again gives up between two evaluations, and says so. A sweep is done in one go."""
    found = adlab.compare(adlab.gallery.rosenbrock(60), patience=0.0, timed=False)
    status = {row.method: row.status for row in found.accuracy}
    assert status["reverse"] != "gave up"
    sampled = {name for name, method in adlab.methods().items() if method.family in ("difference", "complex step")}
    assert {name: status[name] for name in sampled} == dict.fromkeys(sampled, "gave up")
    assert all(row.status != "refused" for row in found.accuracy)
    assert all("be more patient" in row.note for row in found.accuracy if row.method in sampled)


@pytest.mark.parametrize(
    ("text", "point"),
    [("zeta(acosh(y),x)", {"x": -3, "y": 7.42}), ("polygamma(100000,x)", 2.5), ("digamma(x)*zeta(x,y)", {"x": 2.5, "y": -3.5})],
)
def test_the_truth_ends_within_single_calls(text: str, point: object) -> None:
    """However long one call of mpmath would take, what there is no time for is unavailable, with the reason."""
    found = adlab.truth(text, point, patience=0.5)
    for component in found.components:
        assert component.status != "unavailable" or component.note


def test_steps_are_fewer_where_there_is_no_time_for_all() -> None:
    with pytest.raises((GaveUp, MethodError)):
        adlab.steps("besselk(1,x)", 2.084, patience=0.2)
    found = adlab.steps("besselj(1,x)", 0.5, schemes=["central-difference"], patience=60.0)
    curve = found.curves[0]
    assert (len(curve.steps) < STEPS) == bool(found.gave_up)
    assert (curve.steps[1:] > curve.steps[:-1]).all()


def test_all_of_swell_has_one_budget() -> None:
    found = adlab.swell(adlab.gallery.logistic_map(60), patience=1.0)
    assert found.row("symbolic derivative").status in ("gave up", "cse gave up")
    assert found.row("reverse program").status == "ok"


@pytest.mark.parametrize("patience", [math.nan, -1.0, "5", None, True])
def test_patience_is_a_number_of_seconds(patience: object) -> None:
    for ask in (adlab.compare, adlab.truth, adlab.steps, adlab.cost):
        with pytest.raises(OptionError, match="`patience`"):
            ask("x**2", 1.0, patience=patience)
    for ask in (adlab.swell, adlab.table, adlab.improve, adlab.difference):
        with pytest.raises(OptionError, match="`patience`"):
            ask("x**2", patience=patience)


def test_differences_of_what_is_done_in_time_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock goes on by a second at each evaluation of f: what is at a kink takes dozens of them."""
    now = [0.0]
    monkeypatch.setattr("adlab.precision.clock", lambda: now[0])

    def kinked(x):
        now[0] += 1.0
        return sum(abs(one) for one in x.tolist())

    whole = adlab.difference(kinked, [0.0] * 6, scheme="central-difference", patience=1e4)
    now[0] = 0.0
    found = adlab.difference(kinked, [0.0] * 6, scheme="central-difference", patience=0.8 * whole.nfev)
    flags = ["gave_up" in each for each in found.flags]
    assert flags == sorted(flags)
    assert 0 < found.given_up == sum(flags) < 6
    assert found.one_sided[0] == (-1.0, 1.0)
    assert not found.success
    assert not whole.given_up
    assert f"gave up on {found.given_up} of 6 variables" in str(found)


def test_nothing_done_is_an_error_and_in_a_table_a_word() -> None:
    with pytest.raises(GaveUp, match="be more patient"):
        adlab.difference("x*y", [1.0, 2.0], patience=0.0)
    found = adlab.table(["x*y"], methods=["reverse", "central-difference"], points=[[1.0, 2.0]], patience=0.0)
    assert found.notes[1] == ("gave up",)


@pytest.mark.parametrize("n", [16, 60])
def test_what_has_no_end_as_a_text_is_written_on_no_sheet_and_on_no_page(n: int) -> None:
    """The logistic map is a short graph. As a formula, each of its iterates stands in the next one twice."""
    f = adlab.gallery.logistic_map(n)
    with pytest.raises(OptionError, match=r"too long to be written on a sheet|too long to do by hand"):
        adlab.sheet(f)
    assert formula_text(f) == ""


def test_second_derivatives_have_the_same_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries that are reached have their truth; the others are unavailable. Work that is not done is a row that says so."""
    taken: list[int] = []
    one = second.higher_derivatives
    monkeypatch.setattr(second, "higher_derivatives", lambda made, at, i, *more: taken.append(i) or one(made, at, i, *more))
    f = adlab.gallery.rosenbrock(40)
    found = adlab.truth(f, order=2, patience=0.0)
    assert not taken
    assert "be more patient" in found.rows[3][7].note
    compared = adlab.compare(f, order=2, patience=0.0, timed=False)
    status = {row.method: row.status for row in compared.rows}
    assert status["differences of values"] == "gave up", status
    monkeypatch.setattr(second, "seconds_left", lambda: float(len(taken) < 3))
    found = adlab.truth(f, order=2)
    assert [found.rows[i][i].status == "unavailable" for i in range(4)] == [False] * 3 + [True]
