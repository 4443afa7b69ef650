"""A graph for JAX with adlab's own derivatives: JAX computes the values, adlab's tangent programs say what to compute.

JAX's own rules lose digits (tanh beyond 20, asinh far out), and a branch that is not taken turns the gradient to NaN. Here the
derivative of the graph is its tangent program, exported in the same way. So derivatives of any order keep their digits and
their guards. JAX transposes it for reverse mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from adlab.autodiff.programs import fresh, tangent_program
from adlab.exports.again import to_differentiate
from adlab.graph.graph import Graph
from adlab.peers.jax import NUMBERS, accepted

Array = Any


def export(graph: Graph, dtype: Any = None) -> Callable[[Any], Array]:
    """The graph as a pure function of an array (..., n), or arrays by name, for grad, jit and vmap.

    It takes and raises what `adlab.peers.jax.function` does.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> a = sympy.Symbol("a", real=True)
    >>> f = export(lower([sympy.Piecewise((sympy.sqrt(a), a > 0), (0, True))], [a]))
    >>> jax.grad(f)(jnp.array([-1.0]))  # JAX's own rules give NaN
    Array([0.], dtype=float32)
    """
    walk = walked(graph)
    read = accepted(graph, dtype)

    def f(x: Any) -> Array:
        point = read(x)
        found = walk(*(point[..., i] for i in range(len(graph.inputs)))) if graph.inputs else walk()
        full = [jnp.broadcast_to(jnp.asarray(value, point.dtype), point.shape[:-1]) for value in found]
        return full[0] if len(full) == 1 else jnp.stack(full, -1)

    return f


def walked(graph: Graph) -> Any:
    """The outputs, a tuple, as a function of n arrays whose derivative is the tangent program."""

    def values(*inputs: Array) -> Any:
        kind = jnp.result_type(*inputs) if inputs else jnp.float32
        return tuple(jnp.asarray(value, kind) for value in NUMBERS.outputs(graph, list(inputs)))

    if not graph.inputs:
        return values
    found = jax.custom_jvp(values)
    program: list[Any] = []

    def rule(primals: Any, tangents: Any) -> Any:
        if not program:
            names = fresh(graph.inputs, [f"dot{i}" for i in range(len(graph.inputs))])
            program.append(walked(tangent_program(to_differentiate(graph), names)))
        shape = jnp.broadcast_shapes(*map(jnp.shape, primals))
        slopes = program[0](*primals, *tangents)
        return found(*primals), tuple(jnp.broadcast_to(slope, shape) for slope in slopes)

    found.defjvp(rule)
    return found
