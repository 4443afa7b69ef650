"""Graphs for PyTorch, JAX and CasADi that carry adlab's own derivatives: the frameworks compute, adlab says what."""
