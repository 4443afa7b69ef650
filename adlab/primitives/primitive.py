"""What is known of one operation, in one place."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, ClassVar

import sympy

from adlab.primitives import numerics, ranges

# The letters in which the rules are written: the operands, the constant parameter (an exponent, an order), and the value just
# computed. They are real, so that SymPy's own derivative of Abs(a) is sign(a).
A, B, C = sympy.symbols("a b c", real=True)
N = sympy.Symbol("n", real=True)
OUT = sympy.Symbol("out", real=True)


@cache
def operand_letters(count: int) -> tuple[sympy.Symbol, ...]:
    """The letters for so many operands: a, b, c, and from the fourth on a4, a5, …

    >>> operand_letters(5)
    (a, b, c, a4, a5)
    """
    return (A, B, C)[:count] + tuple(sympy.Symbol(f"a{k}", real=True) for k in range(4, count + 1))


Number = int | Fraction | float
"""An exact number. A float stands for the binary64 that it is."""

Parameter = Any
"""What a node holds beside its operands, hashable. It is an exponent or order (a `Number`), an input's name, a constant, the
number of operands of a variadic primitive, the body graphs of a compound operation, or None."""


@dataclass(frozen=True, eq=False)
class Primitive:
    """One operation: its meaning, its functions, its derivative, and where each of them exists.

    - `form` builds the SymPy expression from the operands, and from the parameter, which comes last.
    - `array` and `scalar` compute it with NumPy and with `math`. `scalar` may raise as `math` does.
    - `partials` has a SymPy expression for each operand, in `a`, `b`, `c`, the parameter `n` and the result `out`. It is chosen
      to keep its digits up to the extremes of the domain.
    - `domain` says where there is a value, `partial_domains` where there is each partial (by default wherever there is a value).
    - `smooth` says where the derivative exists in the usual sense. Elsewhere the partial is the `convention`.
    - `cost` counts in units of one addition.

    A variadic primitive takes any number of operands. Its node has that number as its parameter, and its `partials` is a function
    from the letters of the operands to their partials.
    """

    name: str
    form: Callable[..., sympy.Basic]
    array: Callable[..., Any]
    scalar: Callable[..., float]
    partials: tuple[sympy.Expr, ...] | Callable[..., tuple[sympy.Expr, ...]]
    domain: Any = sympy.true
    partial_domains: tuple[Any, ...] = ()
    smooth: Any = sympy.true
    convention: str = ""
    cost: float | Callable[[Any], float] = 1
    text: str | Callable[[Any], str] = ""
    """How the operation is written: `{0}` and `{1}` are operands, `{n}` is the parameter. By default it is written as a call."""
    operator: bool = False
    """Whether `text` is also Python source, for floats and arrays alike."""
    head: Any = ()
    """The SymPy class that lowers to this primitive, or several classes. None where lowering must look closer."""
    parameter_at: int | None = None
    """The position of the constant parameter among the arguments of `head`."""
    moving: str = ""
    """The primitive to use where that argument is not constant. It takes the argument as an operand, `a`."""
    analytic: bool = True
    """Whether it is complex-differentiable wherever it is differentiable. Only then can the complex step pass through it."""
    complex: Callable[..., Any] | None = None
    """Computes it on complex numbers. By default `array` does."""
    real_only: bool = False
    """Whether nothing computes it on complex numbers."""
    routes: bool = False
    """Whether it passes on one operand only.

    An operand with partial 0 is *not used*: even its infinite derivative counts as 0.
    """
    narrow: bool = False
    """Whether `domain` is only where adlab can compute it, a part of the function's own domain."""
    principal: bool = False
    """Whether it is complex outside its domain, on the principal branch. (At zero it has a pole, or zero does not matter.)"""
    piecewise_constant: bool = False
    """Whether the partials are 0 wherever they exist. `sympy.diff` has no usable answer here (DiracDelta, Derivative)."""
    ulps: float = math.inf
    """A bound on the rounding error of `scalar`, in units in the last place of its result. Each entry states its own."""
    over: ranges.Over = ranges.monotone
    """Its values while the operands run over intervals of its domain. By default it is monotone in each operand."""
    special: bool = False
    """Whether mpmath computes it: then it is slow, and a 0 may be an underflow even if an operand is 0."""
    vanishes: bool = True
    """Whether it can be 0 when no operand is 0. If it cannot, such a 0 is an underflow."""
    truth_valued: bool = False
    """Whether its values are 1 and 0, for true and false."""
    common: bool = False
    """Whether a beginner knows it. Then a wrong answer may come from mistaking it for another function."""
    spelling: str = ""
    """Its names in formula text, if the text does not know one by itself."""
    c: str = ""
    """The function of the C library that stands for `array` in machine code, where the name of `array` does not tell."""
    ball: Callable[..., Any] | None = None
    """Computes it on Arb's balls, from the operands and then the parameter. By default its form is evaluated on balls."""
    jumps: bool = False
    """Whether it is discontinuous where it is not `smooth`, or anywhere if `smooth` is true. Others have a kink there."""

    compound: ClassVar[bool] = False
    """Whether it has body graphs and several results, or reads one that has: see `adlab.graph.compound`."""

    @cached_property
    def arity(self) -> int:
        """The number of operands; 0 where each node has its own number (see `count`)."""
        return 0 if callable(self.partials) else len(self.partials)

    @property
    def variadic(self) -> bool:
        """Whether a node may have any number of operands. That number is then its parameter."""
        return callable(self.partials)

    def count(self, parameter: Parameter = None) -> int:
        """The number of operands that a node with this parameter has."""
        return int(parameter) if callable(self.partials) else self.arity

    def results(self, parameter: Parameter = None) -> int:
        """The number of results. An operation with several results is compound, and `part` nodes read them one by one."""
        return 1

    def bodies(self, parameter: Parameter = None) -> dict[str, Any]:
        """The body graphs of a compound operation, by the names that are printed."""
        return {}

    def letters(self, parameter: Parameter = None) -> tuple[sympy.Symbol, ...]:
        """The letters of the operands in the rules: a, b, c …"""
        return operand_letters(self.count(parameter))

    def rules(self, parameter: Parameter = None) -> tuple[sympy.Expr, ...]:
        """The partials, one for each operand, before the parameter is put in."""
        return self.partials(*self.letters(parameter)) if callable(self.partials) else self.partials

    @property
    def has_complex(self) -> bool:
        """Whether there is a function for complex numbers."""
        return not self.real_only

    def partial(self, operand: int, parameter: Parameter = None) -> sympy.Expr:
        """The partial for one operand, with the parameter put in.

        >>> from adlab.primitives.table import PRIMITIVES
        >>> PRIMITIVES["div"].partials
        (1/b, -out/b)
        >>> PRIMITIVES["powi"].partial(0, 3)
        3*a**2
        """
        return self.with_parameter(self.rules(parameter)[operand], parameter)

    def value_condition(self, parameter: Parameter = None) -> Any:
        """Where there is a value, as a SymPy relational in `a`, `b`, `c`."""
        return self.with_parameter(self.domain, parameter)

    def partial_condition(self, operand: int, parameter: Parameter = None) -> Any:
        """Where there is a partial for this operand; its convention at a kink counts."""
        conditions = self.partial_domains
        which = 0 if self.variadic else operand  # all operands of a variadic primitive share one condition
        return self.with_parameter(conditions[which] if conditions else self.domain, parameter)

    def weight(self, parameter: Parameter = None) -> float:
        """The cost of one application, in units of one addition."""
        return self.cost(parameter) if callable(self.cost) else self.cost

    def written(self, operands: tuple[str, ...], parameter: Parameter = None) -> str:
        """The operation in letters.

        >>> from adlab.primitives.table import PRIMITIVES
        >>> PRIMITIVES["powi"].written(("v1",), 2), PRIMITIVES["sin"].written(("v3",))
        ('v1**2', 'sin(v3)')
        """
        text = self.text(parameter) if callable(self.text) else self.text
        if text:
            return text.format(*operands, n=number_text(parameter))
        shown = operands if parameter is None or self.variadic else (*operands, number_text(parameter))
        return f"{self.name}({', '.join(shown)})"

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    @cached_property
    def careful(self) -> Callable[..., float]:
        """`scalar` under IEEE rules: NaN outside the domain, infinity at an overflow, never an exception."""
        return numerics.careful(self.scalar, self.array)

    def value(self, operands: Sequence[float], parameter: Parameter = None) -> float:
        """The operation on floats, under IEEE rules."""
        return self.careful(*operands) if parameter is None else self.careful(*operands, parameter)

    @staticmethod
    def with_parameter(rule: Any, parameter: Parameter) -> Any:
        """A rule or a condition, with the constant parameter put in."""
        return rule if parameter is None else rule.xreplace({N: exact_sympy(parameter)})


