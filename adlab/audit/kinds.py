"""Kinds of floats at which rules are tested: binary64, and the shorter ones that PyTorch and JAX have."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from adlab.errors import AdlabError, OptionError
from adlab.inputs import FloatArray


@dataclass(frozen=True)
class FloatKind:
    """A kind of floats. Only true derivatives between `small` and `large` are asked for: beyond, it has few digits, or none."""

    name: str
    bits: int
    small: float
    large: float

    @property
    def half(self) -> float:
        """A derivative with fewer correct digits has lost more than half of them."""
        return round(self.bits * math.log10(2) / 2, 1)

    @property
    def ulp(self) -> float:
        """One unit in the last place, in those of binary64."""
        return 2.0 ** (53 - self.bits)

    def rounded(self, points: FloatArray) -> FloatArray:
        """The points as this kind has them, each once; without those that it has only as 0 or infinity."""
        if self.name == "float64":
            return points
        short = np.float32(points[(np.abs(points) > self.small) & (np.abs(points) < self.large)])
        if self.name == "bfloat16":  # the upper half of a float32, rounded to even
            bits = short.view(np.uint32)
            short = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).view(np.float32)
        return np.unique(short.astype(float))


KINDS = {kind.name: kind for kind in (FloatKind("float64", 53, 1e-290, 1e290), FloatKind("float32", 24, 1e-30, 1e30),
                                      FloatKind("bfloat16", 8, 1e-30, 1e30))}  # fmt: skip


def kind_of(name: str) -> FloatKind:
    """The kind of this name. Raises OptionError for another."""
    if name not in KINDS:
        raise OptionError(f"dtype={name!r}: rules are audited in {', '.join(KINDS)}")
    return KINDS[name]


def in_short(f: Any, system: str, native: Any, points: FloatArray, order: int, kind: FloatKind) -> FloatArray | None:
    """A derivative of one function of one variable, computed in a short kind by PyTorch or JAX; None where there is no such rule.

    `native` is the library's own function of that name, if it has one. adlab's rules run as its export for PyTorch does.
    """
    try:
        if system == "jax":
            return _by_jax(f, native, points, order, kind.name)
        return _by_torch(f, native, points, order, kind.name, system == "adlab")
    except (AdlabError, RuntimeError, NotImplementedError, TypeError):  # each library lacks some functions in some kinds
        return None


def _by_torch(f: Any, native: Any, points: FloatArray, order: int, kind: str, exported: bool) -> FloatArray:
    import torch

    from adlab.peers.torch import function as lowered

    own = f.to_torch(kind) if exported else None if native else lowered(f.graph, kind)
    x = torch.tensor(points, dtype=getattr(torch, kind), requires_grad=True)
    value = own(x.unsqueeze(-1)) if own else native(x)
    for k in range(order):
        [value] = torch.autograd.grad(value.sum(), x, create_graph=k + 1 < order)
    return np.asarray(value.detach().double(), dtype=float)


def _by_jax(f: Any, native: Any, points: FloatArray, order: int, kind: str) -> FloatArray:
    import jax
    import jax.numpy as jnp

    from adlab.peers.jax import function as lowered

    own = None if native else lowered(f.graph, kind)

    def function(x: Any) -> Any:
        return own(x[None]) if own else native(x)

    derivative = function
    for _ in range(order):
        derivative = jax.grad(derivative)
    return np.asarray(jax.vmap(derivative)(jnp.asarray(points, kind)), dtype=float)
