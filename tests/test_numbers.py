"""Published and independently computed numbers: Baydin et al. (2018), and high-precision values of the worked example."""

from __future__ import annotations

import math

import numpy as np
import pytest

import adlab
from adlab.report.conditioning import conditioning

WORKED = {
    "v1": (3, 0.6054919680), "v2": (9, 0.10091532799216195), "v3": (2, -0.0419955945),
    "v4": (0.9092974268256817, 0.10091532799216195), "v5": (9.909297426825681, 0.10091532799216195),
    "v6": (2.2934734504528866, 1),
}  # fmt: skip
GRADIENTS = {
    (1, 2): (2.2934734504528866, (0.5215007789468607, 0.5634963734499162)),
    (2, 3): (3.207636277204819, (0.5210439445318398, 0.4822030228464966)),
    (2, 5): (3.880655734007233, (0.2023412296974792, 0.2542897125253650)),
}
DERIVATIVES = [
    ("exp(x)/sqrt(sin(x)**3 + cos(x)**3)", 1.5, 4.0534278938986206577),
    ("sin(1/x)", 0.45, 2.9941773944386926441),
    ("x**(3/2)", 0.1, 0.47434164902525691297),
    ("(exp(x) - 1)**2 + (1/sqrt(1 + x**2) - 1)**2", 1.0, 9.5486553221297575081),
    ("exp(100*x)", 0.01, 271.82818284590452919),
    ("x**4 + 3*x**2 - 10*x", 0.99999, -1.7999880000318082620e-4),
    ("exp(x)/(cos(x)**3 + sin(x)**3)", math.pi / 4, 3.1017663938360516851),
    ("log(x)", 1e-3, 999.99999999999997918),
    ("(1 - cos(x))/x**2", 1e-4, -8.3333333277777781786e-6),
    ("tanh(1000*x)", 1e-3, 419.97434161402605608),
]


def test_the_worked_example_is_six_operations_in_this_order() -> None:
    lines = ["v1 = x1 + x2", "v2 = v1**2", "v3 = x1*x2", "v4 = sin(v3)", "v5 = v2 + v4", "v6 = log(v5)"]
    assert str(adlab.gallery.worked_example().graph).splitlines() == lines
    assert str(adlab.Function("log((x1 + x2)**2 + sin(x1*x2))").graph).splitlines() == lines


def test_values_and_adjoints_of_the_worked_example() -> None:
    rows = {row["node"]: row for row in adlab.gallery.worked_example().trace([1, 2]).to_dict()["rows"]}
    for node, (primal, adjoint) in WORKED.items():
        assert rows[node]["primal"] == pytest.approx(primal, rel=1e-15)
        assert rows[node]["adjoint"] == pytest.approx(adjoint, rel=1e-9)


@pytest.mark.parametrize("method", ["reverse", "forward", "symbolic", "symbolic-cse", "complex-step"])
@pytest.mark.parametrize("point", GRADIENTS, ids=str)
def test_gradients_of_the_worked_example(point, method: str) -> None:
    value, gradient = GRADIENTS[point]
    f = adlab.gallery.worked_example()
    assert f(point) == pytest.approx(value, rel=1e-15)
    assert f.gradient(point, method=method) == pytest.approx(gradient, rel=2e-15)


def test_the_published_traces_of_baydin_et_al() -> None:
    """Their Tables 2 and 3: values, tangents for (1, 0), adjoints, and the contributions that x1 and x2 receive."""
    rows = adlab.gallery.baydin().trace([2, 5], tangent=[1, 0]).to_dict()["rows"]
    found = {row["node"]: row for row in rows}
    assert [found[f"v{i}"]["primal"] for i in range(1, 6)] == pytest.approx([0.693, 10, -0.959, 10.693, 11.652], abs=6e-4)
    assert found["v5"]["primal"] == pytest.approx(11.652071455223084, rel=1e-15)
    assert [found[f"v{i}"]["tangent"] for i in range(1, 6)] == [0.5, 5, 0, 5.5, 5.5]
    assert [found[f"v{i}"]["adjoint"] for i in range(1, 6)] == [1, 1, -1, 1, 1]
    assert found["x1"]["adjoint"] == 5.5
    assert sorted(c["value"] for c in found["x1"]["contributions"]) == [0.5, 5]
    assert found["x2"]["adjoint"] == pytest.approx(1.7163378145367738, rel=1e-15)
    assert sorted(c["value"] for c in found["x2"]["contributions"]) == pytest.approx([-math.cos(5), 2])


@pytest.mark.parametrize("form", ["written", "evaluated"])
def test_slopes_of_the_logistic_map(form: str) -> None:
    for x, slopes in ((0.3, (1, 1.6, -4.352, 1.3090816)), (0.2, (1, 2.4, -2.688, 9.0660864))):
        for n, slope in enumerate(slopes, 1):
            assert adlab.gallery.logistic_map(n, form=form).gradient(x)[0] == pytest.approx(slope, rel=1e-14)


@pytest.mark.parametrize(("formula", "x", "slope"), DERIVATIVES, ids=[row[0] for row in DERIVATIVES])
def test_derivatives_at_the_exact_binary64_point(formula: str, x: float, slope: float) -> None:
    """The truth to its 18 digits; automatic differentiation to what the conditioning of the point leaves it."""
    f = adlab.Function(formula)
    assert float(adlab.truth(f, x).gradient[0]) == pytest.approx(slope, rel=2e-16)
    kappa = max(1.0, float(conditioning(f, np.array([x])).partials[0, 0]))
    for method in ("reverse", "forward"):
        got = f.gradient(x, method=method)[0]
        if formula.startswith("(1 - cos"):  # two terms of 1e4 cancel to 1e-5: automatic differentiation rounds too
            assert abs(got / slope - 1) > 1
        else:
            assert got == pytest.approx(slope, rel=20 * kappa * 2.0**-53)


@pytest.mark.parametrize(("n", "multiplications"), [(3, 3), (5, 9), (10, 24)])
def test_speelpennings_reverse_program(n: int, multiplications: int) -> None:
    assert adlab.gallery.speelpenning(n).derivative("reverse").graph.counts() == {"mul": multiplications}


def test_the_trap_that_fools_raising_the_precision() -> None:
    """x(1 + (exp(1e-80) - 1)·1e80) reads x at 60 and at 75 digits; its derivative is 2."""
    import sympy

    x, tiny = sympy.Symbol("x", real=True), sympy.Rational(1, 10**80)
    inner = sympy.Mul(sympy.Add(sympy.exp(tiny), -1, evaluate=False), sympy.Integer(10) ** 80, evaluate=False)
    found = adlab.truth(sympy.Mul(x, sympy.Add(1, inner, evaluate=False), evaluate=False), 1.5)
    assert float(found.gradient[0]) == pytest.approx(2.0, rel=1e-15)
