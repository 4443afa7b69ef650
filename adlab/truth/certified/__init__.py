"""Certified numbers: the SymPy expression itself in ball arithmetic, where every rounding is accounted for.

The order to read: `balls` (numbers and power series), `calculus` (how functions act on series), `elementary` and `special`
(what SymPy's functions mean), `sweeps` (an expression evaluated on them), `proof` (two paths that must agree). It needs
python-flint, the extra `certify`; nothing here is imported where that is missing.
"""
