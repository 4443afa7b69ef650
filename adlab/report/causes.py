"""Finds where the digits of a computed number went: the operations that lose them, each proved by repairing it alone.

A graph is walked in binary64 and in high precision. Then one operation's value is replaced by the true one, rounded, and all that
follows is computed in binary64 as before. The operation is a cause if the output becomes right, or better by an order of
magnitude. The error that is left has the next cause.

Three questions come first. Is anything wrong at all? Is the graph itself right in high precision? Is it right with 53 bits and
unlimited exponents, so that only an overflow or underflow spoils it?
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from adlab.arithmetic.extended import Extended
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.sweeps import reverse
from adlab.graph.graph import Graph
from adlab.precision import UNIT_ROUNDOFF
from adlab.primitives.ranges import SMALLEST_NORMAL
from adlab.truth.meanings import CONTEXT, exact, working

Kind = Literal["cancellation", "absorption", "magnification", "overflow", "underflow", "graph", "constants"]
BITS = (400, 1600, 6400)
"""Bits of the high-precision walk. The next number is used where one is not enough: sinc′ at 1e-60 cancels 400 bits."""
MOST_NODES = 4_000  # of a graph that is walked: that takes some tenths of a second
MOST_REPAIRS = 60  # walks in binary64 to find one cause
BETTER = 10.0  # a repair must make the error this many times smaller
ENOUGH = 32.0  # ulps: a smaller error needs no cause
ABSORBED = 1e-3  # of the sum: a smaller term loses three digits in it
MOST_CAUSES = 3
SUSPECT = "the graph is wrong in high precision too: suspect the graph, or a rule of the table"


@dataclass(frozen=True)
class Loss:
    """An operation at which digits of a result are lost: `digits` of 16, at node `node`, with its name and its text.

    `kind` says how.

    - "cancellation": rounded operands leave a result far smaller than they are.
    - "magnification": the operation multiplies the relative error of an operand, `source`, by its condition number `factor`.
    - "absorption": the same, where `source` is a sum in which a small term, `small`, has lost digits.
    - "overflow", "underflow": the value is beyond binary64's range.
    - "graph": the graph is wrong in high precision too.
    - "constants": a symbolic derivative is wrong in high precision too, since SymPy has rounded its constants.

    `adjoint` is true for an operation of f's derivative program that is not an operation of f.
    """

    node: int
    name: str
    written: str
    digits: float
    adjoint: bool = False
    kind: Kind = "cancellation"
    source: str = ""
    small: str = ""
    factor: float = 0.0

    def in_words(self, program: str = "") -> str:
        """What happens there, as part of a sentence. `program` names the program that the node belongs to."""
        lost, place = f"{self.digits:.0f} of 16 digits", f"{self.name} = {self.written}"
        whose = f" of the {program} program" if program and self.adjoint else ""
        if self.kind == "cancellation" and self.adjoint:
            return f"{lost} cancel between the contributions of several paths, at {place}{whose}"
        if self.kind == "cancellation":
            return f"{lost} are lost at {place}"
        if self.kind == "absorption":
            return f"{lost} are lost at {place}{whose}: {self.source} has rounded {self.small} away, and this operation shows it"
        if self.kind == "magnification":
            return f"{lost} are lost at {place}{whose}, which magnifies the rounding of {self.source} {self.factor:.1e} times"
        if self.kind == "constants":
            return "SymPy has multiplied and rounded constants, and what is left of their difference is wrong"
        if self.kind == "graph":
            return SUSPECT
        return f"binary64 {self.kind}s at {place}{whose}"


class Values:
    """The values of all nodes at a point, in binary64 and in each precision that is asked for, computed once for all outputs."""

    def __init__(self, graph: Graph, point: Sequence[float]) -> None:
        self.graph, self.point = graph, list(point)
        self.floats: list[Any] = list(evaluate(graph, self.point, FLOATS))
        self._precise: dict[int, list[Any]] = {}

    def precise(self, bits: int) -> list[Any]:
        """The values to so many bits, with unlimited exponents."""
        if bits not in self._precise:
            with working(bits):
                self._precise[bits] = evaluate(self.graph, [exact(x) for x in self.point], Extended(bits))
        return self._precise[bits]


class Walk:
    """One output of a graph at a point: in binary64, in high precision, and repaired."""

    def __init__(
        self, graph: Graph, point: Sequence[float], output: int, own: int | None = None, values: Values | None = None
    ) -> None:
        values = values or Values(graph, point)
        self.graph, self.point, self.output = graph, values.point, output
        self.own = len(graph) if own is None else own
        self.floats = values.floats
        self.true = self._precisely(values)
        self.used = self._ancestors()

    def _precisely(self, values: Values) -> list[Any]:
        """The values in high precision; in a higher one where two precisions differ."""
        found: list[list[Any]] = []
        for bits in (BITS[0] // 2, *BITS):
            found.append(values.precise(bits))
            if len(found) > 1 and _close(found[-2][self.output], found[-1][self.output]):
                break
        return found[-1]

    def _ancestors(self) -> list[int]:
        """The nodes that the output depends on, in order."""
        needed = [False] * len(self.graph)
        needed[self.output] = True
        for i in range(self.output, -1, -1):
            if needed[i]:
                for operand in self.graph.nodes[i].operands:
                    needed[operand] = True
        return [i for i, is_needed in enumerate(needed) if is_needed]

    def error(self, value: Any) -> float:
        """The relative error of a value of the output; the absolute error where the truth is 0."""
        truth = self.true[self.output]
        with working(BITS[0]):
            number = exact(value)
            if CONTEXT.isnan(number) or CONTEXT.isnan(truth):
                return math.inf
            off = abs(number - truth)
            return float(off / abs(truth)) if truth else float(off)

    @property
    def enough(self) -> float:
        """An error that needs no cause."""
        return ENOUGH * UNIT_ROUNDOFF if self.true[self.output] else 0.0

    def repaired(self, values: list[Any], fixed: Sequence[int], arithmetic: Any) -> Any:
        """The output, with the values of some nodes replaced by the true ones and everything after them computed again."""
        now, moved = list(values), set(fixed)
        for k in fixed:
            now[k] = self._rounded(k, arithmetic)
        for i in self.used:
            primitive, operands, parameter = self.graph.nodes[i]
            if i not in fixed and any(operand in moved for operand in operands):
                now[i] = arithmetic.apply(primitive, parameter, [now[operand] for operand in operands])
                moved.add(i)
        return now[self.output]

    def _rounded(self, k: int, arithmetic: Any) -> Any:
        return float(self.true[k]) if arithmetic is FLOATS else +self.true[k]

    # --- causes ---------------------------------------------------------------------------------------------------

    def causes(self) -> list[Loss]:
        """The causes, in the order in which repairs help. Empty where nothing is wrong, or no single operation is to blame."""
        if self.error(self.floats[self.output]) <= self.enough or CONTEXT.isnan(self.true[self.output]):
            return []
        values, arithmetic = self.floats, FLOATS
        found: list[Loss] = []
        if beyond := self._out_of_range():
            with working(53):
                wide = evaluate(self.graph, [exact(x) for x in self.point], Extended(53))
                if self.error(wide[self.output]) * BETTER <= self.error(self.floats[self.output]):
                    found.append(self._spoiling(beyond, wide))
                    values, arithmetic = wide, Extended(53)  # type: ignore[assignment]
        with working(53):
            found += self._losses(values, arithmetic)
        return found

    def _out_of_range(self) -> list[int]:
        """Nodes that are infinite, subnormal or 0 although their operands are finite and the true value is an ordinary number."""
        found = []
        for i in self.used:
            operands, value, true = self.graph.nodes[i].operands, self.floats[i], self.true[i]
            if not operands or value != value or CONTEXT.isnan(true) or not CONTEXT.isfinite(true):
                continue
            if not all(math.isfinite(self.floats[operand]) for operand in operands):
                continue
            lost = abs(value) < SMALLEST_NORMAL and true and abs(true) < SMALLEST_NORMAL
            if math.isinf(value) or lost:
                found.append(i)
        return found

    def _spoiling(self, beyond: list[int], wide: list[Any]) -> Loss:
        """The first of these nodes that spoils the output by itself, else the first one."""
        good = max(self.error(wide[self.output]), self.enough)
        chosen = beyond[0]
        for k in beyond[:MOST_REPAIRS]:
            now = list(wide)
            now[k] = exact(float(now[k])) if math.isfinite(float(now[k])) else CONTEXT.mpf("inf") * CONTEXT.sign(now[k])
            if self.error(self._after(now, k)) > BETTER * good:
                chosen = k
                break
        kind: Kind = "overflow" if math.isinf(self.floats[chosen]) else "underflow"
        return self._loss(chosen, 16.0, kind)

    def _after(self, now: list[Any], k: int) -> Any:
        arithmetic, moved = Extended(53), {k}
        for i in self.used:
            primitive, operands, parameter = self.graph.nodes[i]
            if i > k and any(operand in moved for operand in operands):
                now[i] = arithmetic.apply(primitive, parameter, [now[operand] for operand in operands])
                moved.add(i)
        return now[self.output]

    def _losses(self, values: list[Any], arithmetic: Any) -> list[Loss]:
        fixed: list[int] = []
        found: list[Loss] = []
        error = self.error(values[self.output])
        suspects = self._suspects(values, arithmetic)
        while error > self.enough and len(found) < MOST_CAUSES:
            best = None
            for k in [k for k in suspects if k not in fixed][:MOST_REPAIRS]:
                left = self.error(self.repaired(values, [*fixed, k], arithmetic))
                if left * BETTER <= error:
                    best = (k, left)
                    break
            if best is None:
                return found
            k, left = best
            found.append(self._classified(k, values, min(16.0, math.log10(min(error, 1.0) / UNIT_ROUNDOFF))))
            fixed, error = [*fixed, k], left
        return found

    def _suspects(self, values: list[Any], arithmetic: Any) -> list[int]:
        """Operations whose own error is, to first order, a good part of the output's error, in order."""
        reach = reverse(self.graph, values, {self.output: exact(1) if arithmetic is not FLOATS else 1.0}, arithmetic)
        off = abs(exact(values[self.output]) - self.true[self.output])
        found = []
        for i in self.used:
            if not self.graph.nodes[i].operands or CONTEXT.isnan(self.true[i]):
                continue
            apart = abs(exact(values[i]) - self.true[i])
            passed = apart * abs(exact(reach[i])) if i in reach else CONTEXT.zero
            if apart and (not CONTEXT.isfinite(passed) or 3 * passed >= off or i == self.output):
                found.append(i)
        return found

    def _classified(self, k: int, values: list[Any], digits: float) -> Loss:
        """How digits are lost at node k, judged by its operands' sizes and errors."""
        primitive, operands, _ = self.graph.nodes[k]
        true = [self.true[operand] for operand in operands]
        apart = [abs(exact(values[operand]) - self.true[operand]) for operand in operands]
        if primitive.name in ("add", "sub"):
            size = max((abs(t) for t, off in zip(true, apart, strict=True) if off), default=CONTEXT.zero)
            if size > 2 * abs(self.true[k]):
                ratio = float(size / abs(self.true[k])) if self.true[k] else math.inf
                return self._loss(k, min(16.0, math.log10(ratio)), "cancellation")
        partials = arithmetic_partials(self.graph, k, self.true)
        passed = [off * abs(p) if p is not None else CONTEXT.zero for off, p in zip(apart, partials, strict=True)]
        worst = max(range(len(operands)), key=lambda i: passed[i] if CONTEXT.isfinite(passed[i]) else CONTEXT.inf)
        source = operands[worst]
        partial, scale, factor = partials[worst], abs(self.true[k]), math.inf
        if partial is not None and scale and CONTEXT.isfinite(partial):
            factor = float(abs(partial * true[worst]) / scale)
        small = self._absorbed(source)
        kind: Kind = "absorption" if small else "magnification"
        return self._loss(k, digits, kind, self._named(source), small, factor)

    def _absorbed(self, source: int) -> str:
        """The small term of a sum that the sum has rounded away, if there is one."""
        primitive, operands, _ = self.graph.nodes[source]
        if primitive.name not in ("add", "sub") or len(operands) != 2:
            return ""
        sizes = [abs(self.true[operand]) for operand in operands]
        small = 0 if sizes[0] < sizes[1] else 1
        return self._named(operands[small]) if sizes[small] <= ABSORBED * sizes[1 - small] else ""

    def _named(self, i: int) -> str:
        name, written = self.graph.names[i], self.graph.written(i)
        return name if name == written or not self.graph.nodes[i].operands else f"{name} = {written}"

    def _loss(self, k: int, digits: float, kind: Kind, source: str = "", small: str = "", factor: float = 0.0) -> Loss:
        graph = self.graph
        return Loss(k, graph.names[k], graph.written(k), digits, k >= self.own, kind, source, small, factor)


