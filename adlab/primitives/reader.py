"""Formula text, read once the table has told the text which names it serves."""

from __future__ import annotations

import adlab.primitives.table  # noqa: F401 (which tells them)
from adlab.text.parser import parse as parse
