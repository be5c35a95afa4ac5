"""Every method's classes on a saved map: their colours, their words, what is told about each area."""

import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, box

from gisgrid.analysis import PATTERN_MEANINGS, PATTERN_TEXTS
from gisgrid.maps import hotspot_map, plain_reading
from gisgrid.palette import (
    CLUSTER_COLOURS,
    CLUSTER_TEXTS,
    CONTRAST_COLOURS,
    CONTRAST_TEXTS,
    LABELS,
    PATTERN_COLOURS,
    RATE_RAMP,
)
from gisgrid.schema import Text

N = 17


def areas(**columns):
    west = 500_000 + np.arange(N) * 500
    frame = {
        "code": [f"{k:03d}" for k in range(N)],
        "name": [f"Area {k}" for k in range(N)],
        "n_incidents": np.arange(N) * 10,
    }
    return gpd.GeoDataFrame(frame | columns, geometry=box(west, 3_900_000, west + 500, 3_900_500), crs=4547)  # fmt: skip


def cycled(names):
    return [list(names)[k % len(names)] for k in range(N)]


SCORES = {
    "z": 2.5,
    "p": 0.01,
    "q": 0.02,
    "value": np.arange(N) / 2,
    "n_neighbours": 4,
    "lag": 1.25,
    "c": np.arange(N) / 4,
}
STEPS = {
    "n_steps": 35,
    "n_hot": np.arange(N),
    "n_cold": 1,
    "z_last": np.arange(N) / 3,
    "trend_p": 0.2,
}
CLUSTER = {
    "cluster_rank": pd.array([1] * 3 + [2] * 2 + [pd.NA] * 12, dtype="Int64"),
    "n_members": pd.array([3] * 3 + [2] * 2 + [pd.NA] * 12, dtype="Int64"),
    "cases": pd.array([900] * 3 + [50] * 2 + [pd.NA] * 12, dtype="Int64"),
    "expected": [300.5] * 3 + [20.0] * 2 + [np.nan] * 12, "relative_risk": [3.2] * 3 + [2.5] * 2 + [np.nan] * 12,
    "p": [0.001] * 3 + [0.04] * 2 + [np.nan] * 12,
    "label": ["hot_99"] * 3 + ["hot_95"] * 2 + ["not_significant"] * 12,
}  # fmt: skip


def text_and_data(page):
    text = page.get_root().render()
    return text, json.loads(re.search(r"gisgridHotspots\(map_\w+, (\{.*\})\);", text)[1])


def legend_of(text):
    legend = re.search(r'<table class="legend">(.*?)</table>', text, re.DOTALL)[1]
    return re.findall(r"<td>([^<]+)</td><td>([\d,]+)</td>", legend)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("column", "colours", "texts"),
    [
        ("cluster", CLUSTER_COLOURS, CLUSTER_TEXTS),
        ("contrast", CONTRAST_COLOURS, CONTRAST_TEXTS),
        ("pattern", PATTERN_COLOURS, {name: text.model_dump() for name, text in PATTERN_TEXTS.items()}),
    ],
)  # fmt: skip
def test_each_method_has_its_classes(language, column, colours, texts):
    frame = areas(**{column: cycled(colours)}, **SCORES, **STEPS)
    text, data = text_and_data(hotspot_map(frame, title="t", language=language))
    assert {name: shown["colour"] for name, shown in data["classes"].items()} == dict(colours)
    assert {name: shown["text"] for name, shown in data["classes"].items()} == {
        name: texts[name][language] for name in colours
    }
    assert dict(legend_of(text)) == {
        texts[name][language].replace("&", "&amp;"): str(frame[column].eq(name).sum())
        for name in colours
    }
    assert text.count("<pattern id=") == sum(colour is not None for colour in colours.values())
    for name, shown in data["classes"].items():
        assert shown["fill"] == (f"url(#hatch-{name})" if colours[name] else "#ffffff")
    assert "{" not in re.search(r"<aside.*?</aside>", text, re.DOTALL)[0]


def test_all_seventeen_patterns_differ_by_colour_or_hatching():
    frame = areas(pattern=list(PATTERN_COLOURS), **STEPS)
    text, _ = text_and_data(hotspot_map(frame, title="t"))
    patterns = re.findall(r'<pattern id="hatch-\w+" (.*?)</pattern>', text, re.DOTALL)
    assert len(set(patterns)) == len(patterns) == 16


def test_a_pattern_says_what_it_means():
    frame = areas(pattern=list(PATTERN_COLOURS), **STEPS)
    _, data = text_and_data(hotspot_map(frame, title="t", language="en"))
    assert data["sentences"] == {name: f"{said.en}." for name, said in PATTERN_MEANINGS.items()}


def test_a_legend_of_patterns_lists_those_that_occur():
    frame = areas(pattern=["new_hot"] + ["no_pattern"] * 16, **STEPS)
    text, _ = text_and_data(hotspot_map(frame, title="t", language="en"))
    assert legend_of(text) == [("New hotspot", "1"), ("No pattern", "16")]
    assert "Of 17 units, 1 have a pattern of hotspots and 0 one of coldspots." in text
    assert "First of all Area 0: New hotspot, hot at 0 of 35 steps." in text


