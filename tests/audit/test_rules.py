"""The audit of rules: errors measured as they are, losers named, adlab's own rules within their promise."""

from __future__ import annotations

import itertools
import math
import platform
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shares import but_slow

import adlab
import adlab.audit.rules as audit
from adlab.audit.kinds import kind_of
from adlab.audit.points import SPECIAL, grid
from adlab.audit.rules import STRIDE, Rule, Rules, rules
from adlab.audit.subjects import subjects
from adlab.audit.systems import derivatives
from adlab.audit.tracker import _why, issue_text
from adlab.primitives.table import PRIMITIVES

ULPS = 8.0
"""What adlab promises of each local partial, over its whole domain."""


SLOW = {"zeta_moving", "bessely_moving", "besselk_moving", "polylog_moving"}
"""By their order, or at every argument: minutes, most of them for the truth."""
NAMED: dict[int, set[str]] = {1: set(), 2: {"sharing"}}
"""Operations known to do worse: the derivative of `sharing` (the third one of logaddexp) near its own zero."""
REFUSING = {"uppergamma_moving", "lowergamma_moving", "expint_moving", "polylog"}
"""They are computed for some orders, or some arguments, only. Elsewhere adlab refuses."""
LINEAR = {"add", "sub", "mul", "neg", "abs", "mod", "min", "max"}
"""Their second derivative is 0 wherever it exists, and there is nothing to test."""
OPERATIONS = [subject.name for subject in subjects() if subject.name.partition(",")[0].split(" ")[0] in PRIMITIVES]
QUICK = ["tanh", "hypot, operand 1"]
PEERS = ["torch", "jax", "casadi", "autograd", "symengine"]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", but_slow(OPERATIONS, [name for name in OPERATIONS if name not in QUICK]))
def test_adlabs_own_rules_keep_their_digits_over_the_whole_range(name: str, order: int) -> None:
    operation = name.partition(",")[0].split(" ")[0]
    if operation in SLOW | NAMED[order]:
        pytest.skip("named above")
    if order == 2 and (operation in LINEAR or name in ("div, operand 1", "xlogy, operand 1", "ellipticgap, operand 2")):
        with pytest.raises(adlab.AdlabError, match="has a derivative"):
            rules([name], "adlab", order=order)
        return
    [rule] = rules([name], "adlab", order=order).found
    lossy = [(x, ulps) for x, ulps in zip(rule.points, rule.ulps, strict=True) if ulps > ULPS]
    assert len({x for x, _ in lossy} & set(grid().tolist())) <= len(rule.ulps) / 10
    for x, ulps in lossy:  # only beside a zero of the derivative, where one ulp of the argument changes as much
        low, here, high = derivatives(subjects([name])[0], "adlab", x * np.array([1 - 1e-4, 1, 1 + 1e-4]), order)
        assert ulps <= ULPS + abs((high - low) / 2e-4 / here), (x, ulps)
    assert not rule.unanswered or operation in REFUSING


def test_a_subject_is_the_operation_itself_and_not_what_its_formula_is_lowered_to() -> None:
    for subject in subjects(OPERATIONS):
        graph = subject.function.graph
        [k] = graph.operations
        assert graph.nodes[k].primitive.name == subject.name.partition(",")[0].split(" ")[0]


def test_one_minus_tanh_squared_loses_its_digits_and_is_named() -> None:
    [rule] = rules("tanh", "symbolic").found
    assert rule.lost > 0.1
    assert "tanh" in rule.issue()
    assert abs(rule.points[rule.worst]) > 15
    by_hand = [x for x, d in zip(rule.points, rule.digits, strict=True) if not d >= rule.half]
    assert all(1 - math.tanh(x) ** 2 == pytest.approx(0, abs=1e-7) for x in by_hand)


def test_what_is_planted_is_measured() -> None:
    rule = Rule("tanh", 1, "torch", (1.0, 2.0, 3.0, 4.0), (1.0, -2.0, math.nan, 0.0), ("1.0", "2.0", "3.0", "4.0"),
                (0.0, 1e16, math.nan, 1e15), (16.0, 0.0, math.nan, 0.0))  # fmt: skip
    assert (rule.lost, rule.unanswered, rule.wrong_sign, rule.points[rule.worst]) == (0.75, 1, 1, 3.0)
    assert "got: -2.0" in issue_text(rule, "torch 2", "", "print()")  # the ordinary point nearest to 1 without a correct digit


