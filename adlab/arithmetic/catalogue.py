"""Every arithmetic, in one list: what its numbers are, and what a graph gives when it is computed with them.

>>> [row.name for row in ARITHMETICS][:4]
['floats', 'arrays', 'complex', 'symbols']
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from adlab.arithmetic.arrays import Arrays
from adlab.arithmetic.bounded import BoundedNumbers
from adlab.arithmetic.complex_numbers import ComplexNumbers
from adlab.arithmetic.enclosures import Enclosures
from adlab.arithmetic.extended import Extended
from adlab.arithmetic.floats import Floats
from adlab.arithmetic.intervals import Intervals
from adlab.arithmetic.nodes import Nodes
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.sparsity import Sparsity
from adlab.arithmetic.symbols import Expressions
from adlab.arithmetic.taylor import Taylor
from adlab.arithmetic.units import Unit, Units
from adlab.errors import OptionError, PointError


class ArithmeticRow(NamedTuple):
    """One arithmetic: its name, its class, and what a walk with it gives."""

    name: str
    kind: type[Any]
    gives: str


ARITHMETICS = (
    ArithmeticRow("floats", Floats, "values, tangents and adjoints in binary64: the traces that a learner reads"),
    ArithmeticRow("arrays", Arrays, "the same at a batch of points at once"),
    ArithmeticRow("complex", ComplexNumbers, "the complex step"),
    ArithmeticRow("symbols", Expressions, "the sweeps in letters, SymPy expressions"),
    ArithmeticRow("nodes", Nodes, "a derivative program: the sweep writes a new graph"),
    ArithmeticRow("intervals", Intervals, "bounds on each node while the inputs run over intervals"),
    ArithmeticRow("enclosures", Enclosures, "the same bounds, proven by Arb's balls"),
    ArithmeticRow("bounded", BoundedNumbers, "values with a running bound on their rounding error"),
    ArithmeticRow("extended", Extended, "values and derivatives with unlimited exponents: nothing overflows on the way"),
    ArithmeticRow("taylor", Taylor, "Taylor coefficients along a line, to any order"),
    ArithmeticRow("units", Units, "units of measurement: what may not be added is refused"),
    ArithmeticRow("sparsity", Sparsity, "the pattern of the Jacobian: sets of input indices"),
)


def walk(f: Any, arithmetic: Any, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of f, a Function or a graph, at `inputs`, with every operation done in the given arithmetic.

    `arithmetic` is a name in this list, or an object of your own that has the methods of `Arithmetic`. For "taylor" each input
    is a tuple of coefficients, all of one length. For "sparsity" each input is a `Reach`, for "units" a text such as "m/s**2".
    Raises OptionError for an unknown name, and PointError for a wrong number of inputs.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> graph = lower([x * y + 1], [x, y])
    >>> walk(graph, "floats", [2.0, 3.0]), walk(graph, "symbols", [x, y])
    ([7.0], [x*y + 1])
    >>> walk(graph, "taylor", [(2.0, 1.0, 0.0), (3.0, 0.0, 0.0)])
    [(7.0, 3.0, 0.0)]
    """
    graph = getattr(f, "graph", f)
    if len(inputs) != len(graph.inputs):
        raise PointError(f"{len(inputs)} inputs are given, and there are {len(graph.inputs)}: {', '.join(graph.inputs)}")
    if arithmetic == "units":
        inputs = [Unit.of(given) if isinstance(given, str) else given for given in inputs]
    if isinstance(arithmetic, str):
        arithmetic = _named(arithmetic, inputs)
    values = evaluate(graph, inputs, arithmetic)
    return [values[output] for output in graph.outputs]


def _named(name: str, inputs: Sequence[Any]) -> Any:
    kinds = {row.name: row.kind for row in ARITHMETICS}
    if name not in kinds or name == "nodes":  # "nodes" needs the builder of a new graph
        raise OptionError(f"no arithmetic `{name}` to walk with; there are {', '.join(k for k in kinds if k != 'nodes')}")
    if name != "taylor":
        return kinds[name]()
    lengths = {len(given) for given in inputs if isinstance(given, (tuple, list))}
    if len(lengths) != 1 or 0 in lengths or not all(isinstance(given, (tuple, list)) for given in inputs):
        raise PointError("for taylor each input is the tuple of its coefficients, and all are of one length")
    return Taylor(lengths.pop() - 1)
