"""Every entry states its facts, in both halves."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from table import CASES, Case, holds

import adlab
from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.compile.alarm import watched
from adlab.primitives import table
from adlab.primitives.computed import COMPUTED
from adlab.primitives.entries import entry
from adlab.primitives.table import HEADS, PRIMITIVES
from adlab.text.vocabulary import FUNCTIONS

ROOM = Path(table.__file__).parent


@pytest.mark.parametrize("name", sorted(set(PRIMITIVES) | set(COMPUTED)))
def test_an_entry_has_both_halves(name: str) -> None:
    assert name in PRIMITIVES, f"{name}: computed.py has a row, table.py has none"
    assert name in COMPUTED, f"{name}: table.py has a row, computed.py has none"


def test_a_row_without_numbers_is_refused_by_name() -> None:
    with pytest.raises(adlab.AdlabError, match=r"`nobody` has no numbers; add a row of that name to .*computed\.py"):
        entry("nobody", lambda a: a, (1,))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_entry_states_its_facts(case: Case) -> None:
    p, name = case.primitive, case.primitive.name
    assert math.isfinite(p.ulps), f"{name} states no rounding bound"
    assert p.weight(case.parameter) > 0, f"{name} states no cost"
    assert callable(p.scalar), f"{name} has no function of floats"
    assert callable(p.array), f"{name} has no function of arrays"
    assert callable(p.over), f"{name} does not say what its values are over intervals"
    assert p.written(tuple("xyzuv")[: case.arity], case.parameter), name
    if p.jumps and p.piecewise_constant and not p.truth_valued:
        assert p.convention, f"{name} does not say what its partial is at a jump"


def test_a_bound_does_not_rest_on_a_price() -> None:
    """K(0, 800) underflows; that its order is 0 makes the 0 no exact one, whatever it costs."""
    for cost in (100, 7):
        changed = dataclasses.replace(PRIMITIVES["besselk_moving"], cost=cost)
        found = BOUNDED.apply(changed, 0, [Bounded(0.0), Bounded(800.0)])
        assert found.value == 0
        assert found.error > 0


def test_special_functions_are_those_of_mpmath() -> None:
    plain = {name for name, p in PRIMITIVES.items() if not p.special}
    assert {"sin", "erf", "erfc", "gamma", "logaddexp", "norm"} <= plain
    assert not {"lambertw", "besselj", "loggamma", "besselk_moving", "zeta"} & plain


@pytest.mark.parametrize("name", [name for p in PRIMITIVES.values() for name in p.spelling.split()])
def test_the_table_tells_the_text_its_spellings(name: str) -> None:
    assert name in FUNCTIONS
    assert adlab.parse(f"{name}(x)").func in HEADS


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.py")), ids=lambda path: path.name)
def test_the_room_reads_without_scrolling(path: Path) -> None:
    widest = 120 if path.name in ("table.py", "computed.py") else 130
    assert [line for line in path.read_text(encoding="utf-8").splitlines() if len(line) > widest] == []


SMALL = {  # operands (and an order) at which a special function is not 0, and too small for binary64
    "gamma": (-200.5,), "polygamma": (1e100, 5), "zeta": (1e3, 400), "sphericalj": (1e-9, 40), "besselj": (1e-9, 40),
    "besseli": (1e-9, 40), "besselk": (800.0, 1), "uppergamma": (800.0, 2), "lowergamma": (1e-9, 40), "expint": (800.0, 2),
    "Ei": (-800.0,), "airyai": (110.0,), "airyaiprime": (110.0,), "erfc": (30.0,), "expint_moving": (2.5, 800.0, 1),
    "uppergamma_moving": (2.5, 800.0, 1), "besselj_moving": (90.5, 1e-3, 1), "zeta_moving": (300.5, 1e3, 1), "sech": (800.0,),
    "csch": (800.0,), "gauss": (30.0,), "sigmoid": (-800.0,), "softplus": (-800.0,), "heading": (1e-200, 1e200),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_a_function_that_is_too_small_is_no_zero_and_tells_of_it(name: str) -> None:
    entry = PRIMITIVES[name]
    operands = SMALL[name][: entry.arity]
    assert not entry.vanishes
    for compute, given in ((entry.scalar, operands), (entry.array, [np.array([a, a]) for a in operands])):
        with watched() as alarm:
            found = compute(*given, *SMALL[name][entry.arity :])
        assert np.all(np.abs(found) < 1e-300)
        assert alarm.raised, (name, compute)


SPECIAL = [case for case in CASES if case.primitive.special and case.primitive.arity == 1]


@pytest.mark.parametrize("case", SPECIAL, ids=str)
def test_a_function_has_no_value_where_its_condition_for_one_fails(case: Case) -> None:
    """Far out an imaginary part of πi is lost beside a large real part: the condition alone tells that there is one."""
    entry, given = case.primitive, () if case.parameter is None else (case.parameter,)
    for x in (-1e7, -3e4, -500.5, -40.25, -2.5):
        if not holds(entry.value_condition(case.parameter), (x,)):
            assert np.isnan(entry.value([x], *given))
            assert np.isnan(entry.array(np.array([x, x]), *given)).all()
