"""The steps of the layered layout, each in a file of its own. `adlab.draw.layout` combines them.

Read in this order: `ranks`, `web`, `orders`, `places`.
"""
