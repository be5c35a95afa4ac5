from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gisgrid.errors import ColumnError
from gisgrid.features import Column, Words
from gisgrid.features.series import series_column

CST = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("series", "kind", "values"),
    [
        (pd.Series(["b", None, "a"]), "text", ["b", None, "a"]),
        (pd.Series(["b", None, "a"], dtype="category"), "text", ["b", None, "a"]),
        (pd.Series(["b", None], dtype=pd.ArrowDtype(pa.large_string())), "text", ["b", None]),
        (pd.Series(["b", "b"]).astype(pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))), "text", ["b", "b"]),
        (pd.Series([None, None], dtype=object), "text", [None, None]),
        (pd.Series([], dtype="str"), "text", []),
        (pd.Series([1, -5, 127]), "integer", [1, -5, 127]),
        (pd.Series([1, None], dtype="Int64"), "integer", [1, None]),
        (pd.Series([-(2**63) + 1, 2**63 - 1]), "integer", [-(2**63) + 1, 2**63 - 1]),
        (pd.Series([2**63, 1], dtype="uint64"), "number", [float(2**63), 1.0]),
        (pd.Series([1, None], dtype=object), "integer", [1, None]),
        (pd.Series([1.5, np.nan, np.inf]), "number", [1.5, None, None]),
        (pd.Series([1.5, None], dtype="Float64"), "number", [1.5, None]),
        (pd.Series([Decimal("1.5"), None]), "number", [1.5, None]),
        (pd.Series([True, False]), "boolean", [True, False]),
        (pd.Series([True, None], dtype="boolean"), "boolean", [True, None]),
        (pd.Series([True, None], dtype=object), "boolean", [True, None]),
        (pd.Series([date(2026, 10, 1), None]), "time", ["2026-10-01", None]),
        (pd.Series([datetime(2026, 10, 1, 8), None]), "time", ["2026-10-01T08:00:00", None]),  # noqa: DTZ001 - a time of no zone
        (pd.Series([datetime(2026, 10, 1, 8, tzinfo=CST)]), "time", ["2026-10-01T00:00:00Z"]),
        (pd.Series([datetime(2026, 10, 1, 8, 0, 0, 5, tzinfo=CST)], dtype=object), "time", ["2026-10-01T00:00:00.000005Z"]),
        (pd.Series([date(2026, 1, 1)], dtype=pd.ArrowDtype(pa.date32())), "time", ["2026-01-01"]),
    ],
)  # fmt: skip
def test_every_kind_of_series_becomes_flat_and_comes_back(series, kind, values):
    column = series_column(series, name="x")
    assert (column.kind, column.at(slice(None))) == (kind, values)
    assert column.missing().tolist() == [value is None for value in values]


def test_types_are_as_small_as_they_can_be():
    assert series_column(pd.Series([-127, 127]), name="x").stored.dtype == np.int8
    assert series_column(pd.Series([-128]), name="x").stored.dtype == np.int16
    assert series_column(pd.Series([str(i) for i in range(255)]), name="x").stored.dtype == np.uint8
    assert (
        series_column(pd.Series([str(i) for i in range(256)]), name="x").stored.dtype == np.uint16
    )
    assert (
        series_column(pd.Series([str(i) for i in range(65536)]), name="x").stored.dtype == np.uint32
    )


@pytest.mark.parametrize("values", [[[1, 2]], [{"a": 1}], [1, "a"], [1j]])
def test_what_is_no_property_is_refused(values):
    with pytest.raises(ColumnError, match="property 'x' holds"):
        series_column(pd.Series(values), name="x")


def test_categories_that_no_row_has_are_not_kept():
    series = pd.Series(pd.Categorical(["a"], categories=["secret", "a"]))
    assert list(series_column(series, name="x").words) == ["a"]


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=30),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
def test_words_are_in_order_and_found(texts, sought):
    words = Words.from_texts(texts)
    expected = sorted(set(texts))
    assert list(words) == expected
    assert words.rank(sought) == sum(text < sought for text in expected)
    assert words.rank(sought, after=True) == sum(text <= sought for text in expected)
    assert words.code(sought) == (expected.index(sought) if sought in expected else None)
    assert words.arrow().to_pylist() == expected


@given(
    st.lists(
        st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=3)),
        max_size=30,
    )
)
def test_text_codes_compare_as_texts_do(values):
    column = series_column(pd.Series(values, dtype="str"), name="x")
    assert column.at(slice(None)) == values
    assert Column.from_values(values, name="x", kind="text").at(slice(None)) == values
