"""Strict derivative programs keep digits that the ordinary program loses, and are worse nowhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import adlab
from adlab.report.accuracy import distance

LOSSY = [("x/(1 - x)", -1e9), ("exp(x)/(exp(x) - 1)", 1e-7),
         pytest.param("x/(x**2 + 1)", 1.0000001, marks=pytest.mark.slow),
         pytest.param("x*log1p(-3/x)", 1e6, marks=pytest.mark.slow),
         ("x + 2*(tanh(1/2) - tanh(x/2))", 1e-4)]  # fmt: skip


def digits(program: Any, f: Any, point: list[float]) -> float:
    true = adlab.truth(f, point).gradient
    return min(distance(a, b).digits for a, b in zip(np.atleast_1d(program(point)).tolist(), true, strict=True))


@pytest.mark.parametrize(("text", "at"), LOSSY)
def test_the_program_keeps_the_digits_of_every_partial(text: str, at: float) -> None:
    f = adlab.Function(text)
    strict = f.derivative(accuracy="strict", at=at)
    for x in (at, at * (1 + 3e-4)):
        assert digits(f.derivative(), f, [x]) < 14
        assert digits(strict, f, [x]) > 14
    assert "is written as" in strict.about
    assert strict.derivative()(at) == pytest.approx(float(adlab.truth(f, at, order=2).hessian[0][0]), rel=1e-6)


def test_outputs_stand_in_the_order_of_the_ordinary_program() -> None:
    f = adlab.Function(["x/(1 - x) + y", "x*y"], point=[-1e9, 2.0])
    strict, plain = f.derivative(value=True, accuracy="strict"), f.derivative(value=True)
    assert strict([3.0, 5.0]) == pytest.approx(plain([3.0, 5.0]))
    assert strict.names == plain.names
    assert strict.m == plain.m == 6


def test_over_a_range_no_point_is_worse() -> None:
    f = adlab.Function("x/(1 - x)")
    strict = f.derivative(accuracy="strict", at=-1e9, over={"x": (-1e12, -1e-3)})
    for x in np.geomspace(1e-3, 1e12, 12):
        assert digits(strict, f, [-x]) >= min(digits(f.derivative(), f, [-x]), 14)


def test_what_keeps_its_digits_stays_as_it_is() -> None:
    f = adlab.Function("sin(x)*y", point=[0.7, 0.3])
    assert f.derivative(accuracy="strict").outputs == f.derivative().outputs
    assert not f.derivative(accuracy="strict").about


@pytest.mark.parametrize("options", [{"accuracy": "good"}, {"accuracy": "strict"}, {"at": 1.0}, {"over": {"x": (1, 2)}},
                                     {"accuracy": "strict", "at": 1.0, "over": {"z": (1, 2)}}])  # fmt: skip
def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(adlab.AdlabError):
        adlab.Function("x**2").derivative(**options)


@pytest.mark.parametrize(
    ("text", "at", "far"),
    [("expm1(x) - x", 1e-6, 20)] + [pytest.param(*case, marks=pytest.mark.slow) for case in (
        ("log1p(-3/x) + 3/x", 1e5, 4), ("log1p(70*x) - 70*x", 1e-6, 20))],
)
def test_a_series_is_used_only_where_its_terms_are_enough(text: str, at: float, far: float) -> None:
    better = adlab.Function(adlab.improve(text, at).after.text)
    assert "Piecewise" in str(better.outputs[0])
    for x in np.geomspace(at, far, 40):
        true = adlab.truth(text, x).value
        assert float(better(x)) == pytest.approx(float(true), rel=1e-9)
