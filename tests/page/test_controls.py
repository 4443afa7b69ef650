"""Every control of the page, in a real browser: what a reader presses or chooses changes what the page shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pages
import pytest
from pages import opened, quiet

import adlab

pytest.importorskip("selenium.webdriver")

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

TESTED = {
    "back", "next", "slider", "play", "mode", "output", "level", "break", "student", "download", "answer", "check", "hint",
    "by", "h", "single", "differenced", "live", "node", "sort", "copy", "guess", "Answer", "because", "clip",
}  # fmt: skip
"""The kinds of controls, by id, class or name. The tests of this file and of test_browser.py use each of them."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    driver = pages.browser()
    yield driver
    driver.quit()


def text(browser: Any, name: str) -> str:
    return str(browser.find_element(By.ID, name).text)


def press(browser: Any, name: str) -> None:
    browser.find_element(By.ID, name).click()


def test_no_control_is_without_a_test(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, adlab.Function(["tanh(x*y)", "x + y"], ["x", "y"]), [1.0, 2.0], comparison=True)
    kinds = browser.execute_script("""return [...document.querySelectorAll("button, input, select, textarea")].map((e) =>
      e.id || [...e.classList].find((c) => ["live", "node", "sort", "copy"].includes(c)) || e.name ||
      (e.dataset.because ? "because" : e.textContent))""")
    assert set(kinds) == TESTED
    unnamed = browser.execute_script("""return [...document.querySelectorAll("button, input, select, textarea")].filter((e) =>
      !(e.textContent.trim() || e.getAttribute("aria-label") || e.closest("label"))).map((e) => e.outerHTML)""")
    assert unnamed == []


def test_keys_work_wherever_the_focus_is(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, "x*sin(x)", [2.0])
    press(browser, "next")
    press(browser, "next")
    press(browser, "back")  # the focus is on a button now
    browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert text(browser, "where").startswith("step 2 of")
    browser.switch_to.active_element.send_keys(Keys.SPACE)  # the space bar presses the button that has the focus: Back
    assert text(browser, "where").startswith("step 1 of")
    browser.find_element(By.CSS_SELECTOR, "#graph .box").click()
    browser.execute_script("document.activeElement.blur()")
    here = browser.execute_script("return window.adlab.walk.step")
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.SPACE)
    assert browser.execute_script("return window.adlab.walk.step") == here - 1
    quiet(browser)


def test_it_plays_only_when_asked_and_stops(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, "x*sin(x)", [2.0])
    assert text(browser, "where").startswith("step 0 of")
    press(browser, "play")
    assert text(browser, "play") == "Pause"
    assert text(browser, "where").startswith("step 1 of")
    press(browser, "play")
    assert text(browser, "play") == "Play"
    quiet(browser)


def test_hints_come_in_letters_then_in_numbers_then_the_answer_and_do_not_count(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, "x*sin(x)", [2.0])
    Select(browser.find_element(By.ID, "level")).select_by_value("1")
    while not browser.find_element(By.ID, "ask").is_displayed():
        press(browser, "next")
    said = []
    for _ in range(3):
        press(browser, "hint")
        said.append(text(browser, "feedback"))
    assert [line.partition(":")[0].partition(" is ")[0] for line in said] == ["In letters", "In numbers", "The answer"]
    browser.find_element(By.ID, "answer").send_keys(said[-1].rpartition(" ")[2])
    press(browser, "check")
    assert not browser.find_element(By.ID, "ask").is_displayed()
    assert text(browser, "score") == "0 of 1 right at the first try"
    quiet(browser)


def test_answers_stand_in_the_address_and_in_the_file(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, "x*sin(x)", [2.0])
    Select(browser.find_element(By.ID, "level")).select_by_value("2")
    browser.find_element(By.ID, "student").send_keys("Ada")
    press(browser, "next")
    browser.find_element(By.ID, "answer").send_keys("0.909", Keys.ENTER)
    press(browser, "next")
    browser.find_element(By.ID, "answer").send_keys("9", Keys.ENTER)
    assert browser.find_element(By.ID, "answer").get_attribute("aria-invalid") == "true"
    browser.execute_script(
        "const made = URL.createObjectURL; URL.createObjectURL = (blob) => { blob.text().then((t) => { window.saved = t; }); "
        "return made(blob); };"
    )
    press(browser, "download")
    look = "const done = arguments[0], look = () => (window.saved ? done(window.saved) : setTimeout(look, 20)); look();"
    saved = json.loads(browser.execute_async_script(look))
    assert (saved["student"], saved["answers"]["primal"], saved["score"]) == ("Ada", {"v1": 0.909}, {"right": 1, "asked": 1})
    address = browser.current_url
    browser.get("about:blank")
    browser.get(address)
    assert browser.find_element(By.ID, "student").get_attribute("value") == "Ada"
    assert text(browser, "score") == "1 of 1 right at the first try"
    quiet(browser)


