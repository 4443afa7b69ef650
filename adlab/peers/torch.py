"""PyTorch: a graph as a function of tensors, differentiated by PyTorch's dynamic graph, and what that graph records."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import torch

from adlab.arithmetic.numbers import evaluate
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray, in_order
from adlab.peers.flat import flat, unflat
from adlab.peers.lowering import COMPARISONS, POWERS, Framework, numpy_names, of_whole_order
from adlab.peers.shapes import Jacobians, checked, no_precision, precision, unreadable

Tensor = Any
TensorFunction = Callable[[Any], Tensor]


def _select(condition: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return torch.where(condition.bool(), a, b)


def _incomplete_gamma(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def of(a: Tensor, n: Any) -> Tensor:
        order = torch.as_tensor(float(n), dtype=a.dtype, device=a.device)
        return function(order, a) * torch.exp(torch.lgamma(order)) if n > 0 else NotImplemented

    return of


def _lifted(number: float, like: Tensor) -> Tensor:
    """A number beside a tensor. Beside a truth value it keeps its digits: a tensor without axes changes no precision."""
    kind = like.dtype if like.is_floating_point() else torch.float64
    return torch.as_tensor(number, dtype=kind, device=like.device)


NUMBERS = Framework(
    "PyTorch",
    {
        **numpy_names(torch), **POWERS, **COMPARISONS,
        "and": torch.logical_and, "or": torch.logical_or, "not": torch.logical_not, "select": _select,
        "erf": torch.erf, "erfc": torch.erfc, "erfinv": torch.erfinv,
        "erfcinv": lambda a: -torch.special.ndtri(a / 2) / np.sqrt(2),  # erfinv(1 - a) would lose a small a
        "loggamma": torch.lgamma, "polygamma": of_whole_order(torch.polygamma),
        "xlogy": torch.xlogy, "zeta": lambda a, n: torch.special.zeta(float(n), a) if n > 1 else NotImplemented,
        "sphericalj": lambda a, n: torch.sinc(a / torch.pi) if n == 0 else NotImplemented,
        "besseli": lambda a, n: {0: torch.special.i0, 1: torch.special.i1}.get(n, lambda a: NotImplemented)(a),
        "lowergamma": _incomplete_gamma(torch.special.gammainc),
        "uppergamma": _incomplete_gamma(torch.special.gammaincc),
    },
    lift=_lifted,
)  # fmt: skip


def function(graph: Graph, dtype: Any = None, vector: bool = False) -> TensorFunction:
    """The graph as a differentiable module: a tensor (..., n) → (...), or (..., m) for m outputs.

    Instead of one tensor it takes a mapping by name, whose tensors are broadcast: data for one variable, a parameter for
    another. A tensor keeps its precision, and numbers become float64; `dtype` overrides both (torch.float32, or a name).
    `vector` keeps the last axis also for m = 1. A call raises MethodError for a primitive that PyTorch lacks.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> a, b = sympy.symbols("a b", real=True)
    >>> f = function(lower([sympy.sin(a * b)], [a, b]))
    >>> x = torch.tensor([[0.0, 1.0], [2.0, 0.5]], dtype=torch.float64, requires_grad=True)
    >>> f(x).sum().backward()
    >>> x.grad
    tensor([[1.0000, 0.0000],
            [0.2702, 1.0806]], dtype=torch.float64)
    >>> f({"a": torch.tensor([0.0, 2.0]), "b": torch.tensor(0.5)})
    tensor([0.0000, 0.8415])
    """
    return Lowered(graph, _kind(dtype), vector)


class Lowered(torch.nn.Module):  # type: ignore[misc]  # PyTorch's types are not read
    """A graph as a module without parameters. It can be a part of other modules, saved, and compiled."""

    def __init__(self, graph: Graph, kind: Any, vector: bool) -> None:
        super().__init__()
        self.graph, self.kind, self.vector = graph, kind, vector
        self.program = NUMBERS.expanded(graph, torch.tensor(0.5))
        _ = self.program.compound  # computed now, since a compiler cannot follow the lock of a cached property

    def forward(self, x: Any) -> Tensor:
        """The values of the outputs."""
        point = self._point(x)
        checked(point.shape, self.graph)
        found = NUMBERS.outputs(self.program, point.unbind(-1))
        full = [value if torch.is_tensor(value) else point.new_full(point.shape[:-1], value) for value in found]
        return full[0] if len(full) == 1 and not self.vector else torch.stack(full, -1)

    def _point(self, x: Any) -> Tensor:
        if not isinstance(x, Mapping):
            return self._real(x, self.kind)
        values = in_order(x, self.graph.inputs)
        kind = self.kind or _common(values)
        try:
            return torch.stack(torch.broadcast_tensors(*(self._real(value, kind) for value in values)), -1)
        except RuntimeError as reason:  # shapes that do not broadcast
            raise unreadable(x, self.graph, reason) from reason

    def _real(self, value: Any, kind: Any) -> Tensor:
        """A tensor, of the precision `kind` if there is one. No gradient is lost on the way."""
        if isinstance(value, (list, tuple)) and any(map(torch.is_tensor, value)):
            kind = kind or _common(value)
            return torch.stack([self._real(each, kind) for each in value])
        if not torch.is_tensor(value):
            try:
                value = torch.as_tensor(value, dtype=None if hasattr(value, "dtype") else torch.float64)
            except (TypeError, ValueError, RuntimeError) as reason:
                raise unreadable(value, self.graph, reason) from reason
        if value.is_complex():
            raise unreadable(value, self.graph, value.dtype)
        return value.to(kind or (value.dtype if value.is_floating_point() else torch.float64))

    def extra_repr(self) -> str:
        """The formula's inputs and size."""
        return repr(self.graph)

    def __reduce__(self) -> Any:
        return _restored, (flat(self.graph), self.kind, self.vector)


