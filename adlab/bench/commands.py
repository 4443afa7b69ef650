"""What the command line asks of the bench: a race, a recorded race, or another measurement; and the files it writes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from adlab.bench.data import Streamed, over_data
from adlab.bench.in_c import InC, in_c
from adlab.bench.linearity import Linearity, linearity
from adlab.bench.race import bench
from adlab.bench.results import Bench
from adlab.bench.scaling import Scaling, scaling
from adlab.bench.sparsity import SparseMatrices, sparsity
from adlab.bench.startup import Startup, startup
from adlab.bench.vouching import Vouching, vouching
from adlab.errors import OptionError, OutputError
from adlab.process import whole_file

Measured = Bench | Linearity | Scaling | Startup | Streamed | SparseMatrices | InC | Vouching
KINDS: dict[str, type[Measured]] = {
    "ratios": Bench, "spread": Linearity, "processors": Scaling, "commands": Startup, "over_data": Streamed,
    "matrices": SparseMatrices, "in_c": InC, "vouching": Vouching,
}  # fmt: skip
"""Each kind of record, by a key that only it has."""
OTHERS: dict[str, Callable[..., Measured]] = {
    "linearity": linearity, "scaling": scaling, "startup": startup, "data": over_data, "sparse": sparsity, "c": in_c,
    "vouching": vouching,
}  # fmt: skip
"""What is measured instead of a race, by its option."""


def asked(options: argparse.Namespace, files: Mapping[str, Sequence[Any]] | None = None) -> Any:
    """The report, recorded as JSON where a file is named. Raises OptionError for options that do not go together.

    `files` are the formulas that `--c` was given, with their points.
    """
    alone = [name for name in (*OTHERS, "show") if getattr(options, name)]
    if len(alone) > 1 or (alone and ((options.problems and not files) or options.peers)):
        raise OptionError(f"--{alone[0]} is not a race: it takes no problems, no --peers, and no other option of this kind")
    shown = read(options.show) if options.show else None
    race = isinstance(shown, Bench) if shown else not alone
    if options.brief and not race:
        raise OptionError("only a race has a brief form; leave out --brief")
    if options.plot and not (race or isinstance(shown, Linearity) or options.linearity):
        raise OptionError("this measurement has no picture; leave out --plot")
    found = shown or _measured(options, files)
    if options.json is not None:
        write(options.json, found.to_dict())
    return found


def _measured(options: argparse.Namespace, files: Mapping[str, Sequence[Any]] | None) -> Measured:
    def progress(line: str) -> None:
        if not options.quiet:
            print(line, file=sys.stderr)

    for name, measure in OTHERS.items():
        if getattr(options, name):
            return measure(rounds=options.rounds, progress=progress, **{"files": files} if files else {})
    return bench(options.problems or None, options.peers or None, seconds=options.seconds, rounds=options.rounds,
                 progress=progress)  # fmt: skip


def read(path: str) -> Measured:
    """What `--json` has recorded. Raises OptionError if the file does not hold such a record."""
    try:
        facts = json.loads(Path(path).read_text(encoding="utf-8"))
        kind = next(kind for key, kind in KINDS.items() if key in facts)
        return kind.from_dict(facts)
    except OSError as error:
        raise OptionError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise OptionError(f"{path} holds no run of the bench; record one by `adlab bench --json {path}`") from error


def write(path: str, facts: dict[str, Any]) -> None:
    """Records a run. Raises OutputError where the file cannot be written."""
    try:
        with whole_file(Path(path)) as draft:
            draft.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
