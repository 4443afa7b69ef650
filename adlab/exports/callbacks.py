"""A function for PyTorch, JAX and CasADi as a call back into adlab, for operations that these libraries lack.

Values and derivatives are adlab's own, in binary64 and on the processor. A derivative is a call of the derivative program, in
the same way, so that derivatives of any order exist. Where a number does not exist it is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from adlab.errors import PointError
from adlab.inputs import FloatArray


def _values(f: Any) -> Callable[[Any], FloatArray]:
    """f at points (..., n), as an array (..., m)."""

    def values(points: Any) -> FloatArray:
        given = np.asarray(points, dtype=float)
        found = np.asarray(f(given.reshape(math.prod(given.shape[:-1]), f.n)), dtype=float)
        return found.reshape(*given.shape[:-1], f.m)

    return values


def _check(shape: Any, n: int) -> None:
    """Raises PointError where these are not points of n numbers."""
    if not shape or shape[-1] != n:
        raise PointError(f"the point has shape {tuple(shape)}; give ({n},) or (..., {n})")


@cache
def in_torch(f: Any) -> Callable[[Any], Any]:
    """A function of a tensor (..., n): a `torch.autograd.Function` that calls f forwards and f's derivative program backwards."""
    import torch

    values, n, m = _values(f), f.n, f.m

    class Called(torch.autograd.Function):  # type: ignore[misc]  # PyTorch's types are not read
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.as_tensor(values(x.detach().cpu().double().numpy())).to(x)

        @staticmethod
        def backward(ctx: Any, bar: Any) -> Any:
            (x,) = ctx.saved_tensors
            rows = in_torch(f.derivative())(x).reshape(*x.shape[:-1], m, n)
            return (bar.unsqueeze(-1) * rows).sum(-2)

    def call(x: Any) -> Any:
        _check(x.shape, n)
        found = Called.apply(x if x.is_floating_point() else x.double())
        return found.squeeze(-1) if f.scalar else found

    return call


@cache
def in_jax(f: Any) -> Callable[[Any], Any]:
    """A function of an array (..., n) with a `jax.custom_vjp`. It calls f, and f's derivative program in reverse mode."""
    import jax
    import jax.numpy as jnp

    values, n, m = _values(f), f.n, f.m

    def plain(x: Any) -> Any:
        shape = jax.ShapeDtypeStruct((*x.shape[:-1], m), x.dtype)
        return jax.pure_callback(lambda y: values(y).astype(y.dtype), shape, x, vmap_method="expand_dims")

    called: Any = jax.custom_vjp(plain)

    def backward(x: Any, bar: Any) -> Any:
        rows = in_jax(f.derivative())(x).reshape(*x.shape[:-1], m, n)
        return ((bar[..., None] * rows).sum(-2),)

    called.defvjp(lambda x: (called(x), x), backward)

    def call(x: Any) -> Any:
        point = jnp.asarray(x)
        _check(point.shape, n)
        found = called(point if jnp.issubdtype(point.dtype, jnp.floating) else point.astype(float))
        return found[..., 0] if f.scalar else found

    return call


@cache
def in_casadi(f: Any, name: str) -> Any:
    """A `casadi.Callback` of a vector (n) with a vector (m), whose Jacobian is another one. It is kept, since CasADi does not."""
    import casadi

    values, n, m = _values(f), f.n, f.m

    class Called(casadi.Callback):
        def __init__(self, matrix: bool) -> None:
            super().__init__()
            self.matrix, self.kept = matrix, list[Any]()
            self.construct(name, {})

        def get_n_in(self) -> int:
            return 2 if self.matrix else 1

        def get_sparsity_in(self, place: int) -> Any:
            return casadi.Sparsity.dense((m if place else n), 1)

        def get_sparsity_out(self, _: int) -> Any:
            return casadi.Sparsity.dense(m, n if self.matrix else 1)

        def eval(self, given: Any) -> Any:
            x = np.asarray(given[0], dtype=float).reshape(n)
            found = f.derivative()(x[None]) if self.matrix else values(x)
            return [casadi.DM(np.reshape(found, (m, n if self.matrix else 1)))]

        def has_jacobian(self) -> bool:
            return not self.matrix

        def get_jacobian(self, *_: Any) -> Any:
            self.kept.append(Called(matrix=True))  # CasADi does not keep it alive
            return self.kept[-1]

    return Called(matrix=False)