class Part(Primitive):
    """Reads one result of an operation that has several. Its parameter says which. It computes nothing itself."""

    compound: ClassVar[bool] = True

    def count(self, parameter: Parameter = None) -> int:
        """One: the operation whose result is read."""
        return 1


@cache
def to_float(constant: Any) -> float:
    """The double nearest to an exact constant; ±inf beyond the largest."""
    try:
        return float(constant)
    except OverflowError:
        return math.inf if constant > 0 else -math.inf


def exact_sympy(number: Any) -> sympy.Expr:
    """An exact number as SymPy holds it; a float becomes the ratio that it is.

    >>> exact_sympy(0.5), exact_sympy(Fraction(2, 3)), exact_sympy(sympy.pi)
    (1/2, 2/3, pi)
    """
    if isinstance(number, sympy.Basic):
        return number
    exact = Fraction(number)
    return sympy.Rational(exact.numerator, exact.denominator)


def number_text(number: Parameter) -> str:
    """A number as a person writes it: `2`, `(2/3)`, `0.1`, `pi`.

    >>> number_text(Fraction(2, 3)), number_text(0.1), number_text(-2)
    ('(2/3)', '0.1', '(-2)')
    """
    if isinstance(number, Fraction):
        if number.denominator == 1:
            return number_text(number.numerator)
        if number.denominator > 10**6:
            return number_text(float(number))
        return f"({number.numerator}/{number.denominator})"
    if isinstance(number, (int, float)):
        return str(number) if number >= 0 else f"({number})"
    return str(number)
