"""The audit of rules: errors measured as they are, losers named, adlab's own rules within their promise."""

from __future__ import annotations

import math

import pytest
from shares import but_slow

import adlab
from adlab.audit.rules import HALF, Rule, rules
from adlab.audit.systems import subjects
from adlab.primitives.table import PRIMITIVES

ULPS = 8.0
"""What adlab promises of each local partial, over its whole domain."""


@pytest.mark.parametrize("name", but_slow(["tanh", "sigmoid", "softplus", "expm1", "atanh"], ["sigmoid", "softplus", "expm1"]))
def test_adlabs_own_rules_keep_their_digits_over_the_whole_range(name: str) -> None:
    [rule] = rules(name, "adlab").found
    assert rule.lost == 0
    assert rule.unanswered == 0
    assert max(rule.ulps) <= ULPS


def test_one_minus_tanh_squared_loses_its_digits_and_is_named() -> None:
    [rule] = rules("tanh", "symbolic").found
    assert rule.lost > 0.1
    assert "tanh" in rule.issue()
    assert abs(rule.points[rule.worst]) > 15
    by_hand = [x for x, d in zip(rule.points, rule.digits, strict=True) if not d >= HALF]
    assert all(1 - math.tanh(x) ** 2 == pytest.approx(0, abs=1e-7) for x in by_hand)


def test_what_is_planted_is_measured() -> None:
    rule = Rule("f", 1, "torch", (1.0, 2.0, 3.0, 4.0), (1.0, -2.0, math.nan, 0.0), ("1.0", "2.0", "3.0", "4.0"),
                (0.0, 1e16, math.nan, 1e15), (16.0, 0.0, math.nan, 0.0))  # fmt: skip
    assert (rule.lost, rule.unanswered, rule.wrong_sign, rule.points[rule.worst]) == (0.75, 1, 1, 3.0)
    assert "got: nan" in rule.issue()


def test_second_derivatives_are_audited_as_first_ones_are() -> None:
    found = rules("log1p", "adlab,symbolic", order=2)
    assert {rule.order for rule in found.found} == {2}
    assert all(rule.lost == 0 for rule in found.found if rule.system == "adlab")
    assert "log1p" in str(found)
    assert found.plot().get_title().startswith("log1p′′")
    assert len(found.to_csv().splitlines()) == 1 + len(found.found)


def test_every_operation_of_the_table_that_a_formula_names_is_a_subject() -> None:
    names = {subject.name.partition(",")[0].split(" ")[0] for subject in subjects()}
    unnamed = {name for name, p in PRIMITIVES.items() if p.arity in (1, 2) and not (p.truth_valued or p.piecewise_constant)}
    assert unnamed - names <= {"sphericali"}  # which stands only inside the rules of others


@pytest.mark.parametrize(("name", "peer", "why"), [("zorp", (), "no rule"), ("tanh", "fortran", "no system")])
def test_unknown_names_are_refused(name: str, peer: str, why: str) -> None:
    with pytest.raises(adlab.AdlabError, match=why):
        rules(name, peer)


def test_libraries_run_their_own_functions() -> None:
    pytest.importorskip("torch")
    [rule] = rules("softplus", "torch").found
    assert all(d < 12 for x, d in zip(rule.points, rule.digits, strict=True) if x == 22.0)  # beyond its threshold it answers 1
