"""Where binary64 overflows, underflows or rounds a condition away, that is said, and nobody's rule is blamed for it."""

from __future__ import annotations

import pytest

import adlab
from adlab.arithmetic.domain import beyond_range
from adlab.report.compare import Comparison

METHODS = ["reverse", "forward", "central-difference", "complex-step"]


def compared(text: str, at: object) -> Comparison:
    return adlab.compare(text, at, methods=METHODS, timed=False)


def test_an_overflow_on_the_way_takes_nothing_from_reverse_and_forward() -> None:
    """x/∞ would be 0 where the derivative is 1/√2."""
    found = compared("sqrt(x**2 + y**2)", [1e200, 1e200])
    assert {row.status for row in found.accuracy if row.method in ("reverse", "forward")} == {"ok"}
    assert min(row.digits for row in found.accuracy if row.method in ("reverse", "forward")) > 15
    assert "suspect" not in " ".join(sentence.text for sentence in found.verdict)
    assert adlab.Function("sqrt(x**2 + y**2)").gradient([1e200, 1e200]) == pytest.approx([0.5**0.5] * 2, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "at", "gradient"),
    [("x**2 + y**2", [1e300, 0], [2e300, 0]), ("x**2 + 0*y", [1e300, 1], [2e300, 0]), ("x*y*z", [0, 0, 1], [0, 0, 0])],
)
def test_a_zero_that_is_right_is_returned(text: str, at: list[float], gradient: list[float]) -> None:
    assert adlab.Function(text).gradient(at).tolist() == gradient


def test_an_underflow_is_told_from_the_edge_of_the_domain() -> None:
    f = adlab.Function("sqrt(x**2)")
    assert f.gradient(1e-300).tolist() == [1.0]
    with pytest.raises(adlab.DomainError, match=r"^f has no derivative at this point: .* and v1 = 0.0$"):
        f.gradient(0.0)
    rows = {row.method: row for row in compared("sqrt(x**2)", 1e-300).accuracy}
    assert rows["reverse"].status == "ok"


def test_a_difference_that_rounding_took_is_told_from_a_zero() -> None:
    assert adlab.Function("1/((1 + x) - 1)")(1e-20) == pytest.approx(1e20, rel=1e-14)
    with pytest.raises(adlab.DomainError, match=r"^f has no value at this point: v2 = log\(v1\)"):
        adlab.Function("log(x - 1)")(1.0)  # x − x is 0, and exactly so


@pytest.mark.parametrize(
    ("text", "at", "value"), [("sinh(x)/cosh(x)", 800.0, 1.0), ("1/((1 + x) - 1)", 1e-20, 1.0000000000000001e20)]
)
def test_a_value_that_binary64_loses_on_the_way_is_found(text: str, at: float, value: float) -> None:
    found = compared(text, at)
    assert found.value == pytest.approx(value, rel=1e-14)
    assert "one-sided" not in str(found.full)


def test_where_f_has_no_value_the_comparison_is_refused() -> None:
    with pytest.raises(adlab.DomainError):
        compared("log(x)", 0.0)


def test_the_complex_step_gives_no_number_of_an_infinite_value() -> None:
    """Im log(1 + exp(x + ih))/h at 1000 is 8e19 where the derivative is 1."""
    with pytest.raises(adlab.OverflowedError):
        adlab.Function("log(1 + exp(x))").gradient(1000.0, method="complex-step")
    with pytest.raises(adlab.OverflowedError):
        adlab.Function("1/x").gradient(1e-300, method="complex-step")


def test_the_first_to_leave_the_range_is_named() -> None:
    assert beyond_range(adlab.Function("exp(-x)*y").graph, [800.0, 1.0]) == ("underflow", "v2 = exp(v1) is 0.0 for v1 = -800")
    assert beyond_range(adlab.Function("exp(x) - exp(y)").graph, [1.0, 1.0]) == ("", "")
    assert beyond_range(adlab.Function("Piecewise((exp(x), x < 0), (x, True))").graph, [800.0]) == ("", "")
