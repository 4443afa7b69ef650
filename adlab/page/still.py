"""A picture of the page, for where a notebook is shown without scripts: the graph with its numbers, as SVG inside an address."""

from __future__ import annotations

import base64
from html import escape
from typing import Any

from adlab.page.markup import graph_svg

# The colours of the style sheet in its light form. A picture inside an address has no access to the sheet.
STYLE = (
    "text{fill:#1b1f24;font:13px system-ui,'DejaVu Sans',Verdana,sans-serif;text-anchor:middle}.name,.adjoint{font-weight:bold}"
    ".adjoint{fill:#a84300}rect{fill:#f2f4f7;stroke:#8a94a3;stroke-width:1.2}.input rect{stroke:#0b5cad;stroke-width:2}"
    ".output rect{stroke:#0a6b4f;stroke-width:2.5}path{fill:none;stroke:#8a94a3;stroke-width:1.4}.paper{fill:#fff;stroke:none}"
)


def still(data: dict[str, Any], rows: dict[str, Any]) -> str:
    """The picture as an element; empty where the graph is too large to be drawn box by box."""
    if not data["picture"]:
        return ""
    drawn = graph_svg(data["picture"], data, {name: row["adjoint"] for name, row in rows.items()})
    paper = f'<style>{STYLE}</style><rect class="paper" x="-4" y="-4" width="100%" height="100%"/>'
    start = drawn.index(">") + 1
    text = drawn[: start - 1].replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1) + ">" + paper + drawn[start:]
    address = base64.b64encode(text.encode()).decode()
    return (f'<img alt="The computational graph of {escape(data["title"], quote=True)} with values and adjoints" '
            f'src="data:image/svg+xml;base64,{address}">')  # fmt: skip
