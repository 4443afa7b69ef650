"""`adlab.primitive`: registers an operation of the user's own as an entry of the table. It is checked first."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sympy

from adlab.arithmetic.floats import compile_python
from adlab.errors import AdlabError, OptionError, ParseError
from adlab.graph import rules
from adlab.primitives import numerics, ranges, table
from adlab.primitives.heads import define
from adlab.primitives.primitive import OUT, Primitive, operand_letters
from adlab.text import vocabulary
from adlab.text.functions import named
from adlab.text.parser import parse
from adlab.truth.meanings import CONTEXT, exact, working
from adlab.truth.values import Plan, plan

PRECISIONS = (400, 1600, 6400)  # bits: the later ones are for meanings that lose digits at the first
STEP = 100  # bits by which the step of a difference is smaller than the operand
AGREES = 80  # bits that a partial and a difference must share
KEPT = 2.0**-26  # a rule on floats with a larger relative error is refused: it would lose half of the digits
POINTS = 60


def primitive(
    name: str,
    form: Callable[..., Any],
    partials: Sequence[Any],
    value: Callable[..., float] | None = None,
    array: Callable[..., Any] | None = None,
    domain: Any = True,
    smooth: Any = True,
    convention: str = "",
    ulps: float = 4,
    cost: float = 20,
) -> Any:
    """Registers an operation of your own and returns its SymPy function, for use in expressions. Texts know it by `name`.

    - `form` says what it means: a function from SymPy operands to an expression.
    - `partials` are the derivatives by each operand, as texts or expressions in the operands a, b, c, a4 … and the result `out`.
      They may call every function of the table, and this one.
    - `value` takes floats; outside the domain it may raise ValueError. `array` takes NumPy arrays. By default both evaluate the
      form at 130 bits and round once.
    - `domain` is the condition for a value, `smooth` the condition for a derivative in the usual sense. Elsewhere the partial
      is the
      `convention`, which is a sentence.
    - `ulps` bounds the rounding error of `value`. `cost` counts in additions.

    The operation is checked first, over its domain. Each partial is compared with differences of the form at 400 bits and more.
    The rule on floats is compared with both; it must keep half of the digits. `value` and `array` must agree with the form to
    `ulps`. Raises OptionError, which says what is wrong and where; then nothing is registered. `forget(name)` removes the
    operation again.

    >>> import adlab
    >>> logit = primitive("logit", lambda a: sympy.log(a / (1 - a)), ["1/(a*(1 - a))"], domain="And(a > 0, a < 1)")
    >>> adlab.Function("logit(x)*y").gradient([0.25, 2.0])
    array([10.66666667, -1.09861229])
    >>> forget("logit")
    >>> primitive("logit", lambda a: sympy.log(a / (1 - a)), ["1/a"], domain="And(a > 0, a < 1)")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    adlab.errors.OptionError: `logit`: the partial for a is wrong at a = ...: the rule gives ..., differences of the form ...
    """
    if not (isinstance(name, str) and name.isidentifier()):
        raise OptionError(f"a primitive is called by a name such as `logit`, not {name!r}")
    if name in table.PRIMITIVES or name in vocabulary.FUNCTIONS:
        raise OptionError(f"`{name}` is known already; choose another name, or call forget({name!r}) first")
    letters = operand_letters(len(partials))
    means = form(*letters)
    head = named(name, form, len(partials))
    vocabulary.know(name, head, len(letters), len(letters))  # so that its own rules can be read
    try:
        slopes = tuple(_read(rule, letters) for rule in partials)
        where, kinks = _condition(domain, letters), _condition(smooth, letters)
        made = _made(name, head, means, letters, slopes, value, array, domain=where, smooth=kinks, convention=convention,
                     ulps=ulps, cost=cost)  # fmt: skip
        table.register(made)
        try:
            _check(made, means, letters)
        except BaseException:
            table.forget(made)
            raise
    except BaseException:
        vocabulary.forget(name)
        raise
    return head


def forget(name: str) -> None:
    """Removes a primitive that `primitive` has registered. Raises OptionError if there is none of that name."""
    known = table.PRIMITIVES.get(name)
    if known is None or known.spelling != name or not hasattr(known.head, "meaning"):
        raise OptionError(f"no primitive of yours is called {name!r}")
    table.forget(known)


def _made(
    name: str, head: Any, means: Any, letters: Sequence[Any], slopes: Any, value: Any, array: Any, **facts: Any
) -> Primitive:
    """The entry. Where no functions are given, the form computes the values."""
    scalar = value or _by_form(plan([means], letters))
    if facts["smooth"] is not sympy.true and not facts["convention"]:
        raise OptionError(f"`{name}` is not smooth everywhere; say by `convention` what its partial is there")
    return Primitive(name, head, array or numerics.elementwise(scalar, len(letters)), scalar, slopes, head=head, spelling=name,
                     special=True, real_only=array is None, over=ranges.unknown, **facts)  # fmt: skip


def _read(rule: Any, letters: Sequence[Any]) -> Any:
    """A rule as an expression in the letters of operands and result."""
    known = {str(letter): letter for letter in (*letters, OUT)}
    try:
        found = parse(rule, [*letters, OUT]) if isinstance(rule, str) else sympy.sympify(rule)
    except (ParseError, sympy.SympifyError) as wrong:
        raise OptionError(f"the rule {rule!r} cannot be read: {wrong}") from wrong
    found = found.xreplace({symbol: known.get(symbol.name, symbol) for symbol in found.free_symbols})
    strange = sorted(map(str, found.free_symbols - {*letters, OUT}))
    if strange:
        raise OptionError(f"the rule {rule!r} holds {', '.join(strange)}; its letters are {', '.join(known)}")
    return found


def _condition(condition: Any, letters: Sequence[Any]) -> Any:
    """A condition. A text is read as the condition of a Piecewise, since a formula by itself is a number."""
    if condition is True:
        return sympy.true
    if not isinstance(condition, str):
        return _read(condition, letters)
    return _read(f"Piecewise((1, {condition}), (0, True))", letters).args[0].args[1]


def _by_form(meant: Plan) -> Callable[..., float]:
    def scalar(*operands: float) -> float:
        if not all(map(math.isfinite, operands)):
            return math.nan  # no limit is taken at infinity
        try:
            found = _real(meant, operands, 130)
        except AdlabError as wrong:
            raise ValueError(str(wrong)) from wrong
        if hasattr(found, "_mpc_"):
            raise ValueError("no real value")
        return float(found)

    return scalar


def _real(meant: Plan, operands: Sequence[Any], bits: int) -> Any:
    (value,) = meant.values(operands, bits)
    return value.real if hasattr(value, "_mpc_") and abs(value.imag) <= abs(value.real) * 2.0**-100 else value


# --- the check -----------------------------------------------------------------------------------------------------


def _check(made: Primitive, means: Any, letters: Sequence[Any]) -> None:
    """Raises OptionError at the first place where the entry is wrong."""
    meant = plan([means], letters)
    written = [plan([define(rule.xreplace({OUT: means})).doit()], letters) for rule in made.rules()]
    on_floats = compile_python(rules.partials(made))
    tried = 0
    for point in _points(made, letters):
        at = ", ".join(f"{letter} = {x!r}" for letter, x in zip(letters, point, strict=True))
        try:
            true = _real(meant, point, PRECISIONS[0])
        except AdlabError:
            raise OptionError(f"`{made.name}` has no value at {at}, which its domain contains") from None
        if hasattr(true, "_mpc_"):
            raise OptionError(f"`{made.name}` is not real at {at}, which its domain contains")
        if not 1e-290 < abs(true) < 1e290:
            continue
        tried += 1
        _values(made, point, float(true), at)
        for k, letter in enumerate(letters):
            expected = _partial(made.name, meant, written[k], point, k, f"the partial for {letter} is wrong at {at}")
            found = on_floats(*point, made.value(point))[k]
            if 1e-290 < abs(expected) < 1e290 and not abs(found - expected) <= KEPT * abs(expected):
                raise OptionError(f"`{made.name}`: the rule for {letter} loses its digits at {at}: on floats it gives "
                                  f"{found:.10g}, the derivative is {expected:.10g}; write it in another form")  # fmt: skip
    if tried < 3:
        raise OptionError(f"`{made.name}`: no points of its domain were found to check it at; it is {made.domain}")


def _values(made: Primitive, point: Sequence[float], true: float, at: str) -> None:
    import numpy as np

    arrays = made.array(*[np.array([x, x]) for x in point])
    for what, found in (("value", made.value(point)), ("array", float(np.asarray(arrays).flat[0]))):
        allowed = (made.ulps + 1 if what == "value" else 4 * made.ulps + 4) * math.ulp(true)
        if not abs(found - true) <= allowed:
            raise OptionError(f"`{made.name}`: `{what}` gives {found!r} at {at}, the form {true!r}")


def _partial(name: str, meant: Plan, rule: Plan, point: Sequence[float], k: int, wrong: str) -> float:
    """The derivative by differences of the form. At some precision the rule must agree with it. Raises OptionError."""
    found, difference = CONTEXT.zero, CONTEXT.zero
    for bits in PRECISIONS:
        try:
            found, difference = _real(rule, point, bits), _difference(meant, point, k, bits)
        except AdlabError as missing:
            raise OptionError(f"`{name}`: {wrong}: {missing}") from None
        with working(bits):
            a, b = exact(found), exact(difference)
            if abs(a - b) <= abs(b) * CONTEXT.mpf(2) ** -AGREES or max(abs(a), abs(b)) < CONTEXT.mpf(2) ** -1100:
                return float(found)
    raise OptionError(f"`{name}`: {wrong}: the rule gives {float(found):.10g}, differences of the form {float(difference):.10g}")


def _difference(meant: Plan, point: Sequence[float], k: int, bits: int) -> Any:
    """A central difference, with a step 2^-100 of the operand: its truncation error is about 2^-200 of the derivative."""
    with working(bits):
        h = exact(abs(point[k]) or 1.0) * CONTEXT.mpf(2) ** -STEP
        ends = [exact(point[k]) + side * h for side in (1, -1)]
    above, below = (exact(_real(meant, [*point[:k], end, *point[k + 1 :]], bits)) for end in ends)
    with working(bits):
        return (above - below) / (2 * h)


def _points(made: Primitive, letters: Sequence[Any]) -> Iterator[list[float]]:
    """Points of the domain where the operation is smooth, of all sizes and signs. They are the same at every call."""
    r = random.Random(made.name)
    means = made.head(*letters).doit()
    inside = sympy.lambdify(letters, sympy.And(made.domain, made.smooth.xreplace({OUT: means})), "math")
    found = 0
    for turn in range(50 * POINTS):
        sizes = r.random(), 30 * r.random(), 10 ** r.uniform(-12, 4)  # in turn: up to 1, up to 30, and any decade
        point = [r.choice((1, -1)) * (sizes[turn % 3] if k == 0 else r.choice((r.random(), 30 * r.random())))
                 for k in range(len(letters))]  # fmt: skip
        try:
            held = bool(inside(*point))
        except (ValueError, ZeroDivisionError, OverflowError):
            continue
        if held:
            yield point
            found += 1
        if found == POINTS:
            return
