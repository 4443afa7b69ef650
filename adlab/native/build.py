"""Compiles the core: when adlab is installed, and in place by `python adlab/native/build.py`.

It is optional. Where there is no compiler, no `Python.h`, or anything else that fails, adlab is installed without it, and the
readable Python computes the same. This file imports nothing of adlab, since it runs before adlab is there. `adlab.native` imports
it, so it imports what only the compilation needs where that begins.
"""

from __future__ import annotations

import os
import sys
import zlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# No operation is fused with another and none is reordered, so that every result has the bits that Python gives it.
FLAGS = ["-O2", "-std=c11", "-ffp-contract=off", "-fno-fast-math", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra"]


def sources() -> list[Path]:
    """The C files, in order."""
    return sorted(HERE.glob("*.c"))


def fingerprint() -> str:
    """What the sources are: the core holds it, so that one of other sources is never used."""
    texts = [path.read_bytes() for path in [*sources(), HERE / "core.h"]]
    return f"{zlib.crc32(b''.join(texts)):08x}"


def artifact() -> Path:
    """The file that Python imports as `adlab.native._core`."""
    import sysconfig

    return HERE / f"_core{sysconfig.get_config_var('EXT_SUFFIX') or '.so'}"


def commands(target: Path) -> list[str]:
    """The compiler's command line, for one step from all sources to the module."""
    import shlex
    import sysconfig

    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    shared = ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-shared"]
    include = [f"-I{sysconfig.get_paths()[name]}" for name in ("include", "platinclude")]
    return [*compiler, *FLAGS, f'-DSOURCE="{fingerprint()}"', *include, *map(str, sources()), *shared, "-lm", "-o", str(target)]


def compiled(quiet: bool = True) -> Path | None:
    """Compiles the core beside its sources. None where that fails, or where Python is not CPython with its lock."""
    import subprocess
    import sysconfig

    target = artifact()
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return None
    made = target.with_name(f"{target.name}.{os.getpid()}")  # whoever imports meanwhile has the old one or the new one
    try:
        done = subprocess.run(commands(made), capture_output=quiet, check=False)
        if done.returncode == 0:
            made.replace(target)
            return target
    except OSError as reason:
        if not quiet:
            print(reason, file=sys.stderr)
    made.unlink(missing_ok=True)
    return None


if "hatchling" in sys.modules:  # it has loaded this file
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface as Hook
else:
    Hook = object


class CustomBuildHook(Hook):  # type: ignore[misc]  # hatchling finds it by its base
    """Puts the core into the wheel, which then is one for this platform. Without it the wheel is one for all."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel is built, for an editable installation too."""
        made = None if os.environ.get("ADLAB_NATIVE") == "0" else compiled()
        if made is not None:
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["artifacts"].append(f"adlab/native/{made.name}")


if __name__ == "__main__":
    built = compiled(quiet=False)
    print(built or "the core was not built; adlab runs without it")
    raise SystemExit(built is None)
