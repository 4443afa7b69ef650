"""The walkthroughs as they are committed: executed, asking before they show, and no wider than the page they are read on.

That their numbers are still what adlab says is seen by executing them anew (`.ci/notebooks.py`).
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WIDEST = 104  # characters: what GitHub and Jupyter show of a line of code, or of printed text, without scrolling


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Any:
    return json.loads(request.param.read_text(encoding="utf-8"))


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def prose(notebook: Any) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


def printed(cell: Any) -> list[str]:
    """The lines of text that a cell shows; what is also a picture or a table of HTML is shown as that."""
    outputs = cell["outputs"]
    plain = [o["text"] for o in outputs if "text" in o]
    plain += [o["data"]["text/plain"] for o in outputs if set(o.get("data", ())) == {"text/plain"}]
    return "\n".join("".join(text) for text in plain).splitlines()


def test_every_cell_was_executed_in_order_and_none_failed(notebook: Any) -> None:
    cells = code(notebook)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not [o for cell in cells for o in cell["outputs"] if o["output_type"] == "error" or o.get("name") == "stderr"]


def test_the_reader_is_asked_before_anything_is_shown(notebook: Any) -> None:
    asked = [text for text in prose(notebook) if re.search(r"\bguess\b|\bpredict\b|\bbefore you run\b", text, re.IGNORECASE)]
    assert len(asked) >= 4


def test_it_ends_with_exercises_and_their_solutions(notebook: Any) -> None:
    heads = re.findall(r"^## (.*)$", "\n".join(prose(notebook)), re.MULTILINE)
    assert heads[-2:] == ["Exercises", "Solutions"]
    last = notebook["cells"][-2]
    assert last["cell_type"] == "code"
    assert last["metadata"]["jupyter"]["source_hidden"]
    assert "hide-cell" in last["metadata"]["tags"]
    solutions = "".join(last["source"])
    exercises = "\n".join(prose(notebook)).partition("## Exercises")[2]
    for number in re.findall(r"^\*\*(\d)\.\*\*", exercises, re.MULTILINE):
        assert f"{number}." in solutions


def test_formulas_of_the_text_close(notebook: Any) -> None:
    for text in prose(notebook):
        outside = re.sub(r"`[^`]*`", "", text).replace("$$", "")
        assert outside.count("$") % 2 == 0, text


def test_nothing_is_wider_than_the_page(notebook: Any) -> None:
    for cell in code(notebook):
        for line in [*"".join(cell["source"]).splitlines(), *printed(cell)]:
            assert len(line) <= WIDEST, line


def test_it_is_short_and_its_helpers_are(notebook: Any) -> None:
    """Helper code of more than ten lines belongs into adlab, where it is tested."""
    assert len(notebook["cells"]) <= 35
    for cell in code(notebook):
        for node in ast.walk(ast.parse(re.sub("^%.*$", "", "".join(cell["source"]), flags=re.MULTILINE))):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 10, node.name


def test_it_uses_public_names_and_defines_no_class(notebook: Any) -> None:
    trees = [ast.parse(re.sub("^%.*$", "", "".join(cell["source"]), flags=re.MULTILINE)) for cell in code(notebook)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    assert any(isinstance(node, ast.Import) and node.names[0].name == "adlab" for node in nodes)
    modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    assert {name for name in modules if name.split(".")[0] == "adlab"} <= {"adlab", "adlab.gallery"}  # public names only
    assert not [node for node in nodes if isinstance(node, ast.Attribute) and re.match("_[^_]", node.attr)]
    assert not [node for node in nodes if isinstance(node, ast.Name) and node.id in ("vars", "setattr")]
    for node in nodes:  # but for an arithmetic of the reader's
        if isinstance(node, ast.ClassDef):
            assert {"constant", "apply"} <= {part.name for part in node.body if isinstance(part, ast.FunctionDef)}


def test_its_first_cell_says_what_for_and_its_last_where_to_go_on(notebook: Any) -> None:
    first, last = ("".join(notebook["cells"][at]["source"]) for at in (0, -1))
    assert [word for word in ("You will be able to", "You need", "minutes") if word not in first] == []
    assert all((ROOT / "notebooks" / name).is_file() for name in re.findall(r"\(([\w.]+)\)", last))
    assert "(README.md)" in last


def test_an_answer_that_is_to_be_guessed_is_folded(notebook: Any) -> None:
    for asked, answer in zip(notebook["cells"], notebook["cells"][1:], strict=False):
        guess = re.search(r"\bguess\b|\bpredict\b", "".join(asked["source"]), re.IGNORECASE)
        if asked["cell_type"] == "markdown" and guess and answer.get("outputs"):
            assert answer["metadata"]["jupyter"]["outputs_hidden"]


def test_the_prose_that_answers_a_guess_is_folded_too(notebook: Any) -> None:
    """What follows a folded output, up to the next heading or question, tells what came out."""
    for answer, after in zip(notebook["cells"], notebook["cells"][1:], strict=False):
        text = "".join(after["source"])
        if "hide-output" in answer["metadata"].get("tags", []) and after["cell_type"] == "markdown":
            opening = text.partition("\n\n")[0]
            asks = re.match(r"#|\*\*\d\.\*\*", opening) or re.search(r"guess|predict", opening, re.IGNORECASE)
            assert asks or text.startswith("<details><summary>What it shows</summary>\n\n"), text[:80]
        assert text.count("<details>") == text.count("\n\n</details>")


def test_what_jupyter_shows_of_something_folded_is_not_the_answer(notebook: Any) -> None:
    """JupyterLab shows the first line of a folded cell, and of its first output; `.ci/notebooks.py` records the latter."""
    for cell in code(notebook):
        tags = set(cell["metadata"].get("tags", []))
        if tags & {"hide-output", "hide-cell"} and cell["outputs"]:
            assert "".join(cell["outputs"][0]["data"]["text/plain"]) == "the answer:"
        if "hide-cell" in tags:
            assert cell["source"][0].startswith("# the solutions")


def test_the_course_lists_them_all_in_order() -> None:
    course = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
    assert NOTEBOOKS
    assert re.findall(r"\((\w+)\.ipynb\)", course) == [path.stem for path in NOTEBOOKS]
