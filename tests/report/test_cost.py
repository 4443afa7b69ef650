"""Costs: counted exactly, bounded by theory, and measured without being asserted."""

from __future__ import annotations

import numpy as np
import pytest

import adlab
from adlab.graph.liveness import peak
from adlab.methods import METHODS
from adlab.report import bare

TIMED_AS_FORMULAS = [
    name for name, m in METHODS.items() if m.family in ("automatic", "symbolic") or bare.evaluations(m, 1) is not None
]
FAMILIES = [
    adlab.gallery.worked_example(), adlab.gallery.baydin(), adlab.gallery.speelpenning(12), adlab.gallery.rosenbrock(9),
    adlab.gallery.helmholtz(6), adlab.gallery.logistic_map(7), adlab.gallery.chain(6), adlab.gallery.attention(),
    adlab.gallery.residual_network(), adlab.gallery.squire_trapp(),
]  # fmt: skip


@pytest.mark.parametrize("f", FAMILIES, ids=lambda f: f.name)
def test_a_gradient_costs_at_most_four_functions(f) -> None:
    """Griewank & Walther's bound, whatever the number of inputs, by the table's weights."""
    row = adlab.cost(f, methods=["reverse"], timed=False).row("reverse")
    assert row.weighted_ratio <= 4
    assert row.ratio <= 4.5


def test_speelpennings_gradient_takes_3n_minus_6_multiplications() -> None:
    for n in (3, 5, 10, 100):
        counts = adlab.gallery.speelpenning(n).derivative("reverse").graph.counts()
        assert counts == {"mul": 3 * n - 6}


def test_forward_mode_pays_for_each_input_and_reverse_does_not() -> None:
    ratios = {n: adlab.cost(adlab.gallery.rosenbrock(n), methods=["reverse", "forward"], timed=False) for n in (4, 16, 64)}
    reverse = [ratios[n].row("reverse").ratio for n in ratios]
    assert max(reverse) < 1.2 * min(reverse)
    product = {n: adlab.cost(adlab.gallery.speelpenning(n), methods=["forward"], timed=False) for n in (4, 16, 64)}
    assert product[64].row("forward").ratio > 10 * product[4].row("forward").ratio


@pytest.mark.parametrize(("method", "per_variable", "shared"), [("complex-step", 1, 0)])
def test_evaluations_are_counted(method: str, per_variable: int, shared: int) -> None:
    for n in (2, 5):
        row = adlab.cost(adlab.gallery.rosenbrock(n), methods=[method], timed=False).row(method)
        assert row.evaluations == shared + per_variable * n


def test_differences_report_the_evaluations_they_really_made() -> None:
    calls = 0
    f = adlab.Function("sin(x)*exp(y)")
    one, several = f.values, f.several

    def counted(point):
        nonlocal calls
        calls += 1
        return one(point)

    def counted_together(points):
        nonlocal calls
        calls += len(points)
        return several(points)

    f.values, f.several = counted, counted_together
    row = adlab.cost(f, [1.0, 2.0], methods=["central-difference-4"], timed=False).row("central-difference-4")
    assert row.evaluations + row.extra_evaluations == calls


def test_times_are_measured_for_what_works_only() -> None:
    found = adlab.cost("Abs(x)", 1.0, methods=["reverse", "complex-step"])
    assert found.row("reverse").seconds > 0
    assert found.row("complex-step").seconds is None
    assert found.row("complex-step").status == "refused"


def test_the_tape_of_reverse_mode_grows_with_the_chain_and_that_of_the_function_does_not() -> None:
    short, long = adlab.gallery.chain(10), adlab.gallery.chain(100)
    assert peak(long.graph) == peak(short.graph)
    assert peak(long.derivative("reverse").graph) > 5 * peak(short.derivative("reverse").graph)


def test_counts_by_primitive_add_up() -> None:
    found = adlab.cost(adlab.gallery.worked_example(), timed=False)
    assert sum(found.counts["reverse program"].values()) == found.row("reverse").operations
    assert found.counts["f"] == {"add": 2, "powi": 1, "mul": 1, "sin": 1, "log": 1}


def test_a_huge_forward_program_is_said_not_to_be_written() -> None:
    found = adlab.cost(adlab.gallery.speelpenning(1200), methods=["forward"], timed=False).row("forward")
    assert found.operations is None
    assert "1200 sweeps" in found.note
    gradient = adlab.gallery.speelpenning(1200).gradient(np.ones(1200), method="forward")
    assert np.all(gradient == 1)


@pytest.mark.parametrize("largest", [0, bare.LARGEST_WRITTEN], ids=["looped", "written"])
@pytest.mark.parametrize("name", TIMED_AS_FORMULAS)
@pytest.mark.parametrize("text", ["x*sin(y)/(1 + y**2)", "exp(x)", ["x*y", "x + y", "sin(x)"]])
def test_what_is_timed_is_the_formula_of_the_method(text, name: str, largest: int, monkeypatch) -> None:
    monkeypatch.setattr(bare, "LARGEST_WRITTEN", largest)
    f, method = adlab.Function(text), METHODS[name]
    point = np.arange(1.0, f.n + 1) / 3
    result = method(f, point)
    found = np.array(bare.formula(f, method, point, result)()).ravel()
    expected = result.jacobian
    if method.family == "automatic":
        found = found[f.m :]
    elif method.family != "symbolic":
        found = found.reshape(f.n, f.m).T.ravel()
    assert found == pytest.approx(expected.ravel(), rel=1e-12)


def test_a_difference_costs_its_own_evaluations_of_f_and_no_estimate() -> None:
    found = adlab.cost("exp(sin(x))", 1.0, timed=False)
    assert [found.row(name).ratio for name in ("forward-difference", "central-difference", "central-difference-8")] == [2, 2, 8]
    assert found.row("forward-difference").extra_evaluations > 0
