"""The page's script without a browser: node runs its modules on the data that Python writes."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pages import SCRIPTS, data, node, ulps

import adlab
from adlab.arithmetic.floats import FLOATS
from adlab.graph import rules
from adlab.page import build, course, document, facts
from adlab.primitives.table import PRIMITIVES

ULPS = 4
"""Ulps that a primitive in JavaScript may differ from Python's by."""


def points(name: str, parameter: Any) -> Iterable[list[float]]:
    draw = random.Random(name)
    arity = PRIMITIVES[name].arity or 2
    for size in (0.01, 0.9, 3.0, 30.0):
        for _ in range(25):
            at = [draw.uniform(-size, size) for _ in range(arity)]
            yield [float(x > 0) for x in at] if name in ("and", "or", "not") else at


def test_every_primitive_is_within_four_ulps_of_pythons() -> None:
    parameters = {"powi": [2, 3, 7], "powr": [2.5, 1 / 3], "pow": [0, -1], "heaviside": [0.5]}
    cases, due = [], []
    for name in sorted(facts.IN_JAVASCRIPT):
        for parameter in parameters.get(name, [None]):
            for at in points(name, parameter):
                value = FLOATS.apply(PRIMITIVES[name], parameter, at)
                if math.isfinite(value) and abs(value) > 1e-290:
                    cases.append([name, at, parameter])
                    due.append(value)
    assert {case[0] for case in cases} >= facts.IN_JAVASCRIPT - {"eq"}  # equal numbers are not drawn
    got = node("return given.map(([op, at, n]) => numbers.apply(op, at, n));", cases)
    worst = [(ulps(g, d), *case, g, d) for case, g, d in zip(cases, got, due, strict=True)]
    assert [row for row in worst if not row[0] <= ULPS] == []


def test_what_javascript_computes_it_can_differentiate() -> None:
    """A primitive that stands in the rule of one that the page computes must be in the page, too."""
    parameters = {"powi": [2, 3, 7, -1], "powr": [2.5], "pow": [0, -1], "heaviside": [0.5]}
    missing = {
        (name, inner.primitive.name)
        for name in facts.IN_JAVASCRIPT for parameter in parameters.get(name, [None])
        for inner in rules.partials(PRIMITIVES[name], parameter).nodes
        if inner.operands and inner.primitive.name not in facts.IN_JAVASCRIPT
    }  # fmt: skip
    assert missing == set()
    assert set(node("return Object.keys(numbers.VALUES)")) == facts.IN_JAVASCRIPT


@pytest.mark.parametrize("modules", [document.MODULES, (*document.MODULES, "widget"), (*course.EXPLORERS, "questions")])
def test_the_modules_joined_are_one_script(modules: tuple[str, ...]) -> None:
    text = document.script(modules)
    names = [line.split()[1].split("(")[0] for line in text.splitlines() if line.startswith(("const ", "function ", "class "))]
    assert len(names) == len(set(names))  # each name of the top level once
    last = ["export default { render };"] if modules[-1] == "widget" else []
    assert [line for line in text.splitlines() if line.startswith(("import ", "export "))] == last
    assert all(len(path.read_text(encoding="utf-8").splitlines()) <= 400 for path in SCRIPTS.glob("*"))


FILLED = """
const w = new walk.Walk(given[0]);
w.level = 2; w.restart();
for (; w.step < w.last; w.step += 1) {
  const asked = w.asked();
  if (!asked) continue;
  const text = String(asked.name ?? Number(asked.number.toPrecision(given[1])));
  w.answers[w.step + 1] = { first: text, last: text, hinted: false };
}
"""


