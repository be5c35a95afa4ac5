import geopandas as gpd
import pytest
import shapely
from gisgrid_server.layers.findings import clusters, findings

from gisgrid.errors import LayerNotFoundError
from gisgrid.files import read_frame, write_frame


@pytest.fixture
def layers(city):
    names = {"cells": "issue_hotspots", "communities": "communities", "subdistricts": "subdistricts",
             "urban_villages": "urban_villages"}  # fmt: skip
    return {name: read_frame(city / "data" / f"{layer}.parquet") for name, layer in names.items()}


@pytest.fixture
def period(city):
    times = read_frame(city / "data" / "reported_issues.parquet")["reported_at"]
    return times.min(), times.max()


def test_the_hot_places_are_named_the_strongest_first(layers):
    found = findings(layers, timezone="Asia/Shanghai")
    assert (found["n_hot"], found["n_cells"], found["confidence"], found["n_places"]) == (
        5,
        99,
        0.95,
        2,
    )
    first, second = found["places"]
    assert first["name_zh"] == "解放街道东风社区"
    assert first["name_en"] == "Dongfeng Community (Jiefang Subdistrict)"
    assert (first["label"], first["z"], first["n_cells"]) == ("hot_99", 6.5, 4)
    assert first["sum_z"] == pytest.approx(21.5)
    assert (second["name_en"], second["label"]) == (
        "Hongqi Community (Jiefang Subdistrict)",
        "hot_95",
    )
    west, south, east, north = first["bbox"]
    assert (east - west, north - south) == pytest.approx((0.00659, 0.00541), abs=2e-4)


def test_the_sentences_say_where_and_how_sure(layers, period):
    found = findings(layers, timezone="Asia/Shanghai", period=period)
    assert "2026年1月1日至2026年7月19日" in found["zh"]
    assert "检验的99个格网中，5个（5.1%）在95%或更高的置信水平上是热点" in found["zh"]
    assert "最强的在解放街道东风社区、解放街道红旗社区。" in found["zh"]
    assert "约每20处可能有1处只是偶然" in found["zh"]
    assert "5 of the 99 cells tested (5.1%) are hot at 95 % or stronger" in found["en"]
    assert (
        "The strongest: Dongfeng Community (Jiefang Subdistrict); Hongqi Community" in found["en"]
    )
    assert "About 1 in 20 of the areas marked hot at 95 % may be hot by chance." in found["en"]
    # Two of the five hot cells, and two of the ninety-nine tested, are in the urban village.
    assert "Of the hot ground, 40% lies in urban villages (2% of all ground tested)." in found["en"]
    assert found["zones"]["urban_villages"]["hot"] == pytest.approx(0.4)


def test_a_city_without_hot_areas_is_told_so(layers):
    cells = layers["cells"].assign(label="not_significant")
    found = findings({"cells": cells}, timezone="Asia/Shanghai")
    assert found["places"] == []
    assert found["n_hot"] == 0
    assert "没有一个" in found["zh"]
    assert found["en"].startswith("none of the 99 cells tested is hot at 95 %")
    assert "strongest" not in found["en"]


def test_names_are_not_needed(layers):
    found = findings({"cells": layers["cells"]}, timezone="Asia/Shanghai")
    assert [place["name_en"] for place in found["places"]] == ["near the border"] * 2
    assert found["zones"] == {}


def test_a_place_that_reaches_into_others_says_so(layers):
    cells = layers["cells"].copy()
    cells.loc[[4, 5], ["label", "z"]] = ["hot_99", 9.0]
    found = findings({**layers, "cells": cells}, timezone="Asia/Shanghai")
    assert "解放街道东风社区及相邻1个社区（村）" in [place["name_zh"] for place in found["places"]]
    assert any("and 1 community beside it" in place["name_en"] for place in found["places"])


def test_the_order_of_the_rows_does_not_matter(layers):
    shuffled = layers["cells"].sample(frac=1, random_state=1)
    assert findings({**layers, "cells": shuffled}, timezone="UTC") == findings(
        layers, timezone="UTC"
    )


def test_cells_that_touch_at_a_corner_are_one_place():
    boxes = [shapely.box(0, 0, 1, 1), shapely.box(1, 1, 2, 2), shapely.box(4, 4, 5, 5)]
    assert clusters(gpd.GeoDataFrame(geometry=boxes)).tolist() == [0, 0, 1]
    assert clusters(gpd.GeoDataFrame(geometry=[])).tolist() == []


def test_without_cells_there_is_nothing_to_tell():
    with pytest.raises(LayerNotFoundError, match="no layer 'issue_hotspots'"):
        findings({"cells": None}, timezone="UTC")


def test_the_route_gives_them_and_follows_the_data(own_city, serve, layers, period, until):
    client = serve(own_city)
    before = client.get("/api/findings").json()
    assert before == findings(layers, timezone="Asia/Shanghai", period=period)
    write_frame(
        layers["cells"].assign(label="not_significant"),
        own_city / "data" / "issue_hotspots.parquet",
    )
    until(lambda: client.get("/api/findings").json()["n_hot"] == 0)


def test_what_was_not_built_is_a_problem(own_city, serve, problem):
    (own_city / "data" / "issue_hotspots.parquet").unlink()
    problem(serve(own_city).get("/api/findings"), 503)
