"""A graph for PyTorch with adlab's own derivatives: PyTorch computes the values, adlab's programs say what to compute.

PyTorch's own rules lose digits (tanh beyond 20, softplus at 0, asinh far out), and a branch that is not taken turns the
gradient to NaN. Here the backward pass runs the adjoint program of the graph, the forward pass its tangent program. These
are exported in the same way, so that derivatives of any order keep their digits and their guards.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch

from adlab.autodiff.programs import adjoint_program, fresh, tangent_program
from adlab.exports.again import to_differentiate
from adlab.graph.graph import Graph
from adlab.peers.flat import flat, unflat
from adlab.peers.shapes import checked
from adlab.peers.torch import NUMBERS, Lowered, _kind

Tensor = Any


class _Walk(torch.autograd.Function):  # type: ignore[misc]  # PyTorch's types are not read
    """The outputs (..., m) of an export at points (..., n)."""

    generate_vmap_rule = True

    @staticmethod
    def forward(point: Tensor, export: Exported) -> Tensor:
        return export.values(point)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        point, ctx.export = inputs
        ctx.save_for_backward(point)
        ctx.save_for_forward(point)

    @staticmethod
    def backward(ctx: Any, bar: Tensor) -> Any:
        (point,) = ctx.saved_tensors
        return _Walk.apply(torch.cat([point, bar], -1), ctx.export.adjoint), None

    @staticmethod
    def jvp(ctx: Any, dot: Tensor, _: Any) -> Tensor:
        (point,) = ctx.saved_tensors
        return _Walk.apply(torch.cat([point, dot.to(point.dtype)], -1), ctx.export.tangent)


class Exported(Lowered):
    """A graph as a module, differentiated by adlab's rules. `adlab.peers.torch.function` says what it takes."""

    def forward(self, x: Any) -> Tensor:
        """The values of the outputs."""
        point = self._point(x)
        checked(point.shape, self.graph)
        # A compiler follows operations, not adlab's classes. So it gets PyTorch's own rules.
        found = self.values(point) if torch.compiler.is_compiling() else _Walk.apply(point, self)
        return found if len(self.graph.outputs) > 1 or self.vector else found.squeeze(-1)

    def values(self, point: Tensor) -> Tensor:
        found = NUMBERS.outputs(self.program, point.unbind(-1))
        full = [value if torch.is_tensor(value) else point.new_full(point.shape[:-1], value) for value in found]
        return torch.stack([value.to(point.dtype) for value in full], -1) if full else point[..., :0]

    @cached_property
    def adjoint(self) -> Exported:
        names = fresh(self.graph.inputs, [f"bar{i}" for i in range(len(self.graph.outputs))])
        return Exported(adjoint_program(to_differentiate(self.graph), names), self.kind, True)

    @cached_property
    def tangent(self) -> Exported:
        names = fresh(self.graph.inputs, [f"dot{i}" for i in range(len(self.graph.inputs))])
        return Exported(tangent_program(to_differentiate(self.graph), names), self.kind, True)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in (
            "adjoint",
            "tangent",
        ):  # they are not parts of the module; otherwise they would be counted and saved with it
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def __reduce__(self) -> Any:
        return _restored, (flat(self.graph), self.kind, self.vector)


def _restored(graph: Any, kind: Any, vector: bool) -> Exported:
    return Exported(unflat(*graph), kind, vector)


def export(graph: Graph, dtype: Any = None) -> Exported:
    """The graph as a differentiable module: a tensor (..., n), or tensors by name, → (...), or (..., m) for m outputs.

    Raises MethodError, when it is called, for a primitive that PyTorch lacks. Inside torch.compile, which does not follow
    adlab's classes, PyTorch's own rules hold.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> a = sympy.Symbol("a", real=True)
    >>> f = export(lower([sympy.tanh(a)], [a]))
    >>> x = torch.tensor([25.0], dtype=torch.float64, requires_grad=True)
    >>> f(x).backward()
    >>> x.grad  # PyTorch's own rule, 1 - tanh(x)**2, gives 0
    tensor([7.7150e-22], dtype=torch.float64)
    """
    return Exported(graph, _kind(dtype), False)
