"""Past its domain an operation goes on as SymPy means it: on which side of the cut the value is taken, too."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.principal import _Principal
from adlab.graph.graph import Builder
from adlab.primitives.table import PRIMITIVES

MEANT = {
    "sqrt": mpmath.sqrt, "cbrt": lambda a: mpmath.mpf(a) ** (mpmath.mpf(1) / 3), "log": mpmath.log, "acosh": mpmath.acosh,
    "asin": mpmath.asin, "acos": mpmath.acos, "atanh": mpmath.atanh, "log1p": lambda a: mpmath.log(1 + mpmath.mpf(a)),
    "log2": lambda a: mpmath.log(a, 2),
}  # fmt: skip


def test_all_of_one_operand_are_here() -> None:
    assert set(MEANT) == {name for name, p in PRIMITIVES.items() if p.principal and p.arity == 1 and name != "powr"}


@pytest.mark.parametrize("name", MEANT)
@pytest.mark.parametrize("a", [-40.0, -2.5, -1.25, -0.3, 0.4, 1.75, 9.0])
def test_beyond_its_domain(name: str, a: float) -> None:
    builder = Builder(["a"])
    graph = builder.finish([builder.cons(PRIMITIVES[name], (0,), None)])
    found = complex(evaluate(graph, [np.asarray(a, dtype=complex)], _Principal())[1])
    assert found == pytest.approx(complex(MEANT[name](a)), rel=1e-14)
