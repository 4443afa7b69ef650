"""Curves and bars on axes, from data alone."""
