"""`gisgrid brief`: one page that says what the ledger says, or one sentence why not."""

import datetime as dt
import re
import zlib

import geopandas as gpd
import pytest

from gisgrid.catalogue import Catalogue, FolderStore
from gisgrid.desk import Desk, Report
from gisgrid.report import Measure
from gisgrid.report.brief_page import FONTS, Voice
from gisgrid.schema import Text

TOLD_BY_NOBODY = ("李四", "13900139000", "电动车堵住楼道")
START = dt.datetime(2026, 11, 2, 1, 0, tzinfo=dt.UTC)  # a Monday, 09:00 in Shanghai


class Clock:
    def __init__(self):
        self.time = START

    def __call__(self):
        return self.time


@pytest.fixture
def two_weeks(small_city):
    """Two weeks at a desk: in the second, garbage comes back where it was closed, and a street stays broken."""
    catalogue, clock = Catalogue.read(small_city / "layers"), Clock()
    store = FolderStore(small_city / "data")
    units = gpd.read_parquet(small_city / "data" / "compounds.parquet")
    spots = units.representative_point().to_crs(4326)
    with Desk.open(catalogue, store, follow=False, clock=clock) as desk:

        def report(row, service, name):
            said = Report(
                lon=spots.x.iloc[row], lat=spots.y.iloc[row], service_code=service, description=TOLD_BY_NOBODY[2], at=clock(),
                source="app", contact={"name": TOLD_BY_NOBODY[0], "phone": TOLD_BY_NOBODY[1]},
            )  # fmt: skip
            return desk.report(said, client_id=name, by="app").case_id

        def settle(case_id, *steps):
            for step in steps:
                clock.time += dt.timedelta(minutes=5)
                desk.act(case_id, step, by="desk")

        whole = ("filed", "dispatched", "handled", "feedback", "verified", "closed")
        for number in range(3):
            settle(report(0, "0110", f"first-{number}"), *whole)
        broken = report(1, "0113", "street")
        settle(broken, "filed", "dispatched")
        clock.time = START + dt.timedelta(days=7)
        settle(report(0, "0110", "again"), *whole)
        for row in range(2, 8):
            report(row, "0112", f"second-{row}")
    return small_city, units


def asked(city, *more, unit="419801001", period="2026-W46"):
    folders = ("--layers", city / "layers", "--data", city / "data")
    return ("brief", "--unit", unit, "--period", period, *folders, *more)


def test_a_week_that_is_over_stays_as_it_was(gisgrid, two_weeks, tmp_path):
    city, _ = two_weeks
    pages = []
    for name in ("before", "after"):
        code, out, _ = gisgrid(*asked(city, "-o", tmp_path / f"{name}.html", period="2026-W45"))
        assert code == 0
        pages.append(re.search(r"\d+ reported, \d+ overdue", out)[0])
        late = Clock()
        late.time = START + dt.timedelta(days=30)
        catalogue, store = Catalogue.read(city / "layers"), FolderStore(city / "data")
        with Desk.open(catalogue, store, follow=False, clock=late) as desk:
            closed = desk.ledger.cases(order="reported_at").query("state == 'closed'")["case_id"]
            desk.act(closed.iloc[0], "reopened", by="desk", why="it is back")
    assert pages[0] == pages[1]


def test_a_page_says_what_is_hot_back_overdue_and_whose(gisgrid, two_weeks, tmp_path):
    city, _ = two_weeks
    code, out, err = gisgrid(*asked(city, "-o", tmp_path / "brief.html"))
    assert (code, err) == (0, "")
    assert "7 reported, 1 overdue" in out
    html = (tmp_path / "brief.html").read_text("utf-8")
    for words in (
        "街道419801001",
        "2026 年第 46 周",
        "暴露垃圾",
        "道路破损",
        "城市管理局",
        "哪里反弹",
    ):
        assert words in html, words
    assert re.search(r"本期共 1 起", html)
    assert html.count('<main class="sheet"') == 1
    assert html.count("<svg") == 4
    assert "URBAN MANAGEMENT" not in html


def test_the_page_needs_nothing_else_and_names_nobody(gisgrid, two_weeks, tmp_path):
    city, _ = two_weeks
    gisgrid(*asked(city, "--lang", "both", "-o", tmp_path / "brief.html"))
    html = (tmp_path / "brief.html").read_text("utf-8")
    assert not re.search(r"(?:src|href)\s*=|url\(|@import|<script", html)
    assert not any(words in html for words in TOLD_BY_NOBODY)
    assert html.count('<main class="sheet"') == 2
    assert "What came back" in html
    assert "哪里反弹" in html


