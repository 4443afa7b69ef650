"""Every function of the table on floats, against the rounding bound that its own entry states."""

from __future__ import annotations

import math

import mpmath
import pytest
from table import CASES, LOGIC, Case, at_few_and_at_many_points, points, ulps, value

from adlab.arithmetic.floats import FLOATS
from adlab.primitives.table import PRIMITIVES

TINIEST = 5e-324
# An argument where the C library is known to be off by so many ulps: a bound that somebody tightens must meet it.
HARD = {"erfc": (4.777638744228685, 2.1)}
NUMBERS = [case for case in CASES if case.primitive.name not in LOGIC | {"select"}]


@at_few_and_at_many_points
@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] * case.slow, id=str(case)) for case in NUMBERS]
)
def test_a_value_is_within_the_bound_of_its_entry(case: Case, count: int) -> None:
    worst, tested = 0.0, 0
    for point in points(case, count):
        with mpmath.workdps(40):
            true = value(case, point)
        if true is None or not math.isfinite(found := FLOATS.apply(case.primitive, case.parameter, list(point))):
            continue
        if abs(true) < 2.0**-1022:
            assert abs(found - true) <= (case.primitive.ulps + 1) * TINIEST, point
        else:
            worst = max(worst, ulps(found, true))
        tested += 1
    assert tested
    assert worst <= case.primitive.ulps


@pytest.mark.parametrize("name", HARD)
def test_the_bound_covers_what_the_c_library_is_known_for(name: str) -> None:
    argument, known = HARD[name]
    assert known <= PRIMITIVES[name].ulps
    with mpmath.workdps(40):
        true = value(next(case for case in CASES if case.primitive.name == name), (argument,))
    assert ulps(PRIMITIVES[name].scalar(argument), true) <= PRIMITIVES[name].ulps
