"""Derivatives known to twenty digits at an exact binary64 point, from ball arithmetic by two independent paths."""

import math

import sympy
from sympy import Rational, cos, exp, log, sin, sqrt, tanh

x = sympy.Symbol("x")

CERTIFIED = [
    (exp(x) / sqrt(sin(x) ** 3 + cos(x) ** 3), 1.5, "4.0534278938986206577"),
    (sin(1 / x), 0.45, "2.9941773944386926441"),
    (x ** Rational(3, 2), 0.1, "0.47434164902525691297"),
    ((exp(x) - 1) ** 2 + (1 / sqrt(1 + x**2) - 1) ** 2, 1.0, "9.5486553221297575081"),
    (exp(100 * x), 0.01, "271.82818284590452919"),
    (x**4 + 3 * x**2 - 10 * x, 0.99999, "-1.7999880000318082620e-4"),
    (exp(x) / (cos(x) ** 3 + sin(x) ** 3), math.pi / 4, "3.1017663938360516851"),
    (log(x), 1e-3, "999.99999999999997918"),
    ((1 - cos(x)) / x**2, 1e-4, "-8.3333333277777781786e-6"),
    (tanh(1000 * x), 1e-3, "419.97434161402605608"),
]
