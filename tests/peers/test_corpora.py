"""Formulas nobody here wrote: each peer against a reference that no derivative rule has touched.

A sample every time; with ADLAB_EFFORT above 1 every row of feynman.jsonl and 200 of rubi_sections.jsonl.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from corpora import rows
from table import EFFORT

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.function import Function
from adlab.methods import METHODS
from adlab.peers.catalogue import Peer
from adlab.report.accuracy import attempt

ROWS = {"feynman": (10, 120), "rubi_sections": (14, 200)}  # in a sample, at most


def sample(name: str) -> list[dict[str, Any]]:
    """So many, spread evenly."""
    everything, count = rows(name), ROWS[name][EFFORT > 1]
    return [everything[round(i * (len(everything) - 1) / (count - 1))] for i in range(count)]


def real(f: Function, point: Any) -> bool:
    """Whether every step to f is a real number: frameworks compute on reals, and adlab on principal values in between."""
    return not np.isnan(evaluate(f.graph, point.tolist(), FLOATS)[f.graph.outputs[0]])


@pytest.mark.parametrize("corpus", ROWS)
def test_agreement_with_the_reference(graph_peer: Peer, corpus: str) -> None:
    wrong = []
    for row in sample(corpus):
        f, point = Function(row["expr"], row["variables"]), np.array([float(row["point"][v]) for v in row["variables"]])
        tried = attempt(f, METHODS[graph_peer.name], point)
        assert tried.result is not None, (row["id"], tried.note)
        reference = np.array([float(row["gradient"][v] or "nan") for v in row["variables"]])
        close = np.isclose(tried.result.jacobian[0], reference, rtol=1e-10, atol=1e-13 * np.nanmax(np.abs(reference)))
        if not (close | np.isnan(reference)).all() and real(f, point):
            wrong.append(row["id"])
    assert not wrong


def test_what_is_complex_on_the_way_is_nan_to_a_framework(graph_peer: Peer) -> None:
    """The one reason for all their disagreements in the corpora: here √-2 √-3 = -√6, by way of i√2 and i√3."""
    f = Function("sqrt(x)*sqrt(x - 1)")
    assert f.gradient(-2.0) == pytest.approx([5 / 24**0.5], rel=1e-14)
    assert not real(f, np.array([-2.0]))
    assert attempt(f, METHODS[graph_peer.name], np.array([-2.0])).status == "not finite"


def test_a_sampler_is_wrong_where_its_first_step_crosses_a_pole() -> None:
    """And the one reason for jacobi's: its first step is a quarter of x. A smaller one finds the derivative."""
    jacobi = pytest.importorskip("jacobi")
    f, point = Function("d*(1-alpha**2)/(1+alpha*cos(u-v))", ["d", "alpha", "u", "v"]), [2.59375, 3.203125, 4.015625, 4.953125]
    right, names = f.gradient(point), f.names
    v = names.index("v")
    assert METHODS["jacobi"](f, np.array(point)).jacobian[0, v] == pytest.approx(right[v], rel=2)
    assert METHODS["jacobi"](f, np.array(point)).jacobian[0, v] != pytest.approx(right[v], rel=0.5)
    found, _ = jacobi.jacobi(f.values, np.array(point), step=(1e-3, 0.25))
    assert np.ravel(found) == pytest.approx(right, rel=1e-9)
