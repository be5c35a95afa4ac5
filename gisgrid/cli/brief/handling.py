"""What came back, what is overdue, whose is it, and what do the indicators say?"""

from __future__ import annotations

from typing import Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.casework.indicators import Indicators, compared, indicators, read_indicators
from gisgrid.cli.brief.known import Known, within
from gisgrid.report import Back, Measure, Overdue, OwnerShare
from gisgrid.schema import Text

BACK_DAYS: Final = 30.0
PLACE_M: Final = 50.0
MOST_ROWS: Final = 10
_COUNTS: Final = ("reported", "filed", "closed")
_RATES: Final = (
    "closing_rate", "closing_on_time_rate", "handling_on_time_rate", "overdue_rate", "rework_rate", "reopening_rate", "return_rate",
    "hand_over_rate", "duplicate_rate", "void_rate",
)  # fmt: skip
_DURATIONS: Final = ("upload_lag", "time_to_file", "time_to_handle", "time_to_close")
_DAY: Final = pd.Timedelta(days=1)


def measures(known: Known) -> dict[str, Measure]:
    """Tell the indicators of the period, of the one before and of a year ago.

    Parameters
    ----------
    known
        What is at hand.

    Returns
    -------
    dict
        Measures by the indicator's id, counts first.
    """
    declared = read_indicators()
    own = known.own.assign(lon=0.0)  # a frame of its own
    now = indicators(own, known.days, declared=declared).iloc[0]
    told = compared(own, known.days, declared=declared).iloc[0]
    found: dict[str, Measure] = {}
    for name in (*_COUNTS, "overdue", "pending"):
        column = f"n_{name}"
        found[name] = Measure(
            _title(declared, name), "count", _number(told[column]), _number(told[f"{column}_before"]),
            _number(told[f"{column}_year_ago"]),
        )  # fmt: skip
    rates = {each.id: each for each in declared.rate}
    for name in _RATES:
        found[name] = Measure(
            rates[name].title, "share", _number(told[name]), _number(told[f"{name}_before"]), _number(told[f"{name}_year_ago"]),
            numerator=int(now[f"{name}_numerator"]), denominator=int(now[f"{name}_denominator"]), basis=_plain(rates[name].basis),
        )  # fmt: skip
    durations = {each.id: each for each in declared.duration}
    for name in _DURATIONS:
        each = durations[name]
        column = f"{name}_{each.unit}_median"
        title = Text(zh=f"{each.title.zh}（中位数）", en=f"{each.title.en}, median")
        kind: Literal["hours", "minutes"] = "hours" if each.unit == "hours" else "minutes"
        found[name] = Measure(
            title, kind, _number(told[column]), _number(told[f"{column}_before"]), _number(told[f"{column}_year_ago"]),
            denominator=int(now[f"{name}_{each.unit}_n"]),
        )  # fmt: skip
    return found


def backs(known: Known) -> tuple[tuple[Back, ...], int]:
    """Find what came back at the same place in the period after its case was closed.

    Parameters
    ----------
    known
        What is at hand.

    Returns
    -------
    tuple
        The rows to list, the most repeated and soonest first; and how many there are.
    """
    placed = known.first[known.first["lon"].notna() & known.first["unit_code"].notna()]
    if not len(placed):
        return (), 0
    crs = known.frames[known.finest.id].crs
    metric = crs if crs is not None and crs.is_projected else None
    points = gpd.GeoSeries(gpd.points_from_xy(placed["lon"], placed["lat"]), crs=4326)
    points = points.to_crs(metric if metric is not None else points.estimate_utm_crs())
    table = placed.assign(
        column=np.floor(points.x.to_numpy() / PLACE_M).astype(np.int64), row=np.floor(points.y.to_numpy() / PLACE_M).astype(np.int64),
        kind=placed["category_code"].fillna("").astype(str),
    ).sort_values(["reported_at", "case_id"], kind="stable")  # fmt: skip
    place = ["unit_code", "column", "row", "kind"]
    table["closed_before"] = table.groupby(place)["closed_at"].shift()
    waited = (table["reported_at"] - table["closed_before"]).dt.total_seconds() / 86_400
    table["days"] = waited
    is_back = (waited >= 0) & (waited <= BACK_DAYS)
    table["times"] = is_back.groupby([table[name] for name in place]).cumsum() + 1
    found = within(table[is_back], known.days).sort_values(
        ["times", "days", "case_id"], ascending=[False, True, True]
    )
    words, zone = known.words, known.days.timezone
    listed = tuple(
        Back(
            words.unit(row["unit_code"]), words.category(row["category_code"], row["category"]), words.owner(row["owner"]),
            row["closed_before"].tz_convert(zone).date(), row["reported_at"].tz_convert(zone).date(), float(row["days"]), int(row["times"]),
        )
        for _, row in found.head(MOST_ROWS).iterrows()
    )  # fmt: skip
    return listed, len(found)


