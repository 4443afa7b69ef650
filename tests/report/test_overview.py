"""An overview holds what the comparisons hold, a line each."""

from __future__ import annotations

import pytest

import adlab
from adlab.errors import OptionError


@pytest.fixture(scope="module")
def compared():
    methods = ["reverse", "forward", "complex-step", "central-difference"]
    return {
        "kink": adlab.compare("Abs(x) + y", [0.0, 1.0], methods, timed=False),
        "plain": adlab.compare(["x*sin(x*y)**2", "x/y", "exp(x*y)"], [1.0, 2.0], methods, timed=False),
    }


def test_each_line_has_its_comparisons_numbers(compared) -> None:
    found = adlab.overview(compared)
    kink, plain = found.lines
    assert (kink.name, plain.name, plain.inputs, plain.outputs) == ("kink", "plain", 2, 3)
    assert found.methods == ("reverse", "central-difference")
    assert kink.digits == {"reverse": None, "central-difference": None}  # there is no derivative by x
    source = compared["plain"]
    assert plain.digits["central-difference"] == min(r.digits for r in source.accuracy if r.method == "central-difference")
    assert plain.condition == source.conditioning.f.max()
    assert plain.partials_condition == source.conditioning.partials[source.conditioning.partials < float("inf")].max()
    assert plain.reverse_cost == source.cost.row("reverse").ratio
    written = source.swell.row("symbolic derivative")
    assert written.tree_operations != written.cse_operations
    assert (plain.tree, plain.cse) == (written.tree_operations, written.cse_operations)
    assert plain.forward_cost == source.cost.row("forward").ratio != plain.reverse_cost
    assert plain.program == source.swell.row("reverse program").graph_operations
    table, _ = found.sections()
    assert {len(line) for line in table.rows} == {len(table.head)}
    assert table.rows[0][4] == "–"


def test_names_and_methods_are_chosen_or_refused(compared) -> None:
    assert [line.name for line in adlab.overview(compared.values()).lines] == ["Abs(x) + y", compared["plain"].function.title]
    assert adlab.overview(compared, ["complex-step"]).methods == ("complex-step",)
    with pytest.raises(OptionError, match=r"'richardson'; they hold reverse"):
        adlab.overview(compared, ["richardson"])
    assert adlab.overview(compared["plain"], "complex-step").methods == ("complex-step",)
    with pytest.raises(OptionError, match="no comparison"):
        adlab.overview([])
    for wrong in (["x**2"], "x**2", {"square": 1}, 3):
        with pytest.raises(OptionError, match="takes comparisons"):
            adlab.overview(wrong)
