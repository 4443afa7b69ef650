"""One peer, one graph, one process that can be killed (`adlab.process`): the side that answers.

A job comes on standard input, from the process that started this one. The graph travels as a flat list, since pickling an
expression would recurse. The answer is a line of JSON (`["ok", ""]`, or the kind of an error and its message), then the
partials in NumPy's own format. The answer is never unpickled: foreign libraries run here.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import sys

import numpy as np

from adlab.errors import AdlabError
from adlab.peers.catalogue import PEERS, prepare
from adlab.peers.flat import unflat


def main() -> None:
    """Does the job on standard input."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not spoil the answer
    name, graph, points = pickle.load(sys.stdin.buffer)
    with answers:
        try:
            partials = prepare(PEERS[name], unflat(*graph), in_place=True)(points)
        except AdlabError as reason:
            answers.write(_header(type(reason).__name__, str(reason)))
        else:
            body = io.BytesIO()  # NumPy asks a file for its position, which a pipe does not have
            np.save(body, partials, allow_pickle=False)
            answers.write(_header("ok", "") + body.getvalue())
    os._exit(0)  # a framework's threads may take long to end, or crash on the way


def _header(kind: str, message: str) -> bytes:
    return json.dumps([kind, message]).encode() + b"\n"
