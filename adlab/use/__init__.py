"""Derivatives put to use: losses summed over data, fits, minima. What SciPy does here is an extra, named when it is missing."""