def owners(known: Known) -> tuple[OwnerShare, ...]:
    """Say what lies with whom at the end of the period.

    Parameters
    ----------
    known
        What is at hand.

    Returns
    -------
    tuple of OwnerShare
        The most overdue first, then the most open.
    """
    end = known.days.end
    table = known.first.assign(
        who=known.first["owner"].astype(object).where(known.first["owner"].notna(), "")
    )
    is_open = (table["filed_at"] < end) & ~(table["closed_at"] < end)
    is_over = is_open & (table["due_at"] < end)
    reported = within(table, known.days)["who"].value_counts()
    closed = within(table, known.days, "closed_at")["who"].value_counts()
    names = sorted({*reported.index, *closed.index, *table.loc[is_open, "who"]})
    rows = []
    for who in names:
        own = table["who"] == who
        late = table[own & is_over]
        handled = table[own & (is_open | (table["reported_at"] >= known.days.start))]
        main = handled["category_code"].fillna("").value_counts()
        code = main.index[0] if len(main) else None
        category = (
            handled.loc[handled["category_code"] == code, "category"]
            if code
            else handled["category"]
        )
        rows.append(
            OwnerShare(
                known.words.owner(who or None), int(reported.get(who, 0)), int(closed.get(who, 0)), int((own & is_open).sum()), len(late),
                float((end - late["due_at"].min()) / _DAY) if len(late) else None,
                known.words.category(code, category.iloc[0]) if code and len(category) else None,
            )
        )  # fmt: skip
    return tuple(
        sorted(rows, key=lambda row: (-row.n_overdue, -row.n_open, -row.n_reported, row.title.en))
    )


def overdue(known: Known) -> tuple[tuple[Overdue, ...], int]:
    """List what is past its deadline at the end of the period.

    Parameters
    ----------
    known
        What is at hand.

    Returns
    -------
    tuple
        The rows to list, the longest overdue first; and how many there are.
    """
    end, zone, words = known.days.end, known.days.timezone, known.words
    table = known.first
    is_open = (table["filed_at"] < end) & ~(table["closed_at"] < end)
    late = table[is_open & (table["due_at"] < end)].sort_values(["due_at", "case_id"])
    listed = tuple(
        Overdue(
            str(row["case_id"]), words.category(row["category_code"], row["category"]), words.unit(row["unit_code"]),
            words.owner(row["owner"]), row["due_at"].tz_convert(zone).date(), float((end - row["due_at"]) / _DAY),
        )
        for _, row in late.head(MOST_ROWS).iterrows()
    )  # fmt: skip
    return listed, len(late)


def _title(declared: Indicators, name: str) -> Text:
    return next(each.title for each in declared.counter if each.id == name)


def _plain(basis: Text | None) -> Text | None:
    """Leave out the example of a published bulletin that a declaration may name in brackets."""
    if basis is None:
        return None
    return Text(zh=basis.zh.split("（天门")[0], en=basis.en.split(" (Tianmen")[0])


def _number(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
