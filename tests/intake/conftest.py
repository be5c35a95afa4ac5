"""A small city of three levels, and reports on it."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from gisgrid.datum import gcj02_from_wgs84
from gisgrid.intake import Reference

EAST, NORTH, SIDE_M = 500_000.0, 3_895_000.0, 8_000.0


def _level(name, n):
    column, row = np.divmod(np.arange(n * n), n)
    width = SIDE_M / n
    west, south = EAST + column * width, NORTH + row * width
    codes = [f"0{len(name)}{c:02d}{r:02d}" for c, r in zip(column, row, strict=True)]
    return gpd.GeoDataFrame(
        {name: codes, "name_zh": [f"{name[:3]}{code}" for code in codes]},
        geometry=box(west, south, west + width, south + width),
        crs=4547,
    )


@pytest.fixture(scope="session")
def city():
    """Three levels of square units, and 600 reports in GCJ-02 with their true places."""
    units = {
        name: _level(name, n)
        for name, n in (("subdistrict_code", 2), ("community_code", 4), ("compound_code", 16))
    }
    rng = np.random.default_rng(7)
    n = 600
    xy = (EAST, NORTH) + rng.random((n, 2)) * SIDE_M
    points = gpd.GeoSeries.from_xy(*xy.T, crs=4547).to_crs(4326)
    lon, lat = gcj02_from_wgs84(points.x.to_numpy(), points.y.to_numpy())
    reported = pd.Timestamp("2025-01-01 08:00") + pd.to_timedelta(
        np.sort(rng.integers(0, 300 * 1440, n)), unit="min"
    )
    kinds = [
        ("0110", "暴露生活垃圾"),
        ("0112", "道路不洁"),
        ("0401", "无照经营游商"),
        ("0506", "道路积水"),
    ]
    kind = rng.integers(0, len(kinds), n)
    table = pd.DataFrame(
        {
            "案件编号": [f"{i:06d}" for i in range(n)],
            "上报时间": reported.strftime("%Y-%m-%d %H:%M"),
            "结案时间": (reported + pd.Timedelta("2h")).strftime("%Y/%m/%d %H:%M:%S"),
            "类别代码": [kinds[k][0] for k in kind],
            "问题类别": [kinds[k][1] for k in kind],
            "经度": [f"{value:.7f}" for value in lon],
            "纬度": [f"{value:.7f}" for value in lat],
            "来源": rng.choice(["采集员", "12345热线"], n),
            "status": rng.choice(["已结案", "处置中"], n),
            "问题描述": [f"第{i}处，请速处理" for i in range(n)],
        }
    )
    names = dict.fromkeys(units, "name_zh")
    return SimpleNamespace(
        units=units, reference=Reference(units, names), table=table, points=points
    )


@pytest.fixture
def reports_csv(city, tmp_path):
    """The reports of the city as the case system exports them."""
    path = tmp_path / "案件.csv"
    city.table.to_csv(path, index=False, encoding="gb18030")
    return path
