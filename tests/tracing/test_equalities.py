"""A branch that an equality opens holds at a point, and not around it: its derivative counts only where both sides agree."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import adlab
from adlab.errors import DomainError


def skipping_zeros(x: Any) -> Any:
    total = 0.0
    for k in range(3):
        if x[k] == 0:
            continue
        total = total + x[k] * (k + 1)
    return total


def or_another(x: Any) -> Any:
    return (x[0] - 2 or x[1]) * 1.0


def of_a_case(x: Any) -> Any:
    return x[0] ** 2 if x[1] == 2 else x[0] ** 3


def filled_sinc(x: Any) -> Any:
    return 1 - x * x / 6 if x == 0 else math.sin(x) / x


def only_the_value(x: Any) -> Any:
    return 1.0 + 0 * x if x == 0 else math.sin(x) / x


ELSEWHERE = [(skipping_zeros, [1.0, 0.0, 2.0]), (or_another, [2.0, 3.0]), (of_a_case, [3.0, 2.0])]


@pytest.mark.parametrize(("f", "at"), ELSEWHERE)
def test_a_branch_of_one_point_is_no_derivative(f: Any, at: list[float]) -> None:
    """The value is that of the code; no mode gives the branch's derivative, and the message has the line."""
    traced = adlab.from_python(f, at)
    assert traced(at) == f(at)
    verbs = [traced.gradient, lambda x: traced.gradient(x, method="forward"), lambda x: traced.jvp(x, np.ones(len(at))),
             lambda x: traced.vjp(x, [1.0]), traced.hessian, lambda x: adlab.gradient(f, x)]  # fmt: skip
    for verb in verbs:
        with pytest.raises(DomainError, match=r"test_equalities\.py:\d+: `.*` holds at this point and not beside it"):
            verb(at)
    beside = np.array(at) + 0.25
    assert np.isnan(traced.gradient(np.array([at, beside]))[0]).all()
    assert traced.gradient(np.array([at, beside]))[1] == pytest.approx(traced.gradient(beside), rel=1e-15)


@pytest.mark.parametrize("f", [filled_sinc, only_the_value])
def test_a_branch_that_fills_a_gap_smoothly_is_right(f: Any) -> None:
    """Its first derivative is checked against differences of the code. A second one cannot be told from the value alone."""
    traced = adlab.from_python(f, 0.5)
    assert traced(0.0) == 1.0
    assert traced.gradient(0.0) == pytest.approx(0.0, abs=1e-15)
    with pytest.raises(DomainError, match="not beside it"):
        traced.hessian(0.0)
    assert traced.hessian(0.5)[0, 0] == pytest.approx(-0.3125, rel=0.02)
