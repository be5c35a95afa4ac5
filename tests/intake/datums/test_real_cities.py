"""Real cities go through with the counts that their own documentation gives."""

import datetime as dt

import pytest

from gisgrid.intake import NO_REFERENCE, Reference, Stated, UnsureError, ingest, read_units

AS_OF = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

TRUTH = [
    ("chicago/chicago_sanitation_2011_2014.parquet", "chicago/policeDistricts.parquet", {}, 74_401, 24, None),
    ("nyc/nyc_311_20230228_raw.csv.gz", "nyc/nyc_borough.parquet", {}, 4_999, 87, 0),
    ("nyc/nyc_311_animals_raw.csv.gz", "nyc/nyc_borough.parquet", {}, 4_969, 62, 5),
    ("nyc/nyc_vehicle_thefts_2014_2017.parquet", "nyc/nyc_tract.parquet", {}, 35_746, 0, 0),
    ("shanghai/shanghai_poi.parquet", "shanghai/shanghai_districts_gbk.shp.zip", {}, 48_030, 0, 3),
    ("haikou/haikou_toilets.json", None, {"datum": "gcj02"}, 200, 0, None),
]  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize("city_file", TRUTH, ids=lambda each: each[0].split("/")[1])
def test_the_real_cities_go_through_with_the_documented_counts(shared_data, tmp_path, city_file):
    file, units, stated, n_read, n_rejected, n_outside = city_file
    reference = NO_REFERENCE
    if units is not None:
        read = read_units(shared_data / units)
        reference = Reference({read.key: read.frame}, {})
    done = ingest(
        shared_data / file, tmp_path / "out.parquet", reference=reference, find_repeats=False,
        stated=Stated(as_of=AS_OF, **stated),
    )  # fmt: skip
    assert (done.n_read, done.n_rejected) == (n_read, n_rejected)
    assert n_outside is None or done.sample.n_outside == n_outside
    assert done.findings[0].mapping.datum == stated.get("datum", "wgs84")


@pytest.mark.data
def test_haikou_without_units_asks_for_its_datum(shared_data, tmp_path):
    with pytest.raises(UnsureError, match="--datum"):
        ingest(shared_data / "haikou/haikou_toilets.json", tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == []
