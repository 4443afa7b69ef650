"""A fuzzer: `python -m tests.fuzz --minutes N [--seed S] [--kinds grammar,bytes,outputs,points]`; `edges` is in `tests/edges.py`.

Four kinds take turns. *grammar* writes formulas that the grammar allows, and makes graphs of them; *bytes* changes such texts at
random, and reads what comes of it; *outputs* asks for one of the things that can be had of a formula of the grammar; *points*
hands odd points to every verb of a function. An exception that is not an AdlabError is a finding, and so is a formula that takes
longer than `READ` until it is a graph, and any other call that takes longer than `CALL`. Nothing that is read may run code:
opening a file, starting a process or importing a module by name is a finding.

A round has many cases of the cheap kinds (`ROUND`), and a seed, printed with a finding; `--kinds K --seed S --rounds 1` repeats
it. A million cases of grammar and of bytes each: `--kinds grammar,bytes --rounds 1000`, which takes ten minutes.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Set
from typing import Any

import numpy as np

import adlab
from adlab.precision import patience
from adlab.text.vocabulary import FUNCTIONS

READ = 0.05
"""Seconds that a text may take until it is a graph, or refused."""
CALL = 20.0
"""Seconds that any other call may take; reports are given a patience of `PATIENCE`."""
PATIENCE = 1.0
NAMES = ("x", "y", "z", "x1", "x10", "lambda", "v1", "E1", "α", "_a")
NUMBERS = (
    "0",
    "1",
    "-1",
    "2",
    "0.5",
    "1e-300",
    "1e300",
    "3/7",
    "pi",
    "E",
    "1e-17",
    "100",
    "1/3",
    "12345678901234567890",
    "2.5",
)
VALUES = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e-300, 1e300, 5e-324, 1.7e308, -3.25, 1e-8, 22.0, 710.0, -1e10)
PIECES = ("(", ")", "**", "^", "*", "/", "+", "-", ",", " ", ".", "e", "_", "'", '"', "\\", "\0", "\n", "\t", "\u202e", "é", "²",
          "∞", "√", "import os", "__class__", "lambda:", "[", "]", "{", "}", "=", "==", "<", ">", "|", "&", "~", "!", "@", "#",
          "$", "%", ";", ":", "<script>", "`", "1" * 400, "(" * 300, "sin(" * 100, "x**" * 50, "eval(", "open('/x')")  # fmt: skip
FORBIDDEN = {"open", "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect", "exec", "import"}

NUMBERS_OF_ANY_KIND: list[Any] = [
    None, "", "1", b"1", [], [[]], {}, (), set(), object(), True, np.nan, np.inf, 10**400, -(10**400), 1j, np.longdouble(1.25),
    np.float32(0.1), np.int8(3), np.array(2.0), np.array([1.0, 2.0], dtype=object), np.array([None, 1.0], dtype=object),
    np.ma.masked_array([1.0, 2.0], [True, False]), np.ma.masked, np.zeros((0, 2)), np.zeros((3, 2)), np.zeros((2, 3, 2)),
    np.array(["a", "b"]), np.datetime64("2020-01-01"), {"x": 1.0, "y": 2.0}, {"x": None, "y": 1}, {"x": [1.0, 2.0], "y": 3.0},
    {"x": 1.0}, {1: 2.0}, [1.0], [1.0, 2.0], [1.0, 2.0, 3.0], [[1.0, 2.0]], ["1", "2"], [1, [2]], range(2), iter([1.0, 2.0]),
    float, Ellipsis, slice(2), memoryview(b"ab"), np.zeros((2, 0)), [np.nan, 1.0], np.array([1 + 0j, 2]), [1e400, 1.0],
]  # fmt: skip


class Guard:
    """What Python's audit hooks tell while a text is parsed. A hook cannot be taken away again, so it is switched."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event in FORBIDDEN and not _internal(event, arguments):
            self.seen.append(f"{event}{arguments[:1]}")


def _internal(event: str, arguments: tuple[Any, ...]) -> bool:
    """What SymPy and Python do themselves: import their own modules lazily, read source lines for a message."""
    return event in ("import", "exec") or (event == "open" and str(arguments[0]).endswith((".py", ".pyc", ".so")))


def formula(rng: random.Random, depth: int = 4) -> str:
    """A text that the grammar allows, mostly of small size."""
    kind = rng.random()
    if depth == 0 or kind < 0.2:
        return rng.choice(NAMES[:5] if rng.random() < 0.7 else NUMBERS)
    if kind < 0.6:
        return f"({formula(rng, depth - 1)}{rng.choice(['+', '-', '*', '/', '**'])}{formula(rng, depth - 1)})"
    if kind < 0.68:
        value, condition, other = (formula(rng, depth - 1) for _ in range(3))
        return f"Piecewise(({value},{condition}>0),({other},True))"
    name = rng.choice(list(FUNCTIONS))
    signature = FUNCTIONS[name]
    count = rng.randint(signature.least, min(signature.most or signature.least + 2, signature.least + 2))
    return f"{name}({','.join(formula(rng, depth - 1) for _ in range(count))})"


