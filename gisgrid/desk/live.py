"""Cases on the map within a second: the live layer follows the ledger, and misses nothing.

Whoever wakes first writes what the ledger took since; how far the layer is stands beside it. What was committed and not yet
written when a process died is written by the next one: the ledger is the truth, the layer a copy that catches up.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import shutil
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import pandas as pd

from gisgrid.casework.ledger import Case, Ledger
from gisgrid.catalogue import FolderStore, Layer
from gisgrid.errors import GisgridError, InputError
from gisgrid.files import write_frame
from gisgrid.locks import alone
from gisgrid.prepared import LiveRows, live_folder

LAYER: Final = "cases"
"""The id of the layer."""

_POLL_S: Final = 0.25
_GATHER_S: Final = 0.2
"""What comes within this is written at once; tiles hold it a quarter of a second later."""
_AGAIN_S: Final = 1.0
_AT_ONCE: Final = 5_000
_FAR_BEHIND: Final = 50_000
"""Events from which a new base is quicker than the journal."""

_log: Final = logging.getLogger(__name__)


class LiveCases:
    """The layer of cases, kept as the ledger says.

    Parameters
    ----------
    ledger
        The ledger.
    layer
        The layer's description.
    store
        Where its data are.
    prepared
        Where layers lie ready.
    """

    def __init__(
        self, ledger: Ledger, layer: Layer, store: FolderStore, *, prepared: Path | None = None
    ) -> None:
        self._ledger, self._layer, self._store = ledger, layer, store
        self._rows = LiveRows(layer, store, folder=prepared)
        self._marker = live_folder(layer, store).with_suffix(".seq")
        self._lock = self._marker.with_suffix(".follow")
        self._fields = tuple(one.name for one in layer.fields)
        self._id = ""
        self._known = -1
        self._wanted, self._stopped = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Catch up, then follow the ledger until `close`.

        Raises
        ------
        OutputError
            The data folder cannot be written.
        LedgerError
            The ledger does not answer.
        """
        self.catch_up()
        self._thread = threading.Thread(target=self._follow, name="gisgrid-live-cases", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that the ledger took something."""
        self._wanted.set()

    def close(self) -> None:
        """Write what is still to be written, and follow no more."""
        self._stopped.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            with contextlib.suppress(GisgridError, OSError):  # the next one to open it catches up
                self.catch_up()

    def catch_up(self) -> int:
        """Write what the ledger took since the layer was last written.

        Returns
        -------
        int
            How many events the layer was behind.

        Raises
        ------
        OutputError
            The data folder cannot be written.
        LedgerError
            The ledger does not answer.
        """
        last = self._ledger.last_seq()
        if last == self._known and self._store.exists(self._layer):
            return 0
        self._marker.parent.mkdir(parents=True, exist_ok=True)
        with alone(self._lock):
            seq = self._read_marker()
            if seq is None or last - seq > _FAR_BEHIND or not self._store.exists(self._layer):
                self._write_base()
                self._known = last
                return last
            behind = last - seq
            while seq < last:
                cases, seq = self._ledger.changed(since=seq, most=_AT_ONCE)
                self._append(cases)
                self._write_marker(seq)
            self._known = seq
        return behind

    def _follow(self) -> None:
        wait = _POLL_S
        while not self._stopped.is_set():
            if self._wanted.wait(wait):
                self._stopped.wait(_GATHER_S)
                self._wanted.clear()
            wait = _POLL_S
            try:
                self.catch_up()
            except Exception as error:  # noqa: BLE001 - the ledger has it; the next look may go well
                _log.warning("fresh cases are not on the map yet: %s", error)
                wait = _AGAIN_S

    def _append(self, cases: Iterable[Case]) -> None:
        shown, gone = [], []
        for case in cases:
            if is_shown(case, self._ledger):
                shown.append(self._feature(case))
            else:
                gone.append(case.case_id)
        self._rows.append(shown, delete=gone)

    def _feature(self, case: Case) -> Mapping[str, Any]:
        said = {name: _plain(getattr(case, name)) for name in self._fields}
        place = {"type": "Point", "coordinates": [case.lon, case.lat]}
        return {"type": "Feature", "properties": said, "geometry": place}

    def _write_base(self) -> None:
        """Write the whole layer anew; what was appended to the old one is in it."""
        seq = self._ledger.last_seq()
        cases = self._ledger.cases(order="changed_at")
        path = self._store.path(self._layer)
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self._marker.unlink()
        shutil.rmtree(live_folder(self._layer, self._store), ignore_errors=True)
        write_frame(case_frame(cases, self._layer, self._ledger), path)
        self._write_marker(seq)

    def _read_marker(self) -> int | None:
        """Say how far the layer is; None where that is not known, or it is of another ledger."""
        try:
            said = json.loads(self._marker.read_text("utf-8"))
            seq, of = int(said["seq"]), said["ledger"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return seq if of == self._ledger_id() or seq == 0 else None

    def _write_marker(self, seq: int) -> None:
        # Lost with the power it may be: then the same rows are written once more.
        draft = self._marker.with_suffix(f".{os.getpid()}.draft")
        draft.write_text(json.dumps({"ledger": self._ledger_id(), "seq": seq}), "utf-8")
        draft.replace(self._marker)

    def _ledger_id(self) -> str:
        """Name the ledger by its first event, so that another one in its place is seen."""
        if not self._id:
            first = self._ledger.events(limit=1)
            if len(first):
                self._id = f"{first['client_id'].iloc[0]} {first['recorded_at'].iloc[0].isoformat()}"  # fmt: skip
        return self._id


def is_shown(case: Case, ledger: Ledger) -> bool:
    """Tell whether a case is on the map: it has a place, and was not made void.

    Parameters
    ----------
    case
        The case.
    ledger
        Whose life cycle counts.

    Returns
    -------
    bool
        A case that ended without being closed is void.
    """
    ended = case.state not in ledger.life_cycle.open_states and case.closed_at is None
    return case.lon is not None and not ended


def case_frame(cases: pd.DataFrame, layer: Layer, ledger: Ledger) -> gpd.GeoDataFrame:
    """Give the ledger's cases as the layer has them.

    Parameters
    ----------
    cases
        As `Ledger.cases` gives them.
    layer
        The layer.
    ledger
        Whose life cycle counts.

    Returns
    -------
    GeoDataFrame
        Points in EPSG:4326, one per case that is shown, with the layer's fields.

    Raises
    ------
    InputError
        The layer has a field that cases do not have.
    """
    for field in layer.fields:
        if field.name not in cases.columns:
            raise InputError(
                f"layer {layer.id!r} has a field {field.name!r}, which cases do not have; leave it out of its layer.toml"
            )
    ended = ~cases["state"].isin(ledger.life_cycle.open_states) & cases["closed_at"].isna()
    kept = cases[cases["lon"].notna() & ~ended]
    columns = {field.name: kept[field.name] for field in layer.fields}
    texts = {field.name: "string" for field in layer.fields if field.type == "string"}
    points = gpd.points_from_xy(kept["lon"], kept["lat"])
    return gpd.GeoDataFrame(pd.DataFrame(columns).astype(texts), geometry=points, crs=4326)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.datetime) else value
