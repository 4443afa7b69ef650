"""Command lines in any order that a person may choose."""

from __future__ import annotations

import itertools

import pytest

from adlab.cli.arguments import rearranged
from adlab.cli.main import COMMANDS, OPTIONS, TAKES
from adlab.errors import OptionError
from adlab.methods import METHODS

FORMULAS = [
    "x*y", "-x*y", "--x", "-(x + y)", "--(x)", "-x", "-1e-3*x", "x-y", "reverse-x", "@worked-example", "x==y", "-", "+x",
    "f(x, y)", "λ*x", "x = y",
]  # fmt: skip


def arranged(*argv: str) -> list[str]:
    return rearranged(list(argv), TAKES, lambda: {*METHODS, "all"})


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_formula_stands_anywhere(formula: str) -> None:
    groups = [[formula], ["--at", "x=1", "y=-2"], ["--json"], ["--methods", "reverse", "central-difference"]]
    expected = {"--at=x=1", "--at=y=-2", "--json", "--methods=reverse,central-difference", f"--formula={formula}"}
    for order in itertools.permutations(groups):
        if formula == "x = y" and order.index([formula]) == order.index(groups[1]) + 1:
            continue  # behind --at this is an assignment
        found = arranged("compare", *itertools.chain(*order))
        assert found[0] == "compare"
        assert set(found[1:]) == expected
        assert len(found) == 6


@pytest.mark.parametrize("value", ["pi/3", "-2", "-pi", "1e-3", "(1)", "atan2(1, 2)", " 3 "])
def test_values_of_a_point_are_taken_as_they_are(value: str) -> None:
    assert arranged("trace", "x", "--at", f"x={value}") == ["trace", f"--at=x={value}", "--formula=x"]
    assert arranged("trace", "x", f"--at=x={value}") == ["trace", f"--at=x={value}", "--formula=x"]


def test_every_name_of_a_method_may_follow_methods() -> None:
    for name in (*METHODS, "all"):
        _, methods, formula = arranged("compare", "--methods", "reverse", name, "x-y")
        assert (methods, formula) == (f"--methods=reverse,{name}", "--formula=x-y")


def test_what_looks_like_a_method_and_is_none_is_the_formula() -> None:
    assert arranged("compare", "--methods", "reverse", "x-y")[-1] == "--formula=x-y"


def test_names_of_methods_are_looked_up_only_where_they_matter() -> None:
    """Or `adlab graph x` would import all methods before it has read its arguments."""
    def never() -> set[str]:
        raise AssertionError

    assert rearranged(["graph", "x", "--format", "dot"], TAKES, never)
    assert rearranged(["compare", "x", "--methods", "reverse"], TAKES, never)


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["--version"], [], ["gallery"], ["figures", "out", "--only", "x"]], ids=str)
def test_what_argparse_can_read_is_left_alone(argv: list[str]) -> None:
    assert arranged(*argv) == argv


@pytest.mark.parametrize("argv", [["x*y", "--at", "1", "2"], ["-x*y"], ["@worked"]], ids=str)
def test_what_is_a_formula_without_doubt_is_compared(argv: list[str]) -> None:
    assert arranged(*argv) == arranged("compare", *argv)


def test_a_double_dash_is_nothing() -> None:
    assert arranged("trace", "--at", "x=1", "--", "-x") == ["trace", "--at=x=1", "--formula=-x"]


@pytest.mark.parametrize(("argv", "said"), [
    (["comapre", "x"], "did you mean compare?"),
    (["x"], 'for a formula: adlab compare "x"'),
    (["-x"], 'adlab compare "-x"'),
    (["--jsn"], "no option --jsn"),
    (["trace", "x", "--jsn"], "did you mean --json?"),
    (["trace", "x", "--zzz"], "no option --zzz; see adlab trace --help"),
    (["trace", "x", "--methods", "reverse"], "`adlab trace` takes no --methods; it takes --at"),
    (["swell", "x", "--variable", "x"], "`adlab swell` takes no --variable"),
    (["graph", "x", "--markdown"], "`adlab graph` takes no --markdown"),
    (["trace", "x", "--at"], "--at needs NAME=VALUE"),
    (["trace", "x", "--at", "one"], "or numbers in the variables' order; 'one' is neither"),
    (["trace", "x", "--at", "x==1"], "--at needs NAME=VALUE"),
    (["trace", "x", "--plot"], "--plot needs a value"),
    (["trace", "x", "y"], "two formulas, 'x' and 'y'"),
])  # fmt: skip
def test_a_slip_is_met_with_what_was_meant(argv: list[str], said: str) -> None:
    with pytest.raises(OptionError) as caught:
        arranged(*argv)
    assert said in str(caught.value)


def test_check_takes_the_gradient_before_the_formula() -> None:
    assert arranged("check", "my:grad", "x*y") == ["check", "--gradient=my:grad", "--formula=x*y"]
    with pytest.raises(OptionError, match="two formulas"):
        arranged("check", "my:grad", "x*y", "x")


def test_every_option_is_described_and_taken_by_some_command() -> None:
    taken = set(itertools.chain(*TAKES.values())) - {"--formula"}
    assert {option.split()[-1] for option in OPTIONS} == taken
    assert all(option["help"] for option in OPTIONS.values())
    assert all("--quiet" in command.options for command in COMMANDS.values())
