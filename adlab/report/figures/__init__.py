"""The figures of `adlab figures`, a subject a file; `catalogue` lists them."""
