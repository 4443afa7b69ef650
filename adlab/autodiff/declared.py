"""The signs that variables are declared with. SymPy has simplified the formula by them, so it has no value where they fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adlab import native
from adlab.errors import DomainError

SIGNS: dict[str, Callable[[Any], Any]] = {
    "positive": lambda x: x > 0, "negative": lambda x: x < 0, "nonnegative": lambda x: x >= 0, "nonpositive": lambda x: x <= 0,
}  # fmt: skip
"""The signs that a symbol of SymPy may be declared with, the stronger ones first. adlab checks them at the point."""


def signs_of(variables: Sequence[Any]) -> dict[str, str]:
    """The strongest sign that each symbol is declared with, by name; nothing for the others.

    >>> import sympy
    >>> signs_of(sympy.symbols("p", positive=True, seq=True) + sympy.symbols("x", real=True, seq=True))
    {'p': 'positive'}
    """
    if native.core is not None and not native.core.signed(tuple(variables)):
        return {}
    return {v.name: sign for v in variables for sign in reversed(SIGNS) if getattr(v, f"is_{sign}")}


def contradicted(declared: Mapping[str, str], inputs: Sequence[str], point: Any) -> DomainError | None:
    """The reason where a variable has not the sign that it is declared with.

    >>> str(contradicted({"p": "positive"}, ["p"], [-2.0])).split(":")[0]
    '`p` is declared positive, and p = -2.0'
    """
    for name, sign in declared.items():
        x = point[inputs.index(name)]
        if not SIGNS[sign](x):
            return DomainError(
                f"`{name}` is declared {sign}, and {name} = {x}: SymPy has simplified the formula by that; declare it real",
                condition=f"{name} is {sign}",
            )
    return None
