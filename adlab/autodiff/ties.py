"""Kinks that do not matter: ties of Max, Min and Abs on which no output depends to first order.

softmax takes the largest entry off first. Two equal entries are a tie of Max, and its two branches have different partials. But
the adjoint of that Max is 0: softmax does not change where all entries move together. Where f = F(v) with a differentiable F and
∂F/∂v = 0, the branches of v have no part in the derivative of f, since v moves no faster than its operands do.
"""

from __future__ import annotations

from collections.abc import Sequence

from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.domain import kinks, turning
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.sweeps import reverse
from adlab.graph.graph import Graph

SMALL = 1e-9
"""An adjoint that is 0 to within its bound counts as 0 if the bound is this small beside the largest partial."""


def disputed(graph: Graph, point: Sequence[float]) -> bool:
    """Whether some live operation is on a kink or jump here that a first derivative may depend on.

    Quick for graphs that have no such operation, and where none is on a kink.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> [disputed(lower([f], [x]), [0.0]) for f in (sympy.Abs(x), sympy.Abs(x) ** 2)]
    [True, False]
    """
    if not turning(graph):
        return False
    met = [i for i, _ in kinks(graph, point)]
    return bool(met) and not _without_weight(graph, point, met)


def _without_weight(graph: Graph, point: Sequence[float], met: Sequence[int]) -> bool:
    """Whether these operations are continuous, and the adjoint of each is 0 for every output, as far as rounding tells.

    The sweep comes to outer operations first. So where it meets one of them, those that it has passed have had no weight.
    """
    if any(graph.nodes[i].primitive.jumps for i in met):
        return False
    values = evaluate(graph, [Bounded(x) for x in point], BOUNDED)
    for output in graph.outputs:
        bars = reverse(graph, values, {output: Bounded(1.0)}, BOUNDED)
        largest = max((abs(bars[i].value) for i in range(len(graph.inputs)) if i in bars), default=0.0)
        for i in met:
            bar = bars.get(i, Bounded(0.0))
            if not abs(bar.value) <= bar.error <= SMALL * largest and (bar.value or bar.error):
                return False
    return True
