"""What the sweeps apply: the pullback is the adjoint times the partials, and its writer writes just that."""

from __future__ import annotations

import math

import pytest
from table import CASES, Case, points

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.writers import writer
from adlab.graph import rules
from adlab.graph.graph import Builder, Graph


def results(graph: Graph, inputs: list[float]) -> list[float]:
    values = evaluate(graph, inputs, FLOATS)
    return [values[output] for output in graph.outputs]


def inside(case: Case) -> list[float]:
    """Operands and result at a point of the domain."""
    operands = [0.4, 0.6, 0.7, 0.3, 0.2][: case.arity]
    operands = list(next(iter(points(case, 1)), operands))
    return [*operands, FLOATS.apply(case.primitive, case.parameter, operands)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_pullback_is_the_adjoint_times_the_partials(case: Case) -> None:
    at = inside(case)
    partials = results(rules.partials(case.primitive, case.parameter), at)
    for bar in (1.0, -2.5, 0.3):
        found = results(rules.pullback(case.primitive, case.parameter), [*at, bar])
        assert found == pytest.approx([bar * partial for partial in partials], rel=1e-15, abs=0, nan_ok=True)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_writer_writes_the_pullback(case: Case) -> None:
    rule, arity = rules.pullback(case.primitive, case.parameter), case.arity
    for wanted in {(True,) * arity, *(tuple(i == k for i in range(arity)) for k in range(arity))}:
        builder = Builder(rule.inputs, simplify=True)
        found = writer(case.primitive, case.parameter, wanted)(builder, *range(len(rule.inputs)))
        kept = [k for k in range(arity) if found[k] is not None]
        assert all(wanted[k] for k in kept)
        written = builder.finish([found[k] for k in kept]).check()
        at = [*inside(case), 0.75]
        expected = results(rule, at)
        assert results(written, at) == pytest.approx([expected[k] for k in kept], rel=0, abs=0, nan_ok=True)
        assert all(expected[k] == 0 or math.isnan(expected[k]) for k in range(arity) if wanted[k] and k not in kept)
