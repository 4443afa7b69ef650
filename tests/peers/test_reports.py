"""The listing, the conventions at kinks and edges, and the programs side by side."""

from __future__ import annotations

import json
import math

import pytest

from adlab import gallery
from adlab.cli.main import main
from adlab.errors import MethodError
from adlab.function import Function
from adlab.peers.catalogue import PEERS
from adlab.report.peers import CASES, conventions, peer_listing, side_by_side
from adlab.report.side_by_side import kernels


def test_the_listing_has_every_peer_and_its_version() -> None:
    rows = {row.name: row for row in peer_listing().rows}
    assert list(rows) == list(PEERS)
    assert all(bool(rows[name].version) == peer.installed for name, peer in PEERS.items())


def test_peers_at_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["peers"]) == 0
    assert "numdifftools" in capsys.readouterr().out
    assert main(["peers", "--conventions", "--methods", "reverse", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == len(CASES)


# What each answers where there is no derivative, or where an unprotected rule meets 0·∞. Measured; a change is news.
NAN = math.nan
ANSWERS = {
    ("kink of abs", "reverse"): [0.0],
    ("kink of abs", "torch"): [0.0],
    ("kink of abs", "jax"): [1.0],
    ("kink of abs", "casadi"): [0.0],
    ("kink of abs", "autograd"): [0.0],
    ("kink of abs", "symengine"): "refused",
    ("tie of max", "reverse"): [0.5, 0.5],
    ("tie of max", "torch"): [0.5, 0.5],
    ("tie of max", "jax"): [0.5, 0.5],
    ("tie of max", "casadi"): [0.5, 0.5],
    ("tie of max", "autograd"): [0.5, 0.5],
    ("edge of sqrt", "reverse"): "domain",
    ("edge of sqrt", "torch"): [math.inf],
    ("edge of sqrt", "jax"): [math.inf],
    ("root of a square", "torch"): [NAN],
    ("root of a square", "casadi"): [0.0],
    ("atan2 at the origin", "reverse"): "domain",
    ("atan2 at the origin", "torch"): [0.0, 0.0],
    ("atan2 at the origin", "jax"): [NAN, NAN],
    ("jump of floor", "torch"): [0.0],
    ("jump of sign", "jax"): [0.0],
    ("x**y at 0**2", "torch"): [0.0, 0.0],
    ("x**y at 0**2", "casadi"): [0.0, NAN],
    ("x**y at 0**0", "torch"): [0.0, 0.0],
    ("x**y at 0**0", "jax"): [NAN, 0.0],
    ("0**x", "torch"): [0.0],
    ("0**x", "casadi"): [NAN],
    ("0**x", "symengine"): "crashed",
    ("0·∞ in x log x", "torch"): [NAN],
    ("0·∞ in x log x", "casadi"): [-math.inf],
    ("0·∞ in a bump", "jax"): [NAN],
    ("norm at the origin", "reverse"): "domain",
    ("norm at the origin", "torch"): [NAN, NAN],
    ("norm at the origin", "jax"): [NAN, NAN],
    ("where-NaN trap", "reverse"): [0.0],
    ("where-NaN trap", "forward"): [0.0],
    ("where-NaN trap", "torch"): [NAN],
    ("where-NaN trap", "jax"): [NAN],
    ("where-NaN trap", "torch-forward"): [0.0],
    ("where-NaN trap", "jax-forward"): [0.0],
    ("where-NaN trap", "casadi"): [0.0],
    ("where-NaN trap", "autograd"): [NAN],
    ("0·∞ in a logistic", "torch"): [NAN],
    ("0·∞ in a logistic", "jax"): [NAN],
    ("0·∞ in a logistic", "scipy"): [0.0],
    ("saturated tanh", "torch"): [0.0],
    ("saturated tanh", "jax"): [0.0],
    ("saturated tanh", "autograd"): [pytest.approx(1.699341702116667e-17, rel=1e-14)],
    ("saturated tanh", "reverse"): [pytest.approx(1.699341702116667e-17, rel=1e-14)],
}


@pytest.mark.parametrize(("what", "method"), ANSWERS, ids=lambda each: each)
def test_conventions(what: str, method: str) -> None:
    if method in PEERS:
        pytest.importorskip(PEERS[method].package)
    [case] = [case for case in CASES if case.what == what]
    expected = ANSWERS[what, method]
    found = conventions([method], [case]).answer(what, method)
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
    else:
        assert all(a == b or (a != a and b != b) for a, b in zip(found, expected, strict=True)), found


def test_the_conventions_table_shows_both_sides_of_a_kink() -> None:
    report = conventions(["reverse"], CASES[:3])
    assert [row.truth for row in report.rows] == ["-1 | 1", "0 | 1", "0 | 1, 0 | 1"]
    assert "0.5, 0.5" in str(report)


def test_the_table_of_conventions_can_be_read_in_a_page() -> None:
    """The formulas stand in a table of their own, so that none is wider than a page of text."""
    lines = str(conventions(["reverse", "forward", "central-difference"])).splitlines()
    assert max(map(len, lines)) <= 110
    assert [line for line in lines if line.startswith("case")][1].split() == ["case", "truth", "reverse", "forward"]


def test_samplers_keep_their_warnings_to_themselves() -> None:
    """pytest makes an error of every warning here."""
    pytest.importorskip("numdifftools")
    [case] = [case for case in CASES if case.what == "edge of sqrt"]
    assert math.isnan(conventions(["numdifftools"], [case]).answer(case.what, "numdifftools")[0])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["peers", "--conventions", "--methods", "torhc"], "did you mean `torch`"),
        (["peers", "--conventions", "x*y"], "formulas and points of its own"),
        (["peers", "--at", "x=1"], "there is none"),
    ],
)
def test_what_the_command_cannot_do_is_said(command: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 2
    assert said in capsys.readouterr().err


# --- side by side ---------------------------------------------------------------------------------------------------


def test_pytorch_records_one_node_for_each_operation_of_the_worked_example() -> None:
    pytest.importorskip("torch")
    report = side_by_side(gallery.worked_example(), framework="torch")
    (_, ours, theirs), (_, program, backward) = report.pairs
    assert ours.operations == theirs.operations == backward.operations == 6
    assert program.operations == 14
    assert [line.split()[0] for line in theirs.lines] == [
        "AddBackward0", "PowBackward0", "MulBackward0", "SinBackward0", "AddBackward0", "LogBackward0",
    ]  # fmt: skip
    assert backward.same[:2] == ["adjoint of v6 → v5", "adjoint of v5 → v2, v4"]
    assert len(report.kept["PyTorch"]) == len(report.kept["adlab"]) == 5
    assert report.digits["torch"] > 15
    assert 6 < report.digits["torch-float32"] < 9


def test_jax_writes_the_same_six_operations_and_transposes_them() -> None:
    pytest.importorskip("jax")
    report = side_by_side(gallery.worked_example(), framework="jax")
    (_, ours, theirs), (_, _, gradient) = report.pairs
    assert theirs.counts == {"add": 2, "integer_pow": 1, "mul": 1, "sin": 1, "log": 1}
    assert ours.operations == theirs.operations
    assert gradient.counts["cos"] == 1
    assert "cos(v3) = -0.41615" in report.kept["JAX"]
    assert theirs.same == ["", "v1", "v2", "v3", "v4", "v5", "v6", ""]
    assert [line for line, same in zip(gradient.lines[1:-1], gradient.same[1:-1], strict=True) if not same] == [
        "j:f64[] = div 1.0:f64[] i"  # JAX divides once and multiplies twice, where adlab divides twice
    ]
    assert "kernel" in report.notes[0]
    assert "what jit makes of the gradient" in str(report)
    assert "cosine" in [op for ops in report.kernels.values() for op in ops]
    assert json.dumps(report.to_dict())
    assert "jaxpr of grad(f)" in report.to_markdown()


@pytest.mark.parametrize("text", ["x", "erfcinv(x)", "Piecewise((sqrt(x), x > 1), (0, True))"])
def test_jax_programs_are_shown_whatever_is_in_them(text: str) -> None:
    """No operation at all, arrays inside, branches."""
    pytest.importorskip("jax")
    assert "jaxpr of grad(f)" in str(side_by_side(text, [0.7], "jax"))


def test_what_cannot_be_shown_is_refused() -> None:
    with pytest.raises(MethodError, match="there are torch and jax"):
        side_by_side("x*y", [1.0, 2.0], "casadi")
    with pytest.raises(MethodError, match="one output"):
        side_by_side(Function(["x", "x**2"]), [1.0], "torch")


def test_kernels_are_read_from_the_compiled_text() -> None:
    """Two fusions, one of which calls a computation of its own, and an instruction that stands alone."""
    hlo = """HloModule jit_f

%deeper (p: f64[]) -> f64[] {
  %p = f64[] parameter(0)
  ROOT %c = f64[] cosine(%p)
}

%first (p: f64[]) -> f64[] {
  %p = f64[] parameter(0)
  %a = f64[] sine(%p), metadata={op_name="sin"}
  ROOT %b = f64[] call(%a), to_apply=%deeper
}

%second (p: f64[]) -> f64[] {
  ROOT %d = f64[] add(%p, %p)
}

ENTRY %main (x: f64[]) -> (f64[], f64[]) {
  %x = f64[] parameter(0)
  %one = f64[] fusion(%x), kind=kLoop, calls=%first
  %two = f64[] fusion(%one), kind=kLoop, calls=%second
  %three = f64[] negate(%two)
  ROOT %t = (f64[], f64[]) tuple(%two, %three)
}
"""
    assert kernels(hlo) == {"one": ["sine", "cosine"], "two": ["add"], "three": ["negate"]}
