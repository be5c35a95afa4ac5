"""Every file of the shared data opens with the number of rows its README states, or is refused for what it is."""

from fnmatch import fnmatch

import pytest

from gisgrid.errors import InputError
from gisgrid.intake.readers.source import open_source

pytestmark = pytest.mark.data

ROWS = {
    "beijing/BJStreet.shp.zip": 335,
    "beijing/uv_polygons_train_val.parquet": 12,
    "belgium-degurba/units_belgium.parquet": 581,
    "belgium-degurba/expected.json": 5,
    "chicago/Chicago77.shp": 77,
    "chicago/chicagoBoundary.parquet": 1,
    "chicago/chicagoNhoods.parquet": 98,
    "chicago/chicago_burglary_2011_2014.parquet": 66_932,
    "chicago/chicago_points_2017.parquet": 45_786,
    "chicago/chicago_sanitation_2011_2014.parquet": 74_401,
    "chicago/chicago_sanitation_snapshot_20141110_raw.csv.zip": 72_847,
    "chicago/policeBeats.parquet": 277,
    "chicago/policeDistricts.parquet": 25,
    "cn-codes/areas.parquet": 2_978,
    "cn-codes/cities.parquet": 342,
    "cn-codes/provinces.parquet": 31,
    "cn-codes/streets.parquet": 41_352,
    "cn-codes/villages_11_31_46.parquet": 17_340,
    "haikou/haikou_toilets.json": 200,
    "hotspot-ref/chicago77_order.csv": 77,
    "hotspot-ref/chicago77_sanitation_edges.csv": 398,
    "hotspot-ref/chicago77_sanitation_queen_spdep_local.csv": 77,
    "hotspot-ref/getisord_1996.csv": 256,
    "hotspot-ref/memphis_population.parquet": 10_393,
    "hotspot-ref/memphis_precincts.parquet": 9,
    "hotspot-ref/memphis_robberies.parquet": 2_245,
    "hotspot-ref/ny8_leukemia_utm18.gpkg": 281,
    "hotspot-ref/ny8_rate_NYnb_edges.csv": 1_522,
    "hotspot-ref/ny8_rate_NYnb_spdep_local.csv": 281,
    "hotspot-ref/*_spdep_global.csv": 1,
    "hotspot-ref/satscan_ny/satscan_ny_*.txt": 281,
    "hotspot-ref/sids2_nc.gpkg": 100,
    "hotspot-ref/sids74_EBest.csv": 100,
    "hotspot-ref/sids74_ncCR85_edges.csv": 492,
    "hotspot-ref/sids74_ncCR85_spdep_local.csv": 100,
    "mumbai/mumbai_slum_clusters.parquet": 2_542,
    "mumbai/mumbai_wards.parquet": 24,
    "nyc-raster/nyc_tracts_2020_zonal.parquet": 2_325,
    "nyc/nyc_311_20230228_raw.csv.gz": 4_999,
    "nyc/nyc_311_animals_raw.csv.gz": 4_969,
    "nyc/nyc_block_census2010.parquet": 39_148,
    "nyc/nyc_borough.parquet": 5,
    "nyc/nyc_cd.parquet": 71,
    "nyc/nyc_nta.parquet": 195,
    "nyc/nyc_nta_acs.parquet": 189,
    "nyc/nyc_tract.parquet": 2_166,
    "nyc/nyc_tract_acs.parquet": 2_167,
    "nyc/nyc_vehicle_thefts_2014_2017.parquet": 35_746,
    "portoalegre/poa_hexgrid.csv": 1_227,
    "portoalegre/poa_points_of_interest.csv": 15,
    "shanghai/metroline2_nocrs.shp.zip": 2,
    "shanghai/metrostop2.csv": 60,
    "shanghai/shanghai_districts_gbk.shp.zip": 17,
    "shanghai/shanghai_poi.parquet": 48_030,
    "taipei/Village_Sanhe_utf8_nocpg.shp.zip": 1,
    "taipei/taipei_base_units.parquet": 11_490,
    "taipei/taipei_code1.parquet": 7_672,
    "taipei/taipei_code2.parquet": 907,
    "taipei/taipei_songshan_base_raw_epsg4979.json": 838,
    "taipei/taipei_towns.parquet": 12,
    "taipei/taipei_villages.parquet": 456,
    "fixtures/geoparquet/examples/example.*": 5,
    "fixtures/geoparquet/test_data/data-linestring-*": 3,
    "fixtures/geoparquet/test_data/data-multi*polygon-*": 5,
    "fixtures/geoparquet/test_data/data-*": 4,
}  # fmt: skip
"""Rows and refused records together, as the READMEs and the truth facts state them."""

