"""Differences side by side: whoever is compared is judged by the same truth, and ours holds its own on every row."""

from __future__ import annotations

import math
import re

import pytest

import adlab
from adlab.peers.catalogue import PEERS
from adlab.report.contest_cases import CANNOT_BE_KNOWN, cases
from adlab.report.difference_contest import OURS, THEIRS, Contest, ContestEntry, contest

ROUNDING = 16 * 2.0**-53  # relative: nobody is better than who is off by so little
CASES = list(cases())
ORDINARY = [case for case in CASES if case.kind in ("smooth", "a stationary point", "a kink")]


@pytest.fixture(scope="module", params=[30, pytest.param(1, marks=pytest.mark.slow)], ids=["a few", "all"])
def chosen(request):
    """The cases that ours meet."""
    return CASES[:: request.param]


@pytest.fixture(scope="module")
def ours(chosen):
    return contest(OURS, chosen)


@pytest.fixture(scope="module")
def everyone():
    missing = [name for name in THEIRS if not PEERS[name].installed]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    return contest([OURS[0], *THEIRS], ORDINARY)


def of(found, method):
    return {(entry.formula, entry.at): entry for entry in found.entries if entry.method == method}


def test_there_are_many_cases_of_many_kinds() -> None:
    assert len(CASES) >= 120
    assert len({case.kind for case in CASES}) >= 15
    assert sum(callable(case.f) for case in CASES) >= 30
    assert any(case.truth == CANNOT_BE_KNOWN for case in CASES)


def test_none_of_ours_ever_claims_a_success_that_is_none(ours) -> None:
    assert not [(e.method, e.formula, e.at) for e in ours.entries if e.false_success]


def test_and_each_is_honest_wherever_it_claims_one(ours) -> None:
    assert not [(e.method, e.formula, e.at) for e in ours.entries if e.claimed and not e.honest]


def test_the_default_scheme_succeeds_wherever_a_formula_has_a_derivative(ours, chosen) -> None:
    """But for what floats cannot resolve: sin at 1e22, and sqrt one float from its edge; waves that pass for noise; and a slight
    kink next to x, which values cannot tell from one at x."""
    formulas = {(case.name, case.at) for case in chosen if isinstance(case.f, str) and case.has_truth}
    refused = {place for place, entry in of(ours, OURS[0]).items() if place in formulas and not entry.claimed}
    assert refused <= {
        ("sin(x)", 1e22), ("sqrt(x)", 5e-324),
        ("x**3 + 1.7e-8*sin(2.4e6*x + 3.3)", 3.0), ("1.8*x + 2.5e-9*sin(8.3e8*x + 0.4)", 0.0),
        ("sin(x)*exp(-x) + 5.3e-8*sin(1e5*x + 2.2)", -1.8679), ("x**3 - 2*x + 8.6e-7*Abs(x - 2.216433601)", 2.2164336),
        ("1.825*x + 1.3e-4*Abs(x - 9.99999999988)", 10.0),
    }  # fmt: skip


@pytest.mark.parametrize(("formula", "digits"), [("cos(x/1e6)", 8), ("exp(-x/1e6)", 12), ("log(x + 1e9)", 12)])
def test_steps_grow_to_the_scale_of_a_slow_function(formula: str, digits: float) -> None:
    """cos(x/1e6) has its maximum within 1e-6 of its own scale: half of its digits are lost at any step."""
    [entry] = contest([OURS[0]], {formula: 1.0}).entries
    assert entry.digits > digits


def test_the_default_scheme_is_within_one_digit_of_the_best_on_every_ordinary_row(everyone) -> None:
    mine = of(everyone, OURS[0])
    for method in THEIRS:
        for place, theirs in of(everyone, method).items():
            if theirs.error is not None and theirs.claimed:
                assert mine[place].error <= max(10 * theirs.error, 4 * ROUNDING), (method, place)


def test_at_the_kink_everyone_is_asked_and_only_ours_warn(everyone) -> None:
    kink = {entry.method: entry for entry in everyone.entries if (entry.formula, entry.at) == ("Abs(x)", 0.0)}
    assert kink[OURS[0]].said == "kink_in_stencil: -1 left, 1 right"
    assert [name for name in THEIRS if kink[name].false_success] == list(THEIRS)


def test_evaluations_are_counted_for_everyone(everyone) -> None:
    assert all(entry.evaluations and entry.evaluations < 300 for entry in everyone.entries)


def test_functions_of_your_own() -> None:
    found = contest(["central-difference", "richardson"], {"exp(x)": 1.0, "x**2": 3})
    assert [(e.formula, e.method) for e in found.entries] == [
        ("exp(x)", "central-difference"), ("exp(x)", "richardson"), ("x**2", "central-difference"), ("x**2", "richardson"),
    ]  # fmt: skip
    for entry in found.entries:
        assert entry.honest
        assert entry.error <= 2 * entry.estimate + ROUNDING


def test_the_report(ours, chosen) -> None:
    rows = ours.to_dict()["rows"]
    assert len(rows) == len(chosen) * len(OURS)
    assert {"error", "estimate", "evaluations", "honest", "claimed", "said", "digits", "false_success"} <= set(rows[0])
    assert all(re.search(re.escape(name), str(ours)) for name in OURS)
    assert math.isfinite(rows[0]["digits"])


def test_who_does_not_sample_cannot_take_part() -> None:
    with pytest.raises(adlab.OptionError, match="`reverse` does not differentiate by sampling"):
        contest(["reverse"])
    with pytest.raises(adlab.OptionError, match="`torch` does not differentiate by sampling"):
        contest(["torch"])


@pytest.mark.parametrize("scheme", ["adaptive-difference", "richardson"])
@pytest.mark.parametrize("at", [1e-3, 1e-6, 1e-9])
def test_roundings_in_step_with_the_nodes_are_noticed(scheme: str, at: float) -> None:
    """All nodes x ± h of short h round 1 + x alike, which moves log(1 + x)/x smoothly, and its derivative by 1e-16/x²."""
    [entry] = adlab.contest([scheme], {"log(1 + x)/x": at}).entries
    assert entry.honest
    assert entry.digits > 7


def test_the_full_report_has_times_beside_digits():
    def entry(method: str, seconds: float, error: float) -> ContestEntry:
        return ContestEntry("k", "f", 1.0, method, 1.0, error, error, 9, seconds, True, True, "")

    right = [entry("adaptive-difference", 2e-4, 1e-14), entry("jacobi", 1e-3, 1e-14), entry("scipy", 1e-5, 1e-6)]
    said = "adaptive-difference ÷ the quickest library with as many digits: median 0.20, at most 0.5 on 1 of 1 functions"
    assert said in str(Contest(right).full)
    assert "÷" not in str(Contest(right))
    lost = [entry("adaptive-difference", 2e-4, 1e-3), entry("jacobi", 1e-3, 1e-3)]
    assert "÷" not in str(Contest(lost).full)