def test_second_derivatives_are_audited_as_first_ones_are() -> None:
    found = rules("log1p", "adlab,symbolic", order=2)
    assert {rule.order for rule in found.found} == {2}
    assert all(rule.lost == 0 for rule in found.found if rule.system == "adlab")
    assert "log1p" in str(found)
    drawn = found.plot()
    lines = {line.get_label(): line for line in drawn.lines}
    assert drawn.get_title().startswith("log1p′′")
    assert list(lines) == ["half of the digits", "symbolic", "adlab"]
    only = Rules(tuple(rule for rule in found.found if rule.system == "symbolic"), ("symbolic",))
    alone = {line.get_label(): line for line in only.plot().lines}
    assert alone["symbolic"].get_color() == lines["symbolic"].get_color() != lines["adlab"].get_color()
    assert len(found.to_csv().splitlines()) == 1 + len(found.found)


@pytest.mark.slow
def test_a_long_report_counts_the_derivatives_of_each_system() -> None:
    names = ["tanh", "exp", "sin", "cos", "log1p", "expm1", "sqrt"]
    found = rules(names, "adlab,symbolic")
    [counts] = [part for part in found.sections() if getattr(part, "title", "") == "how many derivatives"]
    lost = sum(rule.lost > 0 for rule in found.found if rule.system == "symbolic")
    assert counts.rows[0] == ["adlab", "float64", "′", "7", "0", "7", "0", "0", "0"]
    assert counts.rows[1][3:5] == ["7", "0"]
    assert int(counts.rows[1][6]) == lost >= 1


def test_every_operation_of_the_table_that_a_formula_names_is_a_subject() -> None:
    names = {subject.name.partition(",")[0].split(" ")[0] for subject in subjects()}
    unnamed = {name for name, p in PRIMITIVES.items() if p.arity and not (p.truth_valued or p.piecewise_constant)}
    assert unnamed - names <= {"sphericali", "select"}  # which stands only inside the rules of others


@pytest.mark.parametrize(("name", "peer", "why"), [
    ("zorp", (), "no rule"), ("hypot", (), "near it are hypot, operand 1; hypot, operand 2$"), ("tanh", "fortran", "no system"),
])  # fmt: skip
def test_unknown_names_are_refused(name: str, peer: str, why: str) -> None:
    with pytest.raises(adlab.AdlabError, match=why):
        rules(name, peer)


@pytest.mark.parametrize(("option", "why"), [
    ({"dtype": ""}, "audited in float64"), ({"patience": 0.0}, "seconds"), ({"patience": math.nan}, "seconds"),
    ({"order": ()}, "first and second"),
])  # fmt: skip
def test_options_without_a_meaning_are_refused(option: dict[str, Any], why: str) -> None:
    with pytest.raises(adlab.AdlabError, match=why):
        rules("tanh", "adlab", **option)


def test_what_is_named_twice_is_audited_once() -> None:
    found = rules(["log1p", "log1p"], "adlab,adlab", order=[1, 1])
    assert len(found.found) == len(found.systems) == 1


def test_libraries_run_their_own_functions() -> None:
    pytest.importorskip("torch")
    [rule] = rules("softplus", "torch").found
    assert all(d < 12 for x, d in zip(rule.points, rule.digits, strict=True) if x == 22.0)  # beyond its threshold it answers 1


@pytest.mark.parametrize(("dtype", "bits"), [("float32", 24), ("bfloat16", 8)])
def test_points_of_a_short_kind_are_its_own_numbers(dtype: str, bits: int) -> None:
    kind = kind_of(dtype)
    points = kind.rounded(grid())
    assert len(points) > 80
    fractions, _ = np.frexp(points)
    assert np.array_equal(fractions * 2**bits, np.round(fractions * 2**bits))
    for x in (1.0, math.pi, 1e-9, -22.0):
        nearest = points[np.argmin(np.abs(points - x))]
        assert abs(nearest - x) <= abs(x) * 2.0**-bits


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_in_short_floats_adlabs_export_keeps_what_the_library_loses(dtype: str) -> None:
    pytest.importorskip("torch")
    found = {rule.system: rule for rule in rules("tanh", "adlab,torch", dtype=dtype).found}
    assert found["adlab"].lost == 0
    assert max(found["adlab"].ulps) <= ULPS
    assert found["torch"].lost > 0.1
    assert f"Python {platform.python_version()}, {dtype}" in found["torch"].issue()


def test_a_text_for_an_issue_tracker_has_all_that_one_needs_to_see_the_fault() -> None:
    [rule] = rules("tanh", "symbolic").found
    text = rule.issue()
    for part in ("formula: tanh(x)", "version: symbolic", "argument: ", "got: 0.0", "true, to 20 digits: ",
                 "why: a number on the way", "a rule that keeps them: v1 = cosh(x)"):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize("system", ["symbolic", "torch", "jax", "casadi", "autograd", "symengine"])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.filterwarnings("ignore")  # the library warns of its overflow
