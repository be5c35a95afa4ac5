"""Tracks become kilometres and visits."""

import json

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from gisgrid.casework.questions import patrol_steps, read_tracks, street_patrols, unit_patrols
from gisgrid.errors import ColumnError, CrsError, InputError
from gisgrid.streets import street_segments

METRES = CRS.from_epsg(4547)
SQUARES = gpd.GeoDataFrame(
    {"code": ["west", "east"]},
    geometry=[shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)],
    crs=METRES,
)


def fixes(tracks, every_s=60, start="2026-11-02T01:00Z"):
    rows = [
        (name, pd.Timestamp(start) + pd.Timedelta(seconds=every_s * i), shapely.Point(xy))
        for name, line in tracks.items()
        for i, xy in enumerate(line)
    ]
    names, at, points = zip(*rows, strict=True)
    return gpd.GeoDataFrame(
        {"track_id": names, "at": pd.DatetimeIndex(at)}, geometry=list(points), crs=METRES
    )


def test_gpx_and_geojson_hold_the_same_track(tmp_path):
    gpx, lines, points = tmp_path / "a.gpx", tmp_path / "a.geojson", tmp_path / "b.json"
    xy = [(114.0, 35.2), (114.001, 35.2), (114.002, 35.201)]
    times = [f"2026-11-02T09:0{i}:00+08:00" for i in range(3)]
    body = "".join(
        f'<trkpt lat="{y}" lon="{x}"><ele>1</ele><time>{t}</time></trkpt>'
        for (x, y), t in zip(xy, times, strict=True)
    )
    gpx.write_text(
        '<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">'
        f"<trk><trkseg>{body}</trkseg></trk></gpx>"
    )
    line = {
        "type": "Feature",
        "properties": {"track_id": "7", "coordTimes": times},
        "geometry": {"type": "LineString", "coordinates": xy},
    }
    lines.write_text(json.dumps({"type": "FeatureCollection", "features": [line]}))
    dots = [
        {
            "type": "Feature",
            "properties": {"track_id": 7, "time": t},
            "geometry": {"type": "Point", "coordinates": [*p, 3.0]},
        }
        for p, t in zip(xy, times, strict=True)
    ]
    points.write_text(json.dumps({"type": "FeatureCollection", "features": dots}))
    found = [read_tracks(path) for path in (gpx, lines, points)]
    for each in found:
        assert each.crs == 4326
        assert [(p.x, p.y) for p in each.geometry] == xy
        assert each["at"].to_list() == [pd.Timestamp(t).tz_convert("UTC") for t in times]
    assert found[1]["track_id"].to_list() == ["7"] * 3


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "x", "neither .gpx nor .geojson"),
        ("a.geojson", "{", "no GeoJSON"),
        ("a.geojson", '{"type": "FeatureCollection", "features": []}', "no position"),
        ("a.geojson", '{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": []}}', "Polygon"),
        ("a.geojson", '{"type": "Feature", "properties": {"times": ["x"]}, "geometry": {"type": "LineString", "coordinates": [[1, 2], [1, 3]]}}', "2 positions and 1 times"),
        ("a.geojson", '{"type": "Feature", "properties": {"times": ["x", "y"]}, "geometry": {"type": "LineString", "coordinates": [[1, 2], [1, 3]]}}', "ISO 8601"),
        ("a.geojson", '{"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[35, 114], [35, 114]]}}', "nowhere on earth"),
        ("a.geojson", "[1]", "no GeoJSON"),
    ],
)  # fmt: skip
def test_a_file_without_tracks_is_refused(tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_tracks(path)


def test_leaps_in_time_and_place_are_no_steps():
    track = fixes({"a": [(0, 0), (50, 0), (60, 0), (3000, 0), (3010, 0)]})
    track.loc[2:, "at"] += pd.Timedelta(minutes=10)
    steps = patrol_steps(track, crs=METRES)
    assert steps["length_m"].to_list() == [50.0, 10.0]
    assert steps.attrs["left_out"] == {"gap in time": 1, "too fast": 1, "too far": 0}
    timeless = patrol_steps(track.assign(at=pd.DatetimeIndex([None] * 5, tz="UTC")), crs=METRES)
    assert timeless["length_m"].to_list() == [50.0, 10.0, 10.0]
    assert timeless.attrs["left_out"]["too far"] == 1
    with pytest.raises(CrsError, match="metres"):
        patrol_steps(track, crs=CRS.from_epsg(4326))
    with pytest.raises(ColumnError, match="track_id"):
        patrol_steps(track.drop(columns="track_id"), crs=METRES)


def test_kilometres_are_cut_at_the_border_and_visits_counted():
    there_and_back = [(50, 50), (150, 50), (50, 50)]
    track = fixes({"a": there_and_back, "b": [(10, 10), (20, 10)]})
    later = fixes({"a": [(50, 60), (60, 60)]}, start="2026-11-02T05:00Z")
    steps = patrol_steps(pd.concat([track, later], ignore_index=True), crs=METRES)
    found = unit_patrols(steps, SQUARES, key="code")
    assert found["patrol_km"].to_dict() == pytest.approx({"west": 0.12, "east": 0.1})
    assert found["n_visits"].to_dict() == {"west": 3, "east": 1}
    assert found["n_tracks"].to_dict() == {"west": 2, "east": 1}
    assert found["patrol_hours"].sum() == pytest.approx(4 / 60)
    assert str(found.loc["west", "last_at"]) == "2026-11-02 05:01:00+00:00"
    nobody = unit_patrols(steps[:0], SQUARES, key="code")
    assert nobody["patrol_km"].to_list() == [0, 0]
    assert nobody["last_at"].isna().all()


def test_a_walk_along_the_border_is_shared():
    steps = patrol_steps(fixes({"a": [(100, 10), (100, 90)]}), crs=METRES)
    assert unit_patrols(steps, SQUARES, key="code")["patrol_km"].to_list() == pytest.approx(
        [0.04, 0.04]
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(-50, 250), st.integers(-50, 150)), min_size=2, max_size=12))
def test_what_is_walked_inside_adds_up(line):
    steps = patrol_steps(fixes({"a": line}), crs=METRES, most_speed_kmh=1e6, most_step_m=1e6)
    found = unit_patrols(steps, SQUARES, key="code")
    inside = shapely.length(
        shapely.intersection(steps.geometry.to_numpy(), shapely.box(0, 0, 200, 100))
    ).sum()
    assert found["patrol_km"].sum() == pytest.approx(inside / 1000, abs=1e-9)


def test_streets_are_walked_in_part():
    street = gpd.GeoDataFrame(
        geometry=[
            shapely.LineString([(0, 0), (400, 0)]),
            shapely.LineString([(0, 300), (400, 300)]),
        ],
        crs=METRES,
    )
    segments = street_segments(street, length_m=200)
    steps = patrol_steps(fixes({"a": [(0, 5), (100, 5), (200, 5), (300, 5)]}), crs=METRES)
    found = street_patrols(steps, segments)
    assert found["patrol_km"].to_list() == pytest.approx([0.2, 0.1, 0, 0])
    assert found["share_walked"].to_list() == pytest.approx([1, 0.5, 0, 0])
    assert found["n_visits"].to_list() == [1, 1, 0, 0]
    with pytest.raises(CrsError, match=r"crs=segments\.crs"):
        street_patrols(steps, segments.to_crs(4548))
