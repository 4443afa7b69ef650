"""`adlab bench --data`: the gradient of a loss over many rows of data, its time and its memory, beside JAX and PyTorch.

Each cell runs in a process of its own, on one processor. The data are there, and programs are compiled, before anything is
measured. The memory is the peak of the process above that.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from adlab.display import Report, Table
from adlab.errors import MethodError
from adlab.process import run_module

TEXT = "(y - a*exp(-b*t) - c)**2"
AT = (2.0, 0.4, 0.1)  # a, b, c: near the ones that the data are made with
ROWS = (1_000_000, 10_000_000)
"""8 and 80 MB a column: beyond the processor's nearest caches, and beyond all of them."""
ROUNDS = 3
"""Processes of each cell, interleaved. The best time counts."""
LAPS = 5
"""Gradients that a process times; the best counts."""
WARM = 20_000
"""Rows of a first gradient, before memory is measured: libraries are loaded by then."""
DIGITS = 1e-9
"""How closely the gradients must agree, relative to the largest partial: sums in another order round otherwise."""


@dataclass(frozen=True)
class DataRow:
    """One system on so many rows: seconds for a gradient, and bytes of memory beyond the data."""

    system: str
    rows: int
    seconds: float
    memory: int


@dataclass(frozen=True)
class Streamed(Report):
    """All cells, and what was differentiated."""

    loss: str
    over_data: Sequence[DataRow]

    def to_dict(self) -> dict[str, Any]:
        """`loss`, and `over_data`: a row for each system and number of rows, in seconds and bytes."""
        return {"loss": self.loss, "over_data": [asdict(row) for row in self.over_data]}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Streamed:
        """As it was recorded."""
        return cls(facts["loss"], [DataRow(**row) for row in facts["over_data"]])

    def sections(self) -> list[Table | str]:
        """Milliseconds, nanoseconds a row, and megabytes."""
        head = ["rows", "system", "gradient, ms", "ns a row", "memory beyond the data, MB"]
        rows = [[f"{row.rows:,}", row.system, f"{row.seconds * 1e3:.3g}", f"{row.seconds / row.rows * 1e9:.3g}",
                 f"{row.memory / 1e6:.1f}"] for row in self.over_data]  # fmt: skip
        return [Table(f"Gradient of Σ {self.loss} over rows of data, on one processor", head, rows,
                      frozenset(head) - {"system"})]  # fmt: skip


def over_data(
    sizes: Sequence[int] = ROWS, rounds: int = ROUNDS, progress: Callable[[str], None] = lambda line: None
) -> Streamed:
    """Measures every system that is installed. Raises MethodError where a process ends early or gradients differ."""
    cells = [(size, system) for size in sizes for system in SYSTEMS if system == "adlab" or find_spec(system)]
    laps: dict[tuple[int, str], list[dict[str, Any]]] = {cell: [] for cell in cells}
    for turn in range(rounds):
        for (size, system), found in laps.items():
            found.append(_in_a_process(size, system))
            progress(f"round {turn + 1} of {rounds}: {system}, {size:,} rows")
    for (size, system), found in laps.items():
        ours, theirs = np.array(laps[size, "adlab"][0]["gradient"]), np.array(found[0]["gradient"])
        if np.abs(ours - theirs).max() > DIGITS * np.abs(ours).max():
            raise MethodError(f"{system} has another gradient over {size:,} rows: {theirs}, and adlab {ours}")
    return Streamed(TEXT, [
        DataRow(system, size, min(lap["seconds"] for lap in found), min(lap["memory"] for lap in found))
        for (size, system), found in laps.items()
    ])  # fmt: skip


def _in_a_process(size: int, system: str) -> dict[str, Any]:
    ended = run_module("adlab.bench.data", str(size), system, one_processor=True)
    if ended.code:
        raise MethodError(f"{system} over {size:,} rows ended early: {ended.last_line() or ended.how()}")
    found: dict[str, Any] = json.loads(ended.output)
    return found


# --- in the process -------------------------------------------------------------------------------------------------

Gradient = Callable[[], Any]


def _adlab(t: Any, y: Any) -> Gradient:
    from adlab.use.total import total

    loss = total(TEXT, {"t": t, "y": y})
    return lambda: loss.gradient(AT)


def _jax(t: Any, y: Any) -> Gradient:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    given = jnp.array(AT), jnp.array(t), jnp.array(y)
    slope = jax.jit(jax.grad(lambda p, t, y: jnp.sum((y - p[0] * jnp.exp(-p[1] * t) - p[2]) ** 2))).lower(*given).compile()
    return lambda: slope(*given).block_until_ready()


def _torch(t: Any, y: Any) -> Gradient:
    import torch

    times, values = torch.from_numpy(t), torch.from_numpy(y)

    def gradient() -> Any:
        p = torch.tensor(AT, dtype=torch.float64, requires_grad=True)
        ((values - p[0] * torch.exp(-p[1] * times) - p[2]) ** 2).sum().backward()
        return p.grad

    return gradient


SYSTEMS: dict[str, Callable[[Any, Any], Gradient]] = {"adlab": _adlab, "jax": _jax, "torch": _torch}


def main() -> None:
    """Prints the gradient, the time of the best lap and the peak of memory, for the rows and the system of the command line."""
    size, system = int(sys.argv[1]), sys.argv[2]
    draw = np.random.default_rng(1)
    t = draw.uniform(0.0, 4.0, size)
    y = 2 * np.exp(-t / 2) + draw.normal(0.0, 0.05, size)
    SYSTEMS[system](t[:WARM], y[:WARM])()
    slope = SYSTEMS[system](t, y)
    before = _forget_peak()
    gradient = np.asarray(slope()).tolist()
    memory = _peak() - before
    laps = []
    for _ in range(LAPS):
        start = time.perf_counter()
        slope()
        laps.append(time.perf_counter() - start)
    print(json.dumps({"gradient": gradient, "seconds": min(laps), "memory": memory}))


def _forget_peak() -> int:
    """Bytes that the process holds now. On Linux its peak is set back to that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return _linux("VmRSS")
    except OSError:
        return _peak()


def _peak() -> int:
    """The most bytes that the process has held since the peak was set back, or else since it began."""
    try:
        return _linux("VmHWM")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _linux(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))
