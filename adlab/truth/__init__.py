"""The judge: high-precision values of an expression, their error, and limits from both sides. It knows no rule of the table."""
