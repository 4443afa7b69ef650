"""Kinks that do not matter are passed by; where they matter, the sides are compared as before."""

from __future__ import annotations

import numpy as np
import pytest

import adlab
from adlab.autodiff import evaluator
from adlab.autodiff.careful import walked
from adlab.autodiff.ties import disputed

SHIFT = "Max(x, y, z)"
HARMLESS = [
    ("Abs(x)**2 + y*z", [0.0, 2.0, 3.0]),
    (f"exp(x - {SHIFT})/(exp(x - {SHIFT}) + exp(y - {SHIFT}) + exp(z - {SHIFT}))", [0.7, 0.7, 0.1]),
    (f"{SHIFT} + log(exp(x - {SHIFT}) + exp(y - {SHIFT}) + exp(z - {SHIFT}))", [0.3, 0.3, 0.3]),
    ("Min(x, y)*0 + x*z", [1.0, 1.0, 2.0]),
    ("Max(Abs(x), 0)**3*y - z", [0.0, 2.0, 3.0]),
]
DISPUTED = [
    ("Abs(x) + y*z", [0.0, 2.0, 3.0]), ("Max(x, y)*z", [1.0, 1.0, 2.0]),
    ("Max(x, 0) + log(1 + exp(-Abs(x))) + y*z", [0.0, 1.0, 1.0]),
    ("sign(x)*x + y*z", [0.0, 1.0, 1.0]),  # the adjoint of sign is 0, but sign jumps
    ("Max(x, y)**2 - 2*Max(x, y) + z", [1.0000001, 1.0000001, 0.0]), ("floor(x)*(x - 1) + y*z", [1.0, 2.0, 3.0]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "point"), HARMLESS)
def test_a_tie_without_weight_needs_no_limits(text: str, point: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    f = adlab.Function(text, variables=["x", "y", "z"])
    limits = np.array(walked(f.graph, point)[1], dtype=float)
    assert not disputed(f.graph, point)
    monkeypatch.setattr(evaluator, "walked", None)
    monkeypatch.setattr(evaluator, "exact_rows", None)
    assert f.gradient(point) == pytest.approx(limits[0], rel=1e-13, abs=1e-16)
    assert f.jvp(point, [1.0, 2.0, 3.0]) == pytest.approx(limits[0] @ [1.0, 2.0, 3.0], rel=1e-13, abs=1e-15)
    assert f.compile(derivative="gradient")([point])[0] == pytest.approx(limits[0], rel=1e-13, abs=1e-16)


@pytest.mark.parametrize(("text", "point"), DISPUTED)
def test_a_kink_that_may_matter_is_looked_at(text: str, point: list[float]) -> None:
    f = adlab.Function(text, variables=["x", "y", "z"])
    assert disputed(f.graph, point)
    assert f.gradient(point) == pytest.approx(np.array(walked(f.graph, point)[1], dtype=float)[0], nan_ok=True)


def test_equal_entries_of_a_softmax_cost_little() -> None:
    """An image with two equal rows once sent a training step to 24 neighbours with 1,500 bits."""
    def attention(x: np.ndarray) -> float:
        e = np.exp(x @ x.T - np.max(x @ x.T, axis=-1, keepdims=True))
        return np.sum(e / np.sum(e, axis=-1, keepdims=True) @ x[:, 0])

    point = np.array([[0.1, 0.7], [0.1, 0.7], [0.4, 0.2]])
    f = adlab.from_python(attention, point)
    assert not disputed(f.graph, point.ravel().tolist())
    truth = [float(x) for x in adlab.truth(f, point.ravel(), digits=20).gradient]
    assert f.gradient(point.ravel()) == pytest.approx(truth, rel=1e-12)


def test_a_chain_of_maxima_is_judged_quickly() -> None:
    """SymPy sorts what Max is given, and so unfolds it to a tree: 2^30 leaves here."""
    def chain(x: np.ndarray) -> float:
        for _ in range(30):
            x = np.array([np.maximum(x[0] * 0.9, x[1] + 0.1), x[0] + x[1] * 0.3])
        return x[0]

    found = adlab.truth(chain, [1.0, 2.0], digits=15)
    gradient = adlab.from_python(chain, [1.0, 2.0]).gradient([1.0, 2.0])
    assert [float(p) for p in found.gradient] == pytest.approx(gradient, rel=1e-12)
