"""What is compiled for each `derivative=`: the graph, the shapes of its parts, and the care behind it.

Each kind is written by the sweeps into one program of the values and the entries. Then every entry is guarded: it is NaN where an
output that it belongs to has no value, or is on a kink. That NaN is the sign to ask the evaluator behind the program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np
import sympy

from adlab.arithmetic.domain import turning
from adlab.arithmetic.nodes import Nodes
from adlab.autodiff import programs
from adlab.autodiff.edges import second_order
from adlab.autodiff.evaluator import Evaluator
from adlab.autodiff.jacobian import adjoints, cheaper_mode, tangents
from adlab.compile.behind import Behind
from adlab.compile.existence import guarded, inside_of, with_existence
from adlab.compile.sparse import SPARSE, CompilePlan, Shape, sparsely
from adlab.errors import MethodError, OptionError, PointError, VariableError
from adlab.graph import rules
from adlab.graph.collector import paused
from adlab.graph.graph import Builder, Graph
from adlab.inputs import FloatArray, listed

FIRST = ("gradient", "value_and_gradient", "jacobian", "value_and_jacobian")
DERIVATIVES = (None, *FIRST, "hessian", "hvp", "jvp", "vjp")


def planned(
    f: Any,
    derivative: str | None,
    wrt: Sequence[Any] | None = None,
    constants: Mapping[Any, float] | None = None,
    sparse: bool = False,
) -> CompilePlan:
    """What `f.compile(derivative=…, wrt=…, constants=…, sparse=…)` compiles.

    Raises OptionError for an unknown kind, MethodError for a gradient of several outputs, VariableError for names that are not
    variables, and PointError for constants that are not finite numbers.
    """
    if derivative not in DERIVATIVES:
        raise OptionError(f"derivative={derivative!r} is none of {', '.join(map(repr, DERIVATIVES))}")
    if derivative in ("gradient", "value_and_gradient") and f.m != 1:
        raise MethodError(f'a gradient needs one output, and this function has m = {f.m}; use derivative="jacobian"')
    fixed = _fixed(constants, f.graph.inputs)
    at: Evaluator = _bound_evaluator(f.evaluator, fixed) if fixed else f.evaluator
    columns = _columns(wrt, at.graph.inputs, fixed)
    scalar = f.scalar and f.m == 1
    if sparse and derivative not in SPARSE:
        raise OptionError(f"sparse=True is for {', '.join(SPARSE)}; derivative={derivative!r} is no matrix")
    if sparse:
        return _inside(sparsely(at, str(derivative), columns, scalar), at)
    if derivative is None:
        if wrt is not None:
            raise OptionError("wrt= and data= choose what to differentiate by; give derivative= too, or leave them out")
        behind = Behind.of(at, values=True, partials=False)
        return _inside(CompilePlan(at.graph, [() if scalar else (f.m,)], behind, (at.n,)), at)
    if derivative in FIRST:
        return _inside(_first(at, derivative, columns, scalar), at)
    return _inside({"hessian": _hessian, "hvp": _hvp, "jvp": _jvp, "vjp": _vjp}[derivative](at, columns, scalar), at)


def _inside(plan: CompilePlan, at: Evaluator) -> CompilePlan:
    """The plan, NaN where the function that `at` differentiates has no value, or a variable lacks its declared sign."""
    if at.within is None and not at.declared:
        return plan
    return replace(plan, graph=inside_of(plan.graph, at), behind=plan.behind.inside(at))


# --- which variables --------------------------------------------------------------------------------------------------


def _fixed(constants: Mapping[Any, float] | None, names: Sequence[str]) -> dict[str, float]:
    fixed = _named(constants)
    for name, value in fixed.items():
        if name not in names:
            raise VariableError(f"constants: no variable `{name}`; there are {', '.join(names)}")
        try:
            fixed[name] = float(value)
        except (TypeError, ValueError, OverflowError):
            fixed[name] = float("nan")
        if not isfinite(fixed[name]):
            raise PointError(f"constants: `{name}` is {value!r}, which is not a finite number")
    if fixed and len(fixed) == len(names):
        raise VariableError("constants: every variable is fixed, and nothing is left to vary; call f at that point")
    return fixed


def _named(constants: Mapping[Any, float] | None) -> dict[str, float]:
    if not isinstance(constants, Mapping | None):
        raise OptionError(f'constants={constants!r} is no mapping from names to numbers, such as {{"g": 9.81}}')
    return {str(name): value for name, value in (constants or {}).items()}


def _columns(wrt: Sequence[Any] | None, names: Sequence[str], fixed: Mapping[str, float]) -> list[int]:
    if wrt is None:
        return list(range(len(names)))
    chosen = names_of(wrt)
    for name in chosen:
        if name in fixed:
            raise VariableError(f"wrt: `{name}` is among the constants; nothing is differentiated by a constant")
        if name not in names:
            raise VariableError(f"wrt: no variable `{name}`; there are {', '.join(names)}")
    if not chosen or len(set(chosen)) < len(chosen):
        raise VariableError(f"wrt: name one variable or more, each once; found {chosen}")
    return [list(names).index(name) for name in chosen]


def names_of(given: Any) -> list[str]:
    """The names of variables, given as names or symbols, one or several of them. Raises OptionError for anything else."""
    names = [given] if isinstance(given, (str, sympy.Basic)) else listed(given)
    if names is None:
        raise OptionError(f"{given!r} names no variable; give a name, or a list of names")
    return [str(name) for name in names]


def but_data(
    names: Sequence[str], wrt: Sequence[Any] | None, constants: Mapping[Any, float] | None, data: Sequence[Any] | None
) -> Sequence[Any] | None:
    """The variables to differentiate by: all but the `data` and the constants, where there are data; else `wrt`.

    Raises OptionError where both are given, VariableError for names that are none of the variables.
    """
    if data is None:
        return wrt
    if wrt is not None:
        raise OptionError("give wrt= or data=: what is differentiated by, or what is not")
    given = names_of(data)
    for name in given:
        if name not in names:
            raise VariableError(f"data: no variable `{name}`; there are {', '.join(names)}")
    fixed = _named(constants)
    left = [name for name in names if name not in given and name not in fixed]
    if not left:
        raise VariableError("data: every variable is data or a constant, and none is left to differentiate by")
    return left


def with_constants(graph: Graph, fixed: Mapping[str, float]) -> Graph:
    """The graph with some inputs fixed. Nothing is simplified: an expression without a value, such as 0*log(-1), keeps none."""
    builder = Builder([name for name in graph.inputs if name not in fixed])
    places = [builder.constant(fixed[n]) if n in fixed else builder.inputs.index(n) for n in graph.inputs]
    return builder.finish(rules.splice(builder, graph, places))


def _bound_evaluator(at: Evaluator, fixed: Mapping[str, float]) -> Evaluator:
    within = None if at.within is None else _bound_evaluator(at.within, fixed)
    return Evaluator(with_constants(at.graph, fixed), within, at.declared)


# --- first derivatives ------------------------------------------------------------------------------------------------


def _first(at: Evaluator, derivative: str, columns: list[int], scalar: bool) -> CompilePlan:
    graph, keep, k = at.graph, derivative.startswith("value_and_"), len(columns)
    whole = columns == list(range(at.n))
    # On a tie forward mode: its tangents need not wait for the values, which matters in a chain.
    mode = cheaper_mode(graph, columns)
    program = at.program(mode) if whole else programs.derivative(graph, mode, True, columns)

    def row(point: FloatArray) -> FloatArray:
        values = [at.values(point)] if keep else []
        return np.concatenate([*values, at.jacobian(point)[:, columns].ravel()])

    behind = Behind(row, lambda: program, at.m, values=keep)
    shapes: list[Shape] = [() if scalar else (at.m,)] * keep
    shapes.append((k,) if derivative.endswith("gradient") else (at.m, k))
    return CompilePlan(with_existence(program, at.m, keep, graph), shapes, behind, (at.n,))


@paused()
def _jvp(at: Evaluator, columns: list[int], scalar: bool) -> CompilePlan:
    wide = _widened(at.graph, [at.graph.inputs[j] + "_dot" for j in columns])
    raw = _pushed(wide, at.n, columns)

    def row(point: FloatArray) -> FloatArray:
        return at.jvp(point[: at.n], _spread(point[at.n :], columns, at.n))

    graph = guarded(raw, [(entry, (i,)) for i, entry in enumerate(raw.outputs[at.m :])], turning(wide))
    shape: Shape = () if scalar else (at.m,)
    return CompilePlan(graph, [shape], Behind(row, lambda: raw, at.m), (at.n, len(columns)))


@paused()
def _vjp(at: Evaluator, columns: list[int], scalar: bool) -> CompilePlan:
    wide = _widened(at.graph, [f"output{i}_bar" for i in range(at.m)])
    builder = Builder.on(wide)
    numbers = Nodes(builder, programs.guards(wide, builder))
    found = adjoints(wide, range(len(wide)), range(at.n, at.n + at.m), numbers)
    raw = builder.finish([*wide.outputs, *(found[j] for j in columns)])

    def row(point: FloatArray) -> FloatArray:
        return at.vjp(point[: at.n], point[at.n :])[columns]

    graph = guarded(raw, [(entry, range(at.m)) for entry in raw.outputs[at.m :]], turning(wide))
    return CompilePlan(graph, [(len(columns),)], Behind(row, lambda: raw, at.m, together=True), (at.n, at.m))


# --- second derivatives -----------------------------------------------------------------------------------------------


@paused()
def _hessian(at: Evaluator, columns: list[int], scalar: bool) -> CompilePlan:
    m, k = at.m, len(columns)
    raw = _twice(at.graph, columns) if k == 1 or at.graph.compound else _bent(at.graph, columns)
    singles = _singles(at)

    def row(point: FloatArray) -> FloatArray:
        return np.concatenate([one.second(point, np.eye(at.n)[:, columns])[columns].ravel() for one in singles])

    first = Graph(raw.inputs, raw.nodes, raw.outputs[: m + m * k])
    needed = [(o, *range(m + o * k, m + o * k + k)) for o in range(m)]  # an entry and its mirror image have one condition
    entries = [(entry, needed[e // k**2]) for e, entry in enumerate(raw.outputs[m + m * k :])]
    graph = guarded(raw, entries, turning(first), keep=False)
    alone = _values_and_entries(raw, m, m * k)
    return CompilePlan(graph, [(k, k) if scalar else (m, k, k)], Behind(row, lambda: alone, m), (at.n,))


def _bent(graph: Graph, columns: Sequence[int]) -> Graph:
    """The values, all first and all second derivatives, by edge pushing."""
    builder = Builder.on(graph)
    numbers = Nodes(builder, programs.guards(graph, builder))
    swept = {output: second_order(graph, output, numbers) for output in dict.fromkeys(graph.outputs)}
    slopes, bends, zero = [], [], numbers.zero
    for output in graph.outputs:
        first, second = swept[output]
        slopes += [first.get(i, zero) for i in columns]
        bends += [second[i].get(j, zero) if i in second else zero for i in columns for j in columns]
    return builder.finish([*graph.outputs, *slopes, *bends])


def _twice(graph: Graph, columns: Sequence[int]) -> Graph:
    """The same, by a sweep through the program of a sweep: less for one variable, and the way through loops and solvers."""
    m, k = len(graph.outputs), len(columns)
    first = programs.derivative(graph, "auto", True, columns)
    twice = programs.derivative(first, "auto", True, columns)
    return Graph(twice.inputs, twice.nodes, (*twice.outputs[: m + m * k], *twice.outputs[m + m * k + m * k :]))


@paused()
def _hvp(at: Evaluator, columns: list[int], scalar: bool) -> CompilePlan:
    m, k = at.m, len(columns)
    first = programs.derivative(at.graph, "auto", True, columns)
    wide = _widened(first, [at.graph.inputs[j] + "_dot" for j in columns])
    pushed = _pushed(wide, at.n, columns)
    raw = Graph(pushed.inputs, pushed.nodes, (*pushed.outputs[: m + m * k], *pushed.outputs[m + m * k + m :]))
    singles = _singles(at)

    def row(point: FloatArray) -> FloatArray:
        direction = _spread(point[at.n :], columns, at.n).reshape(at.n, 1)
        return np.concatenate([one.second(point[: at.n], direction)[columns, 0] for one in singles])

    entries = [(entry, (e // k, m + e)) for e, entry in enumerate(raw.outputs[m + m * k :])]
    graph = guarded(raw, entries, turning(wide))
    alone = _values_and_entries(raw, m, m * k)
    return CompilePlan(graph, [(k,) if scalar else (m, k)], Behind(row, lambda: alone, m), (at.n, k))


def _values_and_entries(raw: Graph, m: int, between: int) -> Graph:
    return Graph(raw.inputs, raw.nodes, (*raw.outputs[:m], *raw.outputs[m + between :]))


def _singles(at: Evaluator) -> list[Evaluator]:
    """An evaluator for each output."""
    if at.m == 1:
        return [at]
    found = []
    for k in range(at.m):
        builder = Builder(at.graph.inputs)
        found.append(Evaluator(builder.finish([rules.splice(builder, at.graph, range(at.n))[k]])))
    return found


# --- what they share --------------------------------------------------------------------------------------------------


def _widened(graph: Graph, wanted: Sequence[str]) -> Graph:
    """The graph with further inputs, for a vector."""
    names = programs.fresh(graph.inputs, wanted)
    return rules.splice_all(Builder([*graph.inputs, *names]), graph)


def _pushed(wide: Graph, n: int, columns: Sequence[int]) -> Graph:
    """The values, then their tangents when the inputs `columns` move by the inputs from n on."""
    builder = Builder.on(wide)
    numbers = Nodes(builder, programs.guards(wide, builder))
    seeds = {j: n + place for place, j in enumerate(columns)}
    return builder.finish([*wide.outputs, *tangents(wide, range(len(wide)), seeds, numbers)])


def _spread(vector: FloatArray, columns: Sequence[int], n: int) -> FloatArray:
    direction = np.zeros(n)
    direction[list(columns)] = vector
    return direction
