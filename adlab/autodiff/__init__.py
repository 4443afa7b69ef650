"""Engine 1, automatic differentiation: the two sweeps, the traces a learner reads, and derivative programs.

Read in this order: `sweeps`, `programs`, `trace`.
"""
