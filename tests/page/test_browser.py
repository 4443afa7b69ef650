"""The page in a real browser: every control, its numbers against Python, the keyboard alone, no request, no error."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pages
import pytest
from pages import opened, quiet

import adlab
from adlab.page import course
from adlab.page.build import page

pytest.importorskip("selenium.webdriver")

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

FORMULAS = {
    "worked": ("log((x1 + x2)**2 + sin(x1*x2))", [1.0, 2.0]),
    "powers": ("x**3*y**2.5 + x**y - 1/x**2 + 2**x + cbrt(y)", [1.3, 0.7]),
    "trigonometry": ("tan(x) + asin(y)*acos(x/3) + atan2(x, y) + sec(x)*csc(y) + cot(x)", [0.6, 0.4]),
    "hyperbolic": ("sinh(x)*cosh(y) + tanh(x) + asinh(y) + acosh(2 + x) + atanh(y) + sech(x) + coth(y)", [0.6, 0.4]),
    "branches": ("Piecewise((x**2, x > y), (y*sin(x), True)) + Max(x, y)*Min(x, 2) + Abs(x - y) + floor(y)", [0.6, 1.4]),
    "softmax": ("exp(x)/(exp(x) + exp(y)) + hypot(x, y)", [3.0, 1.0]),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    driver = pages.browser()
    yield driver
    driver.quit()


@pytest.mark.parametrize("name", FORMULAS)
def test_its_numbers_are_pythons(browser: Any, tmp_path: Path, name: str) -> None:
    formula, point = FORMULAS[name]
    f = adlab.Function(formula)
    opened(browser, tmp_path, f, point)
    for x in (point, [1.1 * point[0], 0.9 * point[1]]):
        values, gradient = browser.execute_script(
            "return [window.adlab.numbers.evaluate(arguments[0]), window.adlab.numbers.gradient(arguments[0])]", x
        )
        assert values[f.graph.outputs[0]] == pytest.approx(f(x), rel=1e-14)
        assert gradient == pytest.approx(f.gradient(x).tolist(), rel=1e-13)
    quiet(browser)


def test_the_walk_ends_with_every_adjoint(browser: Any, tmp_path: Path) -> None:
    f = adlab.gallery.worked_example()
    opened(browser, tmp_path, f)
    assert browser.find_element(By.ID, "adjoint0").text == ""  # what is not computed yet shows nothing
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.ARROW_RIGHT * browser.execute_script("return window.adlab.walk.last"))
    for i, row in enumerate(f.trace([1, 2]).to_dict()["rows"]):
        shown = browser.find_element(By.ID, f"adjoint{i}").text.replace("−", "-")
        assert float(shown) == pytest.approx(row["adjoint"], rel=1e-4)
    body.send_keys(Keys.ARROW_LEFT)
    assert not browser.find_element(By.ID, "back").get_attribute("disabled")
    quiet(browser)


def test_forward_mode_gives_the_tangent_of_the_chosen_direction(browser: Any, tmp_path: Path) -> None:
    f = adlab.gallery.worked_example()
    opened(browser, tmp_path, f)
    Select(browser.find_element(By.ID, "mode")).select_by_value("forward:1")
    to_the_end(browser)
    last = browser.find_element(By.ID, f"tangent{f.graph.outputs[0]}").text
    assert float(last) == pytest.approx(f.gradient([1, 2])[1], rel=1e-4)
    quiet(browser)


def test_another_output_is_swept_with_its_own_program(browser: Any, tmp_path: Path) -> None:
    f = adlab.Function(["x*y", "sin(x)*y + x*y"], ["x", "y"])
    opened(browser, tmp_path, f, [2.0, 3.0], hash="#output=1&step=999")
    due = f.jacobian([2.0, 3.0])
    for output in (1, 0):
        Select(browser.find_element(By.ID, "output")).select_by_value(str(output))
        to_the_end(browser)
        shown = [float(browser.find_element(By.ID, f"adjoint{i}").text.replace("−", "-")) for i in range(2)]
        assert shown == pytest.approx(due[output].tolist(), rel=1e-4)
        assert f"∂f{output}/∂x = " in browser.find_element(By.ID, "numbers").text
        last = browser.execute_script("return document.querySelector('#program li:last-child').textContent")
        assert last.startswith(f"∂f{output}/∂x")
    quiet(browser)


def to_the_end(browser: Any) -> None:
    browser.execute_script(
        "const s = document.getElementById('slider'); s.value = s.max; s.dispatchEvent(new Event('input'))"
    )


def answers(browser: Any) -> Any:
    return browser.execute_script(
        "const w = window.adlab.walk, asked = w.asked(); return {...asked, right: asked.name ?? asked.number}"
    )


@pytest.mark.slow
def test_a_whole_exercise_by_keyboard_alone(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, "x*sin(x)", [2.0])

    def tab_to(name: str, back: bool = False) -> None:
        for _ in range(60):
            if browser.switch_to.active_element.get_attribute("id") == name:
                return
            keys = webdriver.ActionChains(browser)
            (keys.key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT) if back else keys.send_keys(Keys.TAB)).perform()
        raise AssertionError(f"{name} cannot be reached by Tab")

    tab_to("level")
    browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert browser.find_element(By.ID, "level").get_attribute("value") == "2"
    tab_to("next", back=True)
    wrong = 0
    for _ in range(200):
        if browser.execute_script("return window.adlab.walk.step === window.adlab.walk.last"):
            break
        if browser.find_element(By.ID, "ask").is_displayed():
            asked, box = answers(browser), browser.switch_to.active_element
            assert box.get_attribute("id") == "answer"
            if asked["kind"] == "sum" and asked["c"]["before"] is not None:  # first the best known slip
                box.send_keys(repr(asked["c"]["value"]), Keys.ENTER)
                assert "overwrote" in browser.find_element(By.ID, "feedback").text
                box.clear()
                wrong += 1
            box.send_keys(str(asked["right"]), Keys.ENTER)
        else:
            browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert wrong == 1
    assert browser.execute_script("const s = window.adlab.sheet().score; return s.asked - s.right") == 1
    assert "right at the first try" in browser.find_element(By.ID, "score").text
    quiet(browser)


def test_breaking_the_sweep_shows_where_it_goes_wrong(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, adlab.gallery.worked_example())
    for fault in ("overwrite", "factor", "order"):
        Select(browser.find_element(By.ID, "level")).select_by_value("2")
        Select(browser.find_element(By.ID, "break")).select_by_value(fault)
        assert "first wrong adjoint" in browser.find_element(By.ID, "damage").text
        assert browser.find_elements(By.CSS_SELECTOR, "#list tr.wrong")
        assert browser.find_element(By.ID, "level").get_attribute("value") == "0"  # wrong numbers are not asked for
    Select(browser.find_element(By.ID, "break")).select_by_value("tanh")
    assert "1 − tanh² = 0 where 1/cosh² = 3.1125e−19 is right" in browser.find_element(By.ID, "damage").text
    Select(browser.find_element(By.ID, "break")).select_by_value("")
    assert browser.find_element(By.ID, "damage").text == ""
    quiet(browser)


def test_a_step_that_is_too_small_fails_where_the_input_is_rounded(browser: Any, tmp_path: Path) -> None:
    f = adlab.gallery.worked_example()
    opened(browser, tmp_path, f)
    Select(browser.find_element(By.ID, "mode")).select_by_value("forward:1")
    Select(browser.find_element(By.ID, "break")).select_by_value("step")
    said = browser.find_element(By.ID, "damage").text
    assert "x2 + h rounds to x2 = 2. The first wrong difference quotient is that of x2: 0" in said
    assert "0 where its tangent x\u03072 is 1." in said
    assert "= 0 where ∂f/∂x2 = 0.5635 is right" in said
    wrong = [row.get_attribute("data-name") for row in browser.find_elements(By.CSS_SELECTOR, "#list tr.wrong")]
    assert wrong == ["x2", "v1", "v2", "v3", "v4", "v5", "v6"]
    Select(browser.find_element(By.ID, "break")).select_by_value("")
    assert browser.find_element(By.ID, "mode").get_attribute("value") == "reverse"
    quiet(browser)


def test_the_slope_of_tanh_is_lost_at_22(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, "y*tanh(x)", {"x": 22.0, "y": 2.0}, hash="#break=tanh&step=99")
    said = browser.find_element(By.ID, "damage").text
    assert "The first wrong adjoint is x̄: 0 where 6.2249e−19 is right." in said
    box = browser.find_element(By.CSS_SELECTOR, "input.live[type=number]")
    box.clear()
    box.send_keys("0.5")
    assert "changes nothing" in browser.find_element(By.ID, "damage").text
    quiet(browser)


def test_the_numbers_follow_the_inputs_and_say_where_there_are_none(browser: Any, tmp_path: Path) -> None:
    f = adlab.Function("log(x)*y")
    opened(browser, tmp_path, f, [2.0, 3.0])
    box = browser.find_element(By.CSS_SELECTOR, "input.live[type=number]")
    box.clear()
    box.send_keys("5")
    assert f"{f([5, 3]):.4f}"[:5] in browser.find_element(By.ID, "now").text
    box.clear()
    box.send_keys("-1")
    assert "no value" in browser.find_element(By.ID, "now").text
    quiet(browser)


def test_a_point_moves_in_the_plane_and_the_domain_has_an_edge(browser: Any, tmp_path: Path) -> None:
    f = adlab.Function("log(x)*y")
    opened(browser, tmp_path, f, [2.0, 3.0])
    plane = browser.find_element(By.ID, "plane")
    assert plane.find_elements(By.CLASS_NAME, "domain")
    assert "edge of its domain" in browser.find_element(By.ID, "plain").text
    browser.execute_script("arguments[0].scrollIntoView()", plane)
    webdriver.ActionChains(browser).move_to_element_with_offset(plane, 120, 40).click().perform()
    clicked = browser.execute_script("return window.adlab.walk.point")
    plane.send_keys(Keys.ARROW_LEFT, Keys.ARROW_UP)
    point = browser.execute_script("return window.adlab.walk.point")
    assert clicked != [2.0, 3.0]
    assert point[0] < clicked[0]
    assert point[1] > clicked[1]
    boxes = browser.find_elements(By.CSS_SELECTOR, "input.live[type=number]")
    assert [float(box.get_attribute("value")) for box in boxes] == point
    now = browser.find_element(By.ID, "now").text.replace("−", "-")
    assert float(now.partition("= ")[2].partition(",")[0]) == pytest.approx(f(point), rel=1e-4)
    opened(browser, tmp_path, "x*y", [2.0, 3.0])
    assert not browser.find_elements(By.CSS_SELECTOR, "#plane .domain")
    opened(browser, tmp_path, "x*y*z", [2.0, 3.0, 1.0])
    assert not browser.find_elements(By.ID, "plane")
    quiet(browser)


def test_the_best_step_is_predicted_before_the_curve_is_seen(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, "exp(x)", [1.0])
    assert not browser.find_element(By.ID, "curve").is_displayed()
    form = browser.find_element(By.CSS_SELECTOR, "form[data-kind=step]")
    browser.execute_script("const g = arguments[0].elements.guess; g.value = '-5'; g.dispatchEvent(new Event('input'))", form)
    form.find_element(By.TAG_NAME, "button").click()
    assert "h = 1e-5" in form.find_element(By.TAG_NAME, "output").text
    assert browser.find_element(By.ID, "curve").is_displayed()
    assert math.isclose(float(browser.find_element(By.ID, "h").get_attribute("value")), -5)
    assert len(browser.find_elements(By.CSS_SELECTOR, "#curve polyline:not(.branch)")) == 2
    rows = [row.text.split() for row in browser.find_elements(By.CSS_SELECTOR, "#schemes tbody tr")]
    box = browser.find_element(By.CSS_SELECTOR, "input.live[type=number]")
    box.clear()
    box.send_keys("2")
    assert float(rows[0][2]) == pytest.approx(math.e, rel=1e-4)
    for row in browser.find_elements(By.CSS_SELECTOR, "#schemes tbody tr"):
        assert float(row.text.split()[2]) == pytest.approx(math.e**2, rel=1e-4)
    quiet(browser)


def test_tables_sort_and_copy_and_show_what_a_sentence_rests_on(browser: Any, tmp_path: Path) -> None:
    found = adlab.compare("log(x) + (1 + x - 1)", [1e-9], timed=False)
    pages.shown(browser, tmp_path, page(found.function, [1e-9], comparison=found).html)
    table = browser.find_element(By.CSS_SELECTOR, "#comparison section table")
    table.find_elements(By.CSS_SELECTOR, "button.sort")[3].click()
    digits = browser.execute_script("return [...arguments[0].tBodies[0].rows].map((r) => r.cells[3].dataset.value)", table)
    numbers = [float(d) for d in digits if d]
    assert numbers == sorted(numbers)
    assert len(numbers) > 5
    assert table.find_elements(By.TAG_NAME, "th")[3].get_attribute("aria-sort") == "ascending"
    assert not browser.find_element(By.ID, "stale").is_displayed()
    browser.execute_script("const b = document.querySelector('input.live'); b.value = 3; b.dispatchEvent(new Event('input'))")
    assert browser.find_element(By.ID, "stale").is_displayed()  # the tables are Python's, at the point of the file
    browser.find_element(By.CSS_SELECTOR, "button.copy[data-form=csv]").click()
    assert browser.find_element(By.ID, "clip").get_attribute("value").startswith("method,by,value")
    rested = set()
    for button in browser.find_elements(By.CSS_SELECTOR, "#verdict button"):
        browser.execute_script("arguments[0].click()", button)
        because = json.loads(button.get_attribute("data-because"))
        lit = browser.find_elements(By.CSS_SELECTOR, "tr.because")
        named = [word for word in because if ":" in word or word.removeprefix("node ") in found.function.graph.names]
        assert bool(lit) == bool(named), because
        rested |= {word.partition(":")[0].partition(" ")[0] for word in because}
        browser.execute_script("arguments[0].click()", button)
        assert not browser.find_elements(By.CSS_SELECTOR, ".because")
    assert {"accuracy", "swell", "cost"} <= rested
    quiet(browser)


def test_nothing_scrolls_sideways(browser: Any, tmp_path: Path) -> None:
    row = f'<tr><th scope="row"><a href="a.html">{"a long title " * 9}</a></th><td>2</td><td>6</td><td>two</td></tr>'
    whole = page(adlab.gallery.worked_example(), comparison=adlab.compare(adlab.gallery.worked_example(), timed=False))
    for made in (whole, course.index([row]), course.explorers(), course.ten_questions()):
        pages.shown(browser, tmp_path, made.html)
        browser.execute_script("document.querySelectorAll('.after, #ask, .aftersteps').forEach((e) => { e.hidden = false; })")
        for width in (360, 768, 1920):
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})  # fmt: skip
            wide, room = browser.execute_script(
                "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
            )
            assert wide <= room, (made.title, width)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_name_that_is_markup_is_shown_as_text(browser: Any, tmp_path: Path) -> None:
    import sympy

    x = sympy.Symbol("<img src=x onerror=alert(1)>", real=True)
    opened(browser, tmp_path, adlab.Function(sympy.sin(x) * x, [x]), [1.0])
    assert x.name in browser.find_element(By.ID, "row0").text
    assert not browser.find_elements(By.TAG_NAME, "img")
    quiet(browser)


def test_a_long_list_opens(browser: Any, tmp_path: Path) -> None:
    f = adlab.gallery.GALLERY["logistic-map"](400)
    found = f.trace(f.point)
    assert len(found.to_dict()["rows"]) > 1000
    opened(browser, tmp_path, f)
    assert json.dumps(browser.execute_script("return window.adlab.numbers.gradient(window.adlab.walk.point)"))
    quiet(browser)


def test_a_block_opens_and_closes_by_keyboard(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, adlab.gallery.GALLERY["helmholtz"]())
    blocks = browser.find_elements(By.CSS_SELECTOR, "#graph .block")
    browser.execute_script("arguments[0].focus()", blocks[0])
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.text.startswith("close ")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#graph .box")) > len(blocks)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert len(browser.find_elements(By.CSS_SELECTOR, "#graph .block")) == len(blocks)
    to_the_end(browser)
    assert " sums" in browser.find_element(By.CSS_SELECTOR, "#graph .block .done").text
    first = browser.find_element(By.CSS_SELECTOR, "#list button.node")
    browser.execute_script("arguments[0].scrollIntoView()", first)  # out from under the controls, which stay at the top
    first.click()
    quiet(browser)


@pytest.mark.slow
def test_five_thousand_nodes_open(browser: Any, tmp_path: Path) -> None:
    f = adlab.gallery.GALLERY["helmholtz"](48)
    assert len(f.graph.operations) + f.n > 5000
    html = page(f, comparison=False).html
    assert len(html.encode()) < 1_500_000
    pages.shown(browser, tmp_path, html)
    assert browser.find_element(By.ID, "where").text.startswith("step 0 of 3")
    gradient = browser.execute_script("return window.adlab.numbers.gradient(window.adlab.walk.point)")
    assert gradient == pytest.approx(f.gradient(f.point).tolist(), rel=1e-12)
    browser.find_element(By.CSS_SELECTOR, "#window .later").click()
    assert browser.find_element(By.CSS_SELECTOR, "#window span").text == "lines 31 to 60 of 5004"
    to_the_end(browser)
    quiet(browser)


@pytest.mark.slow
def test_what_a_step_is_about_is_in_view(browser: Any, tmp_path: Path) -> None:
    """Row, box and line of the program are scrolled into their own regions; the page stays where it is."""
    opened(browser, tmp_path, adlab.gallery.robot_arm())
    seen = """const hidden = [], w = window.adlab.walk, slider = document.getElementById("slider"), top = window.scrollY;
    for (let step = 0; step <= w.last; step += 7) {
      slider.value = step;
      slider.dispatchEvent(new Event("input"));
      for (const e of [document.getElementById(`row${w.event.node}`), document.querySelector("#graph .box.now, #graph .edge.now"),
        document.querySelector("#program li.now")]) {
        if (!e) continue;
        const inner = e.getBoundingClientRect(), outer = e.closest(".scroll").getBoundingClientRect();
        const above = inner.top > outer.bottom || inner.bottom < outer.top;
        const beside = inner.left > outer.right || inner.right < outer.left;
        if (above || beside) hidden.push([step, e.id || e.textContent]);
      }
    }
    return [hidden, window.scrollY - top];"""
    assert browser.execute_script(seen) == [[], 0]
    quiet(browser)
