"""Functions for which SymPy has no class, or one that keeps fewer digits, each with what it means.

A `Named` function is a SymPy function like any other: it can be written in a formula, printed, and differentiated by
`sympy.diff`. What it means is written once, in SymPy's own functions. Code that knows no better uses that meaning
(`spelled_out`).

>>> x = sympy.Symbol("x", real=True)
>>> sigmoid(x).doit(), sympy.diff(softplus(x), x)
(1/(1 + exp(-x)), exp(x)/(exp(x) + 1))
>>> spelled_out([sigmoid(x) + x])
[x + 1/(1 + exp(-x))]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import sympy
from sympy import Expr, Function
from sympy.codegen import cfunctions, numpy_nodes
from sympy.functions.elementary.piecewise import ExprCondPair

from adlab.errors import UnsupportedExpression
from adlab.text.traversal import brief, postorder
from adlab.text.unevaluated import applied

Meaning = Callable[..., Any]


class Named(Function):  # type: ignore[misc]  # SymPy has no types
    """A function known by its `meaning`, an expression in its operands."""

    meaning: ClassVar[Meaning]
    orders: ClassVar[int] = 0
    """How many of its first operands are orders, which must be numbers when it is differentiated."""

    @classmethod
    def operands(cls) -> int:
        """The number of operands; 1 for a function of any number."""
        return int(min(cls.nargs)) if cls.nargs not in (None, sympy.S.Naturals0) else 1

    def doit(self, **hints: Any) -> Any:
        """The expression that it means."""
        return type(self).meaning(*(arg.doit(**hints) for arg in self.args))

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative of its meaning by one operand."""
        letters = [*self.args[: self.orders], *(sympy.Dummy(real=True) for _ in self.args[self.orders :])]
        slope = sympy.diff(type(self).meaning(*letters), letters[argindex - 1])
        return slope.subs(dict(zip(letters, self.args, strict=True)))

    def _eval_evalf(self, prec: int) -> Any:
        return type(self).meaning(*self.args)._eval_evalf(prec)


NAMED: dict[str, Any] = {}
"""The classes by their names, as SymPy prints them."""


def named(name: str, meaning: Meaning, arity: int | tuple[int, ...] | None = None, orders: int = 0) -> Any:
    """A new function of that name. A user's undefined Function of the same name is a different class."""
    known = {"meaning": staticmethod(meaning), "__module__": __name__, "orders": orders} | ({"nargs": arity} if arity else {})
    NAMED[name] = type(name, (Named,), known)
    return NAMED[name]


def _logsum(a: Any, b: Any) -> Any:
    return sympy.log(sympy.exp(a) + sympy.exp(b))


sigmoid = named("sigmoid", lambda a: 1 / (1 + sympy.exp(-a)), 1)
softplus = named("softplus", lambda a: sympy.log(1 + sympy.exp(a)), 1)
lambertwm = named("lambertwm", lambda a: sympy.LambertW(a, -1), 1)
"""The other real branch of Lambert's function, from −1 down."""


def _elliptic(head: Any, first: Any) -> Meaning:
    """The derivative of order n of a complete elliptic integral by its parameter m (DLMF 19.5.1 and 15.5.2)."""

    def meaning(n: Any, m: Any) -> Any:
        a, b = n + first, n + sympy.Rational(1, 2)
        scale = sympy.pi * sympy.rf(first, n) * sympy.rf(sympy.Rational(1, 2), n) / (2 * sympy.factorial(n))
        return head(m) if n == 0 else scale * sympy.hyper((a, b), (n + 1,), m)

    return meaning


elliptick = named("elliptick", _elliptic(sympy.elliptic_k, sympy.Rational(1, 2)), 2)
elliptice = named("elliptice", _elliptic(sympy.elliptic_e, -sympy.Rational(1, 2)), 2)
"""Derivatives of the complete elliptic integrals K and E: the order, and the parameter m."""


def _incomplete(head: Any) -> Meaning:
    """The derivative of order n of F or E by its parameter m."""

    def meaning(n: Any, angle: Any, m: Any) -> Any:
        letter = sympy.Dummy(real=True)
        return head(angle, m) if n == 0 else sympy.diff(head(angle, letter), letter, n).subs(letter, m)

    return meaning


