"""What the synthetic city offers besides, and how it looks from above; nothing else of it changes."""

import numpy as np
import pytest

from gisgrid.access import read_standards
from gisgrid.errors import InputError
from gisgrid.testing import city_surfaces, raster_layers


def test_every_kind_that_standards_ask_for_is_there(city):
    declared = read_standards()
    kinds = {each.facility for each in declared.standard} | {
        item.within for item in declared.renewal if item.within
    }
    facilities = city.layers["facilities"]
    assert kinds <= set(facilities["kind"])
    assert facilities["facility_id"].is_unique
    assert facilities["name_zh"].notna().all()


def test_what_old_compounds_have_is_known_of_old_compounds_only(city):
    compounds = city.layers["compounds"]
    old = compounds["kind"] == "old_compound"
    for item in read_standards().renewal:
        if item.has is not None:
            assert (compounds[item.has].notna() == old).all()
            assert 0 < compounds.loc[old, item.has].mean() < 1


def test_rasters_hold_what_the_layers_hold(city):
    found = city_surfaces(city, cell_m=500)
    assert len({each.values.shape for each in found.values()}) == 1
    people = city.layers["compounds"]["population"].sum()
    assert found["residents"].values.sum(dtype=float) == pytest.approx(people, rel=1e-5)
    assert found["built"].values.min() == 0
    assert found["built"].values.max() < 1
    kinds = ("convenience_store", "supermarket", "wet_market", "bus_stop")
    facilities = city.layers["facilities"]
    n = (facilities["kind"].isin(kinds) & (facilities["status"] == "open")).sum()
    assert found["shops"].values.sum() * 0.25 == pytest.approx(n)
    lights = found["lights"].values
    middle = tuple(side // 2 for side in lights.shape)
    assert lights[middle] > 5 * max(lights[0].max(), lights[:, 0].max(), 1e-3)
    assert all(np.isfinite(each.values).all() for each in found.values())
    with pytest.raises(InputError, match="50 to 2000 m wide"):
        city_surfaces(city, cell_m=10)


def test_the_rasters_of_the_catalogue_are_those_of_the_city(city):
    made = raster_layers(city)
    assert {name: abs(each.transform.a) for name, each in made.items()} == {
        "night_lights": 500, "built_up": 500, "residents_grid": 1000,
    }  # fmt: skip
    again = city_surfaces(city, cell_m=500)["lights"].values
    np.testing.assert_array_equal(made["night_lights"].values, again)