@pytest.mark.parametrize("name", ["worked-example", "baydin", "squire-trapp", "rosenbrock", "speelpenning", "switched"])
def test_a_trace_filled_in_is_graded_as_the_page_says(tmp_path: Path, name: str) -> None:
    f = adlab.gallery.GALLERY[name]()
    filled = node(FILLED + "return exercise.sheet(w);", [data(f), 4])
    (tmp_path / "answers.json").write_text(json.dumps(filled), encoding="utf-8")
    assert filled["score"]["right"] == filled["score"]["asked"] > 3 * len(f.graph.operations)
    mark = adlab.grade(tmp_path / "answers.json").marks[0]
    assert (mark.right, mark.first) == (mark.asked, "")


@pytest.mark.parametrize("output", [0, 1, 2])
def test_the_answers_to_a_chosen_output_are_graded(tmp_path: Path, output: int) -> None:
    f = adlab.Function(["x*y", "sin(x)*y + x*y", "x"], ["x", "y"])
    code = FILLED.replace("w.level = 2;", f"w.level = 2; w.output = {output};") + """
    const again = new walk.Walk(given[0]); again.restore(w.address());
    return [exercise.sheet(w), exercise.sheet(again), w.numbers.gradient(w.point)];"""
    filled, again, gradient = node(code, [data(f, [2.0, 3.0]), 4])
    assert filled == again
    assert gradient == pytest.approx(f.jacobian([2.0, 3.0])[output].tolist(), rel=1e-14)
    (tmp_path / "answers.json").write_text(json.dumps(filled), encoding="utf-8")
    mark = adlab.grade(tmp_path / "answers.json").marks[0]
    assert (mark.right, mark.first) == (mark.asked, "")


@pytest.mark.parametrize("mode", ["forward", "both"])
@pytest.mark.parametrize("name", ["worked-example", "squire-trapp", "switched"])
def test_forward_mode_is_graded_too(tmp_path: Path, name: str, mode: str) -> None:
    f = adlab.gallery.GALLERY[name]()
    code = FILLED.replace("w.level = 2;", f'w.level = 2; w.mode = "{mode}"; w.direction = {f.n - 1};')
    filled = node(code + "return exercise.sheet(w);", [data(f), 4])
    (tmp_path / "answers.json").write_text(json.dumps(filled), encoding="utf-8")
    mark = adlab.grade(tmp_path / "answers.json").marks[0]
    assert (mark.right, mark.first) == (mark.asked, "")
    assert ("adjoint" in filled["answers"]) == (mode == "both")
    filled["answers"]["tangent"][f.graph.names[f.graph.outputs[0]]] = 77
    (tmp_path / "answers.json").write_text(json.dumps(filled), encoding="utf-8")
    assert "tangent" in adlab.grade(tmp_path / "answers.json").marks[0].first


def test_a_slip_is_graded_with_its_name(tmp_path: Path) -> None:
    code = FILLED + """
    const k = Object.keys(w.answers).find((i) => w.events[i].beat === 3 && w.events[i].c.before !== null);
    w.answers[k] = { first: String(w.events[k].c.value), last: w.answers[k].last, hinted: false };
    const again = new walk.Walk(given[0]); again.restore(w.address());
    const said = exercise.diagnose(w.answers[k].first, exercise.question(w.events[k], w), w);
    return [exercise.sheet(w), exercise.sheet(again), said, again.step === w.step];"""
    one, again, said, there = node(code, [data("x*y + x", [2.0, 3.0]), 4])
    assert one == again  # the address holds every answer
    assert there
    assert one["score"]["asked"] - one["score"]["right"] == 1
    assert "overwrote" in said
    (tmp_path / "answers.json").write_text(json.dumps(one), encoding="utf-8")
    mark = adlab.grade(tmp_path / "answers.json").marks[0]
    assert mark.asked - mark.right == 1
    assert "the contribution from v2 is missing" in mark.first


def test_an_address_cannot_claim_more_than_its_answers_are_worth() -> None:
    code = """const w = new walk.Walk(given);
    w.restore("#level=2&step=400&answers=1_7~2_h6~3_zzz%25_~9999_1~x");
    return [w.step, exercise.score(w)];"""
    assert node(code, data("x*y + x", [2.0, 3.0])) == [3, {"right": 0, "asked": 2}]


