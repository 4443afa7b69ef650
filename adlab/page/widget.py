"""The page as a widget of a notebook, with anywidget. The script and the style sheet are those of the file."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

from adlab.errors import MissingExtra
from adlab.page.document import MODULES, packed, script, source


def widget(body: str, data: dict[str, Any]) -> Any:
    """The widget that shows the markup `body` and gives its script the `data`. Raises MissingExtra without anywidget."""
    if not find_spec("anywidget"):
        raise MissingExtra("a page as a widget needs anywidget: pip install 'adlab[widget]'")
    return _kind()(body=body, facts=packed(data), look=source("page.css"))


def module() -> str:
    """The ES module of the widget: the page's own modules, and one that mounts them in a cell."""
    return script((*MODULES, "widget"))


@cache
def _kind() -> Any:
    """The class of the widget. It is made when it is first needed, so that anywidget is loaded only then."""
    from anywidget import AnyWidget
    from traitlets import Unicode

    traits = {name: Unicode("").tag(sync=True) for name in ("body", "facts", "look")}
    return type("PageWidget", (AnyWidget,), {"__doc__": "A page in a cell.", "_esm": module(), **traits})
