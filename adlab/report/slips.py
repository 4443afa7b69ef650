"""Finds the kind of slip that explains a wrong gradient.

Each test asks one question: would this slip give these numbers at every point where they are wrong? First come slips of the whole
gradient: another order of variables or outputs, a transposed Jacobian, swapped arguments. Then come slips of one component: a
factor, a sign, lost digits. Last come slips of one step inside the formula: a missing path, a forgotten inner derivative. A slip
that explains several components is reported once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.sweeps import forward, reverse
from adlab.errors import AdlabError
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray
from adlab.precision import UNIT_ROUNDOFF
from adlab.report.causes import losses
from adlab.report.coarse import COARSEST, coarse_kind
from adlab.report.subject import Formula, Room, Subject
from adlab.report.tolerance import SLACK

LIKE = 1e-6
"""Relative difference up to which two numbers count as the same."""
FACTORS = {str(Fraction(p, q)): p / q for p in range(1, 13) for q in range(1, 13) if math.gcd(p, q) == 1 and p != q} | {
    "π": math.pi, "1/π": 1 / math.pi, "2π": 2 * math.pi, "1/(2π)": 0.5 / math.pi,
    "180/π, degrees for radians": 180 / math.pi, "π/180, radians for degrees": math.pi / 180,
    "log 2": math.log(2), "1/log 2": 1 / math.log(2), "log 10": math.log(10), "1/log 10": 1 / math.log(10),
    "√2": math.sqrt(2), "1/√2": math.sqrt(0.5), **{f"1e{k}": 10.0**k for k in (*range(-12, -1), *range(2, 13))},
}  # fmt: skip
MOST_ORDERED = 8  # variables whose arguments are tried in other orders
LARGEST = 5_000_000  # nodes × components × points that are searched for a path: some seconds
LEAST_SHARE, MOST_SHARE = 1e-3, 0.1
"""Parts of the error that reverse mode must show before the formula's roundings are blamed: with a bound, and without one."""
MOST_COMPARED = 1000  # variables or outputs that are looked for in each other's place
Cell = tuple[int, int]


@dataclass(frozen=True)
class Evidence:
    """The numbers to explain, of shape (points, m, n): what was `got`, what is `due`, and which are `wrong`.

    Beside them: the types that the numbers came in, and the room that rounding needs at each point.
    """

    f: Subject
    points: Sequence[FloatArray]
    got: FloatArray
    due: FloatArray
    wrong: npt.NDArray[np.bool_]
    precisions: Collection[str]
    rooms: Sequence[Room]

    @property
    def n(self) -> int:
        """The number of variables."""
        return len(self.f.names)

    def name(self, i: int, j: int) -> str:
        """A component in words."""
        return self.f.names[j] if self.f.m == 1 else f"∂f{i}/∂{self.f.names[j]}"

    @property
    def graph(self) -> Graph:
        """The graph; only a formula has one."""
        assert self.f.graph is not None
        return self.f.graph

    @cached_property
    def _primals(self) -> list[list[Any]]:
        return [list(evaluate(self.graph, point.tolist(), FLOATS)) for point in self.points]

    def adjoints(self, k: int, i: int) -> FloatArray:
        """The adjoint of every node at point k, from output i."""
        graph = self.graph
        return self._swept(("adjoints", k, i), lambda: reverse(graph, self._primals[k], {graph.outputs[i]: 1.0}, FLOATS))

    def tangents(self, k: int, j: int) -> FloatArray:
        """The tangent of every node at point k, along variable j."""
        return self._swept(("tangents", k, j), lambda: forward(self.graph, self._primals[k], {j: 1.0}, FLOATS))

    def primal(self, k: int, node: int) -> float:
        """The value of one node at point k."""
        return float(self._primals[k][node])

    @cached_property
    def rounded(self) -> npt.NDArray[np.bool_]:
        """Where no digit is right, the running error bound of the formula covers the error, and reverse mode is wrong there
        too."""
        found = np.zeros(self.got.shape, dtype=bool)
        off = np.abs(self.got - self.due)
        for k, point in enumerate(self.points):
            if not self.wrong[k].any():
                continue
            try:
                own = np.abs(self.f.jacobian(point) - self.due[k])
            except AdlabError:
                continue
            hopeless = off[k] > COARSEST * np.abs(self.due[k])
            bounded = (off[k] <= SLACK * self.rooms[k].bound) & (own >= LEAST_SHARE * off[k])
            found[k] = hopeless & (bounded | (self.rooms[k].unbounded & (own >= MOST_SHARE * off[k])))
        within: npt.NDArray[np.bool_] = np.logical_and(found, self.wrong)
        return within

    @cached_property
    def _known(self) -> dict[Any, FloatArray]:
        return {}

    def _swept(self, key: Any, sweep: Callable[[], Any]) -> FloatArray:
        if key not in self._known:
            found = sweep()
            self._known[key] = np.array([found.get(v, 0.0) for v in range(len(self.graph))])
        return self._known[key]


