"""Every way to compute a Hessian: nested sweeps, symbolic, differences, the complex step, frameworks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import sympy

from adlab.autodiff import programs
from adlab.autodiff.jacobian import Mode
from adlab.differences import differences
from adlab.differences.complex_step import complex_step
from adlab.errors import AdlabError, GaveUp, MethodError
from adlab.function import Function
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray
from adlab.peers.catalogue import PEERS, second_derivatives
from adlab.precision import still_time
from adlab.symbolic.derivative import SymbolicDerivative
from adlab.text.traversal import is_small

LARGEST_NESTED = 200_000  # operations × variables of a program that is differentiated again
LARGEST_SYMBOLIC = 400  # nodes, as a tree, of a formula whose gradient SymPy is asked to differentiate
LARGEST_PEER = 2_000  # nodes of a graph that a framework differentiates twice
QUARTER = 2.0**-13  # the best step of a second difference, the fourth root of the unit roundoff, in units of max(1, |x|)


@dataclass(frozen=True)
class HessianMethod:
    """One way to a Hessian. `evaluations` says how many values or gradients of f it takes, `program` which program it runs."""

    name: str
    family: Literal["automatic", "symbolic", "difference", "complex step", "peer"]
    about: str
    hessian: Callable[[Function, FloatArray], FloatArray]
    program: Callable[[Function], Graph] | None = None
    evaluations: Callable[[int], str] | None = None


def nested(outer: Mode, inner: Mode) -> Callable[[Function], Graph]:
    """The program of `outer` mode over the program of `inner` mode: n² outputs, row by row."""

    def make(f: Function) -> Graph:
        def written() -> Graph:
            gradient = programs.derivative(f.graph, inner)
            if len(gradient) * f.n > LARGEST_NESTED:
                raise MethodError(f"the program would have some {len(gradient) * f.n:,} operations, too many to be written")
            return programs.derivative(gradient, outer)

        found: Graph = f.cached(("hessian program", outer, inner), written)
        return found

    return make


def _of_program(outer: Mode, inner: Mode) -> Callable[[Function, FloatArray], FloatArray]:
    def hessian(f: Function, point: FloatArray) -> FloatArray:
        graph = nested(outer, inner)(f)
        function = f.cached(("hessian function", outer, inner), lambda: Function.from_graph(graph))
        found: FloatArray = np.reshape(function.values(point), (f.n, f.n))
        return found

    return hessian


def symbolic_hessian(f: Function, cse: bool) -> SymbolicDerivative:
    """SymPy's derivative of its own gradient, made once. Raises MethodError and GaveUp."""

    def make() -> SymbolicDerivative:
        if not f.readable or not is_small(f.outputs, LARGEST_SYMBOLIC):
            raise GaveUp(f"as a tree the formula has more than {LARGEST_SYMBOLIC} nodes, too many to be differentiated twice")
        gradient = [sympy.diff(f.outputs[0], variable) for variable in f.variables]
        return SymbolicDerivative(gradient, f.variables, cse)

    found: SymbolicDerivative = f.cached(("symbolic hessian", cse), make)
    return found


def _symbolic(cse: bool) -> Callable[[Function, FloatArray], FloatArray]:
    return lambda f, point: symbolic_hessian(f, cse).jacobian(point.tolist())


def _differences_of_gradients(scheme: str) -> Callable[[Function, FloatArray], FloatArray]:
    def hessian(f: Function, point: FloatArray) -> FloatArray:
        found, _ = differences.gradient(lambda x: _gradient(f, x), point, scheme)
        return np.asarray(found, dtype=float).reshape(f.n, f.n)

    return hessian


def _gradient(f: Function, x: FloatArray) -> FloatArray:
    """The gradient, with NaN where there is none, as a difference expects."""
    try:
        return f.gradient(x)
    except GaveUp:
        raise
    except AdlabError:
        return np.full(f.n, np.nan)


