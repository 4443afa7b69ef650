"""From Python code to a graph: an ordinary function runs once with traced numbers, which record what is done to them.

Read in this order: `scalar` (one traced number), `recorder` (the graph that grows), `array` (NumPy arrays of them), `names`
(what `math` and `numpy` do meanwhile), `program` (a Python function with the paths that were recorded).
"""
