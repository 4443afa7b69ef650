"""How far from the truth a right gradient may be: by rounding, by its kind, or by what its owner allows.

A number that the owner gives as `rtol` is the rule, whether the default would allow less or more.

By default it is what a good binary64 gradient can promise: 1000 roundings of its own, and 1000 times the condition number of the
point. Where the truth is exactly 0, it is what rounding can leave of the formula. Single precision has the same rule with its own
unit. A difference quotient gets the error that quotients at the usual steps really have.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from adlab.errors import OptionError
from adlab.inputs import FloatArray
from adlab.precision import UNIT_ROUNDOFF
from adlab.report.subject import Room, Subject

ROUNDINGS = {"float64": 1000, "float32": 1000, "float16": 32, "bfloat16": 8}
"""Roundings that are allowed, times the condition number; the number for formats with few digits is smaller."""
LARGEST = 0.1  # of the truth, or of its contributions: a larger error is never right, however ill-conditioned the point
UNITS = {"float64": UNIT_ROUNDOFF, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
"""Unit roundoff of each format: half the distance from 1 to the next number."""
SMALLEST = {"float64": 5e-324, "float32": 2.0**-149, "float16": 2.0**-24, "bfloat16": 2.0**-133}
"""The smallest positive number of each format."""
SLACK = 10.0  # times a running error bound, or a measured error of a quotient: other code rounds in other places
STEPS = {
    "forward-difference": (1e-9, 1e-8, 1e-6), "backward-difference": (1e-9, 1e-8, 1e-6),
    "central-difference": (1e-7, 1e-5, 1e-4),
}  # fmt: skip
"""Steps that people use: in units of max(1, |x|), and absolute ones."""
SIDES = {"forward-difference": (1, 0), "backward-difference": (0, -1), "central-difference": (1, -1)}
KINDS = (*UNITS, *SIDES, "difference")


class Tolerance(NamedTuple):
    """What is asked: a unit of rounding by `precision`, a difference scheme or "", and what the owner allows.

    `relative` is the owner's own number, None where there is none. It is the rule: the condition of the point does not
    stretch it. `absolute` is allowed in any case.
    """

    precision: str = "float64"
    scheme: str = ""
    relative: float | None = None
    absolute: float = 0.0


def tolerance(rtol: Any, atol: Any) -> Tolerance:
    """The tolerance that a user has written. Raises OptionError for anything that is neither a number nor a kind."""
    absolute = 0.0 if atol is None else _positive("atol", atol)
    if rtol is None:
        return Tolerance(absolute=absolute)
    if isinstance(rtol, (np.dtype, type)):
        rtol = np.dtype(rtol).name
    if not isinstance(rtol, str):
        return Tolerance(relative=_positive("rtol", rtol), absolute=absolute)
    if rtol in UNITS:
        return Tolerance(rtol, absolute=absolute)
    if rtol in SIDES or rtol == "difference":
        return Tolerance(scheme=rtol, absolute=absolute)
    near = difflib.get_close_matches(rtol, KINDS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise OptionError(f"rtol={rtol!r} is neither a number nor one of {', '.join(KINDS)}{hint}")


def _positive(name: str, number: Any) -> float:
    if isinstance(number, Real) and not isinstance(number, bool) and 0 <= float(number) < np.inf:
        return float(number)
    kinds = f", or one of {', '.join(KINDS)}" if name == "rtol" else ""
    raise OptionError(f"{name}={number!r} must be a number of at least 0{kinds}")


def allowed(asked: Tolerance, room: Room, due: FloatArray) -> FloatArray:
    """The absolute error that is not a fault, for partials `due` of shape (m, n)."""
    unit, roundings, size = UNITS[asked.precision], ROUNDINGS[asked.precision], np.abs(due)
    with np.errstate(all="ignore"):
        conditioned = np.minimum(roundings * unit * room.spread, LARGEST * np.maximum(room.scale, size))
        running = SLACK * (unit / UNIT_ROUNDOFF) * room.bound
        left = np.where(due == 0, np.maximum(running, roundings * unit * room.scale), np.minimum(running, LARGEST * size))
        own = np.minimum(roundings * unit, LARGEST) * size
        usual = np.max([own, conditioned, left], axis=0)
        if asked.relative is not None:  # nothing is relative to 0: there rounding decides as usual
            usual = np.where(due == 0, np.maximum(usual, asked.relative * room.scale), asked.relative * size)
        found = np.max([usual, np.full(due.shape, asked.absolute), SLACK * room.doubt], axis=0)
    most: FloatArray = np.maximum(np.nan_to_num(found, posinf=np.inf), roundings * SMALLEST[asked.precision])
    return most


def quotients(
    subject: Subject, point: FloatArray, scheme: str, j: int, steps: Sequence[float] = ()
) -> list[tuple[float, FloatArray]]:
    """Difference quotients of all outputs by variable j, each with its step: at `steps`, or at the steps that people use."""
    scale = max(1.0, abs(float(point[j])))
    found = []
    for h in steps or dict.fromkeys(h * unit for h in STEPS[scheme] for unit in (1.0, scale)):
        places = []
        for side in SIDES[scheme]:
            moved = point.copy()
            moved[j] += side * h
            places.append(subject.values(moved))
        with np.errstate(all="ignore"):
            found.append((h, (places[0] - places[1]) / (h * (SIDES[scheme][0] - SIDES[scheme][1]))))
    return found


def allowed_to_difference(subject: Subject, point: FloatArray, scheme: str, due: FloatArray) -> FloatArray:
    """The scheme's own error at the usual steps, plus roundoff, which may be small there by luck; shape (m, n)."""
    found = np.zeros(due.shape)
    for name in SIDES if scheme == "difference" else (scheme,):
        size = np.abs(subject.values(point))
        for j in range(due.shape[1]):
            for h, quotient in quotients(subject, point, name, j):
                with np.errstate(all="ignore"):
                    off = np.abs(quotient - due[:, j]) + 4 * UNIT_ROUNDOFF * size / h
                found[:, j] = np.fmax(found[:, j], np.where(np.isfinite(off), off, 0.0))
    return np.where(np.abs(due) < found, SLACK * found, np.minimum(SLACK * found, LARGEST * np.abs(due)))
