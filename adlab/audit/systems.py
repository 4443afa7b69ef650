"""The systems whose derivatives are tested: adlab, SymPy and the libraries. Each is asked for one function of one variable.

A library is asked in one of two ways. For an operation of adlab's table it runs its own functions on adlab's graph, and its
own automatic differentiation. For a composed function, such as `gelu`, it runs the function of that name that it ships.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import numpy as np
import sympy

from adlab.audit.kinds import KINDS, FloatKind
from adlab.audit.shipped import shipped
from adlab.audit.subjects import RuleSubject
from adlab.errors import AdlabError, MethodError, MissingExtra, OptionError
from adlab.function import Function
from adlab.inputs import FloatArray
from adlab.methods import METHODS
from adlab.peers.catalogue import PEERS, prepare, second_derivatives, speaking
from adlab.report.hessian_methods import METHODS as HESSIANS

SYSTEMS = ("adlab", "symbolic", "torch", "jax", "casadi", "autograd", "symengine")


def installed(names: Sequence[str] = ()) -> list[str]:
    """The systems asked for, by default all that are installed. Raises OptionError and MissingExtra."""
    for name in names:
        if name not in SYSTEMS:
            raise OptionError(f"no system is called `{name}`; there are {', '.join(SYSTEMS)}")
        if name in METHODS and METHODS[name].family == "peer" and find_spec(name) is None:
            raise MissingExtra(f"{name} is not installed: pip install 'adlab[{name if name in ('torch', 'jax') else 'peers'}]'")
    return list(names) or [name for name in SYSTEMS if name in ("adlab", "symbolic") or find_spec(name) is not None]


def release(system: str) -> str:
    """The system with its version."""
    try:
        return f"{system} {version({'symbolic': 'sympy', 'adlab': 'adlab'}.get(system, system))}"
    except PackageNotFoundError:
        return system


def derivatives(
    subject: RuleSubject, system: str, points: FloatArray, order: int, kind: FloatKind = KINDS["float64"]
) -> FloatArray:
    """That derivative at each point, by one system; NaN where it refuses. Raises MethodError or PeerError, which say why, where
    the system has no such rule.

    adlab's rules in short floats are its export for PyTorch, SymPy's are printed for NumPy.
    """
    if system in kind.lacking:
        raise MethodError(kind.lacking[system])
    f, short = subject.function, kind.name != "float64"
    if system == "adlab" and not short:
        return _by_method(f, "reverse" if order == 1 else "forward over reverse", points, order)
    if system == "adlab":
        with speaking(PEERS["torch"]):
            return _by_torch(lambda x: f.to_torch(kind.name)(x.unsqueeze(-1)), points, order, kind)
    if system == "symbolic":
        found = _printed(f, points, order, kind) if short else _by_method(f, system, points, order)
    elif subject.native and system in ("torch", "jax"):
        if system not in subject.native:
            raise MethodError(f"{PEERS[system].system} ships no function of this name")
        with speaking(PEERS[system]):
            found = {"torch": _by_torch, "jax": _by_jax}[system](shipped(system, subject.native[system]), points, order, kind)
    else:
        peer = PEERS[system] if system == "casadi" else replace(PEERS[system], options={"dtype": kind.name})
        made = second_derivatives(peer, f.graph) if order == 2 else prepare(peer, f.graph, in_place=True)
        found = made(points[:, None])[:, 0, 0]
    if np.isnan(found).all():
        raise MethodError("it gives no number at any point")
    return found


def forget_compiled() -> None:
    """JAX keeps each program that it has compiled: over the whole table, gigabytes."""
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


def _by_method(f: Function, name: str, points: FloatArray, order: int) -> FloatArray:
    if order == 2:
        return _each(lambda point: HESSIANS[name].hessian(f, point)[0, 0], points)
    return _each(lambda point: METHODS[name](f, point).jacobian[0, 0], points)


def _each(derivative: Callable[[FloatArray], Any], points: FloatArray) -> FloatArray:
    return np.array([_number(derivative, point) for point in points.tolist()])


def _number(derivative: Callable[[FloatArray], Any], point: float) -> float:
    try:
        with np.errstate(all="ignore"):
            return float(derivative(np.array([point])))
    except (AdlabError, ArithmeticError):
        return float("nan")


def _printed(f: Function, points: FloatArray, order: int, kind: FloatKind) -> FloatArray:
    """SymPy's derivative as `lambdify` prints it for NumPy, on an array of short floats."""
    formula = sympy.diff(f.outputs[0], f.variables[0], order)
    try:
        with np.errstate(all="ignore"):
            found = sympy.lambdify(f.variables, formula, ["scipy", "numpy"] if find_spec("scipy") else "numpy")
            values = np.asarray(found(points.astype(kind.name)))
    except Exception as reason:  # a printed formula may raise anything: most often a function that NumPy lacks
        raise MethodError(f"the formula does not run in NumPy ({type(reason).__name__}: {reason})") from reason
    if values.dtype != kind.name:
        raise MethodError(f"a constant such as sqrt(2) in the printed formula makes NumPy compute in {values.dtype}")
    return np.broadcast_to(values, points.shape).astype(float)


def _by_torch(function: Callable[[Any], Any], points: FloatArray, order: int, kind: FloatKind) -> FloatArray:
    import torch

    x = torch.tensor(points, dtype=getattr(torch, kind.name), requires_grad=True)
    value = function(x)
    for k in range(order):
        [value] = torch.autograd.grad(value.sum(), x, create_graph=k + 1 < order)
    return np.asarray(value.detach().double(), dtype=float)


def _by_jax(function: Callable[[Any], Any], points: FloatArray, order: int, kind: FloatKind) -> FloatArray:
    import jax

    with jax.enable_x64(kind.name == "float64"):
        for _ in range(order):
            function = jax.grad(function)
        return np.asarray(jax.vmap(function)(jax.numpy.asarray(points, kind.name)), dtype=float)
