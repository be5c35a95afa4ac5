"""Real exports, with the row counts of their own documentation."""

import pytest

from gisgrid.intake import Stated, read_reports, read_units

pytestmark = pytest.mark.data


@pytest.mark.parametrize(
    ("file", "stated", "n_read", "reasons"),
    [
        ("chicago/chicago_sanitation_2011_2014.parquet", {}, 74_401, {"no_place": 24}),
        ("chicago/chicago_sanitation_2011_2014.parquet", {"datum": "EPSG:3435"}, 74_401, {"no_place": 24}),
        ("chicago/chicago_sanitation_snapshot_20141110_raw.csv.zip", {}, 72_847, {"no_place": 24, "repeated_header": 1}),
        ("chicago/chicago_points_2017.parquet", {}, 45_786, {}),
        ("nyc/nyc_311_20230228_raw.csv.gz", {}, 4_999, {"no_place": 87}),
        ("nyc/nyc_311_animals_raw.csv.gz", {}, 4_969, {"no_place": 62}),
        ("nyc/nyc_vehicle_thefts_2014_2017.parquet", {}, 35_746, {}),
        ("shanghai/shanghai_poi.parquet", {"datum": "wgs84"}, 48_030, {}),
        ("shanghai/metrostop2.csv", {"datum": "wgs84"}, 60, {}),
        ("hotspot-ref/memphis_robberies.parquet", {}, 2_245, {}),
    ],
)  # fmt: skip
def test_reports_are_read_or_refused_for_the_documented_reason(
    shared_data, file, stated, n_read, reasons
):
    reports = read_reports(shared_data / file, stated=Stated(**stated))
    assert reports.n_read == n_read
    assert reports.ingestion.rejected == reasons
    assert reports.rejected["reason"].value_counts().to_dict() == reasons


@pytest.mark.parametrize(
    ("file", "options", "n", "key"),
    [
        ("chicago/Chicago77.shp", {"key": "AREANO", "crs": "EPSG:3435"}, 77, "AREANO"),
        ("nyc/nyc_nta.parquet", {}, 195, "nta_id"),
        ("taipei/taipei_base_units.parquet", {"key": "CODEBASE"}, 11_490, "CODEBASE"),
        ("shanghai/shanghai_districts_gbk.shp.zip", {}, 17, "ADMINCODE"),
    ],
)
def test_units_are_read(shared_data, file, options, n, key):
    units = read_units(shared_data / file, **options)
    assert (len(units.frame), units.key) == (n, key)
    assert units.frame.is_valid.all()


def test_the_gbk_shapefile_without_cpg_gives_its_names(shared_data):
    units = read_units(shared_data / "shanghai/shanghai_districts_gbk.shp.zip")
    assert "宝山区" in set(units.frame["NAME"])
    assert any("GB 18030" in note for note in units.notes)


def test_the_utf8_shapefile_without_cpg_gives_its_names(shared_data):
    units = read_units(shared_data / "taipei/Village_Sanhe_utf8_nocpg.shp.zip", key="VILLCODE")
    assert not units.frame["VILLNAME"].str.isascii().any()


def test_invalid_slum_polygons_are_repaired(shared_data):
    units = read_units(shared_data / "mumbai/mumbai_slum_clusters.parquet", key="polyno")
    assert units.frame.is_valid.all()
    assert any("26 of 2542 units had invalid polygons" in note for note in units.notes)