def named(seen: Evidence) -> list[str]:
    """A sentence for each slip; none where nothing is wrong."""
    if not seen.wrong.any():
        return []
    with np.errstate(all="ignore"):
        found: dict[tuple[str, str], list[str]] = {}
        rounded = np.logical_and((seen.rounded | ~seen.wrong).all(axis=0), seen.wrong.any(axis=0))
        whole = "" if rounded.any() else next(filter(None, (test(seen) for test in WHOLE)), "")
        if whole:
            return [whole]
        for i, j in np.argwhere(seen.wrong.any(axis=0)).tolist():
            first = int(np.argmax(seen.wrong[:, i, j]))
            slip = _rounded_away(seen, first, i, j) if rounded[i, j] else _slip(seen, i, j)
            found.setdefault((slip, _somewhere(seen, i, j)), []).append(seen.name(i, j))
    return [slip.format(where=", ".join(names)) + place for (slip, place), names in found.items()]


def alike(a: Any, b: Any) -> bool:
    """Whether the two arrays are the same, up to rounding: then the slip that gives `b` may be what happened."""
    finite = np.isfinite(a) & np.isfinite(b)  # beside an infinite number every other vanishes
    return bool(np.all(finite & (np.abs(a - b) <= LIKE * np.maximum(np.abs(a), np.abs(b)))))


# --- slips of the whole -------------------------------------------------------------------------------------------


def _transposed(seen: Evidence) -> str:
    square = seen.f.m == seen.n > 1
    found = square and alike(seen.got, np.swapaxes(seen.due, 1, 2))
    return "transposed: entry (i, j) is where entry (j, i) is due" if found else ""


def _variables_in_another_order(seen: Evidence) -> str:
    order = _order(seen.got, seen.due, seen.wrong.any(axis=(0, 1)))
    return _ordered(order, seen.f.names, "variables") if order else ""


def _outputs_in_another_order(seen: Evidence) -> str:
    got, due = (np.swapaxes(numbers, 1, 2) for numbers in (seen.got, seen.due))
    order = _order(got, due, seen.wrong.any(axis=(0, 2)))
    return _ordered(order, [f"f{i}" for i in range(seen.f.m)], "outputs") if order else ""


def _order(got: FloatArray, due: FloatArray, wrong: npt.ArrayLike) -> dict[int, int]:
    """For each place along the last axis, the place whose numbers stand there. Found where wrong numbers are right elsewhere."""
    places = np.flatnonzero(wrong).tolist()
    if not 2 <= len(places) <= MOST_COMPARED:
        return {}
    order: dict[int, int] = {}
    for j in places:
        apart = np.abs(got[..., j, None] - due[..., places])
        close = LIKE * np.maximum(np.abs(got[..., j, None]), np.abs(due[..., places]))
        same = (np.isfinite(apart) & (apart <= close)).all(axis=(0, 1))
        owners = [places[k] for k in np.flatnonzero(same) if places[k] not in order.values()]
        if not owners or j in owners:  # in its own place already, apart from a few digits
            return {}
        order[j] = owners[0]
    return order


def _ordered(order: dict[int, int], names: Sequence[str], what: str) -> str:
    if len(order) == 2:
        first, second = order
        return f"{names[first]} and {names[second]} are in each other's place"
    n = len(names)
    for shift, neighbour in ((1, "next"), (-1, "one before")):
        if len(order) == n and all(owner == (j - shift) % n for j, owner in order.items()):
            return f"the {what} are off by one: what belongs to each is in the place of the {neighbour}"
    moved = ", ".join(f"{names[owner]} in the place of {names[j]}" for j, owner in list(order.items())[:6])
    return f"the {what} are in another order: {moved}{', …' if len(order) > 6 else ''}"


