"""Reports taken in, with something wrong in them."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from gisgrid.intake import Reference, Stated, ingest

EVIL = "<script>alert(1)</script>|`*_"


@pytest.fixture(scope="session")
def intake(tmp_path_factory):
    """120 reports: some without a place, some outside all units, one copy, one with an evil description."""
    folder = tmp_path_factory.mktemp("intake")
    column, row = np.divmod(np.arange(16), 4)
    units = gpd.GeoDataFrame(
        {"community_code": [f"{c}{r}" for c, r in zip(column, row, strict=True)]},
        geometry=box(114 + column / 100, 35 + row / 100, 114.01 + column / 100, 35.01 + row / 100), crs=4326,
    )  # fmt: skip
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "案件编号": [f"{i:05d}" for i in range(120)],
            "上报时间": pd.Timestamp("2025-03-01")
            + pd.to_timedelta(rng.integers(0, 90 * 1440, 120), unit="min"),
            "经度": (114 + rng.random(120) * 0.04).round(6).astype(str),
            "纬度": (35 + rng.random(120) * 0.04).round(6).astype(str),
            "问题描述": ["路面破损"] * 120,
        }
    )
    table.loc[:11, "经度"] = ""
    table.loc[12:15, "纬度"] = "35.05"
    table.loc[16, "纬度"] = "37.9"
    table.loc[17, "问题描述"] = EVIL
    table.loc[17, "经度"] = "?"
    table = pd.concat([table, table.iloc[[30]]], ignore_index=True)
    path = folder / "案件<b>.csv"
    table.to_csv(path, index=False)
    reference = Reference({"community_code": units}, {})
    done = ingest(path, folder / "out.parquet", reference=reference, stated=Stated(datum="wgs84"))
    return SimpleNamespace(done=done, units={"community_code": units}, path=path, folder=folder)