def test_the_lines_of_the_program_are_those_that_the_step_computes() -> None:
    found = data(adlab.gallery.worked_example())
    lines, program = found["programs"][0], found["programs"][0]["lines"]
    names = {node["name"]: i for i, node in enumerate(found["nodes"])}
    assert program[lines["primal"][names["v6"]]] == "v6 = log(v5)"
    assert "v4" not in lines["primal"]
    last = lines["edges"][f"{names['v1']}.0"]
    assert program[last[1]].split(" = ")[1] != program[last[2]].split(" = ")[1]
    assert program[-1].startswith("∂f/∂x1 = ")


@pytest.mark.parametrize("form", ["markdown", "csv", "latex"])
def test_tables_are_copied_in_every_form(form: str) -> None:
    text = node(f"return tables.written([['a_b', 'c|d'], ['1,5', '50 %']], '{form}');")
    assert {"markdown": r"c\|d", "csv": '"1,5"', "latex": r"50 \%"}[form] in text


def test_a_large_graph_folds_into_blocks_that_cover_it() -> None:
    code = """
    const f = new fold.Fold(given), count = () => f.pieces.reduce((n, p) => n + p.nodes.length, 0), seen = [count()];
    const down = f.edges.every((e) => f.pieces.findIndex((p) => p.key === e.from) < f.pieces.findIndex((p) => p.key === e.to));
    const first = f.pieces.length;
    f.reveal(given.nodes.length - 3);
    const single = f.inside.get(given.nodes.length - 3), open = [...f.open];
    seen.push(count());
    f.toggle(open[1]);
    seen.push(count());
    const where = [...fold.layered(f.pieces, f.edges, 100, 50, 10, 10).place.values()].map((p) => `${p.x} ${p.y}`);
    const apart = new Set(where).size === f.pieces.length;
    return { seen, down, first, single, open: open.length, closed: f.open.size, apart };"""
    given = data(adlab.gallery.GALLERY["helmholtz"](20))
    got = node(code, given)
    whole = len([n for n in given["nodes"] if n["operands"]]) + 20
    assert got["seen"] == [whole] * 3
    assert (got["down"], got["apart"], got["closed"]) == (True, True, 1)
    assert got["first"] <= 24
    assert got["single"] == str(len(given["nodes"]) - 3)
    assert got["open"] >= 2


def test_a_loop_shows_its_body_and_its_contributions() -> None:
    def decay(x: Any) -> Any:
        return adlab.scan(lambda s, _: (s - 0.001 * x[1] * s, None), x[0], length=1000)[0] * x[1]

    f = adlab.from_python(decay, [1.0, 2.0])
    given = data(f, [1.0, 2.0])
    loop = next(n for n in given["nodes"] if n["op"] == "scan")
    assert loop["bodies"]["turn"]
    assert [n["partials"] for n in given["nodes"] if n["op"] == "mul"][-1] == ["x1", "v3"]  # the loop itself has none
    assert loop["partials"] == []
    got = node("const w = new walk.Walk(given); return w.numbers.reverse(w.values).sums;", given)
    assert [got["0"], got["1"]] == pytest.approx(f.gradient([1.0, 2.0]).tolist(), rel=1e-14)
    assert "turn: 2 lines" in build.page(f, [1.0, 2.0], comparison=False).html


