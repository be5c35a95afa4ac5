"""Which unit and which days are asked for, and what does the ledger know of them?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import geopandas as gpd
import pandas as pd

from gisgrid.casework.indicators import Period, period_of
from gisgrid.casework.ledger import CaseFilter
from gisgrid.catalogue import Catalogue, FolderStore, Layer, resolve_data, resolve_layers
from gisgrid.cli.brief.composing import compose
from gisgrid.cli.brief.known import Known, Words
from gisgrid.desk import Desk
from gisgrid.desk.ledger_file import LEDGER
from gisgrid.desk.places import grid_layers
from gisgrid.errors import InputError, did_you_mean
from gisgrid.report import Brief, require_brief_suffix, write_brief

LEVELS: Final = ("subdistrict_code", "community_code")
"""The keys of the units that have a brief."""

HOT_DAYS: Final = 28
"""Hotspots of a shorter period rest on too few cases; they are looked for in so many days to its end."""

_CITY: Final = (
    "case_id", "lon", "lat", "unit_code", "community_code", "subdistrict_code", "category_code", "category", "state",
    "duplicate_of", "reported_at",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What is asked for, as the command line says it."""

    unit: str
    period: str
    output: Path
    language: Literal["zh", "en", "both"] = "zh"
    layers: Path | None = None
    data: Path | None = None
    cases: str | None = None
    rules: Path | None = None


def run(request: Request, *, now: pd.Timestamp | None = None) -> Brief:
    """Make the brief and write it.

    Parameters
    ----------
    request
        What is asked for.
    now
        The present time, with a zone; the clock's unless told otherwise.

    Returns
    -------
    Brief
        What was written.

    Raises
    ------
    InputError
        No such unit or period, nothing known of it yet, no ledger, or no grid.
    OutputError
        The page cannot be written.
    LedgerError
        The database does not answer.
    """
    require_brief_suffix(request.output)
    catalogue = Catalogue.read(resolve_layers(request.layers))
    store = FolderStore(resolve_data(request.data))
    _demand_ledger(request.cases, store)
    with Desk.open(
        catalogue, store, ledger=request.cases, rules=request.rules, follow=False
    ) as desk:
        made = brief_of(desk, catalogue, store, unit=request.unit, period=request.period, now=now)
    languages: dict[str, tuple[Literal["zh", "en"], ...]] = {
        "both": ("zh", "en"),
        "zh": ("zh",),
        "en": ("en",),
    }
    write_brief(made, request.output, languages=languages[request.language])
    return made


def brief_of(
    desk: Desk,
    catalogue: Catalogue,
    store: FolderStore,
    *,
    unit: str,
    period: str,
    now: pd.Timestamp | None = None,
) -> Brief:
    """Make a brief of a desk that is open.

    Parameters
    ----------
    desk
        The city's desk.
    catalogue, store
        The layers and their data.
    unit
        Code of a sub-district or community.
    period
        As ``2026-W46``.
    now
        The present time, with a zone; the clock's unless told otherwise.

    Returns
    -------
    Brief
        Ready to be written.

    Raises
    ------
    InputError
        No such unit or period, or nothing is known of it yet.
    LedgerError
        The database does not answer.
    """
    moment = now if now is not None else pd.Timestamp.now(tz="UTC")
    asked = period_of(period, timezone=desk.timezone)
    if moment <= asked.start:
        raise InputError(
            f"the period {period!r} begins on {asked.first} and it is {moment.tz_convert(desk.timezone):%Y-%m-%d} now; "
            "choose one that has begun"
        )
    days = asked.known_until(moment)
    chain = grid_layers(catalogue)
    frames = {layer.id: store.read(layer) for layer in chain}
    layer = _layer_of(unit, chain, frames)
    city, own = _cases(desk, layer, unit, days)
    words = Words(desk, catalogue, {one.id: frames[one.id] for one in chain})
    known = Known(
        unit=unit, layer=layer, chain=tuple(chain), frames=frames, days=days, hot_days=_hot_days(days),
        city=city, own=own, words=words, now=moment, n_cases=desk.ledger.count(), sources=words.sources(chain),
    )  # fmt: skip
    return compose(known)


def _demand_ledger(address: str | None, store: FolderStore) -> None:
    """See that there is a ledger, so that asking for a brief makes none."""
    path: Path | None = store.folder / LEDGER
    if address is not None:
        path = (
            Path(address.removeprefix("sqlite:///")) if address.startswith("sqlite:///") else None
        )
    if path is not None and not path.is_file():
        raise InputError(
            f"there is no ledger of cases {str(path)!r}; name it with --cases, or the folder it lies in with --data"
        )


def _layer_of(unit: str, chain: list[Layer], frames: dict[str, gpd.GeoDataFrame]) -> Layer:
    """Find the level whose unit is asked for."""
    codes: dict[str, list[str]] = {
        layer.id: frames[layer.id][layer.primary_key].astype(str).to_list() for layer in chain
    }
    for layer in chain:
        if unit in codes[layer.id]:
            if layer.primary_key in LEVELS:
                return layer
            raise InputError(
                f"{unit!r} is one of {layer.id!r}, and a brief is for a sub-district or a community; "
                f"give its code, for example {_parent(unit, layer, frames)}"
            )
    wanted = [layer for layer in chain if layer.primary_key in LEVELS]
    if not wanted:
        raise InputError(
            f"the grid has the levels {', '.join(layer.id for layer in chain)}, none of them with subdistrict_code or community_code; "
            "a brief needs one of these"
        )
    known = [code for layer in wanted for code in codes[layer.id]]
    n = " and ".join(f"{len(codes[layer.id])} {layer.id}" for layer in reversed(wanted))
    hint = did_you_mean(unit, known) or f"; the first is {known[-len(codes[wanted[-1].id])]}"
    raise InputError(f"no unit {unit!r} among {n}{hint}")


def _parent(unit: str, layer: Layer, frames: dict[str, gpd.GeoDataFrame]) -> str:
    frame = frames[layer.id]
    by = layer.contract.inside.by if layer.contract.inside else str(layer.primary_key)
    return str(frame.loc[frame[layer.primary_key].astype(str) == unit, by].iloc[0])


def _hot_days(days: Period) -> int:
    return max(HOT_DAYS, (days.after - days.first).days)


def _cases(desk: Desk, layer: Layer, unit: str, days: Period) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the city's cases of the days that hotspots are found in, twice as long, and all of the unit, as they stood then.

    A week that is over stays as it was: what is reopened later is not overdue in it.
    """
    since = days.end - 2 * pd.Timedelta(days=_hot_days(days))
    window = CaseFilter(reported_from=since.to_pydatetime(), reported_to=days.end.to_pydatetime())
    city = desk.ledger.cases(window, order="reported_at", columns=_CITY)
    inside = (
        CaseFilter(subdistrict_codes=(unit,))
        if layer.primary_key == "subdistrict_code"
        else CaseFilter(community_codes=(unit,))
    )
    own = desk.ledger.cases(inside, order="reported_at")
    own = own[own["reported_at"] < days.end].reset_index(drop=True)
    return city, desk.ledger.past(own, days.end.to_pydatetime())
