"""Enclosures are proven: whatever point of the box is taken, the true value is inside."""

from __future__ import annotations

import math
import random

import mpmath
import pytest
from boxes import NUMERIC, boxes, inside
from table import CASES, EFFORT, LOGIC, Case, points, value

from adlab.arithmetic.enclosures import ENCLOSURES, UNDEFINED, undefined
from adlab.arithmetic.floats import FLOATS

pytest.importorskip("flint", reason="proven enclosures need the extra `certify`")

VALUED = [case for case in NUMERIC if case.primitive.name != "select"]
LIMITS = {"polylog-2", "polylog-3", "besselj_moving-1", "besseli_moving-1", "lowergamma_moving-1"}
"""Where Arb has no value: at the very edge of the domain, 1, and of derivatives by the order."""


def holds_true(interval: tuple[float, float], true: mpmath.mpf) -> bool:
    low, high = interval
    slack = abs(true) * mpmath.mpf(2) ** -100
    return low - slack <= true <= high + slack


@pytest.mark.parametrize("case", VALUED, ids=str)
def test_at_a_point_the_enclosure_has_the_value_between_two_neighbouring_doubles(case: Case) -> None:
    r = random.Random(3)
    for point in r.sample(every := points(case), min(8 if case.slow else 30 * EFFORT, len(every))):
        low, high = ENCLOSURES.apply(case.primitive, case.parameter, [(x, x) for x in point])
        true = value(case, point)
        if true is None:
            continue
        with mpmath.workprec(1200):
            assert holds_true((low, high), true), (point, low, high, true)
        if math.isfinite(low) and math.isfinite(high) and abs(true) > 1e-290:
            assert high - low <= 2 * math.ulp(float(true)), (point, low, high)
        else:
            extreme = abs(true) > 1e300 or abs(true) <= 1e-290 or max(map(abs, point)) > 1e15
            assert extreme or str(case) in LIMITS, (point, low, high)


@pytest.mark.parametrize("case", NUMERIC, ids=str)
def test_over_a_box_the_enclosure_has_the_values_at_all_points(case: Case) -> None:
    r = random.Random(4)
    for box in boxes(case, 8 if case.slow else 40 * EFFORT):
        enclosed = ENCLOSURES.apply(case.primitive, case.parameter, list(box))
        if undefined(enclosed):
            continue
        for _ in range(3 if case.slow else 8):
            place = inside(box, r)
            found = FLOATS.apply(case.primitive, case.parameter, place)
            assert found == found, (box, place)  # it was proven to exist
            if math.isfinite(found):
                rounding = case.primitive.ulps * math.ulp(found)
                assert enclosed[0] - rounding <= found <= enclosed[1] + rounding, (box, place, enclosed, found)


@pytest.mark.parametrize("case", [case for case in VALUED if not case.slow and not case.rough], ids=str)
def test_over_a_box_the_enclosure_has_the_true_values(case: Case) -> None:
    r = random.Random(5)
    for box in boxes(case, 10 * EFFORT):
        enclosed = ENCLOSURES.apply(case.primitive, case.parameter, list(box))
        place = inside(box, r)
        if not undefined(enclosed) and max(map(abs, place)) < 1e15:
            true = value(case, tuple(place))
            with mpmath.workprec(1200):
                assert true is None or holds_true(enclosed, true), (box, place, enclosed, true)


STATIONARY = {
    "gamma": [1.4616321449683622, -0.5040830082644554], "loggamma": [1.4616321449683622], "sin": [math.pi / 2],
    "cos": [0.0, math.pi], "sec": [0.0], "csc": [math.pi / 2], "cosh": [0.0], "sech": [0.0], "gauss": [0.0],
    "growth": [0.0], "abs": [0.0], "powi-2": [0.0], "powi-50": [0.0], "Si": [math.pi], "Ci": [math.pi / 2],
    "fresnels": [math.sqrt(2)], "fresnelc": [1.0], "sinsquare": [1.0], "cossquare": [0.0, math.sqrt(2)],
    "gausserfinv": [0.0], "gausserfcinv": [1.0], "sphericalj-0": [0.0, 4.493409457909064], "sphericali-0": [0.0],
    "besselj-0": [0.0, 3.8317059702075123], "besselj-1": [1.8411837813406593], "besselj-1/2": [1.1655611852072114],
    "bessely-0": [2.197141326031017], "besseli-0": [0.0], "uppergamma-3": [0.0], "lowergamma-3": [0.0],
    "expint--1": [-1.0], "polylog--1": [-1.0], "polygamma-1": [-0.5],
}  # fmt: skip


@pytest.mark.parametrize("case", [next(case for case in VALUED if str(case) == name) for name in STATIONARY], ids=str)
def test_about_a_stationary_point_the_enclosure_has_the_extreme_and_the_ends(case: Case) -> None:
    """There the first order says nothing, and whoever stops at it has too small a ball."""
    r = random.Random(6)
    for top in STATIONARY[str(case)]:
        for width in (1e-9, 1e-6, 1e-3, 0.1):
            low, high = top - width * r.random(), top + width * r.random()
            enclosed = ENCLOSURES.apply(case.primitive, case.parameter, [(low, high)])
            assert not undefined(enclosed) or (case.primitive.name in ("polygamma", "expint") and top < 0)
            for place in (low, top, high) if not undefined(enclosed) else ():
                true = value(case, (place,))
                with mpmath.workprec(1200):
                    assert true is None or holds_true(enclosed, true), (low, high, place, enclosed)


@pytest.mark.parametrize("case", [case for case in CASES if case.primitive.name not in LOGIC | {"select"}], ids=str)
def test_what_is_undefined_stays_undefined(case: Case) -> None:
    for k in range(case.arity):
        operands = [UNDEFINED if i == k else (0.5, 0.75) for i in range(case.arity)]
        assert undefined(ENCLOSURES.apply(case.primitive, case.parameter, operands))


def test_a_branch_not_taken_may_be_undefined() -> None:
    from adlab.primitives.table import PRIMITIVES

    select, conjunction, disjunction = (PRIMITIVES[name] for name in ("select", "and", "or"))
    for condition, expected in [((1.0, 1.0), (2.0, 3.0)), ((0.0, 0.0), UNDEFINED), ((0.0, 1.0), UNDEFINED)]:
        found = ENCLOSURES.apply(select, None, [condition, (2.0, 3.0), UNDEFINED])
        assert found == expected or (undefined(found) and undefined(expected))
    assert ENCLOSURES.apply(conjunction, None, [UNDEFINED, (0.0, 0.0)]) == (0.0, 0.0)
    assert ENCLOSURES.apply(disjunction, None, [(1.0, 1.0), UNDEFINED]) == (1.0, 1.0)
    assert undefined(ENCLOSURES.apply(conjunction, None, [UNDEFINED, (0.0, 1.0)]))
