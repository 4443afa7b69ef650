"""A peer in a process of its own, which can be killed: the side that asks. `peer_worker` is the side that answers."""

from __future__ import annotations

import io
import json
import pickle

import numpy as np

from adlab import errors
from adlab.errors import AdlabError, GaveUp, PeerError
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray
from adlab.peers.flat import flat
from adlab.process import run_module

MEMORY = 12 * 2**30
"""Bytes of address space that a job may take, so that an expression that unfolds cannot use up the machine's memory."""


class PeerWorker:
    """A peer's derivative of a graph, each call in a new process. Once time is up, this call and all later ones raise GaveUp."""

    def __init__(self, name: str, system: str, graph: Graph, seconds: float) -> None:
        self.name, self.system, self.seconds = name, system, seconds
        self.graph = flat(graph)
        self.failure: AdlabError | None = None

    def __call__(self, points: FloatArray) -> FloatArray:
        if self.failure is not None:
            raise self.failure
        answer = self._answer(points)
        if isinstance(answer, AdlabError):
            self.failure = answer
            raise self.failure
        return answer

    def _answer(self, points: FloatArray) -> FloatArray | AdlabError:
        job = pickle.dumps((self.name, self.graph, points))
        ended = run_module("adlab.peers.peer_worker", question=job, seconds=self.seconds, memory=MEMORY)
        if ended.late:
            return GaveUp(f"{self.system} gave up: stopped after {self.seconds:g} s")
        header, _, body = ended.output.partition(b"\n")
        if ended.code or not header:
            words = f" ({ended.last_line()[:200]})" if ended.last_line() else ""
            return PeerError(f"{self.system} crashed: its process ended by {ended.how()}{words}")
        kind, message = json.loads(header)
        if kind == "ok":
            return np.asarray(np.load(io.BytesIO(body), allow_pickle=False))
        error: AdlabError = getattr(errors, kind)(message)
        return error
