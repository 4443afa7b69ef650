"""The page for everybody: axe-core's rules, light and dark, reduced motion, paper, and nothing that stays behind."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pages
import pytest
from pages import quiet, shown

import adlab
from adlab.page import course
from adlab.page.build import page

pytest.importorskip("selenium.webdriver")

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

AXE = next((name for name in ("axe_playwright_python", "axe_core_python") if find_spec(name)), "")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    driver = pages.browser()
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def worked() -> str:
    return page(adlab.gallery.worked_example()).html


def violations(browser: Any) -> list[str]:
    """What axe-core finds, each with the first element that breaks the rule."""
    browser.execute_script(files(AXE).joinpath("axe.min.js").read_text(encoding="utf-8") + ";window.axe = axe;")
    found = browser.execute_async_script(
        "const done = arguments[1]; axe.run(document, {runOnly: arguments[0]}).then((r) => done(r.violations.map((v) => "
        "`${v.id}: ${v.nodes[0].html.slice(0, 200)} ${v.nodes[0].failureSummary.slice(0, 200)}`)))", RULES)  # fmt: skip
    return list(found)


def scheme(browser: Any, **features: str) -> None:
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": name.replace("_", "-"), "value": value} for name, value in features.items()]})  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not AXE, reason="no axe-core here: pip install axe-core-python")
@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, tmp_path: Path, worked: str, look: str) -> None:
    scheme(browser, prefers_color_scheme=look)
    large = page(adlab.gallery.GALLERY["helmholtz"](), comparison=False).html
    row = '<tr><th scope="row"><a href="a.html">f</a></th><td>2</td><td>6</td><td>two</td></tr>'
    rest = [large, course.index([row]).html, course.explorers().html, course.ten_questions().html]
    found = {}
    for k, html in enumerate([worked, *rest]):
        shown(browser, tmp_path, html)
        browser.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        browser.execute_script("document.querySelectorAll('.after, .aftersteps').forEach((d) => { d.hidden = false; })")
        if k < 2:
            for state in ("at the start", "filling in", "broken"):
                if state == "filling in":
                    Select(browser.find_element(By.ID, "level")).select_by_value("2")
                    browser.find_element(By.ID, "next").click()
                    browser.find_element(By.ID, "check").click()
                if state == "broken":
                    Select(browser.find_element(By.ID, "level")).select_by_value("0")
                    Select(browser.find_element(By.ID, "break")).select_by_value("overwrite")
                found[k, state] = violations(browser)
        else:
            found[k, ""] = violations(browser)
    scheme(browser)
    assert {where: what for where, what in found.items() if what} == {}


def test_motion_is_reduced_where_it_is_asked_for(browser: Any, tmp_path: Path) -> None:
    shown(browser, tmp_path, page("x*y", [2.0, 3.0], comparison=False).html)
    browser.execute_script(
        "const w = window.adlab.walk, s = document.getElementById('slider'); s.value = w.events.findIndex((e) => e.beat === 2);"
        "s.dispatchEvent(new Event('input'))"
    )
    name = "return getComputedStyle(document.querySelector('.edge.travel path')).animationName"
    assert browser.execute_script(name) == "travel"
    scheme(browser, prefers_reduced_motion="reduce")
    assert browser.execute_script(name) == "none"
    scheme(browser)
    quiet(browser)


def test_on_paper_there_are_numbers_and_no_controls(browser: Any, tmp_path: Path) -> None:
    shown(browser, tmp_path, page("x*y", [2.0, 3.0], comparison=False).html)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not browser.find_element(By.ID, "next").is_displayed()
    assert browser.find_element(By.ID, "list").is_displayed()
    for names in ("#list button.node", "th button.sort"):  # names that can be pressed are still names
        assert all(name.is_displayed() for name in browser.find_elements(By.CSS_SELECTOR, names))
    browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert [browser.find_element(By.ID, f"adjoint{i}").text for i in range(3)] == ["3", "2", "1"]
    browser.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert browser.find_element(By.ID, "adjoint0").text == ""
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.slow
def test_fifty_openings_leave_nothing_behind(browser: Any, tmp_path: Path, worked: str) -> None:
    """Documents, nodes, listeners and bytes are as many after fifty openings as after five."""
    shown(browser, tmp_path, worked)

    def held() -> dict[str, float]:
        for command in ("HeapProfiler.collectGarbage", "HeapProfiler.collectGarbage"):
            browser.execute_cdp_cmd(command, {})
        found = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return {entry["name"]: entry["value"] for entry in found}

    browser.execute_cdp_cmd("Performance.enable", {})
    seen = []
    for k in range(50):
        browser.refresh()
        browser.find_element(By.ID, "next").click()
        if k in (4, 49):
            seen.append(held())
    early, late = seen
    for what in ("Documents", "Nodes", "JSEventListeners"):
        assert late[what] <= 1.1 * early[what], (what, early[what], late[what])
    assert late["JSHeapUsedSize"] <= 1.2 * early["JSHeapUsedSize"]
    quiet(browser)
