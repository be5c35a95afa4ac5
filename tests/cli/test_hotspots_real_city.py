"""Every method through the command line on a real city: sanitation complaints of Chicago in its 77 community areas."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.cli.app import run
from gisgrid.cli.hotspots.methods import METHODS

pytestmark = pytest.mark.data

FEW = ("--permutations", "99")
RESIDENTS = ("--population", "residents")
WIDE = ("--bandwidth-m", "1500", "--cell-m", "250")
ASKED = {
    "gi-star": [RESIDENTS],
    "gi": [RESIDENTS],
    "local-moran": [(*RESIDENTS, *FEW)],
    "bivariate-moran": [(*RESIDENTS, *FEW, "--against", "BURGLARIES")],
    "local-geary": [(*RESIDENTS, *FEW)],
    "join-counts": [("--flag", "125")],
    "optimised": [()],
    "optimised-outliers": [FEW],
    "scan": [(*RESIDENTS, *FEW, "--shape", "ellipse"), (*FEW, "--controls", "BURGLARIES")],
    "space-time-scan": [(*RESIDENTS, *FEW)],
    "space-time-permutation": [(*FEW, "--prospective")],
    "temporal-scan": [FEW],
    "emerging": [RESIDENTS],
    "change": [("--before", "2013-07..2013-12", "--after", "2014-01..2014-06")],
    "campaign": [("--treated", "campaign", "--from", "2014-01-01")],
    "rebound": [()],
    "rebound-by-class": [()],
    "rates": [RESIDENTS],
    "zones": [(*RESIDENTS, "--zone", "side")],
    "effort": [("--effort", "patrol_km")],
    "reporting-rate": [()],
    "dbscan": [("--radius-m", "120", "--min-reports", "8")],
    "hdbscan": [("--min-reports", "50")],
    "hierarchical": [("--min-reports", "5")],
    "near-repeats": [FEW],
    "density": [(*WIDE, "--edge-correction")],
    "adaptive-density": [WIDE],
    "relative-risk": [
        (*WIDE, *RESIDENTS), (*WIDE, "--from", "2014-01-01"), (*WIDE, "--against", "BURGLARIES"),
    ],
    "street-segments": [("--streets", "STREETS", "--within-m", "150", "--segment-m", "200")],
    "street-density": [("--streets", "STREETS", "--segment-m", "200", "--bandwidth-m", "500")],
}  # fmt: skip
SUFFIXES = {"areas": ".gpkg", "lines": ".gpkg", "surface": ".tif", "table": ".csv"}
LEFT_OUT = (
    "on_fallback_points", "repeats", "unassigned", "in_slivers", "on_no_street", "far_out", "scattered",
    "without_time", "far_in_time", "in_part_steps", "in_no_period",
)  # fmt: skip


@pytest.fixture(scope="module")
def city(shared_data, tmp_path_factory):
    """A year of complaints, every other one, and all strays of 2000; burglaries; areas with what methods ask for; streets."""
    folder = tmp_path_factory.mktemp("chicago")
    source = shared_data / "chicago"
    reports = pd.read_parquet(source / "chicago_sanitation_2011_2014.parquet")
    day = pd.to_datetime(reports["Creation_Date"])
    year = (day >= "2013-07-01") & (day < "2014-07-01")
    other = pd.Series(np.arange(len(reports)) % 2 == 0, index=reports.index)
    reports[year & other | (day < "2001-01-01")].to_parquet(folder / "reports.parquet")
    burglaries = pd.read_parquet(source / "chicago_burglary_2011_2014.parquet")
    burglaries.iloc[::6].to_parquet(folder / "burglaries.parquet")
    units = gpd.read_file(source / "Chicago77.shp").set_crs(3435).to_crs(26916)
    number = units["AREANO"]
    units = units[["AREANO", "COMMUNITY", "geometry"]].assign(
        side=np.where(number <= 38, "north", "south"),
        campaign=(number % 6 == 0).astype(int),
        patrol_km=np.where(number % 9 == 0, 0.0, 100.0),
        residents=(units.area / 500).round().astype(int),
    )
    units.geometry = units.geometry.simplify_coverage(50)
    units.to_file(folder / "units.gpkg")
    west, south, east, north = units.total_bounds
    lines = [shapely.LineString([(x, south), (x, north)]) for x in np.arange(west, east, 800)]
    lines += [shapely.LineString([(west, y), (east, y)]) for y in np.arange(south, north, 800)]
    ground = units.geometry.union_all()
    streets = gpd.GeoSeries(lines, crs=26916).intersection(ground).explode()
    streets = streets[streets.geom_type == "LineString"].to_frame("geometry")
    streets.to_file(folder / "streets.gpkg")
    return folder


def test_every_method_is_asked():
    assert set(ASKED) == set(METHODS)


@pytest.mark.parametrize(
    ("method", "options"), [(name, options) for name, each in ASKED.items() for options in each]
)
def test_a_method_answers_for_a_real_city(city, tmp_path, capsys, method, options):
    files = {"BURGLARIES": city / "burglaries.parquet", "STREETS": city / "streets.gpkg"}
    out = tmp_path / f"out{SUFFIXES[METHODS[method].makes]}"
    words = [
        "hotspots",
        city / "reports.parquet",
        city / "units.gpkg",
        "--units-key",
        "AREANO",
        "--timezone",
        "America/Chicago",
    ]
    words += ["--method", method, "-o", out, "--json", *(files.get(word, word) for word in options)]
    code = run([str(word) for word in words])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    said = json.loads(printed.out)
    assert out.stat().st_size > 0
    assert said["counted"] > 1_000
    assert said["accepted"] == said["counted"] + sum(said[name] for name in LEFT_OUT)
    if METHODS[method].makes == "areas" and method not in {"dbscan", "hdbscan", "hierarchical"}:
        assert said["tested"] > 20
    if "far_in_time" in said and METHODS[method].options & {"step", "place_m"}:
        assert said["far_in_time"] == 28
    assert all(isinstance(note, str) and note for note in said["notes"])


def test_a_shapefile_without_a_crs_is_read_in_the_one_that_is_said(shared_data, tmp_path, capsys):
    source = shared_data / "chicago"
    files = [source / "chicago_sanitation_2011_2014.parquet", source / "Chicago77.shp"]
    words = [
        "hotspots",
        *files,
        "--units-crs",
        "EPSG:3435",
        "--units-key",
        "AREANO",
        "-o",
        tmp_path / "hot.gpkg",
        "--json",
    ]
    assert run([str(word) for word in words]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["accepted"] == said["counted"] + said["unassigned"] == 74_377
    reference = pd.read_csv(
        shared_data / "hotspot-ref" / "chicago77_sanitation_queen_spdep_local.csv"
    )
    found = gpd.read_file(tmp_path / "hot.gpkg")  # both in the order of the file
    assert (found["n_neighbours"] == reference["n_nb"]).all()
    assert (found["n_incidents"] - reference["x"]).abs().max() <= 5  # some reports on borders
    np.testing.assert_allclose(found["z"], reference["GiStar_B"], atol=0.01)
