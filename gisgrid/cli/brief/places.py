"""Where is it hot, and what became more or fewer beyond chance?"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.analysis import rate_change
from gisgrid.casework.indicators import Period
from gisgrid.cli.brief.known import Known, within
from gisgrid.derived import case_issues, unit_hotspots
from gisgrid.derived.notes import Note
from gisgrid.errors import GisgridError
from gisgrid.report import FEW, Change, Ground, HotUnit, Verdict
from gisgrid.schema import Text

MOST_HOT: Final = 8
"""Units that the list names."""

MOST_CLASSES: Final = 12

_HOT: Final = ("hot_99", "hot_95", "hot_90")


def hot_units(known: Known) -> tuple[tuple[HotUnit, ...], gpd.GeoDataFrame, list[Text]]:
    """Find the hot units inside, and say which were not hot in as many days before.

    Parameters
    ----------
    known
        What is at hand.

    Returns
    -------
    tuple
        The units to list; all finest units inside with `label` and `number`; and what must be said of the test.
    """
    key = str(known.finest.primary_key)
    inside = known.codes_inside(known.finest)
    end, span = known.days.end, pd.Timedelta(days=known.hot_days)
    times = known.city["reported_at"]
    now, notes = _labels(known, known.city[(times >= end - span) & (times < end)])
    before, _ = _labels(known, known.city[(times >= end - 2 * span) & (times < end - span)])
    units = known.frames[known.finest.id][inside.to_numpy()]
    units = units[
        [key, *(name for name in ("name_zh", "name_en") if name in units), units.geometry.name]
    ]
    codes = units[key].astype(str)
    recent = known.first[known.first["reported_at"] >= end - span]
    n_window = recent["unit_code"].value_counts().reindex(codes, fill_value=0)
    n = within(known.first, known.days)["unit_code"].value_counts().reindex(codes, fill_value=0)
    label = now.reindex(codes).fillna("not_significant")
    order = pd.DataFrame(
        {
            "code": codes.to_numpy(),
            "label": label.to_numpy(),
            "n": n.to_numpy(),
            "n_window": n_window.to_numpy(),
        }
    )
    order["rank"] = order["label"].map({name: place for place, name in enumerate(_HOT)})
    hot = order[order["rank"].notna()].sort_values(
        ["rank", "n_window", "code"], ascending=[True, False, True]
    )
    is_hot = len(hot) > 0
    listed = (
        hot
        if is_hot
        else order[order["n_window"] > 0].sort_values(
            ["n", "n_window", "code"], ascending=[False, False, True]
        )
    )
    listed = listed.head(MOST_HOT if is_hot else MOST_HOT - 3)
    rows = zip(
        *(listed[name].to_list() for name in ("code", "label", "n", "n_window")), strict=True
    )
    found = tuple(
        HotUnit(
            number, known.words.unit(code), said if is_hot else "", n_own, n_recent,
            _main_class(known, recent[recent["unit_code"] == code]), is_new=before.get(code) not in _HOT,
        )
        for number, (code, said, n_own, n_recent) in enumerate(rows, 1)
    )  # fmt: skip
    numbers = {code: number for number, code in enumerate(listed["code"].to_list(), 1)}
    drawn = units.assign(
        label=label.to_numpy(), number=codes.map(numbers).fillna(0).astype(int).to_numpy()
    )
    return found, drawn, notes


def class_changes(known: Known) -> tuple[Change, ...]:
    """Compare the classes with the period before.

    Parameters
    ----------
    known
        What is at hand.

    Returns
    -------
    tuple of Change
        The most frequent first.
    """
    table = known.first.assign(
        code=known.first["category_code"].fillna("").astype(str),
        category=known.first["category"].astype(object),
    )
    counts = _counted(known, table, "code")
    if not len(counts):
        return ()
    words = table.drop_duplicates("code").set_index("code")["category"]
    shown = counts.sort_values(["n", "before"], ascending=False, kind="stable").head(MOST_CLASSES)
    return tuple(
        Change(
            known.words.category(code, words.get(code)), int(row["n"]), _whole(row["before"]), _whole(row["year_ago"]),
            row["verdict"],
        )
        for code, row in shown.iterrows()
    )  # fmt: skip


def ground(known: Known, units: gpd.GeoDataFrame) -> Ground:
    """Lay out what the maps show.

    Parameters
    ----------
    known
        What is at hand.
    units
        As from `hot_units`.

    Returns
    -------
    Ground
        In the CRS of the finest level.
    """
    part_layer = known.between
    part_key = str(part_layer.primary_key)
    parts = known.frames[part_layer.id][known.codes_inside(part_layer).to_numpy()]
    column = part_key if part_key in known.first.columns else "unit_code"
    codes = parts[part_key].astype(str)
    table = known.first.assign(code=known.first[column].astype(str))
    counts = _counted(known, table, "code").reindex(codes)
    names = [name for name in ("name_zh", "name_en", "name") if name in parts]
    drawn = parts[[*names, parts.geometry.name]].assign(
        n=counts["n"].fillna(0).astype(int).to_numpy(),
        verdict=counts["verdict"].fillna("no_change").to_numpy(),
    )
    own = known.frames[known.layer.id]
    outline = own[(own[known.key].astype(str) == known.unit).to_numpy()]
    crs = units.crs
    return Ground(
        units,
        drawn.to_crs(crs),
        outline[[known.key, outline.geometry.name]].to_crs(crs),
        own[[known.key, own.geometry.name]].to_crs(crs),
    )


def _labels(known: Known, cases: pd.DataFrame) -> tuple[pd.Series, list[Text]]:
    """Label every finest unit of the city as hot, cold or neither by its cases of some days."""
    key = str(known.finest.primary_key)
    frame = known.frames[known.finest.id]
    if not len(cases):
        return pd.Series("not_significant", index=frame[key].astype(str)), []
    population = "population" if "population" in frame.columns else None
    placed = cases[cases["lon"].notna()]
    try:
        made = unit_hotspots(case_issues(placed), frame, key=key, population=population)
    except GisgridError as error:
        said = Text(zh=f"热点未能计算：{error}", en=f"hot places cannot be told: {error}")
        return pd.Series("not_significant", index=frame[key].astype(str)), [said]
    value = made.value
    assert isinstance(value, pd.DataFrame)  # noqa: S101 - for the checker: units are no surface
    mean = len(placed) / max(len(frame), 1)
    few = Text(
        zh=f"全市平均每个单元在这些天里只有 {mean:.1f} 件，不足 {FEW} 件时仅凭偶然也会多出一些热点：热点是去看一看的线索，不是结论",
        en=f"a unit of the city has {mean:.1f} cases in these days on average; below {FEW} chance alone makes some places hot: "
        "a hot place is a reason to go and look, not a verdict",
    )
    notes = [
        *([few] if mean < FEW else []),
        *(
            Text(zh=getattr(note, "zh", note), en=str(note))
            for note in made.notes
            if not _is_for_analysts(note)
        ),
    ]
    return pd.Series(value["label"].to_numpy(), index=value[key].astype(str)), notes


def _is_for_analysts(note: str | Note) -> bool:
    """Whether a note speaks of coordinates, or of options of a command that nobody here has called."""
    return note.startswith("the reports were brought") or " are few: below " in note


def _counted(known: Known, table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Count by group now, before and a year ago, and say whether the change since before is beyond chance."""
    days = known.days
    now = within(table, days)[column].value_counts()
    before = _if_known(known, table, days.before())
    year_ago = _if_known(known, table, days.year_ago())
    index = now.index if before is None else now.index.union(before[column].value_counts().index)
    counts = pd.DataFrame({"n": now.reindex(index, fill_value=0)})
    counts["before"] = (
        np.nan if before is None else before[column].value_counts().reindex(index, fill_value=0)
    )
    counts["year_ago"] = (
        np.nan if year_ago is None else year_ago[column].value_counts().reindex(index, fill_value=0)
    )
    verdict: pd.Series = pd.Series("unknown", index=index, dtype=object)
    if before is not None and len(index):
        found = rate_change(counts["before"].astype(int), counts["n"].astype(int))["change"]
        verdict = found.astype(object).where(found.notna(), "no_change")
    return counts.assign(verdict=verdict)


def _if_known(known: Known, table: pd.DataFrame, days: Period | None) -> pd.DataFrame | None:
    """Give the cases of another period; None where the ledger does not reach back to its beginning."""
    if days is None or not len(known.own) or known.own["reported_at"].min() >= days.end:
        return None
    return within(table, days)


def _main_class(known: Known, cases: pd.DataFrame) -> Text:
    if not len(cases):
        return Text(zh="", en="")
    code = cases["category_code"].fillna("").value_counts().index[0]
    row = cases[cases["category_code"].fillna("") == code].iloc[0]
    return known.words.category(code, row["category"])


def _whole(value: float) -> int | None:
    return None if pd.isna(value) else int(value)


def verdict_of(before: int, now: int) -> Verdict:
    """Say whether one count is more or fewer than another beyond chance.

    Parameters
    ----------
    before, now
        The counts.

    Returns
    -------
    Verdict
        ``rose``, ``fell`` or ``no_change``.
    """
    if before + now == 0:
        return "no_change"
    change = rate_change(pd.Series([before]), pd.Series([now]), correction="none")["change"].iloc[0]
    return "rose" if change == "rose" else "fell" if change == "fell" else "no_change"
