"""The functions whose derivatives are tested: each operation of adlab's table, and composed ones that people call by name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

import sympy

from adlab.autodiff.programs import derivative
from adlab.errors import AdlabError, OptionError
from adlab.function import Function
from adlab.graph.graph import Builder, Graph
from adlab.primitives.heads import DEFINITIONS
from adlab.primitives.primitive import Primitive, exact_sympy
from adlab.primitives.table import PRIMITIVES, define

LINES = 12
"""The most lines of a program that a text for an issue tracker shows."""
X = sympy.Symbol("x", real=True)
OTHER = Fraction(3, 4)
"""The value of the fixed operand when an operation of two operands is tested in the other one."""
_PARAMETERS: dict[str, Sequence[Any]] = {
    "powi": (3, -2), "powr": (Fraction(5, 2),), "polygamma": (0, 1), "zeta": (2,), "sphericalj": (1,), "sphericali": (1,),
    "besselj": (0,), "bessely": (0,), "besseli": (0,), "besselk": (0,), "uppergamma": (Fraction(1, 2),),
    "lowergamma": (Fraction(1, 2),), "expint": (2,), "polylog": (2,), "elliptick": (0,), "elliptice": (0,),
    "ellipticf": (0,), "ellipticeinc": (0,), "ellipticpi": (1,), "ellipticpic": (1,),
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
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3) or [full for full in known if name and full.startswith(name)]
            hint = f"near it are {'; '.join(near)}" if near else f"there are {'; '.join(known)}"
            raise OptionError(f"no rule is called `{name}`; {hint}")
    return [known[name] for name in names or known]


def subject_names() -> list[str]:
    """The name of everything that can be audited."""
    return list(_all())


@cache
def _all() -> dict[str, RuleSubject]:
    found = {}
    for primitive in PRIMITIVES.values():
        constant = primitive.truth_valued or primitive.piecewise_constant or primitive.compound or primitive.name == "select"
        if not constant and primitive.arity:  # the composed `norm` stands for the one that takes any number
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
