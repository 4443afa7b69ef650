"""Fits whose answers are known: NIST's problems from a file, by every method."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from corpora import CORPORA

import adlab
from adlab.cli.main import main
from adlab.use.certified import agreement, certified_fits, read_problems

pytest.importorskip("scipy")

README = Path(__file__).resolve().parents[2] / "adlab" / "use" / "README.md"
T = [0.0, 1.0, 2.0, 3.0, 4.0]
DECAY = {
    "id": "decay", "expr": "a*exp(-b*t)", "start1": {"a": "1", "b": "1"}, "start2": {"a": 3, "b": 0.1},
    "certified": {"a": "2.5", "b": "5.0E-01"}, "data_columns": ["t", "y"],
    "data": [[t, float(2.5 * np.exp(-0.5 * t))] for t in T],
}  # fmt: skip
LOG = DECAY | {"id": "log", "expr": "log(a) - b*t", "response": "log(y)"}


def written(path: Path, *problems) -> str:
    path.write_text("\n".join(json.dumps(problem) for problem in problems) + "\n\n")
    return str(path)


def test_every_problem_is_fitted_from_every_start_by_every_method(tmp_path) -> None:
    found = certified_fits(written(tmp_path / "two.jsonl", DECAY, LOG), ["reverse", "central-difference"])
    assert [(a.problem, a.start, a.method) for a in found.attempts[:3]] == [
        ("decay", "start1", "reverse"), ("decay", "start1", "central-difference"), ("decay", "start2", "reverse")]  # fmt: skip
    assert len(found.attempts) == 8
    assert found.given == 2
    assert {found.worst(method, problem) for method in found.methods for problem in ("decay", "log")} == {2.0}
    ours, theirs = found.of("reverse", "decay")[0], found.of("central-difference", "decay")[0]
    assert ours.evaluations > 0 < ours.jacobians
    assert theirs.jacobians == 0
    assert theirs.evaluations > ours.evaluations + 4 * (ours.jacobians - 3), "a Jacobian takes 4 evaluations of the model"
    assert len(found.plot().lines) == 2
    assert found.to_dict()["rows"][0]["problem"] == "decay"


def test_what_a_method_cannot_do_is_no_answer(tmp_path) -> None:
    kink = DECAY | {"expr": "a*exp(-Abs(b)*t)"}
    found = certified_fits(written(tmp_path / "kink.jsonl", kink), ["complex-step"])
    assert found.worst("complex-step", "decay") is None
    assert "complex" in found.attempts[0].reason
    assert "–" in str(found)


def test_a_file_of_problems_on_the_command_line(tmp_path, capsys) -> None:
    path, picture = written(tmp_path / "one.jsonl", DECAY), tmp_path / "one.svg"
    assert main(["fit", "--certified", path, "--methods", "reverse", "--plot", str(picture), "--quiet"]) == 0
    assert re.search(r"decay +2\.0", capsys.readouterr().out)
    assert picture.exists()
    for more, words in ((["a*x"], "leave the formula"), (["--data", "x.csv"], "leave the formula")):
        assert main(["fit", "--certified", path, *more, "--quiet"]) == 2
        assert words in capsys.readouterr().err
    assert main(["fit", "a*x", "--data", path, "--methods", "reverse", "--at", "a=1", "--quiet"]) == 2
    assert "--methods goes with --certified" in capsys.readouterr().err


@pytest.mark.parametrize(("changes", "words"), [
    ({"start1": None}, "line 1 is no problem of a fit"),
    ({"expr": "a*exp("}, "line 1: "),
    ({"certified": {}}, "it needs start1, and certified numbers"),
    ({"certified": {"a": "two", "b": "1"}}, "line 1"),
    ({"data": [[1.0], [2.0]]}, "line 1"),
    ({"data": [["x", "y"]]}, "line 1"),
    ({"response": "z"}, "line 1"),
    ({"start1": {"a": 1}, "start2": {"a": 1}}, "start1 must name"),
])  # fmt: skip
def test_what_is_no_problem_is_named_with_its_line(changes, words, tmp_path) -> None:
    with pytest.raises(adlab.AdlabError, match=words):
        certified_fits(written(tmp_path / "bad.jsonl", DECAY | changes), ["reverse"])


def test_files_that_cannot_be_read_are_said_so(tmp_path) -> None:
    for text, words in (("", "holds no problems"), ("{", "line 1 is no problem"), ("[1]", "line 1 is no problem")):
        (tmp_path / "bad.jsonl").write_text(text)
        with pytest.raises(adlab.OptionError, match=words):
            certified_fits(tmp_path / "bad.jsonl")
    with pytest.raises(adlab.OptionError, match="cannot be read"):
        certified_fits(tmp_path / "nowhere.jsonl")
    with pytest.raises(adlab.MethodError, match="no method `newton`"):
        certified_fits(written(tmp_path / "one.jsonl", DECAY), ["newton"])


def test_digits_agree_up_to_those_that_are_certified() -> None:
    assert agreement(0.0, "0.0") == 1
    assert agreement(1.5, "1.500E+00") == 4
    assert agreement(-1.0, "1.0") == 0
    assert agreement(1.01, "1.0000") == pytest.approx(2)


@pytest.mark.slow
@pytest.mark.skipif(not (CORPORA / "nist_strd.jsonl").exists(), reason="no nist_strd.jsonl")
def test_the_recorded_table_of_nists_problems_is_what_a_run_gives() -> None:
    """All digits by exact derivatives; differences reach on another machine what they reach here, up to a digit."""
    path = CORPORA / "nist_strd.jsonl"
    assert len(list(read_problems(path))) == 27
    found = certified_fits(path, ["reverse", "forward-difference"])
    recorded = {cells[0]: cells for line in README.read_text(encoding="utf-8").splitlines()
                if (cells := line.split())[:1] and cells[0].startswith("NIST-")}  # fmt: skip
    assert len(recorded) == 27
    for name, cells in recorded.items():
        reached = found.worst("reverse", name)
        assert reached == pytest.approx(float(cells[1]), abs=0.2)
        assert reached > 10
        other = found.worst("forward-difference", name)
        assert (other is None) == (cells[4] == "–")
        assert other is None or other == pytest.approx(float(cells[4]), abs=1)
