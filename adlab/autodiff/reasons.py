"""Why a partial is missing, in words that also name the partials that exist."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adlab.errors import AdlabError
from adlab.inputs import FloatArray

MOST_NAMED = 6
"""The most partials that a message lists."""


def naming_the_others(reason: AdlabError, partials: FloatArray, names: Sequence[str]) -> AdlabError:
    """Adds to the reason why some partials of a Jacobian (m, n) are missing a line with the partials that exist."""
    there = [
        f"by {names[j]}" + (f" of output {i}" if len(partials) > 1 else "") + f": {partials[i, j]:.6g}"
        for i, j in np.argwhere(np.isfinite(partials)).tolist()
    ]
    if there:
        shown = ", ".join(there[:MOST_NAMED]) + (" …" if len(there) > MOST_NAMED else "")
        more = f"the other partials exist ({shown}); a batch of one point, [[…]], has them, and NaN in place of the missing"
        reason.args = (f"{reason}\n{more}", *reason.args[1:])
    return reason
