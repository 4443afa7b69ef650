"""Formulas of the literature. Each is known for one thing that differentiating it shows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

from sympy import Float, Integer, Mul, Rational, S

from adlab.errors import OptionError
from adlab.function import Function
from adlab.gallery.notation import add, div, dot, exp, letter, letters, log, mul, neg, require, sin, sqrt, square, sub
from adlab.gallery.straight import HAND, function

Form = Literal["written", "evaluated"]
MAX_EVALUATED = 500  # beyond it, the factors of the evaluated logistic map leave binary64 one after the other


def worked_example() -> Function:
    """log((x1 + x2)² + sin(x1 x2)) at (1, 2): six operations, and every kind of step that a trace can show."""
    return Function(
        "log((x1 + x2)**2 + sin(x1*x2))",
        name="worked example",
        point=(1, 2),
        about="Two variables, each used twice, whose adjoints add up; real only where the log's operand is positive.",
    )


def baydin() -> Function:
    """ln x1 + x1 x2 − sin x2 at (2, 5): Tables 2 and 3 of Baydin et al. (2018), line by line.

    >>> print(baydin().graph)
    v1 = log(x1)
    v2 = x1*x2
    v3 = sin(x2)
    v4 = v1 + v2
    v5 = v4 - v3
    """
    return Function(
        "ln(x1) + x1*x2 - sin(x2)",
        name="Baydin's example",
        point=(2, 5),
        about="The example of Baydin et al. (2018), whose published traces can be checked line by line.",
    )


def squire_trapp() -> Function:
    """exp(x)/sqrt(sin³x + cos³x) at 1.5: the example of Squire & Trapp (1998)."""
    return Function(
        "exp(x)/sqrt(sin(x)^3 + cos(x)^3)",
        name="Squire & Trapp's example",
        point=(1.5,),
        about="What made the complex step known: it is right to the last digits, where differences lose half of them.",
    )


def switched() -> Function:
    """√(x1 − x2) where x1 > x2, else x1² sin x2, at (1, 2)."""
    return Function(
        "Piecewise((sqrt(x1 - x2), x1 > x2), (x1^2*sin(x2), True))",
        name="switched",
        point=(1, 2),
        about="Two branches; the one not taken has no value here, and nothing of it may reach the gradient.",
    )


def logistic_map(n: int = 4, form: Form = "written") -> Function:
    """l_n of l_1 = x, l_{k+1} = 4 l_k (1 − l_k), at 0.3 (Baydin et al. 2018, Table 1).

    In the evaluated form SymPy flattens the nest into one product of n + 1 factors; its coefficient is 4**(n - 1).

    >>> logistic_map(3).outputs, logistic_map(3, form="evaluated").outputs
    ((4*(4*x*(1 - x))*(1 - 4*x*(1 - x)),), (16*x*(1 - x)*(-4*x*(1 - x) + 1),))
    """
    evaluated = _is_evaluated(form)
    require(lambda: 3 * n, n=n)
    if evaluated and n > MAX_EVALUATED:
        raise OptionError(f'n = {n} is beyond {MAX_EVALUATED} for the evaluated form; form="written" has no such bound')
    x = level = letter("x")
    for _ in range(n - 1):
        level = 4 * level * (1 - level) if evaluated else mul(Integer(4), level, sub(S.One, level))
    return function(
        level,
        variables=[x],
        name=f"logistic map (n = {n}, {form})",
        point=(0.3,),
        about="An iterated map: the tree of its derivative grows exponentially with n, the graph by a few operations.",
    )


def speelpenning(n: int = 10, form: Form = "written") -> Function:
    """x1 x2 ⋯ xn at x_i = i/(i + 1), where it is 1/(n + 1) (Speelpenning 1980).

    In the written form it is nested in pairs, ((x1 x2) x3) ⋯, as a loop makes it. In the evaluated form it is one flat product.
    """
    evaluated = _is_evaluated(form)
    require(lambda: n, n=n)
    x = letters("x", n)
    result: Any = Mul(*x) if evaluated else x[0]
    for factor in () if evaluated else x[1:]:
        result = mul(result, factor)
    return function(
        result,
        variables=x,
        name=f"Speelpenning's product (n = {n}, {form})",
        point=[i / (i + 1) for i in range(1, n + 1)],
        about="A product: n (n - 2) multiplications for all partials one by one, 3n - 6 for all together in reverse.",
    )


def rosenbrock(n: int = 2) -> Function:
    """Σ 100 (x_{i+1} − x_i²)² + (1 − x_i)², at (−1.2, 1, −1.2, …) (Rosenbrock 1960)."""
    require(lambda: 8 * n, least=2, n=n)
    x = letters("x", n)
    valley = [mul(Integer(100), square(sub(b, square(a)))) for a, b in pairwise(x)]
    floor = [square(sub(S.One, a)) for a in x[:-1]]
    return function(
        add(*valley, *floor),
        variables=x,
        name=f"Rosenbrock's function (n = {n})",
        point=[1.0 if i % 2 else -1.2 for i in range(n)],
        about="The curved valley on which minimisers are tried; each term holds no more than two neighbours.",
    )


def helmholtz(n: int = 10) -> Function:
    """The Helmholtz energy of a mixed fluid (Griewank & Walther 2008), at x_i = i/n.

    R T Σ x_i log(x_i/(1 − bᵀx)) − xᵀAx/(√8 bᵀx) · log((1 + (1 + √2) bᵀx)/(1 + (1 − √2) bᵀx)), here with R T = 5/2,
    b_i = 1/(n + i) and Hilbert's A_ij = 1/(i + j − 1), which are the nearest doubles, as data are: bᵀx ≤ 1/2 at the point,
    and a value needs bᵀx < 1.
    """
    require(lambda: 2 * n * n, n=n)
    x = letters("x", n)
    bx = add(*(div(x_i, Integer(n + i)) for i, x_i in enumerate(x, 1)))
    mixing = add(*(mul(x_i, log(div(x_i, sub(S.One, bx)))) for x_i in x))
    hilbert = [Float(1 / k, precision=53) for k in range(1, 2 * n)]  # A_ij by i + j − 1, from 1
    Ax = [add(*(mul(hilbert[i + j], x_j) for j, x_j in enumerate(x))) for i in range(n)]
    root = sqrt(Integer(2))
    above, below = (add(S.One, mul(factor, bx)) for factor in (add(S.One, root), sub(S.One, root)))
    attraction = mul(div(dot(x, Ax), mul(sqrt(Integer(8)), bx)), log(div(above, below)))
    return function(
        sub(mul(Rational(5, 2), mixing), attraction),
        variables=x,
        name=f"Helmholtz energy (n = {n})",
        point=[i / n for i in range(1, n + 1)],
        about="A mixed fluid: every variable meets every other, and the quadratic form costs about 2n² operations.",
    )


def chain(depth: int = 10) -> Function:
    """x → sin x · e^−x, `depth` times over, at 0.5."""
    require(lambda: 4 * depth, depth=depth)
    x = level = letter("x")
    for _ in range(depth):
        level = mul(sin(level), exp(neg(level)))
    return function(
        level,
        variables=[x],
        name=f"chain (depth = {depth})",
        point=(0.5,),
        about="A composition of any depth that uses every level twice: 2^depth leaves as a tree, 4 operations a level.",
    )


def _is_evaluated(form: str) -> bool:
    if form not in ("written", "evaluated"):
        raise OptionError(f'form={form!r} is neither "written" nor "evaluated"')
    if form == "evaluated" and HAND.get() is not None:
        raise OptionError('form="evaluated" is what SymPy makes of a formula; only the written form goes straight into a graph')
    return form == "evaluated"