@pytest.mark.parametrize("name", ["worked-example", "baydin", "helmholtz"])
def test_filling_one_fades_partials_then_products_then_sums_then_the_order(name: str) -> None:
    code = """const w = new walk.Walk(given); w.level = 1; w.restart();
    return w.events.map((e) => [e.index, exercise.question(e, w)?.kind]).filter(([, kind]) => kind);"""
    asked = node(code, data(adlab.gallery.GALLERY[name]()))
    assert len({index for index, _ in asked}) == len(asked)  # one thing of each contribution
    firsts = [[kind for _, kind in asked].index(kind) for kind in ("partial", "product", "sum", "order")]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize(
    ("formula", "point"), [("exp(x)*y", [1.0, 2.0]), ("log(x) + y**3", [1e-6, 5.0]), ("sin(x)*cos(y)", [0.0, 30.0])]
)
def test_difference_rows_are_pythons(formula: str, point: list[float]) -> None:
    """The steps are adlab's own. So are the quotients, to rounding errors of f over the step."""
    f = adlab.Function(formula, ["x", "y"])
    code = "const n = new numbers.Numbers(given); return [0, 1].map((i) => schemes.rows(n, given.point, i, given.schemes));"
    for i, found in enumerate(node(code, data(f, point))):
        assert [row["name"] for row in found][:3] == ["forward-difference", "backward-difference", "central-difference"]
        assert [row["name"] for row in found][-1] == "richardson"
        for row in found:
            assert row["error"] == pytest.approx(abs(row["value"] - f.gradient(point)[i]), abs=1e-12 * abs(row["value"]))
            if row["name"] == "richardson":
                assert row["error"] <= 1e-8 * max(1.0, abs(row["value"]))
            else:
                theirs = adlab.difference(f, point, scheme=row["name"], step=row["h"]).to_dict()["df"][i]
                assert abs(row["value"] - theirs) <= 8 * 2**-52 * max(1.0, abs(f(point))) / row["h"]


JUDGED = """
return given[1].map(([kind, slip]) => {
  const w = new walk.Walk(given[0]);
  w.level = 2;
  w.restart();
  const fits = (e) => exercise.question(e, w)?.kind === kind && (kind !== "sum" || e.c.before !== null);
  const k = kind === "order" ? w.events.findIndex(fits) : w.events.findLastIndex(fits);
  w.step = k - 1;
  const asked = exercise.question(w.events[k], w), c = asked.c, number = asked.number, typed = String(eval(slip));
  return [exercise.right(typed, asked), exercise.diagnose(typed, asked, w)];
});
"""
SLIPS = [
    ("sum", "c.value", "You overwrote the sum"), ("sum", "c.before", "The contribution is missing"),
    ("sum", "c.before - c.value", "The contribution has the wrong sign"), ("sum", "-number", "The sign is wrong"),
    ("product", "c.partial", "multiply by what arrives"), ("product", "c.bar + c.partial", "You added"),
    ("product", "2 * number", "off by the factor 2"), ("partial", "1 / number", "upside down"),
    ("partial", "c.value", "the product already"), ("order", "'x'", "x is an input"), ("order", "'v99'", "There is no node v99"),
    ("order", "'v1'", "Not yet"), ("product", "1.006 * number", "Not right"), ("product", "'0,0911'", "Not right"),
]  # fmt: skip
"""What is asked, what is typed (JavaScript), and what the page says."""


def test_slips_are_named_and_rounding_to_three_digits_is_accepted() -> None:
    typed = [[kind, slip] for kind, slip, _ in SLIPS] + [["product", "number.toPrecision(3)"]]
    *wrong, rounded = node(JUDGED, [data("sin(5*x)*y*exp(x*y)", [0.3, 1.7]), typed])
    assert rounded[0] is True
    for (kind, slip, due), (good, said) in zip(SLIPS, wrong, strict=True):
        assert (good, due in said) == (False, True), (kind, slip, said)


def test_another_node_that_is_ready_is_no_mistake() -> None:
    code = """const w = new walk.Walk(given); w.level = 2; w.restart();
    const orders = w.events.map((e) => exercise.question(e, w)).filter((q) => q?.kind === "order");
    return orders.map((q) => [q.name, w.nodes.map((n) => n.name).filter((name) => exercise.readyToo(name, q, w))]);"""
    assert node(code, data(adlab.gallery.worked_example())) == [
        ["v6", []], ["v5", []], ["v4", ["v2"]], ["v3", ["v2"]], ["v2", []], ["v1", []]
    ]  # fmt: skip
