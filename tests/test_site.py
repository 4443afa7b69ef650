"""The documentation site describes everything public. That it builds without a warning is seen by `.ci/run`."""

from __future__ import annotations

import doctest
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

import adlab
from adlab.report.glossary import WORDS

SITE = Path(__file__).resolve().parents[1] / "notebooks" / "site"


@pytest.fixture(scope="module")
def conf() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_conf", SITE / "conf.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_has_every_public_name_under_a_title(conf: ModuleType) -> None:
    page = conf.reference()
    described = set(re.findall(r"^\.\. auto\w+:: (\S+)$", page, re.MULTILINE))
    assert {f"adlab.{name}" for name in adlab.__all__ if name not in ("gallery", "__version__")} <= described
    assert {f"adlab.gallery.{make.__name__}" for make in adlab.gallery.GALLERY.values()} <= described
    assert set(conf.TITLES.values()) <= set(re.findall(r"^## (.*)$", page, re.MULTILINE))


def test_the_reference_has_the_methods_that_a_function_inherits(conf: ModuleType) -> None:
    assert ":inherited-members:" in conf.FUNCTION
    left_out = set(conf.INNER.split(", "))
    assert left_out <= set(dir(adlab.Function))
    assert not left_out & {"gradient", "trace", "series", "compile", "diff", "derivative", "page", "to_c"}


def test_the_glossary_is_the_commands(conf: ModuleType) -> None:
    page = conf.glossary()
    assert all(f"{word}\n  {meaning}\n" in page for word, meaning in WORDS.items())


def test_docstrings_keep_their_code_and_lose_no_mark(conf: ModuleType) -> None:
    pytest.importorskip("docutils")
    assert doctest.testmod(conf).failed == 0
    assert conf.restructured(["a*b of |x| and `y*z`", "  * `one`: 2*x"]) == [r"a\*b of \|x\| and ``y*z``", r"  * ``one``: 2\*x"]


def test_formulas_are_mathml_with_the_index_beside_the_letter(conf: ModuleType) -> None:
    pytest.importorskip("docutils")
    assert re.search(r"<msub><mover.*v.*¯.*</mover>.*1.*</msub>", conf.mathml(r"\bar v_1", block=False), re.DOTALL)
    assert re.search(r"<mfrac>\s*<mn>1</mn>\s*<mn>2</mn>\s*</mfrac>", conf.mathml(r"\tfrac12 f''", block=False))
    assert "|" in conf.mathml(r"\big|x\big|, \dots", block=True)


def test_the_menu_lists_the_course_in_its_order() -> None:
    listed = re.findall(r"</notebooks/(\w+)>", (SITE / "index.md").read_text(encoding="utf-8"))
    assert listed == ["README", *sorted(path.stem for path in SITE.parent.glob("*.ipynb"))]
