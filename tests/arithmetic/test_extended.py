"""Unlimited exponents: the derivative where binary64 runs out of range on the way, and flags that tell where it does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from table import CASES, LOGIC, Case, points, ulps

import adlab
from adlab.arithmetic import flags
from adlab.arithmetic.extended import EXTENDED, nearest
from adlab.arithmetic.settled import outputs
from adlab.primitives.table import PRIMITIVES
from adlab.truth.meanings import exact

BEYOND: list[tuple[str, list[float], list[float]]] = [
    ("1/x**2", [1e100], [-2e-300]),
    ("1/x**2", [1e-100], [-2e300]),
    ("1/(1 + exp(-x))", [-400], [1.9151695967140057e-174]),
    ("x/(exp(x) - 1)", [400], [-7.641526690888882e-172]),
    ("1/gamma(x)", [120], [-8.580582475570943e-197]),
    ("exp(2*x)/2 + 1/2/exp(2*x)", [-300], [-3.7730203009299397e260]),
    ("x**2/x", [1e200], [1.0]),
    ("x/(x + y)", [1e308, 1e308], [2.5e-309, -2.5e-309]),
    ("exp(-x**2)/erfc(x)", [20], [1.7702547294632967]),
    ("exp(x)/(exp(x) + exp(y))", [800, 799], [0.19661193324148185, -0.19661193324148185]),
    ("log(x*y)", [1e200, 1e200], [1e-200, 1e-200]),
]


@pytest.mark.parametrize(("text", "point", "gradient"), BEYOND, ids=[f"{t} at {p}" for t, p, _ in BEYOND])
def test_the_derivative_where_binary64_leaves_its_range_on_the_way(text: str, point: list[float], gradient: list[float]) -> None:
    program = adlab.Function(text).program("reverse")
    assert outputs(program, point)[1:] == pytest.approx(gradient, rel=1e-15)


def test_a_result_beyond_the_largest_double_is_infinite_and_one_below_the_smallest_is_0() -> None:
    program = adlab.Function("exp(x)").program("reverse")
    assert outputs(program, [1000.0]) == (math.inf, math.inf)
    assert outputs(program, [-1000.0]) == (0.0, 0.0)


@pytest.mark.parametrize("base", ["1/(1 + exp(x))", "exp(-x)", "sigmoid(-x)", "1/exp(x)", "erfc(x)"])
def test_what_was_too_small_to_follow_has_no_power(base: str) -> None:
    f = adlab.Function(f"x*({base})**(1/x)")
    with pytest.raises(adlab.AdlabError):
        f([1e20])
    assert np.isnan([f([[1e20], [1.0]])[0], *f.compile("python").call(1e20), f.compile()([[1e20]] * 3)[0]]).all()
    assert adlab.Function(base)([1e20]) == 0


def test_there_is_no_number_where_there_is_no_real_value() -> None:
    for text, x in (("log(x)", -1.0), ("sqrt(x)", -1.0), ("x**1.5", -1e300), ("1/x", 0.0), ("gamma(x)", -2.0)):
        assert math.isnan(outputs(adlab.Function(text).program("reverse"), [x])[0])


@pytest.mark.parametrize("case", [case for case in CASES if case.primitive.name not in LOGIC], ids=str)
def test_every_primitive_has_the_value_of_its_floats(case: Case) -> None:
    primitive, parameter = case.primitive, case.parameter
    for operands in points(case)[::4]:
        ours: Any = nearest(EXTENDED.apply(primitive, parameter, [exact(x) for x in operands]))
        plain = primitive.value(list(operands), parameter)
        if math.isfinite(plain) and plain == plain:
            assert abs(ulps(ours, plain)) <= 64 or abs(ours - plain) <= 1e-12 * abs(plain), (operands, ours, plain)


def test_the_flags_tell_overflow_and_underflow_and_nothing_else() -> None:
    if flags.raised() and (flags.clear(), flags.raised())[1]:
        pytest.skip("this platform's flags are not known")
    numbers = [1e-200, 1e200, 1e-308, 3.0]
    for a in numbers:
        for b in numbers:
            flags.clear()
            product = a * b
            exact_product = exact(a) * exact(b)
            assert bool(flags.raised()) == (math.isinf(product) or (abs(product) < 2.3e-308 and product != exact_product))


@pytest.mark.slow
def test_rows_in_which_everything_cancels_are_not_settled_by_chance() -> None:
    f = adlab.Function("(exp(x)*y/3 - exp(x)*(y/3))/y", ["x", "y"])
    x, y = np.random.default_rng(1).uniform(720, 1500, 1000), np.random.default_rng(2).uniform(1, 9, 1000)
    rows = f(np.column_stack([x, y]))
    assert np.all((rows == 0) | np.isnan(rows))


def test_powers_that_are_far_apart_take_no_memory() -> None:
    """mpmath's exp of a number with so many bits before the point would write them all."""
    assert adlab.gradient("logaddexp(x, -exp(y))", [60.0, 60.0]).tolist() == pytest.approx([1, 0], abs=1e-12)
    assert EXTENDED.apply(PRIMITIVES["softplus"], None, [-(exact(2.0) ** (2**38))]) == 0


def test_what_powers_that_are_far_apart_share_is_0_or_1() -> None:
    far = exact(2.0) ** (2**30)
    for a, b, share in [(far, exact(1.0), 1), (exact(1.0), far, 0), (-far, exact(0.0), 0)]:
        assert EXTENDED.apply(PRIMITIVES["share"], None, [a, b]) == share
        assert EXTENDED.apply(PRIMITIVES["sharing"], None, [a, b]) == 0
    assert adlab.gradient("logaddexp(x, exp(y))", [700.0, 700.0]) == pytest.approx([0, math.exp(700)], rel=1e-14)