def arithmetic_partials(graph: Graph, k: int, true: list[Any]) -> Sequence[Any]:
    """The local partials of a node at the true values."""
    with working(BITS[0]):
        return Extended(BITS[0]).partials(graph, k, true)


def _close(a: Any, b: Any) -> bool:
    """Whether the values agree, or neither exists. Two zeros do not tell: every digit may have cancelled in both."""
    with working(BITS[0]):
        return bool((CONTEXT.isnan(a) and CONTEXT.isnan(b)) or (b and abs(a - b) <= CONTEXT.ldexp(abs(b), -100)))


def losses(
    graph: Graph, point: Sequence[float], output: int, own: int | None = None, values: Values | None = None
) -> list[Loss]:
    """The operations that lose digits of one output of a graph at a point, in the order in which repairs help; at most three.

    `output` is the position of a node. Nodes from `own` on are not operations of f. `values` are those of the graph at the point,
    for those who ask for several outputs. The result is empty where nothing is lost, where no single operation explains the loss,
    and for graphs of more than 4,000 nodes.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> graph = lower([sympy.log(1 + x)], [x])
    >>> print(losses(graph, [1e-13], graph.outputs[0])[0].in_words())
    13 of 16 digits are lost at v2 = log(v1): v1 = x + 1 has rounded x away, and this operation shows it
    """
    if len(graph) > MOST_NODES or graph.compound:
        return []
    return Walk(graph, point, output, own, values).causes()