def _arguments_in_another_order(seen: Evidence) -> str:
    """The right gradient for another point, whose coordinates were read in another order."""
    n = seen.n
    if not 2 <= n <= MOST_ORDERED:
        return ""
    try:
        here = np.array([seen.f.jacobian(point) for point in seen.points])
    except AdlabError:
        return ""
    for order in _orders(n):
        elsewhere = [point[order] for point in seen.points]
        if all((moved == point).all() for moved, point in zip(elsewhere, seen.points, strict=True)):
            continue
        try:
            found = np.array([seen.f.jacobian(point) for point in elsewhere])
        except AdlabError:
            continue
        if alike(seen.got, found) and not alike(here, found):  # not where f is symmetric and loses its own digits
            read = ", ".join(f"{seen.f.names[k]} as {seen.f.names[j]}" for j, k in enumerate(order) if j != k)
            return f"right for another point: the arguments are read in another order, {read}"
    return ""


def _orders(n: int) -> Iterator[list[int]]:
    start = list(range(n))
    for a, b in combinations(start, 2):
        yield [b if k == a else a if k == b else k for k in start]
    if n > 2:
        yield from ([*start[1:], 0], [n - 1, *start[:-1]], start[::-1])


WHOLE = (_transposed, _variables_in_another_order, _outputs_in_another_order, _arguments_in_another_order)

# --- slips of one component ---------------------------------------------------------------------------------------


def _somewhere(seen: Evidence, i: int, j: int) -> str:
    """The points at which a component is wrong, if it is wrong at some only."""
    wrong = seen.wrong[:, i, j]
    if wrong.all():
        return ""
    first = seen.points[int(np.argmax(wrong))].tolist()
    shown = f"{first[:4]}"[:-1] + (", …]" if len(first) > 4 else "]")
    count = int(wrong.sum())
    return f" at {count} of {len(wrong)} points{', first' if count > 1 else ','} at {shown}"


def _slip(seen: Evidence, i: int, j: int) -> str:
    """The sentence for one wrong component. `{where}` stands for its name, so that equal slips are reported together."""
    at = np.flatnonzero(seen.wrong[:, i, j]).tolist()
    got, due = seen.got[at, i, j], seen.due[at, i, j]
    if not np.isfinite(got).all():
        return "not a finite number in {where}"
    kind, hint = coarse_kind(seen, at, i, j)
    if not due.any():
        return f"up to {np.max(np.abs(got)):.2g} where the derivative is 0, in {{where}}" + (f": {kind}; {hint}" if kind else "")
    if kind:
        return f"{kind} in {{where}} ({hint})"
    relative = np.max(np.abs(got - due) / np.maximum(np.abs(due), 5e-324))
    bounds = np.array([seen.rooms[k].bound[i, j] for k in at])
    if relative < 1e-3:
        within = ", which is what the roundings of the formula as it is written may cost" if (
            np.all(np.abs(got - due) <= bounds)) else ""  # fmt: skip
        return f"right to {-math.log10(relative):.0f} digits only in {{where}}{within}"
    if lost := _below_rounding(seen, at, got, due, i):
        return lost
    slip = (
        _factor(got, due) or _by_value(seen, at, got, due, i, j) or _inside(seen, at, got, due, i, j) or _constant(got, due)
    )
    if slip:
        return slip
    if np.all(np.abs(got - due) <= bounds):
        return _rounded_away(seen, at[0], i, j)
    return "wrong in a way that is none of the usual slips in {where}"


def _below_rounding(seen: Evidence, at: Sequence[int], got: FloatArray, due: FloatArray, i: int) -> str:
    """Where the derivative is smaller than a rounding of f: s*(1 - s) at 40 is 0, since s is rounded to 1."""
    with np.errstate(all="ignore"):
        size = np.abs([seen.f.values(seen.points[k])[i] for k in at])
    if not np.all(np.isfinite(size) & (np.abs(due) <= 2 * UNIT_ROUNDOFF * size) & (np.abs(got) <= 2 * UNIT_ROUNDOFF * size)):
        return ""
    return (f"no digit is left in {{where}}: the derivative, {due[0]:.2g}, is smaller than a rounding of f = {size[0]:.3g}, "
            "and a form that subtracts numbers of that size, as s*(1 - s) does, loses all of it")  # fmt: skip


