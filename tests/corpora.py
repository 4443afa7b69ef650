"""Where the corpora are: real formulas with reference gradients, which are no part of the project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "corpora"
CORPORA = Path(os.environ.get("ADLAB_CORPORA", BESIDE))
needed = pytest.mark.skipif(not CORPORA.exists(), reason=f"no corpora at {CORPORA}: set ADLAB_CORPORA")


def rows(name: str) -> list[dict[str, Any]]:
    """Every row of one corpus; the test skips where it is not there."""
    path = CORPORA / f"{name}.jsonl"
    if not path.exists():
        pytest.skip(f"no {path.name} in {CORPORA}: set ADLAB_CORPORA")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


FORMULAS = (
    "adbench", "feynman", "global_optimisation", "large", "nist_strd", "rubi_sections", "rubi_special", "symbolic_regression"
)  # fmt: skip
"""The corpora whose rows are a formula in adlab's text; the others need a reader of their own."""


def every_row(but: str = "") -> list[dict[str, Any]]:
    """The rows of all corpora of formulas, in a fixed order, without those of one."""
    return [row for name in FORMULAS if name != but for row in rows(name)]
