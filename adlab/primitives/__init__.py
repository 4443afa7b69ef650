"""The table of primitives: what adlab knows of each operation, and the functions that compute it."""
