"""Where a graph has a value and where it has derivatives: as conditions in letters, and as an answer at a point.

A NaN at an output means that some live operation met an operand outside its domain, or that binary64 overflowed on the way.
`explain` finds out which. So no NaN is returned without a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.floats import FLOATS, compiled_rule
from adlab.arithmetic.intervals import INTERVALS
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.principal import real_values, stopped
from adlab.arithmetic.settled import moving_what_is_rounded
from adlab.arithmetic.symbols import SYMPY
from adlab.errors import AdlabError, DomainError, OverflowedError
from adlab.graph import rules
from adlab.graph.constants import constants
from adlab.graph.graph import Graph
from adlab.primitives.primitive import exact_sympy
from adlab.primitives.ranges import left_range
from adlab.primitives.table import PART
from adlab.truth.meanings import exact, working

BITS, MOST_PRECISE = 200, 2_000
"""Bits of the numbers that tell a 0 from a tiny number, and the largest graph, in nodes, that is computed with them."""


def domain(graph: Graph) -> list[Any]:
    """The conditions under which every operation has a value, as SymPy relationals in the inputs. Empty where all do.

    >>> from adlab.graph.lowering import lower
    >>> x = sympy.Symbol("x", real=True)
    >>> domain(lower([sympy.log(x) / (1 - x)], [x]))
    [x > 0, Ne(1 - x, 0)]
    """
    restricted = [i for i in graph.operations if not rules.unconditional(graph.nodes[i].primitive)]
    active = [i for i in restricted if any(graph.active[operand] for operand in graph.nodes[i].operands)]
    if not active:
        return []
    values = evaluate(graph, [sympy.Symbol(name, real=True) for name in graph.inputs], SYMPY)
    conditions = []
    for i in active:
        primitive, operands, parameter = graph.nodes[i]
        letters = dict(zip(rules.letters(primitive, parameter), [*(values[o] for o in operands), values[i]], strict=True))
        with sympy.evaluate(False):
            condition = primitive.value_condition(parameter).xreplace(letters)
        parts = condition.args if isinstance(condition, sympy.And) else (condition,)
        open_ = [part for part in parts if part.free_symbols or part.doit() is not sympy.true]  # 1 > 0 is no condition
        if open_:
            conditions.append(sympy.And(*open_, evaluate=False) if len(open_) > 1 else open_[0])
    return conditions


def live(graph: Graph, values: Sequence[float]) -> list[bool]:
    """The nodes that the outputs use at this point. Branches that are not taken are left out."""
    alive = [False] * len(graph)
    for output in graph.outputs:
        alive[output] = True
    for i in reversed(graph.operations):
        if not alive[i]:
            continue
        primitive, operands, _ = graph.nodes[i]
        routed = FLOATS.partials(graph, i, values) if primitive.routes and values[i] == values[i] else None
        for k, operand in enumerate(operands):
            # a select reads its condition in every case, although that partial is 0
            alive[operand] |= routed is None or routed[k] is not None or (primitive.name == "select" and k == 0)
    return alive


def explain(graph: Graph, point: Sequence[float], derivative: bool = False, name: str = "f") -> AdlabError | None:
    """Why there is no value, or no derivative, at this point; None where nothing is wrong. `name` is what the graph is called.

    The answer is a DomainError for the first live operation whose operand fails its condition. Else it is an OverflowedError
    for the first live value that is not finite. A real value that is reached by way of complex numbers counts as right. An
    operand may fail a condition by no more than its own rounding error; then f may be fine, and the message says so.
    """
    values = evaluate(graph, point, FLOATS)
    if any(values[o] != values[o] for o in graph.outputs) and not np.isnan(real_values(graph, np.array(point))).any():
        return None
    alive = live(graph, values)
    for i in graph.operations:
        if not alive[i] or graph.nodes[i].primitive.compound:
            continue
        if (failed := _failed(graph, i, values, point, derivative, name)) is not None:
            return _with_what_stops(failed, graph, i, point) if values[i] != values[i] else failed
    if any(alive[i] and values[i] != values[i] and not node.operands for i, node in enumerate(graph.nodes)):
        return DomainError(f"{name} has no value at this point: no condition of the Piecewise holds", condition="a branch")
    for i in graph.operations:
        if alive[i] and values[i] != values[i] and graph.nodes[i].primitive is PART:
            return DomainError(f"{name} has no value at this point: {_became(graph, i, values)}", operation=graph.written(i))
    for i in graph.operations:
        if alive[i] and not _composite(graph, i) and not abs(values[i]) < float("inf"):
            return OverflowedError(
                f"binary64 overflows at this point: {_became(graph, i, values)}; scale the variables, or take logarithms"
            )
    return None


def _with_what_stops(failed: DomainError, graph: Graph, i: int, point: Sequence[float]) -> DomainError:
    """The refusal, which also says what keeps adlab from a value by way of complex numbers, as Abs(sqrt(x)) at -4 has."""
    found = stopped(graph, point) if graph.nodes[i].primitive.principal else None
    if found is not None:
        at, operand = found
        said = str(failed).replace("has no value at", "has no value over the real numbers at")
        stops = f"{graph.names[at]} = {graph.written(at)}"
        also = f"; {graph.names[operand]} is complex there, and adlab computes {stops} for reals only"
        failed.args = (said + also, *failed.args[1:])
    return failed


def _composite(graph: Graph, i: int) -> bool:
    """Whether this node holds several results, and so has no number of its own."""
    primitive = graph.nodes[i].primitive
    return primitive.compound and primitive is not PART


def _became(graph: Graph, i: int, values: Sequence[float]) -> str:
    primitive, operands, _ = graph.nodes[i]
    if primitive is PART:
        return f"{graph.names[i]} = part {graph.nodes[i].parameter} of {graph.written(operands[0])} is {values[i]}"
    moving = [o for o in dict.fromkeys(graph.nodes[i].operands) if not _constant(graph, o)]
    met = ", ".join(f"{graph.names[o]} = {values[o]:.6g}" for o in moving)
    return f"{graph.names[i]} = {graph.written(i)} is {values[i]}" + (f" for {met}" if met else "")


def beyond_range(graph: Graph, point: Sequence[float]) -> tuple[str, str]:
    """The first live operation whose result leaves the range of binary64: "overflow" or "underflow", and the operation in words.

    Both texts are empty where no operation does.

    >>> from adlab.graph.lowering import lower
    >>> x = sympy.Symbol("x", real=True)
    >>> beyond_range(lower([sympy.sqrt(x**2 + 1)], [x]), [1e200])
    ('overflow', 'v1 = x**2 is inf for x = 1e+200')
    """
    values = evaluate(graph, point, FLOATS)
    alive = live(graph, values)
    for i in graph.operations:
        primitive, operands, _ = graph.nodes[i]
        met = [values[o] for o in operands]
        if not alive[i] or primitive.compound or not np.isfinite(met).all():
            continue
        if np.isinf(values[i]):
            return "overflow", _became(graph, i, values)
        if values[i] == 0 and not primitive.vanishes and all(met):
            return "underflow", _became(graph, i, values)
    return "", ""


def in_range(graph: Graph, point: Sequence[float]) -> bool:
    """Whether every live value on the way is a normal number, or a 0 that is no underflow. It looks at all values.

    This is for platforms whose flags cannot be read (see `flags`).
    """
    values = evaluate(graph, point, FLOATS)
    alive = live(graph, values)
    for i in graph.operations:
        primitive, operands, _ = graph.nodes[i]
        if not alive[i] or primitive.compound:
            continue
        size = abs(values[i])
        vanished = size == 0 and not primitive.vanishes and all(values[o] for o in operands)
        if vanished or size != size or left_range(size):
            return False
    return True


def steady(graph: Graph) -> bool:
    """Whether what the constants alone decide is in binary64's range. It is computed beforehand, so no flag tells of it.

    >>> from adlab.graph.lowering import lower
    >>> x = sympy.Symbol("x", real=True)
    >>> steady(lower([x * 10**300], [x])), steady(lower([x * sympy.log(10**400, evaluate=False)], [x]))
    (True, False)
    """
    known = constants(graph)
    for i, value in known.items():
        primitive, operands, parameter = graph.nodes[i]
        met = [known[o] for o in operands] if operands else [parameter]
        vanished = value == 0 and not (operands and primitive.vanishes) and all(number != 0 for number in met)
        if vanished or left_range(value):
            return False
    return True


def _failed(
    graph: Graph, i: int, values: Sequence[float], point: Sequence[float], derivative: bool, name: str
) -> DomainError | None:
    primitive, operands, parameter = graph.nodes[i]
    exists = compiled_rule(rules.conditions(primitive, parameter))(*(values[o] for o in operands), values[i])
    known = " that adlab can compute" if primitive.narrow else ""
    if exists[0] == 0:
        condition = primitive.value_condition(parameter)
        return _domain_error(graph, i, values, condition, f"{name} has no value{known}", _rounded(graph, i, point, 0))
    if derivative:
        for k, operand in enumerate(operands):
            if graph.active[operand] and exists[1 + k] == 0:
                condition = primitive.partial_condition(k, parameter)
                rounded = _rounded(graph, i, point, 1 + k)
                return _domain_error(graph, i, values, condition, f"{name} has no derivative{known}", rounded)
    return None


def _rounded(graph: Graph, i: int, point: Sequence[float], which: int) -> float:
    """How far the operands may be off, if that is enough for the failed condition to hold after all; else 0."""
    primitive, operands, parameter = graph.nodes[i]
    values = evaluate(graph, [Bounded(number) for number in point], BOUNDED)
    sides = [values[o].interval for o in operands]
    if INTERVALS.conditions(primitive, parameter, sides, values[i].interval)[which] == (0.0, 0.0):
        return 0.0
    if _unrounded(graph, operands, point, [values[o].value for o in operands]):
        return 0.0
    return float(max(values[o].error for o in operands))


def _unrounded(graph: Graph, operands: Sequence[int], point: Sequence[float], met: Sequence[float]) -> bool:
    """Whether the operands are exact results of binary64. An error bound cannot tell that a 0 is exact."""
    if any(value != 0 for value in met) or len(graph) > MOST_PRECISE or graph.compound:
        return False
    with working(BITS):  # tanh(300) - 1 is no exact 0
        values = evaluate(graph, [exact(number) for number in point], moving_what_is_rounded(BITS))
        return all(values[operand] == 0 for operand in operands)


def _domain_error(
    graph: Graph, i: int, values: Sequence[float], condition: Any, what: str, rounded: float
) -> DomainError:
    operands = graph.nodes[i].operands
    needs = needed(graph, i, condition)
    what = f"in binary64 {what} at this point, though it may have one" if rounded else f"{what} at this point"
    met = ", ".join(f"{graph.names[o]} = {values[o]!r}" for o in dict.fromkeys(operands) if not _constant(graph, o))
    operation = graph.written(i)
    where = f"{graph.names[i]} = {operation}"
    return DomainError(
        f"{what}: {where} needs {needs}, and {met or 'it is a constant'}" + _within(rounded) + _real_root(graph, i, values),
        operation=operation,
        operand=values[operands[0]] if len(operands) == 1 else tuple(values[o] for o in operands),
        condition=needs,
    )


def _real_root(graph: Graph, i: int, values: Sequence[float]) -> str:
    """What to write for an odd root of a negative number, whose principal value is complex."""
    primitive, operands, parameter = graph.nodes[i]
    degree = 3 if primitive.name == "cbrt" else parameter.denominator if isinstance(parameter, Fraction) else 0
    if degree % 2 == 0 or not values[operands[0]] < 0:
        return ""
    numerator = parameter.numerator if isinstance(parameter, Fraction) else 1
    power = "" if numerator == 1 else f"**{numerator}" if numerator > 0 else f"**({numerator})"
    return f"; for the real root write real_root({graph.names[operands[0]]}, {degree}){power}"


def _within(rounded: float) -> str:
    if not rounded:
        return ""
    return f", rounded by up to {rounded:.2g}" if rounded < np.inf else ", of which rounding has left nothing"


def needed(graph: Graph, i: int, condition: Any) -> str:
    """A condition of the table for the operation at this position, in the names of the graph: `v1 != 0`.

    What its constants decide is left out, unless it is they that fail.
    """
    primitive, operands, parameter = graph.nodes[i]
    letters = rules.letters(primitive, parameter)
    known = {
        letter: exact_sympy(graph.nodes[o].parameter)
        for letter, o in zip(letters, operands, strict=False)
        if _constant(graph, o) and not isinstance(graph.nodes[o].parameter, float)
    }
    open_ = _undecided(condition, known)
    names = {letter: sympy.Symbol(graph.names[o]) for letter, o in zip(letters, [*operands, i], strict=True)}
    if isinstance(open_, bool):
        failing = [part for part in getattr(condition, "args", ()) if _undecided(part, known) is False]
        open_ = failing[0] if isinstance(condition, sympy.And) and failing else condition
        return f"{in_words(open_.xreplace(names))}, which never holds"
    return in_words(open_.xreplace(names) if hasattr(open_, "xreplace") else open_)


def _undecided(condition: Any, known: Mapping[Any, Any]) -> Any:
    """What is left of a condition where some letters are known. True or False where these decide it."""
    if not isinstance(condition, sympy.Basic):
        return bool(condition)
    if isinstance(condition, (sympy.And, sympy.Or)):
        whole = isinstance(condition, sympy.And)
        parts = [_undecided(part, known) for part in condition.args]
        if any(part is (not whole) for part in parts):
            return not whole
        left = [part for part in parts if not isinstance(part, bool)]
        return type(condition)(*left, evaluate=False) if len(left) > 1 else left[0] if left else whole
    if condition.free_symbols and condition.free_symbols <= known.keys():
        return bool(condition.xreplace(known))
    return condition


def _constant(graph: Graph, position: int) -> bool:
    """Whether a node is a number that is written in the formula."""
    return position >= len(graph.inputs) and not graph.nodes[position].operands


def in_words(condition: Any) -> str:
    """A relational as a person writes it: `v1 != 0`, `a > -1 and a < 1`.

    >>> a = sympy.Symbol("a")
    >>> in_words(sympy.Ne(a, 0)), in_words(sympy.And(a > -1, a < 1))
    ('a != 0', 'a > -1 and a < 1')
    """
    if isinstance(condition, (sympy.And, sympy.Or)):
        word = " and " if isinstance(condition, sympy.And) else " or "
        parts = sorted(condition.args, key=str, reverse=True)  # the lower bound first
        return word.join(f"({in_words(p)})" if isinstance(p, (sympy.And, sympy.Or)) else in_words(p) for p in parts)
    if isinstance(condition, (sympy.Ne, sympy.Eq)):
        return f"{condition.args[0]} {'!=' if isinstance(condition, sympy.Ne) else '=='} {condition.args[1]}"
    return str(condition)


def turning(graph: Graph) -> list[int]:
    """The operations with kinks or jumps that the inputs can reach.

    Comparisons of values that are piecewise constant are left out: where such a comparison jumps, those values jump too.
    """
    if not any(graph.nodes[i].primitive.smooth is not sympy.true for i in graph.operations):
        return []
    moving, found = [i < len(graph.inputs) for i in range(len(graph))], []
    for i in graph.operations:
        primitive, operands, _ = graph.nodes[i]
        moved = any(moving[o] for o in operands)
        moving[i] = moved and not primitive.piecewise_constant
        compares_itself = primitive.truth_valued and len(set(operands)) == 1  # v == v asks whether there is a value
        if moved and primitive.smooth is not sympy.true and not compares_itself:
            found.append(i)
    return found


def kinks(graph: Graph, point: Sequence[float]) -> list[tuple[int, str]]:
    """The live operations that are on a kink or jump here, each with the convention that its partials follow."""
    values = evaluate(graph, point, FLOATS)
    alive, found = live(graph, values), []
    for i in turning(graph):
        primitive, operands, parameter = graph.nodes[i]
        if alive[i]:
            exists = compiled_rule(rules.conditions(primitive, parameter))(*(values[o] for o in operands), values[i])
            if exists[-1] == 0:
                found.append((i, primitive.convention))
    return found


def beyond_reach(graph: Graph, point: Sequence[float]) -> bool:
    """Whether a live operation is outside the part of its domain where adlab can compute it. Limits there would take minutes.

    >>> from adlab.graph.lowering import lower
    >>> x, y = sympy.symbols("x y", real=True)
    >>> beyond_reach(lower([sympy.zeta(x, y)], [x, y]), [-400.0, 0.5])
    True
    """
    if not has_narrow(graph):
        return False
    narrow = [i for i in graph.operations if graph.nodes[i].primitive.narrow]
    values = evaluate(graph, point, FLOATS)
    alive = live(graph, values)
    for i in narrow:
        primitive, operands, parameter = graph.nodes[i]
        exists = compiled_rule(rules.conditions(primitive, parameter))(*(values[o] for o in operands), values[i])
        if alive[i] and 0 in exists[: 1 + len(operands)]:
            return True
    return False


def has_narrow(graph: Graph) -> bool:
    """Whether some operation is computed over a part of its domain only."""
    return any(graph.nodes[i].primitive.narrow for i in graph.operations)


def kinked(graph: Graph, point: Sequence[float]) -> bool:
    """Whether some live operation is on a kink or jump here. Quick for graphs that have none."""
    return bool(turning(graph)) and bool(kinks(graph, point))
