"""Intervals hold every value there is, and bounds are never below the error: for each primitive, and for programs."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import mpmath
import pytest
from boxes import NUMERIC, boxes, inside
from hypothesis import given, strategies as st
from random_graphs import random_graph, random_point
from table import EFFORT, MANY, Case, at_few_and_at_many_points, differentiable, exists, holds, line, partial, points

from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.intervals import INTERVALS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.sweeps import reverse
from adlab.graph.graph import Builder, Graph


@at_few_and_at_many_points
@pytest.mark.parametrize("case", NUMERIC, ids=str)
def test_an_interval_holds_the_values_at_all_points_of_the_box(case: Case, count: int) -> None:
    r = random.Random(0)
    for box in boxes(case, 6 if case.slow else (6 if count >= MANY else 3) * count):
        low, high = INTERVALS.apply(case.primitive, case.parameter, list(box))
        for _ in range(3 if case.slow else 12):
            place = inside(box, r)
            value = FLOATS.apply(case.primitive, case.parameter, place)
            if value == value:
                rounding = case.primitive.ulps * math.ulp(value) if math.isfinite(value) else 0.0
                assert low - rounding <= value <= high + rounding, (box, place, value)


def within(operand: Bounded, r: random.Random) -> float:
    """A double that `operand` may stand for."""
    wish = inside([operand.interval], r)[0]
    return wish if abs(Fraction(wish) - Fraction(operand.value)) <= Fraction(operand.error) else operand.value


@at_few_and_at_many_points
@pytest.mark.parametrize("case", NUMERIC, ids=str)
def test_no_operand_within_its_error_moves_the_result_by_more_than_its_own(case: Case, count: int) -> None:
    r = random.Random(1)
    for box in boxes(case, 6 if case.slow else (6 if count >= MANY else 3) * count):
        operands = [Bounded((low + high) / 2, (high - low) / 2) for low, high in box]
        found = BOUNDED.apply(case.primitive, case.parameter, operands)
        for _ in range(3 if case.slow else 12):
            place = [within(operand, r) for operand in operands]
            value = FLOATS.apply(case.primitive, case.parameter, place)
            if found.error == math.inf:
                assert found.why
            elif math.isfinite(value):
                rounding = case.primitive.ulps * math.ulp(value)
                assert abs(value - found.value) <= found.error + rounding, (operands, place, value, found)
            else:
                assert math.isinf(value), (operands, place)  # beyond the largest double; beyond the domain never


def single(case: Case) -> Graph:
    builder = Builder("abcde"[: case.arity])
    return builder.finish([builder.apply(case.primitive, range(case.arity), case.parameter)])


@pytest.mark.parametrize("case", [case for case in NUMERIC if not case.rough], ids=str)
def test_the_bound_of_a_partial_is_never_below_its_error(case: Case) -> None:
    graph, r = single(case), random.Random(2)
    for point in r.sample(all_points := points(case, MANY), min(2 if case.slow else 25 * EFFORT, len(all_points))):
        values = evaluate(graph, list(map(Bounded, point)), BOUNDED)
        adjoints = reverse(graph, values, {graph.outputs[0]: Bounded(1.0)}, BOUNDED)
        for k in range(case.arity):
            out = values[-1].value
            true = partial(case, k, point) if holds(differentiable(case, k), point, out) else None
            found = adjoints[k]
            if true is not None and math.isfinite(found.value):
                with mpmath.workprec(300):
                    assert abs(mpmath.mpf(found.value) - true) <= found.error + abs(true) * mpmath.mpf(2) ** -60, (point, found)


@pytest.mark.parametrize("case", [case for case in NUMERIC if not case.primitive.jumps and not case.slow], ids=str)
def test_the_bound_is_within_a_few_ulps_of_the_spread_at_ordinary_points(case: Case) -> None:
    """An operand wrong by 1e-12 moves the result by |partial| × 1e-12: bounds are sharp, not just large."""
    for point in points(case, 5):
        if not all(1e-3 < abs(x) < 20 for x in point):
            continue
        graph = single(case)
        values = evaluate(graph, list(point), FLOATS)
        slopes = [abs(p or 0) for p in FLOATS.partials(graph, len(graph) - 1, values)]
        moved = BOUNDED.apply(case.primitive, case.parameter, [Bounded(x, 1e-12) for x in point])
        spread = sum(slopes) * 1e-12 + case.primitive.ulps * math.ulp(moved.value)
        assert moved.error <= 1.1 * spread + 1e-13 * abs(moved.value) or moved.why, (point, moved, spread)


@given(st.integers(0, 10**6), st.booleans())
def test_programs_keep_the_promise(seed: int, branches: bool) -> None:
    """Against the same program in 200 bits of mpmath, wherever that takes the same branches."""
    graph, point = random_graph(seed, branches=branches), random_point(seed)
    values = evaluate(graph, list(map(Bounded, point)), BOUNDED)
    assert [v.value for v in values] == pytest.approx(evaluate(graph, point, FLOATS), rel=0, abs=0, nan_ok=True)
    exact = evaluate(graph, list(map(mpmath.mpf, point)), Precise())
    for found, true in zip(values, exact, strict=True):
        if true == true and math.isfinite(found.value):
            assert abs(mpmath.mpf(found.value) - true) <= found.error


class Precise:
    """The forms of the table in 200 bits: no float takes part."""

    def constant(self, value):
        with mpmath.workprec(200):
            return mpmath.mpf(value.numerator) / value.denominator if hasattr(value, "numerator") else mpmath.mpf(value)

    def apply(self, primitive, parameter, operands):
        name = primitive.name
        with mpmath.workprec(200):
            if any(operand != operand for operand in operands) and name != "select":
                return mpmath.nan
            if name == "select":
                condition, yes, no = operands
                return yes if condition else no
            a, *rest = operands
            try:
                value = MEANT[name](a, *rest) if parameter is None or name == "pow" else a**parameter
            except ZeroDivisionError:
                return mpmath.nan
            return mpmath.nan if isinstance(value, mpmath.mpc) else mpmath.mpf(value)


MEANT = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "neg": lambda a: -a, "pow": lambda a, b: a**b, "sqrt": mpmath.sqrt, "log": mpmath.log, "exp": mpmath.exp,
    "sin": mpmath.sin, "cos": mpmath.cos, "tanh": mpmath.tanh, "atan": mpmath.atan, "asinh": mpmath.asinh,
    "max": max, "min": min, "lt": lambda a, b: a < b, "le": lambda a, b: a <= b, "gt": lambda a, b: a > b,
}  # fmt: skip


def test_an_infinite_bound_says_why() -> None:
    import sympy

    from adlab.graph.lowering import lower

    x = sympy.Symbol("x", real=True)
    graph = lower([sympy.sqrt((1 - sympy.cos(x)) - x**2 / 2)], [x])
    found = evaluate(graph, [Bounded(1e-9)], BOUNDED)[-1]
    assert found.error == math.inf
    assert found.why.startswith("sqrt(")
    assert "may be outside its domain" in found.why


def test_the_points_of_the_table_are_what_was_tried() -> None:
    assert len(line(random.Random(0))) > 50
    assert all(holds(exists(case), point) for case in NUMERIC[:10] for point in points(case)[:5])
