"""A page that was made: its text, its file, and how a notebook shows it."""

from __future__ import annotations

from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from adlab.errors import OptionError, OutputError
from adlab.page.widget import widget
from adlab.process import whole_file


class Page:
    """An HTML page of one function at one point. `html` is the text of the file.

    `inside` is what the file is made of: the markup of its body, and the data of its script. A page of a course has none.
    """

    def __init__(self, html: str, title: str, inside: tuple[str, dict[str, Any]] | None = None, still: str = "") -> None:
        self.html, self.title, self.inside, self.still = html, title, inside, still

    def __str__(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<page: {self.title}>"

    def _repr_html_(self) -> str:
        """In a notebook: a frame of its own, with scripts and nothing else allowed.

        Where a notebook is shown without scripts, frames and style sheets are taken out. Then the picture is what is left.
        """
        frame = ('<iframe sandbox="allow-scripts allow-downloads" width="100%" height="900" '
                 f'srcdoc="{escape(self.html, quote=True)}"></iframe>')  # fmt: skip
        return f"<style>.adlab-still {{ display: none }}</style>{frame}<div class=\"adlab-still\">{self.still}</div>" if self.still else frame

    def _repr_mimebundle_(self, **_: Any) -> Any:
        """In a notebook with anywidget: the page itself, and beside it the frame and the picture for where there are no widgets."""
        plain = {"text/html": self._repr_html_(), "text/plain": repr(self)}
        if self.inside is None or not find_spec("anywidget"):
            return plain
        made = self.widget()._repr_mimebundle_()
        shown, notes = made if isinstance(made, tuple) else (made, {})
        return {**shown, **plain}, notes

    def widget(self) -> Any:
        """The page as a widget of a notebook. Raises MissingExtra without anywidget, and OptionError for a page of a course."""
        if self.inside is None:
            raise OptionError(f"the page “{self.title}” shows no single function, so it is no widget; save it, and open it in a browser")
        return widget(*self.inside)

    def save(self, path: str | Path) -> Path:
        """Writes the file and returns its path. Raises OutputError where that is impossible."""
        target = Path(path)
        try:
            with whole_file(target) as draft:
                draft.write_text(self.html, encoding="utf-8")
        except OSError as error:
            raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
        return target
