"""An exercise: right answers pass, rounded or not; a planted slip is the one that is named."""

from __future__ import annotations

import copy
import random
from typing import Any

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
    ("adjoint", "x1", 0.5635, "the contribution from v3 has the partial for the other operand"),
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


def test_the_first_wrong_row_is_the_first_of_the_sweep() -> None:
    answers = copy.deepcopy(WORKED.solution())
    answers["adjoint"] |= {"v3": 1.0, "x1": 7.0}
    assert WORKED.grade(answers).wrong.startswith("the adjoint of v3 is not 1:")


@pytest.mark.parametrize(("answers", "said"), [
    ({"value": {"v1": 1}}, "no column `value` is asked for; there are primal, partials, adjoint"),
    ({"primal": {"v9": 1}}, "no primal of `v9` is asked for; there are v1, v2, v3"),
    ({"primal": {"x1": 1}}, "no primal of `x1` is asked for"),
    ({"primal": {"v1": "three"}}, "the primal of v1 is 'three', which is not a number"),
    ({"adjoint": {"v1": float("nan")}}, "not a finite number"),
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
