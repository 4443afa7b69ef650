"""Numbers and formulas as a person reads them."""

from __future__ import annotations

import math


def significant(value: float | None, digits: int = 6) -> str:
    """A number for a table; an en dash where there is no number."""
    return "–" if value is None else f"{value:.{digits}g}"


def count(value: float | None) -> str:
    """A whole number; from ten million on as a power of ten.

    >>> count(12345), count(2.3e15), count(10**5000), count(None)
    ('12,345', '2.3e+15', '1e+5000', '–')
    """
    if value is None:
        return "–"
    if value > 1e300:  # an integer may be larger than any float
        exponent = math.floor(math.log10(value))
        return f"{10 ** (math.log10(value) - exponent):.3g}e+{exponent}"
    return f"{value:,.0f}" if value < 1e7 else f"{float(value):.3g}"


def explained(status: str, note: str) -> str:
    """A status and the sentence that explains it. Words in which the one ends and the other begins stand once.

    >>> explained("refused", "no real value"), explained("cse gave up", "gave up after 2 s"), explained("ok", "")
    ('refused: no real value', 'cse gave up after 2 s', 'ok')
    """
    said = GAVE_UP if status.endswith(GAVE_UP) and note.startswith(GAVE_UP) else ""
    return status + note.removeprefix(said) if said else f"{status}: {note}" if note else status


GAVE_UP = "gave up"


def displayed(latex: str) -> str:
    """LaTeX as notebooks expect it: a displayed formula."""
    return f"$\\displaystyle {latex}$"


def withheld(operations: int) -> str:
    """The sentence that replaces LaTeX too long for a browser to typeset."""
    return rf"\text{{{operations:,} operations: too many to typeset}}"
