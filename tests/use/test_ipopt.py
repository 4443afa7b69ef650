"""Minima by IPOPT: the same as SciPy's, within bounds and constraints."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

import adlab

SPECS = [
    ("(x - 3)**2 + (y - 2)**2", [0.0, 0.0], None, [("x + y", None, 2.0)], [1.5, 0.5]),
    ("(x - 3)**2 + (y - 2)**2", [0.5, 0.5], None, [("x**2 + y**2", 1.0, 1.0)], [3 / 13**0.5, 2 / 13**0.5]),
    ("(1 - x)**2 + 100*(y - x**2)**2", [0.0, 0.0], {"x": (None, 0.5)}, [], [0.5, 0.25]),
    ("x*y", [1.0, 2.0], {"x": (0.1, None), "y": (0.1, None)}, [("x + y", 1.0, 4.0)], None),
]


@pytest.mark.parametrize(("f", "start", "bounds", "constraints", "at"), SPECS)
def test_ipopt_ends_where_the_minimum_is(f, start, bounds, constraints, at) -> None:
    pytest.importorskip("cyipopt")
    found = adlab.minimize(f, start, bounds, constraints, method="ipopt")
    assert found.converged
    assert found.kind == "constrained"
    if at is None:
        at = adlab.minimize(f, start, bounds, constraints).point
    np.testing.assert_allclose(np.sort(found.point), np.sort(at), atol=1e-6)


def test_without_constraints_the_kind_of_point_is_told() -> None:
    pytest.importorskip("cyipopt")
    found = adlab.minimize("(1 - x)**2 + 100*(y - x**2)**2", [-1.2, 1.0], method="ipopt")
    assert found.kind == "minimum"
    np.testing.assert_allclose(found.point, [1.0, 1.0], atol=1e-8)


def test_what_is_missing_or_unknown_is_said() -> None:
    pytest.importorskip("scipy")
    with pytest.raises(adlab.AdlabError, match="neither 'scipy' nor 'ipopt'"):
        adlab.minimize("x**2", [1.0], method="simplex")
    if find_spec("cyipopt") is None:
        with pytest.raises(adlab.AdlabError, match="needs cyipopt"):
            adlab.minimize("x**2", [1.0], method="ipopt")
