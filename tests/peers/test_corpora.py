"""Formulas nobody here wrote: each peer against a reference that no derivative rule has touched."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adlab.function import Function
from adlab.peers import Peer
from adlab.registry import METHODS
from adlab.report.accuracy import attempt

CORPORA = Path(os.environ.get("ADLAB_CORPORA", Path(__file__).resolve().parents[2].parent / "shared" / "corpora"))

# Disagreements, each with its reason; the others agree to 1e-10.
COMPLEX_INSIDE = "the product of two complex powers is real, and frameworks compute on reals"
NOT_FINITE = {"rubi-4.5.2.1-226": COMPLEX_INSIDE}


def rows(name: str, step: int) -> list[dict[str, Any]]:
    path = CORPORA / f"{name}.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is not there; set ADLAB_CORPORA")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()][::step]


@pytest.mark.parametrize(("corpus", "step"), [("feynman", 12), ("rubi_sections", 128)])
def test_agreement_with_the_reference(graph_peer: Peer, corpus: str, step: int) -> None:
    wrong = []
    for row in rows(corpus, step):
        f = Function(row["expr"], row["variables"])
        tried = attempt(f, METHODS[graph_peer.name], np.array([float(row["point"][v]) for v in row["variables"]]))
        assert tried.result is not None, (row["id"], tried.note)
        reference = np.array([float(row["gradient"][v] or "nan") for v in row["variables"]])
        close = np.isclose(tried.result.jacobian[0], reference, rtol=1e-10, atol=1e-13 * np.nanmax(np.abs(reference)))
        if not (close | np.isnan(reference)).all():
            wrong.append(row["id"])
    assert not set(wrong) - set(NOT_FINITE)
