"""The kinds of numbers that a graph can be computed with. `catalogue` lists them all.

Read in this order: `numbers` (the evaluator, and what an arithmetic must offer), `floats`, `arrays`, `complex_numbers`, `nodes`,
then any other of the catalogue. Beside them stand files that are no arithmetic:

- `domain`: where a graph has a value and derivatives, and the sentence of a domain error;
- `flags`, `rows`, `scaled`, `principal`: which points binary64 cannot serve, and how they are computed again;
- `running`, `straight_line`, `writers`: graphs and pullbacks as Python source, for speed;
- `registration`: `adlab.primitive`.
"""
