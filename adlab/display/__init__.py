"""Tables and paragraphs, written once and shown as text, Markdown, HTML, LaTeX, CSV or JSON."""

from adlab.display.numbers import (
    count as count,
    displayed as displayed,
    explained as explained,
    significant as significant,
    withheld as withheld,
)
from adlab.display.report import Report as Report
from adlab.display.table import Table as Table, Verbatim as Verbatim
