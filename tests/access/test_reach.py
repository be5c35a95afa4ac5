"""Distances along streets: by hand, and against scipy's Dijkstra on a graph that holds every place as a node."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse import csgraph

from gisgrid.access import nearest_facilities, walking_network
from gisgrid.errors import CrsError, InputError

CRS = 4547


def lines(*shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)


def points(*xy, index=None):
    x, y = xy if len(xy) == 2 and np.ndim(xy[0]) and len(xy[0]) > 2 else zip(*xy, strict=True)
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=CRS, index=index)


def crooked(seed, n=9, step=100.0, keep=0.85):
    """A street grid with bent corners and missing blocks."""
    rng = np.random.default_rng(seed)
    corner = np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"), -1) * step
    corner = corner + rng.uniform(-30, 30, corner.shape)
    pairs = [((i, j), (i + 1, j)) for i in range(n - 1) for j in range(n)]
    pairs += [((i, j), (i, j + 1)) for i in range(n) for j in range(n - 1)]
    return lines(
        *[shapely.LineString([corner[a], corner[b]]) for a, b in pairs if rng.random() < keep]
    )


@pytest.fixture(scope="module")
def cross():
    """Two streets of 1 km that cross in their middles."""
    across = shapely.LineString([(500, -500), (500, 500)])
    return walking_network(lines(shapely.LineString([(0, 0), (1000, 0)]), across))


def by_scipy(origins, facilities, network, off_m):
    """Build a graph in which origins and facilities cut their segments, and search it from every origin."""
    parts = network.segments
    a, b = network.at(origins, within_m=off_m), network.at(facilities, within_m=off_m)
    n = network.n_nodes
    rows, columns, costs = [], [], []

    def link(u, v, metres, *, both):
        rows.extend([u, v] if both else [u])
        columns.extend([v, u] if both else [v])
        costs.extend([metres] * (2 if both else 1))

    stops = {s: [] for s in range(len(parts))}
    place = n
    for frame in (a, b):
        for row in frame.itertuples():
            if row.segment >= 0:
                stops[row.segment].append((row.along_m, place, row.off_m))
                place += 1
                continue
            place += 1
    street = place  # a node on the street for each place
    for s, on in stops.items():
        part, before, at = parts.iloc[s], 0.0, int(parts["from_node"].iloc[s])
        for along, own, off in sorted(on):
            link(at, street, max(along - before, 1e-9), both=not part["oneway"])
            link(street, own, max(off, 1e-9), both=True)
            before, at = along, street
            street += 1
        link(
            at, int(part["to_node"]), max(part["length_m"] - before, 1e-9), both=not part["oneway"]
        )
    best = {}
    for u, v, metres in zip(rows, columns, costs, strict=True):
        best[u, v] = min(best.get((u, v), np.inf), metres)
    graph = sparse.coo_array(
        (list(best.values()), tuple(np.array(list(best)).T)), shape=(street, street)
    ).tocsr()
    distance = csgraph.dijkstra(graph, indices=np.arange(n, n + len(a)))
    return distance[:, n + len(a) : n + len(a) + len(b)]


@settings(derandomize=True, max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**31), k=st.integers(1, 4), one_way=st.booleans())
def test_distances_are_those_of_scipy(seed, k, one_way):
    rng = np.random.default_rng(seed)
    streets = crooked(seed)
    streets["one_way"] = (rng.random(len(streets)) < 0.3) & one_way
    network = walking_network(streets, oneway="one_way")
    origins, facilities = (
        points(*rng.uniform(-50, 850, (40, 2))),
        points(*rng.uniform(0, 800, (12, 2))),
    )
    found = nearest_facilities(origins, facilities, network, k=k, off_street_m=120)
    expected = np.sort(by_scipy(origins, facilities, network, 120), axis=1)[:, :k]
    mine = np.full((40, k), np.inf)
    mine[found["origin"], found["rank"] - 1] = found["distance_m"]
    np.testing.assert_allclose(mine, expected, atol=1e-6)
    assert not found.duplicated(["origin", "facility"]).any()


def test_a_place_on_the_same_street_is_reached_along_it(cross):
    found = nearest_facilities(points((100, 10)), points((400, 0), (500, 450)), cross, k=2)
    assert found["facility"].tolist() == [0, 1]
    assert found["distance_m"].tolist() == [310, 860]
    assert found["minutes"].tolist() == pytest.approx([310 / 75, 860 / 75])


def test_limits_and_places_off_the_streets(cross):
    homes = points((0, 0), (0, 900), index=["near", "far"])
    found = nearest_facilities(homes, points((1000, 0), (450, 0)), cross, k=2, limit_m=500)
    assert found[["origin", "facility", "distance_m"]].to_numpy().tolist() == [["near", 1, 450]]
    assert found.attrs == {"n_origins_off": 1, "n_facilities_off": 0}


def test_of_equals_the_first_is_taken(cross):
    found = nearest_facilities(points((500, 0)), points((500, 100), (400, 0), (600, 0)), cross, k=3)
    assert found["facility"].tolist() == [0, 1, 2]


def test_one_way_streets_are_walked_their_way():
    ring = lines(
        shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(100, 0), (50, 80)]),
        shapely.LineString([(50, 80), (0, 0)]), one=[True, True, True],
    )  # fmt: skip
    network = walking_network(ring, oneway="one")
    there = nearest_facilities(points((20, 0)), points((60, 0)), network)["distance_m"][0]
    back = nearest_facilities(points((60, 0)), points((20, 0)), network)["distance_m"][0]
    assert there == 40
    assert there + back == pytest.approx(network.segments["length_m"].sum())


def test_compounds_are_stood_for_by_a_point_inside(cross):
    compound = gpd.GeoDataFrame(geometry=[shapely.box(100, 10, 120, 30)], crs=4547)
    assert nearest_facilities(compound, points((110, 0)), cross)["distance_m"][0] == 20


def test_what_cannot_be_asked_is_refused(cross):
    home = points((0, 0))
    with pytest.raises(InputError, match="k is 0"):
        nearest_facilities(home, home, cross, k=0)
    with pytest.raises(CrsError, match=r"origins\.to_crs"):
        nearest_facilities(home.to_crs(4490), home, cross)
    with pytest.raises(InputError, match="1 of 2 facilities have a label"):
        nearest_facilities(home, points((0, 0), (1, 1), index=[5, 5]), cross)
