"""One self-contained HTML file: markup, data, style sheet and script, with a policy that loads nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Any

MODULES = ("numbers", "words", "exercise", "faults", "walk", "curves", "schemes", "plane", "live", "tables", "fold", "picture", "rows", "page")
"""The modules of the page's script, each after those that it imports."""


def document(title: str, body: Iterable[str], data: Any, modules: Iterable[str], boot: str) -> str:
    """The text of the file. `data` is what the script reads, `modules` are its parts, `boot` is its last line."""
    code, style = script(modules) + boot, source("page.css")
    policy = (f"default-src 'none'; script-src '{_hash(code)}'; style-src '{_hash(style)}'; img-src data:; base-uri 'none'; "
              "form-action 'none'")  # fmt: skip
    return "\n".join([
        '<!doctype html>', '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">', f"<title>adlab: {escape(title)}</title>",
        f"<style>{style}</style></head><body>", *body,
        f'<script type="application/json" id="data">{packed(data)}</script>', f'<script type="module">{code}</script>', "</body></html>",
    ])  # fmt: skip


def script(modules: Iterable[str]) -> str:
    """The modules of `script/` as one. A module inside a file cannot be imported by address, so `import` and `export` go."""
    text = "\n".join(source(f"script/{name}.js") for name in modules)
    return re.sub(r"^import .*\n|^export (?=const|function|class|async)", "", text, flags=re.MULTILINE)


def source(name: str) -> str:
    """A file of this room."""
    return files("adlab.page").joinpath(*name.split("/")).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def packed(data: Any) -> str:
    """Data as JSON that can stand in a page: "</" would end the element that holds it, wherever it occurs."""
    return json.dumps(_finite(data), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _finite(data: Any) -> Any:
    """JSON has no NaN and no infinity: null stands for both."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and (data != data or abs(data) == float("inf")) else data
