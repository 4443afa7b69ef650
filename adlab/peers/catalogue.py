"""The systems that people use, each behind one small module that is imported only when it is asked for.

A peer gets adlab's graph, lowered into the peer's own numbers (`lowering`), or a black box that samples f. Small graphs run in
place. Large ones run in a process that can be killed (`apart`), since a framework that unfolds a shared graph, or recurses into
a deep one, hangs or crashes the interpreter. A kink or a 0·∞ is passed to the framework as it is: nothing is done to protect
it.

>>> PEERS["torch"].system, PEERS["jax-forward"].about
('PyTorch', 'jit(jacfwd(f)): tangents, traced once and compiled')
"""

from __future__ import annotations

import importlib
import importlib.util
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np

from adlab.errors import AdlabError, GaveUp, MissingExtra, PeerError
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray
from adlab.peers.apart import PeerWorker
from adlab.peers.shapes import Jacobians, Sampled, Values
from adlab.progress import stage

SECONDS = 30.0
"""Seconds that a peer may take at a point before it counts as given up."""


def tree_size(graph: Graph) -> float:
    """The number of nodes that the outputs unfold to if nothing is shared.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> tree_size(lower([sympy.sin(x) * sympy.sin(x)], [x]))
    3.0
    """
    sizes = [1.0] * len(graph)
    for i in graph.operations:
        sizes[i] += sum(sizes[operand] for operand in graph.nodes[i].operands)
    return sum(sizes[output] for output in graph.outputs)


@dataclass(frozen=True)
class Peer:
    """One way in which one library differentiates. `function`, in the module named after `package`, does it.

    Graphs for which `measure` gives more than `largest` run in a process of their own.
    """

    name: str
    system: str
    package: str
    function: str
    about: str
    extra: str = "peers"
    needs: Literal["graph", "values"] = "graph"
    options: dict[str, Any] = field(default_factory=dict)
    largest: float = 10_000
    measure: Callable[[Graph], float] = len
    on_request: bool = False
    """Whether `--methods all` leaves it out, because its first call takes half a minute."""

    @property
    def installed(self) -> bool:
        """Whether the library is installed. It is not imported to find out."""
        return importlib.util.find_spec(self.package) is not None

    @property
    def version(self) -> str:
        """The installed version; empty if there is none."""
        if not self.installed:
            return ""
        from importlib.metadata import version  # slow to import, and few ask

        return version(self.package)


FLOAT32 = {"dtype": "float32"}


def _torch(name: str, function: str, about: str, largest: float = 20_000, **known: Any) -> Peer:
    return Peer(name, "PyTorch", "torch", function, about, "torch", largest=largest, **known)


def _jax(name: str, function: str, about: str, largest: float = 1_000, **known: Any) -> Peer:
    return Peer(name, "JAX", "jax", function, about, "jax", largest=largest, **known)


PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in [
        _torch("torch", "eager", "eager autograd: f, then a backward pass an output"),
        _torch("torch-func", "functional", "torch.func: grad or jacrev of f, vmap over a batch"),
        _torch("torch-forward", "forward", "torch.func.jacfwd: dual tensors"),
        _torch("torch-float32", "eager", "eager autograd in float32, PyTorch's default", options=FLOAT32),
        _torch("torch-compile", "compiled", "torch.compile of f, then backward; slow to start", 600,
               on_request=True),
        _jax("jax", "reverse", "jit(grad(f)): traced once, transposed, compiled by XLA"),
        _jax("jax-forward", "forward", "jit(jacfwd(f)): tangents, traced once and compiled", 150),
        _jax("jax-eager", "eager", "grad(f) without jit: each operation on its own", 5_000),
        _jax("jax-float32", "reverse", "jit(grad(f)) in float32, JAX's default", options=FLOAT32),
        Peer("casadi", "CasADi", "casadi", "jacobian", "symbolic SX graph, run by a virtual machine"),
        Peer("autograd", "autograd", "autograd", "reverse", "NumPy code traced on a tape as it runs"),
        Peer("symengine", "SymEngine", "symengine", "symbolic", "symbolic diff in C++, compiled by LLVM",
             largest=5_000, measure=tree_size),
        Peer("scipy", "SciPy", "scipy", "differentiate", "differentiate.jacobian: order 8, adaptive step", needs="values"),
        Peer("scipy-fprime", "SciPy", "scipy", "approx_fprime", "optimize.approx_fprime: forward, step sqrt(eps)",
             needs="values"),
        Peer("numdifftools", "numdifftools", "numdifftools", "jacobian", "central, extrapolated over many steps",
             needs="values"),
        Peer("jacobi", "jacobi", "jacobi", "jacobian", "central, a polynomial fit over shrinking steps", needs="values"),
        Peer("numericalderivative", "numericalderivative", "numericalderivative", "stepleman_winarsky",
             "central, Stepleman and Winarsky's step", needs="values"),
    ]
}  # fmt: skip


