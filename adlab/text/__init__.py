"""Formula text to SymPy, and SymPy expressions walked and built without evaluation or recursion."""
