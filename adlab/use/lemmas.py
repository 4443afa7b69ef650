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


def check(lemmas: Sequence[Mapping[str, Any]]) -> str:
    """Empty where every lemma holds, else what is wrong with the first that does not."""
    known: dict[str, Any] = {}
    for lemma in lemmas:
        name, operation, claimed = (
            lemma["name"],
            lemma["operation"],
            iv.mpf([float.fromhex(end) for end in lemma["in"]]),
        )
        if operation == "constant":
            top, bottom = lemma["parameter"].split("/")
            found = iv.mpf(int(top)) / int(bottom)
        elif operation == "input":
            found = claimed
        elif operation not in RULES or any(operand not in known for operand in lemma["of"]):
            return f"{name}: {operation} of {', '.join(lemma['of'])} cannot be checked"
        else:
            given = [lemma["parameter"]] if lemma["parameter"] is not None else []
            found = RULES[operation](*[known[operand] for operand in lemma["of"]], *given)
        if found is None or not (claimed.a <= found.a and found.b <= claimed.b):
            return f"{name} = {operation}({', '.join(lemma['of'])}) is not proven to lie in [{lemma['in'][0]}, {lemma['in'][1]}]"
        known[name] = claimed
    return ""
