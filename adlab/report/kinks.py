"""What methods return where there is no derivative: each answer, compared with the one-sided derivatives.

Every rule for a kink is a convention: the mean of both sides, one of them, or a number that is no slope of f. The convention of a
method is read off its answer here, not off its documentation.
"""

from __future__ import annotations

from typing import Any

import mpmath

NEAR = 1e-5  # relative: a difference quotient comes no nearer to a one-sided derivative
MEANT = {"left": "the derivative on the left", "right": "the derivative on the right", "mean": "the mean of both sides"}
ONE_BRANCH = "the derivative of the branch taken at the point, as if it held beside it too"
"""For an answer that is wrong although f has a derivative. It is the usual rule for a `Piecewise`, SymPy's too."""
NO_SLOPE = "a number that its conventions for kinks have made, no slope of f on any side"
"""For such an answer where f has no branches, only kinks: SymPy's derivative of Max(1, Min(x, 1)) is 1/4 at 1."""


def convention(value: float, left: Any, right: Any) -> str:
    """What `value` is where the derivative is `left` on one side and `right` on the other. None: there is none on that side.

    >>> convention(0.0, mpmath.mpf(-1), mpmath.mpf(1))
    'the mean of both sides: -1.0 on the left, 1.0 on the right'
    >>> convention(1.0, mpmath.mpf(-1), mpmath.mpf(1))
    'the derivative on the right: -1.0 on the left, 1.0 on the right'
    >>> convention(7.0, None, mpmath.inf)
    'no slope of f: none on the left, +inf on the right'
    """
    finite = {name: side for name, side in (("left", left), ("right", right)) if side is not None and mpmath.isfinite(side)}
    near = NEAR * max([1 if not any(finite.values()) else 0, *map(abs, finite.values())])
    if len(finite) == 2 and left != right:
        finite["mean"] = (left + right) / 2
    meant = [name for name, side in finite.items() if abs(value - side) <= near]
    return f"{MEANT[meant[0]] if meant else 'no slope of f'}: {in_words(left)} on the left, {in_words(right)} on the right"


def in_words(side: Any) -> str:
    """A one-sided derivative in words: a number, an infinite one, or none."""
    return "none" if side is None else str(mpmath.nstr(side, 10))
