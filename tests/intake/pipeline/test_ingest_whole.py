"""Taking files in: in bounded memory, whole or not at all, and every row once."""

import datetime as dt
import threading

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Point

from gisgrid.errors import InputError, OutputError
from gisgrid.intake import Stated, ingest
from gisgrid.intake.pipeline.prefetch import ahead
from gisgrid.intake.readers.source import Batch, Source

AS_OF = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def take(path, output, city, **options):
    options = {"reference": city.reference, "stated": Stated(as_of=AS_OF), **options}
    return ingest(path, output, **options)


def written(folder):
    return sorted(path.name for path in folder.iterdir())


def source_of(batches, name="a"):
    batches = list(batches)
    columns = tuple(batches[0].table.column_names)

    def stream():
        for at, batch in enumerate(batches, start=1):
            if isinstance(batch, Exception):
                raise batch
            yield batch, at / len(batches)

    return Source(name, "csv", columns, None, None, (), stream, lambda _: batches[0])


def batch_of(table, first=1):
    return Batch(
        np.arange(first, first + len(table)),
        pa.table({name: pa.array(table[name].astype(str)) for name in table}),
    )


def test_an_error_in_the_middle_leaves_nothing_behind(city, tmp_path):
    source = source_of([batch_of(city.table), InputError("the file ends in the middle of row 601")])
    (tmp_path / "out.parquet").write_text("before")
    with pytest.raises(InputError, match="row 601"):
        take(source, tmp_path / "out.parquet", city)
    assert written(tmp_path) == ["out.parquet"]
    assert (tmp_path / "out.parquet").read_text() == "before"


@pytest.mark.parametrize("step", ["columns", "rows a", "repeats", "writing"])
def test_an_interrupt_at_any_step_leaves_nothing_behind(city, tmp_path, step):
    def interrupt(name, share):
        if name == step and share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(source_of([batch_of(city.table)]), tmp_path / "out.parquet", city, progress=interrupt)
    assert written(tmp_path) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "gisgrid-ahead"]


def test_rows_stream_through_bounded_memory(city, tmp_path, monkeypatch):
    """Sixty batches of 4 MB each pass; what Arrow holds at once stays a few of them."""
    monkeypatch.setattr("gisgrid.intake.pipeline.result._ROWS_AT_ONCE", 6_000)
    table = pd.concat([city.table] * 10, ignore_index=True).assign(备注="很长的备注" * 20)

    def stream():
        for at in range(60):
            yield batch_of(table, first=1 + at * len(table)), (at + 1) / 60

    source = Source("a", "csv", tuple(table), None, None, (), stream, lambda _: batch_of(table))
    pool = pa.proxy_memory_pool(pa.default_memory_pool())
    before = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        done = take(source, tmp_path / "out.parquet", city, find_repeats=False)
    finally:
        pa.set_memory_pool(before)
    assert done.n_accepted == 60 * 6_000
    assert (tmp_path / "out.parquet").stat().st_size > 0
    assert pool.max_memory() < 60 * batch_of(table).table.nbytes / 3


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["114.02", "114.05", "", "0", "200", "x", "１１４．０３", "nan"]),
            st.sampled_from(["35.2", "35.22", "", "0", "-95", "y", "35,21"]),
        ),
        min_size=1, max_size=40,
    )
)  # fmt: skip
def test_every_row_is_accepted_or_rejected_once(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("law")
    table = pd.DataFrame([("114.02", "35.2"), *rows], columns=["经度", "纬度"])
    done = ingest(
        source_of([batch_of(table)]), folder / "out.parquet", stated=Stated(datum="wgs84", as_of=AS_OF, columns={"lon": "经度", "lat": "纬度"}),
        rejects=folder / "refused.parquet",
    )  # fmt: skip
    accepted = gpd.read_parquet(folder / "out.parquet")["source_row"].tolist()
    rejected = pd.read_parquet(folder / "refused.parquet")["row"].tolist()
    assert sorted(accepted + rejected) == list(range(1, len(table) + 1))
    assert done.n_accepted == len(accepted)
    assert done.n_rejected == len(rejected) == sum(done.rejected.values())


@pytest.mark.parametrize(
    ("output", "sentence"),
    [("out.xlsx", "'out.xlsx' ends in '.xlsx'"), ("no/out.parquet", "the folder .* does not exist"), ("案件.csv", "ends in '.csv'")],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_before_anything_is_read(
    city, reports_csv, tmp_path, output, sentence
):
    with pytest.raises(OutputError, match=sentence):
        take(reports_csv, tmp_path / output, city)


def test_an_input_is_never_replaced(city, tmp_path):
    path = tmp_path / "a.geojson"
    gpd.GeoDataFrame({"n": [1]}, geometry=[Point(114, 35.2)], crs=4326).to_file(path)
    with pytest.raises(OutputError, match="also read"):
        take(path, path, city)


def test_files_of_one_name_are_refused(city, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        city.table.to_csv(tmp_path / folder / "x.csv", index=False)
    with pytest.raises(InputError, match=r"2 files are called 'x\.csv'"):
        take([tmp_path / "a/x.csv", tmp_path / "b/x.csv"], tmp_path / "out.parquet", city)


def test_parts_made_ahead_come_in_order_and_stop_when_nobody_wants_them():
    made = []

    def parts():
        for at in range(100):
            made.append(at)
            yield at

    some = ahead(parts())
    assert [next(some) for _ in range(3)] == [0, 1, 2]
    some.close()
    assert len(made) < 10
    with pytest.raises(ZeroDivisionError):
        list(ahead(1 / at for at in (1, 0)))
