"""How do places, handling and indicators become one brief, and what must be said about it?"""

from __future__ import annotations

import math
from typing import Final

import pandas as pd

import gisgrid
from gisgrid.casework.indicators import Period
from gisgrid.cli.brief.handling import backs, measures, overdue, owners
from gisgrid.cli.brief.known import Known, within
from gisgrid.cli.brief.places import class_changes, ground, hot_units, verdict_of
from gisgrid.report import FEW, Brief, HotUnit, Measure
from gisgrid.schema import Text

N_BARS: Final = 8

_LEVELS: Final = {
    "subdistrict_code": Text(zh="街道（乡镇）", en="Sub-district"), "community_code": Text(zh="社区（村）", en="Community"),
}  # fmt: skip


def compose(known: Known) -> Brief:
    """Make the brief.

    Parameters
    ----------
    known
        What is at hand.

    Returns
    -------
    Brief
        Ready to be written.
    """
    hot, units, about_test = hot_units(known)
    told = measures(known)
    came_back, n_backs = backs(known)
    late, n_late = overdue(known)
    return Brief(
        unit=known.words.unit(known.unit), level=_LEVELS[known.key], code=known.unit, facts=_facts(known, len(units)),
        period=known.days, headline=_headline(told, hot, n_backs=n_backs, n_late=n_late),
        figures=tuple(told[name] for name in ("reported", "closed", "closing_on_time_rate", "pending", "overdue")),
        weeks=_bars(known), hot=hot, hot_days=known.hot_days, classes=class_changes(known), backs=came_back, n_backs=n_backs,
        owners=owners(known), overdue=late, n_overdue=n_late,
        indicators=tuple(each for name, each in told.items() if name not in {"reported", "closed", "pending", "overdue"}),
        ground=ground(known, units), notes=_notes(known, about_test), sources=_sources(known),
    )  # fmt: skip


def _facts(known: Known, n_units: int) -> tuple[tuple[Text, str], ...]:
    frame = known.frames[known.layer.id]
    row = frame[(frame[known.key].astype(str) == known.unit).to_numpy()]
    found = []
    if "population" in frame.columns and row["population"].notna().all():
        found.append((Text(zh="常住人口", en="residents"), f"{int(row['population'].iloc[0]):,}"))
    if frame.crs is not None and frame.crs.is_projected:
        found.append((Text(zh="面积", en="area"), f"{row.geometry.area.iloc[0] / 1e6:,.2f} km²"))
    found.append((Text(zh="单元", en="units"), f"{n_units:,}"))
    return tuple(found)


def _headline(
    told: dict[str, Measure], hot: tuple[HotUnit, ...], *, n_backs: int, n_late: int
) -> tuple[Text, ...]:
    """Say the most important in three sentences at most."""
    reported = told["reported"]
    n = int(reported.value or 0)
    said = [Text(zh=f"本期上报 {n:,} 件", en=f"{n:,} cases were reported")]
    if reported.before is not None:
        verdict = verdict_of(int(reported.before), n)
        words = {
            "rose": Text(zh="明显多于上期", en="clearly more than before"), "fell": Text(zh="明显少于上期", en="clearly fewer than before"),
        }.get(verdict, Text(zh="与上期的差别在偶然波动之内", en="within chance of the period before"))  # fmt: skip
        said = [
            Text(
                zh=f"{said[0].zh}（上期 {int(reported.before):,} 件），{words.zh}。",
                en=f"{said[0].en} ({int(reported.before):,} before), {words.en}.",
            )
        ]
    else:
        said = [
            Text(
                zh=said[0].zh + "；上期没有数据。",
                en=said[0].en + "; nothing is known of the period before.",
            )
        ]
    labelled = [each for each in hot if each.label]
    if labelled:
        fresh = sum(each.is_new for each in labelled)
        first = labelled[0].name
        said.append(
            Text(
                zh=f"热点单元 {len(labelled)} 个{f'，其中新出现 {fresh} 个' if fresh else ''}，以{first.zh}为首。",
                en=f"{len(labelled)} units are hot{f', {fresh} of them new' if fresh else ''}; first {first.en}.",
            )
        )
    else:
        said.append(Text(zh="没有统计显著的热点。", en="No place is significantly hot."))
    if n_backs or n_late:
        said.append(
            Text(
                zh=f"结案后又反弹 {n_backs:,} 起，期末超期未结 {n_late:,} 件。",
                en=f"{n_backs:,} problems came back after closing, and {n_late:,} cases are overdue at the end.",
            )
        )
    return tuple(said)


