"""The page in a notebook: the widget in a real browser without a kernel, and what is left where scripts are not allowed."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pages
import pytest
from pages import quiet

import adlab
from adlab.errors import MissingExtra, OptionError
from adlab.page import course
from adlab.page.build import page
from adlab.page.document import packed, source
from adlab.page.widget import module


def test_without_anywidget_the_page_is_a_frame_and_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    made = page("x*y", [2.0, 3.0], comparison=False)
    with pytest.raises(MissingExtra, match=r"adlab\[widget\]"):
        made.widget()
    shown = made._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    assert "<iframe" in shown["text/html"]
    assert shown["text/plain"] == "<page: f = x*y>"


def test_a_page_of_a_course_is_no_widget() -> None:
    with pytest.raises(OptionError, match="no single function"):
        course.index([]).widget()


def test_where_scripts_are_taken_out_a_picture_with_the_numbers_is_left() -> None:
    """What a cleaner of notebooks takes away is the frame and the style that hides the picture."""
    f = adlab.gallery.worked_example()
    left = re.sub(r"<style>.*?</style>|<iframe.*?</iframe>", "", page(f, comparison=False)._repr_html_())
    address = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', left)
    assert address
    text = base64.b64decode(address[1]).decode()
    words = "".join(ElementTree.fromstring(text).itertext())
    for row in f.trace([1, 2]).to_dict()["rows"]:
        assert f"{row['primal']:.5g}" in words
        assert f"{row['adjoint']:.5g}".replace("-", "−") in words
    assert "<script" not in left


def test_anywidget_gets_the_module_and_the_data_of_the_file() -> None:
    pytest.importorskip("anywidget")
    made = page("x*sin(x)", 2.0, comparison=False)
    widget = made.widget()
    assert json.loads(widget.facts)["variables"] == ["x"]
    assert packed(json.loads(widget.facts)) in made.html
    assert widget.body in made.html
    assert widget._esm == module()
    shown, _ = made._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} == set(shown)


@pytest.mark.slow
def test_a_page_that_no_notebook_shows_loads_no_anywidget() -> None:
    code = "import sys, adlab; adlab.page('x*y', [2, 3], comparison=False); sys.exit('anywidget' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    driver = pages.browser()
    yield driver
    driver.quit()


SHOW = """
const [text, body, facts, look] = arguments, done = arguments[4], model = { body, facts, look };
import(URL.createObjectURL(new Blob([text], { type: "text/javascript" }))).then(({ default: widget }) => {
  const cell = document.getElementById("cell");
  window.root = () => cell.firstChild.shadowRoot;
  window.remove = widget.render({ model: { get: (name) => model[name] }, el: cell });
  done(true);
}, (error) => done(String(error)));
"""


def cell(browser: Any, tmp_path: Path, f: Any, x: Any = None) -> Any:
    """The widget of f in an element of an otherwise empty document. Returns its shadow root."""
    made = page(f, x, comparison=False)
    assert made.inside
    empty = '<title>cell</title><button>out</button><div id="cell"></div></html>'
    pages.shown(browser, tmp_path, f'<!doctype html><html lang="en">{empty}')
    body, data = made.inside
    assert browser.execute_async_script(SHOW, module(), body, packed(data), source("page.css")) is True
    return browser.find_element("css selector", "#cell > div").shadow_root


def test_the_widget_steps_fills_in_and_leaves(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select

    f = adlab.gallery.worked_example()
    root = cell(browser, tmp_path, f)
    before = browser.current_url
    after = root.find_element("id", "next")
    after.send_keys(Keys.ARROW_RIGHT * browser.execute_script("return Number(root().getElementById('slider').max)"))
    for i, row in enumerate(f.trace([1, 2]).to_dict()["rows"]):
        assert float(root.find_element("id", f"adjoint{i}").text.replace("−", "-")) == pytest.approx(row["adjoint"], rel=1e-4)
    Select(root.find_element("id", "level")).select_by_value("2")
    after.send_keys(Keys.ENTER)
    root.find_element("id", "answer").send_keys("17", Keys.ENTER)
    assert root.find_element("id", "feedback").text
    assert browser.current_url == before  # the address is the notebook's own
    styles = "const s = getComputedStyle(arguments[0]); return [s.backgroundColor, s.fontWeight]"
    assert browser.execute_script(styles, browser.find_element("tag name", "button")) != browser.execute_script(styles, after)
    browser.execute_script("remove()")
    assert browser.execute_script("return document.getElementById('cell').childNodes.length") == 0
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_a_name_that_is_markup_is_text_in_a_cell_too(browser: Any, tmp_path: Path) -> None:
    import sympy

    x = sympy.Symbol("<img src=x onerror=alert(1)>", real=True)
    root = cell(browser, tmp_path, adlab.Function(sympy.sin(x) * x, [x]), [1.0])
    assert x.name in root.find_element("id", "row0").text
    assert not root.find_elements("css selector", "img")
    quiet(browser)
