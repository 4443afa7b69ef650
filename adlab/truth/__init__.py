"""What judges: high-precision values of a SymPy expression, their error, and the limits from both sides. It knows no rule of the table."""
