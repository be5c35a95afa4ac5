"""The fringe drawn from rasters, the ways held against each other, and reports with their zone: planted truth comes back."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS
from shapely import Point, box

from gisgrid.derived import (
    BEYOND,
    OFF_THE_GRID,
    WITHOUT_PLACE,
    degurba_cells,
    degurba_units,
    fringe_breaks,
    issue_zones,
    report_zones,
    zone_agreement,
    zone_pairs,
)
from gisgrid.errors import ColumnError, CrsError, InputError
from gisgrid.surface import Surface

GRID = CRS("EPSG:4547")
INNER_M, OUTER_M = 8_000, 14_000


def frame(shapes, crs=GRID, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


def surface(values, cell=500.0, crs=GRID, unit=""):
    half = cell * len(values) / 2
    transform = Affine(cell, 0, 500_000 - half, 0, -cell, 3_900_000 + half)
    return Surface(np.asarray(values, np.float32), transform, crs, unit)


def fall(n=81, cell=500.0):
    """A town that is whole up to 8 km and gone from 14 km on; lights and shops fall so in their logarithms."""
    y, x = (np.mgrid[:n, :n] - n // 2) * cell
    return np.clip((OUTER_M - np.hypot(x, y)) / (OUTER_M - INNER_M), 0, 1)


def lit(n=81):
    return 41 ** fall(n) - 1


AREA = frame([box(480_000, 3_880_000, 520_000, 3_920_000)])


@pytest.fixture(scope="module")
def shops():
    rng = np.random.default_rng(1)
    at = fall()
    n = rng.poisson(41**at - 1)
    row, column = np.repeat(np.indices(at.shape).reshape(2, -1), n.ravel(), axis=1)
    corner = surface(at).transform
    xy = np.column_stack([corner.c + column * 500, corner.f - row * 500])
    xy += rng.uniform((0, -500), (500, 0), xy.shape)
    kinds = np.where(rng.random(len(xy)) < 0.9, "supermarket", "culture_room")
    return frame(shapely.points(xy), kind=kinds, status="open")


@pytest.fixture(scope="module")
def drawn(shops):
    return fringe_breaks(surface(lit()), surface(0.4 * fall()), shops, AREA, n_bootstrap=99)


def test_planted_breaks_come_back_with_their_band(drawn):
    zones = drawn.value.set_index("zone_type")
    assert list(zones.index) == ["core", "fringe", "inner_band", "outer_band"]
    assert zones["inner_m"].unique() == pytest.approx([INNER_M], abs=500)
    assert zones["outer_m"].unique() == pytest.approx([OUTER_M], abs=500)
    assert zones.loc["core", "area_km2"] == pytest.approx(np.pi * 8**2, rel=0.08)
    whole = zones.loc[["core", "fringe"], "area_km2"].sum()
    assert whole == pytest.approx(np.pi * 14**2, rel=0.08)
    assert (zones.area / 1e6).to_dict() == pytest.approx(zones["area_km2"].to_dict())
    assert (zones["n_broken"] == 72).all()
    assert "72 of 72 rays have two breaks" in drawn.notes[-1]
    assert zones["zone_id"].tolist() == ["core-0", "fringe-0", "inner_band-0", "outer_band-0"]


def test_beyond_the_city_nothing_is_read(shops):
    city = frame([Point(500_000, 3_900_000).buffer(15_000)])
    lights = lit()
    lights[fall() == 0] = 90  # another city's lights beyond the border
    made = fringe_breaks(surface(lights), surface(0.4 * fall()), shops, city, n_bootstrap=19)
    y, x = (np.mgrid[:81, :81] - 40) * 500
    assert made.excluded[BEYOND] == pytest.approx((np.hypot(x, y) > 15_000).sum(), rel=0.01)
    assert made.value["outer_m"][0] == pytest.approx(OUTER_M, abs=1000)
    with pytest.raises(InputError, match="no cell of the raster lies in the 1 areas"):
        fringe_breaks(surface(lit()), surface(lit()), shops, frame([box(0, 0, 1, 1)]))
    with pytest.raises(CrsError, match="metres"):
        fringe_breaks(surface(lit()), surface(lit()), shops, AREA.to_crs(4490))
    with pytest.raises(ColumnError, match="no column 'kind'"):
        fringe_breaks(surface(lit()), surface(lit()), shops.drop(columns="kind"), AREA)


def town(n=21):
    """Residents on 1 km: a centre of 5 × 5 km, suburbs around it, fields beyond."""
    y, x = np.abs(np.mgrid[:n, :n] - n // 2)
    away = np.maximum(y, x)
    return np.select([away <= 2, away <= 5], [2500, 500], 20)


CITY = frame([box(490_000, 3_890_000, 510_000, 3_910_000)])


@pytest.fixture(scope="module")
def cells():
    return degurba_cells(surface(town(), cell=1000.0), CITY)


def test_cells_have_their_class_and_are_fringe_or_not(cells):
    found = cells.value
    assert found["level2"].value_counts().to_dict() == {"11": 441 - 121, "21": 96, "30": 25}
    assert (found["zone_type"] == "fringe").equals(found["level2"] == "21")
    assert found["density_per_km2"].max() == 2500
    assert found["residents"].sum() == town().sum()
    assert found.crs == GRID
    assert any("only DEGURBA-like" in note for note in cells.notes)
    assert "25 urban centre" in cells.notes[-1]
    near = degurba_cells(surface(town(), cell=1000.0), frame([Point(500_000, 3_900_000)]))
    assert near.excluded == {BEYOND: 440}
    with pytest.raises(InputError, match="no rules of 2020"):
        degurba_cells(surface(town(), cell=1000.0), CITY, rules=2020)


def test_units_are_what_the_cells_of_their_residents_are():
    units = frame(
        [
            box(498_000, 3_898_000, 502_000, 3_902_000),
            box(502_500, 3_895_000, 505_500, 3_905_000),
            box(0, 0, 9, 9),
        ],
        code=["town", "suburb", "off"],
        name_zh=["城", "郊", "外"],
    )
    made = degurba_units(units, surface(town(), cell=1000.0), key="code")
    found = made.value.set_index("code")
    assert found["level2"].fillna("").tolist() == ["30", "21", ""]
    assert found["level1"].fillna("").tolist() == ["3", "2", ""]
    assert found.loc["town", "share_30"] == 1
    assert made.excluded == {OFF_THE_GRID: 1}
    with pytest.raises(InputError, match="2021 and 2024"):
        degurba_units(units, surface(town()), key="code", unit_rules=2022)


BLOCKS = [
    (x, y) for x in np.arange(486_000, 514_000, 1000) for y in np.arange(3_886_000, 3_914_000, 1000)
]


@pytest.fixture(scope="module")
def units():
    """Squares whose official class and kept fringe are the planted belt, but for a tenth that nobody classified."""
    shapes = [box(x, y, x + 1000, y + 1000) for x, y in BLOCKS]
    away = np.hypot(*(np.array(BLOCKS) + 500 - (500_000, 3_900_000)).T)
    belt = (away > INNER_M) & (away < OUTER_M)
    official = np.where(belt, "112", np.where(away < INNER_M, "111", "220")).astype(object)
    official[::10] = None
    return frame(shapes, code=[f"u{i}" for i in range(len(shapes))], urban_rural_class=official)


def test_ways_that_mean_the_same_agree_and_others_do_not(units, drawn, cells):
    ring = Point(500_000, 3_900_000)
    kept = frame([ring.buffer(OUTER_M).difference(ring.buffer(INNER_M))])
    ask = {"key": "code"}
    made = zone_agreement(units, kept, drawn.value, cells.value, **ask)
    table = made.value
    assert table["zone_official"].isna().equals(units["urban_rural_class"].isna())
    assert (table["n_ways"] == np.where(units["urban_rural_class"].isna(), 3, 4)).all()
    ways = ["zone_kept", "zone_breaks", "zone_degurba", "zone_official"]
    assert (table["n_fringe"] == (table[ways] == "fringe").sum(axis=1)).all()
    assert set(table["zone_type"]) == {"fringe", "rest"}
    pairs = zone_pairs(units, kept, drawn.value, cells.value, **ask).value.set_index("pair_id")
    assert len(pairs) == 6
    assert pairs.loc["kept-breaks", "kappa"] > 0.8
    assert pairs.loc["kept-official", "kappa"] > 0.9
    assert pairs.loc["kept-degurba", "kappa"] < 0.2  # another planted town
    assert f"{pairs['kappa'].min():.2f} to {pairs['kappa'].max():.2f}" in made.notes[0]
    with pytest.raises(ColumnError, match="urban_rural_class"):
        zone_agreement(
            units.drop(columns="urban_rural_class"), kept, drawn.value, cells.value, **ask
        )


def test_reports_of_a_table_have_the_zones_of_the_map():
    nothing = frame([])
    ring = Point(0, 0).buffer(1000)
    village, fringe = (
        frame([box(-50, -50, 60, 60)]),
        frame([ring.difference(Point(0, 0).buffer(300))]),
    )
    rng = np.random.default_rng(5)
    where = [*shapely.points(rng.uniform(-1200, 1200, (400, 2))), None]
    reports = frame(where, issue_id=[f"r{i}" for i in range(401)])
    table = issue_zones(reports, village, nothing, fringe, key="issue_id")
    drawn = report_zones(reports, village, nothing, fringe)
    assert "geometry" not in table.value
    assert table.value["zone_type"].equals(drawn.value["zone_type"])
    assert table.excluded[WITHOUT_PLACE] == 1
    assert table.value.iloc[-1][["zone_type", "confidence"]].isna().all()
    # Against circles drawn one by one.
    for point, row in zip(where[:40], table.value.itertuples(), strict=False):
        circle = point.buffer(20, quad_segs=32)
        share = circle.intersection(fringe.geometry[0]).area / circle.area
        assert row.share_fringe == pytest.approx(share, abs=0.01)
    with pytest.raises(ColumnError, match="no column 'id'"):
        issue_zones(reports, village, nothing, fringe, key="id")
