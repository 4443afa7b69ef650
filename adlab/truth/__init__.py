"""What judges: high-precision values of an expression, their error, limits from both sides. It knows no rule of the table."""
