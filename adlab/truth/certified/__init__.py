"""Certified numbers: the SymPy expression itself in ball arithmetic, where every rounding is accounted for.

Read in this order: `balls` (numbers and power series), `calculus` (how functions act on series), `elementary` and `special` (what
SymPy's functions mean), `sweeps` (an expression evaluated on them), `proof` (two paths that must agree). The room needs
python-flint, the extra `certify`. Where that is missing, nothing here is imported.
"""
