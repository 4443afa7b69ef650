"""JAX: a graph as a pure function of arrays, transformed by `grad`, `jit` and `vmap`, and the programs these write."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as special
import numpy as np

from adlab.errors import AdlabError, MethodError, OptionError
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray, in_order
from adlab.peers.lowering import COMPARISONS, POWERS, Framework, numpy_names, of_whole_order
from adlab.peers.shapes import Jacobians, checked, no_precision, precision, unreadable

Array = Any
ArrayFunction = Callable[[Any], Array]


def _incomplete_gamma(function: Callable[..., Array]) -> Callable[..., Array]:
    return lambda a, n: function(float(n), a) * special.gamma(float(n)) if n > 0 else NotImplemented


def _right_of_zero(found: Array, a: Array) -> Array:
    """Left of 0 JAX gives a wrong number. NaN, in the gradient too, says that there is none."""
    return found * jnp.where(a > 0, 1.0, jnp.nan)


def _zeta(a: Array, n: Any) -> Array:
    return _right_of_zero(special.zeta(float(n), a), a) if n > 1 else NotImplemented


def _polygamma(n: int, a: Array) -> Array:
    return _digamma(a) if n == 0 else _right_of_zero(special.polygamma(n, a), a)


def _digamma(a: Array) -> Array:
    """Reflected to the right of 0, because the derivative of JAX's own function is wrong far to the left."""
    left = a < 0
    beside = jnp.where(left, a - jnp.round(a), 0.25)
    return special.digamma(jnp.where(left, 1 - a, a)) - jnp.where(left, jnp.pi / jnp.tan(jnp.pi * beside), 0.0)


SMALL = 0.01
"""Below it `expn` sums its continued fraction for ever, even if only one number of a batch is so small."""


def _is_bfloat16(a: Array) -> bool:
    """In this kind of floats `expn` does not end: its continued fraction never settles."""
    return bool(getattr(a, "dtype", None) == jnp.bfloat16)


@cache
def _expint_of(order: int) -> Callable[[Array], Array]:
    """E_n by `expn`, and near 0 by its series. Each sees only arguments of its own side. E_n' is -E_(n-1)."""

    def value(a: Array) -> Array:
        small = a < SMALL
        x, whole = jnp.where(small & (a != 0), a, SMALL), jnp.where(small, 1.0, a)
        terms = [(-x) ** k / ((k - order + 1) * math.factorial(k)) for k in range(order + 8) if k != order - 1]
        logarithmic = (-x) ** (order - 1) / math.factorial(order - 1) * (special.digamma(float(order)) - jnp.log(x))
        series = logarithmic - sum(terms)
        at_zero = 1 / (order - 1) if order > 1 else jnp.inf
        return jnp.where(a == 0, at_zero, jnp.where(small, series, special.expn(order, whole)))

    return _with_slope(value, lambda a: -(jnp.exp(-a) / a if order == 1 else _expint_of(order - 1)(a)))


def _with_slope(value: Callable[[Array], Array], slope: Callable[[Array], Array]) -> Callable[[Array], Array]:
    function: Any = jax.custom_jvp(value)
    function.defjvps(lambda dot, out, a: dot * slope(a))
    known: Callable[[Array], Array] = function
    return known


def _exponential_integral(a: Array) -> Array:
    left = a < 0
    return jnp.where(left, -_expint_of(1)(jnp.where(left, -a, 1.0)), special.expi(jnp.where(left, 1.0, a)))


