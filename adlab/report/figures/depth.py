"""What depth does to an adjoint: a stack of layers, plain and with residual connections."""

from __future__ import annotations

from typing import Any

import numpy as np

from adlab.gallery.networks import deep
from adlab.plots.canvas import COLOURS, axes, label_ends, lines
from adlab.tracing.traced import from_python

LAYERS, WIDTH, SEEDS = 50, 6, 5
"""Layers, numbers in each, and draws of the weights: enough to tell the trend from one draw's luck."""


def adjoints_through_layers(ax: Any = None) -> Any:
    """Length of the loss's gradient by the biases of each layer, over that of the last layer, for 50 layers h ← tanh(h W + b) of
    width 6, and for the same with residual connections, h ← h + tanh(h W + b). The loss is half the squared length of the last h.
    Each line is the median over five draws of the weights. A plain layer multiplies the adjoint by Wᵀ and by the slope of tanh.
    Here that makes it about half as long, so after 50 layers nothing is left of it in the first. A residual layer passes it on as
    it is, and adds to it."""
    ax = axes(ax)
    layers, ends = list(range(1, LAYERS + 1)), {}
    for k, name in enumerate(("plain", "residual")):
        sizes = np.median([lengths(name == "residual", seed) for seed in range(SEEDS)], axis=0)
        lines(ax, layers, {name: sizes}, color=COLOURS[k], marker="os"[k])
        ends[name] = (layers[-1], sizes[-1] * (0.03, 30)[k], COLOURS[k])
    ax.set(yscale="log", xlabel="layer", ylabel="adjoint, over that of the last layer",
           title="an adjoint on its way through 50 layers")  # fmt: skip
    label_ends(ax, ends)
    return ax


def lengths(residual: bool, seed: int) -> Any:
    """The length of the gradient by the biases of each layer, over that of the last."""
    still = np.zeros((LAYERS, WIDTH))
    found = from_python(lambda biases: deep(biases, residual, seed), still).gradient(still.ravel())
    sizes = np.linalg.norm(found.reshape(LAYERS, WIDTH), axis=1)
    return sizes / sizes[-1]
