"""The first screen: it fits a terminal, its formulas are the derivative, and every method has its line."""

from __future__ import annotations

import re

import pytest
import sympy

import adlab
from adlab.display.terminal import has_colour

SOME = ["reverse", "forward", "symbolic", "central-difference", "complex-step"]
POINTED = [
    ("x*sin(y)", [1.0, 2.0]), ("exp(x)", 0.3), ("1/(1 + exp(-x))", -3.0), ("sqrt(x**2 + y**2)", [3.0, 4.0]),
    ("a*exp(-(x - b)**2/(2*c**2))", [1.0, 0.5, 2.0, 0.7]), ("Abs(x)*y", [-2.0, 3.0]),
    (["x*y", "x + y", "sin(x*y)"], [1.0, 2.0]),
]  # fmt: skip


def fits(text: str, width: int = 80) -> bool:
    lines = text.splitlines()
    return len(lines) < 24 and max(map(len, lines)) <= width


@pytest.mark.parametrize(("text", "x"), POINTED, ids=lambda value: str(value))
def test_it_fits_and_its_formulas_are_the_derivative(text, x) -> None:
    found = adlab.compare(text, x, methods=SOME, timed=False)
    assert fits(str(found)), str(found)
    assert fits(found.text(80)), found.text(80)
    f = found.function
    at = dict(zip(f.variables, found.point.tolist(), strict=True))
    values = [float(formula.subs(at)) for formula in found.partials()]
    assert values == pytest.approx([float(part.value) for part in found.truth.components], rel=1e-12)


QUICK = [row for row in adlab.gallery.listing() if row.n * row.m * row.operations < 500 and not row.name.startswith('chain')]


@pytest.mark.parametrize("row", QUICK, ids=lambda row: row.name)
def test_every_gallery_function_fits(row) -> None:
    f = adlab.gallery.named(row.name)
    found = adlab.compare(f, methods=["reverse", "central-difference"], timed=False)
    assert fits(found.text(80)), found.text(80)


def test_all_methods_at_once_fit_with_their_times() -> None:
    found = adlab.compare(adlab.gallery.worked_example())
    assert fits(found.text(80)), found.text(80)
    assert all(re.search(rf"^{name} .*\d f$", str(found), re.M) for name in ("reverse", "richardson", "complex-step"))


def test_many_partials_show_the_worst_and_the_median() -> None:
    found = adlab.compare(adlab.gallery.rosenbrock(7), methods=["reverse", "forward-difference"], timed=False)
    assert "median" in str(found)
    assert str(found.full).count("forward-difference  ") == 2  # its line of accuracy, and of cost
    assert len(found.to_dict()["accuracy"]) == 14


def test_a_large_jacobian_is_a_page() -> None:
    x = sympy.symbols("x0:12", real=True)
    f = adlab.Function([sympy.sin(a * b) for a in x for b in x[:4]], x)
    found = adlab.compare(f, [0.1 * i + 0.1 for i in range(12)], methods=["reverse", "forward"], timed=False)
    assert fits(found.text(80))
    assert len(found.full.text(80).splitlines()) < 120


def test_colour_only_where_asked_and_never_in_the_way(monkeypatch) -> None:
    found = adlab.compare("x**2", 3.0, methods=["reverse", "forward-difference"], timed=False)
    plain, painted = found.text(80), found.text(80, colour=True)
    assert "\x1b[" not in plain
    assert re.sub(r"\x1b\[[\d;]+m", "", painted) == plain
    assert "\x1b[38;5;28m16\x1b[0m" in painted
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert has_colour()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colour()


def test_many_variables_and_all_methods_still_fit() -> None:
    """Five partials beside fourteen methods: their formulas have no room, and their size stands there instead."""
    found = adlab.compare("a*exp(-(x - b)**2/(2*c**2))*d", [1.0, 0.5, 2.0, 3.0, 0.7])
    assert fits(found.text(80)), found.text(80)
    assert "adlab derive shows it" in found.text(80)


def test_no_number_of_the_value_is_cut() -> None:
    found = adlab.compare(["x/3", "y/7", "x*y/11", "x/y"], [1.0, 2.0], methods=["reverse"], timed=False)
    (line,) = [line for line in found.text(60).splitlines() if line.startswith("f = ")]
    assert len(line) <= 60
    assert [float(part) for part in line.removeprefix("f = (").rstrip(")").split(", ")] == pytest.approx(
        [1 / 3, 2 / 7, 2 / 11, 0.5], rel=1e-9
    )
