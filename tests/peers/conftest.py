"""A test for a peer skips where its library is not installed, and only there."""

from __future__ import annotations

from typing import Any

import pytest

from adlab.peers.catalogue import PEERS, Peer

QUICK = [name for name, peer in PEERS.items() if not peer.on_request]
BINARY64 = [name for name in QUICK if not PEERS[name].options]
ON_GRAPHS = [name for name in BINARY64 if PEERS[name].needs == "graph"]


def _installed(request: Any) -> Peer:
    peer = PEERS[request.param]
    pytest.importorskip(peer.package, reason=f"{peer.system} is not installed")
    return peer


@pytest.fixture(params=QUICK)
def peer(request: Any) -> Peer:
    """Every peer, but for the one whose compiler takes half a minute."""
    return _installed(request)


@pytest.fixture(params=BINARY64)
def exact_peer(request: Any) -> Peer:
    """Every peer that computes in binary64."""
    return _installed(request)


@pytest.fixture(params=ON_GRAPHS)
def graph_peer(request: Any) -> Peer:
    """Every peer that is given the graph and computes in binary64."""
    return _installed(request)
