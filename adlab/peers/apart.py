"""A peer in a process of its own, which can be killed: the side that asks. `worker` is the side that answers."""

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
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray
from adlab.peers.flat import flat


class Worker:
    """A peer's derivative of a graph, each call in a new process. Raises GaveUp once time is up, then and ever after."""

    def __init__(self, name: str, system: str, graph: Graph, seconds: float) -> None:
        self.name, self.system, self.seconds = name, system, seconds
        self.graph = flat(graph)
        self.failure: AdlabError | None = None

    def __call__(self, points: FloatArray) -> FloatArray:
        if self.failure is not None:
            raise self.failure
        kind, answer = self._answer(pickle.dumps((self.name, self.graph, points)))
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
                return GaveUp.__name__, f"{self.system} gave up: stopped after {self.seconds:g} s"
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # it, and whatever it has started
        if process.returncode or not output:
            return PeerError.__name__, f"{self.system} crashed: its process ended by {_ending(process.returncode)}"
        kind, answer = pickle.loads(output)
        return kind, answer


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
