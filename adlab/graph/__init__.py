"""The graph: a Wengert list, its builder, its lowering from SymPy expressions, and the table's rules as graphs.

Read in this order: `graph`, `lowering`, `rules`. Loops and other operations with graphs of their own are in `compound`.
"""
