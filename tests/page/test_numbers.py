"""The numbers of the page against Python's, in a real browser: each operation and partial, then f and its gradient."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from typing import Any

import corpora
import numpy as np
import pages
import pytest
from pages import opened, quiet, ulps

import adlab
from adlab.errors import AdlabError
from adlab.page.course import _with_point
from adlab.page.document import packed
from adlab.page.facts import facts

pytest.importorskip("selenium.webdriver")

ULPS = 4
"""Ulps that one primitive may differ from Python's by."""
ROWS = 200
"""Rows of the corpora: those of a fixed shuffle that JavaScript can compute."""
NUMBERS = """
const [data, primals] = arguments, made = new (window.adlab.numbers.constructor)(data);
const plain = (x) => (Number.isNaN(x) ? null : x);
const given = primals.map((x) => x ?? NaN), operands = (i) => data.nodes[i].operands.map((k) => given[k]);
return { partials: made.operations.map((i) => made.partials(i, given).map(plain)),
  values: made.operations.map((i) => plain(window.adlab.apply(data.nodes[i].op, operands(i), data.nodes[i].parameter))),
  outputs: data.outputs.map((_, k) => { made.choose(k); return [made.value(data.point), made.gradient(data.point)]; }) };
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    driver = pages.browser()
    opened(driver, tmp_path_factory.mktemp("any"), "x*y", [2.0, 3.0])
    yield driver
    quiet(driver)
    driver.quit()


def differing(browser: Any, f: adlab.Function, point: Any) -> list[Any]:
    """Where the page's numbers are not Python's: operations, partials, the value, the gradient."""
    data = facts(f, np.array(point, dtype=float))
    assert data["live"]
    trace = f.trace(point)
    got = browser.execute_script(NUMBERS, json.loads(packed(data)), [x if math.isfinite(x) else None for x in trace.primals])
    wrong: list[Any] = []
    for i, value, local in zip(f.graph.operations, got["values"], got["partials"], strict=True):
        wrong += [(f.graph.written(i), a, b) for a, b in [(value, trace.primals[i])] if not alike(a, b, ULPS)]
        # A partial is a small graph of primitives: each of them may differ by so much.
        length = max(1, len(data["rules"][data["keys"][str(i)]]["nodes"]))
        wrong += [(f.graph.written(i), k, a, b) for k, (a, b) in enumerate(zip(local, trace.partials[i], strict=True))
                  if f.graph.active[f.graph.nodes[i].operands[k]] and not alike(a, b, ULPS * length)]  # fmt: skip
    scale = max(abs(x) for x in trace.primals if math.isfinite(x))
    rows = np.atleast_1d(f(point)), f.jacobian(point) if f.m > 1 else f.gradient(point)[None]
    for (value, gradient), right, due in zip(got["outputs"], *rows, strict=True):
        wrong += [("f", value, right)] if abs(value - right) > 1e-13 * scale else []
        size = float(np.max(np.abs(due)))
        wrong += [("gradient", a, b) for a, b in zip(gradient, due.tolist(), strict=True)
                  if not math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-13 * size)]  # fmt: skip
    return wrong


def alike(a: float | None, b: float | None, most: float) -> bool:
    """Both are no number, or they are so near. None stands for the partial by an operand that is not used."""
    if a is None or b is None or math.isnan(b):
        return a is None and (b is None or math.isnan(b))
    return ulps(a, b) <= most


@pytest.mark.slow
@pytest.mark.parametrize("name", adlab.gallery.GALLERY)
def test_the_gallery_has_pythons_numbers(browser: Any, name: str) -> None:
    assert differing(browser, *_with_point(adlab.gallery.GALLERY[name]())) == []


@pytest.mark.slow
@corpora.needed
def test_rows_of_the_corpora_have_pythons_numbers(browser: Any) -> None:
    found, wrong = 0, {}
    rows = [row for row in corpora.every_row() if "variables" in row]
    random.Random(5).shuffle(rows)
    for row in rows:
        try:
            f = adlab.Function(row["expr"], variables=row["variables"])
            point = [float(row["point"][name]) for name in f.names]
            f.trace(point)
            if not facts(f, np.array(point))["live"]:
                continue
        except AdlabError:  # adlab says why; the page would, too
            continue
        found += 1
        bad = differing(browser, f, point)
        wrong |= {row["id"]: bad} if bad else {}
        if found == ROWS:
            break
    assert found == ROWS
    assert wrong == {}