NUMBERS = Framework(
    "JAX",
    {
        **numpy_names(jnp), **POWERS, **COMPARISONS, "cbrt": jnp.cbrt,
        "and": jnp.logical_and, "or": jnp.logical_or, "not": jnp.logical_not,
        "select": lambda condition, a, b: jnp.where(jnp.asarray(condition).astype(bool), a, b),
        "heaviside": lambda a, n: jnp.heaviside(a, float(n)),
        "xlogy": special.xlogy, "erf": special.erf, "erfc": special.erfc, "erfinv": special.erfinv,
        "gamma": special.gamma, "loggamma": special.gammaln, "polygamma": of_whole_order(_polygamma), "zeta": _zeta,
        "Ei": _with_slope(_exponential_integral, lambda a: jnp.exp(a) / a),
        "expint": lambda a, n: _expint_of(int(n))(a) if n == int(n) and n >= 1 and not _is_bfloat16(a) else NotImplemented,
        "erfcinv": lambda a: -special.ndtri(a / 2) / np.sqrt(2),  # erfinv(1 - a) would lose a small a
        "Si": lambda a: special.sici(a)[0], "Ci": lambda a: special.sici(a)[1],
        "fresnels": lambda a: special.fresnel(a)[0], "fresnelc": lambda a: special.fresnel(a)[1],
        "sphericalj": lambda a, n: jnp.sinc(a / jnp.pi) if n == 0 else NotImplemented,
        "besseli": lambda a, n: {0: special.i0, 1: special.i1}.get(n, lambda a: NotImplemented)(a),
        "lowergamma": _incomplete_gamma(special.gammainc), "uppergamma": _incomplete_gamma(special.gammaincc),
    },
)  # fmt: skip


def function(graph: Graph, dtype: Any = None, vector: bool = False) -> ArrayFunction:
    """The graph as a pure function of an array, for grad, jit and vmap: (..., n) → (...), or (..., m) for m outputs.

    Instead of an array it takes a mapping by name, whose arrays are broadcast; `jax.grad` then gives a mapping too. An array
    keeps its precision. Numbers get JAX's own precision (float32, unless 64 bits are enabled). `dtype` overrides both. `vector`
    keeps the last axis also for m = 1. A call raises OptionError where JAX would silently compute in float32 what was asked for
    in float64, and MethodError for a primitive that JAX lacks.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> a, b = sympy.symbols("a b", real=True)
    >>> f = function(lower([sympy.sin(a * b)], [a, b]))
    >>> jax.vmap(jax.grad(f))(jnp.array([[0.0, 1.0], [2.0, 0.5]]))
    Array([[1.        , 0.        ],
           [0.27015114, 1.0806046 ]], dtype=float32)
    >>> jax.grad(f)({"a": 2.0, "b": 0.5})["b"]
    Array(1.0806046, dtype=float32, weak_type=True)
    """
    read = accepted(graph, dtype)

    def f(x: Any) -> Array:
        point = read(x)
        found = NUMBERS.outputs(graph, [point[..., i] for i in range(len(graph.inputs))])
        full = [jnp.broadcast_to(jnp.asarray(value, point.dtype), point.shape[:-1]) for value in found]
        return full[0] if len(full) == 1 and not vector else jnp.stack(full, -1)

    return f


def accepted(graph: Graph, dtype: Any) -> ArrayFunction:
    """What a function of the graph may be given, as one array (..., n) of the wanted precision; see `function`."""
    kind = _kind(dtype)

    def read(x: Any) -> Array:
        if kind == np.float64 and not jax.config.jax_enable_x64:
            raise OptionError(
                'JAX computes in float32 until it is told otherwise: call jax.config.update("jax_enable_x64", True) '
                'first, or ask for dtype="float32"'
            )
        point = _point(x, graph, kind)
        checked(point.shape, graph)
        return point

    return read


def _point(x: Any, graph: Graph, kind: Any) -> Array:
    """`x` as one array (..., n), of the precision `kind` if there is one."""
    try:
        if isinstance(x, Mapping):
            made = jnp.stack(jnp.broadcast_arrays(*map(jnp.asarray, in_order(x, graph.inputs))), -1)
        else:
            made = jnp.asarray(x)
    except AdlabError:
        raise
    except (TypeError, ValueError) as reason:
        raise unreadable(x, graph, reason) from reason
    if jnp.iscomplexobj(made):
        raise unreadable(x, graph, made.dtype)
    own = made.dtype if jnp.issubdtype(made.dtype, jnp.floating) else jax.dtypes.canonicalize_dtype(float)
    return made.astype(kind or own)


