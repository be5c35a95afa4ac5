"""The small map of an explanation: who is on it, in which colour, and that it stands alone."""

import xml.etree.ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from gisgrid.analysis import contiguity, hotspots
from gisgrid.analysis.reasons import explanation
from gisgrid.errors import ColumnError, CrsError
from gisgrid.maps import explanation_map
from gisgrid.palette import GI_COLOURS


@pytest.fixture
def made():
    x, y = np.divmod(np.arange(64), 8)
    west, south = 500_000 + 500.0 * x, 3_900_000 + 500.0 * y
    units = gpd.GeoDataFrame(
        {"code": [f"u{i:02}" for i in range(64)]},
        geometry=box(west, south, west + 500, south + 500), crs=4547,
    )  # fmt: skip
    counts = pd.Series(np.where((x < 2) & (y < 2), 50, 9 + (x + 2 * y) % 4), index=units["code"])
    graph = contiguity(units, key="code")
    names = pd.Series([f"<b>{code}</b> & co" for code in units["code"]], index=units["code"])
    scores = hotspots(counts.astype(float), graph)
    return explanation("u09", counts, graph, scores=scores, names=names), units


def elements(svg, kind):
    return [e for e in ET.fromstring(svg).iter() if e.tag.endswith("}" + kind)]  # noqa: S314 - ours


@pytest.mark.parametrize("crs", [4547, 4490])
def test_the_unit_and_its_neighbours_are_drawn_with_their_parts(made, crs):
    said, units = made
    svg = explanation_map(said, units.to_crs(crs), key="code", language="en")
    texts = [element.text for element in elements(svg, "text")]
    assert [t for t in texts if t.startswith("<b>u")] == [
        f"<b>{u}</b> & co" for u in said.parts.index
    ]
    parts = [float(t) for t in texts if t.startswith(("+", "-"))]
    assert sum(parts) == pytest.approx(said.z, abs=0.05)
    fills = [element.get("fill") for element in elements(svg, "path")]
    assert sum(fill in {GI_COLOURS["hot_90"], GI_COLOURS["hot_95"]} for fill in fills) == 4
    heavy = [element for element in elements(svg, "path") if element.get("stroke-width") == "3.0"]
    assert len(heavy) == 1
    assert "200 m" in texts
    assert elements(svg, "desc")[0].text == said.sentence("en")
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert "<b>" not in svg


def test_words_are_in_the_language_and_the_same_question_gives_the_same_bytes(made):
    said, units = made
    zh = explanation_map(said, units, key="code")
    assert "对 z 的贡献" in zh
    assert zh == explanation_map(said, units, key="code")
    assert zh != explanation_map(said, units, key="code", language="en")


def test_a_unit_that_was_not_tested_is_drawn_alone(made):
    _, units = made
    counts = pd.Series(1.0, index=units["code"]).where(units.set_index("code").index != "u09")
    said = explanation(
        "u09", pd.Series(1, index=units["code"]), contiguity(units, key="code"), values=counts
    )
    svg = explanation_map(said, units, key="code", language="en")
    assert "Not tested" in svg
    assert not [e for e in elements(svg, "text") if e.text.startswith(("+", "-"))]


def test_what_cannot_be_drawn_is_said(made):
    said, units = made
    with pytest.raises(ColumnError, match="no column 'unit' in the areas"):
        explanation_map(said, units, key="unit")
    with pytest.raises(ColumnError, match="unit 'u09' is not among 5 areas"):
        explanation_map(said, units.iloc[:5], key="code")
    with pytest.raises(CrsError):
        explanation_map(said, units.set_crs(None, allow_override=True), key="code")
