"""Are the causes that a verdict names the right ones? Failing pairs of method and formula, each judged by a repair.

Run as a script: ``python -m tests.report.cause_audit --pairs 1000 --seed 1``. Formulas are drawn at random, and taken from
the corpora where they are there. A named operation is right if the error vanishes once its value alone is the true one; an
overflow or underflow, if it vanishes with unlimited exponents; "the roundings add up", if no operation alone brings an order
of magnitude; truncation or roundoff of a difference, if exact values of f leave the error, or take it away.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import adlab
from adlab.arithmetic.extended import Extended
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.differences.stencils import scheme
from adlab.methods import METHODS
from adlab.precision import UNIT_ROUNDOFF
from adlab.report import accuracy
from adlab.report.blame import _program, blamed, worst_of
from adlab.report.causes import Loss, Walk
from adlab.report.conditioning import conditioning
from adlab.report.probe import Probe
from adlab.report.steps import split
from adlab.report.truth import truth
from adlab.truth.meanings import exact, working
from tests.corpora import CORPORA

WALKED = ("reverse", "forward", "symbolic")
DIFFERENCES = ("forward-difference", "central-difference", "central-difference-4")
BITS = 6000
VANISHED = 0.02  # of the error before: no more is left
PARTS = ["exp({})", "log({})", "sin({})", "cos({})", "sqrt({})", "1 - {}", "1 + {}", "{} - cos({})", "{}**2", "1/({})", "{} + y",
         "exp({}) - 1", "tanh({})", "({})*({})", "({}) - ({})", "({})/({})", "atan({})", "log(1 + {})", "{}*y", "{}**3", "{} - y",
         "1/(1 + exp({}))", "sqrt(1 + ({})**2)"]  # fmt: skip


def drawn(rng: random.Random) -> tuple[str, dict[str, float]]:
    """A formula in x and y of a few nested parts, and a point at any scale."""
    text = "x"
    for _ in range(rng.randint(2, 6)):
        part = rng.choice(PARTS)
        text = part.format(*[rng.choice([text, text, "x", "y"]) for _ in range(part.count("{}"))])
    scale = rng.choice([3, 9, 9, 150])
    return text, {name: rng.choice([1, 1, -1]) * 10.0 ** rng.uniform(-scale, scale / 2) for name in ("x", "y")}


def from_corpora(rng: random.Random) -> Iterator[tuple[str, dict[str, float]]]:
    """Rows of the corpora: where the lossy ones fail they fail for a reason."""
    rows = []
    for name in ("lossy", "feynman", "fpcore", "global_optimisation"):
        path = CORPORA / f"{name}.jsonl"
        if path.exists():
            rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rng.shuffle(rows)
    for row in rows:
        if "expr" in row and "point" in row:
            yield row["expr"], {name: float(value) for name, value in row["point"].items()}


def judged(text: str, at: dict[str, float], seconds: float = 20.0) -> Iterator[tuple[str, str, bool]]:
    """(method, kind of the named cause, whether it is right) for each failing method."""
    f = adlab.Function(text, sorted(at))
    point = adlab.inputs.coerce_one(at, f.names)
    known = truth(f, point)
    if known.status == "unavailable":
        return
    methods = {name: METHODS[name] for name in (*WALKED, *DIFFERENCES)}
    attempts = {name: accuracy.attempt(f, method, point) for name, method in methods.items()}
    rows = accuracy.rows(f, known, attempts)
    found = blamed(f, point, known, rows, methods)
    for name, losses in found.items():
        row = worst_of(rows, name)
        assert row is not None
        made = _program(f, name, row.output or 0, f.names.index(row.variable))
        assert made is not None
        yield name, *_walked(f, point, row, losses, *made)
    for name in DIFFERENCES:
        row = worst_of(rows, name)
        result = attempts[name].result
        if row is None or (row.digits or 0.0) >= 6 or result is None or result.steps is None or "step" in row.note:
            continue
        j = f.names.index(row.variable)
        verdict = _difference(f, point, row, known, name, result.steps[j], float(result.jacobian[row.output or 0, j]))
        if verdict is not None:
            yield "differences", *verdict


def _walked(f: Any, point: Any, row: Any, losses: list[Loss], graph: Any, output: int, own: int) -> tuple[str, bool]:
    walk = Walk(graph, point.tolist(), output, own)
    before = walk.error(walk.floats[output])
    if losses and losses[0].kind == "constants":  # what is computed is then right, but for them
        left = walk.error(walk.repaired(walk.floats, [loss.node for loss in losses[1:]], FLOATS))
        return "constants", left <= max(VANISHED * row.relative_error, walk.enough)
    if before <= walk.enough:  # the method computes in another order than its program
        return "not reproduced", True
    if losses and losses[0].kind == "graph":
        return "graph", False
    if losses and losses[0].kind in ("overflow", "underflow"):
        with working(53):
            wide = evaluate(graph, [exact(x) for x in point.tolist()], Extended(53))
            values, arithmetic = wide, Extended(53)
            left = walk.error(walk.repaired(values, [loss.node for loss in losses[1:]], arithmetic))
        return losses[0].kind, left <= max(VANISHED * before, walk.enough)
    if losses:
        left = walk.error(walk.repaired(walk.floats, [loss.node for loss in losses], FLOATS))
        return (losses[0].kind if len(losses) == 1 else "several"), left <= max(VANISHED * before, walk.enough)
    kappa = conditioning(f, point).partials
    if kappa is not None:
        condition = float(kappa[row.output or 0, f.names.index(row.variable)])
        if math.isfinite(condition) and before <= 30 * condition * UNIT_ROUNDOFF:
            return "ill-conditioned", True
    alone = [walk.error(walk.repaired(walk.floats, [k], FLOATS)) for k in walk.used if graph.nodes[k].operands and k != output]
    return "roundings add up", not any(10 * left <= before for left in alone)


def _difference(f: Any, point: Any, row: Any, known: Any, name: str, step: float, got: float) -> tuple[str, bool] | None:
    j, i = f.names.index(row.variable), row.output or 0
    measured = split(f, point, j, name, step, known, i, got)
    if measured is None:
        return None
    said = measured.in_words()
    named = "truncation" if "truncation holds" in said else "roundoff" if "roundoff holds" in said else ""
    if not named:
        return None
    with working(BITS):
        _, sharp = Probe(f, point, BITS).quotients(scheme(name), i, j, step)
    if sharp is None:
        return None
    with working(BITS):
        exact_error = float(abs(exact(sharp) - exact(known.component(i, j).value)))
        vanishes = exact_error <= 0.5 * row.error
    return named, bool(vanishes == (named == "roundoff"))


def audit(pairs: int, seed: int, minutes: float) -> Counter[tuple[str, str, bool]]:
    """Draws until so many pairs have failed, or the time is up."""
    rng, found = random.Random(seed), Counter[tuple[str, str, bool]]()
    corpora, end = from_corpora(rng), time.monotonic() + 60 * minutes
    while sum(found.values()) < pairs and time.monotonic() < end:
        text, at = next(corpora, None) or drawn(rng) if rng.random() < 0.4 else drawn(rng)
        try:
            for verdict in judged(text, at):
                found[verdict] += 1
                if not verdict[2]:
                    print("WRONG", verdict, text, at, flush=True)
        except adlab.AdlabError:
            continue
    return found


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--pairs", type=int, default=300)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--minutes", type=float, default=10.0)
    given = options.parse_args()
    found = audit(given.pairs, given.seed, given.minutes)
    for method, kind in sorted({(method, kind) for method, kind, _ in found}):
        right, wrong = found[method, kind, True], found[method, kind, False]
        print(f"{method:12} {kind:18} {right + wrong:5} named, {right:5} right")
    total, right = sum(found.values()), sum(count for verdict, count in found.items() if verdict[2])
    print(f"{'all':31} {total:5} named, {right:5} right ({100 * right / max(total, 1):.1f} %)")


if __name__ == "__main__":
    main()
