"""The shared ground: the table of primitives, the graph, its lowering from SymPy, and what walks it.

Read in this order: `primitive`, `primitives` (the table), `graph`, `lowering`, `rules`, `arithmetic`.
"""
