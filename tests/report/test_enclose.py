"""Enclosures of f and its partials over a box, and what they prove."""

from __future__ import annotations

import json
import math
import random
import sys

import numpy as np
import pytest
import sympy
from sympy import Heaviside, Piecewise

import adlab
from adlab.gallery import GALLERY
from adlab.report.rounding import bounded_jacobian

pytest.importorskip("flint", reason="proven enclosures need the extra `certify`")

x = sympy.Symbol("x", real=True)


@pytest.mark.parametrize("name", [{"residual-network": "residual-network:3:2:2"}.get(name, name) for name in GALLERY])
@pytest.mark.parametrize("width", [0.0, 1e-6, 0.03])
def test_over_the_gallery_the_truth_is_inside_at_every_point(name: str, width: float) -> None:
    """The truth at a point is within the bound of what reverse mode returns."""
    f, r = adlab.gallery.named(name), random.Random(name)
    sides = [(p - width * abs(p), p + width * abs(p)) for p in f.point]
    found = adlab.enclose(f, sides)
    for _ in range(5):
        point = np.array([r.uniform(*side) for side in sides])
        try:
            bounds = bounded_jacobian(f, point, "reverse", f.jacobian(point))
        except adlab.AdlabError:
            assert not found.defined
            continue
        for i, row in enumerate(bounds):
            for variable, partial in zip(f.names, row, strict=True):
                enclosed = found.partial(variable, i)
                if enclosed is not None:
                    assert enclosed[0] - partial.error <= partial.value <= enclosed[1] + partial.error, (variable, point)
    if width <= 1e-6:
        assert found.defined
        assert all(row.low is not None for row in found.rows)


def test_at_a_point_the_enclosure_is_the_truth_to_the_last_digits() -> None:
    found = adlab.enclose(adlab.gallery.worked_example(), {"x1": 1, "x2": 2})
    for variable, exact in (("x1", 0.5215007789468607), ("x2", 0.5634963734499162)):
        low, high = found.partial(variable)
        assert low <= exact <= high
        assert high - low < 1e-14


def test_a_sign_is_proven_on_the_whole_box_or_not() -> None:
    """x·exp(-x) rises to x = 1 and falls from there."""
    assert [row.sign for row in adlab.enclose("x*exp(-x)", (0, 0.5)).rows] == ["not negative", "positive"]
    assert adlab.enclose("x*exp(-x)", (1.5, 1.75), pieces=4).rows[1].sign == "negative"
    assert adlab.enclose("x*exp(-x)", (0.5, 1.5)).rows[1].sign == "not decided"
    assert adlab.enclose("x - x", (0.5, 1.5)).rows[1].sign == "zero"


def test_pieces_make_it_tighter_and_prove_more() -> None:
    f = "x**2 - x + 3/10"
    whole, cut = (adlab.enclose(f, (0, 1), pieces=pieces) for pieces in (1, 40))
    assert whole.rows[0].sign == "not decided"
    assert cut.rows[0].sign == "positive"  # 0.05 at its lowest
    assert whole.value()[0] < cut.value()[0] <= 0.05
    assert cut.pieces == 40


def test_a_domain_is_proven_or_the_operation_named() -> None:
    f = "log((x1 + x2)**2 + sin(x1*x2))"
    proven = adlab.enclose(f, [(0.5, 1.5), (1, 2)])
    assert proven.defined
    assert "f has a value at every point of the box: proven." in proven.sentences()
    failed = adlab.enclose(f, [(-1, 1), (-1, 1)])
    assert not failed.defined
    assert failed.value() is None
    assert failed.partial("x1") is None
    wanted = "v6 = log(v5) is not proven to have a value everywhere in the box: it needs v5 > 0, and v5 is in ["
    assert any(sentence.startswith(wanted) for sentence in failed.sentences())


