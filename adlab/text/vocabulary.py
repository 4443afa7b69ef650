"""The functions that a formula may call: one row each, in SymPy's spelling, with other spellings beside it.

All are SymPy's functions with SymPy's meaning, on the reals. `sinc(x)` is sin(x)/x. `cbrt(x)` and `root(x, n)` are x**(1/n) and
so need x ≥ 0; `real_root(x, n)` is the real root. `lg` is the logarithm to base 10 (ISO 80000-2).

>>> FUNCTIONS["arctan"].build(sympy.Symbol("x"))
atan(x)
>>> nearest("sine"), nearest("Log"), nearest("qqq")
('sin', 'log', None)
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial, reduce
from typing import Any, NamedTuple

import sympy
from sympy import Expr, Integer, Pow, Rational, S
from sympy.codegen import cfunctions, numpy_nodes
from sympy.functions.elementary.piecewise import ExprCondPair

from adlab.text.factorials import polynomial
from adlab.text.functions import sigmoid, softplus
from adlab.text.unevaluated import RefusalError, applied, flat, power, product

MAX_ARGUMENTS = 10_000  # for Min, Max, And, Or, Piecewise

NUMBER, CONDITION, PIECE = "a number", "a condition", "a piece (value, condition)"
Build = Callable[..., Any]


class Signature(NamedTuple):
    """How a call is built, how many arguments it takes, and their kinds: one kind for all, or one for each."""

    build: Build
    least: int
    most: int
    takes: str | tuple[str, ...]

    @property
    def arity(self) -> str:
        """The number of arguments in words.

        >>> FUNCTIONS["log"].arity, FUNCTIONS["Max"].arity
        ('1 or 2 arguments', 'at least 2 arguments')
        """
        if self.most == MAX_ARGUMENTS:
            return f"at least {self.least} argument{'s'[: self.least != 1]}"
        counts = " or ".join(map(str, range(self.least, self.most + 1)))
        return f"{counts} argument{'s'[: self.most != 1]}"


def _log(argument: Expr, base: Expr | None = None) -> Expr:
    logarithm: Expr = applied(sympy.log, argument)
    return logarithm if base is None else product("*/", [logarithm, applied(sympy.log, base)])


def _log10(argument: Expr) -> Expr:
    return _log(argument, Integer(10))


def _sqrt(radicand: Expr) -> Expr:
    return flat(Pow, (radicand, S.Half))


def _cbrt(radicand: Expr) -> Expr:
    if isinstance(radicand, sympy.Number) and radicand.is_negative:
        raise RefusalError("`cbrt` is the principal root, which is complex for a negative number: write `real_root(x, 3)`")
    return flat(Pow, (radicand, Rational(1, 3)))


def _root(radicand: Expr, degree: Expr) -> Expr:
    return flat(Pow, (radicand, product("*/", [S.One, degree])))


def _real_root(radicand: Expr, degree: Expr) -> Expr:
    """The real n-th root. For odd n it keeps the sign: sign(x) |x|**(1/n)."""
    if not isinstance(degree, Integer) or degree.p < 2:
        raise RefusalError("the degree of `real_root` is a whole number from 2 up, written out", 1)
    if degree.p % 2 == 0:
        return _root(radicand, degree)
    return product("**", [applied(sympy.sign, radicand), _root(applied(sympy.Abs, radicand), degree)])


def _logsumexp(*terms: Expr) -> Expr:
    """In pairs, from the left: log(exp(a) + exp(b) + exp(c)) without overflow."""
    return reduce(partial(applied, numpy_nodes.logaddexp), terms)


def _relu(argument: Expr) -> Expr:
    return applied(sympy.Max, argument, S.Zero)


def _heaviside(argument: Expr, at_zero: Expr = S.Half) -> Expr:
    return applied(sympy.Heaviside, argument, at_zero)


def _where(condition: Any, value: Expr, otherwise: Expr) -> Any:
    return applied(sympy.Piecewise, applied(ExprCondPair, value, condition), applied(ExprCondPair, otherwise, S.true))


def _polygamma(order: int) -> Build:
    return partial(applied, sympy.polygamma, Integer(order))


_TABLE: tuple[tuple[Any, ...], ...] = (
    # spellings         class or builder   arguments, and their kinds if they are not numbers
    ("exp",             sympy.exp,         1, 1),
    ("log ln",          _log,              1, 2),
    ("log10 lg",        _log10,            1, 1),
    ("log2",            cfunctions.log2,   1, 1),
    ("exp2",            cfunctions.exp2,   1, 1),
    ("log1p",           cfunctions.log1p,  1, 1),
    ("expm1",           cfunctions.expm1,  1, 1),
    ("logaddexp",       numpy_nodes.logaddexp, 2, 2),
    ("logsumexp",       _logsumexp,        1, MAX_ARGUMENTS),
    ("sigmoid expit",   sigmoid,           1, 1),
    ("softplus",        softplus,          1, 1),
    ("relu",            _relu,             1, 1),
    ("pow",             power,             2, 2),
    ("sqrt",            _sqrt,             1, 1),
    ("cbrt",            _cbrt,             1, 1),
    ("root",            _root,             2, 2),
    ("real_root",       _real_root,        2, 2),
    ("hypot",           cfunctions.hypot,  2, 2),
    ("sin",             sympy.sin,         1, 1),
    ("cos",             sympy.cos,         1, 1),
    ("tan tg",          sympy.tan,         1, 1),
    ("sec",             sympy.sec,         1, 1),
    ("csc",             sympy.csc,         1, 1),
    ("cot ctg",         sympy.cot,         1, 1),
    ("sinc",            sympy.sinc,        1, 1),
    ("asin arcsin",     sympy.asin,        1, 1),
    ("acos arccos",     sympy.acos,        1, 1),
    ("atan arctan arctg", sympy.atan,        1, 1),
    ("asec arcsec",     sympy.asec,        1, 1),
    ("acsc arccsc",     sympy.acsc,        1, 1),
    ("acot arccot",     sympy.acot,        1, 1),
    ("atan2 arctan2",   sympy.atan2,       2, 2),
    ("sinh",            sympy.sinh,        1, 1),
    ("cosh",            sympy.cosh,        1, 1),
    ("tanh",            sympy.tanh,        1, 1),
    ("sech",            sympy.sech,        1, 1),
    ("csch",            sympy.csch,        1, 1),
    ("coth",            sympy.coth,        1, 1),
    ("asinh arcsinh",   sympy.asinh,       1, 1),
    ("acosh arccosh",   sympy.acosh,       1, 1),
    ("atanh arctanh",   sympy.atanh,       1, 1),
    ("asech arcsech",   sympy.asech,       1, 1),
    ("acsch arccsch",   sympy.acsch,       1, 1),
    ("acoth arccoth",   sympy.acoth,       1, 1),
    ("Abs abs",         sympy.Abs,         1, 1),
    ("sign",            sympy.sign,        1, 1),
    ("floor",           sympy.floor,       1, 1),
    ("ceiling ceil",    sympy.ceiling,     1, 1),
    ("Mod",             sympy.Mod,         2, 2),
    ("Heaviside",       _heaviside,        1, 2),
    ("Min min",         sympy.Min,         2, MAX_ARGUMENTS),
    ("Max max",         sympy.Max,         2, MAX_ARGUMENTS),
    ("erf",             sympy.erf,         1, 1),
    ("erfc",            sympy.erfc,        1, 1),
    ("erfi",            sympy.erfi,        1, 1),
    ("erfinv",          sympy.erfinv,      1, 1),
    ("erfcinv",         sympy.erfcinv,     1, 1),
    ("gamma",           sympy.gamma,       1, 1),
    ("loggamma lgamma", sympy.loggamma,    1, 1),
    ("digamma",         _polygamma(0),     1, 1),
    ("trigamma",        _polygamma(1),     1, 1),
    ("polygamma",       sympy.polygamma,   2, 2),
    ("uppergamma",      sympy.uppergamma,  2, 2),
    ("lowergamma",      sympy.lowergamma,  2, 2),
    ("beta",            sympy.beta,        2, 2),
    ("factorial",       sympy.factorial,   1, 1),
    ("binomial",        sympy.binomial,    2, 2),
    ("RisingFactorial rf", sympy.RisingFactorial, 2, 2),
    ("FallingFactorial ff", sympy.FallingFactorial, 2, 2),
    ("dirichlet_eta",   sympy.dirichlet_eta, 1, 1),
    ("legendre",        polynomial(sympy.legendre), 2, 2),
    ("chebyshevt",      polynomial(sympy.chebyshevt), 2, 2),
    ("chebyshevu",      polynomial(sympy.chebyshevu), 2, 2),
    ("hermite",         polynomial(sympy.hermite), 2, 2),
    ("laguerre",        polynomial(sympy.laguerre), 2, 2),
    ("gegenbauer",      polynomial(sympy.gegenbauer), 3, 3),
    ("harmonic",        sympy.harmonic,    1, 2),
    ("zeta",            sympy.zeta,        1, 2),
    ("polylog",         sympy.polylog,     2, 2),
    ("LambertW",        sympy.LambertW,    1, 2),
    ("elliptic_k ellipk", sympy.elliptic_k, 1, 1),
    ("elliptic_e ellipe", sympy.elliptic_e, 1, 2),
    ("ellipeinc",       sympy.elliptic_e,  2, 2),
    ("elliptic_f ellipf ellipkinc", sympy.elliptic_f, 2, 2),
    ("elliptic_pi ellippi", sympy.elliptic_pi, 2, 3),
    ("fresnels",        sympy.fresnels,    1, 1),
    ("fresnelc",        sympy.fresnelc,    1, 1),
    ("Si",              sympy.Si,          1, 1),
    ("Ci",              sympy.Ci,          1, 1),
    ("Shi",             sympy.Shi,         1, 1),
    ("Chi",             sympy.Chi,         1, 1),
    ("Ei",              sympy.Ei,          1, 1),
    ("li",              sympy.li,          1, 1),
    ("expint",          sympy.expint,      2, 2),
    ("besselj",         sympy.besselj,     2, 2),
    ("bessely",         sympy.bessely,     2, 2),
    ("besseli",         sympy.besseli,     2, 2),
    ("besselk",         sympy.besselk,     2, 2),
    ("Piecewise",       sympy.Piecewise,   1, MAX_ARGUMENTS, PIECE),
    ("where",           _where,            3, 3, (CONDITION, NUMBER, NUMBER)),
    ("And",             sympy.And,         2, MAX_ARGUMENTS, CONDITION),
    ("Or",              sympy.Or,          2, MAX_ARGUMENTS, CONDITION),
    ("Not",             sympy.Not,         1, 1, CONDITION),
    ("Lt",              sympy.Lt,          2, 2),
    ("Le",              sympy.Le,          2, 2),
    ("Gt",              sympy.Gt,          2, 2),
    ("Ge",              sympy.Ge,          2, 2),
    ("Eq",              sympy.Eq,          2, 2),
    ("Ne",              sympy.Ne,          2, 2),
)  # fmt: skip


def _signature(build: Any, least: int, most: int, takes: str | tuple[str, ...] = NUMBER) -> Signature:
    return Signature(partial(applied, build) if isinstance(build, type) else build, least, most, takes)


FUNCTIONS: dict[str, Signature] = {name: _signature(*row) for names, *row in _TABLE for name in names.split()}


def know(name: str, head: Any, least: int, most: int) -> None:
    """Adds a function. The tables of higher rooms tell which functions they serve."""
    FUNCTIONS[name] = _signature(head, least, most)


def forget(name: str) -> None:
    """Removes a function again."""
    FUNCTIONS.pop(name, None)


def nearest(name: str) -> str | None:
    """The known function whose name is most similar; None if none is close."""
    if len(name) > 2 * max(map(len, FUNCTIONS)):
        return None
    folded = {known.casefold(): known for known in FUNCTIONS}
    close = difflib.get_close_matches(name.casefold(), folded, n=5)
    begins = [known for known in close if name.casefold().startswith(known)]  # cosine is cos rather than sin
    return folded[(begins or close)[0]] if close else None
