"""The network of the gallery: traced, its gradient is that of PyTorch, and its steps lower the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import adlab
from adlab.gallery import networks as net


def traced() -> tuple[Any, np.ndarray]:
    rng = np.random.default_rng(1)
    image, target = rng.random(16), np.eye(10)[3]
    f = adlab.from_python(net.loss, (net.start(), image, target))
    return f, np.concatenate([net.start(), image, target])


@pytest.mark.slow
def test_the_gradient_is_that_of_pytorch() -> None:
    """JAX would compile the graph for more than half a minute."""
    pytest.importorskip("torch")
    f, x = traced()
    assert f.gradient(x, method="torch") == pytest.approx(f.gradient(x), rel=1e-10, abs=1e-14)


def test_pytorch_agrees_in_its_own_words() -> None:
    torch = pytest.importorskip("torch")
    f, x = traced()
    w, image, target = x[: net.SIZE], x[net.SIZE : -10], x[-10:]
    leaf = torch.tensor(w, requires_grad=True)
    (loss,) = net.losses_by_torch(leaf, torch.tensor(image[None]), torch.tensor(target[None]))
    loss.backward()
    assert loss.item() == pytest.approx(f(x), rel=1e-14)
    assert leaf.grad.numpy() == pytest.approx(f.gradient(x)[: net.SIZE], rel=1e-11, abs=1e-15)


@pytest.mark.slow
def test_jax_on_the_same_code() -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    f, x = traced()
    found = jax.grad(lambda w: net.loss(w, x[net.SIZE : -10], x[-10:], jax.numpy))(jax.numpy.array(x[: net.SIZE]))
    assert np.array(found) == pytest.approx(f.gradient(x)[: net.SIZE], rel=1e-11, abs=1e-15)


@pytest.mark.slow
def test_training_is_that_of_pytorch() -> None:
    """The same start and batches: five steps of Adam lead to the same weights and losses."""
    pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    images, targets = rng.random((40, 16)), np.eye(10)[rng.integers(0, 10, 40)]
    f, _ = traced()
    said: list[str] = []
    step = f.compile("numpy", derivative="value_and_gradient")
    ours, losses = net.trained(step, net.start(), net.batches(images, targets, 5, size=40), say=said.append)
    theirs, other = net.trained_by_torch(net.start(), net.batches(images, targets, 5, size=40))
    assert losses == pytest.approx(other, rel=1e-10)
    assert ours == pytest.approx(theirs, abs=1e-7)
    assert said[-1].startswith("[" + 20 * "#" + "] batch 5 of 5")


def test_the_layers_rules_by_hand_are_the_sweep() -> None:
    """Backpropagation as the books write it, δ by δ through attention-free layers, gives the same numbers as reverse mode."""
    f, x = traced()
    w, image, target = net.unpacked(x[: net.SIZE]), x[net.SIZE : net.SIZE + 16], x[-10:]
    rows = image.reshape(4, 4)
    a = rows + net.attention(rows, w["query"], w["key"], w["value"])
    t1 = np.tanh(a.ravel() @ w["w1"] + w["b1"])
    t2 = np.tanh(t1 @ w["w2"] + w["b2"])
    h = t1 + t2
    delta = net.softmax(h @ w["w3"] + w["b3"]) - target  # of the logits
    of_h = w["w3"] @ delta
    delta2 = of_h * (1 - t2**2)
    delta1 = (of_h + w["w2"] @ delta2) * (1 - t1**2)  # the residual path passes of_h on as it is
    found = net.unpacked(f.gradient(x)[: net.SIZE])
    for name, by_hand in {"w3": np.outer(h, delta), "b3": delta, "w2": np.outer(t1, delta2), "b2": delta2,
                          "w1": np.outer(a.ravel(), delta1), "b1": delta1}.items():  # fmt: skip
        assert found[name] == pytest.approx(by_hand, rel=1e-12, abs=1e-15), name


def test_residual_layers_keep_the_adjoint_alive() -> None:
    sizes = {}
    for residual in (False, True):
        f = adlab.from_python(lambda b, r=residual: net.deep(b, r), np.zeros((30, 6)))
        sizes[residual] = np.linalg.norm(f.gradient(np.zeros(180)).reshape(30, 6), axis=1)
    assert sizes[False][0] < 1e-6 * sizes[False][-1]
    assert sizes[True][0] > 0.1 * sizes[True][-1]


def test_a_few_steps_of_training_lower_the_loss() -> None:
    """Three steps on one batch, by the compiled gradient of the traced code."""
    rng = np.random.default_rng(2)
    images, targets = rng.random((20, 16)), np.eye(10)[rng.integers(0, 10, 20)]
    f, _ = traced()
    step = f.compile("numpy", derivative="value_and_gradient")
    _, losses = net.trained(step, net.start(), iter([(images, targets)] * 3))
    assert losses[2] < losses[1] < losses[0]