def _restored(graph: Any, kind: Any, vector: bool) -> Lowered:
    return Lowered(unflat(*graph), kind, vector)


def _common(values: Sequence[Any]) -> Any:
    """The precision of the tensors among some values; None if there are none. A number adapts to the tensors."""
    kinds = [value.dtype for value in values if torch.is_tensor(value) and value.is_floating_point()]
    return reduce(torch.promote_types, kinds) if kinds else None


def _kind(dtype: Any) -> Any:
    """PyTorch's name for a precision; None for none."""
    found = dtype if dtype is None or isinstance(dtype, torch.dtype) else getattr(torch, precision(dtype), None)
    if dtype is not None and not (isinstance(found, torch.dtype) and found.is_floating_point):
        raise no_precision(dtype)
    return found


# --- the ways to differentiate --------------------------------------------------------------------------------------


def eager(graph: Graph, dtype: str = "float64") -> Jacobians:
    """As PyTorch is mostly used: f runs and records its graph, then there is one backward pass for each output."""
    return _backward(len(graph.outputs), function(graph, dtype, vector=True), dtype)


def compiled(graph: Graph, dtype: str = "float64") -> Jacobians:
    """The same with f through torch.compile. It needs a C++ compiler, and half a minute at first."""
    logging.getLogger("torch._inductor").setLevel(logging.ERROR)
    return _backward(len(graph.outputs), torch.compile(function(graph, dtype, vector=True)), dtype)


def _backward(m: int, f: TensorFunction, dtype: str) -> Jacobians:
    def jacobians(points: FloatArray) -> FloatArray:
        x = torch.tensor(points, dtype=getattr(torch, dtype), requires_grad=True)
        y = f(x)
        # points do not mix, so the gradient of the sum over a batch is that of each point
        rows = [
            torch.autograd.grad(y[..., i].sum(), x, retain_graph=True)[0] if y.requires_grad else torch.zeros_like(x)
            for i in range(m)
        ]
        return _numpy(torch.stack(rows, -2))

    return jacobians


def functional(graph: Graph, dtype: str = "float64") -> Jacobians:
    """torch.func: `grad` (or `jacrev`) makes a new function of f, `vmap` runs it over a batch."""
    if len(graph.outputs) > 1:
        return _transformed(torch.func.jacrev(function(graph, dtype)), dtype)
    gradient = torch.func.grad(function(graph, dtype))
    return _transformed(lambda x: gradient(x).unsqueeze(-2), dtype)


def forward(graph: Graph, dtype: str = "float64") -> Jacobians:
    """torch.func.jacfwd: dual tensors, one tangent for each input."""
    _first_tangent()
    return _transformed(torch.func.jacfwd(function(graph, dtype, vector=True)), dtype)


def hessian(graph: Graph, dtype: str = "float64") -> Jacobians:
    """torch.func.hessian of one output: tangents of a gradient."""
    _first_tangent()
    return _transformed(torch.func.hessian(function(graph, dtype)), dtype)


def _first_tangent() -> None:
    """PyTorch's first JVP calls its own torch.jit.script, which is deprecated, and warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.func.jvp(torch.sin, (torch.ones(1),), (torch.ones(1),))


def _transformed(derivative: TensorFunction, dtype: str) -> Jacobians:
    def jacobians(points: FloatArray) -> FloatArray:
        x = torch.tensor(points, dtype=getattr(torch, dtype))
        over = torch.func.vmap(derivative) if points.ndim > 1 else derivative
        rows = x.reshape(-1, x.shape[-1]) if points.ndim > 1 else x
        found = over(rows)
        return _numpy(found.reshape(*points.shape[:-1], *found.shape[-2:]))

    return jacobians


def _numpy(tensor: Tensor) -> FloatArray:
    return np.asarray(tensor.double())


# --- what it records ------------------------------------------------------------------------------------------------


class Recorded(NamedTuple):
    """One node of the dynamic graph: its name, and the tensors that it saved for the backward pass."""

    name: str
    saved: dict[str, float]


def recorded(graph: Graph, point: FloatArray) -> dict[int, list[Recorded]]:
    """For each operation of adlab's graph, the `grad_fn` chain that running it appends, oldest first."""
    inputs = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in point.tolist()]
    values = evaluate(graph, inputs, NUMBERS)
    known: set[Any] = set()
    return {i: _chain(values[i], known) for i in graph.operations if torch.is_tensor(values[i])}


def _chain(value: Tensor, known: set[Any]) -> list[Recorded]:
    """The nodes from a tensor back to known ones, or to the leaves."""
    new, todo = [], [value.grad_fn]
    while todo:
        node = todo.pop()
        if node is None or node in known or node.name().endswith("AccumulateGrad"):
            continue
        known.add(node)
        new.append(Recorded(node.name(), _saved(node)))
        todo += [source for source, _ in node.next_functions]
    return new[::-1]


def _saved(node: Any) -> dict[str, float]:
    """The tensors that the node keeps, as floats."""
    found = {name.removeprefix("_saved_"): getattr(node, name) for name in dir(node) if name.startswith("_saved_")}
    return {name: value.item() for name, value in found.items() if torch.is_tensor(value)}
