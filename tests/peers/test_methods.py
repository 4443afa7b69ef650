"""Peers as methods: the same gradients as everybody's, imported only when asked for, and a row for every failure."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from adlab import gallery
from adlab.errors import GaveUp, MethodError, MissingExtra, OptionError, PeerError
from adlab.function import Function
from adlab.methods import METHODS, chosen
from adlab.peers.catalogue import PEERS, Peer
from adlab.report.accuracy import attempt
from adlab.report.compare import compare

# ∇f of the worked example, NUMBERS.md; and what each peer's arithmetic, or its way of sampling, can promise.
WORKED = {(1.0, 2.0): (0.5215007789468607, 0.5634963734499162), (2.0, 3.0): (0.5210439445318398, 0.4822030228464966)}
PROMISE = {
    "torch-float32": 1e-6, "jax-float32": 1e-6,
    "scipy": 1e-10, "scipy-fprime": 1e-6, "numdifftools": 1e-11, "jacobi": 1e-12,
    "numericalderivative": 1e-8,
}  # fmt: skip


@pytest.mark.parametrize("point", WORKED)
def test_the_worked_example(peer: Peer, point: tuple[float, float]) -> None:
    found = gallery.worked_example().gradient(point, method=peer.name)
    assert found == pytest.approx(WORKED[point], rel=PROMISE.get(peer.name, 1e-15))


def test_a_batch_is_its_points(peer: Peer) -> None:
    f, points = gallery.worked_example(), np.array([[[1.0, 2.0], [2.0, 3.0]], [[2.0, 5.0], [3.0, 1.0]]])
    found = f.gradient(points, method=peer.name)
    assert found.shape == (2, 2, 2)
    assert found == pytest.approx(f.gradient(points), rel=PROMISE.get(peer.name, 1e-14))


def test_several_outputs_unused_variables_and_constants(peer: Peer) -> None:
    f = Function(["x*y", "sin(x)", "3"], ["x", "y", "unused"])
    assert f.jacobian([0.5, 0.75, 2.0], method=peer.name) == pytest.approx(
        np.array([[0.75, 0.5, 0], [math.cos(0.5), 0, 0], [0, 0, 0]]), rel=1e-6, abs=1e-11
    )


def test_a_formula_without_variables_has_no_partials(graph_peer: Peer) -> None:
    assert Function("2 + sqrt(pi)", ["x"]).gradient([1.0], method=graph_peer.name).tolist() == [0.0]


def test_samplers_count_and_estimate() -> None:
    pytest.importorskip("jacobi")
    result = METHODS["jacobi"](gallery.worked_example(), np.array([1.0, 2.0]))
    assert result.evaluations is not None
    assert result.evaluations > 10
    assert result.error is not None
    assert result.error.shape == (1, 2)


# --- imported only when asked for, and missed in a sentence ---------------------------------------------------------


def test_no_peer_is_imported_with_the_registry() -> None:
    code = "import sys, adlab.methods, adlab.report.peers as p; p.peer_listing(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {peer.package for peer in PEERS.values()} & set(loaded)


@pytest.mark.parametrize("name", PEERS)
def test_a_missing_peer_names_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PEERS[name].package, None)
    f = gallery.worked_example()
    with pytest.raises(MissingExtra, match=rf"pip install 'adlab\[{PEERS[name].extra}\]'"):
        f.gradient([1.0, 2.0], method=name)
    assert attempt(f, METHODS[name], np.array([1.0, 2.0])).status == "missing"
    assert name not in chosen(["all"])


@pytest.mark.parametrize("convert", ["to_torch", "to_jax", "to_casadi"])
def test_a_missing_framework_says_so_to_who_converts(convert: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, convert.removeprefix("to_"), None)
    with pytest.raises(MissingExtra, match="is not installed: pip install"):
        getattr(gallery.worked_example().graph, convert)()


def test_all_methods_means_every_peer_installed_but_the_slow_one() -> None:
    installed = {name for name, peer in PEERS.items() if peer.installed and not peer.on_request}
    assert {name for name in chosen("all") if name in PEERS} == installed
    assert not {name for name in chosen(None) if name in PEERS}


# --- a row for every failure ----------------------------------------------------------------------------------------


def test_what_a_peer_lacks_is_a_row_that_names_it(graph_peer: Peer) -> None:
    tried = attempt(Function("x*LambertW(x)"), METHODS[graph_peer.name], np.array([1.0]))
    assert tried.status == "refused"
    assert "`lambertw`" in tried.note
    assert graph_peer.system in tried.note


def test_nan_is_a_row_that_says_so() -> None:
    pytest.importorskip("torch")
    trap = Function("Piecewise((sqrt(x), x > 0), (0, True))")
    assert attempt(trap, METHODS["torch"], np.array([-1.0])).status == "not finite"
    assert compare(trap, -1.0, ["reverse", "torch"], timed=False).accuracy[1].status == "not finite"


def test_what_a_library_raises_is_told_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    jacobi = pytest.importorskip("jacobi")

    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a bug of theirs")

    monkeypatch.setattr(jacobi, "jacobi", broken)
    f = gallery.worked_example()
    with pytest.raises(PeerError, match="jacobi raised ZeroDivisionError: a bug of theirs"):
        f.gradient([1.0, 2.0], method="jacobi")
    assert attempt(f, METHODS["jacobi"], np.array([1.0, 2.0])).status == "crashed"


def test_a_sampler_is_stopped_when_time_is_up() -> None:
    pytest.importorskip("numdifftools")
    with pytest.raises(GaveUp, match="numdifftools was stopped after 0 s"):
        gallery.worked_example().gradient([1.0, 2.0], method="numdifftools", seconds=0.0)


def test_options_and_names_are_checked() -> None:
    with pytest.raises(OptionError, match="takes seconds"):
        gallery.worked_example().gradient([1.0, 2.0], method="torch", dtype="float16")
    with pytest.raises(MethodError, match="did you mean `torch`"):
        gallery.worked_example().gradient([1.0, 2.0], method="toch")
