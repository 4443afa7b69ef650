"""The verdict: each sentence rests on numbers, and changes with them."""

from __future__ import annotations

import math
import shlex
from dataclasses import replace

import pytest

import adlab
from adlab.cli.main import main
from adlab.report.causes import Loss, losses
from adlab.report.compare import compare
from adlab.report.verdict import RULES, Facts, verdict


def facts_of(formula, x, **options) -> Facts:
    """The facts behind a comparison, caught on their way to the verdict."""
    caught = []

    def keep(facts: Facts):
        caught.append(facts)
        return []

    RULES.append(keep)
    try:
        compare(formula, x, timed=False, **options)
    finally:
        RULES.remove(keep)
    return caught[0]


@pytest.fixture(scope="module")
def plain() -> Facts:
    return facts_of("log((x1 + x2)**2 + sin(x1*x2))", [1, 2])


def of_partial(formula: str, point: list[float], variable: int):
    """What the reverse program loses of one partial."""
    f = adlab.Function(formula, ["x", "y"])
    program = f.program("reverse")
    return losses(program, point, program.outputs[1 + variable], len(f.graph))


def said(facts: Facts) -> str:
    return "\n".join(sentence.text for sentence in verdict(facts))


def test_what_is_accurate_is_trusted(plain: Facts) -> None:
    assert "Trust reverse, forward" in said(plain)


def test_lowering_a_methods_digits_withdraws_the_trust(plain: Facts) -> None:
    rows = [replace(row, digits=9.0, relative_error=1e-9) if row.method == "reverse" else row for row in plain.accuracy]
    changed = said(replace(plain, accuracy=rows))
    assert "Trust reverse" not in changed
    assert "reverse keeps 9.0 of 16 digits" in changed


def test_the_worst_difference_is_named_with_its_two_errors(plain: Facts) -> None:
    assert "forward-difference the fewest" in said(plain) or "backward-difference the fewest" in said(plain)
    worst = next(row.method for row in plain.accuracy if f"{row.method} the fewest" in said(plain))
    larger = replace(plain.splits[worst], truncation=1.0, roundoff=1e-9)
    assert "truncation holds it back" in said(replace(plain, splits={worst: larger}))
    smaller = replace(plain.splits[worst], truncation=1e-9, roundoff=1.0)
    assert "roundoff holds it back" in said(replace(plain, splits={worst: smaller}))


def test_every_sentence_names_what_it_rests_on(plain: Facts) -> None:
    for sentence in verdict(plain):
        assert sentence.because
        assert all(reason.split(":")[0].split(" ")[0] in ("truth", "accuracy", "swell", "cost", "node")
                   for reason in sentence.because)  # fmt: skip


def test_a_kink_is_named_and_the_convention_with_it() -> None:
    text = said(facts_of("Abs(x)*exp(x)", 0.0))
    assert "kink" in text
    assert "abs(x)" in text
    assert "There is no derivative to judge by" in text
    assert "and richardson found a kink between their nodes" in text


def test_cancellation_is_found_at_its_node() -> None:
    text = said(facts_of("(1 - cos(x))/x**2", 1e-6))
    assert "cos" in text or "v2" in text
    assert "digits" in text


def test_digits_of_a_partial_are_lost_where_its_own_program_loses_them() -> None:
    """f = sin x cos x - x exp(-x²) cancels in its last operation, whose value no derivative reads: the gradient's digits go
    where the contributions of the two terms are added."""
    facts = facts_of("sin(x)*cos(x) - x*exp(-x*x)", 1e-5)
    text = said(facts)
    for mode in ("reverse", "forward"):
        loss = facts.losses[mode][0]
        assert loss.adjoint
        assert loss.digits == pytest.approx(-math.log10(facts.worst(mode).value), abs=0.5)  # two terms of size 1
        assert f"contributions of several paths, at {loss.name} = {loss.written} of the {mode} program" in text
    assert "digits cancel at v8 = v3 - v7: f itself is that much less accurate" in text


def test_what_cancels_without_reaching_a_partial_is_no_excuse() -> None:
    """Twelve digits cancel in 1 - cos(x), and neither f = 9.000000000001 nor a partial knows of it."""
    facts = facts_of("(1 - cos(x))*y + y**2", {"x": 1e-6, "y": 3.0})
    assert not facts.cancellations
    point = [1e-6, 3.0]
    assert of_partial("(1 - cos(x))*y + y**2", point, 0) == []  # sin(x)*y
    assert of_partial("(1 - cos(x))*y + y**2", point, 1) == []  # 1 - cos(x) + 2*y, of which the first is nothing
    [loss] = of_partial("(1 - cos(x))*y", point, 1)
    assert (loss.written, loss.adjoint) == ("1 - v1", False)
    assert loss.digits == pytest.approx(12.3, abs=0.1)