def _kind(dtype: Any) -> Any:
    """JAX's name for a precision; None for none."""
    try:
        found = None if dtype is None else jnp.dtype(precision(dtype))
    except TypeError:
        raise no_precision(dtype) from None
    if found is not None and not jnp.issubdtype(found, jnp.floating):
        raise no_precision(dtype)
    return found


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


def hessian(graph: Graph, dtype: str = "float64") -> Jacobians:
    """jax.hessian of one output: JVPs of a VJP, operation by operation."""
    return _transformed(jax.hessian(function(graph, dtype)), dtype, lambda derivative: derivative)


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


def series(graph: Graph, points: FloatArray, order: int) -> FloatArray:
    """The Taylor coefficient of this order of a function of one variable at each point, by `jax.experimental.jet`.

    Raises MethodError for an operation that JAX lacks, or that jet cannot follow.
    """
    from jax.experimental.jet import jet

    with jax.enable_x64(True):
        f = function(graph, "float64")
        along = [jnp.ones((len(points), 1)), *[jnp.zeros((len(points), 1))] * (order - 1)]
        try:
            _, found = jet(f, (jnp.asarray(points)[:, None],), (along,))
        except AdlabError:
            raise
        except Exception as reason:  # a missing rule is a KeyError, and custom derivatives break jet in other ways
            said = str(reason).splitlines()[0][:80] if str(reason) else ""
            raise MethodError(f"jax.experimental.jet: {type(reason).__name__}: {said}") from reason
        return np.asarray(found[-1], dtype=float) / math.factorial(order)


# --- the programs it writes -----------------------------------------------------------------------------------------


def jaxprs(graph: Graph, point: FloatArray) -> tuple[Any, Any]:
    """The jaxpr of f and that of its gradient; f is a function of n numbers."""
    with jax.enable_x64(True):
        f, numbers = _of_numbers(graph), point.tolist()
        gradient = jax.grad(f, argnums=tuple(range(len(numbers))))
        return jax.make_jaxpr(f)(*numbers), jax.make_jaxpr(gradient)(*numbers)


def computed(jaxpr: Any, point: FloatArray) -> list[float]:
    """The value of each equation of a jaxpr; NaN for what is not a scalar."""
    from jax.extend.core import jaxpr_as_fun

    everything = [variable for equation in jaxpr.jaxpr.eqns for variable in equation.outvars]
    talkative = jaxpr_as_fun(jaxpr.replace(jaxpr=jaxpr.jaxpr.replace(outvars=everything)))
    with jax.enable_x64(True):
        return [float(value) if np.ndim(value) == 0 else np.nan for value in talkative(*point.tolist())]


def residuals(graph: Graph, point: FloatArray) -> list[float]:
    """What `jax.vjp` keeps for the backward pass."""
    with jax.enable_x64(True):
        _, pullback = jax.vjp(_of_numbers(graph), *map(jnp.float64, point.tolist()))
        return [float(value) for kept in jax.tree_util.tree_leaves(pullback) for value in np.ravel(kept)]


def compiled_text(graph: Graph, point: FloatArray) -> str:
    """What XLA makes of jit(grad(f)): its HLO, after fusion."""
    with jax.enable_x64(True):
        f, numbers = _of_numbers(graph), point.tolist()
        gradient = jax.jit(jax.grad(f, argnums=tuple(range(len(numbers)))))
        return str(gradient.lower(*numbers).compile().as_text())


def equations(jaxpr: Any) -> list[str]:
    """The primitives of a jaxpr in order, including those inside calls and jits."""
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
    """f of n numbers, so that its jaxpr does not slice a vector."""
    return lambda *inputs: NUMBERS.outputs(graph, inputs)[0]
