"""The course: its files, its explorers, and each of the ten questions done in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pages
import pytest
from pages import data, node, quiet, shown

import adlab
from adlab.cli.main import main
from adlab.errors import OptionError
from adlab.page.course import FAMILIES, _file_name, explorers, ten_questions

pytest.importorskip("selenium.webdriver")

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    driver = pages.browser()
    yield driver
    driver.quit()


def test_a_list_makes_a_folder_whose_links_lead_somewhere(tmp_path: Path) -> None:
    given = [(adlab.Function("x*sin(y)"), [1.0, 2.0]), ("x*y", [1, 2]), adlab.gallery.baydin()]
    files = adlab.page(given, out=tmp_path / "course")
    assert [path.stem for path in files] == ["index", "explore", "questions", "f", "f-2", "baydins-example"]
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert len(text.encode()) < 1_500_000
        assert all((path.parent / link).exists() for link in re.findall(r'href="([^"]+)"', text))
    with pytest.raises(OptionError, match="out=FOLDER"):
        adlab.page(["x*y"])
    with pytest.raises(OptionError, match="no point"):
        adlab.page(["x*y"], out=tmp_path / "other")
    assert _file_name("index", {"index"}) == "index-2"


@pytest.mark.slow
def test_the_gallery_is_a_course(tmp_path: Path, capsys: Any) -> None:
    assert main(["page", "@gallery", "--out", str(tmp_path / "course"), "--quiet"]) == 0
    files = list((tmp_path / "course").glob("*.html"))
    assert len(files) == 3 + len(adlab.gallery.GALLERY)
    assert max(path.stat().st_size for path in files) < 1_500_000
    assert "wrote 17 files" in capsys.readouterr().out


def part(browser: Any, key: str) -> Any:
    return browser.find_element(By.ID, f"q-{key}")


def told(browser: Any, key: str) -> str:
    return str(part(browser, key).find_element(By.CLASS_NAME, "shows").text)


def press(browser: Any, key: str, words: list[str]) -> None:
    for word in words:
        part(browser, key).find_element(By.XPATH, f".//button[text()='{word}']").click()


def put(browser: Any, key: str, name: str, value: str) -> None:
    browser.execute_script(
        "const e = arguments[0]; e.value = arguments[1]; e.dispatchEvent(new Event('input'))",
        part(browser, key).find_element(By.NAME, name), value)  # fmt: skip


@pytest.mark.slow
def test_each_of_the_ten_questions_is_answered_by_doing(browser: Any, tmp_path: Path) -> None:
    shown(browser, tmp_path, ten_questions().html)
    press(browser, "order", ["v6", "v5", "v4", "v3", "v2", "v1"])
    assert "Right: every node waited" in told(browser, "order")
    press(browser, "order", ["start again", "v6", "v5", "v1", "v2", "v3", "v4"])
    assert "before all contributions" in told(browser, "order")
    put(browser, "weights", "v1", "0")
    assert "second row" in told(browser, "weights")
    put(browser, "symbolic", "x", "1")
    assert "gives 1.3818; reverse mode gave 1.3818" in told(browser, "symbolic")
    press(browser, "errors", ["Show the error"])
    assert "best near h = 1e−5" in part(browser, "errors").find_element(By.CLASS_NAME, "verdict").text
    put(browser, "swell", "guess", "100")
    part(browser, "swell").find_element(By.TAG_NAME, "button").click()
    depth = next(row for row in FAMILIES[0][2] if row == 8)
    assert f"Depth {depth}" in told(browser, "swell")
    Select(part(browser, "modes").find_element(By.NAME, "guess")).select_by_value("reverse")
    press(browser, "modes", ["Answer"])
    assert told(browser, "modes").startswith("Right.")
    put(browser, "nan", "x", "-1")
    assert "0 times what is no number" in told(browser, "nan")
    part(browser, "nan").find_element(By.NAME, "guard").click()
    assert "= 0." in told(browser, "nan")
    assert "no number" not in told(browser, "nan")
    for box in part(browser, "saved").find_elements(By.TAG_NAME, "input"):
        if box.get_attribute("value") in saved():
            box.click()
    press(browser, "saved", ["Check"])
    assert told(browser, "saved").startswith("Right.")
    press(browser, "jit", ["walk the list", "run straight-line code"])
    assert "(0.5215, 0.5635)" in told(browser, "jit")
    Select(part(browser, "check").find_element(By.NAME, "whose")).select_by_value("1")
    press(browser, "check", ["check along a random direction", "wrong"])
    assert told(browser, "check").startswith("So it is.")
    quiet(browser)


def saved() -> set[str]:
    """The nodes of the worked example whose values the partials read: operands of `x1*x2`, `sin`, `log` and `**2`."""
    names = {entry["name"]: str(i) for i, entry in enumerate(data(adlab.gallery.worked_example())["nodes"])}
    return {names[name] for name in ("x1", "x2", "v1", "v3", "v5")}


def test_straight_line_code_is_the_same_gradient() -> None:
    f = adlab.gallery.worked_example()
    got = node("return [questions.straight(1, 2), [...questions.kept(new numbers.Numbers(given))].map(String)];", data(f))
    assert got[0] == pytest.approx(f.gradient([1, 2]).tolist(), rel=1e-14)
    assert set(got[1]) == saved()


def test_the_explorers_move(browser: Any, tmp_path: Path) -> None:
    shown(browser, tmp_path, explorers().html)
    errors = browser.find_element(By.CSS_SELECTOR, ".errors")
    assert not errors.find_element(By.CSS_SELECTOR, "svg").is_displayed()
    errors.find_element(By.TAG_NAME, "button").click()
    before = errors.find_element(By.CLASS_NAME, "shows").text
    errors.find_element(By.NAME, "single").click()
    assert errors.find_element(By.CLASS_NAME, "shows").text != before
    for name in ("f", "by"):
        Select(errors.find_element(By.NAME, name)).select_by_index(0)
    Select(browser.find_element(By.NAME, "family")).select_by_index(1)
    assert "Depth" in browser.find_element(By.CSS_SELECTOR, ".swell .shows").text
    quiet(browser)
