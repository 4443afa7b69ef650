"""The steps of the layered layout, each in a file of its own; `adlab.draw.layout` puts them together.

Read in this order: `ranks`, `web`, `orders`, `places`.
"""
