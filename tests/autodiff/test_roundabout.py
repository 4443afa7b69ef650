"""Numbers that are real although the way to them is not: right by every path, or refused with what stops them."""

from __future__ import annotations

import random

import numpy as np
import pytest

import adlab

BACKENDS = ["auto", "python", "numpy"]

BY_WAY_OF_COMPLEX = [
    ("cos(acos(x)/3)", [2.0, 1.5, 30.0]), ("sin(3*asin(x))", [2.0, -3.0]), ("acos(x)*acos(x)", [2.0, 3.5]),
    ("asin(x) + acos(x)", [2.0, -2.0]), ("tanh(atanh(x)/2)**2*y - y", [0.3]), ("cosh(acosh(x)/3)", [0.5]),
    ("exp(2*log1p(x))", [-3.0, -1.5]), ("sqrt(x)*sqrt(x)*exp(x)", [-2.0]), ("x**0.25*x**0.75", [3.0]), ("sin(asin(x))", [5.0]),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "places"), BY_WAY_OF_COMPLEX)
def test_what_is_real_by_way_of_complex_numbers_is_so_by_every_path(formula: str, places: list[float]) -> None:
    f = adlab.Function(formula)
    slope = f.derivative()
    points = np.array([[x, 2.0][: f.n] for x in places])
    true = np.array([[float(c) for c in adlab.truth(f, point).gradient] for point in points])
    values = [f(point) for point in points]
    assert f(points).tolist() == pytest.approx(values)
    found = [f.gradient(points), slope(points).reshape(true.shape), [f.gradient(x) for x in points], [slope(x) for x in points]]
    for backend in BACKENDS:
        assert f.compile(backend)(points) == pytest.approx(values)
        program = f.compile(backend, "gradient")
        found += [program(points), [program.call(*x) for x in points], slope.compile(backend)(points)]
    for each in found:
        np.testing.assert_allclose(np.reshape(each, true.shape), true, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("formula", "x"), [
    ("Abs(sqrt(x))", -4.0), ("Abs(log(x))", -1.0), ("Max(acos(x), 1)", 2.0), ("floor(asin(x))", -7.0), ("sign(x**0.5)", -1.0),
])  # fmt: skip
def test_a_complex_number_on_the_way_to_what_takes_reals_only_is_named(formula: str, x: float) -> None:
    f = adlab.Function(formula)
    for call in (f, f.gradient, f.hessian, f.derivative()):
        with pytest.raises(adlab.DomainError, match=r"over the real numbers .* v1 is complex there, and .* for reals only"):
            call(x)
    assert np.isnan(f([[x]])[0])
    with pytest.raises(adlab.DomainError) as plain:
        adlab.Function("sqrt(x) + 1")(-4.0)
    assert "complex" not in str(plain.value)


@pytest.mark.parametrize(("formula", "point"), [
    ("x**y", [-90.0, -1e-60]), ("x**y + 1", [-90.0, 1e-30]), ("x**y*y", [-2.5, 1e-300]), ("sqrt(x) + 1e20*y", [-2.0, 3.0]),
    ("log(x)*1e-15 + y", [-2.0, 3.0]), ("exp(1e-15*log(x)) + y", [-3.0, 0.0]), ("y + acos(x)*1e-40", [2.0, 1.0]),
    ("sqrt(x**0.3*x**0.7)*sqrt(x) + y", [-2.0, 1.0]),
])  # fmt: skip
def test_an_imaginary_part_that_is_as_small_as_a_rounding_is_no_rounding(formula: str, point: list[float]) -> None:
    f = adlab.Function(formula)
    assert adlab.truth(f, point).outputs[0].value is None  # with balls and without
    for call in (f, f.gradient, f.hessian, f.derivative()):
        with pytest.raises(adlab.DomainError):
            call(point)
    assert np.isnan(f([point])).all()
    for backend in BACKENDS:
        for kind in (None, "gradient", "value_and_gradient"):
            assert np.isnan(f.compile(backend, kind).call(*point)).all()


def roundabout(rng: random.Random, depth: int = 3) -> str:
    """A formula in x that is complex on the way where x is negative or beyond 1, and often comes back."""
    if depth == 0:
        return rng.choice(["x", "x", "x/3", "(x + 5)", "2*x"])
    inside, kind = roundabout(rng, depth - 1), rng.random()
    if kind < 0.35:
        return f"({inside}){rng.choice('+-*/*')}({roundabout(rng, depth - 1)})"
    if kind < 0.65:
        return f"({inside})**{rng.choice(['0.5', '1.5', '0.25', '0.75', '2', '4', '-0.5'])}"
    return f"{rng.choice(['sqrt', 'log', 'exp', 'cos', 'acos', 'asin', 'acosh', 'atanh', 'sinh'])}({inside})"


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, 26))])
def test_numbers_that_come_back_from_the_complex_plane_are_right_or_refused(part: int) -> None:
    rng, back = random.Random(f"roundabout {part}"), 0
    for _ in range(60):
        x = rng.choice([-0.3, -2.0, -7.7, 1.5, -1e-5, -4.0])
        f = adlab.Function(roundabout(rng), ["x"])
        if f.graph.outputs[0] == 0 or not np.isnan(f.evaluator._runner(f.graph).real([x])).any():
            continue
        known = adlab.truth(f, [x], patience=2)
        value, slope = known.outputs[0].value, known.gradient[0]
        found, batch, slopes = f.evaluator.values(np.array([x]))[0], f([[x]])[0], f.gradient([[x]])[0, 0]
        assert np.isnan(found) == np.isnan(batch), (f.title, x)
        for number, true in ((found, value), (batch, value), (slopes, slope)):
            if np.isfinite(number):
                assert true is not None, (f.title, x, number)
                assert number == pytest.approx(float(true), rel=1e-9, abs=1e-12 * abs(float(value) / x)), (f.title, x)
        back += np.isfinite(found)
    assert back > 0