def test_a_community_has_a_brief_too_and_levels_add_up(gisgrid, two_weeks, tmp_path):
    city, units = two_weeks
    reported = []
    for community in units["community_code"].unique():
        code, out, _ = gisgrid(*asked(city, "-o", tmp_path / "c.html", unit=community))
        assert code == 0
        reported.append(int(re.search(r"(\d+) reported", out)[1]))
    districts = [
        int(
            re.search(
                r"(\d+) reported", gisgrid(*asked(city, "-o", tmp_path / "d.html", unit=unit))[1]
            )[1]
        )
        for unit in ("419801001", "419801002")
    ]
    assert sum(reported) == sum(districts) == 7


def test_an_empty_week_is_said_to_be_empty(gisgrid, two_weeks, tmp_path):
    city, _ = two_weeks
    code, out, _ = gisgrid(*asked(city, "-o", tmp_path / "brief.html", unit="419801002"))
    assert code == 0
    assert "0 reported" in out
    html = (tmp_path / "brief.html").read_text("utf-8")
    assert "本期本辖区没有上报的案件" in html
    assert "nan" not in html.lower()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"unit": "419801009"}, "no unit '419801009' among 2 subdistricts and 4 communities"),
        (
            {"unit": "419801001001001"},
            "a brief is for a sub-district or a community; give its code, for example 419801001001",
        ),
        ({"period": "46"}, "'46' is no period"),
        ({"period": "2026-W54"}, "'2026-W54' is no period"),
        ({"period": "2190-W01"}, "choose one that has begun"),
    ],
)
def test_a_wrong_unit_or_period_is_one_sentence(gisgrid, two_weeks, tmp_path, change, sentence):
    code, _, err = gisgrid(*asked(two_weeks[0], "-o", tmp_path / "brief.html", **change))
    assert code == 2
    assert sentence in err
    assert err.count("\n") == 1
    assert not (tmp_path / "brief.html").exists()


def test_without_a_ledger_none_is_made(gisgrid, small_city, tmp_path):
    code, _, err = gisgrid(*asked(small_city, "-o", tmp_path / "brief.html"))
    assert code == 2
    assert "there is no ledger of cases" in err
    assert not (small_city / "data" / "casework").exists()
    code, _, err = gisgrid(*asked(small_city, "-o", tmp_path / "brief.docx"))
    assert code == 2
    assert ".html or .pdf" in err


def test_a_pdf_carries_its_chinese_font(gisgrid, two_weeks, tmp_path):
    pytest.importorskip("weasyprint", reason="the extra pdf is not installed")
    if not all(path.is_file() for _, path in FONTS):
        pytest.skip("the fonts are not built (make assets)")
    code, _, err = gisgrid(*asked(two_weeks[0], "-o", tmp_path / "brief.pdf"))
    assert (code, err) == (0, "")
    raw = (tmp_path / "brief.pdf").read_bytes()
    assert raw.startswith(b"%PDF-")
    parts = [raw]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", raw, re.DOTALL):
        try:
            parts.append(zlib.decompress(stream))
        except zlib.error:
            continue
    whole = b"\n".join(parts)
    fonts = set(re.findall(rb"/BaseFont\s*/(?:[A-Z]{6}\+)?([\w-]+)", whole))
    assert fonts <= {b"Noto-Sans-SC", b"Noto-Sans-SC-Bold"}
    assert whole.count(b"/FontFile") >= 2
    for sign in "街热反":  # words of the page, as the fonts map them back to text
        assert f"{ord(sign):04x}".encode() in whole.lower()


def test_a_pdf_without_weasyprint_is_refused_before_anything_is_read(
    gisgrid, small_city, tmp_path, monkeypatch
):
    monkeypatch.setitem(__import__("sys").modules, "weasyprint", None)
    code, _, err = gisgrid(*asked(small_city, "-o", tmp_path / "brief.pdf"))
    assert code == 2
    assert "pip install 'gisgrid[pdf]'" in err


def test_rates_of_few_cases_are_marked_and_changes_are_written_as_what_they_are():
    title, voice = Text(zh="率", en="rate"), Voice("en")
    few = Measure(title, "share", 0.5, before=0.25, numerator=2, denominator=4)
    assert few.is_few
    assert not Measure(title, "share", None, denominator=0).is_few
    assert not Measure(title, "share", 0.5, numerator=5, denominator=10).is_few
    assert voice.change(few, few.before) == "+25.0 points"
    count = Measure(title, "count", 6, before=4)
    assert voice.change(count, 4) == "+50 %"
    assert voice.change(count, 0) == "+6"
    assert voice.change(count, 6) == "0 %"
    assert voice.change(count, None) == "–"
