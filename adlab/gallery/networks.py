"""A small network in plain NumPy, to be traced: an attention head and residual layers, for scikit-learn's handwritten digits.

Nothing in it knows of derivatives. `adlab.from_python(loss, (weights, image, target))` makes a Function of it, and its compiled
gradient takes a batch of images at once. The digits are 8 × 8 pixels, averaged to 4 × 4: four rows of four numbers each. `xp` is
the library that computes: NumPy, or `jax.numpy`. `trained_by_torch` is the same network in PyTorch's own words, to compare with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.errors import MissingExtra

FloatArray = npt.NDArray[np.float64]
SIDE, KEYS, HIDDEN, CLASSES = 4, 3, 12, 10
"""Rows and columns of an image, width of the attention, units of a layer, digits to tell apart."""
SHAPES = {
    "query": (SIDE, KEYS), "key": (SIDE, KEYS), "value": (SIDE, SIDE), "w1": (SIDE * SIDE, HIDDEN), "b1": (HIDDEN,),
    "w2": (HIDDEN, HIDDEN), "b2": (HIDDEN,), "w3": (HIDDEN, CLASSES), "b3": (CLASSES,),
}  # fmt: skip
SIZE = sum(prod(shape) for shape in SHAPES.values())
"""How many weights there are."""


def unpacked(weights: Any) -> dict[str, Any]:
    """The weights, a flat array of `SIZE` numbers, as the arrays of `SHAPES`."""
    found, start = {}, 0
    for name, shape in SHAPES.items():
        found[name] = weights[start : start + prod(shape)].reshape(shape)
        start += prod(shape)
    return found


def softmax(z: Any, xp: Any = np) -> Any:
    """exp(z) over its sum along the last axis; the largest entry is taken off first, so that nothing overflows."""
    e = xp.exp(z - xp.max(z, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def attention(x: Any, query: Any, key: Any, value: Any, xp: Any = np) -> Any:
    """One attention head: each row becomes a mean of all rows, weighted by how query and key fit."""
    fit = (x @ query) @ (x @ key).T / KEYS**0.5
    return softmax(fit, xp) @ (x @ value)


def logits(weights: Any, image: Any, xp: Any = np) -> Any:
    """A number for each of the ten digits; the largest is the answer. Residual: x + g(x)."""
    w = unpacked(weights)
    x = image.reshape(SIDE, SIDE)
    x = x + attention(x, w["query"], w["key"], w["value"], xp)
    h = xp.tanh(x.reshape(SIDE * SIDE) @ w["w1"] + w["b1"])
    h = h + xp.tanh(h @ w["w2"] + w["b2"])
    return h @ w["w3"] + w["b3"]


def loss(weights: Any, image: Any, target: Any, xp: Any = np) -> Any:
    """The cross entropy of one image: −log of the probability of its digit. `target` is 1 at the digit and 0 elsewhere."""
    z = logits(weights, image, xp)
    largest = xp.max(z)
    return largest + xp.log(xp.sum(xp.exp(z - largest))) - z @ target


def start(seed: int = 0) -> FloatArray:
    """Random weights, each matrix scaled by the root of its rows; biases 0."""
    rng = np.random.default_rng(seed)
    parts = [rng.normal(size=s) / np.sqrt(s[0]) if len(s) == 2 else np.zeros(s) for s in SHAPES.values()]
    return np.concatenate([part.ravel() for part in parts])


def digits(train: int = 600, test: int = 400) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Images (n, 16) and targets (n, 10) to train with, and the same to test with. Needs the extra `data` (scikit-learn)."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingExtra("the digits come with scikit-learn: pip install 'adlab[data]'") from None
    pixels, labels = load_digits(return_X_y=True)
    pooled = pixels.reshape(-1, SIDE, 2, SIDE, 2).mean(axis=(2, 4)).reshape(-1, SIDE * SIDE) / 16.0
    order = np.random.default_rng(0).permutation(len(labels))[: train + test]
    images, targets = pooled[order], np.eye(CLASSES)[labels[order]]
    return images[:train], targets[:train], images[train:], targets[train:]


def accuracy(weights: FloatArray, images: FloatArray, targets: FloatArray) -> float:
    """The part of the images whose digit is recognised."""
    found = [int(np.argmax(logits(weights, image))) for image in images]
    return float(np.mean(np.array(found) == targets.argmax(axis=1)))


def batches(images: FloatArray, targets: FloatArray, epochs: int, size: int = 60, seed: int = 0) -> Iterator[Any]:
    """Images and targets, `size` at a time, shuffled anew in each epoch."""
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(images))
        for k in range(0, len(images), size):
            yield images[order[k : k + size]], targets[order[k : k + size]]


def trained(step: Callable[[FloatArray], Any], weights: FloatArray, rows: Iterable[Any], rate: float = 0.02,
            say: Callable[[str], None] | None = None) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Adam (Kingma & Ba 2015): the weights after all batches, and the mean loss of each batch before its step.

    `step` takes rows of weights, image and target, and returns losses (rows,) and gradients (rows, n ≥ `SIZE`). `say` gets a
    progress bar after each tenth of the batches.
    """
    rows, losses = list(rows), list[float]()
    w, first, second = weights.copy(), np.zeros(SIZE), np.zeros(SIZE)
    for t, (images, targets) in enumerate(rows, 1):
        values, slopes = step(np.hstack([np.tile(w, (len(images), 1)), images, targets]))
        slope = slopes[:, :SIZE].mean(axis=0)
        first, second = 0.9 * first + 0.1 * slope, 0.99 * second + 0.01 * slope**2
        w -= rate * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.99**t)) + 1e-8)
        losses.append(float(values.mean()))
        if say is not None and t * 10 // len(rows) > (t - 1) * 10 // len(rows):
            say(f"[{'#' * (t * 20 // len(rows)):20}] batch {t:,} of {len(rows):,}, loss {np.mean(losses[-10:]):.3f}")
    return w, np.array(losses)


