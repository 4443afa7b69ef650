"""Functions that PyTorch and JAX ship, by the place that `systems` names. Some take a vector: (x, 3/4, -1/2)."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

REST = (0.75, -0.5)
"""The other entries of a vector whose first is x."""


def shipped(system: str, place: str) -> Callable[[Any], Any]:
    """The function at this place of a library, of one argument. A place that begins with `_` is one of those below."""
    if place.startswith("_"):
        return (_in_torch() if system == "torch" else _in_jax())[place]
    *path, name = place.split(".")
    found: Callable[[Any], Any] = getattr(import_module(".".join([system, *path])), name)
    return found


def _in_torch() -> dict[str, Callable[[Any], Any]]:
    import torch
    from torch.nn import functional

    def vector(x: Any) -> Any:
        return torch.stack([x, *(torch.full_like(x, value) for value in REST)], -1)

    return {
        "_huber": lambda x: functional.huber_loss(x, torch.zeros_like(x), reduction="none"),
        "_logsumexp": lambda x: torch.logsumexp(vector(x), -1),
        "_log_softmax": lambda x: torch.log_softmax(vector(x), -1)[..., 0],
        "_softmax": lambda x: torch.softmax(vector(x), -1)[..., 0],
        "_norm": lambda x: torch.linalg.vector_norm(vector(x), dim=-1),
        "_normalize": lambda x: functional.normalize(vector(x), dim=-1)[..., 0],
        "_layer_norm": lambda x: functional.layer_norm(vector(x), (3,))[..., 0],
    }


def _in_jax() -> dict[str, Callable[[Any], Any]]:
    import jax
    import jax.numpy as jnp

    def vector(x: Any) -> Any:
        return jnp.stack([x, *(jnp.full_like(x, value) for value in REST)], -1)

    return {
        "_exact_gelu": lambda x: jax.nn.gelu(x, approximate=False),
        "_logsumexp": lambda x: jax.nn.logsumexp(vector(x), -1),
        "_log_softmax": lambda x: jax.nn.log_softmax(vector(x), -1)[..., 0],
        "_softmax": lambda x: jax.nn.softmax(vector(x), -1)[..., 0],
        "_norm": lambda x: jnp.linalg.norm(vector(x), axis=-1),
        "_layer_norm": lambda x: jax.nn.standardize(vector(x), axis=-1, epsilon=1e-5)[..., 0],
    }
