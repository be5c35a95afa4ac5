"""Are there cases in the synthetic city? If not, its last month is written into a ledger, as if it had been lived."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import geopandas as gpd
import pandas as pd

from gisgrid.casework.deadlines import deadlines
from gisgrid.casework.ledger import Event
from gisgrid.catalogue import Catalogue, FolderStore
from gisgrid.desk import Desk
from gisgrid.desk.ledger_file import LEDGER
from gisgrid.desk.live import LAYER
from gisgrid.testing import synthetic_casework

_DAYS: Final = 30
_CASES: Final = 1_500
_AT_ONCE: Final = 100
_REPORTS: Final = "reported_issues"
_UNITS: Final = "compounds"


def prepare(catalogue: Catalogue, store: FolderStore, *, seed: int) -> None:
    """Make the ledger where it is not there yet, and the layer of its cases.

    Parameters
    ----------
    catalogue
        The layers.
    store
        Where the city's files are.
    seed
        The same seed gives the same cases.

    Raises
    ------
    InputError
        The city's grid cannot be read.
    LedgerError
        The ledger cannot be written.
    """
    needed = (LAYER, _REPORTS, _UNITS)
    if any(name not in catalogue for name in needed) or (store.folder / LEDGER).is_file():
        return
    units = store.read(catalogue[_UNITS])
    reports = pd.read_parquet(store.path(catalogue[_REPORTS]), columns=["reported_at"])
    last = reports["reported_at"].max().tz_convert("Asia/Shanghai").date()
    assert isinstance(units, gpd.GeoDataFrame)  # noqa: S101 - the demonstration's own layer
    work = synthetic_casework(
        units, n_cases=_CASES, first_day=last - dt.timedelta(days=_DAYS - 1), days=_DAYS, seed=seed
    )
    final = store.folder / LEDGER
    draft = final.with_suffix(".draft")
    draft.parent.mkdir(parents=True, exist_ok=True)
    for left in draft.parent.glob(f"{draft.name}*"):
        left.unlink()
    clock = _Clock()
    with Desk.open(catalogue, store, ledger=f"sqlite:///{draft.resolve()}", follow=False, clock=clock) as desk:  # fmt: skip
        events = _events(desk, work.cases, work.events())
        for start in range(0, len(events), _AT_ONCE):
            part = events[start : start + _AT_ONCE]
            clock.time = part[-1].at
            desk.ledger.append(part, client_id=f"demo-{start}")
    draft.replace(final)
    for left in draft.parent.glob(f"{draft.name}*"):
        left.unlink()
    Desk.open(catalogue, store).close()  # writes the layer


class _Clock:
    """The ledger lives through the month as it was."""

    time = dt.datetime.now(tz=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.time


def _events(desk: Desk, cases: pd.DataFrame, events: pd.DataFrame) -> list[Event]:
    """Give the events with the owners and the deadlines of the city's rules."""
    owners = desk.routing.route(cases["category_code"].tolist(), cases["unit_code"].tolist())[
        "owner"
    ]
    due = deadlines(
        cases, desk.rules.deadlines, calendar=desk.calendar, taxonomy=desk.rules.deadlines.taxonomy
    )["due_at"]
    ids = cases["case_id"].tolist()
    owner = dict(zip(ids, owners.tolist(), strict=True))
    until = dict(zip(ids, due.tolist(), strict=True))
    made: list[Event] = []
    rows: list[dict[Any, Any]] = events.to_dict("records")
    for row in rows:
        case_id, data = row["case_id"], dict(row["data"])
        if "owner" in data and not pd.isna(owner[case_id]):
            data["owner"] = owner[case_id]
        if row["kind"] == "dispatched" and not pd.isna(until[case_id]):
            data["due_at"] = until[case_id].isoformat()
        place = None if pd.isna(row["lon"]) else (row["lon"], row["lat"])
        at = row["at"].to_pydatetime()
        made.append(Event(case_id, row["kind"], at, row["by"], place, row["why"], data))
    return made
