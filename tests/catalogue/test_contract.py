"""Every planted defect is found, and clean data give no alarm."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box
from shapely.affinity import translate

from gisgrid.catalogue import Catalogue, build, check, value_faults
from gisgrid.catalogue.areas import coverage_faults


@pytest.fixture
def found(catalogue, store):
    """Write changed units, and give the faults of their layer by rule."""

    def faults(units):
        units.to_parquet(store.folder / "communities.parquet", index=False)
        return {
            fault.rule: fault
            for fault in check(catalogue, store, only=["communities"])["communities"]
        }

    return faults


def test_clean_data_give_no_alarm(catalogue, store):
    build(catalogue, store)
    heard = []
    faults = check(catalogue, store, progress=lambda step, share: heard.append((step, share)))
    assert faults == {layer.id: [] for layer in catalogue}
    assert heard == [(layer.id, share) for layer in catalogue for share in (0.0, 1.0)]


def test_a_file_that_is_not_there_is_a_fault(catalogue, store):
    (store.folder / "communities.parquet").unlink()
    faults = check(catalogue, store)
    assert "put it there" in faults["communities"][0].message
    assert "run gisgrid build" in faults["community_issues"][0].message
    assert faults["reported_issues"] == []


def test_a_file_that_cannot_be_read_is_a_fault(catalogue, store):
    (store.folder / "communities.parquet").write_bytes(b"no parquet")
    (fault,) = check(catalogue, store, only=["communities"])["communities"]
    assert (fault.rule, "cannot be read" in fault.message) == ("readable", True)


def test_a_file_other_than_the_described_one_is_a_fault(layers, change, store):
    change(
        "communities",
        'path = "communities.parquet"',
        f'path = "communities.parquet"\nsha256 = "{"0" * 64}"',
    )
    (fault,) = check(Catalogue.read(layers), store, only=["communities"])["communities"]
    assert fault.rule == "sha256"
    real = store.checksum(Catalogue.read(layers)["communities"])
    assert real in fault.message
    change("communities", "0" * 64, real)
    assert check(Catalogue.read(layers), store, only=["communities"]) == {"communities": []}


def test_a_derived_layer_that_is_out_of_date_is_a_fault(catalogue, store, issues):
    build(catalogue, store)
    issues.iloc[:3].to_parquet(store.folder / "reported_issues.parquet", index=False)
    (fault,) = check(catalogue, store, only=["community_issues"])["community_issues"]
    assert (
        fault.message == "the layer is out of date: reported_issues has changed; run gisgrid build"
    )
    (store.folder / "reported_issues.parquet").unlink()
    (fault,) = check(catalogue, store, only=["community_issues"])["community_issues"]
    assert "its input reported_issues is not there" in fault.message


def test_another_crs_is_a_fault(found, units):
    fault = found(units.to_crs(4490))["crs"]
    assert fault.message == (
        "the CRS is EPSG:4490 (degree) but EPSG:4547 is described; reproject the file, or describe its CRS"
    )


def test_columns_are_held_to_their_fields(found, units):
    faults = found(units.drop(columns="name_en").assign(extra=1, population=[1, 2, -3, 4]))
    assert {"missing", "undescribed", "minimum"} <= faults.keys()
    assert "c, -3" in faults["minimum"].message


def test_a_key_names_one_row(found, units):
    units.loc[3, "community_code"] = "a"
    assert found(units)["unique"].message == "1 of 4 rows repeat a 'community_code' (first: a)"
    units.loc[3, "community_code"] = None
    assert (
        found(units)["unique"].message == "1 of 4 rows have no 'community_code', which names a row"
    )


def test_columns_that_are_unique_together_are_tested_together(catalogue, store):
    build(catalogue, store)
    layer = catalogue["issue_months"]
    table = store.read(layer)
    assert table["month"].duplicated().any()
    assert value_faults(layer, table) == []
    twice = table.iloc[[0, 1, 1]]
    assert (
        "repeat a 'community_code' with 'month' (first: a, 2026-02)"
        in value_faults(layer, twice)[0].message
    )


@pytest.mark.parametrize(
    ("shape", "clause"),
    [
        (None, "1 of 4 rows have no geometry (first: d)"),
        (Polygon(), "1 of 4 rows have no geometry (first: d)"),
        (Point(1, 1), "1 of 4 rows are no Polygon (first: d, Point)"),
        (Polygon([(100, 100), (200, 200), (200, 100), (100, 200)]), "have invalid geometry (first: d, Self-intersection"),
        (shapely.from_wkt("POLYGON ((0 0, Inf 1, 1 1, 0 0))"), "have coordinates that are no numbers (first: d)"),
    ],
)  # fmt: skip
def test_a_geometry_that_is_none_is_a_fault(catalogue, units, shape, clause):
    shapes = units.geometry.to_list()
    shapes[3] = shape
    frame = units.set_geometry(shapes, crs=units.crs)
    (fault,) = [f for f in value_faults(catalogue["communities"], frame) if f.rule == "geometry"]
    assert clause in fault.message


def test_areas_of_several_parts_are_areas(found, units):
    shapes = units.geometry.to_list()
    shapes[3] = MultiPolygon([box(100, 100, 200, 150), box(100, 150, 200, 200).buffer(0)])
    shapes[3] = MultiPolygon([box(100, 100, 150, 200), box(160, 100, 200, 200)])
    assert "geometry" not in found(units.set_geometry(shapes, crs=units.crs))


def moved(units, x, y):
    shapes = units.geometry.to_list()
    shapes[3] = translate(shapes[3], x, y)
    return units.set_geometry(shapes, crs=units.crs)


def test_an_overlap_is_found_with_its_size(found, units):
    shapes = units.geometry.to_list()
    shapes[3] = box(97, 100, 200, 200)
    fault = found(units.set_geometry(shapes, crs=units.crs))["coverage"]
    assert fault.message == (
        "1 pair of areas overlaps, by 300 m² in all (largest: 'c' and 'd', 300 m²)"
    )
    assert fault.n == 1


def test_a_gap_is_found_with_its_size_and_place(found, units):
    shapes = units.geometry.to_list()
    shapes[3] = shapes[3].difference(box(140, 140, 160, 160))
    fault = found(units.set_geometry(shapes, crs=units.crs))["coverage"]
    assert fault.message == (
        "1 gap lies between the areas, 400 m² in all (largest: at 150, 150, 400 m²)"
    )


def test_a_slit_that_is_open_to_the_outside_is_found(found, units):
    assert "edges that do not match" in found(moved(units, 0.3, 0))["coverage"].message


def test_an_edge_that_does_not_match_its_neighbour_is_found(found, units):
    shapes = units.geometry.to_list()
    shapes[3] = Polygon([(100, 100), (200, 100), (200, 200), (100, 200), (99.9999, 150)])
    assert "1 pair" not in found(units.set_geometry(shapes, crs=units.crs))["coverage"].message


def test_a_coverage_in_degrees_is_measured_in_metres(units):
    degrees = (
        units.assign(geometry=units.translate(500_000, 3_900_000)).set_crs(units.crs).to_crs(4490)
    )
    assert coverage_faults(degrees, key="community_code") == []
    shapes = degrees.geometry.to_list()
    shapes[3] = shapes[3].buffer(0.00005, join_style="mitre")
    (fault,) = coverage_faults(degrees.set_geometry(shapes, crs=4490), key="community_code")
    assert fault.n == 3


@settings(derandomize=True, max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(4, 40))
def test_a_tessellation_is_a_coverage_until_one_area_is_blown_up_or_taken_out(seed, n):
    points = np.random.default_rng(seed).uniform(0, 1000, (n, 2))
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(points), extend_to=box(0, 0, 1000, 1000))
    )
    frame = gpd.GeoDataFrame({"code": [f"{i:02}" for i in range(n)]}, geometry=cells, crs=4547)
    assert coverage_faults(frame, key="code") == []
    blown = frame.geometry.to_list()
    blown[0] = blown[0].buffer(5)
    (fault, *_) = coverage_faults(frame.set_geometry(blown, crs=4547), key="code")
    assert "overlap" in fault.message
    assert "'00'" in fault.message


def nested(layers, change, store, units, parts):
    """A layer of parts that promise to lie inside the communities."""
    text = (layers / "communities" / "layer.toml").read_text("utf8")
    text = text.replace('id = "communities"', 'id = "compounds"').replace(
        "community_code", "compound_code"
    )
    text = text.replace("communities.parquet", "compounds.parquet")
    text = text.replace(
        "coverage = true", 'inside = { layer = "communities", by = "community_code" }'
    )
    text += '\n[[fields]]\nname = "community_code"\ntype = "string"\nnullable = true\ndescription = { zh = "社区", en = "Community" }\n'
    (layers / "compounds").mkdir()
    (layers / "compounds" / "layer.toml").write_text(text, "utf8")
    frame = units.rename(columns={"community_code": "compound_code"}).assign(
        community_code=list("abcd")
    )
    frame = frame.set_geometry(parts, crs=units.crs)
    frame.to_parquet(store.folder / "compounds.parquet", index=False)
    return frame, lambda: check(Catalogue.read(layers), store, only=["compounds"])["compounds"]


def test_parts_lie_inside_the_whole_their_code_names(layers, change, store, units):
    inner = units.geometry.buffer(-5)
    frame, faults = nested(layers, change, store, units, inner)
    assert faults() == []
    frame.assign(community_code=list("abdc")).to_parquet(store.folder / "compounds.parquet")
    (fault,) = faults()
    assert fault.message == (
        "2 of 4 rows reach more than 1 m out of the row of 'communities' that their 'community_code' names (first: c, d)"
    )
    frame.assign(community_code=["a", "b", "x", None]).to_parquet(
        store.folder / "compounds.parquet"
    )
    (fault,) = faults()
    assert fault.message == (
        "1 of 4 values of 'community_code' name no row of 'communities' (first: c, x)"
    )


@pytest.mark.parametrize(("reach_m", "n"), [(0.5, 0), (1.5, 4)])
def test_a_part_may_reach_out_by_the_tolerance(*, layers, change, store, units, reach_m, n):
    _, faults = nested(
        layers, change, store, units, units.geometry.buffer(reach_m, join_style="mitre")
    )
    assert sum(fault.n for fault in faults()) == n


def test_parts_whose_whole_is_not_there_are_a_fault(layers, change, store, units):
    _, faults = nested(layers, change, store, units, units.geometry.buffer(-5))
    (store.folder / "communities.parquet").unlink()
    (fault,) = faults()
    assert "'communities', which it lies inside, has no file" in fault.message


def test_a_surface_without_values_is_a_fault(catalogue):
    from affine import Affine
    from pyproj import CRS

    from gisgrid.surface import Surface

    layer = catalogue["community_issues"].model_copy(update={"geometry": "raster", "fields": ()})
    empty = Surface(np.full((2, 3), np.nan, np.float32), Affine(1, 0, 0, 0, -1, 2), CRS(4547), "")
    assert [fault.message for fault in value_faults(layer, empty)] == [
        "none of the 2 by 3 cells has a value"
    ]
    zero = Surface(np.zeros((2, 3), np.float32), empty.transform, CRS(4546), "")
    assert [fault.rule for fault in value_faults(layer, zero)] == ["crs"]
