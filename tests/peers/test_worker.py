"""What may hang or crash runs in a process that can be killed, and is a row that says how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adlab import gallery
from adlab.errors import GaveUp, MethodError, PeerError
from adlab.graph.graph import Graph
from adlab.methods import METHODS
from adlab.peers import PEERS, tree_size, worker
from adlab.report.accuracy import attempt


def children() -> list[str]:
    """The command lines of this process's children."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if status.read_text().rpartition(")")[2].split()[1] == str(os.getpid()):
                found.append((status.parent / "cmdline").read_text())
        except OSError:
            pass
    return [command for command in found if "adlab.peers.worker" in command]


def test_a_graph_survives_the_journey() -> None:
    graph = gallery.attention().graph
    assert str(worker.unflat(*worker.flat(graph)).check()) == str(graph)


def test_the_worker_gives_what_the_place_gives(graph_peer: Any) -> None:
    f = gallery.worked_example()
    away = worker.Worker(graph_peer, f.graph, 60.0)
    assert away(np.array([1.0, 2.0])) == pytest.approx(f.jacobian([1.0, 2.0], method=graph_peer.name), rel=1e-15)
    with pytest.raises(MethodError, match="`lambertw`"):
        worker.Worker(graph_peer, lambert(), 60.0)(np.array([1.0]))


def lambert() -> Graph:
    from adlab.function import Function

    return Function("LambertW(x)").graph


def test_symengine_unfolds_what_is_shared_and_is_stopped() -> None:
    pytest.importorskip("symengine")
    f = gallery.logistic_map(50)
    assert tree_size(f.graph) > 1e15
    started = time.monotonic()
    tried = attempt(f, METHODS["symengine"], np.array([0.3]))
    with pytest.raises(GaveUp, match="SymEngine gave up: stopped after 1 s"):
        f.gradient(0.3, method="symengine", seconds=1.0)
    assert tried.status in ("gave up", "crashed")  # time, or its memory, is up
    assert time.monotonic() - started < 60
    assert not children()


def test_a_crash_is_a_row_and_not_the_end() -> None:
    pytest.importorskip("symengine")
    f = gallery.chain(20_000)
    with pytest.raises(PeerError, match=r"SymEngine crashed: its process ended by SIG\w+"):
        f.gradient(f.point, method="symengine")


@pytest.mark.parametrize("name", ["torch", "jax", "casadi", "autograd"])
def test_others_share_what_is_shared(name: str) -> None:
    pytest.importorskip(PEERS[name].package)
    f = gallery.logistic_map(50)
    assert f.gradient(0.3, method=name) == pytest.approx(f.gradient(0.3), rel=1e-6)


def test_the_end_of_a_process_in_words() -> None:
    assert worker._ending(-signal.SIGSEGV) == "SIGSEGV"
    assert worker._ending(3) == "exit code 3"
    assert subprocess.TimeoutExpired  # what `communicate` raises, and the worker turns into GaveUp
