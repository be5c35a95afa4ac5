"""The intake report: everything is said, in both languages, safely, and without the network."""

import re
from html.parser import HTMLParser

import pytest

from gisgrid.errors import OutputError
from gisgrid.intake import UnsureError, ingest
from gisgrid.report import require_page_suffix, write_findings, write_intake
from gisgrid.report.page import render_html
from gisgrid.schema import Text

VOID = {"meta", "input", "br", "link", "img", "hr", "path", "circle"}


class Page(HTMLParser):
    """Checks that tags pair, and collects what a reader sees."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links, self.words = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"src", "href", "action", "data"}]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)


def page_of(text):
    page = Page()
    page.feed(text)
    assert page.open == []
    return page


@pytest.fixture(scope="module")
def html(intake):
    path = intake.folder / "page.html"
    write_intake(intake.done, path, units=intake.units, language="zh")
    return path.read_text(encoding="utf-8")


def test_the_page_asks_no_other_host_and_runs_nothing(html):
    page = page_of(html)
    assert page.links == []
    assert "script" not in page.tags
    assert not re.search(r"https?://(?!www\.w3\.org)", html)
    assert "default-src 'none'" in html


def test_both_languages_are_there_and_one_is_chosen(html, intake):
    words = " ".join(page_of(html).words)
    for word in (
        "没有坐标",
        "no coordinates",
        "坐标基准",
        "datum",
        "不在任何单元内",
        "in no unit",
        "怎样读的",
    ):
        assert word in words
    assert '<html lang="zh-CN">' in html
    assert re.search(r'id="zh"[^>]* checked', html)
    path = intake.folder / "english.html"
    write_intake(intake.done, path, units=intake.units, language="en")
    assert re.search(r'id="en"[^>]* checked', path.read_text(encoding="utf-8"))


def test_every_count_and_every_problem_is_said(html, intake):
    done, words = intake.done, " ".join(page_of(html).words)
    assert (done.n_read, done.n_accepted, done.n_rejected) == (121, 108, 13)
    for number in (done.n_read, done.n_accepted, done.n_rejected, done.n_incidents):
        assert f"{number}" in words
    for problem in done.problems:
        assert problem.code in words
    assert {"no_place", "unreadable_place", "outside_units", "exact"} <= {
        problem.code for problem in done.problems
    }
    assert "--mapping out.mapping.toml" in words
    assert 'datum = "wgs84"' in words
    assert len(next(p for p in done.problems if p.code == "no_place").examples) == 10


def test_what_the_file_says_is_never_markup(html, intake):
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "案件&lt;b&gt;.csv" in html
    path = intake.folder / "page.md"
    write_intake(intake.done, path, units=intake.units, language="en")
    assert "<script>" not in path.read_text(encoding="utf-8")


def test_the_map_shows_the_units_and_counts_what_is_too_far(html):
    assert html.count('class="unit"') == 1
    assert 'class="mark"' in html
    assert "1 more lie too far away to be drawn" in html


def test_markdown_speaks_one_language_in_whole_tables(intake):
    path = intake.folder / "page.md"
    write_intake(intake.done, path, units=intake.units, language="zh")
    text = path.read_text(encoding="utf-8")
    assert "没有坐标" in text
    assert "no coordinates" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert len(blocks) >= 5
    assert sum(block.count("\n") for block in blocks) == len(rows)
    for block in blocks:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block
        assert re.match(r"\|[ :|-]+\|$", block.splitlines()[1])


@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_a_stopped_intake_says_what_to_state(intake, suffix):
    with pytest.raises(UnsureError) as stopped:
        ingest(intake.path, intake.folder / "never.parquet")
    path = intake.folder / f"stopped{suffix}"
    write_findings(stopped.value, path, language="zh")
    text = path.read_text(encoding="utf-8")
    assert "没有接收任何数据" in text
    assert "--datum gcj02" in text
    assert "gcj02" in text
    if suffix == ".html":
        page_of(text)


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"let it end in \.html or \.md"):
        require_page_suffix(tmp_path / "a.pdf")


def test_a_text_that_is_the_same_in_both_languages_is_said_once():
    page = render_html("base.html.j2", title=Text(zh="<b>", en="<b>"), language="en", values={})
    assert "<h1>&lt;b&gt;</h1>" in page
