"""Sheets and grades: the key is right, blanks are empty, slips are named, and what follows from one has its credit."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import adlab
from adlab.cli.main import main

FORMULA = "x*sin(y) + 3*x**2"


def answered(text: str, change, tmp_path: Path, name: str = "answers.csv", separator: str = ",") -> Path:
    """The key with some answers changed: `change` takes a line and gives its answer."""
    rows = list(csv.DictReader(io.StringIO(text)))
    written = io.StringIO()
    writer = csv.DictWriter(written, list(rows[0]), delimiter=separator)
    writer.writeheader()
    for row in rows:
        writer.writerow(row | {"answer": change(row)})
    (tmp_path / name).write_text(written.getvalue())
    return tmp_path / name


@pytest.mark.parametrize("vary", ["point", "formula"])
def test_the_key_has_full_credit_and_a_blank_none(tmp_path, vary) -> None:
    made = adlab.sheet(FORMULA, students=6, seed=3, vary=vary)
    (tmp_path / "key.csv").write_text(made.key())
    (tmp_path / "blank.csv").write_text(made.blank())
    (tmp_path / "blank.json").write_text(made.blank_json())
    assert all(mark.credit == 1 and not mark.first for mark in adlab.grade(tmp_path / "key.csv").marks)
    for name in ("blank.csv", "blank.json"):
        marks = adlab.grade([tmp_path / name]).marks
        assert len(marks) == 6
        assert all(mark.right == 0 and "missing" in mark.first for mark in marks)


def test_the_same_seed_makes_the_same_sheets_and_another_others() -> None:
    assert adlab.sheet(FORMULA, 5, seed=1).key() == adlab.sheet(FORMULA, 5, seed=1).key()
    assert adlab.sheet(FORMULA, 5, seed=1).key() != adlab.sheet(FORMULA, 5, seed=2).key()
    assert len({str(point) for point in adlab.sheet(FORMULA, 12).points()}) > 6
    assert len(set(adlab.sheet(FORMULA, 12, vary="formula").formulas)) > 4


def test_no_two_students_have_the_same_variant_while_there_are_others() -> None:
    assert len({str(point) for point in adlab.sheet("x*y + sin(x)", 40).points()}) == 40
    assert len({str(point) for point in adlab.sheet("sin(x)", 30).points()}) == 12  # there are no more


def test_several_formulas_are_several_exercises_on_each_sheet(tmp_path, capsys) -> None:
    made = adlab.sheet([FORMULA, "log(x)/y"], students=3, seed=2)
    assert made.formulas == (FORMULA, "log(x)/y") * 3
    assert [row["student"] for row in made.to_dict()["rows"]] == [1, 1, 2, 2, 3, 3]
    assert made.points()[0] != made.points()[1]
    for text in (made.markdown(), made.latex(), made.html()):
        assert text.count("log(x)/y") == 3
    made.write(tmp_path / "sheets")
    for name in ("key.csv", "answers.json"):
        assert [mark.student for mark in adlab.grade(tmp_path / "sheets" / name).marks] == list("112233")
    assert all(mark.credit == 1 for mark in adlab.grade(tmp_path / "sheets" / "key.csv").marks)
    assert main(["sheet", FORMULA, "log(x)/y", "--seed", "2", "--students", "3", "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == json.loads(made.to_json())["rows"]


def test_what_follows_from_a_slip_has_its_credit(tmp_path) -> None:
    """A wrong value of v1, carried on rightly: one number is wrong, and the rest follow."""
    made = adlab.sheet("(x + y)**2*x", students=1, seed=1)
    trace = made.exercises[0].trace
    x = trace.primals[0]
    wrong = trace.primals[2] + 1
    own = {
        ("primal", "v1"): wrong, ("primal", "v2"): wrong**2, ("primal", "v3"): wrong**2 * x,
        ("partials", "v2", "1"): 2 * wrong, ("adjoint", "v1"): x * 2 * wrong,
        ("adjoint", "y"): x * 2 * wrong, ("adjoint", "x"): x * 2 * wrong + wrong**2,
    }  # fmt: skip
    partials = {("partials", "v3", "1"): x, ("partials", "v3", "2"): wrong**2}
    order = trace.graph.written(4)
    if order.startswith("x"):
        partials = {("partials", "v3", "1"): wrong**2, ("partials", "v3", "2"): x}

    def change(row):
        key = (row["column"], row["node"]) + ((row["operand"],) if row["column"] == "partials" else ())
        return (own | partials).get(key, row["answer"])

    [mark] = adlab.grade(answered(made.key(), change, tmp_path)).marks
    assert mark.right + mark.follows == mark.asked - 1
    assert mark.follows >= 5
    assert mark.at == "the primal of v1"


def test_the_first_slip_is_named(tmp_path) -> None:
    made = adlab.sheet("x*sin(y)", students=2, seed=4)
    path = answered(made.key(), lambda row: str(-float(row["answer"])) if row["node"] == "v1" and row["column"] == "primal"
                    else row["answer"], tmp_path)  # fmt: skip
    found = adlab.grade(path)
    assert all("v1" in mark.first for mark in found.marks)
    assert any("sign is wrong" in mark.first for mark in found.marks)
    assert "the primal of v1 (2)" in str(found)


@pytest.mark.parametrize(("digits", "passes"), [(2, True), (3, True), (5, False)])
def test_tolerance_is_by_the_digits_asked_for(tmp_path, digits: int, passes: bool) -> None:
    made = adlab.sheet("x*sin(y)", students=1, seed=4)
    path = answered(made.key(), lambda row: f"{float(row['answer']):.3g}", tmp_path)
    assert (adlab.grade(path, digits=digits).marks[0].right == 8) == passes


def test_a_spreadsheet_with_semicolons_and_decimal_commas_is_read(tmp_path) -> None:
    made = adlab.sheet("x*sin(y)", students=1, seed=4)
    path = answered(made.key(), lambda row: row["answer"].replace(".", ","), tmp_path, separator=";")
    assert adlab.grade(path).marks[0].credit == 1


HEAD = "student,formula,point,digits,column,node,operand,answer\n"


@pytest.mark.parametrize(("name", "text", "said"), [
    ("a.csv", "student,answer\n1,2\n", "no column formula"),
    ("a.json", "[1, 2]", "no answer sheet"),
    ("a.json", "{", "no answer sheet"),
    ("a.csv", HEAD + "1,x**2,x=1,3,primal,v1,,one\n", "line 2: the answer 'one'"),
    ("a.csv", HEAD + "1,import os,x=1,3,primal,v1,,1\n", "student 1"),
    ("a.csv", HEAD + "1,x**2,x=1,3,primal,v9,,1\n", "no primal of `v9`"),
])  # fmt: skip
def test_a_file_that_is_none_is_refused_in_a_sentence(tmp_path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(adlab.OptionError, match=said.replace("(", r"\(")):
        adlab.grade(tmp_path / name)


def test_the_command_line_writes_and_grades(tmp_path, capsys) -> None:
    folder = tmp_path / "sheets"
    assert main(["sheet", FORMULA, "--students", "3", "--out", str(folder), "--quiet"]) == 0
    written = {path.name for path in folder.iterdir()}
    assert {"sheets.md", "sheets.tex", "sheets.html", "key.md", "answers.csv", "answers.json", "key.csv"} <= written
    assert main(["grade", str(folder / "key.csv"), "--json", "--quiet"]) == 0
    out = capsys.readouterr().out
    assert [row["credit"] for row in json.loads(out[out.index("{") :])["rows"]] == [1, 1, 1]
    assert "\\toprule" in (folder / "sheets.tex").read_text()
    assert "<script" not in (folder / "sheets.html").read_text()
    assert main(["sheet", FORMULA, "--out", str(tmp_path / "no" / "where"), "--quiet"]) == 2


def test_no_variant_is_said() -> None:
    with pytest.raises(adlab.OptionError, match="no variant"):
        adlab.sheet("exp(exp(exp(x**2 + 100)))", students=1)


@pytest.mark.parametrize(("wrong", "said"), [
    ({"columns": ["value"]}, "no column `value` can be asked for"), ({"columns": ["tangent"]}, "no column `tangent`"),
    ({"tangent": [1]}, "direction has shape"), ({"output": 3}, "output 3 is not one of"), ({"columns": 5}, "no answer sheet"),
])  # fmt: skip
def test_what_a_file_of_answers_says_of_itself_is_looked_at(tmp_path: Path, wrong: dict[str, object], said: str) -> None:
    sheet = {"student": "a", "formula": "x*y", "point": "x=1, y=2", "answers": {"primal": {"v1": 2}}}
    (tmp_path / "answers.json").write_text(json.dumps(sheet | wrong), encoding="utf-8")
    with pytest.raises(adlab.AdlabError, match=said):
        adlab.grade(tmp_path / "answers.json")
