"""Every verb takes a Python function with a point, and says of it what it says of the formula."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import adlab
from adlab.cli.main import main


def energy(x: Any) -> Any:
    return x[0] ** 2 * np.exp(x[1]) if x[0] > 0 else x[1]


def of_two(a: float, b: float) -> float:
    return math.sin(a) * b + a


def of_one(x: float) -> float:
    return x * x / (1 + x)


def product(x: Any) -> Any:
    out = np.zeros(3)
    out[:] = x
    out[1] *= out[0]
    return out.prod()


@dataclasses.dataclass
class Spring:
    stiffness: float = 3.0

    def __call__(self, x: Any) -> Any:
        return sum(self.stiffness * d**2 / 2 for d in self._stretches(x))

    def _stretches(self, x: Any) -> Iterator[Any]:
        yield from (x[i + 1] - x[i] for i in range(len(x) - 1))


CODE: list[tuple[Callable[..., Any], Any, str]] = [
    (energy, [1.5, 0.25], "x0**2*exp(x1)"),
    (of_two, (0.5, 2.0), "sin(a)*b + a"),
    (of_one, 0.75, "x*x/(1 + x)"),
    (product, [0.5, 2.0, 3.0], "x0*(x1*x0)*x2"),
    (Spring(), [0.0, 1.0, 2.5], "3*(x1 - x0)**2/2 + 3*(x2 - x1)**2/2"),
]
BOTH = pytest.mark.parametrize(("code", "at", "text"), CODE, ids=[text for *_, text in CODE])


def formula(text: str, at: Any) -> tuple[adlab.Function, list[float]]:
    return adlab.Function(text), np.ravel(np.asarray(at, dtype=float)).tolist()


@BOTH
def test_values_and_derivatives(code: Any, at: Any, text: str) -> None:
    f, point = formula(text, at)
    assert adlab.gradient(code, at) == pytest.approx(f.gradient(point), rel=1e-14)
    assert adlab.jacobian(code, at) == pytest.approx(f.jacobian(point), rel=1e-14)
    assert adlab.hessian(code, at) == pytest.approx(f.hessian(point), rel=1e-13, abs=1e-13)
    slopes = [float(part) for part in adlab.truth(code, at, digits=15).gradient]
    assert slopes == pytest.approx(f.gradient(point), rel=1e-14)
    traced = adlab.Function(code, example=at)
    assert traced.compile(derivative="gradient")(point) == pytest.approx(f.gradient(point), rel=1e-14)


@BOTH
def test_derivatives_as_formulas(code: Any, at: Any, text: str) -> None:
    f, point = formula(text, at)
    found = adlab.derive(code, x=at)
    assert found.by == tuple(f.names) == adlab.derive(f).by
    assert found.program(point) == pytest.approx(f.jacobian(point).ravel() if f.n > 1 else f.gradient(point)[0], rel=1e-14)
    first = adlab.derive(code, f.names[0], at=at)
    assert first.by == tuple(f.names[:1])
    assert adlab.Function(first.expr, f.names)(point) == pytest.approx(f.gradient(point)[0], rel=1e-14)


@BOTH
def test_reports_that_judge_and_count(code: Any, at: Any, text: str) -> None:
    _, point = formula(text, at)
    compared = adlab.compare(code, at, methods=["reverse", "central-difference"])
    assert {row.method for row in compared.accuracy} == {"reverse", "central-difference"}
    assert min(row.digits for row in compared.accuracy if row.method == "reverse") > 15
    counted = adlab.cost(code, at, methods=["reverse"], timed=False)
    operations = counted.rows[0].operations
    assert operations == len(adlab.from_python(code, at).at(point).graph.operations)
    assert adlab.swell(code, at).row("f").graph_operations == operations
    assert adlab.swell(code, at=at).row("reverse program").graph_operations > 0
    assert adlab.rounding(code, at).rows
    assert set(adlab.steps(code, at, schemes=["central-difference"]).slopes) == {"central-difference"}


@BOTH
def test_someones_own_gradient_is_judged(code: Any, at: Any, text: str) -> None:
    f, point = formula(text, at)

    def right(*given: Any) -> Any:
        return f.gradient(np.ravel(np.asarray(given, dtype=float)))

    def wrong(*given: Any) -> Any:
        return right(*given) * 1.001

    assert adlab.check(code, right, at=[point]).passed
    assert not adlab.check(code, wrong, at=[point]).passed


@pytest.mark.parametrize("verb", [adlab.swell, adlab.derive, adlab.compare, adlab.cost, adlab.steps, adlab.truth])
def test_without_a_point_code_is_refused_and_a_formula_is_not(verb: Any) -> None:
    with pytest.raises(adlab.PointError, match="give x"):
        verb(energy)


def test_intervals_over_a_box_hold_the_values() -> None:
    pytest.importorskip("flint")
    found = adlab.enclose(energy, [(1.0, 2.0), (0.0, 0.5)])
    low, high = found.partial("x0")
    assert low <= 2
    assert high >= 4 * math.exp(0.5)
    assert adlab.enclose(of_two, {"a": (0.0, 0.1), "b": 1.0}).partial("b")[0] <= 0


SAID = {"compare": "reverse", "steps": "central", "truth": "x0", "swell": "energy", "cost": "reverse", "derive": "x2",
        "graph": "v1", "trace": "v1", "rounding": "value"}  # fmt: skip


@pytest.mark.parametrize(("verb", "said"), SAID.items())
def test_the_command_line_takes_code(verb: str, said: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    (tmp_path / f"code_for_{verb}.py").write_text(
        "import math\n\ndef energy(x):\n    y = x[0] * x[1]\n    return y * math.sin(x[2]) if y > 0 else y\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    assert main([verb, f"{tmp_path / f'code_for_{verb}.py'}:energy", "--at", "1,2,3"]) == 0
    assert said in capsys.readouterr().out
