"""Special functions of balls and of series of balls."""

from __future__ import annotations

import sympy

from adlab.certified.calculus import Function, native

FUNCTIONS: dict[type, Function] = {
    sympy.erf: native("erf"),
    sympy.erfc: native("erfc"),
}