REFUSED = {
    "*.tif": "is a raster",
    "*.md": "is a text document",
    "*.yaml": "is a YAML document",
    "*.mvt": "is a map tile|is empty",
    "*.pmtiles": "is a tile archive|is empty",
    "*.osm.pbf": "is an OpenStreetMap extract",
    "*/poa_osm.pbf": "is an OpenStreetMap extract",
    "*/poa_*.zip": "is a public-transport timetable",
    "*.layer": "is a TileJSON document",
    "fixtures/tilejson/3.0.0/example/osm.json": "is a TileJSON document",
    "*/schema.json": "is a JSON schema|holds no list of objects",
    "*/LICENSE": "is text but no table|begins like JSON but none",
    "*/Chicago77.dbf": "is the table of a Shapefile; name its .shp",
    "*/Chicago77.shx": "is a part of a Shapefile; name its .shp",
    "*/scan_test_ny_poisson_circular_cartesian.txt": "is text but no table",
    "belgium-degurba/*.json": "holds no list of objects",
    "fixtures/geoparquet/examples/example_metadata*.json": "holds no list of objects",
    "fixtures/mvt/fixtures/001/tile.json": "holds no list of objects",
    "fixtures/mvt/fixtures/*/info.json": "holds no list of objects",
    "fixtures/ogcapi-tiles/openapi/*.json": "is an OpenAPI document",
    "fixtures/ogcapi/core/examples/json/Collection.json": "starts like JSON but is none",
    "fixtures/ogcapi/core/examples/json/ConformsTo.json": "holds no list of objects",
    "fixtures/ogcapi/core/examples/xml/FeatureCollection.xml": "is GML",
    "fixtures/ogcapi/core/examples/xml/*.xml": "is XML of <",
    "*/invalid_featurecollection_features_is_object.geojson": "has no list 'features'",
    "*/invalid_featurecollection_no_features_member.geojson": "has no list 'features'",
    "*/invalid_featurecollection_n*type.geojson": "holds no list of objects",
    "*/invalid_featurecollection_type_lowercase.geojson": "holds no list of objects",
    "*/invalid_featurecollection_unknown_type.geojson": "holds no list of objects",
    "*/invalid_geometry_missing_type.geojson": "holds no list of objects",
    "*/invalid_geometry_wrong_geometry_type.geojson": "holds no list of objects",
    "*/valid_featurecollection_empty_features.geojson": "JSON without rows",
}

OPENS = (
    "fixtures/geojson-invalid/*.geojson",
    "fixtures/mvt/fixtures/*/tile.json",
    "fixtures/ogcapi/core/examples/json/*.json",
)
"""These open; no README states how many rows they have."""

SOME_REFUSED = {"chicago/chicago_sanitation_snapshot_20141110_raw.csv.zip": {"repeated_header": 1}}


def first_match(name, patterns):
    return next((pattern for pattern in patterns if fnmatch(name, pattern)), None)


def test_every_file_opens_with_its_rows_or_is_refused_for_what_it_is(shared_data):
    used, unexpected = set(), []
    for path in sorted(one for one in shared_data.rglob("*") if one.is_file()):
        name = path.relative_to(shared_data).as_posix()
        pattern = first_match(name, ROWS) or first_match(name, REFUSED) or first_match(name, OPENS)
        used.add(pattern)
        try:
            source = open_source(path)
            batches = [batch for batch, _ in source.batches()]
        except InputError as error:
            if pattern not in REFUSED or not any(
                one in str(error) for one in REFUSED[pattern].split("|")
            ):
                unexpected.append(f"{name}: {error}")
            continue
        n = sum(batch.n_records for batch in batches)
        if (
            pattern in REFUSED
            or (pattern in ROWS and n != ROWS[pattern])
            or source.n_rows not in {None, n}
        ):
            unexpected.append(f"{name}: {n} records ({source.n_rows} stated)")
        reasons = [one.reason for batch in batches for one in batch.refused]
        if pattern in ROWS and reasons != [
            one for one, k in SOME_REFUSED.get(name, {}).items() for _ in range(k)
        ]:
            unexpected.append(f"{name}: refused {reasons[:5]}")
        for batch in batches:
            assert tuple(batch.table.column_names) == source.columns
            assert not source.columns or batch.table.num_rows == len(batch.rows)
            assert batch.wkb is None or len(batch.wkb) == len(batch.rows)
    assert not unexpected
    assert not {*ROWS, *REFUSED, *OPENS} - used


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("shanghai/shanghai_districts_gbk.shp.zip", "NAME", "宝山区"),
        ("taipei/Village_Sanhe_utf8_nocpg.shp.zip", "VILLNAME", "三和村"),
        ("beijing/BJStreet.shp.zip", "乡", "北七家镇"),
        ("haikou/haikou_toilets.json", "name", "无障碍公共厕所"),
    ],
)
def test_chinese_text_is_right(shared_data, name, column, value):
    source = open_source(shared_data / name)
    (batch,) = [batch for batch, _ in source.batches()]
    found = dict(zip(source.columns, batch.table.columns, strict=True))
    assert column in found, source.columns
    assert value in found[column].to_pylist()


def test_what_is_published_for_one_grid_is_found_in_another_format(shared_data):
    raw = open_source(shared_data / "taipei/taipei_songshan_base_raw_epsg4979.json")
    whole = open_source(shared_data / "taipei/taipei_base_units.parquet")
    codes = {one for batch, _ in raw.batches() for one in batch.table["CODEBASE"].to_pylist()}
    every = {one for batch, _ in whole.batches() for one in batch.table["CODEBASE"].to_pylist()}
    assert len(codes) == 838
    assert codes < every
