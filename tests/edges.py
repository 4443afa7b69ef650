"""Gradients and Hessians at the edges of binary64: `python -m tests.fuzz edges --formulas N --seed S`.

A case is a formula and a point, drawn so that adjoints run from 1e-320 to 1e308: formulas at random, those of the gallery and of
the corpora with their variables scaled by powers of ten. Each answer of adlab is held against `adlab.truth`, which knows no rule
of differentiation. An answer is *right*, *refused* (an AdlabError), or *wrong*; where the truth has no number it is *unjudged*.
How far a right answer may be from the truth is its running error bound. Where that is infinite although binary64 kept its range
(the sine of a rounded 1e20), the answer is *without a bound*. Where binary64 left its range, adlab computes with 160 bits and
more, and the answer must be right to a few units in the last place.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mp

import adlab
from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.domain import in_range, steady
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff import programs

SECONDS = 20
"""A case takes no longer; beyond, it is unjudged."""
LARGEST, SMALLEST = 1.7976931348623157e308, 2.0**-1022
ULPS = 2e-13
"""Relative error that the special functions of mpmath and SciPy leave in an answer that is called right."""
UNARY = ("exp", "log", "sqrt", "sin", "cos", "tanh", "sinh", "cosh", "atan", "asinh", "erf", "erfc", "gamma", "loggamma",
         "log1p", "expm1", "sigmoid", "softplus", "Abs", "cbrt", "sinc", "besselj0")  # fmt: skip
LIKELY = ("exp", "log", "sqrt", "tanh", "exp", "log")
POWERS = ("2", "3", "-1", "-2", "0.5", "1.5", "-0.5", "4")


@dataclass(frozen=True)
class Verdict:
    """One answer: `kind` is right, refused, wrong or unjudged."""

    kind: str
    what: str
    why: str = ""


def formula(rng: random.Random, depth: int = 4) -> str:
    """A formula in x, y, z whose numbers easily leave the range of binary64."""
    kind = rng.random()
    if depth == 0 or kind < 0.15:
        return rng.choice("xxyyz") if rng.random() < 0.85 else rng.choice(("1", "2", "0.5", "3", "1e-100", "1e100", "1e-5"))
    if kind < 0.62:
        return f"({formula(rng, depth - 1)}{rng.choice('+-**//')}{formula(rng, depth - 1)})"
    if kind < 0.75:
        return f"({formula(rng, depth - 1)})**({rng.choice(POWERS)})"
    if kind < 0.78:
        return f"{rng.choice(('Max', 'Min', 'hypot', 'logaddexp'))}({formula(rng, depth - 1)}, {formula(rng, depth - 1)})"
    if kind < 0.80:
        a, b, c = (formula(rng, depth - 1) for _ in range(3))
        return f"Piecewise(({a}, {b} > 0), ({c}, True))"
    name = rng.choice(UNARY if rng.random() < 0.5 else LIKELY)
    inside = formula(rng, depth - 1)
    return f"besselj(0, {inside})" if name == "besselj0" else f"{name}({inside})"


def coordinate(rng: random.Random) -> float:
    """A number of any size: mostly moderate or a few hundred, sometimes at the ends of the range."""
    kind = rng.random()
    if kind < 0.35:
        size = rng.uniform(0.1, 5.0)
    elif kind < 0.6:
        size = rng.uniform(5.0, 900.0)
    else:
        size = 10.0 ** rng.uniform(-300, 300) if kind < 0.85 else 10.0 ** rng.uniform(-20, 20)
    return size if rng.random() < 0.75 else -size


def random_cases(seed: int) -> Iterator[tuple[str, list[str] | None, list[float]]]:
    """Formulas without end, each with a point."""
    number = 0
    while True:
        rng = random.Random(f"edges {seed} {number}")
        number += 1
        text = formula(rng)
        try:
            names = [str(v) for v in adlab.Function(text).variables]
        except adlab.AdlabError:
            continue
        if names:
            yield text, None, [coordinate(rng) for _ in names]


def known_cases(seed: int, corpora: bool) -> Iterator[tuple[str | Any, list[str] | None, list[float]]]:
    """The gallery's and the corpora's formulas, their variables scaled by powers of ten."""
    rng = random.Random(f"known {seed}")
    for row in adlab.gallery.listing():
        f = adlab.gallery.named(row.name)
        if f.point is not None and f.n <= 4 and f.m == 1:
            yield f, None, [x * 10.0 ** rng.choice((0, 0, 2, -150, 150, -300, 100)) for x in f.point]
    if corpora:
        from tests.corpora import CORPORA, FORMULAS

        for corpus in FORMULAS:
            path = CORPORA / f"{corpus}.jsonl"
            for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
                row = json.loads(line)
                if isinstance(row.get("variables"), list) and len(row["variables"]) <= 5 and row.get("point"):
                    scaled = [float(row["point"][v]) * 10.0 ** rng.choice((0, 2, -150, 150, -250, 80)) for v in row["variables"]]
                    yield row["expr"], row["variables"], scaled


def judged(f: Any, point: list[float]) -> list[Verdict]:
    """Gradient and Hessian at a point, each entry as one verdict."""
    truth = adlab.truth(f, point, digits=20, patience=SECONDS / 4)
    found = [_verdict("gradient", lambda: f.gradient(point), [list(truth.components)], lambda: bounds(f, point))]
    if f.n <= 4:
        second = adlab.truth(f, point, digits=20, order=2, patience=SECONDS / 4)
        found.append(_verdict("hessian", lambda: f.hessian(point), second.rows, lambda: second_bounds(f, point)))
    return found


def _verdict(what: str, ask: Callable[[], Any], components: Any, ask_bounds: Callable[[], list[float]]) -> Verdict:
    try:
        answer = np.asarray(ask(), dtype=float).ravel()
    except adlab.AdlabError as refusal:
        missing = [c for row in components for c in row if c.value is None or abs(c.value) > LARGEST]
        kind = "refused" if missing else "refused, though there is one"
        return Verdict(kind, what, f"{type(refusal).__name__}: {refusal}")
    flat = [component for row in components for component in row]
    if any(component.value is None for component in flat):
        return Verdict("unjudged", what, next(c.note for c in flat if c.value is None))
    if not np.isfinite(answer).all():
        return Verdict("wrong", what, f"{answer} is no answer")
    allowed = None
    for place, (got, component) in enumerate(zip(answer.tolist(), flat, strict=True)):
        with mp.workdps(60):
            true = mp.mpf(component.value)
            error = abs(mp.mpf(got) - true)
            fine = ULPS * abs(true) + mp.mpf(component.radius or 0) + 2.0**-1074
        if error <= fine:
            continue
        if allowed is None:
            allowed = ask_bounds()
        if allowed[place] == math.inf:  # such as a sine of 1e20 that is rounded: no digit is promised
            return Verdict("without a bound", what)
        if error > fine + 4 * allowed[place]:
            off, bound = mp.nstr(error, 3), f"{allowed[place]:.3g}"
            return Verdict("wrong", what, f"entry {place} is {got!r}, true {mp.nstr(true, 17)}, off by {off}, bound {bound}")
    return Verdict("right", what)


def value_bounds(f: Any, point: list[float]) -> list[float]:
    """As `bounds`, for the values."""
    return _errors(f.graph, point)


def bounds(f: Any, point: list[float]) -> list[float]:
    """The running error bound of each partial; 0 where binary64 leaves its range, since adlab then does not use it."""
    return _errors(programs.derivative(f.graph, "reverse"), point)


def second_bounds(f: Any, point: list[float]) -> list[float]:
    """As `bounds`, for the second partials."""
    return _errors(programs.derivative(programs.derivative(f.graph, "reverse"), "forward"), point)


def _errors(program: Any, point: list[float]) -> list[float]:
    values = evaluate(program, [Bounded(x) for x in point], BOUNDED)
    left = not in_range(program, point) or not steady(program)
    errors = [values[output].error for output in program.outputs]
    return [error if math.isfinite(error) or not left else 0.0 for error in errors]


def one(text: Any, names: list[str] | None, point: list[float]) -> list[Verdict]:
    """All verdicts of one case; one that lasts is unjudged."""

    def ring(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        f = adlab.Function(text, variables=names) if isinstance(text, str) else text
        return judged(f, point)
    except TimeoutError:
        return [Verdict("unjudged", "case", "it takes too long")]
    except adlab.AdlabError as refusal:
        return [Verdict("unjudged", "case", f"{type(refusal).__name__}: {refusal}")]
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def main(arguments: list[str]) -> int:
    """Prints what is wrong, and the counts; 1 if anything was wrong."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--formulas", type=int, default=500)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--known", action="store_true", help="the gallery and the corpora as well")
    asked.add_argument("--refusals", action="store_true", help="print refusals where there is an answer")
    options = asked.parse_args(arguments)
    counts = Counter[tuple[str, str]]()
    stream = random_cases(options.seed)
    cases = [next(stream) for _ in range(options.formulas)]
    known = list(known_cases(options.seed, True)) if options.known else []
    for text, names, point in [*known, *cases]:
        for verdict in one(text, names, point):
            counts[verdict.what, verdict.kind] += 1
            if verdict.kind == "wrong" or (options.refusals and verdict.kind == "refused, though there is one"):
                shown = text if isinstance(text, str) else text.title
                print(f"{verdict.kind}: {verdict.what} of {shown!r}, variables {names}, at {point}", flush=True)
                print(f"    {verdict.why[:300]}", flush=True)
    for (what, kind), count in sorted(counts.items()):
        print(f"{what:10}{kind:32}{count:7}")
    return int(any(kind == "wrong" for _, kind in counts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
