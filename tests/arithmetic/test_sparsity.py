"""Patterns of Jacobians: never a missing entry, and none where a partial is 0 everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from random_graphs import random_graph

import adlab
from adlab.arithmetic import catalogue
from adlab.arithmetic.nodes import Nodes
from adlab.arithmetic.numbers import Numbers
from adlab.arithmetic.sparsity import pattern
from adlab.autodiff.programs import derivative


@pytest.mark.parametrize("seed", range(40))
def test_no_entry_that_the_derivative_program_has_is_missing(seed: int) -> None:
    graph = random_graph(seed, m=3, steps=15)
    program, n = derivative(graph), len(graph.inputs)
    written = [{i for i in range(n) if not _zero(program, row * n + i)} for row in range(len(graph.outputs))]
    for found, expected in zip(pattern(graph), written, strict=True):
        assert expected <= set(found)


def _zero(program, k: int) -> bool:
    node = program.nodes[program.outputs[k]]
    return not node.operands and node.parameter == 0


@pytest.mark.parametrize(("texts", "expected"), [
    (["x*y", "y + z", "3"], [[0, 1], [1, 2], []]),
    (["Piecewise((x, y > 0), (z, True))"], [[0, 2]]),
    (["floor(x) + y*z", "sign(z)*y"], [[1, 2], [1]]),
    (["Max(x, y)", "norm(x, z)"], [[0, 1], [0, 2]]),
])  # fmt: skip
def test_patterns_are_exact(texts: list[str], expected: list[list[int]]) -> None:
    f = adlab.Function([adlab.parse(text) for text in texts], ["x", "y", "z"])
    assert pattern(f.graph) == expected


def test_a_band_is_a_band() -> None:
    names = [f"x{i}" for i in range(50)]
    f = adlab.Function([adlab.parse(f"x{i}*x{i + 1} - sin(x{i + 1})") for i in range(49)], names)
    assert pattern(f.graph) == [[i, i + 1] for i in range(49)]
    jacobian = f.jacobian(np.linspace(0.1, 1.2, 50))
    assert {(i, j) for i, row in enumerate(pattern(f.graph)) for j in row} >= set(zip(*np.nonzero(jacobian), strict=True))


def test_the_list_of_arithmetics_has_them_all() -> None:
    listed = {row.kind for row in catalogue.ARITHMETICS}

    def below(kind: type) -> set[type]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    here = {kind for kind in below(Numbers) - {Numbers} if kind.__module__.startswith("adlab.arithmetic")}
    public = {kind for kind in here if not kind.__name__.startswith("_")}
    assert listed == public | {Nodes}
    assert len({row.name for row in catalogue.ARITHMETICS}) == len(catalogue.ARITHMETICS)
