"""Automatic differentiation rounds too: the bound that is carried along is never below the error, and not far above."""

from __future__ import annotations

import json
import math
import os
import random
import statistics

import mpmath
import numpy as np
import pytest
from corpora import every_row, needed
from shares import but_slow

import adlab
from adlab.arithmetic.bounded import Bounded
from adlab.gallery import GALLERY
from adlab.report.rounding import bounded_jacobian

EFFORT = int(os.environ.get("ADLAB_EFFORT", "1"))
MODES = ["reverse", "forward"]


def corpora_rows(count: int):
    """Rows with a reference gradient that adlab can serve, as (function, point, {variable: 45 digits}); seeded."""
    rows = [row for row in every_row() if "gradient" in row]
    for row in random.Random(4).sample(rows, min(count, len(rows))):
        want = {k: mpmath.mpf(v) for k, v in row["gradient"].items() if v not in (None, "None", "nan")}
        try:
            f = adlab.Function(row["expr"], variables=row["variables"])
            f.gradient(point := np.array([float(row["point"][v]) for v in row["variables"]]))
        except adlab.AdlabError:
            continue
        yield f, point, want


def violation(bound: Bounded, exact: mpmath.mpf) -> mpmath.mpf:
    with mpmath.workdps(60):
        return abs(mpmath.mpf(bound.value) - exact) - bound.error - abs(exact) * mpmath.mpf(10) ** -44


@needed
@pytest.mark.parametrize("mode", MODES)
def test_over_the_corpora_the_bound_holds_and_is_within_100_of_the_error(mode: str) -> None:
    """An error below half a unit in the last place is counted as that: nothing smaller can be told apart."""
    ratios, infinite, partials = [], 0, 0
    with mpmath.workdps(45):
        rows = list(corpora_rows(300 * EFFORT))
    for f, point, want in rows:
        [bounds] = bounded_jacobian(f, point, mode, f.jacobian(point, mode))
        for variable, exact in want.items():
            bound = bounds[f.names.index(variable)]
            partials += 1
            if bound.error == math.inf:
                assert bound.why
                infinite += 1
                continue
            if not exact:  # the reference's own differences may have underflowed
                exact = adlab.truth(f, point).component(0, f.names.index(variable)).value
            assert violation(bound, exact) <= 0, (f.title, variable, bound)
            error = max(float(abs(bound.value - exact)), math.ulp(float(exact)) / 2, 5e-324)
            ratios.append(bound.error / error)
    assert partials > 600
    assert infinite < 0.03 * partials
    assert statistics.median(ratios) < 100


SMALLER = {"residual-network": "residual-network:4:2:3"}  # whose truth takes seconds


@pytest.mark.parametrize("name", but_slow([SMALLER.get(name, name) for name in GALLERY], ["attention", "network"]))
def test_over_the_gallery_the_bound_holds(name: str) -> None:
    found = adlab.rounding(adlab.gallery.named(name))
    assert len(found.rows) == 2 * len(found.truth.components)
    for row in found.rows:
        assert math.isfinite(row.bound)
        if row.error is not None:
            assert row.error <= row.bound, row


def test_the_values_are_those_that_the_gradient_has() -> None:
    f = adlab.Function("x**3*y/(x - y) + exp(x*y)**3", variables=["x", "y"])
    for _ in range(12):  # swept, then by the compiled program
        found = adlab.rounding(f, [1.1, 0.3], methods=["reverse"])
        assert [row.value for row in found.rows] == f.gradient([1.1, 0.3]).tolist()


def test_a_report_says_what_was_lost() -> None:
    """(1 - cos x)/x² at 1e-6: every digit is gone, and the bound knows without the truth."""
    found = adlab.rounding("(1 - cos(x))/x**2", 1e-6)
    for row in found.rows:
        assert row.error > 1e8 * abs(float(found.truth.gradient[0]))
        assert row.error <= row.bound <= 100 * row.error
    assert "bound (ulps)" in str(found)
    json.dumps(found.to_dict())


def test_an_edge_of_the_domain_within_reach_is_named() -> None:
    found = adlab.rounding("x*sqrt((x*x - y*y) - (x - y)*(x + y) + 1e-40)", [1.1, 0.3], methods="reverse")
    for row in found.rows:
        assert row.bound == math.inf
        assert row.why.startswith("sqrt(1e-40 ± ")
        assert row.why.endswith("may be outside its domain")
    assert "no finite bound by reverse: sqrt(1e-40 ± " in str(found)


def test_what_is_real_only_by_way_of_complex_numbers_has_no_bound() -> None:
    [row] = adlab.rounding("sqrt(x)*sqrt(x - 1)", -3.0, methods=["forward"]).rows
    assert row.bound == math.inf
    assert "complex" in row.why
    assert row.ulps < 4


def test_the_comparison_has_the_bound_beside_the_error() -> None:
    found = adlab.compare("exp(x*y)*sin(x)", {"x": 0.4, "y": 3.0}, timed=False)
    for row in found.accuracy:
        assert (row.bound_ulps is not None) == (row.method in MODES)
        assert row.bound_ulps is None or row.ulps <= row.bound_ulps < 100
    assert "bound (ulps)" in str(found.full)
    assert "bound (ulps)" not in str(adlab.compare("x**2", 3.0, methods=["symbolic"], timed=False))


def test_other_methods_have_no_bound_to_carry() -> None:
    with pytest.raises(adlab.MethodError, match="not for `symbolic`"):
        adlab.rounding("x**2", 1.0, methods=["symbolic"])