def differences_of_values(f: Function, point: FloatArray) -> FloatArray:
    """Central second differences: (f(x+h) − 2f(x) + f(x−h))/h², and four corners for mixed ones: n + 2n² values in all."""
    steps = [QUARTER * (max(1.0, abs(x)) if abs(x) > QUARTER else 1.0) for x in point.tolist()]
    moves = np.diag([2.0 ** math.floor(math.log2(h)) for h in steps])  # powers of two: then x + h rounds little
    here = float(f.values(point)[0])

    def at(move: FloatArray) -> float:
        still_time()
        return float(f.values(point + move)[0])

    found = np.empty((f.n, f.n))
    for i in range(f.n):
        h = moves[i]
        found[i, i] = ((at(h) - here) - (here - at(-h))) / h[i] ** 2
        for j in range(i):
            k = moves[j]
            found[i, j] = found[j, i] = ((at(h + k) - at(h - k)) - (at(k - h) - at(-h - k))) / (4 * h[i] * k[j])
    return found


def _complex_step(f: Function, point: FloatArray) -> FloatArray:
    gradient = f.cached("gradient program", lambda: programs.derivative(f.graph))
    return complex_step(gradient, point.tolist())


def _peer(name: str) -> HessianMethod:
    peer, title = PEERS[name], SECOND[name]

    def hessian(f: Function, point: FloatArray) -> FloatArray:
        if len(f.graph) > LARGEST_PEER:
            raise GaveUp(f"the graph has {len(f.graph):,} nodes, too many to be differentiated twice by {name} in place")
        second = f.cached(("hessian", name), lambda: second_derivatives(peer, f.graph))
        found: FloatArray = second(point)
        return found

    return HessianMethod(name, "peer", title, hessian)


SECOND = {"torch": "torch.func.hessian", "jax": "jax.hessian", "casadi": "casadi.hessian", "autograd": "autograd.grad, twice",
          "symengine": "symengine.diff, twice"}  # fmt: skip
"""The peers that differentiate twice, each with what it calls for that."""

OTHER_NESTINGS: list[tuple[Mode, Mode]] = [("reverse", "reverse"), ("reverse", "forward"), ("forward", "forward")]

METHODS: dict[str, HessianMethod] = {
    method.name: method
    for method in [
        HessianMethod("forward over reverse", "automatic", "tangents of the gradient program: Function.hessian",
                      lambda f, x: f.hessian(x), nested("forward", "reverse")),
        *(HessianMethod(f"{outer} over {inner}", "automatic", f"{outer} mode over the {inner} program", _of_program(outer, inner),
                        nested(outer, inner)) for outer, inner in OTHER_NESTINGS),
        HessianMethod("symbolic", "symbolic", "sympy.diff twice, then lambdify", _symbolic(False)),
        HessianMethod("symbolic-cse", "symbolic", "sympy.diff twice, then cse over all, then lambdify", _symbolic(True)),
        HessianMethod("central difference of gradients", "difference", "(∇f(x+h) − ∇f(x−h))/2h",
                      _differences_of_gradients("central-difference"), evaluations=lambda n: f"{2 * n} gradients"),
        HessianMethod("forward difference of gradients", "difference", "(∇f(x+h) − ∇f(x))/h",
                      _differences_of_gradients("forward-difference"), evaluations=lambda n: f"{n + 1} gradients"),
        HessianMethod("differences of values", "difference", "second differences of f: step the fourth root of the unit",
                      differences_of_values, evaluations=lambda n: f"{1 + 2 * n * n} values"),
        HessianMethod("complex step of gradients", "complex step", "Im ∇f(x + ih)/h on the gradient program", _complex_step,
                      evaluations=lambda n: f"{n} complex gradients"),
        *map(_peer, SECOND),
    ]
}  # fmt: skip


def chosen(names: Any) -> Mapping[str, HessianMethod]:
    """The methods asked for: None for adlab's own, "all" for the peers too, else names. Raises MethodError for other names."""
    if names is None:
        return {name: method for name, method in METHODS.items() if method.family != "peer"}
    listed = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    if listed == ["all"]:
        return METHODS
    unknown = next((name for name in listed if name not in METHODS), None)
    if unknown is not None:
        raise MethodError(f"no way to a Hessian is called `{unknown}`; there are {', '.join(METHODS)}")
    return {name: METHODS[name] for name in listed}
