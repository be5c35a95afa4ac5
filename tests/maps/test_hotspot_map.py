"""A saved map: everything in one file, nothing from elsewhere, the numbers right."""

import json
import re

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from gisgrid.errors import ColumnError, CrsError, InputError, OutputError
from gisgrid.maps import hotspot_map, write_html
from gisgrid.palette import GI_COLOURS, LABEL_TEXTS, LABELS
from gisgrid.schema import Text

LOAD = re.compile(
    r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|url\(\s*["']?(?:https?:)?//|@import""", re.IGNORECASE
)


def areas(labels=("hot_99", "hot_90", "not_significant", "cold_95", None), **columns):
    n = len(labels)
    tested = np.array([label is not None for label in labels])
    z = np.where(tested, np.linspace(5, -4, n), np.nan)
    frame = pd.DataFrame(
        {
            "community_code": [f"{k:012d}" for k in range(n)],
            "name_zh": [f"第{k}社区" for k in range(n)],
            "name_en": [f"Community {k}" for k in range(n)],
            "n_incidents": np.arange(n) * 1000 + 7,
            "observed": 50.5, "expected": 20.25, "z": z, "p": np.where(tested, 1e-5, np.nan),
            "q": np.where(tested, 0.0004, np.nan),
            "label": pd.Series(labels, dtype="str"), "n_neighbours": 4, "n_units": int(tested.sum()),
        }
    )  # fmt: skip
    west = 500_000 + np.arange(n) * 500
    return gpd.GeoDataFrame(
        frame.assign(**columns), geometry=box(west, 3_900_000, west + 500, 3_900_500), crs=4547
    )


def data_of(page):
    """The data that the page hands to its script."""
    text = page.get_root().render()
    return json.loads(re.search(r"gisgridHotspots\(map_\w+, (\{.*\})\);", text)[1])


def test_the_page_holds_everything_and_loads_nothing(tmp_path):
    write_html(hotspot_map(areas(), title="热点"), tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert not LOAD.search(text)
    assert "Leaflet 1." in text
    assert "sourceMappingURL" not in text
    assert text.count("<script>") == 3
    assert 'leafletjs.com"' not in text


def test_the_classes_have_the_palette_s_colours_and_words():
    for language in ("zh", "en"):
        data = data_of(hotspot_map(areas(), title="t", language=language))
        assert list(data["classes"]) == list(LABELS)
        for label, shown in data["classes"].items():
            assert shown["colour"] == GI_COLOURS[label]
            assert shown["text"] == LABEL_TEXTS[label][language]


def test_the_areas_are_in_degrees_to_six_decimals_with_their_numbers():
    frame = areas()
    data = data_of(hotspot_map(frame, title="t"))
    first, last = data["areas"]["features"][0], data["areas"]["features"][-1]
    ring = np.array(first["geometry"]["coordinates"][0])
    assert np.array_equal(ring, np.round(ring, 6))
    expected = np.array(frame.to_crs(4326).geometry.iloc[0].exterior.coords)
    assert np.abs(ring - expected).max() <= 0.5e-6 + 1e-12
    assert first["properties"]["community_code"] == "000000000000"
    assert first["properties"]["z"] == 5.0
    assert first["properties"]["q"] == 0.0004
    assert last["properties"]["z"] is None
    assert last["properties"]["class_"] is None
    assert data["key"] == "community_code"
    west, south, east, north = frame.to_crs(4326).total_bounds
    assert data["bounds"] == [[south, west], [north, east]]


def test_the_legend_counts_every_class_and_the_finding_says_it_in_words():
    text = hotspot_map(areas(), title="t", language="en").get_root().render()
    legend = re.search(r'<table class="legend">(.*?)</table>', text, re.DOTALL)[1]
    rows = re.findall(r"<td>([^<]+)</td><td>([\d,]+)</td>", legend)
    assert rows == [
        ("Hot, 99 %", "1"), ("Hot, 95 %", "0"), ("Hot, 90 %", "1"), ("Not significant", "1"),
        ("Cold, 90 %", "0"), ("Cold, 95 %", "1"), ("Cold, 99 %", "0"),
    ]  # fmt: skip
    assert "Of 4 units, 2 stand out as hot and 1 as cold" in text
    assert "The hottest is Community 0 (z\u00a0=\u00a05.00)." in text
    assert "4 units are tested at once" in text
    assert "1 more units have no value and are not tested." in text


def test_where_nothing_is_hot_the_page_says_so():
    text = hotspot_map(areas(["not_significant"] * 3), title="t", language="en").get_root().render()
    assert "None of 3 units stands out" in text
    assert 'class="places"' not in text


def test_both_names_are_shown_in_the_order_of_the_language():
    assert data_of(hotspot_map(areas(), title="t"))["names"] == ["name_zh", "name_en"]
    assert data_of(hotspot_map(areas(), title="t", language="en"))["names"] == [
        "name_en",
        "name_zh",
    ]
    assert data_of(hotspot_map(areas(street="x"), title="t", name="street"))["names"] == ["street"]


def test_a_title_in_both_languages_is_taken_in_the_page_s():
    title = Text(zh="三月热点", en="Hotspots in March")
    assert "<h1>三月热点</h1>" in hotspot_map(areas(), title=title).get_root().render()
    assert (
        "<title>Hotspots in March</title>"
        in hotspot_map(areas(), title=title, language="en").get_root().render()
    )


def test_text_from_data_stays_text():
    evil = "</script><script>alert(1)</script>{{ 7 * 7 }}{% raw %}"
    page = hotspot_map(areas(name_zh=[evil] * 5), title=evil, source=evil)
    text = page.get_root().render()
    assert text.count("<script>") == 3
    assert "<script>alert" not in text
    assert "{{ 7 * 7 }}" in text
    assert data_of(page)["areas"]["features"][0]["properties"]["name_zh"] == evil


def test_outlines_are_drawn_as_lines():
    outline = areas(["not_significant"])[["geometry"]].to_crs(4326)
    lines = data_of(hotspot_map(areas(), title="t", outline=outline))["outline"]
    assert [line["type"] for line in lines] == ["LineString"]


def test_a_notebook_shows_the_same_page_without_a_network():
    page = hotspot_map(areas(), title="t")
    shown = page._repr_html_()
    assert "srcdoc=" in shown
    assert not re.search(r"(?:src|href)=(?:&quot;|&#34;)https?:", shown)
    assert "gisgridHotspots" in shown


def test_layers_of_folium_can_be_added():
    page = hotspot_map(areas(), title="t")
    folium.CircleMarker([35.2, 114.0], radius=5).add_to(page)
    assert "L.circleMarker(" in page.get_root().render()


def test_many_areas_are_drawn_plainly():
    many = areas(["hot_95"] * 3001)
    assert data_of(hotspot_map(many, title="t"))["hatched"] is False
    assert data_of(hotspot_map(areas(), title="t"))["hatched"] is True


def test_the_same_areas_give_the_same_page():
    first, second = (hotspot_map(areas(), title="t").get_root().render() for _ in range(2))
    assert first == second
    assert first != hotspot_map(areas(n_incidents=1), title="t").get_root().render()


def test_nobody_s_frame_is_changed():
    frame = areas()
    before = frame.copy()
    hotspot_map(frame, title="t", outline=frame)
    pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(before))


def test_what_asks_other_hosts_is_not_saved(tmp_path):
    page = hotspot_map(areas(), title="t")
    folium.TileLayer("https://tiles.example.org/{z}/{x}/{y}.png", attr="x").add_to(page)
    with pytest.raises(
        OutputError,
        match=r"'a.html' would load 1 things from other hosts \(first: https://tiles.example.org",
    ):
        write_html(page, tmp_path / "a.html")
    assert not list(tmp_path.iterdir())


def test_what_a_map_needs_is_asked_for():
    with pytest.raises(
        ColumnError,
        match=r"a map shows classes \(cluster_rank, .*\) but none of these is among 11 columns.*column='n_incidents'",
    ):
        hotspot_map(areas().drop(columns="label"), title="t")
    with pytest.raises(ColumnError, match=r"no column 'q' among 11 columns of the hotspots"):
        hotspot_map(areas().drop(columns="q"), title="t")
    with pytest.raises(ColumnError, match=r"no column 'n_incident' .*did you mean 'n_incidents'"):
        hotspot_map(areas(), title="t", column="n_incident")
    with pytest.raises(
        ColumnError, match=r"column 'name_en' holds .* numbers are drawn in five classes"
    ):
        hotspot_map(areas(), title="t", column="name_en")
    with pytest.raises(InputError, match="there is no correction 'holm'; choose one of fdr, "):
        hotspot_map(areas(), title="t", correction="holm")
    with pytest.raises(
        ColumnError, match=r"no column 'community' among 12 columns.*did you mean 'community_code'"
    ):
        hotspot_map(areas(), title="t", key="community")
    with pytest.raises(CrsError, match="'hotspots' has no coordinate reference system"):
        hotspot_map(areas().set_crs(None, allow_override=True), title="t")
    with pytest.raises(InputError, match="there are 0 rows"):
        hotspot_map(areas().iloc[:0], title="t")
    with pytest.raises(InputError, match="language 'fr' is not spoken"):
        hotspot_map(areas(), title="t", language="fr")


def test_missing_assets_say_how_to_build_them(tmp_path, monkeypatch):
    monkeypatch.setattr("gisgrid.maps.hotspot_page._ASSETS", tmp_path)
    with pytest.raises(OutputError, match="run `make assets`"):
        hotspot_map(areas(), title="t")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OutputError, match="does not exist; make it first"):
        write_html(hotspot_map(areas(), title="t"), tmp_path / "no" / "a.html")
