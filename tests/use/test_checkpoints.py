"""Reverse mode within a budget of memory; functions as SciPy takes them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import adlab
from adlab.autodiff.checkpoints import Budgeted, advances, turns_needed

CHAIN = adlab.gallery.chain(500)


@pytest.mark.parametrize("f", [pytest.param(CHAIN, marks=pytest.mark.slow),
                               adlab.gallery.speelpenning(60), adlab.gallery.logistic_map(20), adlab.gallery.helmholtz(12),
                               adlab.Function("x*sin(x)*exp(sin(x)*x) + 3*x"), adlab.Function("x + y")])  # fmt: skip
def test_the_gradient_is_that_of_a_tape_and_the_budget_is_kept(f) -> None:
    x = f.point or [0.5] * f.n
    least = Budgeted(f.graph, [0.0] * f.n, 1).least()
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


@pytest.mark.parametrize("f", [adlab.gallery.chain(60), adlab.gallery.logistic_map(12), adlab.gallery.rosenbrock(8),
                               adlab.gallery.network(3, 1)])  # fmt: skip
def test_a_larger_budget_never_costs_more_and_the_least_is_the_least(f) -> None:
    x = list(f.point or [0.5] * f.n)
    tape, least = len(f.graph.operations), Budgeted(f.graph, x, 1).least()
    runs = [Budgeted(f.graph, x, memory) for memory in range(least, tape + least, 1 + tape // 60)]
    for run in runs:
        run.gradient()
        assert run.peak <= run.memory
    costs = [run.operations for run in runs]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == tape < costs[0]
    with pytest.raises(adlab.OptionError, match=f"give {least}$"):
        Budgeted(f.graph, x, least - 1).gradient()


def test_no_schedule_advances_over_fewer_blocks() -> None:
    """The closed form against the best of all places for the next state (Griewank and Walther 2000, proposition 1)."""

    @cache
    def fewest(blocks: int, states: int) -> float:
        if blocks == 1 or not states:
            return 0 if blocks == 1 else np.inf
        return min(k + fewest(blocks - k, states - 1) + fewest(k, states) for k in range(1, blocks))

    assert all(advances(blocks, states) == fewest(blocks, states) for blocks in range(1, 40) for states in range(1, 7))


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
