"""Automatic differentiation: the two sweeps, the derivative programs they write, and the traces that a learner reads.

Read in this order: `sweeps`, `programs`, `trace`.
"""
