"""Tables as text, Markdown and HTML say the same, and none of it can break out of its cell."""

from __future__ import annotations

import html
import re
import sys
from html.parser import HTMLParser
from typing import Any

import pytest

from adlab.display import Report, Table, count, significant
from adlab.display.terminal import STYLES, wrapped
from adlab.errors import MissingExtra
from adlab.plots.canvas import new_axes

ROWS = [["reverse", "1.5", "ok"], ["central-difference", "−12.25", "a | b < c & d"], ["", "", ""]]
TABLE = Table("accuracy", ["method", "error", "status"], ROWS, frozenset({"error"}), notes=["1 < 2 & so on"])


class Cells(HTMLParser):
    """The texts of the cells, and every tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.tags[-1] in ("td", "th"):
            self.cells[-1] += data


def test_columns_are_aligned() -> None:
    title, head, rule, *rows, note = TABLE.text().splitlines()
    assert (title, note) == ("accuracy", "1 < 2 & so on")
    spans = [match.span() for match in re.finditer("─+", rule)]
    for line, cells in zip([head, *rows], [TABLE.head, *ROWS], strict=True):
        padded = line.ljust(len(rule))
        assert [padded[a:b].strip() for a, b in spans] == [cell.strip() for cell in cells]
    assert all(line[: spans[1][1]].endswith(cells[1]) for line, cells in zip(rows, ROWS, strict=True))


def test_no_line_ends_in_blanks() -> None:
    assert all(line == line.rstrip() for line in TABLE.text().splitlines())


def test_html_holds_exactly_the_cells() -> None:
    found = Cells(TABLE.html())
    assert found.cells == [*TABLE.head, *(cell for row in ROWS for cell in row)]
    assert html.escape("1 < 2 & so on") in TABLE.html()


def test_html_cannot_be_broken_out_of() -> None:
    attack = "</td><script>alert(1)</script>"
    table = Table(attack, [attack], [[attack]], notes=[attack])
    assert "script" not in Cells(table.html()).tags
    assert Cells(table.html()).cells == [attack, attack]


def test_markdown_is_a_pipe_table() -> None:
    title, blank, head, rule, *rows = TABLE.markdown().split("\n\n1 &lt;")[0].splitlines()
    assert (title, blank) == ("**accuracy**", "")
    assert rule == "| --- | ---: | --- |"
    for line in (head, *rows):
        assert len(re.findall(r"(?<!\\)\|", line)) == 4
    assert r"a \| b" in rows[1]


def test_an_empty_table_is_a_head() -> None:
    assert Table("", ["a", "b"], []).text() == "a  b\n─  ─"
    assert Cells(Table("", ["a", "b"], []).html()).cells == ["a", "b"]


def test_notes_are_one_paragraph_on_a_page_whatever_their_lines_in_text() -> None:
    table = Table("", ["a"], [["1"]], notes=["as `count_ops` counts", "every operation"])
    assert table.text().endswith("as `count_ops` counts\nevery operation")
    assert table.html().endswith("<p>as <code>count_ops</code> counts every operation</p>")
    assert table.markdown().endswith("\n\nas `count_ops` counts every operation")


def test_lines_of_a_section_stay_lines_in_every_form() -> None:
    class Lines(Two):
        def sections(self) -> list[Table | str]:
            return ["verdict\n• one\n• two"]

    assert Lines()._repr_html_() == "<p>verdict<br/>• one<br/>• two</p>"
    assert Lines().to_markdown() == "verdict  \n• one  \n• two"


class Two(Report):
    def sections(self) -> list[Table | str]:
        return ["first <b>", TABLE]

    def to_dict(self) -> dict[str, Any]:
        return {}


def test_a_report_is_its_sections_in_every_form() -> None:
    report = Two()
    assert str(report) == "first <b>\n\n" + TABLE.text()
    assert report.to_markdown() == "first &lt;b>\n\n" + TABLE.markdown()
    assert report._repr_html_() == "<p>first &lt;b&gt;</p>" + TABLE.html()


def test_a_report_must_say_both() -> None:
    class Half(Report):
        def sections(self) -> list[Table | str]:
            return []

    with pytest.raises(TypeError, match="to_dict"):
        Half()  # type: ignore[abstract]


@pytest.mark.parametrize(("value", "shown"), [
    (None, "–"), (0, "0"), (12345, "12,345"), (9_999_999, "9,999,999"), (10**7, "1e+07"), (2.3e15, "2.3e+15"), (1e300, "1e+300"),
    (10**400, "1e+400"),
])  # fmt: skip
def test_counts_are_readable_at_any_size(value: float | None, shown: str) -> None:
    assert count(value) == shown


def test_numbers_keep_the_digits_asked_for() -> None:
    assert significant(None) == "–"
    assert significant(1 / 3) == "0.333333"
    assert significant(1 / 3, 3) == "0.333"
    assert significant(1e-20, 2) == "1e-20"


def test_names_and_numbers_stay_whole_on_a_page_and_heads_may_break() -> None:
    made = Table("", ["slope of truncation"], [["central-difference-4"], ["a sentence that is longer than a name"]]).html()
    found = re.findall('style="([^"]*)">([^<]*)<', made)
    assert {text: "nowrap" in style for style, text in found} == {
        "slope of truncation": False, "central-difference-4": True, "a sentence that is longer than a name": False,
    }  # fmt: skip
    assert all("padding" in style for style, _ in found)


WORDS = [["reverse", "12,345,678", "a sentence of several words, none of which is broken", "yes"], ["forward", "1", "", "no"]]
HEAD = ["method", "operations in all", "status", "ok"]
WIDE = Table("a title that is rather long", HEAD, WORDS, frozenset({"operations in all"}), notes=["one note in", "two lines"])


@pytest.mark.parametrize("width", [24, 30, 40, 60, 80, 200])
def test_at_any_width_no_line_is_longer_and_no_word_is_broken(width: int) -> None:
    text = WIDE.text(width)
    assert max(map(len, text.splitlines())) <= width
    words = {word for cells in [WIDE.head, *WIDE.rows] for cell in cells for word in cell.split()}
    assert words <= set(text.split())


def test_parts_of_a_table_repeat_what_names_its_rows() -> None:
    table = Table("", ["method", "variable", "first", "second"], [["reverse", "x", "1" * 10, "2" * 10]], keys=2)
    assert table.text(30).count("reverse  x") == 2


def test_markup_survives_every_renderer() -> None:
    table = Table("", ["f"], [["x**2 + y**2 | <script>"], ["a_1 & `b`"]])
    assert "x\\*\\*2 + y\\*\\*2 \\| &lt;script>" in table.markdown()
    assert r"a\_1 \&" in table.latex()
    assert table.latex().splitlines()[1] == r"\toprule"


def test_rows_come_as_csv_json_and_a_frame(monkeypatch) -> None:
    import csv
    import io
    import json

    class Facts(Two):
        def to_dict(self) -> dict[str, Any]:
            return {"rows": [{"a": 1.5, "b": [1, 2]}, {"a": float("inf"), "c": "=cmd()"}]}

    rows = list(csv.DictReader(io.StringIO(Facts().to_csv())))
    assert rows[0] == {"a": "1.5", "b": "[1, 2]", "c": ""}
    assert rows[1]["c"] == "'=cmd()"  # no spreadsheet runs it
    assert json.loads(Facts().to_json())["rows"][1]["a"] == "inf"

    class Pandas:  # what stands in for the library, which need not be there
        DataFrame = list

    monkeypatch.setitem(sys.modules, "pandas", Pandas)
    assert Facts().to_dataframe() == Facts().records()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match="pip install pandas"):
        Facts().to_dataframe()


def test_a_frame_of_pandas_has_the_rows_of_the_main_table() -> None:
    pytest.importorskip("pandas")
    from adlab import swell

    assert swell("x*y").to_dataframe().tree_operations.tolist() == [row["tree_operations"] for row in swell("x*y").records()]


def test_a_page_carries_everything_and_asks_for_nothing() -> None:
    class Drawn(Two):
        def plot(self, ax: Any = None) -> Any:
            return new_axes()

    page, plain = Drawn().to_html(), Two().to_html()
    assert page.count("<img") == 1
    assert "<img" not in plain
    assert "<img" not in Drawn().to_html(picture=False)
    for text in (page, plain):
        assert text.startswith("<!doctype html>")
        assert not re.search(r"<script|https?://(?!www.w3.org)|url\(", re.sub(r"base64,[A-Za-z0-9+/=]*", "", text))
        assert Two()._repr_html_().replace("\n", "") in text.replace("\n", "")


def test_every_colour_of_a_terminal_is_read_on_white_and_on_dark_grey() -> None:
    """Contrast as WCAG counts it: 4.5 on white, where text is thin, and 3 on the dark grey of editors, as for large text."""

    def luminance(levels: list[int]) -> float:
        parts = [(v / 255 + 0.055) / 1.055 for v in levels]
        return sum(w * p**2.4 for w, p in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    steps = [0, 95, 135, 175, 215, 255]
    for name, code in STYLES.items():
        if name == "title":
            continue
        n = int(code.removeprefix("38;5;"))
        cube = [steps[(n - 16) // divisor % 6] for divisor in (36, 6, 1)]
        shade = luminance([8 + 10 * (n - 232)] * 3 if n >= 232 else cube)
        assert 1.05 / (shade + 0.05) >= 4.5, name
        assert (shade + 0.05) / (luminance([0x1E] * 3) + 0.05) >= 3, name


def test_a_short_equation_stays_on_one_line() -> None:
    place = ", ".join(f"x{k} = {-1.2 * k:.3g}" for k in range(1, 20))
    for width in range(20, 100):
        lines = wrapped(f"Rosenbrock's function at {place}, …", width).split("\n")
        assert max(map(len, lines)) <= width
        assert not any(line.endswith("=") or line.lstrip().startswith("=") for line in lines)
        assert " ".join(line.strip() for line in lines) == f"Rosenbrock's function at {place}, …"


def test_a_table_too_long_to_read_says_where_its_rows_are() -> None:
    long = Table("", ["k", "k²"], [[str(k), str(k * k)] for k in range(90_000)])
    for text in (long.text(80), long.text(), long.markdown(), long.html()):
        assert len(text) < 100_000
        assert "and 89,500 more rows: to\\_csv() and --csv have all" in text or "and 89,500 more rows: to_csv() and --csv" in text
        assert "498" in text
    assert long.latex().count("\\\\") == 90_001
