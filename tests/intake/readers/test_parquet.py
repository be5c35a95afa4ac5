"""Parquet and GeoParquet, by row group."""

import datetime as dt
import json

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from gisgrid.errors import InputError
from gisgrid.intake.readers.batch import joined
from gisgrid.intake.readers.source import open_source


def test_types_are_kept_and_made_plain(tmp_path):
    table = pa.table(
        {
            "code": pa.array(["007", None]).dictionary_encode(),
            "long": pa.array(["a", "b"], pa.large_string()),
            "n": pa.array([1, None], pa.int32()),
            "at": pa.array(
                [dt.datetime(2026, 3, 4, 9, 30, tzinfo=dt.UTC), None],
                pa.timestamp("ns", "Asia/Shanghai"),
            ),
            "list": pa.array([["甲"], None]),
            "exact": pa.array([None, None], pa.decimal128(20, 0)),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    source = open_source(tmp_path / "a.parquet")
    ((batch, share),) = source.batches()
    assert (source.format, source.n_rows, share) == ("parquet", 2, 1.0)
    assert batch.table["code"].to_pylist() == ["007", None]
    kinds = [str(field.type) for field in batch.table.schema]
    assert kinds == [
        "string",
        "string",
        "int32",
        "timestamp[ns, tz=Asia/Shanghai]",
        "string",
        "string",
    ]
    assert batch.table["list"].to_pylist() == ['["甲"]', None]
    assert batch.wkb is None


def test_row_groups_are_batches_and_rows_are_counted(tmp_path):
    pq.write_table(pa.table({"n": range(1000)}), tmp_path / "a.parquet", row_group_size=100)
    source = open_source(tmp_path / "a.parquet")
    found = list(source.batches())
    assert len(found) == 10
    assert joined([batch for batch, _ in found]).rows.tolist() == list(range(1, 1001))
    sample = source.sample(30)
    assert sample.rows.tolist() == [*range(1, 11), *range(501, 511), *range(901, 911)]
    assert sample.table["n"].to_pylist() == [row - 1 for row in sample.rows.tolist()]
    assert len(source.sample(5000).rows) == 1000


@pytest.mark.parametrize("encoding", ["WKB", "geoarrow"])
@pytest.mark.parametrize("kind", ["Point", "Polygon", "MultiPolygon", "LineString"])
def test_geometry_in_every_encoding_is_wkb(tmp_path, encoding, kind):
    areas = [
        shapely.box(n, 0, n + 1, 1).difference(shapely.box(n + 0.2, 0.2, n + 0.4, 0.4))
        for n in range(5)
    ]
    made = {
        "Point": [area.centroid for area in areas],
        "Polygon": areas,
        "MultiPolygon": [shapely.MultiPolygon([area]) for area in areas],
        "LineString": [area.exterior for area in areas],
    }[kind]
    shapes = np.array(
        [shapely.LineString(one) if kind == "LineString" else one for one in made] + [None],
        dtype=object,
    )
    frame = gpd.GeoDataFrame({"n": range(6)}, geometry=shapes, crs=4547)
    frame.to_parquet(
        tmp_path / "a.parquet",
        geometry_encoding=encoding,
        write_covering_bbox=True,
        schema_version="1.1.0",
    )
    source = open_source(tmp_path / "a.parquet")
    assert (source.format, source.columns, source.crs.to_epsg()) == ("geoparquet", ("n",), 4547)
    ((batch, _),) = source.batches()
    found = shapely.from_wkb(batch.wkb.to_numpy(zero_copy_only=False))
    assert shapely.equals_exact(found[:5], shapes[:5]).all()
    assert found[5] is None


@pytest.mark.parametrize(("crs", "named"), [(None, None), ("absent", ("OGC", "CRS84"))])
def test_a_missing_crs_is_longitude_latitude_and_a_null_one_is_none(tmp_path, crs, named):
    column = {"encoding": "WKB", "geometry_types": []} | ({"crs": None} if crs is None else {})
    geo = {"version": "1.1.0", "primary_column": "g", "columns": {"g": column}}
    table = pa.table({"g": [shapely.Point(1, 2).wkb]}).replace_schema_metadata(
        {"geo": json.dumps(geo)}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found = open_source(tmp_path / "a.parquet").crs
    assert found is None if named is None else found.to_authority() == named


def test_damage_is_refused_in_a_sentence(tmp_path):
    pq.write_table(pa.table({"n": range(1000)}), tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"'cut.parquet' cannot be read as Parquet"):
        open_source(tmp_path / "cut.parquet")
    pq.write_table(pa.table({"n": pa.array([], pa.int64())}), tmp_path / "none.parquet")
    with pytest.raises(InputError, match=r"has columns \(1\) but no rows"):
        open_source(tmp_path / "none.parquet")
    broken = pa.table({"n": [1]}).replace_schema_metadata({"geo": "{"})
    pq.write_table(broken, tmp_path / "geo.parquet")
    with pytest.raises(InputError, match="does not name its geometry"):
        open_source(tmp_path / "geo.parquet")