def test_clusters_of_a_scan_have_a_number_an_outline_and_one_row_each():
    frame = areas(**CLUSTER)
    text, data = text_and_data(hotspot_map(frame, title="t", language="en"))
    assert [group["number"] for group in data["groups"]] == [1, 2]
    lat, lon = data["groups"][1]["at"]
    second = frame.to_crs(4326).geometry.iloc[3:5].union_all()
    assert second.covers(gpd.points_from_xy([lon], [lat])[0])
    assert len(data["groups"][0]["outline"]["coordinates"]) >= 5
    assert legend_of(text) == [("Hot, 99 %", "3"), ("Hot, 95 %", "2"), ("Not significant", "12")]
    assert "2 clusters would hardly arise by chance" in text
    assert "The clearest has 900 issues where 300.5 are expected: 3.20 times the risk" in text
    assert re.findall(r'data-key="(\d+)">([^<]+)<', text) == [
        ("000", "1. Area 0"),
        ("003", "2. Area 3"),
    ]
    assert "p holds for the whole map" in text
    assert data["areas"]["features"][16]["properties"]["cluster_rank"] is None


def test_clusters_of_reports_are_drawn_by_their_number_of_reports():
    frame = areas(area_km2=0.5, incidents_per_km2=20.0, major_m=200, minor_m=90).drop(
        columns="name"
    )
    frame = frame.rename(columns={"code": "cluster_id"})
    text, data = text_and_data(hotspot_map(frame, title="t", language="en"))
    assert [n for _, n in legend_of(text)] == ["4", "3", "3", "3", "4"]
    assert legend_of(text)[0][0] == "130 – 160"
    assert "The reports lie in 17 clusters, 1,360 issues in all." in text
    assert ">Cluster 016<" in text
    assert data["called"] == "Cluster {}"
    assert "no test" in text


def test_numbers_are_drawn_in_five_classes_of_as_many_areas():
    values = np.r_[np.arange(16) ** 2.0, np.nan]
    text, data = text_and_data(
        hotspot_map(areas(rate=values), title="t", column="rate", language="en")
    )
    assert {shown["colour"] for shown in data["classes"].values()} == set(RATE_RAMP)
    counts = [int(n) for _, n in legend_of(text)]
    assert sum(counts) == 16
    assert max(counts) - min(counts) <= 1
    by_class = pd.Series([f["properties"]["class_"] for f in data["areas"]["features"]])
    assert by_class[:16].is_monotonic_increasing
    assert pd.isna(by_class[16])
    assert "and are not tested" not in text


@pytest.mark.parametrize(
    ("values", "classes"), [([0] * 17, 1), ([0] * 16 + [5], 2), ([1, 2, 3] * 5 + [1, 1], 3)]
)
def test_few_different_numbers_have_a_class_each(values, classes):
    text, _ = text_and_data(hotspot_map(areas(rate=values), title="t", column="rate"))
    assert len(legend_of(text)) == classes
    assert all(" – " not in span for span, _ in legend_of(text))


def test_numbers_without_any_value_say_so():
    text, _ = text_and_data(
        hotspot_map(areas(rate=np.nan), title="t", column="rate", language="en")
    )
    assert "No unit has a value." in text


@pytest.mark.parametrize(
    ("correction", "words"),
    [("fdr", "FDR-corrected"), ("bonferroni", "Bonferroni-corrected"), ("none", "not corrected")],
)
def test_the_page_says_what_was_done_about_many_tests(correction, words):
    frame = areas(label="hot_99", **SCORES, observed=1.0, expected=2.0)
    text, _ = text_and_data(hotspot_map(frame, title="t", language="en", correction=correction))
    caption = re.search(r"<caption>(.*?)</caption>", text)[1]
    assert caption == f"Hot and cold areas (Gi*, {words})"
    assert ("at most" in text) == (correction != "none")


def test_a_slider_has_the_classes_of_every_step():
    frame = areas(pattern="new_hot", **STEPS)
    steps = pd.DataFrame(
        {"2024-01": ["hot_99", None], "2024-02": ["cold_90", "hot_95"]}, index=["000", "002"]
    )
    text, data = text_and_data(hotspot_map(frame, title="t", steps=steps))
    assert data["steps"]["names"] == ["2024-01", "2024-02"]
    labels = np.array(data["steps"]["labels"])
    assert labels.shape == (2, N)
    assert labels[:, [0, 1, 2]].tolist() == [[0, -1, -1], [4, -1, 1]]
    assert 'type="range"' in text
    assert 'type="range"' not in text_and_data(hotspot_map(frame, title="t"))[0]
    assert LABELS[4] == "cold_90"


def test_other_classes_are_read_as_they_are_described():
    classes = {"alone": Text(zh="孤立", en="Alone"), "without": Text(zh="无", en="Without")}
    reading = plain_reading(
        "kind", classes, {"alone": "#7b3294", "without": None},
        legend=Text(zh="类", en="Kinds"), places=Text(zh="地方", en="Places"), tests=False,
    )  # fmt: skip
    frame = areas(kind=["alone"] * 2 + ["without"] * 15)
    text, data = text_and_data(hotspot_map(frame, title="t", language="en", reading=reading))
    assert legend_of(text) == [("Alone", "2"), ("Without", "15")]
    assert data["classes"]["without"]["fill"] == "#ffffff"
    assert "First of all Area 1: Alone." in text


def test_streets_are_drawn_as_lines():
    frame = areas(label="hot_99", **SCORES, observed=1.0, expected=2.0)
    at = frame.geometry.bounds
    lines = [
        LineString([(x, y), (x + 100, y)]) for x, y in zip(at["minx"], at["miny"], strict=True)
    ]
    _, data = text_and_data(hotspot_map(frame.set_geometry(lines, crs=4547), title="t"))
    assert data["areas"]["features"][0]["geometry"]["type"] == "LineString"
