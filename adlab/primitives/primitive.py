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

# The letters in which the rules are written: the operands, the constant parameter (an exponent, an order),
# and the value just computed. Real, so that SymPy's own derivative of Abs(a) is sign(a).
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
"""An exact number: floats stand for the binary64 they are."""

Parameter = Any
"""What a node holds beside its operands, hashable: an exponent or order (a `Number`), an input's name, a constant, the
number of operands of a variadic primitive, what a compound operation is made of (its body graphs), or None."""


@dataclass(frozen=True, eq=False)
class Primitive:
    """One operation: its meaning, its numbers, its derivative, and where each of them exists.

    `form` builds the SymPy expression from the operands (and the parameter, last); `array` and `scalar` compute it
    with NumPy and with `math` (`scalar` may raise as `math` does). `partials` are SymPy expressions in `a`, `b`,
    `c`, the parameter `n` and the result `out`: one for each operand, chosen to keep their digits up to the
    extremes of the domain. A variadic primitive takes any number of operands: a node of it has that number as its
    parameter, and `partials` is a function from the letters of the operands to their partials. `domain` says
    where there is a value, `partial_domains` where there is each partial (by default wherever there is a value),
    `smooth` where the derivative exists in the usual sense; elsewhere the partial is the `convention`. `cost` counts in
    units of one addition.
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
    """How the operation is written, `{0}` `{1}` `{n}` being operands and parameter; by default as a call."""
    operator: bool = False
    """Whether `text` is Python source as well, for floats and arrays alike."""
    head: Any = ()
    """The SymPy class that lowers to this primitive, or several; none where lowering must look closer."""
    parameter_at: int | None = None
    """Which argument of `head` is the constant parameter."""
    moving: str = ""
    """The primitive that takes the place of this one where that argument is no constant; it has it as an operand, `a`."""
    analytic: bool = True
    """Whether it is complex-differentiable where it is differentiable, so that the complex step may pass."""
    complex: Callable[..., Any] | None = None
    """Computes it on complex numbers; by default `array` does."""
    real_only: bool = False
    """Nothing computes it on complex numbers."""
    routes: bool = False
    """Passes on one operand: what has partial 0 is *not used*, and even an infinite derivative there is nothing."""
    narrow: bool = False
    """The domain is where adlab can compute it, which is not all of the function's own."""
    principal: bool = False
    """Outside its domain the value is complex, on the principal branch; zero is a pole, or no matter."""
    piecewise_constant: bool = False
    """The partials are 0 wherever they exist; `sympy.diff` has no usable answer (DiracDelta, Derivative)."""
    ulps: float = math.inf
    """A bound on the rounding error of `scalar`, in units in the last place of what it returns; each entry states its own."""
    over: ranges.Over = ranges.monotone
    """Its values while the operands run over intervals of its domain; by default it is monotone in each of them."""
    special: bool = False
    """Whether mpmath computes it: slow, and 0 may be an underflow although an operand is 0."""
    vanishes: bool = True
    """Whether it may be 0 of operands that are not; if not, a 0 there is an underflow."""
    truth_valued: bool = False
    """Whether its values are 1 and 0, for true and false."""
    common: bool = False
    """Whether a beginner knows it, so that a wrong answer may come from taking it for another."""
    spelling: str = ""
    """Its names in formula text, where the text knows none by itself."""
    c: str = ""
    """The function of the C library for `array`, where machine code cannot read that."""
    ball: Callable[..., Any] | None = None
    """It on Arb's balls, operands and then the parameter; by default its form is evaluated there."""
    jumps: bool = False
    """Discontinuous where it is not `smooth`, others having a kink there; or, with no such condition, anywhere."""

    compound: ClassVar[bool] = False
    """Whether it has graphs of its own and several results, or reads one that has: see `adlab.graph.compound`."""

    @cached_property
    def arity(self) -> int:
        """The number of operands; 0 where each node has its own number (see `count`)."""
        return 0 if callable(self.partials) else len(self.partials)

    @property
    def variadic(self) -> bool:
        """Whether a node may have any number of operands, which then is its parameter."""
        return callable(self.partials)

    def count(self, parameter: Parameter = None) -> int:
        """The number of operands that a node with this parameter has."""
        return int(parameter) if callable(self.partials) else self.arity

    def results(self, parameter: Parameter = None) -> int:
        """The number of results; an operation with several is compound, and `part` nodes read them one by one."""
        return 1

    def bodies(self, parameter: Parameter = None) -> dict[str, Any]:
        """The graphs that a compound operation is made of, by the names that are printed."""
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
        """The rule for one operand, with the parameter put in.

        >>> from adlab.primitives.table import PRIMITIVES
        >>> PRIMITIVES["div"].partials
        (1/b, -out/b)
        >>> PRIMITIVES["powi"].partial(0, 3)
        3*a**2
        """
        return self._with_parameter(self.rules(parameter)[operand], parameter)

    def value_condition(self, parameter: Parameter = None) -> Any:
        """Where there is a value, as a SymPy relational in `a`, `b`, `c`."""
        return self._with_parameter(self.domain, parameter)

    def partial_condition(self, operand: int, parameter: Parameter = None) -> Any:
        """Where there is a partial for this operand (its convention at a kink included)."""
        conditions = self.partial_domains
        which = 0 if self.variadic else operand  # all operands of a variadic primitive have one condition
        return self._with_parameter(conditions[which] if conditions else self.domain, parameter)

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
    def _with_parameter(rule: Any, parameter: Parameter) -> Any:
        return rule if parameter is None else rule.xreplace({N: exact_sympy(parameter)})


class Part(Primitive):
    """Reads one result of an operation that has several: the parameter says which. It has no numbers of its own."""

    compound: ClassVar[bool] = True

    def count(self, parameter: Parameter = None) -> int:
        """One: the operation that is read."""
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