def test_the_script_in_a_text_prints_what_the_text_says_came(
    system: str, order: int, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sympy" if system == "symbolic" else system)
    [rule] = rules("tanh", system, order=order).found
    if not rule.lost:
        assert (system, order) == ("autograd", 1)  # the one whose rule is 1/cosh²
        return
    text = rule.issue()
    exec(text.partition("```python\n")[2].partition("```")[0], {})
    assert float(capsys.readouterr().out) == pytest.approx(rule.values[rule.ordinary], rel=1e-6)
    assert f"got: {rule.values[rule.ordinary]!r}" in text


def test_no_text_is_written_about_a_function_that_a_project_does_not_have() -> None:
    pytest.importorskip("torch")
    [rule] = rules("acot", "torch", order=2).found
    assert rule.lost
    assert not rule.call
    assert not rule.issue()
    assert "°" in str(rules("acot", "torch", order=2))


@pytest.mark.parametrize(("values", "true", "why"), [
    ((1.0, 2.0, math.nan), ("1.0", "2.0", "3.0"), "overflows"), ((1.0, 2.0, 0.0), ("1.0", "2.0", "3.0"), "exactly 0"),
    ((1.0, 5.0, 5.0), ("1.0", "5.0", "3.0"), "one number, the limit"), ((1.0, 2.0, -3.1), ("1.0", "2.0", "3.0"), "wrong sign"),
    ((1.0, 2.0, 9e9), ("1.0", "2.0", "3.0"), "larger than the derivative"),
    ((1.0, 2.0, 3.1), ("1.0", "2.0", "3.0"), "leading digits"),
])  # fmt: skip
def test_the_number_tells_why(values: tuple[float, ...], true: tuple[str, ...], why: str) -> None:
    assert why in _why(values, true, 2)


COMPOSED = [subject.name for subject in subjects() if subject.native]


@pytest.mark.parametrize("name", but_slow(COMPOSED, set(COMPOSED) - {"softmax", "layer_norm", "huber"}))
def test_what_a_library_ships_is_the_function_that_its_formula_says(name: str) -> None:
    pytest.importorskip("torch")
    [subject] = subjects([name])
    for system in subject.native:
        pytest.importorskip(system)
        found = derivatives(subject, system, np.array([0.3, 0.8]), 1)
        assert found == pytest.approx(subject.function.gradient(np.array([[0.3], [0.8]]))[:, 0], rel=1e-7)


@pytest.mark.parametrize("name", but_slow(sorted(set(SPECIAL) - {"polylog"}), set(SPECIAL) - {"gauss", "lambertw"}))
def test_every_special_point_is_one(name: str) -> None:
    """Beside it the function, or one of its first two derivatives, changes its sign, or has no value any more."""
    found = next(subject for subject in subjects() if subject.name.partition(",")[0].partition(" ")[0] == name)
    ways = [lambda f, x: f(x), lambda f, x: f.gradient(x)[0], lambda f, x: f.hessian(x)[0][0]]
    for x in SPECIAL[name]:
        beside = itertools.product((x, -x), ways)
        assert any(len({_sign(way, found.function, at * gap) for gap in (1 - 1e-6, 1 + 1e-6)}) == 2 for at, way in beside)


def _sign(way: Any, f: adlab.Function, x: float) -> float:
    try:
        return float(np.sign(way(f, x)))
    except adlab.AdlabError:
        return 2.0  # no value


def test_every_point_of_a_grid_is_asked() -> None:
    for name, kind in itertools.product(("", *SPECIAL), ("float64", "float32", "bfloat16")):
        assert math.gcd(STRIDE, len(kind_of(kind).rounded(grid(name)))) == 1


README = (Path(audit.__file__).parent / "README.md").read_text(encoding="utf-8")
FINDINGS = re.findall(r"^\| `(.*)`(′+) \| (\w+) \| (\S+) \| (\S+) \| (\S+) \| (\d+) %", README, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("finding", FINDINGS, ids=lambda row: "-".join((*row[:3], row[3][:5])))
@pytest.mark.filterwarnings("ignore")
def test_a_finding_that_the_readme_tells_is_one(finding: tuple[str, ...]) -> None:
    name, order, system, at, got, true, _ = finding
    pytest.importorskip("sympy" if system == "symbolic" else system)
    [subject] = subjects([name])
    judged = adlab.truth(subject.function, float(at), order=2) if len(order) == 2 else adlab.truth(subject.function, float(at))
    exact = judged.hessian[0][0] if len(order) == 2 else judged.gradient[0]
    assert float(exact) == pytest.approx(float(true), rel=1e-5)
    found, _ = derivatives(subject, system, np.array([float(at), 1.75]), len(order))  # at 1.75 all have a number
    for value in (found, float(got)):
        assert not abs(value / float(exact) - 1) < 1e-8
    [ours] = derivatives(subject, "adlab", np.array([float(at)]), len(order))
    assert ours == pytest.approx(float(exact), rel=1e-12)


def test_the_table_of_the_readme_counts_as_many_functions_as_there_are() -> None:
    [(first, second)] = re.findall(r"first derivatives of (\d+) functions, and the second ones of (\d+)", README)
    assert int(first) == len(subjects())
    assert re.search(rf"^\| adlab \| {first}; {second} \|", README, re.MULTILINE)
    pair = r" \| (\d+); (\d+)"
    rows = re.findall(r"^\| [\w' ]+(?: \| b?float\d+)?" + 4 * pair, README, re.MULTILINE)
    assert len(rows) == 7 + 6 + 3  # the systems that have binary64, float32, bfloat16
    for row in rows:
        for has, within, losing, own in (map(int, row[::2]), map(int, row[1::2])):
            assert has >= within + losing
            assert losing >= own


def test_the_readme_tells_ten_findings_and_more_of_every_system() -> None:
    assert len(FINDINGS) > 10
    assert {system for _, _, system, *_ in FINDINGS} == {*PEERS, "symbolic"}


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(adlab.AdlabError, match="float16"):
        rules("tanh", dtype="float16")



@pytest.mark.parametrize("system", ["torch", "jax", "autograd"])
def test_logaddexp_is_the_librarys_own(system: str) -> None:
    pytest.importorskip(system)
    assert derivatives(subjects(["logaddexp, operand 1"])[0], system, np.array([0.75, 2.0]), 1) == pytest.approx(
        [0.5, 1 / (1 + math.exp(0.75 - 2))], rel=1e-12
    )  # at a tie, too


@pytest.mark.parametrize("system", PEERS)
@pytest.mark.parametrize("order", [1, 2])
def test_each_system_differentiates_once_and_twice(system: str, order: int) -> None:
    pytest.importorskip(system)
    x = np.array([0.25, 0.75])
    found = derivatives(subjects(["atan"])[0], system, x, order)
    assert found == pytest.approx([1 / (1 + x**2), -2 * x / (1 + x**2) ** 2][order - 1], rel=1e-14)


@pytest.mark.parametrize("system", ["symbolic", "torch", "jax", "autograd", "symengine"])
def test_in_float32_a_system_computes_in_float32(system: str) -> None:
    pytest.importorskip("sympy" if system == "symbolic" else system)
    x = np.float32(np.linspace(-3, 3, 50)).astype(float)
    found = derivatives(subjects(["atan"])[0], system, x, 1, kind_of("float32"))
    assert np.array_equal(found, found.astype(np.float32))  # what binary64 gives would have more digits
    assert found == pytest.approx(1 / (1 + x**2), rel=2e-6)


def test_what_a_system_lacks_is_named_with_the_reason() -> None:
    pytest.importorskip("casadi")
    found = rules("besselj_moving, operand 1", "adlab,casadi", dtype=["float64"])
    [lack] = found.missing
    assert (lack.system, lack.order) == ("casadi", 1)
    assert "no differentiable `besselj`" in lack.reason
    assert "no differentiable `besselj`" in found.text(200)
    with pytest.raises(adlab.AdlabError, match="binary64 alone"):
        rules("tanh", "casadi", dtype="float32")


@pytest.mark.slow
def test_a_file_keeps_what_was_computed_and_goes_on_where_it_was_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rules.jsonl"
    whole = rules(["tanh", "log1p"], "adlab,symbolic", order=[1, 2], out=file)
    written = file.read_bytes()
    file.write_bytes(written[:-40])  # killed while the last line was written
    asked: list[str] = []
    judge = audit._judged
    monkeypatch.setattr(audit, "_judged", lambda subject, *rest: asked.append(subject.name) or judge(subject, *rest))
    again = rules(["tanh", "log1p"], "adlab,symbolic", order=[1, 2], out=file)
    assert asked == ["log1p"]
    assert str(again) == str(whole)
    assert file.read_bytes() == written
    assert [[(rule.name, rule.order) for rule in one.found] for one in again.by_function()] == [
        [(name, order)] * 2 for order in (1, 2) for name in ("tanh", "log1p")
    ]


def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("{}\n")
    with pytest.raises(adlab.AdlabError, match="no file of an audit"):
        rules("tanh", "adlab", out=file)
    assert file.read_text() == "{}\n"


def test_a_series_that_never_settles_in_short_floats_is_refused() -> None:
    pytest.importorskip("jax")
    with pytest.raises(adlab.AdlabError, match="no differentiable `expint`"):
        rules("expint 2", "jax", dtype="bfloat16")
