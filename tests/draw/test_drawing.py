"""Pictures of graphs: every number is there, readable, inside, and apart from the others; the same bytes each time."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from functools import cache
from itertools import combinations
from pathlib import Path

import matplotlib
import pytest
import sympy
from counting import calls
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

from adlab import gallery
from adlab.autodiff.programs import derivative
from adlab.autodiff.trace import trace
from adlab.draw.collapse import collapse
from adlab.draw.describe import describe
from adlab.draw.diagram import short_number
from adlab.draw.on_axes import FONT, plot_graph
from adlab.draw.picture import _WIDTH, INKS, picture_of, text_width
from adlab.draw.svg import LEANING, graph_svg
from adlab.errors import OptionError
from adlab.graph.graph import Builder
from adlab.graph.lowering import lower

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
X, Y = sympy.symbols("x y", real=True)


@cache
def worked(tangent: bool = False):
    return trace(gallery.worked_example().graph, [1.0, 2.0], {0: 1.0} if tangent else None)


def several():
    """Traces whose pictures differ in kind: fan-out, many outputs, branches, constants, powers of one operand."""
    switched, rosenbrock = gallery.switched(), gallery.rosenbrock(3)
    square = sympy.Mul(X, X, evaluate=False)
    return [
        worked(),
        worked(tangent=True),
        trace(switched.graph, list(switched.point)),
        trace(rosenbrock.graph, [1.0, 2.0, 3.0]),
        trace(lower([square, X * Y, sympy.sin(Y)], [X, Y]), [0.5, 2.0], output=1),
        trace(lower([sympy.Integer(3), X], [X, Y]), [1.0, 2.0], output=1),
    ]


def extents(ax):
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    return [text.get_window_extent(canvas.get_renderer()) for text in ax.texts], ax.get_window_extent()


def texts(picture) -> list[str]:
    placed = [*picture.boxes, *picture.arrows]
    return [piece.text for item in placed for line in item.lines for piece in line.pieces]


# --- Matplotlib -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("found", several(), ids=range(len(several())))
def test_no_text_touches_another_or_leaves_the_axes(found, direction) -> None:
    texts, frame = extents(plot_graph(found.graph, trace=found, direction=direction))
    for box in texts:
        assert frame.x0 <= box.x0 < box.x1 <= frame.x1
        assert frame.y0 <= box.y0 < box.y1 <= frame.y1
    for a, b in combinations(texts, 2):
        overlap = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(overlap) < 1.5, (a, b)  # extents are whole pixels


def test_the_worked_example_is_read_at_half_a_page() -> None:
    ax = plot_graph(worked().graph, trace=worked())
    assert ax.figure.get_size_inches()[0] <= 3.3
    assert min(text.get_fontsize() for text in ax.texts) >= 7


@pytest.mark.parametrize("size", [(3.3, 4.8), (8, 3), (2, 2)])
def test_on_given_axes_the_picture_is_as_large_as_they_are_text_and_all(size) -> None:
    ax = Figure(figsize=size).add_axes((0, 0, 1, 1))
    assert plot_graph(worked().graph, ax, worked()) is ax
    texts, frame = extents(ax)
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in texts)


def test_axes_that_the_figure_lays_out_are_measured_as_they_will_be() -> None:
    laid_out = Figure(figsize=(5, 5), layout="constrained").add_subplot()
    plain = Figure(figsize=(5, 5)).add_axes((0, 0, 1, 1))
    sizes = [plot_graph(worked().graph, ax, worked()).texts[0].get_fontsize() for ax in (laid_out, plain)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.05)


def test_drawing_changes_no_setting_and_opens_no_window() -> None:
    from matplotlib import pyplot

    before, open_before = dict(matplotlib.rcParams), pyplot.get_fignums()
    worked().plot()
    assert (dict(matplotlib.rcParams), pyplot.get_fignums()) == (before, open_before)


def test_the_ink_is_that_of_the_style() -> None:
    with matplotlib.rc_context({"text.color": "white"}):
        ax = plot_graph(worked().graph, trace=worked())
    colours = {text.get_text(): text.get_color() for text in ax.texts}
    assert colours["v1"] == "white"
    assert colours["↓ 3"] == INKS["primal"][1]


def test_names_are_text_and_never_mathematics() -> None:
    odd = sympy.Symbol("a_$1$ {x} \\alpha", real=True)
    texts, _ = extents(plot_graph(lower([sympy.sin(odd)], [odd])))
    assert texts


def test_widths_are_those_of_the_font() -> None:
    for character in _WIDTH:
        measured = TextPath((0, 0), f"|{character}|", size=100, prop={"family": FONT}).get_extents().width
        measured -= TextPath((0, 0), "||", size=100, prop={"family": FONT}).get_extents().width
        assert text_width(character, 100) == pytest.approx(measured, abs=5.5), character
    for text, bold in (("v12 = sin(v3)*log(x10)", False), ("v12345 x_long_name", True)):
        path = TextPath((0, 0), text, size=10, prop={"family": FONT, "weight": "bold" if bold else "normal"})
        assert 0.97 < text_width(text, 10, bold) / path.get_extents().width < 1.1


# --- SVG --------------------------------------------------------------------------------------------------------


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)


def test_svg_is_well_formed_and_holds_no_script() -> None:
    for found in several():
        root = parsed(graph_svg(found.graph, found))
        assert root.tag == SVG + "svg"
        assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
            "svg", "title", "style", "g", "rect", "circle", "path", "text", "tspan",
        }  # fmt: skip
        assert not any(name.startswith("on") or "href" in name for element in root.iter() for name in element.attrib)


@pytest.mark.parametrize("name", ["a<b", "b&c", "</svg>", '"q"', "</title><script>", "]]>", "ünï", "a\x00b", "x\ny"])
def test_names_are_escaped(name: str) -> None:
    root = parsed(graph_svg(lower([sympy.sin(sympy.Symbol(name, real=True))], [sympy.Symbol(name, real=True)])))
    clean = re.sub("[\x00-\x09\x0b-\x1f]", "�", name)
    assert clean in [span.text for span in root.iter(SVG + "tspan")]
    assert not list(root.iter(SVG + "script"))


def test_tooltips_have_all_the_digits() -> None:
    found = worked()
    tips = [title.text for title in parsed(graph_svg(found.graph, found)).iter(SVG + "title")]
    for node in found.shown:
        (tip,) = (tip for tip in tips if tip.startswith(found.graph.names[node] + (" =" if node > 1 else "\n")))
        assert repr(found.primals[node]) in tip
        assert repr(found.adjoints[node]) in tip
    for part in found.contributions:
        assert any(repr(part.value) in tip and repr(part.partial) in tip for tip in tips if tip.startswith("∂"))


def test_svg_takes_the_ink_of_its_page_and_alone_follows_the_reader() -> None:
    style = parsed(graph_svg(worked().graph, worked())).find(SVG + "style")
    assert style is not None
    assert "fill: currentColor" in style.text
    before, dark = style.text.split("@media (prefers-color-scheme: dark)")
    assert all(ink in before and night in dark for ink, night in INKS.values() if ink)
    rules = re.findall(r"^(.*?) \{ .* \}$", style.text, re.M)
    assert rules
    assert all("adlab-graph" in selector for rule in rules for selector in rule.split(","))  # never the page around it


def contrast(ink: str, paper: str) -> float:
    """The ratio of WCAG 2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("role", [role for role, (ink, _) in INKS.items() if ink])
