"""A checker for proofs of `adlab.prove`: some fifty lines that share nothing with what made them.

A proof is a list of lemmas, one for each operation, in order: "while the operands lie in their intervals, the operation has a
value, and that lies in [low, high]". Each is checked by itself, in the interval arithmetic of mpmath.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from mpmath.ctx_iv import MPIntervalContext

BITS = 120
"""Of the checker's own intervals: more than twice those of the ends that it checks."""
iv = MPIntervalContext()  # its own: `mpmath.iv` and its precision belong to the user
iv.prec = BITS


def _when(holds: bool, compute: Callable[[], Any]) -> Any:
    """The value where the condition holds for the whole interval, else nothing."""
    return compute() if holds else None


def _power(a: Any, text: str) -> Any:
    exponent = Fraction(text)
    if exponent.denominator == 1 and exponent >= 0:
        return a**exponent.numerator
    if a.a == 0 and exponent > 0:  # a power rises, from 0 at 0
        return iv.mpf([0, _power(a.b, text).b if a.b > 0 else 0])
    return _when(a.a > 0, lambda: iv.exp(iv.log(a) * exponent.numerator / exponent.denominator))


def _cosh(a: Any) -> Any:
    return (iv.exp(a) + iv.exp(-a)) / 2


RULES: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "neg": lambda a: -a,
    "div": lambda a, b: _when(b.a > 0 or b.b < 0, lambda: a / b),
    "sqrt": lambda a: _when(a.a >= 0, lambda: iv.sqrt(a)), "log": lambda a: _when(a.a > 0, lambda: iv.log(a)),
    "exp": iv.exp, "sin": iv.sin, "cos": iv.cos, "abs": abs, "powi": _power, "powr": _power,
    "tanh": lambda a: 1 - 2 / (iv.exp(2 * a) + 1), "cosh": lambda a: iv.mpf([_cosh(abs(a).a).a, _cosh(abs(a).b).b]),
    "sinh": lambda a: (iv.exp(a) - iv.exp(-a)) / 2,
}  # fmt: skip


def check(lemmas: Sequence[Mapping[str, Any]], box: Mapping[str, Sequence[float]] | None = None) -> str:
    """Empty where every lemma holds, else what is wrong with the first that does not.

    What is assumed stands in the lemmas of inputs alone. With a `box` they must be its sides.
    """
    known: dict[str, Any] = {}
    for number, lemma in enumerate(lemmas, 1):
        try:
            wrong = _wrong(lemma, known, box)
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, NotImplementedError, RuntimeError):
            wrong = f"lemma {number} cannot be read"
        if wrong:
            return wrong
    return ""


def _wrong(lemma: Mapping[str, Any], known: dict[str, Any], box: Mapping[str, Sequence[float]] | None) -> str:
    name, operation, parameter = lemma["name"], lemma["operation"], lemma["parameter"]
    low, high = map(float.fromhex, lemma["in"])
    if name in known or not low <= high:
        return f"{name} is {'claimed twice' if name in known else 'claimed to lie in no interval'}"
    claimed = iv.mpf([low, high])
    if operation in ("input", "constant") and lemma["of"]:
        return f"{name}: {operation} is an operation on nothing"
    if operation == "constant":
        top, bottom = map(int, parameter.split("/"))
        found = _when(bottom != 0, lambda: iv.mpf(top) / bottom)
    elif operation == "input":
        found = claimed if box is None or (name in box and tuple(box[name]) == (low, high)) else None
    elif operation not in RULES or any(operand not in known for operand in lemma["of"]) or (
        (parameter is None) == (operation in ("powi", "powr"))
    ):
        return f"{name}: {operation} of {', '.join(lemma['of'])} cannot be checked"
    else:
        found = RULES[operation](*[known[operand] for operand in lemma["of"]], *[parameter] * (parameter is not None))
    if found is None or not (claimed.a <= found.a and found.b <= claimed.b):
        return f"{name} = {operation}({', '.join(lemma['of'])}) is not proven to lie in [{lemma['in'][0]}, {lemma['in'][1]}]"
    known[name] = claimed
    return ""
