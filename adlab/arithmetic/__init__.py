"""The kinds of numbers that a graph can be computed with, one file for each. `catalogue` lists them all."""
