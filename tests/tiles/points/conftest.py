"""Points of a city, and a slow encoder that nobody can doubt."""

import numpy as np
import pandas as pd
import pytest

from gisgrid.features import FeatureTable
from gisgrid.tiles import PointSource

FIELDS = ["category", "status", "severity", "score", "urgent", "reported_at"]


def _reports(n, seed=1, *, width=0.2):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": [f"A-{i:05}" for i in range(n)],
            "category": rng.choice(["道路", "sewage", "park", "noise"], n),
            "status": rng.choice(["open", "closed"], n),
            "severity": rng.integers(-2, 6, n),
            "score": rng.normal(size=n),
            "urgent": rng.random(n) < 0.3,
            "reported_at": pd.Timestamp("2026-01-01", tz="UTC")
            + pd.to_timedelta(rng.integers(0, 10**7, n), "s"),
            "lon": 114 + width * rng.normal(size=n) ** 3,
            "lat": 35 + width * rng.normal(size=n) ** 3,
        }
    )
    for name in ("category", "score", "urgent", "reported_at"):
        frame[name] = frame[name].mask(rng.random(n) < 0.1)
    return frame


@pytest.fixture(scope="session")
def reports():
    """A frame of reports of any number."""
    return _reports


@pytest.fixture(scope="session")
def as_table():
    """The features of a frame of reports."""

    def make(frame):
        return FeatureTable.from_frame(frame, key="id", properties=FIELDS, lonlat=("lon", "lat"))

    return make


@pytest.fixture(scope="session")
def table(as_table):
    """3 000 reports."""
    return as_table(_reports(3000))


@pytest.fixture(scope="session")
def source_of():
    """A source of a table with all fields shown."""

    def make(table, **options):
        return PointSource(
            table, **{"layer_id": "layer", "properties": FIELDS, "maxzoom": 22, **options}
        )

    return make


@pytest.fixture(scope="session")
def plain_tile():
    """What a tile should show, worked out row by row in plain Python: id to place and properties."""

    def make(table, matrix_set, z, x, y, *, buffer=64, rows=None):
        lon, lat = np.asarray(table.lon), np.asarray(table.lat)
        u, v = matrix_set.to_unit(lon, lat)
        side = 2 ** matrix_set.depth(z)
        n_columns, n_rows = matrix_set.tiles_at(z)
        found = {}
        records = table.records(slice(None), properties=FIELDS)
        for row in range(len(table)) if rows is None else rows:
            if not np.isfinite(u[row]):
                continue
            # Places are kept on a grid of 2**32 steps.
            px, py = (int(unit[row] * 2**32 // 1) * side * 4096 >> 32 for unit in (u, v))
            if not (0 <= px < n_columns * 4096 and 0 <= py < n_rows * 4096):
                continue
            px, py = px - 4096 * x, py - 4096 * y
            if n_columns > 1:
                px = min(
                    px,
                    px + 4096 * n_columns,
                    px - 4096 * n_columns,
                    key=lambda place: abs(place - 2048),
                )
            if -buffer <= px < 4096 + buffer and -buffer <= py < 4096 + buffer:
                properties = {
                    name: value for name, value in records[row].items() if value is not None
                }
                found[int(table.number[row]) + 1] = ((px, py), properties)
        return found

    return make


@pytest.fixture(scope="session")
def shown(decode):
    """What a tile shows: id to place and properties."""

    def read(tile):
        features = decode(tile.body, "layer")
        assert tile.n_features == len(features)
        ids = [feature.id for feature in features]
        assert len(set(ids)) == len(ids)
        return {f.id: ((int(f.geometry.x), int(f.geometry.y)), f.properties) for f in features}

    return read
