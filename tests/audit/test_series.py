"""The table of Taylor coefficients: adlab keeps its digits, and what JAX's jet lacks or loses is named."""

from __future__ import annotations

import math

import pytest

import adlab
from adlab.audit.series import Row, SeriesRules, series_rules


def test_adlab_has_the_series_of_operations_to_the_last_digits() -> None:
    found = series_rules("tan", ["adlab"], order=5)
    assert found.found[0].worst[0] > 12
    assert "adlab: 1 of 1 operations; 0 of them lose half" in str(found)


def test_what_is_missing_or_lost_is_named() -> None:
    rows = (
        Row("tan", "jax", {}, "no rule"), Row("exp", "jax", {0.1: 15.0, 2.0: 3.0}, ""), Row("erf", "jax", {0.1: math.nan}, "")
    )  # fmt: skip
    text = str(SeriesRules(5, ("jax",), rows))
    assert "2 of 3 operations; 2 of them lose half of the digits somewhere. No series: tan." in text
    assert "no number" in text


@pytest.mark.slow
def test_jet_lacks_the_tangent_and_agrees_on_the_exponential() -> None:
    pytest.importorskip("jax")
    rows = {row.name: row for row in series_rules(["tan", "exp"], ["jax"], order=5).found}
    assert "KeyError: tan" in rows["tan"].missing
    assert rows["exp"].worst[0] > 12


def test_options_that_cannot_be_meant() -> None:
    for options, words in (({"order": 0}, "no order of a series"), ({"systems": ["torch"]}, "no series by `torch`"),
                           ({"names": ["nothing"]}, "nothing")):  # fmt: skip
        with pytest.raises(adlab.AdlabError, match=words):
            series_rules(**({"names": ["exp"]} | options))  # type: ignore[arg-type]