def test_condition_numbers_are_given_for_f_and_each_partial() -> None:
    """Of x³y: x·f_x/f + y·f_y/f = 4; of 3x²y likewise 3; of x³ it is 3."""
    text = str(compare("x**3*y", [1.3, 0.7], methods=["reverse"], timed=False).full)
    assert "condition number of f 4, of ∂f/∂x 3, of ∂f/∂y 3" in text


def test_a_refusal_is_a_sentence() -> None:
    assert "complex-step: the complex step needs an analytic formula" in said(facts_of("Max(x, 1)*x", 3.0))


def test_many_inputs_call_for_reverse_mode_and_many_outputs_for_forward() -> None:
    assert "reverse mode is the cheaper" in said(facts_of(adlab.gallery.speelpenning(8), None))
    outputs = adlab.Function(["sin(exp(sin(x)))", "cos(exp(sin(x)))", "log(exp(sin(x)))"])
    assert "forward mode is the cheaper" in said(facts_of(outputs, 0.5))


def test_a_huge_condition_number_is_given_as_the_reason() -> None:
    text = said(facts_of("cos(723*x**3)", 40.1))
    assert "ill-conditioned" in text


def test_paths_that_cancel_are_found_in_the_reverse_program() -> None:
    """Of q/(ε y²)·(ε V d − …) by ε, two contributions cancel almost wholly though f itself loses nothing."""
    text = said(facts_of(
        "q/(4*pi*epsilon*y**2)*(4*pi*epsilon*Volt*d - q*d*y**3/(y**2 - d**2)**2)",
        {"q": 3.90625, "y": 2.40625, "Volt": 3.765625, "d": 5.3125, "epsilon": 3.140625},
    ))  # fmt: skip
    assert "between the contributions of several paths" in text
    assert "ill-conditioned" not in text


def test_what_cancels_in_f_and_what_cancels_between_paths_are_both_named() -> None:
    text = said(facts_of("(1 - cos(x))/x**2", 1e-4))
    assert "lost at v2 = 1 - v1, and 9 of 16 digits cancel between the contributions of several paths" in text
    assert "No finite difference keeps a digit" in said(facts_of("(1 - cos(x))/x**2", 1e-12))


def test_the_loss_of_f_itself_is_not_told_again_as_one_between_paths() -> None:
    facts = facts_of("exp(x) - exp(x - 1e-9)", 1.0)
    assert facts.cancellations
    assert not {loss.written for loss in facts.cancellations} & {loss.written for loss in facts.losses["reverse"] if loss.adjoint}


def test_a_branch_at_one_point_is_told_from_roundings() -> None:
    """SymPy makes this of x/1 where it divides by zero elsewhere: the branch at 0 has the derivative 0, and f has 1."""
    text = said(facts_of("Piecewise((0, Eq(x, 0)), (x, True))", 0.0))
    assert "f still has a derivative here" in text
    assert "symbolic and symbolic-cse return as ∂/∂x the derivative of the branch taken at the point" in text
    assert "the loss is the method's own" not in text  # it is SymPy's convention
    assert "Trust reverse, forward, forward-difference" in text
    assert "roundings of the whole program" not in text


def test_a_derivative_of_zero_is_missed_by_an_absolute_error() -> None:
    """x² sin(1/x) is 0 at 0 and so is its derivative, known to within the truth's radius; no digits are counted there."""
    facts = facts_of("Piecewise((x**2*sin(1/x), Ne(x, 0)), (0, True))", 0.0)
    assert all(row.ulps == 0 for row in facts.accuracy if row.method == "reverse")
    text = said(facts)
    assert "Trust reverse, forward, symbolic and symbolic-cse: the derivative is right to within 1 ulp" in text
    assert "Where the derivative is 0, finite differences find up to" in text


def test_only_partials_that_exist_are_vouched_for() -> None:
    """On its cut atan2 jumps in x; in y it has a derivative."""
    assert "every partial that exists is right" in said(facts_of("atan2(x, y)", {"x": 0.0, "y": -1.0}))


