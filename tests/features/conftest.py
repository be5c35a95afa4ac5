"""A layer with every kind of column, with gaps in each, and names in two languages."""

import numpy as np
import pandas as pd
import pytest

from gisgrid.features import FeatureTable

N = 3000


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    some = rng.random((6, N)) < 0.1
    reported = pd.Timestamp("2026-01-01", tz="Asia/Shanghai") + pd.to_timedelta(
        rng.integers(0, 90 * 86400, N), unit="s"
    )
    table = pd.DataFrame(
        {
            "id": [f"R-{i:05d}" for i in rng.permutation(N)],
            "category": pd.Series(rng.choice(["sewage", "Garbage", "道路", "café", "50% off", "a_b"], N)).where(~some[0]),
            "类别": pd.Series(rng.choice(["sewage", "道路", "公园"], N)).where(~some[1]),
            "severity": pd.Series(rng.integers(1, 6, N)).astype("Int64").where(~some[2]),
            "visits": rng.integers(-200_000, 200_000, N),
            "score": pd.Series(np.round(rng.normal(0, 2, N), 2)).where(~some[3]),
            "open": pd.Series(rng.random(N) < 0.5).astype("boolean").where(~some[4]),
            "reported_at": pd.Series(reported).where(~some[5]),
            "day": [d.date() for d in reported],
            "lon": 114 + rng.random(N),
            "lat": 35 + rng.random(N),
        }
    )  # fmt: skip
    table.loc[:9, ["lon", "lat"]] = np.nan
    table.loc[10:12, "lat"] = 88.0
    return table


@pytest.fixture(scope="session")
def table(frame) -> FeatureTable:
    names = [name for name in frame.columns if name not in {"id", "lon", "lat"}]
    return FeatureTable.from_frame(frame, key="id", properties=names, lonlat=("lon", "lat"))
