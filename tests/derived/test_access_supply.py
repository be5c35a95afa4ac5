"""What is there for each resident, and where one more helps: a street whose answers are known by hand."""

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point

from gisgrid.derived import CLOSED, FAR_FROM_STREETS, next_sites, place_supply
from gisgrid.errors import ColumnError, InputError

STREETS = gpd.GeoDataFrame(geometry=[LineString([(0, 0), (3000, 0)])], crs=4547)


def homes(xy, people, **columns):
    columns = {"code": [f"h{i}" for i in range(len(xy))], "name_zh": "院", **columns}
    return gpd.GeoDataFrame(
        {**columns, "population": people}, geometry=[Point(each) for each in xy], crs=4547
    )


def toilets(xy, **columns):
    columns = {"kind": ["public_toilet"] * len(xy), "status": ["open"] * len(xy), **columns}
    return gpd.GeoDataFrame(columns, geometry=[Point(each) for each in xy], crs=4547)


HOMES = homes([(0, 0), (400, 0), (2000, 0), (500, 900)], [30, 70, 40, 5])


def test_supply_is_shared_among_all_who_reach_it():
    there = toilets(
        [(200, 0), (2000, 0), (2000, 0)], status=["open", "open", "closed"], seats=[10.0, 4.0, 99.0]
    )
    ask = {"key": "code", "kind": "public_toilet", "limit_m": 300, "decay": "none"}
    made = place_supply(HOMES, there, STREETS, **ask, supply="seats")
    found = made.value.set_index("code")
    assert found["per_1000"].tolist() == pytest.approx([100, 100, 100, 0])
    assert found["n_facilities"].tolist() == [1, 1, 1, 0]
    assert (found["per_1000"] * found["population"] / 1000).sum() == pytest.approx(14)
    assert made.excluded == {CLOSED: 1, FAR_FROM_STREETS: 1}
    assert "5 of 145 residents (3.4%) have none" in made.notes[-1]
    each = place_supply(HOMES, there, STREETS, **ask).value["per_1000"]
    assert each.tolist() == pytest.approx([10, 10, 25, 0])
    far = homes([(90_000, 0), (91_000, 0)], [1, 2])
    with pytest.raises(InputError, match="none of the 2 places is within 200 m of a street"):
        place_supply(far, there, STREETS, **ask)
    with pytest.raises(InputError, match="is an open 'school'"):
        place_supply(HOMES, there, STREETS, **(ask | {"kind": "school"}))
    with pytest.raises(InputError, match="are below 0"):
        place_supply(HOMES.assign(population=-1), there, STREETS, **ask)
    with pytest.raises(ColumnError, match="no column 'beds'"):
        place_supply(HOMES, there, STREETS, **ask, supply="beds")


def test_the_next_site_serves_most_of_those_left_out():
    places = homes([(0, 0), (1000, 0), (1200, 0), (2500, 0)], [30, 70, 40, 60])
    made = next_sites(
        places, toilets([(0, 0)]), STREETS, key="code", kind="public_toilet", n_sites=2, limit_m=300
    )
    found = made.value
    assert found["gains"].tolist() == [110, 60]
    assert found["gains_in_all"].tolist() == [110, 170]
    assert found["code"][0] in {"h1", "h2"}
    assert (found["order"].tolist(), set(found.geom_type)) == ([1, 2], {"Point"})
    assert "no other choice is better" in made.notes[-1]
    greedy = next_sites(
        places, toilets([(0, 0)]), STREETS, key="code", kind="public_toilet", n_sites=2, limit_m=300, time_limit_s=0
    )  # fmt: skip
    assert "greedy exchange" in greedy.notes[-1]
    assert greedy.value["gains_in_all"].tolist() == [110, 170]
    metres = next_sites(
        places, toilets([(0, 0)]), STREETS, key="code", kind="public_toilet", n_sites=1, limit_m=300, aim="p_median"
    ).value  # fmt: skip
    assert metres["gains"][0] == 70 * 300 + 40 * 100


def test_where_all_are_served_or_nothing_is_there_yet():
    with pytest.raises(InputError, match="so no site is wanted"):
        next_sites(HOMES[:1], toilets([(0, 0)]), STREETS, key="code", kind="public_toilet")
    none = toilets([])
    made = next_sites(HOMES, none, STREETS, key="code", kind="public_toilet", n_sites=9)
    assert made.value["gains"].iloc[0] == 70
    assert len(made.value) == 4
    assert np.isclose(made.value["gains_in_all"].iloc[-1], 140)
