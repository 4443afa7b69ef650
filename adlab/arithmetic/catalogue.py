"""Every arithmetic, in one list: what its numbers are, and what a graph gives when it is computed with them.

>>> [row.name for row in ARITHMETICS][:4]
['floats', 'arrays', 'complex', 'symbols']
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import sympy

from adlab.arithmetic.arrays import Arrays
from adlab.arithmetic.bounded import Bounded, BoundedNumbers
from adlab.arithmetic.complex_numbers import ComplexNumbers
from adlab.arithmetic.curvature import Curvature, Curvatures
from adlab.arithmetic.enclosures import Enclosures
from adlab.arithmetic.extended import Extended, number
from adlab.arithmetic.floats import Floats
from adlab.arithmetic.intervals import Intervals
from adlab.arithmetic.nodes import Nodes
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.sparsity import Reach, Sparsity
from adlab.arithmetic.symbols import Expressions
from adlab.arithmetic.taylor import Taylor
from adlab.arithmetic.tree import TreeSizes
from adlab.arithmetic.units import Unit, Units
from adlab.errors import OptionError, PointError
from adlab.graph.graph import Graph
from adlab.inputs import listed
from adlab.text.parser import parse


class ArithmeticRow(NamedTuple):
    """One arithmetic: its name, its class, what a walk with it gives, what an input is, and how that is read.

    `read` raises TypeError or ValueError for what is no input.
    """

    name: str
    kind: type[Any]
    gives: str
    takes: str = "a number"
    read: Callable[[Any], Any] = float


def _array(given: Any) -> Any:
    return np.asarray(given, dtype=float)


def _side(given: Any) -> tuple[float, float]:
    low, high = (float(x) for x in given)
    if not low <= high:
        raise ValueError
    return low, high


def _bounded(given: Any) -> Bounded:
    return given if isinstance(given, Bounded) else Bounded(float(given))


def _unlimited(given: Any) -> Any:
    return given if hasattr(given, "_mpf_") else number(float(given))


def _expression(given: Any) -> Any:
    """A text is parsed. SymPy's own reading of a text would run it."""
    return parse(given) if isinstance(given, str) else sympy.sympify(given, strict=True)


def _series(given: Any) -> tuple[float, ...]:
    return tuple(float(x) for x in given)


def _unit(given: Any) -> Unit:
    if not isinstance(given, (str, Unit)):
        raise TypeError
    return Unit.of(given) if isinstance(given, str) else given


def _reach(given: Any) -> Reach:
    return given if isinstance(given, Reach) else Reach(frozenset(operator.index(i) for i in given))


def _whole(given: Any) -> int:
    found = operator.index(given)
    if found < 0:
        raise ValueError
    return found


ARITHMETICS = (
    ArithmeticRow("floats", Floats, "values, tangents and adjoints in binary64: the traces that a learner reads"),
    ArithmeticRow("arrays", Arrays, "the same at a batch of points at once", "an array of numbers", _array),
    ArithmeticRow("complex", ComplexNumbers, "the complex step", "a complex number", complex),
    ArithmeticRow("symbols", Expressions, "the sweeps in letters, SymPy expressions", "a SymPy expression", _expression),
    ArithmeticRow("nodes", Nodes, "a derivative program: the sweep writes a new graph"),
    ArithmeticRow("intervals", Intervals, "bounds on each node while the inputs run over intervals",
                  "a pair (low, high) of numbers", _side),
    ArithmeticRow("enclosures", Enclosures, "the same bounds, proven by Arb's balls", "a pair (low, high) of numbers", _side),
    ArithmeticRow("bounded", BoundedNumbers, "values with a running bound on their rounding error",
                  "a number, or a Bounded number", _bounded),
    ArithmeticRow("extended", Extended, "values and derivatives with unlimited exponents: nothing overflows on the way",
                  "a number", _unlimited),
    ArithmeticRow("taylor", Taylor, "Taylor coefficients along a line, to any order", "a tuple of coefficients", _series),
    ArithmeticRow("units", Units, "units of measurement: what may not be added is refused", 'a unit such as "m/s**2"', _unit),
    ArithmeticRow("curvature", Curvatures, "whether it rises or falls with each input, and is convex or concave, over a box",
                  "a pair (low, high) of numbers", _side),
    ArithmeticRow("operations", TreeSizes, "how many operations the formula has where nothing is shared: its size as a tree",
                  "a whole number of operations, 0 for a variable", _whole),
    ArithmeticRow("sparsity", Sparsity, "the pattern of the Jacobian: sets of input indices", "a set of input indices", _reach),
)  # fmt: skip


def walk(f: Any, arithmetic: Any, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of f, a Function or a graph, at `inputs`, with every operation done in the given arithmetic.

    `arithmetic` is a name in this list, or an object of your own that has the methods of `Arithmetic`. For "taylor" each input
    is a tuple of coefficients, all of one length; for "intervals", "enclosures" and "curvature" a pair (low, high); for "units" a
    text such as "m/s**2"; for "sparsity" a set of input indices; for "operations" 0.
    Raises OptionError for an unknown name or what is no Function, and PointError for a wrong number or kind of inputs.

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
    if not isinstance(graph, Graph):
        raise OptionError(f"a walk needs a Function or a graph, and this is {type(f).__name__}; adlab.Function(…) makes one")
    given = None if isinstance(inputs, (str, bytes)) else listed(inputs)
    if given is None:
        raise PointError("the inputs of a walk are a sequence, one for each variable")
    if len(given) != len(graph.inputs):
        raise PointError(f"{len(given)} inputs are given, and there are {len(graph.inputs)}: {', '.join(graph.inputs)}")
    if isinstance(arithmetic, str):
        arithmetic, given = _named(arithmetic, given, graph.inputs)
    elif not all(hasattr(arithmetic, method) for method in ("constant", "apply")):
        raise OptionError(f"arithmetic={arithmetic!r} is neither a name nor an object with the methods of `Arithmetic`")
    values = evaluate(graph, given, arithmetic)
    return [values[output] for output in graph.outputs]


def _named(name: str, inputs: Sequence[Any], letters: Sequence[str]) -> tuple[Any, list[Any]]:
    """The arithmetic of this name, and the inputs as its numbers."""
    rows = {row.name: row for row in ARITHMETICS if row.name != "nodes"}  # "nodes" needs the builder of a new graph
    if name not in rows:
        raise OptionError(f"no arithmetic `{name}` to walk with; there are {', '.join(rows)}")
    row, read = rows[name], []
    for letter, given in zip(letters, inputs, strict=True):
        try:
            read.append(row.read(given))
        except (TypeError, ValueError, AttributeError, sympy.SympifyError):
            raise PointError(f"an input of `{name}` is {row.takes}; `{letter}` is {given!r}") from None
    if name == "curvature":
        read = [Curvature.input(letter, side) for letter, side in zip(letters, read, strict=True)]
    if name != "taylor":
        return row.kind(), read
    lengths = set(map(len, read))
    if len(lengths) != 1 or 0 in lengths:
        raise PointError("for taylor each input is the tuple of its coefficients, and all are of one length")
    return Taylor(lengths.pop() - 1), read
