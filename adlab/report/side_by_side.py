"""adlab's Wengert list and derivative program, beside what PyTorch records and what JAX writes for the same formula."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.display import Report, Table, significant
from adlab.errors import MethodError
from adlab.function import Function
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray, takes_at
from adlab.methods import METHODS
from adlab.peers.catalogue import PEERS, library
from adlab.report import accuracy
from adlab.report.truth import truth
from adlab.tracing.places import at_point


@dataclass(frozen=True)
class ShownProgram:
    """A program as some system writes it: its lines, how often each primitive occurs, and what it is in a few words.

    `same` says for each line, where that is known, what it is in adlab's list: the nodes with its value, or with its adjoints.
    """

    what: str
    lines: list[str]
    counts: dict[str, int]
    same: list[str] = field(default_factory=list)

    @property
    def operations(self) -> int:
        """The number of primitives that are applied."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class SideBySide(Report):
    """One formula, its value and its gradient as programs: adlab's and the framework's.

    `pairs` has two pairs of programs, for the value and for the gradient; adlab's is the first of each. `kept` says what each
    system keeps for the backward pass. `digits` are the correct digits of the gradient in float64 and float32. `kernels` is
    what a compiler fuses the gradient into: the instructions of each kernel, by its name. `notes` has other measurements.
    """

    system: str
    title: str
    pairs: list[tuple[str, ShownProgram, ShownProgram]]
    kept: dict[str, list[str]]
    accuracy: list[accuracy.AccuracyRow]
    notes: list[str]
    kernels: dict[str, list[str]]

    @property
    def digits(self) -> dict[str, float]:
        """The fewest correct digits of any partial, by method."""
        found: dict[str, float] = {}
        for row in self.accuracy:
            if row.digits is not None:
                found[row.method] = min(row.digits, found.get(row.method, 16.0))
        return found

    def to_dict(self) -> dict[str, Any]:
        """`programs`: {what, adlab, theirs}, each with lines, counts and adlab's nodes; `kept`, `digits`, `kernels`, `notes`."""
        return {
            "library": self.system,
            "programs": [
                {"what": what, **{side: {"lines": p.lines, "counts": p.counts, "operations": p.operations, "same": p.same}
                                  for side, p in (("adlab", ours), ("theirs", theirs))}}
                for what, ours, theirs in self.pairs
            ],
            "kept": self.kept, "digits": self.digits, "kernels": self.kernels, "notes": self.notes,
        }  # fmt: skip

    def sections(self) -> list[Table | str]:
        """The programs line by line, the counts, what is kept, the digits."""
        programs = [
            Table(
                what,
                [ours.what, theirs.what, *(["in ours"] if theirs.same else [])],
                list(zip_longest(ours.lines, theirs.lines, *([theirs.same] if theirs.same else []), fillvalue="")),
            )
            for what, ours, theirs in self.pairs
        ]
        return [f"{self.title}: adlab and {self.system}", *programs, self._counts(), self._kept(),
                *([self._fused()] if self.kernels else []), accuracy.accuracy_table(self.accuracy), *self.notes]  # fmt: skip

    def _counts(self) -> Table:
        rows = [
            [what, side, str(program.operations), ", ".join(f"{name} {n}" for name, n in program.counts.items())]
            for what, ours, theirs in self.pairs
            for side, program in (("adlab", ours), (self.system, theirs))
        ]
        return Table("counts", ["program", "by", "operations", "which"], rows, frozenset(["operations"]))

    def _fused(self) -> Table:
        rows = [
            [name, str(len(operations)), ", ".join(f"{each} {n}" for each, n in Counter(operations).items())]
            for name, operations in self.kernels.items()
        ]
        return Table("what jit makes of the gradient", ["kernel", "instructions", "which"], rows, frozenset(["instructions"]))

    def _kept(self) -> Table:
        rows = [[side, str(len(values)), ", ".join(values)] for side, values in self.kept.items()]
        return Table("kept from the forward sweep for the backward one", ["by", "values", "which"], rows, frozenset(["values"]))