def test_inks_are_readable_on_light_and_on_dark_paper(role) -> None:
    light, dark = INKS[role]
    assert contrast(light, "#ffffff") >= 4.5
    assert contrast(dark, "#121212") >= 4.5


def mixed(ink: str, other: str, share: float) -> str:
    """What `color-mix(in srgb, ink share, other)` is."""
    pairs = ((int(ink[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


@pytest.mark.parametrize(("ink", "paper"), [("#e6e6e6", "#121212"), ("#ffffff", "#1e1e1e"), ("#000000", "#ffffff")])
def test_inside_a_page_inks_lean_to_its_own_and_are_readable_on_its_paper(ink: str, paper: str) -> None:
    """The page may be dark where the reader's system is light: then nothing but `currentColor` says so."""
    for role in ("primal", "tangent", "adjoint"):
        leaning = mixed(INKS[role][0], ink, LEANING / 100)
        assert contrast(leaning, paper) >= 4.5
        assert contrast(leaning, mixed("#f0e442", paper, 0.2)) >= 3.0, "in the box whose turn it is"


def test_the_same_graph_gives_the_same_bytes_in_another_process_and_without_matplotlib() -> None:
    code = (
        "import sys; from adlab import gallery; from adlab.draw.svg import graph_svg; f = gallery.worked_example();"
        "print(graph_svg(f.graph, f.trace([1, 2])), end=''); sys.exit('matplotlib' in sys.modules)"
    )
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
        assert done.stdout.decode() == graph_svg(worked().graph, worked())


# --- what a picture says ----------------------------------------------------------------------------------------


def test_every_operand_has_its_arrow_and_every_node_its_numbers() -> None:
    for found in several():
        graph, diagram = found.graph, describe(found.graph, found)
        assert len(diagram.arrows) == sum(len(graph.nodes[i].operands) for i in graph.operations)
        said = texts(picture_of(graph, found))
        assert all(f"↓ {short_number(found.primals[node])}" in said for node in found.shown)
        assert all(f"↑ {short_number(found.adjoints.get(n, 0.0))}" in said for n in found.shown if graph.active[n])
        assert all(f"∂ {short_number(part.partial)}" in said for part in found.contributions)
        assert all(f"↑ {short_number(part.value)}" in said for part in found.contributions)


def test_sums_are_marked_and_nothing_else() -> None:
    for found in several():
        diagram = describe(found.graph, found)
        marked = {box.rows[0][0].text for box in diagram.boxes if box.sums}
        assert marked == {found.graph.names[node] for node in found.shown if len(found.into(node)) > 1}


def test_kinds_differ_in_shape_and_not_by_colour_alone() -> None:
    groups = parsed(graph_svg(lower([sympy.sin(2 * X)], [X]))).iter(SVG + "g")
    shapes = {g.get("class"): [(r.get("rx"), r.get("style")) for r in g.iter(SVG + "rect")] for g in groups}
    (entry,) = shapes["node input done"]
    assert float(entry[0]) > 6  # round
    assert shapes["node operation done"] == [("3", None)]
    assert len(shapes["node operation done output"]) == 2  # a double border
    assert ".node.constant rect { fill: none; stroke-dasharray" in graph_svg(lower([X + 2], [X]))


def test_a_derivative_program_stands_beside_its_function() -> None:
    f = gallery.worked_example().graph
    picture = picture_of(derivative(f), primal=f, outputs=["∂f/∂x1", "∂f/∂x2"])
    (divide, _), *_ = picture.divide
    left = {b.lines[0].pieces[0].text for b in picture.boxes if b.rect.x + b.rect.width < divide}
    right = {b.lines[0].pieces[0].text for b in picture.boxes if b.rect.x > divide}
    assert left == {"x1", "x2", "v1", "v2", "v3", "v4", "v5"}
    assert right == {"2", *(f"v{k}" for k in range(6, 14))}
    assert "⇒ ∂f/∂x1" in texts(picture)
    below = picture_of(derivative(f), primal=f, direction="LR")
    assert all((b.rect.y > below.divide[0][1]) == b.box.far for b in below.boxes)


# --- frames -----------------------------------------------------------------------------------------------------


def test_frames_fill_in_one_operation_at_a_time_and_never_say_0_for_unknown() -> None:
    found = worked(tangent=True)
    steps = 2 * len(found.graph.operations)
    said = [texts(picture_of(found.graph, found, step)) for step in range(steps + 1)]
    unknown = [sum(text.endswith(" –") for text in frame) for frame in said]
    assert unknown == sorted(unknown, reverse=True)
    assert (unknown[0], unknown[-1]) == (len(found.shown) * 3 - 2 * 2 + 2 * len(found.contributions), 0)
    final = texts(picture_of(found.graph, found))
    assert said[-1] == final
    for frame in said:
        assert all(text in final or text.endswith(" –") or text.endswith(" …") for text in frame)


def test_frames_are_of_one_size_with_everything_in_one_place() -> None:
    found = worked()
    pictures = [picture_of(found.graph, found, step) for step in range(13)]
    assert len({(p.width, p.height) for p in pictures}) == 1
    assert len({tuple(box.rect for box in p.boxes) for p in pictures}) == 1


def test_a_sum_that_is_not_complete_says_so() -> None:
    found = worked()
    first, last = found.into(0)
    step = 2 * len(found.graph.operations) - 1  # all but v1 have passed on what they have
    assert f"↑ {short_number(first.sum_after)} …" in texts(picture_of(found.graph, found, step))
    assert f"↑ {short_number(last.sum_after)}" in texts(picture_of(found.graph, found, step + 1))


# --- large graphs -----------------------------------------------------------------------------------------------


def random_graph(count: int, inputs: int):
    draw, builder = random.Random(count), Builder([f"x{i}" for i in range(inputs)])
    while len(builder.nodes) < count:
        name = draw.choice(["add", "mul", "sin", "sub", "tanh"])
        operands = [draw.randrange(len(builder.nodes)) for _ in range(1 if name in ("sin", "tanh") else 2)]
        builder.call(name, *operands)
    return builder.finish(range(inputs, count))


@pytest.mark.parametrize(("count", "inputs"), [(200, 5), (200, 150), (100_000, 5), (20_000, 5_000)])
def test_a_large_graph_is_collapsed_and_drawn(count: int, inputs: int) -> None:
    graph = random_graph(count, inputs)
    picture = picture_of(graph)
    assert len(picture.boxes) <= 60
    assert f"{len(graph.operations):,} operations" in picture.title
    tips = " ".join(box.box.tooltip for box in picture.boxes if box.box.kind == "group")
    grouped = sum(int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", tips))
    assert grouped + sum(box.box.kind == "operation" for box in picture.boxes) == len(graph.operations)


def test_to_collapse_a_graph_is_linear_work() -> None:
    few, many = (random_graph(count, 5) for count in (500, 5_000))
    collapse(few)  # what is made once and kept
    assert calls(lambda: collapse(many)) < 12 * calls(lambda: collapse(few))  # 10 if linear, 100 if quadratic


def test_repeated_structure_becomes_one_box_with_the_text_of_a_turn() -> None:
    diagram = collapse(gallery.logistic_map(50, form="evaluated").graph)
    (loop,) = (box for box in diagram.boxes if box.kind == "group")
    said = [" ".join(piece.text for piece in row) for row in loop.rows]
    assert re.fullmatch(r"4\d times 3 operations", said[0])
    assert said[-1] == "…"
    assert len(diagram.boxes) < 10


def test_the_reverse_sweep_of_a_loop_is_a_loop() -> None:
    f = gallery.logistic_map(50, form="evaluated").graph
    diagram = collapse(derivative(f), f)
    loops = [(box.far, box.rows[0][0].text) for box in diagram.boxes if box.kind == "group"]
    assert [far for far, _ in loops] == [False, True]
    assert all(int(text.split()[0]) > 40 for _, text in loops)


def test_no_operand_is_lost_when_a_graph_is_collapsed() -> None:
    graph = random_graph(300, 4)
    diagram = collapse(graph)
    between = [int(arrow.tooltip.split()[0].replace(",", "")) for arrow in diagram.arrows]
    assert 0 < sum(between) <= sum(len(graph.nodes[i].operands) for i in graph.operations)
    assert all(arrow.source < arrow.target for arrow in diagram.arrows)


# --- what cannot be drawn ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"direction": "RL"}, "TB"),
        ({"step": 3}, "give `trace=`"),
        ({"outputs": ["a", "b"]}, "2 names"),
        ({"limit": 0}, "from 1 to"),
        ({"limit": 10**6}, "from 1 to"),
    ],
)
def test_wrong_options_are_named(options, reason) -> None:
    with pytest.raises(OptionError, match=reason):
        graph_svg(worked().graph, **options)


@pytest.mark.parametrize("step", [-1, 13])
def test_a_step_that_there_is_not_is_refused(step: int) -> None:
    with pytest.raises(OptionError, match="from 0 to 12"):
        graph_svg(worked().graph, worked(), step)


def test_a_collapsed_graph_has_no_frames() -> None:
    with pytest.raises(OptionError, match="every operation drawn"):
        graph_svg(worked().graph, worked(), 3, limit=5)


def test_a_trace_of_another_graph_is_refused() -> None:
    with pytest.raises(OptionError, match="another graph"):
        graph_svg(lower([X], [X]), worked())
