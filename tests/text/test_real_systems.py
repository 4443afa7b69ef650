"""SymPy's own objects at work: read as they are, differentiated, compiled. SymPy's derivatives of the same are the judge."""

from __future__ import annotations

import importlib
import time
from typing import Any

import numpy as np
import pytest
import real_systems as systems
import sympy
from sympy import stats

import adlab

SMALL = {"Kane": lambda: systems.by_kane(2), "Lagrange": lambda: systems.by_lagrange(2),
         "kinetics": lambda: systems.kinetics(8, 12)}  # fmt: skip
LARGE = {"Kane": lambda: systems.by_kane(10), "Lagrange": lambda: systems.by_lagrange(10), "kinetics": systems.kinetics,
         "Kalman": systems.kalman}  # fmt: skip


def plain(outputs: Any, leaves: list[Any]) -> tuple[Any, list[sympy.Symbol]]:
    """The same with a symbol for each leaf, derivatives first: what lambdify can print."""
    letters = {leaf: sympy.Symbol(f"z{i}") for i, leaf in enumerate(leaves)}
    for order in (sympy.Derivative, sympy.Basic):
        outputs = outputs.xreplace({leaf: z for leaf, z in letters.items() if isinstance(leaf, order)})
    return outputs, list(letters.values())


def by_sympy(outputs: Any, leaves: list[Any]) -> Any:
    """`diff`, then lambdify with cse."""
    outputs, letters = plain(sympy.Matrix(list(outputs)), leaves)
    return sympy.lambdify([letters], outputs.jacobian(letters), cse=True)


def by_forward(outputs: Any, leaves: list[Any]) -> Any:
    """SymPy's `_forward_jacobian`, then lambdify with cse."""
    outputs, letters = plain(sympy.Matrix(list(outputs)), leaves)
    forward = importlib.import_module("sympy.simplify._cse_diff")._forward_jacobian
    return sympy.lambdify([letters], forward(outputs, sympy.Matrix(letters)), cse=True)


def jacobian_of(outputs: Any, leaves: list[Any], x: Any) -> Any:
    f = adlab.Function(outputs, variables=leaves)
    return f.compile(derivative="jacobian")(x).reshape(f.m, f.n)


@pytest.mark.parametrize("name", SMALL)
def test_a_system_is_read_with_its_leaves_whole_and_its_jacobian_is_sympys(name: str) -> None:
    outputs, leaves = SMALL[name]()
    x = np.random.default_rng(4).random(len(leaves)) + 0.5
    f = adlab.Function(outputs, variables=leaves)
    assert (f.n, f.m) == (len(leaves), outputs.shape[0] * outputs.shape[1])
    theirs = np.array(by_sympy(outputs, leaves)(x), dtype=float)
    assert f.jacobian(x).reshape(theirs.shape) == pytest.approx(theirs, rel=1e-11, abs=1e-12)
    assert jacobian_of(outputs, leaves, x) == pytest.approx(theirs, rel=1e-11, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_a_large_system_takes_adlab_less_time_to_the_first_jacobian(name: str) -> None:
    """The clock runs from the expression to the first numbers, with SymPy's cache emptied. Derivation is all that it times."""
    outputs, leaves = LARGE[name]()
    outputs = outputs[:, -1:]  # of equations of motion the forces
    x, took, found = np.random.default_rng(4).random(len(leaves)) + 0.5, dict[str, float](), dict[str, Any]()
    ways = {"adlab": jacobian_of, "forward": lambda *given: by_forward(*given[:2])(given[2]),
            "diff": lambda *given: by_sympy(*given[:2])(given[2])}  # fmt: skip
    jacobian_of(*SMALL["kinetics"](), np.ones(20))  # whatever is imported once
    for way, compute in ways.items():
        importlib.import_module("sympy.core.cache").clear_cache()
        begin = time.process_time()
        found[way] = np.array(compute(outputs, leaves, x), dtype=float)
        took[way] = time.process_time() - begin
    print(name, took)
    for way in ("forward", "diff"):
        assert found["adlab"] == pytest.approx(found[way].reshape(found["adlab"].shape), rel=1e-9, abs=1e-10)
        assert took["adlab"] < took[way], took


@pytest.mark.parametrize("variable", systems.DENSITIES, ids=lambda v: type(v.pspace.distribution).__name__)
def test_a_density_of_sympy_has_a_certified_gradient(variable: Any) -> None:
    pytest.importorskip("flint")
    density = stats.density(variable)(systems.x)
    names = sorted(density.free_symbols, key=str)
    narrow = type(variable.pspace.distribution).__name__ in ("ParetoDistribution", "ReciprocalDistribution")  # x within [a, b]
    at = {"x": 1.2, "a": 1.0, "b": 2.5} if narrow else {"x": 0.6, "a": 0.5, "b": 1.7}
    point = [at[v.name] for v in names]
    judged = adlab.truth(adlab.Function(density, variables=names), point, digits=15)
    truth = np.array([float(partial) for partial in judged.gradient])
    assert {row.status for row in judged.components} == {"certified"}
    assert np.abs(adlab.Function(density, variables=names).gradient(point) - truth).max() <= 2e-15 * np.abs(truth).max()
