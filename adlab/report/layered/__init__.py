"""The steps of the layered layout, each in a file of its own; `adlab.report.layout` puts them together.

Read in this order: `ranks`, `web`, `orders`, `places`.
"""
