"""A graph as a fast callable: straight-line Python, NumPy over batches, machine code where llvmlite is installed."""