def test_only_an_ulp_is_all_that_binary64_can_promise(plain: Facts) -> None:
    rows = [replace(row, ulps=2.5, digits=15.2) for row in plain.accuracy]
    changed = said(replace(plain, accuracy=rows))
    assert "right to within 2.5 ulps at this point." in changed
    assert "Among finite differences" not in changed


def test_one_operation_is_not_operations() -> None:
    assert "symbolic derivative has 1 operation, none to share" in said(facts_of("log(x)", 2.0))


def test_a_method_that_loses_what_automatic_differentiation_keeps_is_named() -> None:
    """1 - x**2 cancels near 1 in SymPy's derivative of asin."""
    assert "symbolic keeps 10.6 of 16 digits in ∂/∂x where reverse keeps 16.0" in said(facts_of("asin(x)", 1 - 1e-10))
    assert "the method's own" not in said(facts_of("(1 - cos(x))/x**2", 1e-4))
    assert "the method's own" not in said(facts_of("3/(x**2 + y**2)", [0.0, 1e-8]))  # ∂f/∂x = 0


def test_a_wrong_rule_is_not_called_rounding(plain: Facts) -> None:
    """Said only where the graph is wrong in high precision, too."""
    rows = [replace(row, digits=0.0, relative_error=2.0) if row.method == "reverse" else row for row in plain.accuracy]
    text = said(replace(plain, accuracy=rows))
    assert "suspect the graph" not in text
    assert "the roundings of the whole program add up" in text
    wrong = Loss(3, "v2", "sin(v1)", 16.0, kind="graph")
    assert "suspect the graph, or a rule" in said(replace(plain, accuracy=rows, losses={"reverse": [wrong]}))


def test_without_a_symbolic_derivative_none_is_said_to_have_given_up() -> None:
    text = said(facts_of("floor(x)*x", 2.5))
    assert "there is no symbolic derivative" in text
    assert "gave up" not in text


def test_an_infinite_condition_number_is_no_reason() -> None:
    """(x - cos x)², expanded, at the double nearest to its zero: the derivative comes out as 0."""
    text = said(facts_of("x**2 - 2*x*cos(x) + cos(x)**2", 0.7390851332151607))
    assert "reverse keeps 0.0 of 16 digits" in text
    assert "inf" not in text


def test_a_few_roundings_are_said_to_be_that(plain: Facts) -> None:
    rows = [replace(row, digits=14.0, relative_error=1e-14, ulps=90.0) for row in plain.accuracy]
    text = said(replace(plain, accuracy=rows))
    assert "reverse keeps 14.0 of 16 digits in its worst partial" in text
    assert "Trust" not in text
    assert "suspect" not in text


def test_at_a_kink_no_higher_order_is_recommended() -> None:
    text = said(facts_of("Abs(x - 1)", 1 + 1e-9))
    assert "central-difference-8 found a kink" in text or "found a kink between their nodes" in text
    assert "higher order" not in text


def test_an_overflow_of_f_is_told_once() -> None:
    text = said(facts_of("log(x*y)", {"x": 1e200, "y": 1e200}))
    assert text.count("v1 = x*y is inf") <= 2  # of the differences, and of the complex step
    assert "f itself is that much less accurate" not in text


@pytest.mark.parametrize(("text", "at", "fault"), [
    ("sqrt(x + 1) - sqrt(x)", 1e12, "cancel"), ("log(1 + x)", 1e-12, "rounded"),
    pytest.param("(1 - cos(x))/x**2", 1e-5, "cancel", marks=pytest.mark.slow), ("x/(x**2 + 1)", 1.0000001, "cancel"),
])  # fmt: skip
def test_the_first_fault_that_another_form_may_not_have_says_who_looks_for_one(
    text: str, at: float, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = [sentence.text for sentence in adlab.compare(text, at, methods=["reverse", "central-difference"]).verdict]
    [pointing] = [sentence for sentence in said if "` looks for another form" in sentence]
    assert fault in pointing
    command = shlex.split(pointing.split("`")[1])
    assert command[:2] == ["adlab", "improve"]
    assert str(adlab.Function(command[2]).graph) == str(adlab.Function(text).graph)  # the order of a sum, too
    assert main(command[1:]) == 0
    assert "instead of" in capsys.readouterr().out


def test_a_verdict_without_a_fault_points_nowhere() -> None:
    for text, at in (("x*sin(x)", 1.0), ("abs(x)", 0.0), ("cos(x)", 1e10)):
        said = " ".join(sentence.text for sentence in adlab.compare(text, at, methods=["reverse", "forward"]).verdict)
        assert "improve" not in said
