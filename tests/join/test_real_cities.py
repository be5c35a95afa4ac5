"""Real cities: the join reproduces what the sources say of themselves, and shapely's answer to the point."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.errors import InputError
from gisgrid.join import assign_units, unassigned, unit_counts

pytestmark = pytest.mark.data

FEET_CHICAGO, FEET_NEW_YORK, LONLAT = "EPSG:3435", "EPSG:2263", "EPSG:4326"


def located(table, x, y, crs):
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table[x], table[y]), crs=crs)


def by_shapely(issues, units, key):
    """Give each issue the lowest code of the units that shapely finds it in."""
    units = units.sort_values(key)
    there = ~(issues.geometry.isna() | issues.geometry.is_empty).to_numpy()
    points, areas = shapely.STRtree(units.geometry.to_numpy()).query(
        issues.geometry.to_numpy()[there], predicate="intersects"
    )
    found = np.full(there.sum(), len(units))
    np.minimum.at(found, points, areas)
    codes = pd.Series(index=issues.index, dtype="str")
    codes[there] = np.append(units[key].to_numpy(dtype=object), np.nan)[found]
    return codes


@pytest.fixture(scope="module")
def sanitation(shared_data):
    return pd.read_parquet(shared_data / "chicago" / "chicago_sanitation_2011_2014.parquet")


@pytest.fixture(scope="module")
def chicago(shared_data):
    areas = gpd.read_file(shared_data / "chicago" / "Chicago77.shp")
    assert areas.crs is None
    return areas.assign(area_code=areas["AREANO"].astype(str)).set_crs(FEET_CHICAGO)


@pytest.fixture(scope="module")
def new_york(shared_data):
    files = {
        "borough_code": ("nyc_borough", "borough_id"),
        "nta_code": ("nyc_nta", "nta_id"),
        "tract_code": ("nyc_tract", "geoid"),
    }
    return {
        level: gpd.read_parquet(shared_data / "nyc" / f"{file}.parquet").assign(
            **{level: lambda frame, key=key: frame[key]}
        )
        for level, (file, key) in files.items()
    }


def test_chicago_sanitation_by_its_feet(sanitation, chicago):
    issues = located(sanitation, "X_Coordinate", "Y_Coordinate", FEET_CHICAGO)
    assert len(chicago) == 77
    codes = assign_units(issues, {"area_code": chicago})["area_code"]
    there = sanitation["X_Coordinate"].notna()
    assert (len(issues), there.sum()) == (74_401, 74_377)
    assert (codes[there].isna().sum(), codes[~there].notna().sum()) == (199, 0)
    assert (codes == sanitation["Community_Area"].astype("str")).sum() == 73_002
    assert codes.equals(by_shapely(issues, chicago, "area_code").rename("area_code"))

    counts = unit_counts(codes, chicago["area_code"])
    assert counts.sum() + codes.isna().sum() == len(issues)
    busiest = {"25": 3_271, "71": 2_793, "24": 2_600, "67": 2_389, "22": 2_378}
    assert counts.nlargest(5).to_dict() == busiest
    assert counts.nsmallest(4).to_dict() == {"36": 59, "54": 84, "76": 115, "37": 120}
    assert len(unassigned(codes.to_frame(), "area_code")) == 199 + 24


def test_chicago_sanitation_by_longitude_and_latitude(sanitation, chicago):
    issues = located(sanitation, "Longitude", "Latitude", LONLAT)
    stated = sanitation["Community_Area"].astype("str")
    points_moved = assign_units(issues.to_crs(FEET_CHICAGO), {"area_code": chicago})["area_code"]
    assert (points_moved == stated).sum() == 73_003
    areas_moved = assign_units(issues, {"area_code": chicago.to_crs(LONLAT)})["area_code"]
    assert (areas_moved == stated).sum() == 73_004
    # The other published count of area 22 (2 380) is the one by moved polygons.
    assert unit_counts(areas_moved, chicago["area_code"])["22"] == 2_380


def test_new_york_thefts_on_street_centre_lines_which_are_tract_borders(shared_data, new_york):
    thefts = pd.read_parquet(shared_data / "nyc" / "nyc_vehicle_thefts_2014_2017.parquet")
    issues = located(thefts, "longitude", "latitude", LONLAT)
    stated = thefts["census_block"].str[:11]
    # Most of these points are meant to be on a border, so how they are reprojected decides some.
    tracts = new_york["tract_code"].to_crs(LONLAT)
    codes = assign_units(issues, {"tract_code": tracts})["tract_code"]
    assert (codes == stated).sum() == 30_066
    assert codes.notna().all()
    assert codes.equals(by_shapely(issues, tracts, "tract_code").rename("tract_code"))

    in_feet = assign_units(issues.to_crs(FEET_NEW_YORK), new_york)
    assert (in_feet["tract_code"] == stated).sum() == 30_056
    assert in_feet.notna().all(axis=None)


def test_new_york_levels_nest(shared_data, new_york):
    thefts = pd.read_parquet(shared_data / "nyc" / "nyc_vehicle_thefts_2014_2017.parquet")
    issues = located(thefts, "longitude", "latitude", LONLAT).to_crs(FEET_NEW_YORK)
    codes = assign_units(issues, new_york)
    parents = new_york["tract_code"].set_index("tract_code")[["nta_id", "borough_id"]]
    expected = codes[["tract_code"]].join(parents, on="tract_code")
    assert (codes["nta_code"] == expected["nta_id"]).all()
    assert (codes["borough_code"] == expected["borough_id"]).all()
    per_borough = unit_counts(codes["borough_code"], new_york["borough_code"]["borough_code"])
    assert per_borough.sum() == len(issues)


@pytest.mark.parametrize(
    ("file", "no_place", "outside", "counts"),
    [
        ("nyc_311_20230228_raw", 87, 0, [1_011, 1_203, 1_462, 1_052, 184]),
        ("nyc_311_animals_raw", 62, 5, [944, 692, 1_636, 1_180, 450]),
    ],
)
def test_new_york_311_by_borough(shared_data, new_york, file, *, no_place, outside, counts):
    reports = pd.read_csv(shared_data / "nyc" / f"{file}.csv.gz", dtype=str)
    place = reports[["Longitude", "Latitude"]].astype(float)
    issues = located(place, "Longitude", "Latitude", LONLAT).to_crs(FEET_NEW_YORK)
    boroughs = new_york["borough_code"]
    codes = assign_units(issues, {"borough_code": boroughs})["borough_code"]
    assert place["Longitude"].isna().sum() == no_place
    assert codes.isna().sum() == no_place + outside
    found = unit_counts(codes, boroughs["borough_code"])
    assert found.sort_index().tolist() == counts


def test_mumbai_settlements_are_refused_until_mended(shared_data):
    slums = gpd.read_parquet(next((shared_data / "mumbai").glob("*slum*.parquet")))
    slums["slum_code"] = [f"{i:04d}" for i in range(len(slums))]
    issues = gpd.GeoDataFrame(geometry=slums.representative_point(), crs=slums.crs)
    with pytest.raises(InputError, match="26 of 2542 polygons of 'slum_code' are invalid"):
        assign_units(issues, {"slum_code": slums})
    mended = slums.set_geometry(slums.make_valid(method="structure", keep_collapsed=False))
    codes = assign_units(issues, {"slum_code": mended})["slum_code"]
    assert codes.equals(by_shapely(issues, mended, "slum_code").rename("slum_code"))
    assert codes.notna().sum() > 2_500
