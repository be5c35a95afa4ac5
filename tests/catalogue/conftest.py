"""A catalogue of three layers and its data, small enough to know by heart."""

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point, box

from gisgrid.catalogue import Catalogue, FolderStore

ABOUT = """
title = { zh = "小城", en = "Smalltown" }
timezone = "Asia/Shanghai"
crs = "EPSG:4547"

[groups]
grid = { zh = "网格", en = "Grid" }
reports = { zh = "上报", en = "Reports" }
"""

UNITS = """
id = "communities"
title = { zh = "社区", en = "Communities" }
description = { zh = "四个社区", en = "Four communities" }
group = "grid"
geometry = "Polygon"
primary_key = "community_code"
crs = "EPSG:4547"

[source]
path = "communities.parquet"

[tiles]
minzoom = 8
maxzoom = 14
properties = ["community_code", "name_zh"]
visible = true

[contract]
coverage = true

[[fields]]
name = "community_code"
type = "string"
description = { zh = "代码", en = "Code" }

[[fields]]
name = "name_zh"
type = "string"
description = { zh = "名称", en = "Name" }

[[fields]]
name = "name_en"
type = "string"
description = { zh = "英文名", en = "Name" }

[[fields]]
name = "population"
type = "integer"
minimum = 0
description = { zh = "人口", en = "Residents" }

[[fields]]
name = "area_km2"
type = "number"
unit = "km²"
description = { zh = "面积", en = "Area" }
"""

ISSUES = """
id = "reported_issues"
title = { zh = "上报", en = "Reports" }
description = { zh = "上报的问题", en = "Reported issues" }
group = "reports"
geometry = "Point"
primary_key = "issue_id"
crs = "EPSG:4547"

[source]
path = "reported_issues.parquet"

[[fields]]
name = "issue_id"
type = "string"
description = { zh = "编号", en = "Id" }

[[fields]]
name = "status"
type = "string"
description = { zh = "状态", en = "Status" }
labels = { open = { zh = "处置中", en = "Open" }, closed = { zh = "已结案", en = "Closed" } }

[[fields]]
name = "duplicate_of"
type = "string"
nullable = true
description = { zh = "重复", en = "Repeats" }

[[fields]]
name = "reported_at"
type = "datetime"
description = { zh = "时间", en = "When" }
"""

COUNTS = """
id = "community_issues"
title = { zh = "问题数", en = "Issues" }
description = { zh = "每个社区的问题数", en = "Issues by community" }
group = "grid"
geometry = "Polygon"
primary_key = "community_code"
crs = "EPSG:4547"

[derived]
function = "gisgrid.derived:unit_issues"
inputs = { issues = "reported_issues", units = "communities" }
parameters = { key = "community_code" }
""" + "".join(
    f"""
[[fields]]
name = "{name}"
type = "{kind}"
nullable = {"true" if name == "incidents_per_1000" else "false"}
description = {{ zh = "列", en = "Column" }}
"""
    for name, kind in {
        "community_code": "string",
        "name_zh": "string",
        "name_en": "string",
        "n_reports": "integer",
        "n_incidents": "integer",
        "n_open": "integer",
        "population": "integer",
        "area_km2": "number",
        "incidents_per_1000": "number",
        "incidents_per_km2": "number",
    }.items()
)

MONTHS = """
id = "issue_months"
title = { zh = "逐月", en = "Months" }
description = { zh = "逐月事件数", en = "Incidents by month" }
group = "reports"
geometry = "none"

[derived]
function = "gisgrid.derived:issue_months"
inputs = { issues = "reported_issues", units = "communities" }
parameters = { key = "community_code" }

[contract]
unique = [["community_code", "month"]]

[[fields]]
name = "community_code"
type = "string"
description = { zh = "代码", en = "Code" }

[[fields]]
name = "month"
type = "string"
description = { zh = "月", en = "Month" }

[[fields]]
name = "n_incidents"
type = "integer"
description = { zh = "数", en = "Count" }

[[fields]]
name = "complete"
type = "boolean"
description = { zh = "完整", en = "Complete" }
"""


@pytest.fixture
def units():
    squares = [box(x, y, x + 100, y + 100) for y in (0, 100) for x in (0, 100)]
    return gpd.GeoDataFrame(
        {
            "community_code": ["a", "b", "c", "d"],
            "name_zh": list("甲乙丙丁"),
            "name_en": list("ABCD"),
            "population": [100, 200, 0, 400],
            "area_km2": [0.01] * 4,
        },
        geometry=squares,
        crs="EPSG:4547",
    )


@pytest.fixture
def issues():
    places = [(50, 50), (50, 50), (150, 50), (150, 150), (999, 999)]
    return gpd.GeoDataFrame(
        {
            "issue_id": list("12345"),
            "status": ["open", "open", "closed", "open", "open"],
            "duplicate_of": [None, "1", None, None, None],
            "reported_at": pd.to_datetime(
                [
                    "2026-01-01T00",
                    "2026-01-02T00",
                    "2026-01-31T20",
                    "2026-02-10T00",
                    "2026-02-11T00",
                ],
                utc=True,
            ),
        },
        geometry=[Point(place) for place in places],
        crs="EPSG:4547",
    )


@pytest.fixture
def layers(tmp_path):
    """The folder of the catalogue, to be changed by a test."""
    folder = tmp_path / "layers"
    for name, text in {
        "communities": UNITS,
        "reported_issues": ISSUES,
        "community_issues": COUNTS,
        "issue_months": MONTHS,
    }.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "layer.toml").write_text(text, "utf8")
    (folder / "catalogue.toml").write_text(ABOUT, "utf8")
    return folder


@pytest.fixture
def change(layers):
    """Replace words in a layer's description."""

    def changed(layer, old, new, *, file="layer.toml"):
        path = layers / layer / file
        text = path.read_text("utf8")
        assert old in text
        path.write_text(text.replace(old, new), "utf8")

    return changed


@pytest.fixture
def catalogue(layers):
    return Catalogue.read(layers)


@pytest.fixture
def store(tmp_path, units, issues):
    folder = tmp_path / "data"
    folder.mkdir()
    units.to_parquet(folder / "communities.parquet", index=False)
    issues.to_parquet(folder / "reported_issues.parquet", index=False)
    return FolderStore(folder)
