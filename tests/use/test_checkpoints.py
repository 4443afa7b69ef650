"""Reverse mode within a budget of memory; functions as SciPy takes them."""

from __future__ import annotations

import numpy as np
import pytest

import adlab
from adlab.autodiff.checkpoints import Budgeted, turns_needed

CHAIN = adlab.gallery.chain(500)


@pytest.mark.parametrize("f", [CHAIN, adlab.gallery.speelpenning(60), adlab.gallery.logistic_map(20), adlab.gallery.helmholtz(12),
                               adlab.Function("x*sin(x)*exp(sin(x)*x) + 3*x"), adlab.Function("x + y")])  # fmt: skip
def test_the_gradient_is_that_of_a_tape_and_the_budget_is_kept(f) -> None:
    x = f.point or [0.5] * f.n
    least = 6 * Budgeted(f.graph, [0.0] * f.n, 1)._width() + 30
    for memory in (least, 2 * least, 10**6):
        found = adlab.checkpointed(f, x, memory)
        assert found.peak <= memory
        np.testing.assert_allclose(found.gradient, f.gradient(x), rtol=1e-13)
    assert found.operations == found.tape, "with room enough, nothing is computed twice"


def test_less_memory_costs_operations_and_a_few_states_go_far() -> None:
    runs = [adlab.checkpointed(CHAIN, CHAIN.point, memory) for memory in (4000, 200, 50, 30)]
    assert [run.peak for run in runs] == sorted((run.peak for run in runs), reverse=True)
    assert [run.operations for run in runs] == sorted(run.operations for run in runs)
    assert runs[-1].operations < 7 * runs[-1].tape
    assert turns_needed(252, 5) == 5  # 10!/(5! 5!)


def test_what_checkpoints_cannot_serve_is_refused() -> None:
    for f, x, error, words in [
        (CHAIN, CHAIN.point, adlab.OptionError, "memory=3 is too small"),
        ("Abs(x)", [1.0], adlab.MethodError, "kinks"),
        ("log(x)", [-1.0], adlab.DomainError, "log"),
        ("sqrt(x)", [0.0], adlab.DomainError, "derivative"),
        (["x", "y"], [1.0, 2.0], adlab.MethodError, "one output"),
    ]:
        with pytest.raises(error, match=words):
            adlab.checkpointed(f, x, 3 if f is CHAIN else 100)
    with pytest.raises(adlab.AdlabError):
        adlab.checkpointed("sqrt(x**2 + y**2)", [1e-200, 1e-200], 100)


def test_scipy_takes_a_function_as_it_is() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    valley = adlab.Function("(1 - x)**2 + 100*(y - x**2)**2")
    found = optimize.minimize(x0=[-1.2, 1.0], **valley.to_scipy(), method="trust-ncg")
    assert found.x == pytest.approx([1, 1], abs=1e-6)
    pair = adlab.Function(["x**2 + y**2 - 4", "x*y - 1"])
    root = optimize.root(**pair.to_scipy(), x0=[2.0, 0.3])
    assert pair(root.x) == pytest.approx([0, 0], abs=1e-9)
    least = optimize.least_squares(**pair.to_scipy(sparse=True), x0=[2.0, 0.3])
    assert least.x == pytest.approx(root.x, rel=1e-6)
    given = adlab.Function("x*log(x)").to_scipy()
    assert given["fun"]([-1.0]) == np.inf
    with pytest.raises(adlab.DomainError):
        given["jac"]([-1.0])
