"""`adlab bench`: how fast, against whoever is installed; whether time is linear; what starting up costs.

`race` runs `contestants` on `problems`, each cell by a `timing_worker` in a process of its own. `results` has the tables; the
pictures are in `adlab.plots.bench`. `linearity`, `scaling`, `startup` and `vouching` are measurements of their own.
"""
