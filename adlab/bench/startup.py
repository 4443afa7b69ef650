"""`adlab bench --startup`: how long a command takes to answer, and where the time goes.

Every command runs as a user runs it, in a new process, several times in turn. Python's own `-X importtime` tells how long each
package's modules took. Modules that adlab imports only on demand are imported once by themselves, to see what that saves.
"""

from __future__ import annotations

import importlib.util
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from adlab.display import Report, Table
from adlab.errors import MethodError
from adlab.process import Ended, run_code, run_module

ROUNDS = 7
"""Starts of each command, interleaved: an odd number, so that the median is one of them."""
COMMANDS = {
    "python -c pass": "pass",
    "import sympy": "import sympy",
    "adlab": "",
    "adlab --help": "--help",
    "adlab gallery": "gallery",
    "adlab compare": "compare 'log((x1 + x2)**2 + sin(x1*x2))' --at x1=1 x2=2 --quiet",
}
"""What is run under each name: the arguments of adlab, or Python code."""
PROFILED = "adlab compare"
LEFT_OUT = ("matplotlib.pyplot", "scipy.special", "llvmlite.binding", "flint", "torch", "jax", "casadi")


@dataclass(frozen=True)
class Startup(Report):
    """Seconds: `commands` (best, median), `imports` by package (self time, modules), `left_out` by module."""

    commands: dict[str, tuple[float, float]]
    imports: dict[str, tuple[float, int]]
    left_out: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """The same, by name."""
        return {"commands": {name: list(times) for name, times in self.commands.items()},
                "imports": {name: list(found) for name, found in self.imports.items()},
                "left_out": self.left_out}  # fmt: skip

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Startup:
        """As it was recorded."""
        commands = {name: (best, typical) for name, (best, typical) in facts["commands"].items()}
        imports = {name: (seconds, modules) for name, (seconds, modules) in facts["imports"].items()}
        return cls(commands, imports, facts["left_out"])

    def sections(self) -> list[Table | str]:
        """The commands, then the imports of one of them, then what is imported only on demand."""
        unit = self.commands["import sympy"][0]
        commands = [[name, f"{best:.3f}", f"{typical:.3f}", f"{best / unit:.2f}"]
                    for name, (best, typical) in self.commands.items()]  # fmt: skip
        imports = [[name, str(modules), f"{seconds:.3f}"] for name, (seconds, modules) in self.imports.items()]
        left = [[name, f"{seconds:.3f}"] for name, seconds in self.left_out.items()]
        return [
            Table("From the call to the end, s", ["command", "best", "median", "÷ import sympy"], commands,
                  frozenset({"best", "median", "÷ import sympy"})),
            Table(f"What `{PROFILED}` imports", ["package", "modules", "s"], imports, frozenset({"modules", "s"})),
            Table("What it does not import (on its own, with all it needs)", ["module", "s"], left, frozenset({"s"})),
        ]


def startup(rounds: int = ROUNDS, progress: Callable[[str], None] = lambda line: None) -> Startup:
    """Measures all of it. Raises MethodError if a command fails."""
    laps: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(rounds):
        for name, command in COMMANDS.items():
            laps[name].append(_timed(name, command))
        progress(f"round {turn + 1} of {rounds}")
    imports = _imports(PROFILED, COMMANDS[PROFILED])
    others = [module for module in LEFT_OUT if importlib.util.find_spec(module.split(".")[0])]
    alone = {module: sum(seconds for seconds, _ in _imports(module, f"import {module}").values()) for module in others}
    return Startup({name: (min(found), median(found)) for name, found in laps.items()}, imports, alone)


def _run(name: str, command: str, *options: str) -> Ended:
    if name.startswith("adlab"):
        ended = run_module("adlab.cli.main", *shlex.split(command), options=options, one_processor=True)
    else:
        ended = run_code(command, options, one_processor=True)
    if ended.code:
        raise MethodError(f"`{command}` ended with {ended.how()}; run it alone to see why")
    return ended


def _timed(name: str, command: str) -> float:
    start = time.perf_counter()
    _run(name, command)
    return time.perf_counter() - start


def _imports(name: str, command: str) -> dict[str, tuple[float, int]]:
    """Seconds and modules by package, the slowest first. A package that takes less than a hundredth of the whole is "others"."""
    seconds: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for line in _run(name, command, "-X", "importtime").complaint.decode().splitlines():
        fields = line.removeprefix("import time:").split("|")
        if len(fields) == 3 and fields[0].strip().isdigit():
            package = fields[2].strip().split(".")[0]
            package = "Python's own" if package in sys.stdlib_module_names else package
            seconds[package] += int(fields[0])
            modules[package] += 1
    whole = sum(seconds.values())
    large = [package for package, time_taken in seconds.most_common() if time_taken > whole / 100]
    found = {package: (seconds[package] / 1e6, modules[package]) for package in large}
    others = [package for package in seconds if package not in large]
    if others:
        found["others"] = sum(seconds[p] for p in others) / 1e6, sum(modules[p] for p in others)
    return found
