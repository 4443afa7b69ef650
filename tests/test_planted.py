"""Planted mistakes: a wrong rule in the table, a wrong lowering. Both engines may agree on them; the truth must not."""

from __future__ import annotations

import sys

import pytest
import sympy

import adlab
from adlab import native
from adlab.primitives.primitive import OUT, A, B
from adlab.primitives.table import HEADS, PRIMITIVES

FORMULA, POINT = "sin(x)*exp(y)/(1 + x**2)", [0.7, 0.3]


@pytest.fixture
def clean_caches(monkeypatch):
    """The table is read anew. The compiled core has read it once and for all, so it is left out."""

    def clear() -> None:
        for name, module in list(sys.modules.items()):
            if name.startswith("adlab."):
                for value in list(vars(module).values()):
                    if hasattr(value, "cache_clear"):
                        value.cache_clear()

    clear()
    monkeypatch.setattr(native, "core", None)
    yield
    clear()


def exposed() -> dict[str, bool]:
    """For each method whether the truth contradicts it: an error that no rounding explains."""
    f = adlab.Function(FORMULA)
    found = adlab.compare(f, POINT, methods=["reverse", "forward", "complex-step", "symbolic"], timed=False)
    return {m: any(r.relative_error > 1e-6 for r in found.accuracy if r.method == m)
            for m in ("reverse", "forward", "complex-step", "symbolic")}  # fmt: skip


def test_nothing_is_exposed_where_nothing_is_wrong() -> None:
    assert not any(exposed().values())


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("sin", (-sympy.cos(A),)), ("sin", (1 - A**2 / 2,)), ("exp", (2 * OUT,)), ("div", (1 / B, OUT / B)), ("mul", (A, B))],
    ids=["sign of sin", "truncated cosine", "factor in exp", "sign of the quotient", "swapped product"],
)
def test_a_wrong_rule_is_exposed_though_both_modes_agree(name: str, wrong, clean_caches, monkeypatch) -> None:
    monkeypatch.setitem(vars(PRIMITIVES[name]), "partials", wrong)  # the entry is frozen
    found = exposed()
    assert found["reverse"]
    assert found["forward"]
    said = " ".join(s.text for s in adlab.compare(FORMULA, POINT, methods=["reverse"], timed=False).verdict)
    assert "suspect the graph, or a rule of the table" in said
    assert not found["complex-step"]  # it uses values, not rules
    assert not found["symbolic"]


def test_a_wrong_lowering_is_exposed_though_every_graph_method_agrees(clean_caches, monkeypatch) -> None:
    monkeypatch.setitem(HEADS, sympy.sin, PRIMITIVES["cos"])
    found = exposed()
    assert found["reverse"]
    assert found["forward"]
    assert found["complex-step"]
    assert not found["symbolic"]  # it never sees the graph


def test_a_wrong_value_is_exposed_by_the_truths_own_value(clean_caches, monkeypatch) -> None:
    monkeypatch.setitem(HEADS, sympy.exp, PRIMITIVES["sinh"])
    f = adlab.Function("exp(x)")
    truth = adlab.truth(f, 0.5)
    assert abs(f(0.5) - float(truth.value)) > 0.1