@takes_at
def side_by_side(f: Any, x: Any = None, framework: str = "torch") -> SideBySide:
    """f and its gradient as adlab and `framework` ("torch" or "jax") write them, at a point, for one output.

    Raises MissingExtra where the framework is not installed, and MethodError for any other framework or for m > 1.
    """
    f, point = at_point(f, x)
    if framework not in SHOWN:
        raise MethodError(f"no programs of `{framework}` to show; there are {' and '.join(SHOWN)}")
    if f.m != 1:
        raise MethodError(f"programs are shown for one output, and this function has m = {f.m}")
    library(framework)  # or MissingExtra
    pairs, kept, notes, fused = SHOWN[framework](f, point)
    methods = ["reverse", framework, f"{framework}-float32"]
    attempts = {name: accuracy.attempt(f, METHODS[name], point) for name in methods}
    rows = accuracy.rows(f, truth(f, point), attempts)
    names = dict(zip(f.names, point.tolist(), strict=True))
    title = f"{f.title} at {', '.join(f'{name} = {value!r}' for name, value in names.items())}"
    return SideBySide(PEERS[framework].system, title, pairs, {"adlab": _ours_kept(f), **kept}, rows, notes, fused)


# --- adlab's side -------------------------------------------------------------------------------------------------


def _ours(graph: Graph, what: str, framed: bool = False) -> ShownProgram:
    """adlab's list. With `framed`, the inputs come first, as in a jaxpr."""
    head = [f"inputs: {', '.join(graph.inputs)}"] if framed else []
    return ShownProgram(what, head + list(graph.lines()), graph.counts())


def _ours_kept(f: Function) -> list[str]:
    """The values of f's own graph that the adjoint part of the program reads or that are partials. Inputs are included."""
    program, primal = f.program("reverse"), len(f.graph)
    used = [*program.outputs[f.m :], *(operand for node in program.nodes[primal:] for operand in node.operands)]
    read = {i for i in used if i < primal}
    return [f.graph.names[i] for i in sorted(read) if f.graph.active[i]]


Shown = tuple[list[tuple[str, ShownProgram, ShownProgram]], dict[str, list[str]], list[str], dict[str, list[str]]]
"""Pairs of programs, what is kept, notes, kernels."""

# --- PyTorch --------------------------------------------------------------------------------------------------------


def _torch(f: Function, point: FloatArray) -> Shown:
    from adlab.peers.torch import recorded

    chains = recorded(f.graph, point)
    lines, kept, order = [], [], []
    passes: list[str] = []
    for i in f.graph.operations:
        nodes = chains.get(i, [])
        order += [node.name for node in nodes]
        operands = dict.fromkeys(f.graph.names[k] for k in f.graph.nodes[i].operands if f.graph.active[k])
        passes += [f"adjoint of {f.graph.names[i]} → {', '.join(operands)}" if node is nodes[-1] else "" for node in nodes]
        held = [f"{name} = {significant(value, 5)}" for node in nodes for name, value in node.saved.items()]
        kept += [f"{f.graph.names[i]}.{each}" for each in held]
        lines.append(" → ".join(node.name for node in nodes) + (f"  saves {', '.join(held)}" if held else ""))
    ours, program = _ours(f.graph, "adlab's Wengert list"), _ours(f.program("reverse"), "adlab's derivative program")
    forward = ShownProgram("PyTorch's grad_fn, recorded as f runs", lines, dict(Counter(order)))
    backward = ShownProgram("PyTorch runs the same nodes backwards", order[::-1], dict(Counter(order)), passes[::-1])
    note = "PyTorch writes no program: each call of f records these nodes anew, and backward() runs and frees them."
    return [("f", ours, forward), ("f and its gradient", program, backward)], {"PyTorch": kept}, [note], {}


# --- JAX ------------------------------------------------------------------------------------------------------------


