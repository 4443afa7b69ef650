"""`adlab bench`: how fast, against whoever is installed; whether time is linear; what starting up costs.

`contest` runs `contestants` on `problems`, each cell by a `worker` in a process of its own; `results` are the tables,
`drawing` the pictures. `linearity` and `startup` stand alone.
"""
