"""When was it reported: the times of a column, read only where they can mean one thing."""

from __future__ import annotations

import pandas as pd

_YEAR_FIRST = r"^\d{4}-\d{1,2}-\d{1,2}(?!\d)"
_YEAR_LAST = r"^(\d{1,2})-(\d{1,2})-\d{4}(?!\d)"
_ZONE = r":\d{2}.*(?:Z|[+-]\d{2}:?\d{2})$"


def read_times(values: pd.Series) -> pd.Series:
    """Read a column of times as they were written.

    Parameters
    ----------
    values
        Shape (n,). Datetimes, dates, or text: year first (ISO 8601, ``2026/3/4``, ``2026年3月4日 09:30``), or day and
        month first where the column itself shows which of the two comes first.

    Returns
    -------
    Series
        Shape (n,), datetime64, indexed like `values`: UTC where the times carry a zone, otherwise as written. Missing
        where a text is no time or could mean two.

    Examples
    --------
    >>> read_times(pd.Series(["2026年3月4日 09:30", "2026/3/5", "soon"])).tolist()
    [Timestamp('2026-03-04 09:30:00'), Timestamp('2026-03-05 00:00:00'), NaT]
    >>> read_times(pd.Series(["02/03/2026", "02/28/2026"])).dt.month.tolist()
    [2, 2]

    2 March or 3 February?

    >>> bool(read_times(pd.Series(["02/03/2026"])).isna().all())
    True
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    text = values.astype("string").str.strip().str.replace(r"\s*[年月/]\s*", "-", regex=True)
    text = text.str.replace(r"日\s*", " ", regex=True).str.strip()
    utc = bool(text.str.contains(_ZONE).any())
    year_first = text.str.contains(_YEAR_FIRST).fillna(value=False).astype(bool)
    times = pd.to_datetime(text.where(year_first), format="ISO8601", errors="coerce", utc=utc)
    unpadded = text[year_first & times.isna()]
    times = _filled(times, pd.to_datetime(unpadded, format="mixed", errors="coerce", utc=utc))
    ends = text.str.extract(_YEAR_LAST).astype("Int64")
    day_first, month_first = bool((ends[0] > 12).any()), bool((ends[1] > 12).any())
    if day_first == month_first:
        return times
    last = text[ends[0].notna()]
    return _filled(
        times,
        pd.to_datetime(last, format="mixed", dayfirst=day_first, errors="coerce", utc=utc),
    )


def _filled(times: pd.Series, more: pd.Series) -> pd.Series:
    return times.fillna(more.reindex(times.index)) if len(more) else times