def _jax(f: Function, point: FloatArray) -> Shown:
    from adlab.peers import jax

    value, gradient = jax.jaxprs(f.graph, point)
    nearby = point + 1e-3 * (1 + abs(point)) * np.sqrt(np.arange(2, f.n + 2))  # a point where no two nodes agree by chance
    pairs = [
        ("f", _ours(f.graph, "adlab's Wengert list", True), _jaxpr(value, jax, "JAX's jaxpr of f", f.graph, nearby)),
        ("f and its gradient", _ours(f.program("reverse"), "adlab's derivative program", True),
         _jaxpr(gradient, jax, "JAX's jaxpr of grad(f)", f.program("reverse"), nearby)),
    ]  # fmt: skip
    kept = _kept_by_jax(jax, f, point, nearby)
    made = kernels(jax.compiled_text(f.graph, point))
    return pairs, {"JAX": kept}, [_fusion(pairs[1][2].operations, made)], made


def _fusion(primitives: int, made: dict[str, list[str]]) -> str:
    instructions = sum(map(len, made.values()))
    many = f"{instructions} instruction{'s'[: instructions != 1]} in {len(made)} kernel{'s'[: len(made) != 1]}"
    again = "; what several kernels need, each works out anew" if instructions > primitives else ""
    return f"jit: XLA turns the {primitives} primitives of grad(f) into {many}{again}."


def _jaxpr(jaxpr: Any, jax: Any, what: str, ours: Graph, nearby: FloatArray) -> ShownProgram:
    """A jaxpr's lines: the inputs, one line for each equation, the outputs. Beside an equation: adlab's nodes with its value."""
    lines = [line.strip() for line in jaxpr.pretty_print(use_color=False).splitlines()]
    values = jax.computed(jaxpr, nearby)
    same = ["", *_with_value(ours, nearby, values), ""] if len(lines) == len(values) + 2 else []
    return ShownProgram(what, lines, dict(Counter(jax.equations(jaxpr))), same)


def _with_value(graph: Graph, point: FloatArray, wanted: list[float]) -> list[str]:
    """The inputs and operations that have each of these values."""
    values = evaluate(graph, point.tolist(), FLOATS)
    named = [(graph.names[i], values[i]) for i in (*range(len(graph.inputs)), *graph.operations)]
    return [", ".join(name for name, value in named if math.isclose(value, each, rel_tol=1e-12)) for each in wanted]


def _kept_by_jax(jax: Any, f: Function, point: FloatArray, nearby: FloatArray) -> list[str]:
    """JAX's residuals, each named by the first node of adlab's program that has its value at a nearby point."""
    program, kept, moved = f.program("reverse"), jax.residuals(f.graph, point), jax.residuals(f.graph, nearby)
    known = dict(zip(program.names, range(len(program)), strict=True))
    same = _with_value(program, nearby, moved) if len(moved) == len(kept) else [""] * len(kept)
    found = []
    for name, value in zip((names.partition(", ")[0] for names in same), kept, strict=True):
        late = name and known[name] >= len(f.graph)
        written = program.written(known[name]) if late else name
        found.append(f"{written} = {significant(value, 5)}" if name else significant(value, 5))
    return found


PLUMBING = {"parameter", "constant", "tuple", "get-tuple-element", "fusion", "call", "copy", "bitcast"}


def kernels(hlo: str) -> dict[str, list[str]]:
    """The kernels of an HLO text, in the order in which they run, and the instructions of each. Parameters and tuples are left
    out.

    An instruction outside every fusion is a kernel of its own.
    """
    blocks: dict[str, list[str]] = {}
    for line in hlo.splitlines():
        if line.endswith("{") and not line.startswith(" "):
            name = "ENTRY" if line.startswith("ENTRY") else line.split()[0].lstrip("%")
            blocks[name] = []
        elif line.startswith(" ") and blocks:
            blocks[name].append(line)

    def instructions(line: str) -> list[str]:
        """The line's own instructions, then those of what it calls."""
        own = [op for op in re.findall(r"= \S+ ([\w-]+)\(", line)[:1] if op not in PLUMBING]
        called = re.findall(r"(?:calls|to_apply|body)=%?([\w.-]+)", line)
        return own + [op for name in called for inner in blocks[name] for op in instructions(inner)]

    found: dict[str, list[str]] = {}
    for line in blocks["ENTRY"]:
        if inside := instructions(line):
            found[line.removeprefix("  ROOT").split()[0].lstrip("%")] = inside
    return found


SHOWN: dict[str, Callable[[Function, FloatArray], Shown]] = {"torch": _torch, "jax": _jax}
