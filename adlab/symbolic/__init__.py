"""Derivatives by SymPy, plain and after cse (common subexpression elimination), in a worker that can be stopped."""
