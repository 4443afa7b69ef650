"""The systems whose derivatives are tested: adlab, SymPy and the libraries. Each is one function of one variable.

A library is asked in one of two ways. For an operation of adlab's table it runs its own functions on adlab's graph, and its
own automatic differentiation. For a composed function, such as `gelu`, it runs the function of that name that it ships.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import numpy as np
import sympy

from adlab.audit.kinds import KINDS, FloatKind, in_short
from adlab.audit.shipped import shipped
from adlab.autodiff.programs import derivative
from adlab.errors import AdlabError, MissingExtra, OptionError
from adlab.function import Function
from adlab.graph.graph import Builder, Graph
from adlab.inputs import FloatArray
from adlab.methods import METHODS
from adlab.primitives.heads import DEFINITIONS
from adlab.primitives.primitive import Primitive, exact_sympy
from adlab.primitives.table import PRIMITIVES, define
from adlab.report.hessian_methods import METHODS as HESSIANS

LINES = 12
"""The most lines of a program that a text for an issue tracker shows."""
SHORT = ("adlab", "torch", "jax")
"""The systems that compute in other floats than binary64."""
SYSTEMS = ("adlab", "symbolic", "torch", "jax", "casadi", "autograd", "symengine")
X = sympy.Symbol("x", real=True)
OTHER = Fraction(3, 4)
"""The value of the fixed operand when an operation of two operands is tested in the other one."""
_PARAMETERS: dict[str, Sequence[Any]] = {
    "powi": (3, -2), "powr": (Fraction(5, 2),), "polygamma": (0, 1), "zeta": (2,), "sphericalj": (1,), "sphericali": (1,),
    "besselj": (0,), "bessely": (0,), "besseli": (0,), "besselk": (0,), "uppergamma": (Fraction(1, 2),),
    "lowergamma": (Fraction(1, 2),), "expint": (2,), "polylog": (2,),
}  # fmt: skip
"""The constant, an exponent or an order, at which an operation that has one is tested."""


@dataclass(frozen=True)
class RuleSubject:
    """A function of one variable that is tested. `native` is its name in libraries that ship it whole."""

    name: str
    function: Function
    native: dict[str, str] = field(default_factory=dict)


_COMPOSED: dict[str, tuple[str, str, str]] = {
    # name: the formula as adlab computes it; torch; jax
    "sigmoid": ("sigmoid(x)", "sigmoid", "nn.sigmoid"),
    "softplus": ("softplus(x)", "nn.functional.softplus", "nn.softplus"),
    "log_sigmoid": ("-softplus(-x)", "nn.functional.logsigmoid", "nn.log_sigmoid"),
    "silu": ("x*sigmoid(x)", "nn.functional.silu", "nn.silu"),
    "gelu": ("x*erfc(-x/sqrt(2))/2", "nn.functional.gelu", "_exact_gelu"),
    "elu": ("Piecewise((x, x > 0), (expm1(x), True))", "nn.functional.elu", "nn.elu"),
    "log_ndtr": ("log(erfc(-x/sqrt(2))/2)", "special.log_ndtr", "scipy.stats.norm.logcdf"),
    "erfcx": ("exp(x**2)*erfc(x)", "special.erfcx", ""),
    "expm1": ("expm1(x)", "expm1", "numpy.expm1"),
    "log1p": ("log1p(x)", "log1p", "numpy.log1p"),
    "sinc": ("sinc(pi*x)", "sinc", "numpy.sinc"),
    "entr": ("-x*log(x)", "special.entr", "scipy.special.entr"),
    "tanh": ("tanh(x)", "tanh", "numpy.tanh"),
    "digamma": ("digamma(x)", "digamma", "scipy.special.digamma"),
    "huber": ("Piecewise((x**2/2, Abs(x) < 1), (Abs(x) - 1/2, True))", "_huber", ""),
    "logsumexp": ("logaddexp(logaddexp(x, 3/4), -1/2)", "_logsumexp", "_logsumexp"),
    "log_softmax": ("-softplus(log(exp(3/4) + exp(-1/2)) - x)", "_log_softmax", "_log_softmax"),
    "softmax": ("sigmoid(x - log(exp(3/4) + exp(-1/2)))", "_softmax", "_softmax"),
    "norm": ("norm(x, 3/4, -1/2)", "_norm", "_norm"),
    "normalize": ("x/norm(x, 3/4, -1/2)", "_normalize", ""),
    "layer_norm": ("(8*x - 1)/12/sqrt(2*(x - 1/8)**2/9 + 25/96 + 1e-5)", "_layer_norm", "_layer_norm"),
}
"""Functions that people call by name. An empty cell means that the library has none. Those of a vector get (x, 3/4, -1/2)."""


def subjects(names: Sequence[str] = ()) -> list[RuleSubject]:
    """The operations of the table and the composed functions, or those of these names. Raises OptionError for another."""
    known = _all()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise OptionError(f"no rule is called `{unknown[0]}`; there are {'; '.join(known)}")
    return [known[name] for name in names or known]


def subject_names() -> list[str]:
    """The name of everything that can be audited."""
    return list(_all())


@cache
def _all() -> dict[str, RuleSubject]:
    found = {}
    for primitive in PRIMITIVES.values():
        if not (primitive.truth_valued or primitive.piecewise_constant or primitive.compound or primitive.arity not in (1, 2)):
            for subject in _of(primitive):
                found[subject.name] = subject
    for name, (formula, torch, jax) in _COMPOSED.items():
        native = {system: place for system, place in (("torch", torch), ("jax", jax)) if place}
        found[name] = RuleSubject(name, Function(formula, ["x"], name=name), native)
    return found


def _of(primitive: Primitive) -> list[RuleSubject]:
    """An operation in each of its operands, at each constant of `_PARAMETERS`."""
    found = []
    for parameter in _PARAMETERS.get(primitive.name, (None,)):
        given = () if parameter is None else (exact_sympy(parameter),)
        for k in range(primitive.arity):
            operands = [X if i == k else exact_sympy(OTHER) for i in range(primitive.arity)]
            place = "" if primitive.arity == 1 else f", operand {k + 1}"
            title = primitive.name + ("" if parameter is None else f" {parameter}") + place
            try:
                formula = define(primitive.form(*operands, *given), DEFINITIONS.keys())
                f = Function(formula, [X], name=title)
                if [f.graph.nodes[i].primitive for i in f.graph.operations] != [primitive]:
                    f = f.with_graph(_alone(primitive, k, parameter))
            except (AdlabError, TypeError, ValueError):
                continue  # an operation inside others, which has no name in formulas
            found.append(RuleSubject(title, f))
    return found


def _alone(primitive: Primitive, place: int, parameter: Any) -> Graph:
    """The graph of one operation. Lowering its formula could give others: log(exp(x) + exp(y)) for logaddexp."""
    builder = Builder([X.name])
    operands = [0 if i == place else builder.constant(OTHER) for i in range(primitive.arity)]
    if parameter is None and primitive.parameter_at == primitive.arity:
        parameter = 0  # the shift of an exponent, or how often the order is differentiated by
    return builder.finish([builder.apply(primitive, operands, parameter)])


def rule_of_adlab(name: str, order: int) -> str:
    """The derivative program of adlab for this function, one line for each operation; empty where it is long."""
    if name not in _all():
        return ""
    program = _all()[name].function.graph
    for _ in range(order):
        program = derivative(program, "reverse")
    lines = list(program.lines())
    return "; ".join(lines) if len(lines) <= LINES else ""


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
) -> FloatArray | None:
    """That derivative at each point, by one system; NaN where it refuses. None where it has no such rule.

    Short kinds of floats are those of PyTorch and JAX; adlab's rules in them are its export for PyTorch.
    """
    if kind.name != "float64":
        if system not in SHORT or find_spec(system if system != "adlab" else "torch") is None:
            return None
        place = subject.native.get(system)
        if system != "adlab" and subject.native and place is None:
            return None
        own = shipped(system, place) if place and system != "adlab" else None
        return in_short(subject.function, system, own, points, order, kind)
    if system in ("torch", "jax") and subject.native:
        place = subject.native.get(system)
        return None if place is None else {"torch": _torch, "jax": _jax}[system](place, points, order)
    one = _one(subject.function, system, order)
    if one is None:
        return None
    found = np.array([_number(one, point) for point in points.tolist()])
    return None if np.isnan(found).all() and system != "adlab" else found  # adlab has every rule: its silence would be a fault


def _one(f: Function, system: str, order: int) -> Callable[[FloatArray], Any] | None:
    if order == 2:
        name = {"adlab": "forward over reverse"}.get(system, system)
        method = HESSIANS.get(name)
        return None if method is None else lambda point: method.hessian(f, point)[0, 0]
    own = METHODS["reverse" if system == "adlab" else system]
    return lambda point: own(f, point).jacobian[0, 0]


def _number(derivative: Callable[[FloatArray], Any], point: float) -> float:
    try:
        with np.errstate(all="ignore"):
            return float(derivative(np.array([point])))
    except (AdlabError, ArithmeticError):
        return float("nan")


def _torch(place: str, points: FloatArray, order: int) -> FloatArray:
    import torch

    function = shipped("torch", place)
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    value = function(x)
    for k in range(order):
        value = torch.autograd.grad(value.sum(), x, create_graph=k + 1 < order)[0]
    return np.asarray(value.detach(), dtype=float)


def _jax(place: str, points: FloatArray, order: int) -> FloatArray:
    import jax

    function = shipped("jax", place)
    with jax.enable_x64(True):
        for _ in range(order):
            function = jax.grad(function)
        return np.asarray(jax.vmap(function)(jax.numpy.asarray(points)), dtype=float)
