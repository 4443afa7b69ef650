"""Every arithmetic that a graph can be walked with, in one list: what its numbers are, and what the walk gives.

>>> [row.name for row in ARITHMETICS][:4]
['floats', 'arrays', 'complex', 'symbols']
"""

from __future__ import annotations

from typing import Any, NamedTuple

from adlab.arithmetic.arrays import Arrays
from adlab.arithmetic.bounded import BoundedNumbers
from adlab.arithmetic.complex_numbers import ComplexNumbers
from adlab.arithmetic.enclosures import Enclosures
from adlab.arithmetic.extended import Extended
from adlab.arithmetic.floats import Floats
from adlab.arithmetic.intervals import Intervals
from adlab.arithmetic.nodes import Nodes
from adlab.arithmetic.sparsity import Sparsity
from adlab.arithmetic.symbols import Expressions
from adlab.arithmetic.taylor import Taylor


class Row(NamedTuple):
    """An arithmetic by its name: the class, and what a walk with it gives."""

    name: str
    kind: type[Any]
    gives: str


ARITHMETICS = (
    Row("floats", Floats, "values, tangents and adjoints in binary64: the traces that a learner reads"),
    Row("arrays", Arrays, "the same at a batch of points at once"),
    Row("complex", ComplexNumbers, "the complex step"),
    Row("symbols", Expressions, "the sweeps in letters, SymPy expressions"),
    Row("nodes", Nodes, "a derivative program: the sweep writes a new graph"),
    Row("intervals", Intervals, "what may be said of a node while the inputs run over intervals"),
    Row("enclosures", Enclosures, "the same, proven by Arb's balls"),
    Row("bounded", BoundedNumbers, "values with a running bound on their rounding error"),
    Row("extended", Extended, "values and derivatives whose exponents have no limit: nothing overflows on the way"),
    Row("taylor", Taylor, "Taylor coefficients along a line, to any order"),
    Row("sparsity", Sparsity, "the pattern of the Jacobian: sets of input indices"),
)