def test_every_prediction_is_answered(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, adlab.gallery.worked_example(), comparison=True)
    given = {"uses": ("1", "Not so: x1 is used 2 times"), "cost": ("reverse", "Right. Reverse mode needs one sweep"),
             "swell": ("30", "Well estimated: the tree of the symbolic derivative has 26"),
             "step": ("-5", "You said h = 1e-5")}  # fmt: skip
    for kind, (guess, due) in given.items():
        form = browser.find_element(By.CSS_SELECTOR, f"form[data-kind={kind}]")
        browser.execute_script("arguments[0].elements.guess.value = arguments[1]", form, guess)
        form.find_element(By.TAG_NAME, "button").click()
        assert form.find_element(By.TAG_NAME, "output").text.startswith(due)
    for name in ("by", "differenced"):
        before = browser.find_element(By.ID, "predicted").text
        Select(browser.find_element(By.ID, name)).select_by_index(1)
        assert browser.find_element(By.ID, "predicted").text != before
    before = text(browser, "atstep")
    press(browser, "single")
    assert text(browser, "atstep") != before
    browser.execute_script("const h = document.getElementById('h'); h.value = -3; h.dispatchEvent(new Event('input'))")
    assert text(browser, "atstep").startswith("h = 1e−3")
    quiet(browser)


def test_tables_are_copied_in_three_forms(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, "x*sin(x)", [2.0], comparison=True)
    for form, start in (("markdown", "| method | operations |"), ("csv", "method,operations,"), ("latex", "\\begin{tabular}")):
        button = browser.find_element(By.CSS_SELECTOR, f"section[data-table=cost] button.copy[data-form={form}]")
        browser.execute_script("arguments[0].click()", button)
        assert browser.find_element(By.ID, "clip").get_attribute("value").startswith(start)
    quiet(browser)


def test_both_sweeps_stand_side_by_side_with_their_counts(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, adlab.gallery.worked_example())
    Select(browser.find_element(By.ID, "mode")).select_by_value("both:0")
    browser.execute_script("const s = document.getElementById('slider'); s.value = s.max; s.dispatchEvent(new Event('input'))")
    assert text(browser, "tangent7") == text(browser, "adjoint0") == "0.5215"
    assert "forward mode" in text(browser, "spent")
    assert "reverse mode 9 products and 2 sums, for all inputs" in text(browser, "spent")
    quiet(browser)


@pytest.mark.slow
@pytest.mark.parametrize(("formula", "point"), [
    ("x*y", [1e308, 1e-308]), ("x/(x+y)", [1e308, 1e308]), ("x*y", [1e-320, 2.0]), ("3", [1.0]), ("f*g", [1.0, 2.0]),
    ("α*β", [1.0, -0.0]), ("besselj(0, x)*y", [1.0, 2.0]), ("x - x + y*0", [1.0, 2.0]),
])  # fmt: skip
def test_at_the_edges_it_still_walks(browser: Any, tmp_path: Path, formula: str, point: list[float]) -> None:
    f = adlab.Function(formula, ["x"]) if formula == "3" else adlab.Function(formula)
    opened(browser, tmp_path, f, point)
    walked = """const a = window.adlab, slider = document.getElementById("slider");
    for (const id of ["mode", "break"]) for (const option of document.getElementById(id).options) {
      const e = document.getElementById(id);
      e.value = option.value;
      e.dispatchEvent(new Event("change"));
      for (let k = 0; k <= a.walk.last; k += 1) { slider.value = k; slider.dispatchEvent(new Event("input")); }
    }
    document.querySelectorAll("form.predict").forEach((form) => { if (!form.hidden) form.requestSubmit(); });
    return ["undefined", "NaN", "[object", "Infinity", "null"].filter((bad) => document.body.innerText.includes(bad));"""
    assert browser.execute_script(walked) == []
    quiet(browser)
