"""Graphs for PyTorch, JAX and CasADi with adlab's own derivatives: the framework computes what adlab's programs say."""
