"""The points at which rules are tested: all magnitudes, both signs, and the neighbours of each function's special points."""

from __future__ import annotations

import math

import numpy as np

from adlab.inputs import FloatArray

_E1 = math.exp(-1)
_GAPS = (2.0**-50, 1e-9, 1e-5)
"""How far the neighbours of a special point are from it, as a part of it: four ulps, and farther."""
_EVERYWHERE = (1.0, 2.0, math.pi / 2, math.pi)
"""Edges, poles and zeros of many functions."""
SPECIAL: dict[str, tuple[float, ...]] = {
    "gauss": (0.7071067811865476,), "sharing": (2.0669578969248166, 0.5669578969248167), "tan": (4.71238898038469,),
    "cot": (6.283185307179586,), "gamma": (0.5040830082644554, 1.4616321449683622), "loggamma": (1.4616321449683622,),
    "polygamma": (0.4957156769130384, 0.5040830082644554, 1.4616321449683622), "zeta": (0.4957156769130384,),
    "digamma": (0.4957156769130384, 0.5040830082644554, 1.4616321449683622), "lambertw": (_E1,), "lambertw1": (_E1,),
    "explambertw": (_E1,), "lambertwm": (_E1,), "lambertwm1": (_E1,), "explambertwm": (_E1,), "polylog": (0.25, 0.5),
    "li": (1.451369234883381,), "Ei": (0.3725074107813666,), "Ci": (0.6165054856207163, 2.798386045783887),
    "Si": (4.493409457909064,), "Chi": (0.5238225713898644, 1.1996786402577337), "fresnels": (math.sqrt(2),),
    "fresnelc": (math.sqrt(2),), "sphericalj": (2.0815759778181007, 4.493409457909064),
    "besselj": (2.404825557695773, 3.8317059702075125, 1.8411837813406593),
    "bessely": (0.8935769662791675, 2.197141326031017, 3.6830228565851777), "airyai": (2.338107410459767, 1.018792971647471),
    "airybi": (1.173713222709128, 2.294439682614123), "airyaiprime": (2.338107410459767, 1.018792971647471),
    "airybiprime": (1.173713222709128, 2.294439682614123), "gelu": (0.7517915246935645, math.sqrt(2)),
    "silu": (1.2784645427610737, 2.3993572805154675), "entr": (_E1,), "sinc": (0.6625862125821924, 1.4302966531242027),
}  # fmt: skip
"""Further special points by function, without their signs: where it, or one of its first two derivatives, is 0 or ends."""


def grid(name: str = "") -> FloatArray:
    """Both signs, magnitudes from 1e-300 to 1e300, the neighbours of points that are special to many functions, and to this one.

    >>> len(grid()) < len(grid("gauss"))
    True
    """
    far = [10.0**k for k in (-300, -200, -100, -50, -30, -16, -12, -9, -7, -5, -4, -3)]
    near = np.logspace(-2, 3, 36).tolist()
    wide = [10.0**k for k in (4, 5, 6, 8, 10, 15, 30, 100, 150, 200, 300)]
    own = SPECIAL.get(name.partition(",")[0].partition(" ")[0], ())
    special = [edge + side * gap for edge in (*_EVERYWHERE, *own) for side in (-1, 1) for gap in _GAPS]
    positive = sorted({*far, *near, *wide, *special, 0.75, 22.0, 26.0, 50.0})
    return np.array([*(-x for x in reversed(positive)), *positive])