def spoiled(rng: random.Random, text: str) -> str:
    """The text, changed at some places."""
    for _ in range(rng.randint(1, 6)):
        at, end = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        change = rng.random()
        piece = (
            rng.choice(PIECES) if rng.random() < 0.7 else chr(rng.choice((rng.randrange(128), rng.randrange(0xD800))))
        )
        text = text[:at] + (piece + text[at:] if change < 0.6 else text[min(end, at + 5) :])
    return text[:5000]


OUTPUTS: list[Callable[[Any, Any], Any]] = [
    lambda f, x: (f(x), f.gradient(x) if f.scalar else f.jacobian(x)),
    lambda f, x: f.jacobian([x, x]),
    lambda f, x: f.hessian(x),
    lambda f, x: [str(f.trace(x)), f.trace(x).to_markdown(), f.trace(x)._repr_html_(), f.trace(x).to_latex()],
    lambda f, x: [f.compile("numpy", "gradient")([x]), f.compile("python", "gradient")(x)],
    lambda f, x: f.compile("llvm", "gradient")([x, x]),
    lambda f, x: [f.graph.to_dot(), f.graph.to_mermaid(), f.to_latex(), f._repr_latex_(), repr(f), str(f.graph)],
    lambda f, x: f.graph.to_svg(),
    lambda f, x: [f.derivative().to_python(), f.derivative("forward").graph],
    lambda f, x: str(adlab.truth(f, x, patience=PATIENCE)),
    lambda f, x: adlab.compare(f, x, timed=False, patience=PATIENCE).full.to_markdown(),
    lambda f, x: adlab.rounding(f, x).to_json(),
    lambda f, x: adlab.swell(f, patience=PATIENCE).to_dict(),
    lambda f, x: adlab.difference(f, x)._repr_html_(),
    lambda f, x: f.gradient(x, method="symbolic"),
]  # fmt: skip
VERBS: list[Callable[[Any, Any], Any]] = [
    lambda f, x: f(x),
    lambda f, x: f.gradient(x),
    lambda f, x: f.jacobian(x, method="forward"),
    lambda f, x: f.hessian(x),
    lambda f, x: f.jvp(x, [1.0, 1.0]),
    lambda f, x: f.jvp([1.0, 2.0], x),
    lambda f, x: f.vjp([1.0, 2.0], x),
    lambda f, x: f.hvp([1.0, 2.0], x),
    lambda f, x: f.trace(x),
    lambda f, x: f.compile()(x),
    lambda f, x: adlab.truth(f, x, patience=PATIENCE),
    lambda f, x: adlab.compare(f, x, ["reverse"], timed=False),
    lambda f, x: adlab.cost(f, x, ["reverse"], timed=False),
    lambda f, x: adlab.rounding(f, x),
    lambda f, x: adlab.difference(f, x),
    lambda f, x: adlab.exercise(f, x),
    lambda f, x: adlab.check(f, lambda p: [1.0, 1.0], at=x),
    lambda f, x: adlab.Function(x),
    lambda f, x: adlab.Function("x*y", variables=x),
    lambda f, x: adlab.Function("x*y", point=x),
    lambda f, x: [verb(f, x) for verb in (adlab.gradient, adlab.jacobian, adlab.hessian, adlab.value)],
    lambda f, x: [verb(x, [1.0, 2.0]) for verb in (adlab.gradient, adlab.hessian, adlab.truth, adlab.derive)],
    lambda f, x: [adlab.conditioning(f, x), adlab.derivatives(f, x, "x"), adlab.derive(f, x=x)],
    lambda f, x: [adlab.derive(f, x), adlab.derive(f, order=x)],
    lambda f, x: adlab.enclose(f, x),
    lambda f, x: adlab.prove("x*y > 0", x),
    lambda f, x: adlab.steps(f, x, "x", schemes=["central-difference"], patience=PATIENCE),
    lambda f, x: adlab.swell(f, x, patience=PATIENCE),
    lambda f, x: adlab.improve(f, x),
    lambda f, x: adlab.table([f], ["reverse"], points=[x]),
    lambda f, x: adlab.table(x, ["reverse"]),
    lambda f, x: adlab.checkpointed(lambda p: p[0] * p[1], x, 100),
    lambda f, x: [adlab.divergence(["x*y", "x"], x), adlab.laplacian(f, x)],
    lambda f, x: adlab.second_along(f, [1.0, 2.0], x),
    lambda f, x: adlab.second_along(f, x, [1.0, 2.0]),
    lambda f, x: adlab.fit("a*t", {"t": x, "y": [1.0, 2.0]}, {"a": 1.0}),
    lambda f, x: adlab.fit("a*t", {"t": [1.0, 2.0], "a*t": [1.0, 2.0]}, x),
    lambda f, x: adlab.fit("a*t", x, {"a": 1.0}),
    lambda f, x: adlab.minimize("x**2 + y**2", x, steps=20),
    lambda f, x: adlab.total(f, x),
    lambda f, x: adlab.walk(f, adlab.FLOATS if hasattr(adlab, "FLOATS") else x, x),
    lambda f, x: adlab.from_python(lambda p: p[0] * p[1], x),
    lambda f, x: adlab.parse(x),
    lambda f, x: [f.series(x, [1.0, 1.0], 3), f.compile(derivative="hvp")([1.0, 2.0], x)],
    lambda f, x: f.compile(derivative="gradient", wrt=x),
    lambda f, x: f.compile(derivative="gradient", constants=x),
    lambda f, x: f.jacobian(x, sparse=True),
    lambda f, x: adlab.sheet(f, students=x),
]


