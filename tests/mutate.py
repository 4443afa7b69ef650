"""A small mutation run: plants one fault at a time in a copy of adlab, and tells which no test notices.

    python tests/mutate.py             every fault
    python tests/mutate.py sweeps      those whose file's path holds a word

Not part of the test suite or of CI: it takes minutes. A fault is a text in a file, what stands in its place, and the
tests that are to notice. A fault whose text is no longer there is reported too, so that the list keeps up with the code.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = float(os.environ.get("ADLAB_PATIENCE", "300"))  # seconds for the tests of one fault; tests that hang have noticed it


class Fault(NamedTuple):
    """One planted fault."""

    path: str
    old: str
    new: str
    tests: str


TABLE = "tests/test_planted_numbers.py tests/primitives"
SWEEPS = "tests/autodiff tests/test_planted_numbers.py"
FAULTS = [
    # the table
    Fault("primitives/computed.py", "num.elementwise(math.erfc), ulps=8", "num.elementwise(math.erfc), ulps=1", TABLE),
    Fault("primitives/computed.py", "C(operator.sub, np.subtract", "C(operator.sub, np.add", TABLE),
    Fault("primitives/computed.py", "C(math.sin, np.sin", "C(math.cos, np.sin", TABLE),
    Fault("primitives/computed.py", "C(math.sqrt, np.sqrt, ulps=0.5", "C(math.sqrt, np.sqrt, ulps=0", TABLE),
    # the sweeps and the derivative programs
    Fault("autodiff/sweeps.py", "arithmetic.add(before, contribution)", "contribution", SWEEPS),
    Fault("autodiff/sweeps.py", "arithmetic.add(tangent[node], contribution)", "contribution", SWEEPS),
    Fault("autodiff/sweeps.py", "reversed(graph.operations if", "list(graph.operations if", SWEEPS),
    Fault("autodiff/programs.py", 'builder.call("ne", partial, builder.constant(0))',
          'builder.call("eq", partial, builder.constant(1))', SWEEPS),
    Fault("autodiff/programs.py", 'return builder.call("or", p, q)', 'return builder.call("and", p, q)', SWEEPS),
    Fault("autodiff/programs.py", 'builder.call("and", p, q)', 'builder.call("or", p, q)', SWEEPS),
    # differences
    Fault("differences/admission.py", "np.fmax(found.error, np.fmax(UNIT_ROUNDOFF * np.abs(found.df), TINIEST))", "found.error",
          "tests/test_planted_numbers.py tests/differences/test_differences.py"),
    Fault("differences/quotients.py", "return self.truncation + self.roundoff", "return self.truncation",
          "tests/test_planted_numbers.py tests/differences/test_difference_errors.py"),
    Fault("differences/quotients.py", "rises, step = values - values[0], h", "rises, step = values, h",
          "tests/test_planted_numbers.py tests/differences"),
    # the compilers
    Fault("compile/llvm/forms.py", 'np.add: "fadd"', 'np.add: "fsub"', "tests/compile"),
    Fault("compile/numpy.py", "multiply({1}, {0}, out={1})", "multiply({1}, {1}, out={1})", "tests/compile"),
    # the verdict, check, drawing
    Fault("report/slips.py", "LIKE = 1e-6", "LIKE = 1e-3", "tests/test_planted_numbers.py"),
    Fault("report/verdict.py", "<= PREDICTED * kappa * UNIT_ROUNDOFF", "<= 1e9 * PREDICTED * kappa * UNIT_ROUNDOFF",
          "tests/report/test_verdict.py"),
    Fault("report/verdict.py", ">= FULL]", ">= POOR]", "tests/report/test_verdict.py"),
    Fault("report/verdict.py", "if reverse.ratio <= forward.ratio", "if reverse.ratio > forward.ratio",
          "tests/report/test_verdict.py"),
    Fault("draw/layered/places.py", "max(farthest, abs(place - x[vertex]))", "max(farthest, place - x[vertex])",
          "tests/test_planted_numbers.py"),
]  # fmt: skip


def outcome(fault: Fault, copy: Path) -> str:
    """`killed`, `SURVIVED`, or why the fault could not be planted."""
    path = copy / "adlab" / fault.path
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if fault.old not in text:
        return "not found: mend the list"
    path.write_text(text.replace(fault.old, fault.new, 1), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-o",
               "addopts=--import-mode=importlib --strict-markers", "-m", "not slow", *fault.tests.split()]  # fmt: skip
    place = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=copy, env=place, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return f"killed (by {PATIENCE} s without an end)"
    finally:
        path.write_text(text, encoding="utf-8")
    by = next((line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))), "")
    return f"killed by {by.partition(' ')[2]}" if done.returncode == 1 else "SURVIVED" if done.returncode == 0 else "broken run"


def main() -> int:
    wanted = [fault for fault in FAULTS if all(word in fault.path for word in sys.argv[1:])]
    survivors = 0
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place)
        for name in ("adlab", "tests"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, copy)
        for fault in wanted:
            found = outcome(fault, copy)
            survivors += not found.startswith("killed")
            print(f"{fault.path}: `{fault.old}` → `{fault.new}`: {found}", flush=True)
    print(f"{len(wanted) - survivors} of {len(wanted)} faults were noticed")
    return int(survivors > 0)


if __name__ == "__main__":
    raise SystemExit(main())
