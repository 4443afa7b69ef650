"""Formulas nobody here wrote, with reference gradients that no derivative rule was used for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from corpora import needed, rows

import adlab
from adlab.precision import UNIT_ROUNDOFF
from adlab.report.conditioning import conditioning

ASKED = ["feynman", "symbolic_regression", "adbench", "large", "global_optimisation"]
RTOL = 1e-12

pytestmark = needed


def referenced(name: str):
    """Rows with the partials that their reference has."""
    for row in rows(name):
        want = {k: float(v) for k, v in row["gradient"].items() if v not in (None, "None", "nan")}
        if want:
            yield row, want


def misses(name: str, method: str):
    """Rows off by more than RTOL in a component that is not negligible beside the row's largest."""
    for row, want in referenced(name):
        f = adlab.Function(row["expr"], variables=row["variables"])
        point = np.array([float(row["point"][v]) for v in row["variables"]])
        got = dict(zip(row["variables"], f.gradient(point, method=method), strict=True))
        floor = RTOL * 1e-3 * max(map(abs, want.values()))
        wrong = {v: abs(got[v] - g) for v, g in want.items() if not abs(got[v] - g) <= RTOL * abs(g) + floor}
        if wrong:
            yield row, f, point, want, got, wrong


@pytest.mark.parametrize("method", ["reverse", "forward"])
def test_at_most_two_percent_of_rows_are_off_and_each_is_ill_conditioned(method: str) -> None:
    total, off = 0, 0
    for name in ASKED:
        total += sum(1 for _ in referenced(name))
        for row, f, point, want, got, wrong in misses(name, method):
            off += 1
            kappa = conditioning(f, point).partials[0]
            for variable, error in wrong.items():
                j = row["variables"].index(variable)
                if want[variable] == 0:  # the reference's own differences underflowed: the truth is not 0
                    exact = float(adlab.truth(f, point).component(0, j).value)
                    assert got[variable] == pytest.approx(exact, rel=1e-12), row["id"]
                    continue
                assert error / abs(want[variable]) <= 100 * kappa[j] * UNIT_ROUNDOFF, (row["id"], variable)
    assert total > 600
    assert off <= 0.02 * total


@pytest.mark.parametrize("name", ["feynman", "adbench", "large"])
def test_every_row_of_these_is_right(name: str) -> None:
    assert not list(misses(name, "reverse"))


def test_special_functions_are_right_whether_their_orders_are_constant_or_move() -> None:
    refused = []
    for row, want in referenced("rubi_special"):
        try:
            f = adlab.Function(row["expr"], variables=row["variables"])
            got = dict(zip(row["variables"], f.gradient(row["point"]), strict=True))
        except adlab.UnsupportedExpression as error:
            refused.append((row["expr"], str(error)))
            continue
        for variable, partial in want.items():
            assert math.isclose(got[variable], partial, rel_tol=1e-10), (row["id"], variable)
    assert all("order of `polygamma`" in why for _, why in refused)  # which mpmath rounds to a whole one
    assert len(refused) <= 1


def test_values_agree_too() -> None:
    for row, _ in referenced("feynman"):
        f = adlab.Function(row["expr"], variables=row["variables"])
        assert f(row["point"]) == pytest.approx(float(row["value"]), rel=1e-12), row["id"]


def test_the_truth_agrees_with_the_references() -> None:
    """Every tenth row of three corpora, to 20 digits' worth of binary64: two independent computations."""
    for name in ("feynman", "symbolic_regression", "global_optimisation"):
        for row, want in list(referenced(name))[::10]:
            f = adlab.Function(row["expr"], variables=row["variables"])
            found = adlab.truth(f, [float(row["point"][v]) for v in row["variables"]])
            for j, variable in enumerate(row["variables"]):
                value = found.component(0, j).value
                if variable in want and value is not None:
                    assert math.isclose(float(value), want[variable], rel_tol=1e-14, abs_tol=1e-300), (row["id"], variable)
