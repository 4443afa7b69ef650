"""What the tests of the page share: a headless browser, a page opened in it, and node for the script's modules."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from adlab.page import build, document, facts, formulas
from adlab.tracing.places import at_point

SCRIPTS = Path(build.__file__).parent / "script"
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--window-size=1280,1000"]  # fmt: skip


def browser(*flags: str) -> Any:
    """Headless Chromium. The test module is skipped where it is not installed."""
    webdriver = pytest.importorskip("selenium.webdriver")
    if shutil.which("chromedriver") is None or shutil.which("chromium") is None:
        pytest.skip("this machine has no chromium with chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in [*FLAGS, *flags]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


def opened(driver: Any, tmp_path: Path, f: Any, x: Any = None, comparison: bool = False, hash: str = "") -> Any:
    """The page of f in the browser. A comparison takes a second to make, so most tests have none."""
    return shown(driver, tmp_path, build.page(f, x, comparison=None if comparison else False).html, hash)


def shown(driver: Any, tmp_path: Path, html: str, hash: str = "") -> Any:
    """A page, as a text, in the browser."""
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    driver.get("about:blank")
    driver.get_log("browser")
    driver.get((tmp_path / "page.html").as_uri() + hash)
    return driver


def quiet(driver: Any) -> None:
    """No error on the console, and nothing was asked for."""
    assert not [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0


def data(f: Any, x: Any = None) -> dict[str, Any]:
    """What the page's script gets."""
    function, point = at_point(f, x)
    return facts.facts(function, point) | {"formula": formulas.formula_text(function)}


READ = """const text = await new Promise((resolve) => {
  let read = ""; process.stdin.on("data", (part) => { read += part; }).on("end", () => resolve(read)); });
const given = JSON.parse(text);
"""
WRITE = 'console.log(JSON.stringify(await main(), (k, v) => (typeof v === "number" && !Number.isFinite(v) ? String(v) : v)));'


def node(code: str, given: Any = None) -> Any:
    """What a piece of JavaScript returns, as JSON. `given` is what it gets. The script's modules are in scope by their names."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("this machine has no node")
    modules = "".join(f'import * as {path.stem} from "{path.as_uri()}";\n' for path in sorted(SCRIPTS.glob("*.js")))
    text = f"{modules}{READ}async function main() {{ {code} }}\n{WRITE}"
    call = [program, "--input-type=module", "-e", text]
    done = subprocess.run(call, input=document.packed(given), text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ulps(a: Any, b: float) -> float:
    """How many ulps of b the number a is away; a text, such as "NaN", is no number."""
    if a == b:
        return 0.0
    return abs(a - b) / math.ulp(b) if isinstance(a, (int, float)) and math.isfinite(b) else math.inf
