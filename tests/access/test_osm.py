"""An extract of OpenStreetMap: its streets, its facilities, and a walk on them."""

import geopandas as gpd
import pandas as pd
import pytest

from gisgrid.access import (
    nearest_facilities,
    read_osm_facilities,
    read_osm_streets,
    walking_network,
)
from gisgrid.errors import InputError


@pytest.mark.data
def test_porto_alegre_is_walked(shared_data):
    folder = shared_data / "portoalegre"
    streets = read_osm_streets(folder / "poa_osm.pbf")
    assert streets.crs.is_projected
    assert not set(streets["highway"]) & {"proposed", "construction"}
    assert 14_000 < len(streets) < 15_904
    network = walking_network(streets, level="level")
    longest = network.segments.groupby("component")["length_m"].sum().iloc[0]
    assert longest > 0.85 * network.segments["length_m"].sum()
    cells = pd.read_csv(folder / "poa_hexgrid.csv")
    homes = gpd.GeoDataFrame(
        cells, geometry=gpd.points_from_xy(cells["lon"], cells["lat"]), crs=4326
    ).to_crs(streets.crs)
    assert homes["population"].sum() == 812_935
    table = pd.read_csv(folder / "poa_points_of_interest.csv")
    places = gpd.GeoDataFrame(
        table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=4326
    ).to_crs(streets.crs)
    found = nearest_facilities(homes, places, network, off_street_m=500)
    straight = homes.geometry.loc[found["origin"]].distance(
        places.geometry.loc[found["facility"]], align=False
    )
    assert len(found) > 0.85 * len(homes)
    ratio = found["distance_m"].to_numpy() / straight.to_numpy()
    assert (ratio >= 1 - 1e-6).all()
    assert 1.1 < pd.Series(ratio).median() < 1.6
    facilities = read_osm_facilities(folder / "poa_osm.pbf", crs=streets.crs)
    assert (facilities["kind"] == "bus_stop").sum() > 100


@pytest.mark.data
@pytest.mark.parametrize("file", ["Helsinki.osm.pbf", "test.osm.pbf"])
def test_areas_cut_by_the_edge_of_an_extract_are_counted(shared_data, file):
    path = shared_data / "portoalegre" / file
    facilities = read_osm_facilities(path)
    assert 0 < facilities.attrs["n_cut"] < 200
    assert facilities.geometry.notna().all()
    assert len(read_osm_streets(path)) > 100


def test_what_is_no_extract_is_refused(tmp_path):
    with pytest.raises(InputError, match="no file"):
        read_osm_streets(tmp_path / "nowhere.osm.pbf")
    bad = tmp_path / "bad.osm.pbf"
    bad.write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read as an OpenStreetMap extract"):
        read_osm_streets(bad)