def test_undefined_inside_a_bounded_function_is_undefined() -> None:
    """tanh is never beyond 1, but tanh(log x) has no value for x < 0; nor has log a derivative there, though 1/x is a number."""
    assert adlab.enclose("tanh(log(x))", (-1, 1)).value() is None
    assert adlab.enclose("log(x)", (-2, -1)).partial("x") is None
    assert adlab.enclose("sqrt(x)", (0, 1)).value() == (0.0, 1.0)
    assert adlab.enclose("sqrt(x)", (0, 1)).partial("x") is None


def test_a_pole_between_two_doubles_is_a_pole() -> None:
    """tan has a value at every double, and a pole at pi/2."""
    for formula, node in (("tan(x)", "v1 = tan(x)"), ("sec(x)", "v1 = sec(x)"), ("x**-2", "x")):
        box = (-1, 2)
        found = adlab.enclose(formula, box)
        assert not found.defined
        assert node in found.sentences()[0]
    assert adlab.enclose("tan(x)", (-1.5, 1.5)).defined
    assert adlab.enclose("sec(x)", (-1.5, 1.5)).value()[0] == 1.0
    assert adlab.enclose("exp(x)", (0, 1000)).value() == (1.0, math.inf)


def test_over_a_kink_the_partial_has_both_sides_and_the_node_is_named() -> None:
    found = adlab.enclose("abs(x)", (-1, 2))
    assert (found.value(), found.partial("x"), found.kinks) == ((0.0, 2.0), (-1.0, 1.0), ["v1 = abs(x)"])
    assert adlab.enclose("abs(x)", (0.5, 2)).kinks == []
    assert adlab.enclose("sign(x)", (-1, 2)).value() == (-1.0, 1.0)
    low, high = adlab.enclose(sympy.Max(x, 3 * x), (-1, 2)).partial("x")
    assert low <= 1.0
    assert high >= 3.0
    assert adlab.enclose(Heaviside(x), (-1, 2)).value() == (0.0, 1.0)
    two = adlab.enclose(Piecewise((x**2, x < 1), (5 * x, True)), (0, 2))
    assert two.value() == (0.0, 10.0)
    low, high = two.partial("x")
    assert low <= 0.0
    assert high >= 5.0


def test_several_outputs_have_a_block_each() -> None:
    found = adlab.enclose(["x*y", "x - y"], {"x": (1, 2), "y": 3})
    assert (found.value(0), found.value(1)) == ((3.0, 6.0), (-2.0, -1.0))
    assert (found.partial("y", 0), found.partial("y", 1)) == ((1.0, 2.0), (-1.0, -1.0))
    assert "output" in str(found)
    json.dumps(found.to_dict())


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ([(0, 1)], "2 sides|1 sides"), ({"x": (0, 1)}, "y"), ([(1, 0), 2], "lower end first"), ([(0, 1, 2), 2], "pair"),
        ([(0, math.inf), 1], "finite"), ({"x": 1, "y": 2, "z": 3}, "z"),
    ],
)  # fmt: skip
def test_a_box_that_does_not_fit_is_refused(box, words) -> None:
    with pytest.raises(adlab.PointError, match=words):
        adlab.enclose("x*y", box)


def test_pieces_beyond_reason_are_refused() -> None:
    with pytest.raises(adlab.OptionError, match="take fewer pieces"):
        adlab.enclose("x*y*z", [(0, 1)] * 3, pieces=1000)
    for pieces in (0, 1.5, True):
        with pytest.raises(adlab.OptionError, match="whole number"):
            adlab.enclose("x", (0, 1), pieces=pieces)


def test_without_the_extra_it_is_named(monkeypatch) -> None:
    from adlab.arithmetic import arb

    monkeypatch.setattr(arb, "flint", None)
    with pytest.raises(adlab.MissingExtra, match=r"adlab\[certify\]"):
        adlab.enclose("x", (0, 1))
    assert "flint" not in vars(sys.modules["adlab"])
