"""The compiled core, where it has been built: a mirror in C of the dearest loops, which gives the same results bit for bit.

Every function of the core stands in readable Python, too; its comment names the file. That Python is the reference, and it runs
where the core is missing. `build.py` compiles the core when adlab is installed, and in place. The environment variable
`ADLAB_NATIVE=0` leaves it out.

>>> from adlab import native
>>> native.core is None or native.core.postorder([]) == []
True
"""

from __future__ import annotations

import os
from typing import Any

from adlab.native.build import fingerprint

core: Any
"""The module `_core`, or None."""

try:
    if os.environ.get("ADLAB_NATIVE") == "0":
        raise ImportError
    from adlab.native import _core as core

    if core.source != fingerprint():  # built before the sources changed
        core = None
except (ImportError, OSError):  # no compiler when adlab was installed, another Python since, or no sources beside it
    core = None