def losses_by_torch(weights: Any, images: Any, targets: Any) -> Any:
    """The losses of a batch by PyTorch's own functions, from tensors. Needs the extra `torch`."""
    torch = _torch()
    w = unpacked(weights)
    x = images.reshape(-1, SIDE, SIDE)
    fit = (x @ w["query"]) @ (x @ w["key"]).transpose(1, 2) / KEYS**0.5
    x = x + torch.softmax(fit, -1) @ (x @ w["value"])
    h = torch.tanh(x.reshape(-1, SIDE * SIDE) @ w["w1"] + w["b1"])
    h = h + torch.tanh(h @ w["w2"] + w["b2"])
    return torch.nn.functional.cross_entropy(h @ w["w3"] + w["b3"], targets, reduction="none")


def trained_by_torch(weights: FloatArray, rows: Iterable[Any], rate: float = 0.02) -> tuple[FloatArray, FloatArray]:
    """As `trained`, by PyTorch's autograd and PyTorch's Adam, in binary64. Needs the extra `torch`."""
    torch = _torch()
    leaf, losses = torch.tensor(weights, requires_grad=True), []
    adam = torch.optim.Adam([leaf], lr=rate, betas=(0.9, 0.99), eps=1e-8)
    for images, targets in rows:
        adam.zero_grad()
        mean = losses_by_torch(leaf, torch.tensor(images), torch.tensor(targets)).mean()
        mean.backward()
        adam.step()
        losses.append(mean.item())
    return leaf.detach().numpy().copy(), np.array(losses)


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingExtra("this needs PyTorch: pip install 'adlab[torch]'") from None
    return torch


def deep(biases: Any, residual: bool, seed: int = 0) -> Any:
    """Half the squared length of what a stack of layers puts out; `biases` has shape (layers, width). Residual: h + tanh(…)."""
    layers, width = biases.shape
    rng = np.random.default_rng(seed)
    h: Any = np.linspace(-1.0, 1.0, width)
    for k in range(layers):
        z = np.tanh(h @ (rng.normal(size=(width, width)) * 0.5 / np.sqrt(width)) + biases[k])
        h = h + z if residual else z
    return h @ h / 2
