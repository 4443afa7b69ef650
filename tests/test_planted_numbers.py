"""Small faults that once passed unseen, each with the example that shows it."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

import adlab
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.differences.differences import gradient
from adlab.differences.stencils import SCHEMES
from adlab.draw.layered.places import Positions, Pull, _mean


def test_a_branch_that_is_not_taken_keeps_no_tie_from_its_half() -> None:
    """At the tie the partial of Max is one half, whose condition is no 0 or 1: a guard must ask whether it is not 0."""
    f = adlab.Function("Max(sqrt(x), y) + Piecewise((sqrt(x), x > 5), (0, True))")
    for found in (
        f.gradient([4, 2]),
        f.gradient([4, 2], method="forward"),
        f.derivative()([4.0, 2.0]),
        f.compile(derivative="gradient")([4.0, 2.0]),
        f.compile(derivative="gradient", backend="python")([4.0, 2.0]),
        f.gradient(np.array([[4.0, 2.0]] * 3))[2],
    ):
        assert found == pytest.approx([0.125, 0.5], rel=1e-15)
    program = f.program("reverse")  # by itself: a Function knows that it stands on a kink
    values = evaluate(program, [4.0, 2.0], FLOATS)
    assert [values[output] for output in program.outputs[1:]] == pytest.approx([0.125, 0.5], rel=1e-15)


DIFFERENCES = [name for name, method in adlab.methods().items() if "difference" in name or name == "richardson"]


@pytest.mark.parametrize("text", ["3", "2*x", "x - 1", "x**2", "x*0.5 + 0.25"])
@pytest.mark.parametrize("scheme", DIFFERENCES)
def test_no_error_of_a_difference_is_called_zero(text: str, scheme: str) -> None:
    """Even where all values are exact: a difference cannot know that."""
    f = adlab.Function(text, variables=["x"])
    [estimate] = adlab.difference(f, 1.0, scheme=scheme).estimates
    assert not estimate.success or estimate.error > 0


@pytest.mark.parametrize("scheme", DIFFERENCES)
def test_nor_is_one_that_underflows(scheme: str) -> None:
    """The digits of f, at 1e-20, are lost at a step of 1e295: the quotient of the two is below the smallest double."""
    [estimate] = gradient(lambda x: 1e-320 * x[0], [1e300], scheme)[1]
    assert estimate.error > 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_of_a_constant_every_difference_is_exactly_zero(scheme: str) -> None:
    """The weights add up to 0, their products with the value of f do not: that of one node is subtracted first."""
    for value in (0.1, 1 / 3, 1e6 / 7, 1.7e-200):
        [estimate] = gradient(lambda x, value=value: value, [1.0], scheme, 0.01)[1]
        assert estimate.df == 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_where_the_step_is_small_the_error_is_that_of_roundoff(scheme: str) -> None:
    """Two stencils of one small step may agree by chance: the last digits of f are in the estimate all the same."""
    for h in (1e-7, 1e-9, 1e-11):
        found = gradient(lambda x: math.exp(x[0]), [1.0], scheme, h)[1][0]
        assert found.error >= 2.0**-53 / h


@pytest.mark.parametrize("by", [1e-5, 1e-4, 1e-3])
def test_a_factor_that_is_nearly_two_is_not_called_two(by: float) -> None:
    f = adlab.Function("x**2*y + sin(y)")
    for factor, said in ((2.0, True), (2.0 + 2 * by, False)):
        found = adlab.check(f, lambda p, k=factor: k * f.gradient(p), at=[[1.0, 2.0], [0.5, 3.0]])
        assert ("factor 2 " in str(found)) is said


@pytest.mark.parametrize("wish", [-3.0, 3.0])
def test_a_box_that_moves_to_the_left_has_moved(wish: float) -> None:
    """How far the farthest box moved ends the settling, so a move to either side counts."""
    places = SimpleNamespace(x={0: 0.0, 1: wish})
    assert Positions._pull(places, [0], [], {0: [Pull(1, 0.0, 1.0)]}, _mean) == 3.0
    assert places.x[0] == wish