def _third(order: Any, *operands: Any) -> Any:
    """Π(ν; φ | m) or Π(ν | m), differentiated a times by ν and b times by m, for the order 2^a 3^b."""
    by_nu, by_m = sympy.multiplicity(2, order), sympy.multiplicity(3, order)
    first, last = sympy.Dummy(real=True), sympy.Dummy(real=True)
    slope = sympy.diff(sympy.elliptic_pi(first, *operands[1:-1], last), (first, by_nu), (last, by_m))
    return slope.subs({first: operands[0], last: operands[-1]})


ellipticf = named("ellipticf", _incomplete(sympy.elliptic_f), 3, orders=1)
ellipticeinc = named("ellipticeinc", _incomplete(sympy.elliptic_e), 3, orders=1)
"""Derivatives of the incomplete integrals F and E by their parameter: the order, the angle, and the parameter m."""
ellipticpi = named("ellipticpi", _third, 4, orders=1)
ellipticpic = named("ellipticpic", _third, 3, orders=1)
"""Derivatives of the third integral, incomplete and complete: 2^a 3^b for a times by ν and b times by m; ν, the angle, and m.

One number says both, so that two orders of differentiation give one node: the derivative by ν doubles it, that by m triples it.
"""
ellipticgap = named("ellipticgap", lambda angle, m: 1 - m * sympy.sin(angle) ** 2, 2)
"""1 − m sin²φ, which the integrals have under their root. Computed as written it cancels."""
norm = named("norm", lambda *operands: sympy.sqrt(sympy.Add(*[a**2 for a in operands])))

CODEGEN: dict[Any, Meaning] = {
    cfunctions.log1p: lambda a: sympy.log(1 + a),
    cfunctions.expm1: lambda a: sympy.exp(a) - 1,
    cfunctions.log2: lambda a: sympy.log(a) / sympy.log(2),
    cfunctions.log10: lambda a: sympy.log(a) / sympy.log(10),
    cfunctions.exp2: lambda a: 2**a,
    cfunctions.Sqrt: sympy.sqrt,
    cfunctions.Cbrt: lambda a: a ** sympy.Rational(1, 3),
    cfunctions.hypot: lambda a, b: sympy.sqrt(a**2 + b**2),
    cfunctions.fma: lambda a, b, c: a * b + c,
    numpy_nodes.logaddexp: _logsum,
    numpy_nodes.logaddexp2: lambda a, b: sympy.log(2**a + 2**b) / sympy.log(2),
}
"""SymPy's own classes for functions of the C library and of NumPy, and what they mean."""


def meaning_of(node: Any) -> Any:
    """What a function of this file means; None for any other object."""
    cls = type(node)
    if issubclass(cls, Named):
        return cls.meaning
    return CODEGEN.get(cls)


def _meant(meaning: Meaning, operands: list[Any]) -> Any:
    """The meaning of these operands, as written: SymPy would rewrite the conditions of a Piecewise among them.

    SymPy makes exp(x)**2 of the square of Piecewise((exp(x), y**3 > 0), (x, True)), whatever y is.
    """
    with sympy.evaluate(False):
        return meaning(*operands)


def _rebuilt(node: Any, operands: list[Any]) -> Any:
    """The node with other operands. The parts of a Piecewise are only stored: SymPy would rewrite their conditions."""
    if isinstance(node, (ExprCondPair, sympy.Piecewise)):
        return applied(type(node), *operands)
    with sympy.evaluate(False):
        return node.func(*operands)


def spelled_out(expressions: Iterable[Expr], keep: Iterable[type] = ()) -> list[Any]:
    """The expressions with functions of this file replaced by what they mean, except those of the classes `keep`.

    An expression that has none of them is returned as the same object.
    """
    kept, found = tuple(keep), list(expressions)
    written: dict[int, Any] = {}
    for node in postorder(found):
        meaning = None if isinstance(node, kept) else meaning_of(node)
        operands = [written.get(id(arg), arg) for arg in node.args]
        try:
            if meaning is not None:
                written[id(node)] = _meant(meaning, operands)
            elif any(new is not old for new, old in zip(operands, node.args, strict=True)):
                written[id(node)] = _rebuilt(node, operands)
        except ArithmeticError as reason:  # SymPy evaluates constants in it, here beyond what it can
            raise UnsupportedExpression(f"SymPy cannot write out {brief(node)} ({reason}); scale its constants") from None
    return [written.get(id(expression), expression) for expression in found]
