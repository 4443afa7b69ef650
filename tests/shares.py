"""Many cases of one statement: some in an everyday run, the others as slow proofs, of which CI runs some."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def share(cases: Iterable[Any], one_in: int = 3) -> list[Any]:
    """The cases as parameters of one argument: one in so many in an everyday run, the others marked slow."""
    return [pytest.param(case, marks=[] if i % one_in == 0 else pytest.mark.slow) for i, case in enumerate(cases)]


def but_slow(cases: Iterable[Any], dear: Iterable[Any]) -> list[Any]:
    """The cases as parameters of one argument, those that take long marked slow. Each is told by itself or its name."""
    dear = set(dear)
    return [
        pytest.param(case, marks=pytest.mark.slow if {case, getattr(case, "__name__", case)} & dear else []) for case in cases
    ]