def _rounded_away(seen: Evidence, k: int, i: int, j: int) -> str:
    """Not a slip: reverse mode on the formula as it is written may be as wrong as this."""
    lost = []
    if isinstance(seen.f, Formula):
        program = seen.f.f.program("reverse")
        lost = losses(program, seen.points[k].tolist(), program.outputs[seen.f.m + i * seen.n + j], len(seen.graph))
    where = f", where {lost[0].in_words('reverse')}" if lost else ""
    said = f"off by no more than the roundings of the formula account for{where}"
    return f"{said}: another way of writing it would help, in {{where}}"


def _factor(got: FloatArray, due: FloatArray) -> str:
    """A wrong sign, a known factor, or nothing at all."""
    if alike(got, -due):
        return "sign of {where}"
    for name, factor in FACTORS.items():
        for sign in (1, -1):
            if alike(got, sign * factor * due):
                return f"wrong by a factor {'-' * (sign < 0)}{name} in {{where}}"
    return "" if got.any() else "nothing arrives at {where}: it is 0 everywhere"


def _by_value(seen: Evidence, at: Sequence[int], got: FloatArray, due: FloatArray, i: int, j: int) -> str:
    """Factors that vary from point to point as f does, or as the variable does. They need at least two points."""
    if len(at) < 2:
        return ""
    f = np.array([seen.f.values(seen.points[k])[i] for k in at])
    x = np.array([seen.points[k][j] for k in at])
    readings = {
        "divided by f, as if it were the gradient of log f, in {where}": due / f,
        "multiplied by 2f, as if it were the gradient of f², in {where}": due * 2 * f,
        "multiplied by f, in {where}": due * f,
        "multiplied by the variable itself, as if it were the derivative by its logarithm, in {where}": due * x,
        "divided by the variable itself in {where}": due / x,
    }
    return next((said for said, number in readings.items() if alike(got, number)), "")


def _constant(got: FloatArray, due: FloatArray) -> str:
    """One factor, or one summand, that is the same at several points."""
    if len(got) < 2 or np.ptp(due) == 0:
        return ""
    if np.all(due) and alike(got / due, (got / due)[0]):
        return f"wrong by the factor {got[0] / due[0]:.6g}, the same at every point, in {{where}}"
    apart = got - due
    return f"off by {apart[0]:+.6g}, the same at every point, in {{where}}" if alike(apart, apart[0]) else ""


def _inside(seen: Evidence, at: Sequence[int], got: FloatArray, due: FloatArray, i: int, j: int) -> str:
    """A slip at one operation, the first that gives these numbers.

    Either all paths through it are left out, or have a wrong sign or factor, or its own derivative is mistaken.
    """
    if seen.f.graph is None:
        return ""
    graph, size = seen.graph, int(seen.wrong.any(axis=0).sum())
    if len(graph) * size * len(at) > LARGEST:
        return ""
    adjoint = np.array([seen.adjoints(k, i) for k in at])
    tangent = np.array([seen.tangents(k, j) for k in at])
    through = adjoint * tangent  # (points, nodes)
    inner = [node for node in graph.operations if node != graph.outputs[i] and through[:, node].any()]
    for node in inner:
        ratio = 1 + (got - due) / through[:, node]
        if np.ptp(ratio) <= LIKE * max(1.0, np.max(np.abs(ratio))):
            said = _on_the_path(float(ratio[0]))
            if said and alike(got, due + (round(ratio[0], 9) - 1) * through[:, node]):
                return f"{said} through {graph.names[node]} = {graph.written(node)} in {{where}}"
    for node in [*inner, graph.outputs[i]]:
        operands = set(graph.nodes[node].operands) & {o for o in graph.nodes[node].operands if graph.active[o]}
        if len(operands) != 1:
            continue
        alone = tangent[:, operands.pop()] * adjoint[:, node]  # as if its own derivative were 1
        own = np.array([seen.primal(k, node) for k in at])
        for taken, read in ((1.0, "1: it is left out of the chain"), (own, "the value itself")):
            if np.any(taken * alone != through[:, node]) and alike(got, due - through[:, node] + taken * alone):
                where = f"{graph.names[node]} = {graph.written(node)}"
                return f"the derivative of {where} is taken to be {read}, in {{where}}"
    return ""


def _on_the_path(ratio: float) -> str:
    """What it means that all paths through one node count this many times."""
    if abs(ratio) <= LIKE:
        return "missing the path"
    if abs(ratio + 1) <= LIKE:
        return "sign of the path"
    named = (name for name, factor in FACTORS.items() if abs(abs(ratio) - factor) <= LIKE * factor)
    name = next(named, "")
    return f"wrong by a factor {'-' * (ratio < 0)}{name} on the path" if name else ""
