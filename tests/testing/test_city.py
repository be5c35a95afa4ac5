"""The synthetic city: the same for the same seed, in the columns of the catalogue, of any size."""

import hashlib
import io
import os
import subprocess
import sys
import tomllib

import numpy as np
import pandas as pd
import pytest

from gisgrid.errors import InputError
from gisgrid.schema import Field, column_faults
from gisgrid.testing import synthetic_city

SOURCE_LAYERS = {
    "subdistricts", "communities", "compounds", "streets", "urban_villages", "suburban_villages",
    "fringe_zones", "facilities", "assessment_points", "reported_issues",
}  # fmt: skip
TABLES = {"case_history", "authority", "patrol_fixes"}


def digest(frame):
    file = io.BytesIO()
    frame.to_parquet(file)
    return hashlib.sha256(file.getvalue()).hexdigest()


def digests(city):
    return {name: digest(frame) for name, frame in {**city.layers, "truth": city.truth}.items()}


def test_what_is_planted_and_how_much_is_reported_changes_no_other_layer(city, even_city):
    planted, even = digests(city), digests(even_city)
    assert {name for name in planted if planted[name] != even[name]} == {"reported_issues", "truth"}


_MAPPED = """
import hashlib
from gisgrid.testing import synthetic_city
city = synthetic_city(seed=7, n_issues=2_000, years=1)
for name, frame in city.layers.items():
    shapes = frame.geometry.set_precision(1e-6).to_wkb().tolist() if "geometry" in frame else len(frame)
    print(name, len(frame), hashlib.sha256(repr(shapes).encode()).hexdigest())
"""


def test_an_older_processor_draws_the_same_city():
    """Sines, powers and matrix products are rounded otherwise where a processor has other instructions."""
    narrow = {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"}  # fmt: skip
    runs = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _MAPPED],
            env=os.environ | more,
            stdout=subprocess.PIPE,
            text=True,
        )
        for more in ({}, narrow)
    ]
    here, there = (run.communicate()[0].splitlines() for run in runs)
    assert len(here) == len(SOURCE_LAYERS | TABLES)
    assert here == there


def test_every_source_layer_is_there_and_cannot_be_replaced(city):
    assert set(city.layers) == SOURCE_LAYERS | TABLES
    with pytest.raises(TypeError):
        city.layers["streets"] = None


@pytest.mark.parametrize("layer", sorted(SOURCE_LAYERS))
def test_a_layer_keeps_the_contract_of_the_catalogue(city, layers_dir, layer):
    contract = tomllib.loads((layers_dir / layer / "layer.toml").read_text("utf-8"))
    frame = city.layers[layer]
    fields = [Field(**field) for field in contract["fields"]]
    assert [*frame.columns] == [*(field.name for field in fields), "geometry"]
    assert column_faults(frame, fields, key=contract["primary_key"]) == []
    assert frame[contract["primary_key"]].is_unique
    assert set(frame.geom_type) == {contract["geometry"]}
    assert frame.geometry.is_valid.all()
    assert frame.crs.to_epsg() == 4547


@pytest.mark.parametrize("layer", sorted(TABLES))
def test_a_table_keeps_the_contract_of_the_catalogue(city, layers_dir, layer):
    contract = tomllib.loads((layers_dir / layer / "layer.toml").read_text("utf-8"))
    frame = city.layers[layer]
    fields = [Field(**field) for field in contract["fields"]]
    assert [*frame.columns] == [field.name for field in fields]
    assert column_faults(frame, fields, key=contract.get("primary_key")) == []
    assert "tiles" not in contract  # cases and tracks are evidence, and nothing to show


@pytest.fixture(scope="module")
def small():
    """A small city of five years, asked for with numbers from an array, and what its progress said."""
    heard = []
    city = synthetic_city(
        seed=np.int64(4),
        n_issues=np.int64(2_017),
        years=np.int64(5),
        progress=lambda step, share: heard.append((step, share)),
    )
    return city, heard


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_city(small, even_city):
    again = synthetic_city(seed=3, n_issues=20_000, years=2, planted=False)
    assert digests(again) == digests(even_city)
    other = digests(small[0])
    same = {"authority"}  # who may settle what is the same in every city
    assert {name for name, found in digests(even_city).items() if other[name] == found} == same


def test_the_number_of_issues_is_exact(small, city, even_city):
    sizes = [len(some.layers["reported_issues"]) for some in (small[0], city, even_city)]
    assert sizes == [2_017, 60_000, 20_000]


def test_reports_cover_the_years_that_were_asked_for(small, city):
    for some, years in ((small[0], 5), (city, 2)):
        reported = some.layers["reported_issues"]["reported_at"]
        begin = pd.Timestamp(f"{2025 - years}-11-01", tz="Asia/Shanghai")
        end = pd.Timestamp("2025-10-21", tz="Asia/Shanghai")
        assert begin <= reported.min() < begin + pd.Timedelta(days=5)
        assert end - pd.Timedelta(days=5) < reported.max() < end


def test_progress_rises_to_its_end(small):
    shares = [share for _, share in small[1]]
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    assert len({step for step, _ in small[1]}) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"n_issues": 1_999}, "n_issues 1999 is no whole number from 2000 to 2000000"),
        ({"n_issues": 2_000_001}, "n_issues 2000001 is no"),
        ({"n_issues": 5_000.0}, "n_issues 5000.0 is no whole number"),
        ({"n_issues": True}, "n_issues True is no whole number"),
        ({"years": 0}, "years 0 is no whole number from 1 to 5"),
        ({"years": 6}, "years 6 is no"),
        ({"seed": -1}, "seed -1 is no whole number from 0"),
    ],
)
def test_a_number_outside_its_range_is_refused_with_the_range(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        synthetic_city(**arguments)


def test_a_city_introduces_itself(city):
    residents = city.layers["communities"]["population"].sum()
    assert repr(city).startswith(
        f"<City of {len(city.layers['communities'])} communities and {residents:,} residents: "
    )
    assert repr(city).endswith(f"{len(city.truth)} planted areas>")
