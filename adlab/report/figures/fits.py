"""What a derivative is worth in a fit: the certified digits that each method reaches."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from adlab.report.figures.precision import NoCorpus, corpora
from adlab.use.certified import certified_fits


def digits_of_nist_fits(ax: Any = None) -> Any:
    """How many of 54 fits reach at least so many certified digits of their worst parameter, by the method of the Jacobian: NIST's
    27 problems of nonlinear regression, each from both of its starts. The search is the same for all. Differences take their
    standard step. The legend has what all fits together spend: evaluations of the model over all data, those for difference
    quotients included, and Jacobians (J). The problems are not part of the project. They are read from the directory that
    ADLAB_CORPORA names."""
    file = corpora() / "nist_strd.jsonl"
    if not file.is_file():
        raise NoCorpus(f"there is no {file}; set ADLAB_CORPORA to the directory that holds nist_strd.jsonl")
    if find_spec("scipy") is None:
        raise NoCorpus('a fit needs SciPy; pip install "adlab[fit]"')
    return certified_fits(file).plot(ax)
