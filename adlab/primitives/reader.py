"""Reads formula text. The table first tells the text reader which names it serves."""

from __future__ import annotations

import adlab.primitives.table  # noqa: F401 (which tells them)
from adlab.text.parser import parse as parse
