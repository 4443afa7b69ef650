"""Graphs in other tools' languages: every node and edge once, shapes apart, any name harmless."""

from __future__ import annotations

import re

import pytest
import sympy

from adlab import gallery
from adlab.draw.export import to_dot, to_mermaid
from adlab.graph.graph import Builder
from adlab.graph.lowering import lower

X, Y = sympy.symbols("x y", real=True)


@pytest.mark.parametrize("write", [to_dot, to_mermaid])
@pytest.mark.parametrize("name", ["worked_example", "speelpenning", "switched", "bundle_adjustment"])
def test_every_node_and_every_operand_is_written(write, name: str) -> None:
    graph = getattr(gallery, name)().graph
    lines = write(graph).splitlines()
    edges = [tuple(map(int, found)) for found in re.findall(r"n(\d+) --?> n(\d+)", "\n".join(lines))]
    assert edges == [(operand, i) for i in graph.operations for operand in graph.nodes[i].operands]
    declared = [int(found[1]) for line in lines if (found := re.match(r"  n(\d+)[ (\[]+(?:label=)?\"", line))]
    assert declared == list(range(len(graph)))


def test_an_operand_used_twice_has_two_edges() -> None:
    graph = lower([sympy.Mul(X, X, evaluate=False)], [X])
    assert to_dot(graph).count("n0 -> n1;") == 2
    assert to_mermaid(graph).count("n0 --> n1") == 2


def test_inputs_constants_operations_and_outputs_have_shapes_of_their_own() -> None:
    graph = lower([sympy.sin(X + 2)], [X])  # x, 2, x + 2, sin
    dot = to_dot(graph).splitlines()[2:6]
    assert ["ellipse" in line for line in dot] == [True, False, False, False]
    assert ["dashed" in line for line in dot] == [False, True, False, False]
    assert ["peripheries=2" in line for line in dot] == [False, False, False, True]
    mermaid = to_mermaid(graph).splitlines()
    assert [re.sub(r'\s*n\d|".*?"', "", line) for line in mermaid[1:5]] == ["([])", "[]:::constant", "()", "[[]]"]


ODD_NAMES = ['"', '"]; n9 [label="', "\\", "a\\N", "x\ny", "#quot;", "<b>", "`a`", "**a**", "&lt;", "]]"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_no_name_ends_its_text_or_is_taken_for_markup(name: str) -> None:
    symbol = sympy.Symbol(name, real=True)
    graph = lower([sympy.sin(symbol)], [symbol])
    (label,) = re.findall(r'^  n0 \[label="((?:[^"\\\n]|\\.)*)", shape=ellipse\];$', to_dot(graph), re.M)
    assert re.sub(r"\\(.)", r"\1", label) == name.replace("\n", " ")
    (text,) = re.findall(r'^  n0\(\["([^"]*)"\]\)$', to_mermaid(graph), re.M)
    assert not re.search(r"[<>`*\[\]\\&]", text)
    assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text) == name.replace("\n", " ")


def test_a_large_graph_is_written_at_once() -> None:
    builder = Builder(["x"])
    last = 0
    for _ in range(20_000):
        last = builder.call("sin", last)
    graph = builder.finish([last])
    assert len(to_dot(graph).splitlines()) == 40_004
    assert len(to_mermaid(graph).splitlines()) == 40_002


def test_graphviz_reads_it() -> None:
    pygraphviz = pytest.importorskip("pygraphviz")
    for name in ('a"b', "a\\N", "<b>"):
        symbol = sympy.Symbol(name, real=True)
        read = pygraphviz.AGraph(string=to_dot(lower([sympy.sin(symbol)], [symbol])))
        assert len(read.nodes()) == 2
