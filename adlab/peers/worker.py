"""One peer, one graph, one process that can be killed: run as `python -m adlab.peers.worker`.

A job comes in on standard input and the answer goes out on standard output, both pickled; the graph travels as a flat
list, since a pickled expression would recurse.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import Any

from adlab.errors import AdlabError
from adlab.peers.catalogue import PEERS, prepare
from adlab.peers.flat import unflat

MEMORY = 12 * 2**30
"""Bytes of address space that a job may take: an expression that unfolds must not take the machine's memory."""

def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def main() -> None:
    """Does the job on standard input."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not spoil the answer
    _limit_memory()
    name, graph, points = pickle.load(sys.stdin.buffer)
    peer = PEERS[name]
    answer: tuple[str, Any]
    try:
        answer = "ok", prepare(peer, unflat(*graph), in_place=True)(points)
    except AdlabError as reason:
        answer = type(reason).__name__, str(reason)
    with answers:
        pickle.dump(answer, answers)
        answers.flush()
    os._exit(0)  # a framework's threads may take their time to end, or crash on the way


if __name__ == "__main__":
    main()
