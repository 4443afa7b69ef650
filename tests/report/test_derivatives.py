"""f, f', f'' … by one variable: right to all digits, with a radius, and none where there is none."""

from __future__ import annotations

import json
import math

import mpmath
import pytest

import adlab
from adlab.errors import OptionError, PointError
from adlab.truth import judge


@pytest.fixture(params=["as installed", "from values alone"])
def _both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "from values alone":
        monkeypatch.setattr(judge, "certifying", lambda: False)


pytestmark = pytest.mark.usefixtures("_both")


def test_derivatives_of_the_sine_go_round() -> None:
    found = adlab.derivatives("sin(x)", 0.625, order=8)
    with mpmath.workdps(60):
        for order, (value, radius) in enumerate(zip(found.values, found.radius, strict=True)):
            want = mpmath.sin(mpmath.mpf(0.625) + order * mpmath.pi / 2)
            assert abs(value - want) <= radius + mpmath.mpf(10) ** -55
            assert radius <= abs(value) * mpmath.mpf(10) ** -30
    assert found.status == ("certified" if judge.certifying() else "heuristic")


def test_a_polynomial_ends_in_zeros() -> None:
    found = adlab.derivatives("x1**4*x2", [2.0, 3.0], "x1", order=6)
    assert found.values == [48, 96, 144, 144, 72, 0, 0]
    assert adlab.derivatives("x1**4*x2", [2.0, 3.0], "x2", order=3).values == [48, 16, 0, 0]


def test_one_output_of_several_and_a_variable_it_lacks() -> None:
    assert adlab.derivatives(["x*y", "y**3"], [1.0, 2.0], "y", order=2, output=1).values == [8, 12, 12]
    assert adlab.derivatives(["x*y", "y**3"], [1.0, 2.0], "x", order=2, output=1).values == [8, 0, 0]


@pytest.mark.parametrize("factor", ["", "x*", "x**2*"])
def test_past_a_kink_there_is_nothing(factor: str) -> None:
    """x^k |x| has k derivatives at 0, the next jumps, and of those above it none exists, though both sides are 0."""
    smooth = {"": 0, "x*": 1, "x**2*": 2}[factor]
    found = adlab.derivatives(f"{factor}abs(x)", 0.0, order=smooth + 3)
    assert found.values == [0] * (smooth + 1) + [None] * 3
    assert "differ" in found.components[smooth + 1].note
    assert found.status == "unavailable"


def test_outside_the_domain_there_is_a_reason() -> None:
    found = adlab.derivatives("log(x)", -1.0, order=2)
    assert found.values == [None] * 3
    assert "complex" in found.components[0].note


def test_the_report_in_every_form() -> None:
    found = adlab.derivatives("exp(x)", 1.0, order=2, digits=20)
    facts = json.loads(json.dumps(found.to_dict()))
    assert [row["value"] for row in facts["rows"]] == ["2.7182818284590452354"] * 3
    for text in (str(found), found._repr_html_(), found.to_markdown()):
        assert "2.7182818284590452354" in text
        assert found.status in text


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"order": -1}, "`order` is -1"),
        ({"order": 31}, "from 0 to 30"),
        ({"output": 1}, "`output` is 1"),
        ({"digits": 0}, "`digits` is 0"),
        ({"variable": "z"}, "no variable `z`; there are x, y"),
        ({"variable": None}, "say by which"),
    ],
)
def test_bad_questions_are_refused(options: dict[str, object], why: str) -> None:
    with pytest.raises(OptionError, match=why):
        adlab.derivatives("x*y", [1.0, 2.0], **{"variable": "x", **options})


def test_a_bad_point_is_refused() -> None:
    with pytest.raises(PointError):
        adlab.derivatives("x", math.nan)