def _bars(known: Known) -> pd.Series:
    """Count the reports of the last periods; before the ledger's first case nothing is known."""
    days: Period = known.days
    first = known.own["reported_at"].min() if len(known.own) else known.days.end
    counts = {}
    for _ in range(N_BARS):
        n = math.nan if days.end <= first else len(within(known.own, days))
        counts[pd.Timestamp(days.first)] = n
        days = days.before()
    return pd.Series(counts, dtype=float).iloc[::-1]


def _notes(known: Known, about_test: list[Text]) -> tuple[Text, ...]:
    notes = []
    if known.days.until is not None:
        until = known.days.until.tz_convert(known.days.timezone)
        notes.append(
            Text(
                zh=f"本期尚未结束：数据截至 {until:%Y-%m-%d %H:%M}，上期和去年同期也只取到相同的时刻。",
                en=f"The period is not over: the data end at {until:%Y-%m-%d %H:%M}, and the others are cut at the same moment.",
            )
        )
    if (
        len(known.own)
        and known.days.before().start < known.own["reported_at"].min() < known.days.before().end
    ):
        first = known.own["reported_at"].min().tz_convert(known.days.timezone)
        notes.append(
            Text(
                zh=f"台账自 {first:%Y-%m-%d} 才有本辖区的案件，与上期的比较不完整。",
                en=f"The ledger has cases of this unit only since {first:%Y-%m-%d}; the comparison with the period before is not whole.",
            )
        )
    year = known.days.year_ago()
    if year is None or not len(known.own) or known.own["reported_at"].min() >= year.end:
        notes.append(
            Text(
                zh="去年同期没有数据，不作同比。",
                en="Nothing is known of the same period a year ago, so it is not compared.",
            )
        )
    notes += [
        Text(
            zh=f"分母不足 {FEW} 件的比率（棕色）波动很大，不宜单独解读，也不宜用于排名。",
            en=f"Rates of fewer than {FEW} cases (brown) move much with one case; do not read them alone, and rank nobody by them.",
        ),
        Text(
            zh="件数是上报数，不等于问题数：巡查多、居民爱反映的地方件数也多。",
            en="Counts are reports, not problems: where patrols go often and residents report readily there are more.",
        ),
        Text(
            zh=f"热点用 Getis-Ord Gi* 判定（近 {known.hot_days} 天、按常住人口折算后的超出量、FDR 校正），比较对象是全市同级单元；重复与作废案件不计入。",
            en=f"Hot places by Getis-Ord Gi* ({known.hot_days} days, excess over what the residents lead one to expect, FDR), against all "
            "units of the city; repeats and void cases are not counted.",
        ),
        *(Text(zh=_sentence(note.zh, "。"), en=_sentence(note.en, ".")) for note in about_test),
        Text(
            zh="本页只有单元级数字和案件编号，不含个人信息、地址和坐标。",
            en="The page holds numbers of units and ids of cases; nothing of persons, no address and no coordinate.",
        ),
    ]
    return tuple(notes)


def _sentence(text: str, stop: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".。") + stop


def _sources(known: Known) -> tuple[tuple[Text, str], ...]:
    zone = known.days.timezone
    own = known.own
    last = own["changed_at"].max() if len(own) else None
    rows = [
        (
            Text(zh="案件台账", en="Ledger of cases"),
            f"{len(own):,} / {known.n_cases:,}"
            + (f" · {own['reported_at'].min().tz_convert(zone):%Y-%m-%d} –" if len(own) else ""),
        ),
    ]
    if last is not None and not pd.isna(last):
        rows.append(
            (
                Text(zh="台账最后更新", en="Last entry in the ledger"),
                f"{last.tz_convert(zone):%Y-%m-%d %H:%M} {zone}",
            )
        )
    rows.append(
        (
            Text(zh="统计时刻", en="As of"),
            f"{known.days.end.tz_convert(zone):%Y-%m-%d %H:%M} {zone}",
        )
    )
    rows += known.sources
    rows.append(
        (
            Text(zh="生成", en="Made"),
            f"{known.now.tz_convert(zone):%Y-%m-%d %H:%M} · gisgrid {gisgrid.__version__}",
        )
    )
    return tuple(rows)