def outputs(rng: random.Random, guard: Guard) -> Iterator[tuple[str, float, Callable[[], Any]]]:
    """A formula and one thing to be had of it: what, the seconds it may take, and the call."""
    text = formula(rng)
    made: list[Any] = []
    yield f"Function({text!r})", CALL, lambda: made.append(adlab.Function(text))
    if made:
        f, wanted = made[0], rng.randrange(len(OUTPUTS))
        point = [rng.choice(VALUES) for _ in range(f.n)]

        def ask() -> Any:
            with patience(4 * PATIENCE):
                return OUTPUTS[wanted](f, point)

        yield f"OUTPUTS[{wanted}] of {text!r} at {point}", CALL, ask


def grammar(rng: random.Random, guard: Guard) -> Iterator[tuple[str, float, Callable[[], Any]]]:
    """A formula to be made a graph."""
    yield from _read(formula(rng), guard)


def scrambled(rng: random.Random, guard: Guard) -> Iterator[tuple[str, float, Callable[[], Any]]]:
    """A spoiled text to be read."""
    yield from _read(spoiled(rng, formula(rng, 3)), guard)


def _read(text: str, guard: Guard) -> Iterator[tuple[str, float, Callable[[], Any]]]:
    """A text to be made a graph; code that runs is an error of its own."""

    def read() -> None:
        guard.seen.clear()
        guard.on = True
        try:
            adlab.Function(text).graph  # noqa: B018 - made when asked for
        finally:
            guard.on = False
        if guard.seen:
            raise RuntimeError(f"the text ran something: {guard.seen}")

    yield f"Function({text!r}).graph", READ, read


def points(rng: random.Random, guard: Guard) -> Iterator[tuple[str, float, Callable[[], Any]]]:
    """An odd thing where a point, a direction or a formula is due."""
    verb, odd = rng.randrange(len(VERBS)), rng.choice(NUMBERS_OF_ANY_KIND)
    yield f"VERBS[{verb}] of x*y with {odd!r}"[:200], CALL, lambda: VERBS[verb](adlab.Function("x*y"), odd)


KINDS = {"grammar": grammar, "bytes": scrambled, "outputs": outputs, "points": points}
ROUND = {"grammar": 1000, "bytes": 1000}
"""Cases in a round; one of the other kinds, which take a hundred times as long."""


def run(kind: str, seed: int, case: int, guard: Guard, again: Set[str] = frozenset()) -> list[tuple[str, str]]:
    """The findings of one case: each with its place, by which it is told from others.

    What is slow is tried once more (`again`): the first time may import a module, or collect what others have left.
    """
    found = []
    for what, limit, call in KINDS[kind](random.Random(f"{kind} {seed} {case}"), guard):
        started = time.process_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                call()
        except adlab.AdlabError:
            pass
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} at {place.filename.rpartition('adlab/')[2]}:{place.lineno}"
            found.append((where, f"{what}\n    {error}"))
        taken = time.process_time() - started
        if taken > limit and what not in again:
            found += [finding for finding in run(kind, seed, case, guard, {what}) if finding[0] == "slow"]
        elif taken > limit:
            found.append(("slow", f"{taken:.2f} s for {what}"))
    return found


def main() -> int:
    """Runs for some minutes, prints each new finding once and the counts; 1 if anything was found."""
    if sys.argv[1:2] == ["edges"]:
        from tests import edges

        return edges.main(sys.argv[2:])
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=60.0)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--rounds", type=int, default=10**9, help="at most; a round has one seed")
    asked.add_argument("--kinds", default=",".join(KINDS))
    options = asked.parse_args()
    guard, done, seen = Guard(), Counter[str](), Counter[str]()
    kinds, end, seed = options.kinds.split(","), time.monotonic() + 60 * options.minutes, options.seed
    while time.monotonic() < end and seed < options.seed + options.rounds:
        for kind in kinds:
            for case in range(ROUND.get(kind, 1)):
                done[kind] += 1
                for where, what in run(kind, seed, case, guard):
                    if not seen[where]:
                        print(f"--kinds {kind} --seed {seed}: {where}\n    {what[:600]}", flush=True)
                    seen[where] += 1
        seed += 1
    print("cases:", dict(done), "findings:", sum(seen.values()), "of", len(seen), "kinds; next seed:", seed)
    return int(bool(seen))


if __name__ == "__main__":
    sys.exit(main())
