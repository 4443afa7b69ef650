"""Functions that PyTorch and JAX ship, by the place that `systems` names. Some take a vector: (x, 3/4, -1/2)."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

REST = (0.75, -0.5)
"""The other entries of a vector whose first is x."""
_TORCH = "torch.stack([x, 0*x + 0.75, 0*x - 0.5])"
_JAX = "jax.numpy.stack([x, 0.75, -0.5])"
WRITTEN: dict[str, dict[str, str]] = {
    "torch": {
        "_huber": 'torch.nn.functional.huber_loss(x, torch.zeros_like(x), reduction="none")',
        "_logsumexp": f"torch.logsumexp({_TORCH}, -1)",
        "_log_softmax": f"torch.log_softmax({_TORCH}, -1)[0]",
        "_softmax": f"torch.softmax({_TORCH}, -1)[0]",
        "_norm": f"torch.linalg.vector_norm({_TORCH})",
        "_normalize": f"torch.nn.functional.normalize({_TORCH}, dim=-1)[0]",
        "_layer_norm": f"torch.nn.functional.layer_norm({_TORCH}, (3,))[0]",
    },
    "jax": {
        "_exact_gelu": "jax.nn.gelu(x, approximate=False)",
        "_logsumexp": f"jax.nn.logsumexp({_JAX})",
        "_log_softmax": f"jax.nn.log_softmax({_JAX})[0]",
        "_softmax": f"jax.nn.softmax({_JAX})[0]",
        "_norm": f"jax.numpy.linalg.norm({_JAX})",
        "_layer_norm": f"jax.nn.standardize({_JAX}, epsilon=1e-5)[0]",
    },
}
"""The functions below as a user writes them, for a script that shows what they give."""


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
