"""Recognises gradients that are right, but coarse: numbers of single precision, or difference quotients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from adlab.inputs import FloatArray
from adlab.report.tolerance import ROUNDINGS, SIDES, SMALLEST, Tolerance, allowed, allowed_to_difference, quotients

if TYPE_CHECKING:
    from adlab.report.slips import Evidence

COARSEST = 0.05  # relative: a larger error is never called right, of whatever kind
SAME = 0.02  # part of the error by which a number may differ from the quotient that it is identified with
TRIED = (*(10.0**-k for k in range(1, 13)), 2.0**-26, 2.0**-17)
"""Steps that people use. The last two are the square and the cube root of binary64's unit roundoff, rounded."""
NOTHING = ("", "")
WORDS = {"float32": "single", "float16": "half", "bfloat16": "bfloat16"}


def coarse_kind(seen: Evidence, at: Sequence[int], i: int, j: int) -> tuple[str, str]:
    """What component (i, j) is at the points where it is wrong, if its error is typical of such numbers, and the tolerance that
    accepts it. Two empty texts if it is nothing of the kind.
    """
    got, due = seen.got[at, i, j], seen.due[at, i, j]
    off = np.abs(got - due)
    for precision, word in WORDS.items():
        if seen.precisions != {precision} and not (precision == "float32" and _all_single(got)):
            continue
        room = [allowed(Tolerance(precision), seen.rooms[k], seen.due[k])[i, j] for k in at]
        if np.all(off <= room):
            return f"accurate to {word} precision only", _hint(precision)
    if due.any() and any(quotient := _by_quotient(seen, at, i, j)):
        return quotient
    if np.any(off > COARSEST * np.abs(due) + ROUNDINGS["float64"] * SMALLEST["float64"]) and due.any():
        return NOTHING
    for scheme in ("central-difference", "forward-difference"):
        room = [allowed_to_difference(seen.f, seen.points[k], scheme, seen.due[k])[i, j] for k in at]
        if np.all(off <= room):
            digits = -np.log10(max(float(np.max(off / np.maximum(np.abs(due), 5e-324))), 1e-17)) if due.any() else 0.0
            much = f"right to {digits:.0f} digits, " if digits >= 1 else ""
            return f"{much}as accurate as a {scheme.replace('-', ' ')} only", _hint(scheme)
    return NOTHING


def _hint(kind: str) -> str:
    return f'rtol="{kind}" accepts what that can promise'


def _all_single(got: FloatArray) -> bool:
    """Whether every number is one of single precision. A plain number such as 2.5 does not count."""
    with np.errstate(over="ignore"):
        single = np.all(got.astype(np.float32) == got)
        return bool(single and np.any(got.astype(np.float16) != got))


def _by_quotient(seen: Evidence, at: Sequence[int], i: int, j: int) -> tuple[str, str]:
    """The scheme and the step whose truncation error equals the numbers' error at every point."""
    for scheme in SIDES:
        left = list(TRIED)
        for k in at:
            found = quotients(seen.f, seen.points[k], scheme, j, left)
            left = [h for h, quotient in found if _is(seen.got[k, i, j], float(quotient[i]), seen.due[k, i, j])]
            if not left:
                break
        if left:
            return f"a {scheme.replace('-', ' ')} with a step of {left[0]:.3g}", _hint(scheme)
    return NOTHING


def _is(got: float, quotient: float, due: float) -> bool:
    off = abs(got - due)
    return bool(np.isfinite(quotient) and off <= COARSEST * abs(due) + 1e-3 * (due == 0) and abs(got - quotient) <= SAME * off)
