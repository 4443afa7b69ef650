"""What may hang or crash runs in a process that can be killed, and is a row that says how it ended."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from adlab import gallery
from adlab.errors import GaveUp, MethodError, PeerError
from adlab.function import Function
from adlab.methods import METHODS
from adlab.peers import apart, flat
from adlab.peers.catalogue import PEERS, prepare, tree_size
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
    return [command for command in found if "adlab.peers.peer_worker" in command]


def test_a_graph_survives_the_journey() -> None:
    graph = gallery.attention().graph
    assert str(flat.unflat(*flat.flat(graph)).check()) == str(graph)


@pytest.mark.parametrize("name", ["casadi", "torch"])
def test_the_worker_gives_what_the_place_gives(name: str) -> None:
    pytest.importorskip(PEERS[name].package)
    f = gallery.worked_example()
    away = apart.PeerWorker(name, PEERS[name].system, f.graph, 60.0)
    assert away(np.array([1.0, 2.0])) == pytest.approx(f.jacobian([1.0, 2.0], method=name), rel=1e-15)


def test_a_refusal_comes_back_from_the_worker() -> None:
    pytest.importorskip("casadi")
    with pytest.raises(MethodError, match="`lambertw`"):
        apart.PeerWorker("casadi", "CasADi", Function("LambertW(x)").graph, 60.0)(np.array([1.0]))


def test_symengine_unfolds_what_is_shared_and_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("symengine")
    f = gallery.logistic_map(50)
    assert tree_size(f.graph) > 1e15
    with pytest.raises(GaveUp, match="SymEngine gave up: stopped after 1 s"):
        f.gradient(0.3, method="symengine", seconds=1.0)
    monkeypatch.delattr(apart, "run_module")
    with pytest.raises(GaveUp):  # and does not try again
        f.gradient(0.3, method="symengine", seconds=1.0)
    assert not children()


def test_what_takes_a_compiler_minutes_is_stopped_too() -> None:
    """torch.compile works in place on what it compiles in half a minute; the rest goes where it can be killed."""
    pytest.importorskip("torch")
    peer = PEERS["torch-compile"]
    assert isinstance(prepare(peer, gallery.rosenbrock(100).graph), apart.PeerWorker)
    assert peer.measure(gallery.worked_example().graph) <= peer.largest


def test_a_crash_is_a_row_and_not_the_end() -> None:
    pytest.importorskip("symengine")
    f = gallery.chain(20_000)
    with pytest.raises(PeerError, match=r"SymEngine crashed: its process ended by SIG\w+"):
        f.gradient(f.point, method="symengine")
    tried = attempt(f, METHODS["symengine"], np.array(f.point))
    assert tried.status == "crashed"


@pytest.mark.parametrize("name", ["torch", "jax", "casadi", "autograd"])
def test_others_share_what_is_shared(name: str) -> None:
    pytest.importorskip(PEERS[name].package)
    f = gallery.logistic_map(50)
    assert f.gradient(0.3, method=name) == pytest.approx(f.gradient(0.3), rel=1e-6)
