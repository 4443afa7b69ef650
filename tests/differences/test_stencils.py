"""Stencils are exact objects, and their error model is the one in the textbooks."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from adlab.differences.stencils import SCHEMES, Stencil, scheme
from adlab.differences.step_models import ErrorModel, default_steps, relative_step
from adlab.errors import AdlabError, OptionError, StencilError
from adlab.precision import UNIT_ROUNDOFF

OFFSETS = st.lists(st.fractions(-6, 6, max_denominator=4), min_size=3, max_size=7, unique=True)

# name: p, Σ|w|, |c|, then for exp at 1: h* and E*/|f'|, each to the digits given
PUBLISHED = {
    "forward-difference": (1, "2", "1/2", "2.1e-08", "2.1e-08"),
    "central-difference": (2, "1", "1/6", "6.9e-06", "2.4e-11"),
    "central-difference-4": (4, "3/2", "1/30", "1.05e-03", "2.0e-13"),
    "central-difference-6": (6, "11/6", "1/140", "9.0e-03", "2.6e-14"),
    "central-difference-8": (8, "25/12", "1/630", "3.0e-02", "8.7e-15"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_order_amplification_and_truncation_are_the_published_ones(name: str) -> None:
    order, amplification, truncation, _, _ = PUBLISHED[name]
    stencil = scheme(name)
    assert stencil.order == order
    assert stencil.amplification == Fraction(amplification)
    assert abs(stencil.truncation) == Fraction(truncation)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_optimal_step_and_error_for_exp_at_1_are_the_published_ones(name: str) -> None:
    *_, step, error = PUBLISHED[name]
    model = ErrorModel(scheme(name), noise=UNIT_ROUNDOFF * math.e, derivative=math.e)
    assert f"{model.optimal_step:.{len(step) - 6}e}" == step
    assert f"{model.optimal_error / math.e:.1e}" == error


@pytest.mark.parametrize("name", SCHEMES)
def test_a_scheme_is_called_what_it_is(name: str) -> None:
    stencil = scheme(name)
    suffix = name.removeprefix(f"{name.split('-')[0]}-difference")
    assert stencil.name == name
    assert stencil.order == (int(suffix[1:]) if suffix else len(stencil.offsets) - (not stencil.two_sided))
    assert stencil.two_sided == name.startswith("central")


@settings(deadline=None)
@given(OFFSETS, st.sampled_from([1, 2]))
def test_a_stencil_is_exact_on_polynomials_up_to_its_order_and_no_further(
    offsets: list[Fraction], derivative: int
) -> None:
    """On x^j at x = 0 the quotient with h = 1 is the moment; the derivative of x^j there is d! if j = d and else 0."""
    stencil = Stencil.of(offsets, derivative)
    reach = derivative + stencil.order
    assert [stencil.moment(j) for j in range(reach)] == [
        math.factorial(j) if j == derivative else 0 for j in range(reach)
    ]
    assert stencil.moment(reach) == stencil.truncation * math.factorial(reach) != 0
    assert stencil.order >= len(stencil.offsets) - derivative


@settings(deadline=None)
@given(OFFSETS, st.integers(0, 6), st.fractions(-1, 1).filter(bool))
def test_one_wrong_weight_is_refused(offsets: list[Fraction], which: int, by: Fraction) -> None:
    stencil = Stencil.of(offsets)
    weights = list(stencil.weights)
    weights[which % len(weights)] += by
    with pytest.raises(StencilError, match=r"moment 0 is .* and must be 0; try Stencil\.of"):
        Stencil(stencil.offsets, tuple(weights))


@settings(deadline=None)
@given(OFFSETS, st.sampled_from([1, 2]))
def test_mirroring_the_nodes_mirrors_the_weights(offsets: list[Fraction], derivative: int) -> None:
    stencil, mirror = Stencil.of(offsets, derivative), Stencil.of([-offset for offset in offsets], derivative)
    assert mirror.weights == tuple((-1) ** derivative * weight for weight in stencil.weights)


def test_weights_that_fit_fewer_moments_than_they_could_are_refused() -> None:
    forward = (Fraction(-1), Fraction(1), Fraction(0))
    with pytest.raises(StencilError, match="moment 2 is 1 and must be 0"):
        Stencil((Fraction(0), Fraction(1), Fraction(2)), forward)


def test_nodes_of_no_weight_are_left_out() -> None:
    assert Stencil.of([-1, 0, 1]) == Stencil.of([-1, 1]) == scheme("central-difference")
    assert Stencil.of([-1, 0, 1], 2).weights == (Fraction(1), Fraction(-2), Fraction(1))


@pytest.mark.parametrize("name", SCHEMES)
def test_the_wider_stencil_is_of_higher_order_and_the_one_sided_ones_of_the_same(name: str) -> None:
    stencil = scheme(name)
    assert set(stencil.offsets) < set(stencil.wider.offsets)
    assert stencil.wider.order > stencil.order
    for side in (1, -1):
        assert stencil.one_sided(side).order == stencil.order
        assert min(side * offset for offset in stencil.one_sided(side).offsets) == 0


@pytest.mark.parametrize(
    ("offsets", "derivative", "message"),
    [
        ([1], 1, "derivative 1 needs at least 2 nodes, got 1"),
        ([-1, 1], 2, "derivative 2 needs at least 3 nodes, got 2"),
        ([0, 1, 1], 1, r"\(0, 1, 1\) name a node twice"),
        ([0, 0.5], 1, "an integer or a Fraction, got 0.5"),
        ([0, True], 1, "got True"),
        ([0, 1], 3, "derivative 1 or 2, got 3"),
    ],
)
def test_nodes_that_cannot_serve_are_refused(offsets: list[int], derivative: int, message: str) -> None:
    with pytest.raises(StencilError, match=message) as caught:
        Stencil.of(offsets, derivative)
    assert isinstance(caught.value, AdlabError)


def test_an_unknown_scheme_is_refused_with_the_known_ones() -> None:
    with pytest.raises(OptionError, match=r"'central'; there are forward-difference, .*central-difference-8"):
        scheme("central")


@settings(deadline=None)
@given(OFFSETS, st.sampled_from([1, 2]), st.floats(1e-100, 1e100), st.floats(1e-100, 1e100))
def test_no_step_is_better_than_the_optimal_one(
    offsets: list[Fraction], derivative: int, noise: float, size: float
) -> None:
    model = ErrorModel(Stencil.of(offsets, derivative), noise, size)
    best = model.predicted_error(model.optimal_step)
    assert best == pytest.approx(model.optimal_error, rel=1e-9)
    assert (model.predicted_error(model.optimal_step * np.array([0.5, 0.99, 1.01, 2.0])) >= best * (1 - 1e-9)).all()


def test_without_truncation_the_larger_step_is_always_better() -> None:
    model = ErrorModel(scheme("central-difference"), noise=1e-16, derivative=0.0)
    assert model.optimal_step == math.inf
    assert model.optimal_error == 0.0


@pytest.mark.parametrize("size", [-1.0, math.nan, math.inf])
def test_an_error_model_wants_sizes(size: float) -> None:
    with pytest.raises(OptionError, match="the noise of an error model must be finite and not negative"):
        ErrorModel(scheme("central-difference"), size, 1.0)
    with pytest.raises(OptionError, match="the derivative of an error model"):
        ErrorModel(scheme("central-difference"), 1.0, size)


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([1, 2, 3, 4, 6, 8]))
def test_default_steps_are_powers_of_two_that_x_can_take(x: float, order: int) -> None:
    steps = default_steps(x, relative_step(order))
    assert 1 <= len(steps) <= 2
    for step in steps:
        assert math.frexp(step)[0] == 0.5
        assert step >= 8 * math.ulp(x) if x else step > 0
        assert x - step != x or math.isinf(x - step)


@settings(deadline=None)
@given(st.floats(1e-280, 1e280), st.integers(-60, 60))
def test_the_first_default_step_knows_no_units(x: float, power: int) -> None:
    here, there = default_steps(x, 2.0**-18)[0], default_steps(math.ldexp(x, power), 2.0**-18)[0]
    assert there == math.ldexp(here, power)