def library(package: str) -> Any:
    """adlab's module for a library. Raises MissingExtra, which says what to install, where the library is missing."""
    peer = next(peer for peer in PEERS.values() if peer.package == package)
    if not peer.installed:
        raise MissingExtra(f"{peer.system} is not installed: pip install 'adlab[{peer.extra}]'")
    stage(f"importing {peer.system}")
    try:
        return importlib.import_module(f"adlab.peers.{package}")
    except Exception as reason:  # an installation may be broken in any way
        raise PeerError(f"{peer.system} cannot be imported: {_in_short(reason)}") from reason


def prepare(peer: Peer, graph: Graph, seconds: float = SECONDS, in_place: bool = False) -> Jacobians:
    """The peer's derivative of a graph, (..., n) → (..., m, n). The peer's own failures become PeerError."""
    function = getattr(library(peer.package), peer.function)
    if not in_place and peer.measure(graph) > peer.largest:
        return PeerWorker(peer.name, peer.system, graph, seconds)
    with speaking(peer):
        jacobians: Jacobians = function(graph, **peer.options)
    return partial(_spoken, peer, jacobians)


def second_derivatives(peer: Peer, graph: Graph) -> Jacobians:
    """The peer's Hessian of a graph with one output, (..., n) → (..., n, n), as `prepare`, but always in place."""
    function = library(peer.package).hessian
    with speaking(peer):
        hessians: Jacobians = function(graph, **peer.options)
    return partial(_spoken, peer, hessians)


def _spoken(peer: Peer, jacobians: Jacobians, points: FloatArray) -> FloatArray:
    with speaking(peer):
        return np.asarray(jacobians(points), dtype=float)


class Samples:
    """A black box that counts its calls, and stops when time is up."""

    def __init__(self, values: Values, library: str, seconds: float) -> None:
        self.values, self.system, self.count = values, library, 0
        self.end = time.monotonic() + seconds
        self.seconds = seconds

    def __call__(self, points: FloatArray) -> FloatArray:
        if time.monotonic() > self.end:
            raise GaveUp(f"{self.system} was stopped after {self.seconds:g} s and {self.count} evaluations of f")
        self.count += int(np.prod(np.shape(points)[:-1]))
        return self.values(np.asarray(points, dtype=float))


def sample(peer: Peer, values: Values, point: FloatArray, seconds: float = SECONDS) -> tuple[Sampled, int]:
    """What the peer finds by sampling, and how many evaluations of f that took."""
    function, box = getattr(library(peer.package), peer.function), Samples(values, peer.system, seconds)
    with speaking(peer), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about NaN in the library's own tables; the row shows the result
        found: Sampled = function(box, point)
    return found, box.count


@contextmanager
def speaking(peer: Peer) -> Iterator[None]:
    """Makes NumPy silent about infinities. Whatever the library raises becomes a PeerError that names it."""
    try:
        with np.errstate(all="ignore"):
            yield
    except AdlabError:
        raise
    except Exception as reason:  # a foreign library may raise anything
        raise PeerError(f"{peer.system} raised {_in_short(reason)}") from reason


def _in_short(reason: Exception) -> str:
    lines = str(reason).strip().splitlines() or ["nothing more"]
    return f"{type(reason).__name__}: {lines[0][:200]}"
