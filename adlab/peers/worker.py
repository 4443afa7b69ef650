"""One peer, one graph, one process that can be killed: run as `python -m adlab.peers.worker`.

A job comes in on standard input and the answer goes out on standard output, both pickled; the graph travels as a flat
list, since a pickled expression would recurse.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from typing import Any

import numpy as np

from adlab import errors
from adlab.errors import AdlabError, GaveUp, PeerError
from adlab.graph.graph import Graph, Node
from adlab.graph.primitives import CONSTANT, INPUT, PRIMITIVES
from adlab.peers import PEERS, Peer, prepare
from adlab.points import FloatArray

MEMORY = 12 * 2**30
"""Bytes of address space that a job may take: an expression that unfolds must not take the machine's memory."""

BY_NAME = {**PRIMITIVES, INPUT.name: INPUT, CONSTANT.name: CONSTANT}


def flat(graph: Graph) -> tuple[Any, ...]:
    """The graph as tuples of names and numbers.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> flat(lower([sympy.sin(x)], [x]))
    (('x',), [('input', (), 'x'), ('sin', (0,), None)], (1,))
    """
    return graph.inputs, [(node.primitive.name, *node[1:]) for node in graph.nodes], graph.outputs


def unflat(inputs: tuple[str, ...], nodes: list[Any], outputs: tuple[int, ...]) -> Graph:
    """The graph again."""
    return Graph(inputs, tuple(Node(BY_NAME[name], operands, parameter) for name, operands, parameter in nodes), outputs)


class Worker:
    """A peer's derivative of a graph, each call in a new process. Raises GaveUp once time is up, then and ever after."""

    def __init__(self, peer: Peer, graph: Graph, seconds: float) -> None:
        self.peer, self.seconds = peer, seconds
        self.graph = flat(graph)
        self.failure: AdlabError | None = None

    def __call__(self, points: FloatArray) -> FloatArray:
        if self.failure is not None:
            raise self.failure
        kind, answer = self._answer(pickle.dumps((self.peer.name, self.graph, points)))
        if kind == "ok":
            return np.asarray(answer)
        self.failure = getattr(errors, kind)(answer)
        raise self.failure

    def _answer(self, job: bytes) -> tuple[str, Any]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with subprocess.Popen(
            [sys.executable, "-m", "adlab.peers.worker"], env=environment, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            try:
                output, _ = process.communicate(job, timeout=self.seconds)
            except subprocess.TimeoutExpired:
                return GaveUp.__name__, f"{self.peer.system} gave up: stopped after {self.seconds:g} s"
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # it, and whatever it has started
        if process.returncode or not output:
            return PeerError.__name__, f"{self.peer.system} crashed: its process ended by {_ending(process.returncode)}"
        kind, answer = pickle.loads(output)
        return kind, answer


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


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
