"""JAX: a graph as a pure function of arrays, transformed by `grad`, `jit` and `vmap`, and the programs these write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as special
import numpy as np

from adlab.errors import OptionError
from adlab.graph.graph import Graph
from adlab.peers.lowering import COMPARISONS, POWERS, Framework, numpy_names
from adlab.peers.shapes import Jacobians, checked
from adlab.points import FloatArray

Array = Any
ArrayFunction = Callable[[Any], Array]


def _incomplete_gamma(function: Callable[..., Array]) -> Callable[..., Array]:
    return lambda a, n: function(float(n), a) * special.gamma(float(n)) if n > 0 else NotImplemented


NUMBERS = Framework(
    "JAX",
    {
        **numpy_names(jnp), **POWERS, **COMPARISONS, "cbrt": jnp.cbrt,
        "and": jnp.logical_and, "or": jnp.logical_or, "not": jnp.logical_not,
        "select": lambda condition, a, b: jnp.where(jnp.asarray(condition).astype(bool), a, b),
        "heaviside": lambda a, n: jnp.heaviside(a, float(n)),
        "erf": special.erf, "erfc": special.erfc, "erfinv": special.erfinv,
        "gamma": special.gamma, "loggamma": special.gammaln, "polygamma": lambda a, n: special.polygamma(int(n), a),
        "zeta": lambda a, n: special.zeta(float(n), a), "Ei": special.expi,
        "Si": lambda a: special.sici(a)[0], "Ci": lambda a: special.sici(a)[1],
        "fresnels": lambda a: special.fresnel(a)[0], "fresnelc": lambda a: special.fresnel(a)[1],
        "sphericalj": lambda a, n: jnp.sinc(a / jnp.pi) if n == 0 else NotImplemented,
        "besseli": lambda a, n: {0: special.i0, 1: special.i1}.get(n, lambda a: NotImplemented)(a),
        "expint": lambda a, n: special.expn(int(n), a) if n == int(n) and n >= 1 else NotImplemented,
        "lowergamma": _incomplete_gamma(special.gammainc), "uppergamma": _incomplete_gamma(special.gammaincc),
    },
)  # fmt: skip


def function(graph: Graph, dtype: Any = None, vector: bool = False) -> ArrayFunction:
    """The graph as a pure function of an array: (..., n) → (...), or (..., m) for m outputs; for grad, jit and vmap.

    `dtype` is "float32" or "float64"; None is JAX's own default, float32 unless it has been told to enable 64 bits.
    `vector` keeps the last axis for m = 1 too. When it is called it raises OptionError where JAX would silently
    compute in float32 what was asked for in float64, and MethodError for a primitive that JAX lacks.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> a, b = sympy.symbols("a b", real=True)
    >>> f = function(lower([sympy.sin(a * b)], [a, b]))
    >>> jax.vmap(jax.grad(f))(jnp.array([[0.0, 1.0], [2.0, 0.5]]))
    Array([[1.        , 0.        ],
           [0.27015114, 1.0806046 ]], dtype=float32)
    """

    def f(x: Any) -> Array:
        kind = jnp.dtype(dtype or float)
        if kind == np.float64 and not jax.config.jax_enable_x64 and dtype is not None:
            raise OptionError(
                'JAX computes in float32 until it is told otherwise: call jax.config.update("jax_enable_x64", True) '
                'first, or ask for dtype="float32"'
            )
        point = jnp.asarray(x, dtype=jax.dtypes.canonicalize_dtype(kind))
        checked(point.shape, graph)
        found = NUMBERS.outputs(graph, [point[..., i] for i in range(len(graph.inputs))])
        full = [jnp.broadcast_to(jnp.asarray(value, point.dtype), point.shape[:-1]) for value in found]
        return full[0] if len(full) == 1 and not vector else jnp.stack(full, -1)

    return f


# --- the ways to differentiate --------------------------------------------------------------------------------------


def reverse(graph: Graph, dtype: str = "float64") -> Jacobians:
    """jit(grad(f)), or jacrev for several outputs: traced once, transposed, compiled by XLA."""
    return _transformed(_gradient(graph, dtype), dtype, jax.jit)


def forward(graph: Graph, dtype: str = "float64") -> Jacobians:
    """jit(jacfwd(f)): one JVP for each input, under vmap."""
    return _transformed(jax.jacfwd(function(graph, dtype, vector=True)), dtype, jax.jit)


def eager(graph: Graph, dtype: str = "float64") -> Jacobians:
    """grad(f) without jit: every operation is dispatched by itself, each time."""
    return _transformed(_gradient(graph, dtype), dtype, lambda derivative: derivative)


def _gradient(graph: Graph, dtype: str) -> ArrayFunction:
    if len(graph.outputs) > 1:
        jacobian: ArrayFunction = jax.jacrev(function(graph, dtype))
        return jacobian
    gradient = jax.grad(function(graph, dtype))
    return lambda x: gradient(x)[None, :]


def _transformed(derivative: ArrayFunction, dtype: str, finish: Callable[[ArrayFunction], ArrayFunction]) -> Jacobians:
    one, many = finish(derivative), finish(jax.vmap(derivative))

    def jacobians(points: FloatArray) -> FloatArray:
        with jax.enable_x64(dtype == "float64"):
            if points.ndim == 1:
                return np.asarray(one(points), dtype=float)
            found = np.asarray(many(points.reshape(-1, points.shape[-1])), dtype=float)
            return found.reshape(*points.shape[:-1], *found.shape[-2:])

    return jacobians


# --- the programs it writes -----------------------------------------------------------------------------------------


def jaxprs(graph: Graph, point: FloatArray) -> tuple[Any, Any]:
    """The jaxpr of f, and that of its gradient, f being a function of n numbers."""
    with jax.enable_x64(True):
        f, numbers = _of_numbers(graph), point.tolist()
        gradient = jax.grad(f, argnums=tuple(range(len(numbers))))
        return jax.make_jaxpr(f)(*numbers), jax.make_jaxpr(gradient)(*numbers)


def residuals(graph: Graph, point: FloatArray) -> list[float]:
    """What `jax.vjp` keeps for the backward pass."""
    with jax.enable_x64(True):
        _, pullback = jax.vjp(_of_numbers(graph), *map(jnp.float64, point.tolist()))
        return [float(kept) for kept in jax.tree_util.tree_leaves(pullback)]


def compiled_text(graph: Graph, point: FloatArray) -> str:
    """What XLA makes of jit(grad(f)): its HLO, after fusion."""
    with jax.enable_x64(True):
        f, numbers = _of_numbers(graph), point.tolist()
        gradient = jax.jit(jax.grad(f, argnums=tuple(range(len(numbers)))))
        return str(gradient.lower(*numbers).compile().as_text())


def equations(jaxpr: Any) -> list[str]:
    """The primitives of a jaxpr in order, those inside calls and jits included."""
    names: list[str] = []
    todo = [iter(jaxpr.jaxpr.eqns)]
    while todo:
        for equation in todo[-1]:
            inner = [getattr(p, "jaxpr", p) for p in equation.params.values() if hasattr(getattr(p, "jaxpr", p), "eqns")]
            if inner:
                todo.append(iter([nested for jaxpr in inner for nested in jaxpr.eqns]))
                break
            names.append(equation.primitive.name)
        else:
            todo.pop()
    return names


def _of_numbers(graph: Graph) -> Callable[..., Array]:
    """f of n numbers, so that no slicing of a vector stands in its jaxpr."""
    return lambda *inputs: NUMBERS.outputs(graph, inputs)[0]
