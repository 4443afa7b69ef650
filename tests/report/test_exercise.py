"""An exercise: right answers pass, rounded or not; a planted slip is the one that is named."""

from __future__ import annotations

import copy
import random
from typing import Any

import numpy as np
import pytest
from random_graphs import random_graph, random_point

import adlab
from adlab.report.exercise import Exercise, exercise

EXERCISES = {
    **{name: lambda name=name: exercise(adlab.gallery.named(name)) for name in
       ("worked-example", "baydin", "squire-trapp", "speelpenning:4", "logistic-map:4", "rosenbrock:3")},
    **{f"random {seed}": lambda seed=seed: exercise(adlab.Function.from_graph(random_graph(seed, m=1, steps=12)),
                                                    random_point(seed), tangent=[1.0, -0.5, 2.0]) for seed in range(12)},
}  # fmt: skip


@pytest.fixture(params=EXERCISES, ids=str)
def asked(request: pytest.FixtureRequest) -> Exercise:
    return EXERCISES[request.param]()


def test_what_is_right_passes(asked: Exercise) -> None:
    grade = asked.grade(asked.solution())
    assert grade.passed
    assert grade.right == grade.asked == sum(map(len, asked.solution().values()))


def test_three_significant_digits_are_enough(asked: Exercise) -> None:
    def rounded(number: Any) -> Any:
        return [rounded(entry) for entry in number] if isinstance(number, list) else float(f"{number:.3g}")

    answers = {column: {node: rounded(number) for node, number in given.items()} for column, given in asked.solution().items()}
    assert asked.grade(answers).passed


def test_nothing_is_right_before_it_is_answered(asked: Exercise) -> None:
    grade = asked.grade({})
    assert not grade.passed
    assert (grade.right, grade.wrong) == (0, "")
    assert grade.missing.startswith("the primal of v1")


def test_a_missing_contribution_is_missed(asked: Exercise) -> None:
    """For every node that is reached by several paths, each of them left out in turn."""
    trace, names = asked.trace, asked.trace.graph.names
    for node in trace.shown:
        into = trace.into(node)
        for left_out in into if len(into) > 1 else ():
            wrong = trace.adjoints[node] - left_out.value
            if abs(left_out.value) < 1e-2 * abs(trace.adjoints[node]):
                continue  # the sum without it is right to three digits
            answers = copy.deepcopy(asked.solution())
            answers["adjoint"][names[node]] = wrong
            grade = asked.grade(answers)
            assert grade.right == grade.asked - 1
            slips = [text for value, text in asked._path_slips("adjoint", node) if value == pytest.approx(wrong, rel=1e-9)]
            assert f"the contribution from {names[left_out.source]} is missing" in slips
            assert grade.wrong.startswith(f"the adjoint of {names[node]} is not ")
            assert grade.wrong.partition(": ")[2] in slips


@pytest.mark.parametrize("seed", range(6))
def test_a_wrong_sign_anywhere_is_found_where_it_is(asked: Exercise, seed: int) -> None:
    rng = random.Random(seed)
    answers = copy.deepcopy(asked.solution())
    column = rng.choice([c for c in asked.columns if c != "partials"])
    node, number = rng.choice([(node, number) for node, number in answers[column].items() if abs(number) > 1e-6])
    answers[column][node] = -number
    wrong = asked.grade(answers).wrong
    assert wrong.startswith(f"the {column} of {node} is not")
    assert "no common slip" not in wrong


WORKED = exercise(adlab.gallery.worked_example())


@pytest.mark.parametrize(("column", "node", "answer", "said"), [
    ("primal", "v1", 2, "that is x1*x2"),
    ("primal", "v4", 0.0349, "that takes degrees; the angle is in radians"),
    ("primal", "v4", -0.4161, "that is cos(v3)"),
    ("primal", "v5", 8.0907, "that is v2 - v4"),
    ("primal", "v2", -9, "its sign is wrong"),
    ("primal", "v2", 12345, "no common slip gives that number"),
    ("adjoint", "x1", -0.08399, "the contribution from v1 is missing"),
    ("adjoint", "x2", 0.6475, "the contribution from v3 has the wrong sign"),
    ("adjoint", "v1", 6, "the contribution from v2 is the partial alone, not times the adjoint"),
    ("adjoint", "v1", 0.1009, "the contribution from v2 is the adjoint alone, without the partial"),
    ("adjoint", "v3", 0.0918, "the contribution from v4 has a wrong partial (that is the value of v4)"),
    ("adjoint", "v3", -0.0918, "the contribution from v4 has a wrong partial (that is the partial of cos(v3))"),
    ("adjoint", "v5", 9.909, "the contribution from v6 has a wrong partial (that is upside down)"),
    ("adjoint", "v6", 0, "the output's own adjoint is the seed, 1"),
    ("adjoint", "x1", -0.05086, "the contributions are multiplied, and should be added"),
    ("partials", "v4", 0.9093, "that is the value of v4"),
    ("partials", "v4", -0.9093, "that is the partial of cos(v3)"),
    ("partials", "v6", 9.909, "that is upside down"),
    ("partials", "v2", 3, "it is off by the factor 0.5"),
    ("partials", "v3", [2, 2], "the partial of v3 for its operand 2 is not 2: that is the partial for its operand 1"),
    ("adjoint", "v5", 0.2018, "off by the factor 2"),
    ("partials", "v3", [1, 2], "the partials of v3 are swapped"),
    ("partials", "v4", 0.4161, "the partial of v4 for its operand 1 is not 0.4161: its sign is wrong"),
    ("partials", "v1", [1], "v1 has 2 operands, and a partial for each; 1 were given"),
])  # fmt: skip
def test_slips_of_the_worked_example_by_name(column: str, node: str, answer: Any, said: str) -> None:
    grade = WORKED.grade({column: {node: answer}})
    assert said in grade.wrong
    assert said in str(grade)
    assert grade.to_dict()["passed"] is False


