"""The contestants of `adlab bench`, in one list, and when their answers count."""

from __future__ import annotations

import math
from collections.abc import Sequence

from adlab.bench.contestant import Contestant
from adlab.bench.from_formulas import Autograd, Casadi, CasadiC, Ddx, Heyoka, Jax, Symengine, Torch, TorchScalar
from adlab.bench.from_sympy import Adlab, AdlabNumpy, ForwardJacobian, Numba, Sympy
from adlab.bench.hessians import HESSIANS, SPARSE_JACOBIANS
from adlab.bench.problems import Problem

CONTESTANTS: dict[str, type[Contestant]] = {
    contestant.name: contestant
    for contestant in (Adlab, AdlabNumpy, Sympy, ForwardJacobian, Numba,
                       Symengine, Casadi, CasadiC, Ddx, Heyoka, Torch, TorchScalar, Jax, Autograd)
}


def contestant_of(peer: str, problem: Problem) -> type[Contestant] | None:
    """The class that solves this problem under that name. None where the library is not asked for Hessians."""
    if problem.order == 2:
        return HESSIANS.get(peer)
    return SPARSE_JACOBIANS.get(peer, CONTESTANTS[peer]) if problem.sparse else CONTESTANTS[peer]


def agrees(found: Sequence[float], expected: Sequence[float]) -> bool:
    """Whether a contestant solved the same problem: every partial to 1e-8 of the largest."""
    scale = max((abs(value) for value in expected), default=1.0)
    return len(found) == len(expected) and all(
        math.isclose(a, b, rel_tol=1e-8, abs_tol=1e-8 * scale) for a, b in zip(found, expected, strict=True)
    )
