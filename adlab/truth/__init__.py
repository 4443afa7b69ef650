"""The judge: high-precision values of an expression, their error, and limits from both sides. It knows no rule of the table.

Read in this order:

- `meanings`: what each SymPy function is as a number;
- `running_error` and `values`: the value of an expression, and how wrong it may be;
- `limits`: derivatives as limits of difference quotients, from both sides;
- `certified/`: the same with proven bounds, where python-flint is installed;
- `judge`: which of the two answers, and when two computations agree well enough;
- `second` and `higher`: second derivatives and those of any order.
"""
