"""How a row of the table becomes a primitive. What follows from the rest of the row need not be written in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import sympy
from sympy import And, Ne, S

from adlab.errors import AdlabError
from adlab.primitives.computed import COMPUTED
from adlab.primitives.heads import DEFINITIONS, own
from adlab.primitives.primitive import A, B, N, Primitive
from adlab.text.functions import CODEGEN, Named

S_ = sympy.Dummy("s", real=True)


def entry(name: str, form: Any, partials: Any, **facts: Any) -> Primitive:
    """A primitive, from its row in the table and the row of the same name in `computed`.

    A form that is a class also serves as the head: the SymPy class that lowers to the primitive. With `parameter_at=0` that class
    takes the parameter first. Raises AdlabError if `computed` has no such row.
    """
    computed = COMPUTED.get(name)
    if computed is None:
        raise AdlabError(f"`{name}` has no numbers; add a row of that name to adlab/primitives/computed.py")
    if facts.get("parameter_at") == 0:
        facts = {"text": name + "({n}, {0})"} | facts
    return Primitive(name, partials=partials, **formed(form, facts), **computed._asdict())


def formed(form: Any, facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of a row, with its form and its head."""
    if not isinstance(form, type):
        return {"form": form} | facts
    means = DEFINITIONS[form] if form in DEFINITIONS and not _kept(form) else form
    order_first = facts.get("parameter_at") == 0
    return {"head": form} | facts | {"form": (lambda *given: means(given[-1], *given[:-1])) if order_first else means}


def _kept(form: Any) -> bool:
    """Whether formulas contain this class itself, and not the expression that it stands for."""
    return issubclass(form, Named) or form in CODEGEN


def exact(product: Any, *factors: Any) -> sympy.Expr:
    """A product kept in the order in which it is written: (b/h)/h must not become b/h**2, which overflows."""
    for factor in factors:
        product = sympy.Mul(product, factor, evaluate=False)
    return product


def predicate(name: str, relation: Any, sign: str) -> Primitive:
    """A comparison: its value is 1.0 or 0.0, constant between its jumps."""
    return entry(name, lambda a, b: relation(a, b, evaluate=False), (S.Zero, S.Zero),
                 smooth=Ne(A, B), convention="a comparison has derivative 0", text="{0} " + sign + " {1}", head=relation,
                 analytic=False, piecewise_constant=True, jumps=True, truth_valued=True)  # fmt: skip


def power_text(shift: Any) -> str:
    """a**b or a**(b - 1) as text."""
    return f"{{0}}**({{1}} {'+' if shift > 0 else '-'} {abs(shift)})" if shift else "{0}**{1}"


def usual(order: Any, short: str, full: str) -> Callable[[Any], str]:
    """The text `short` where the parameter has its usual value, else the long one."""
    return lambda n: short if n == order else full


def third_integral(operands: int) -> Callable[[Any], str]:
    """Legendre's Π as text; an order 2^a 3^b as a derivative, a times by the first operand and b times by the last.

    >>> third_integral(2)(1), third_integral(2)(6)
    ('elliptic_pi({0}, {1})', 'diff(elliptic_pi({0}, {1}), {0}, {1})')
    """
    slots = [f"{{{k}}}" for k in range(operands)]
    plain = f"elliptic_pi({', '.join(slots)})"

    def text(order: Any) -> str:
        by = [slots[0]] * sympy.multiplicity(2, order) + [slots[-1]] * sympy.multiplicity(3, order)
        return f"diff({', '.join([plain, *by])})" if by else plain

    return text


# --- special functions of a moving order ---------------------------------------------------------------------------


def _in_letters(name: str, a: str, b: str, n: str) -> str:
    """A function of a varying order, differentiated n times by the order, as text."""
    return f"{name}({a}, {b})" if n == "0" else f"diff({name}({a}, {b}), {a}, {n})"


def _in_latex(name: str, arguments: Iterable[str], exponent: str) -> str:
    a, b, n = arguments
    times = "" if n == "1" else f"^{{{n}}}"
    value = rf"\operatorname{{{name}}}\left({a}, {b}\right)"
    shown = value if n == "0" else rf"\partial_{{{a}}}{times} {value}"
    return rf"\left({shown}\right)^{{{exponent}}}" if exponent else shown


def moving(
    name: str, form: Any, slope: Any, domain: Any, sloped: Any = sympy.true, largest: float = 100
) -> Primitive:
    """A special function of a varying order `a` at `b`, differentiated by the order as often as its parameter says.

    `slope(f)` is the partial for `b`. In it f(order, k) is the function itself at another order, differentiated k times by the
    order. The partial exists where the value exists and `sloped` holds. Orders beyond `largest` are not computed (see `orders`).
    """
    head = own(f"{name}_moving")
    head._sympystr = lambda self, printer: _in_letters(name, *map(printer.doprint, self.args))
    head._latex = lambda self, printer, exp="": _in_latex(name, map(printer.doprint, self.args), exp)
    DEFINITIONS[head] = lambda a, b, n: form(a, b) if n == 0 else sympy.Subs(sympy.Derivative(form(S_, b), (S_, n)), S_, a)
    bounded = largest < math.inf
    within = And(domain, sympy.Abs(A) <= largest) if bounded else domain
    beside = And(within, sloped, sympy.Abs(A) <= largest - 1) if bounded else And(within, sloped)  # it reads neighbouring orders
    return entry(f"{name}_moving", lambda a, b, n=S.Zero: form(a, b) if n == 0 else head(a, b, n),
                 (head(A, B, N + 1), slope(lambda order, k: head(order, B, k))), domain=within,
                 partial_domains=(within, beside), head=head, parameter_at=2, narrow=True, vanishes=name == "polylog",
                 text=usual(0, name + "({0}, {1})", f"diff({name}({{0}}, {{1}}), {{0}}, {{n}})"))  # fmt: skip
