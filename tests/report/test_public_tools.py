"""What lessons need of adlab, under public names: high-precision values, conditioning, and faults planted on purpose."""

from __future__ import annotations

import inspect
import math

import mpmath
import numpy as np
import pytest

import adlab


def test_a_value_has_the_digits_asked_for() -> None:
    x = mpmath.mpf(1e-12)
    for digits in (15, 30, 60):
        with mpmath.workdps(digits + 60):  # 24 digits cancel
            exact = (1 - mpmath.cos(x)) / x**2
            assert abs(adlab.value("(1 - cos(x))/x**2", x, digits=digits) / exact - 1) < mpmath.mpf(10) ** -digits


def test_a_value_takes_points_by_name_and_the_functions_own_point() -> None:
    f = adlab.gallery.worked_example()
    assert float(adlab.value(f)) == f(f.point) == float(adlab.value(f, {"x2": 2, "x1": 1}))
    assert [float(each) for each in adlab.value(["x + y", "x*y"], [2, 5])] == [7.0, 10.0]


@pytest.mark.parametrize(
    ("f", "x", "digits", "error"),
    [
        ("log(x)", -1.0, 30, adlab.DomainError),
        ("x*y", [1.0], 30, adlab.PointError),
        ("x", None, 30, adlab.PointError),
        ("x", math.nan, 30, adlab.PointError),
        ("x", 1.0, 0, adlab.OptionError),
        ("x", 1.0, "a", adlab.OptionError),
        ("x", "a", 30, adlab.PointError),
        ("x", 1 + 2j, 30, adlab.PointError),
        ("x", [None], 30, adlab.PointError),
    ],
)
def test_what_has_no_value_is_refused(f: str, x: object, digits: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        adlab.value(f, x, digits)


def test_conditioning_takes_a_text_and_agrees_with_the_formula() -> None:
    found = adlab.conditioning("x**3*y", [2.0, 5.0])
    assert found.f == pytest.approx([4.0])  # 3 + 1
    assert found.partials == pytest.approx(np.array([[3.0, 3.0]]))  # of 3x²y: 2 + 1; of x³: 3


def test_a_planted_rule_is_used_and_the_original_is_left_alone() -> None:
    f = adlab.Function("sin(x1)*exp(x2) + x1*x2")
    right = f.gradient([1.0, 2.0])
    wrong = adlab.planted(f, {"sin": "-cos(a)"})
    for mode in ("reverse", "forward"):
        assert wrong.gradient([1.0, 2.0], method=mode)[0] == pytest.approx(2 - math.cos(1) * math.exp(2))
    assert wrong.gradient([1.0, 2.0], method="central-difference") == pytest.approx(right)
    assert f.gradient([1.0, 2.0]).tolist() == adlab.Function("sin(x1)*exp(x2) + x1*x2").gradient([1.0, 2.0]).tolist()
    assert float(adlab.truth(wrong, [1.0, 2.0]).gradient[0]) == pytest.approx(right[0])


def test_a_planted_graph_changes_values_but_not_the_truth() -> None:
    wrong = adlab.planted("x1*sin(x2)", adlab.Function("x1*cos(x2)"))
    assert wrong([1.0, 2.0]) == math.cos(2)
    assert float(adlab.truth(wrong, [1.0, 2.0]).value) == math.sin(2)


@pytest.mark.parametrize("fault", [{"tan": "a"}, {"mul": "a"}, {"sin": None}, {"sin": object()}, adlab.Function("x + z")])
def test_a_fault_that_cannot_be_planted_is_refused(fault: object) -> None:
    with pytest.raises(adlab.OptionError):
        adlab.planted("x*sin(y)", fault)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [name for name in adlab.__all__ if inspect.isfunction(getattr(adlab, name))])
def test_every_signature_can_be_read_in_help(name: str) -> None:
    """No default is so long that `help(adlab)` shows it over many lines."""
    assert len(str(inspect.signature(getattr(adlab, name)))) < 420
