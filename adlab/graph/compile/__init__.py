"""A graph as a fast callable: straight-line Python, NumPy over batches, machine code where llvmlite is installed.

Read in this order: `program` (the face), `existence` (where f has no value its derivative has none), `python`,
`numpy`, `llvm`. Measured errors of one operation, in ulps, worst of a million operands over its domain, are in the
docstring of each backend.
"""