FAN_OUT = exercise("(a + a) + (a + a)", 1.0)


@pytest.mark.parametrize(("answer", "said"), [
    (8, "the order is wrong: v1 passed its adjoint on 2 times; its turn comes once, after all that reads it"),
    (6, "the contribution from v1 is counted twice"),
    (2, "the contribution from v1 is missing"),
])  # fmt: skip
def test_the_wrong_order_is_called_by_its_name(answer: float, said: str) -> None:
    """a = 1, b = a + a, c = b + b: whoever lets b have its turn once for every arrow finds 8 instead of 4."""
    assert FAN_OUT.trace.gradient == [4.0]
    assert FAN_OUT.grade({"adjoint": {"v2": 1, "v1": 2, "a": answer}}).wrong == f"the adjoint of a is not {answer}: {said}"


def test_a_turn_that_comes_too_early_is_called_so() -> None:
    """exp(u)·u + sin(u) at u = a·b: the sine's contribution alone has arrived when u passes its adjoint on."""
    asked = exercise("exp(a*b)*(a*b) + sin(a*b)", [1.0, 0.5])
    early = asked.trace.into(2)[0].sum_after * 0.5
    grade = asked.grade({"adjoint": {"a": early}})
    assert grade.wrong.endswith("the order is wrong: v1 passed its adjoint on before everything that reads it had its turn")


def test_a_forgotten_partial_is_told_before_a_factor_that_it_happens_to_be() -> None:
    """x1·x2·x3 at (2, 3, 4): the adjoint of x2 is 4·2, and 4 is half of it."""
    assert "the adjoint alone, without the partial" in exercise("x1*x2*x3", [2, 3, 4]).grade({"adjoint": {"x2": 4}}).wrong


def test_the_partial_for_the_other_operand_is_told() -> None:
    said = exercise("x*y + x", {"x": 2, "y": 3}).grade({"adjoint": {"y": 3}}).wrong
    assert said.endswith("the contribution from v1 has a wrong partial (that is the partial for its operand 1)")


def test_an_infinite_slip_explains_nothing() -> None:
    """log(0) is −∞, and not near every number."""
    assert "no common slip" in exercise("sin(x) + 1", 0.0).grade({"primal": {"v1": 7.7}}).wrong


def test_partials_may_come_as_an_array_and_a_graph_may_have_no_operation() -> None:
    assert WORKED.grade({"partials": {"v3": np.array([2, 1]), "v4": -0.416}}).right == 2
    assert exercise("x", 1.0).grade({"adjoint": {"x": 1}}).passed
    assert 'grade({"adjoint": {"x": 1}})' in str(exercise("x", 1.0))


def test_the_tangent_of_an_input_is_its_seed() -> None:
    asked = exercise("x*y", [2.0, 3.0], tangent=[1.0, 4.0])
    assert asked.grade({"tangent": {"y": -4}}).wrong == "the tangent of y is not -4: its sign is wrong"


def test_the_first_wrong_row_is_the_first_of_the_sweep() -> None:
    answers = copy.deepcopy(WORKED.solution())
    answers["adjoint"] |= {"v3": 1.0, "x1": 7.0}
    assert WORKED.grade(answers).wrong.startswith("the adjoint of v3 is not 1:")


@pytest.mark.parametrize(("answers", "said"), [
    ({"value": {"v1": 1}}, "no column `value` is asked for; there are primal, partials, adjoint"),
    ({"primal": {"v9": 1}}, "no primal of `v9` is asked for; there are v1, v2, v3"),
    ({"primal": {"x1": 1}}, "no primal of `x1` is asked for"),
    ({"primal": {"v1": "three"}}, "the primal of v1 is 'three', which is not a number"),
    ({"primal": {"v1": "3"}}, "the primal of v1 is '3', which is not a number; give an int or a float"),
    ({"partials": {"v1": "11"}}, "the partials of v1 is '11', which is not a number"),
    ({"primal": {"v1": 10**400}}, "not a finite number"),
    ({"adjoint": {"v1": float("nan")}}, "not a finite number"),
    (None, r"the answers are None; give a dictionary, \{column: \{node: number\}\}"),
    ({"primal": [3, 9]}, r"the column `primal` is \[3, 9\]; give a dictionary, \{node: number\}"),
])  # fmt: skip
def test_answers_that_make_no_sense_are_refused(answers: Any, said: str) -> None:
    with pytest.raises(adlab.AdlabError, match=said):
        WORKED.grade(answers)


def test_an_exercise_shows_what_is_asked_and_none_of_the_answers() -> None:
    text = str(WORKED)
    assert "sin(v3)" in text
    assert "0.909" not in text
    assert {row["node"] for row in WORKED.to_dict()["rows"]} == {"x1", "x2", "v1", "v2", "v3", "v4", "v5", "v6"}
    with pytest.raises(adlab.AdlabError, match="too long to do by hand"):
        exercise(adlab.gallery.chain(100))


def test_what_is_small_beside_others_in_its_column_is_graded_all_the_same() -> None:
    assert not exercise("1000000000000*x + sin(y)", [1, 2]).grade({"adjoint": {"y": -7.0}}).passed


def test_what_a_branch_that_is_not_taken_has_no_value_for_is_not_asked() -> None:
    asked = exercise(adlab.gallery.switched())  # sqrt(x1 - x2) where x1 < x2
    assert {row["node"]: row["asked"] for row in asked.to_dict()["rows"]}["v2"] == ["adjoint"]
    assert asked.grade(asked.solution()).passed
