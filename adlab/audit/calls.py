"""How a library is asked by hand: the expression that calls its own function, and a script that prints its derivative."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import sympy

from adlab.audit.shipped import WRITTEN
from adlab.audit.subjects import OTHER, RuleSubject
from adlab.errors import AdlabError
from adlab.peers.catalogue import PEERS, library

SPACES = {
    "torch": ("torch", "torch.special"), "jax": ("jax.numpy", "jax.scipy.special"), "casadi": ("casadi",),
    "autograd": ("autograd.numpy", "autograd.scipy.special"), "symengine": ("symengine",),
}  # fmt: skip
"""Where the functions of a library are."""


def call(subject: RuleSubject, system: str) -> str:
    """The call of the system's own function of x. Empty where it has none, and what was differentiated is composed of others.

    >>> from adlab.audit.subjects import subjects
    >>> call(subjects(["tanh"])[0], "symbolic")
    'tanh(x)'
    """
    if system == "symbolic":
        formula = subject.function.outputs[0]
        own = all(type(part).__module__.startswith("sympy.") for part in formula.atoms(sympy.Function))
        return str(formula) if own else ""
    if system == "adlab":
        return ""
    if subject.native and system in ("torch", "jax"):
        place = subject.native.get(system, "")
        return WRITTEN[system].get(place) or (f"{system}.{place}(x)" if place else "")
    graph = subject.function.graph
    if len(graph.operations) != 1:
        return ""
    node = graph.nodes[graph.operations[0]]
    name = _named(system, node.primitive.name) if node.parameter is None else ""
    other = f"torch.tensor({float(OTHER)}, dtype=x.dtype)" if system == "torch" else str(float(OTHER))
    return f"{name}({', '.join('x' if operand == 0 else other for operand in node.operands)})" if name else ""


@cache
def _named(system: str, primitive: str) -> str:
    """The name of a library's own function for an operation of adlab's table."""
    try:
        function = library(PEERS[system].package).NUMBERS.functions.get(primitive)
    except AdlabError:
        return ""
    name = getattr(function, "__name__", "")
    for space in SPACES[system]:
        if function is not None and getattr(import_module(space), name, None) is function:
            return f"{space}.{name}"
    return ""


def script(subject: RuleSubject, system: str, order: int, point: float, kind: str) -> str:
    """A few lines of Python that print this derivative at this point, as the audit has computed it. Empty without a call."""
    written = call(subject, system)
    made: Any = {"torch": _torch, "jax": _jax, "casadi": _casadi, "autograd": _autograd, "symengine": _symengine,
                 "symbolic": _sympy}.get(system)  # fmt: skip
    return "\n".join(made(written, order, repr(point), kind, bool(subject.native))) if written and made else ""


def _torch(y: str, order: int, x: str, kind: str, native: bool) -> list[str]:
    at = f"x = torch.tensor({x}, dtype=torch.{kind}, requires_grad=True)"
    if order == 2 and not native:
        return ["import torch", at, f"print(torch.func.hessian(lambda x: {y})(x).item())"]
    grads = ["[y] = torch.autograd.grad(y, x, create_graph=True)"] * order
    return ["import torch", at, f"y = {y}", *grads, "print(y.item())"]


def _jax(y: str, order: int, x: str, kind: str, native: bool) -> list[str]:
    wide = ['jax.config.update("jax_enable_x64", True)'] if kind == "float64" else []
    one = f"jax.grad(lambda x: {y})"
    derivative = one if order == 1 else f"jax.grad({one})" if native else f"jax.hessian(lambda x: {y})"
    return ["import jax, jax.numpy, jax.scipy.special, jax.scipy.stats", *wide,
            f'print(float({derivative}(jax.numpy.asarray({x}, "{kind}"))))']  # fmt: skip


def _casadi(y: str, order: int, x: str, kind: str, native: bool) -> list[str]:
    derivative = f"casadi.jacobian({y}, x)" if order == 1 else f"casadi.hessian({y}, x)[0]"
    return ["import casadi", 'x = casadi.SX.sym("x")', f'print(float(casadi.Function("f", [x], [{derivative}])({x})))']


def _autograd(y: str, order: int, x: str, kind: str, native: bool) -> list[str]:
    return ["import autograd, autograd.numpy, autograd.scipy.special, numpy",
            f"print(float({'autograd.grad(' * order}lambda x: {y}{')' * order}(numpy.{kind}({x}))))"]  # fmt: skip


def _symengine(y: str, order: int, x: str, kind: str, native: bool) -> list[str]:
    kept = "" if kind == "float64" else f", dtype=numpy.dtype('{kind}')"
    return ["import numpy, symengine", 'x = symengine.Symbol("x")',
            f"print(float(symengine.Lambdify([x], [({y}){'.diff(x)' * order}]{kept})([{x}])[0]))"]  # fmt: skip


def _sympy(y: str, order: int, x: str, kind: str, native: bool) -> list[str]:
    modules, at = ('["math", "mpmath"]', x) if kind == "float64" else ('"numpy"', f"numpy.{kind}({x})")
    return ["import numpy", "from sympy import *", "from sympy.codegen.cfunctions import *", 'x = Symbol("x", real=True)',
            f"print(float(lambdify(x, diff({y}, x, {order}), {modules})({at})))"]  # fmt: skip
