"""The desk: reports come in, steps are taken, and everything that follows from the city's rules is done."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from base64 import b32encode
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import pandas as pd

from gisgrid.casework.deadlines import WorkCalendar
from gisgrid.casework.ledger import (
    Case,
    CaseFilter,
    ConflictError,
    Event,
    Ledger,
    LifeCycle,
    Receipt,
)
from gisgrid.casework.ledger.events import checked_id, utc
from gisgrid.casework.routing import Routing
from gisgrid.catalogue import Catalogue, FolderStore
from gisgrid.desk.due import Timetable
from gisgrid.desk.live import LAYER, LiveCases
from gisgrid.desk.places import METRES_PER_DEGREE, Ground, Place, metres_between
from gisgrid.desk.reports import Accepted, Preview, Report, check
from gisgrid.desk.rules import Rules, read_city_rules
from gisgrid.desk.services import Services
from gisgrid.desk.steps import Steps
from gisgrid.desk.wording import deadline_words
from gisgrid.errors import InputError, OutputError
from gisgrid.intake.classes.taxonomy import taxonomy_named
from gisgrid.schema import Text

LEDGER: Final = Path("casework") / "cases.db"
"""Under the data folder."""

_MOST_NEARBY: Final = 200
_TRIES: Final = 5
_NOBODY: Final = Text(zh="尚无责任单位", en="Nobody is declared yet")


def ledger_url(store: FolderStore) -> str:
    """Give the address of the ledger in a data folder.

    Parameters
    ----------
    store
        The data folder.

    Returns
    -------
    str
        ``sqlite:///…/casework/cases.db``.
    """
    return f"sqlite:///{(store.folder / LEDGER).resolve()}"


def _now() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC)


class Desk:
    """A city's cases: its ledger, its rules and its grid. Open it with `Desk.open`; it is a context manager.

    One object serves all threads of a process; each process opens its own.

    Attributes
    ----------
    ledger
        The ledger.
    rules
        What the city declares.
    routing
        Who owns what.
    ground
        The grid.
    """

    def __init__(
        self,
        ledger: Ledger,
        rules: Rules,
        ground: Ground,
        *,
        live: LiveCases | None = None,
        clock: Callable[[], dt.datetime] = _now,
    ) -> None:
        self.ledger, self.rules, self.ground = ledger, rules, ground
        self._live, self._clock = live, clock
        self.routing = Routing.of(rules.routing, _codes(rules), ground.units)
        self.timetable = Timetable(rules.deadlines, rules.calendar)
        self.timetable.warm(clock())
        self._zone = ZoneInfo(rules.calendar.timezone)
        self._steps = Steps(
            ledger, routing=self.routing, timetable=self.timetable, ground=ground, services=rules.services
        )  # fmt: skip
        self._aside = ThreadPoolExecutor(2, thread_name_prefix="gisgrid-desk")

    @classmethod
    def open(
        cls,
        catalogue: Catalogue,
        store: FolderStore,
        *,
        ledger: str | None = None,
        rules: Path | None = None,
        prepared: Path | None = None,
        follow: bool = True,
        clock: Callable[[], dt.datetime] = _now,
    ) -> Self:
        """Open a city's desk.

        Parameters
        ----------
        catalogue
            The layers; the grid is the chain of areas that lie in one another.
        store
            Where their data are.
        ledger
            The ledger's address; ``casework/cases.db`` in the data folder where it is not given.
        rules
            The folder of the city's rules, see `read_city_rules`.
        prepared
            Where layers lie ready; ``.tiles`` in the data folder where it is not given.
        follow
            Whether the layer ``cases``, where the catalogue has it, is kept as the ledger says.
        clock
            Gives the present time.

        Returns
        -------
        Desk
            Ready to take reports.

        Raises
        ------
        InputError
            There is no grid, a rule is broken, or the ledger's address is none.
        OutputError
            The data folder cannot be written.
        LedgerError
            The database does not answer.
        """
        said = read_city_rules(rules)
        ground = Ground.of(catalogue, store)
        if ledger is None:
            _make_folder((store.folder / LEDGER).parent)
        opened = Ledger.open(ledger or ledger_url(store), life_cycle=said.life_cycle, clock=clock)
        try:
            live = LiveCases(opened, catalogue[LAYER], store, prepared=prepared) if follow and LAYER in catalogue else None  # fmt: skip
            desk = cls(opened, said, ground, live=live, clock=clock)
            if live is not None:
                live.start()
        except BaseException:
            opened.close()
            raise
        return desk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what waits, bring the map up to date, and let the database go."""
        self._aside.shutdown()
        if self._live is not None:
            self._live.close()
        self.ledger.close()

    @property
    def services(self) -> Services:
        """What can be reported."""
        return self.rules.services

    @property
    def life_cycle(self) -> LifeCycle:
        """What may follow what."""
        return self.rules.life_cycle

    @property
    def calendar(self) -> WorkCalendar:
        """When the administration works."""
        return self.rules.calendar

    @property
    def timezone(self) -> str:
        """Where the administration's clocks hang."""
        return self.rules.calendar.timezone

    def locate(self, lon: float, lat: float) -> Place:
        """Say in which unit of each level a place lies.

        Parameters
        ----------
        lon, lat
            WGS84 degrees.

        Returns
        -------
        Place
            ``outside`` where there is no unit.
        """
        return self.ground.locate(lon, lat)

    def preview(self, lon: float, lat: float, service_code: str) -> Preview:
        """Say what would become of a report.

        Parameters
        ----------
        lon, lat
            WGS84 degrees.
        service_code
            The class.

        Returns
        -------
        Preview
            The unit, the owner and the deadline.

        Raises
        ------
        InputError
            No such class can be reported.
        """
        _ = self.services[service_code]
        place = self.locate(lon, lat)
        owner = self.routing.owner(service_code, place.unit_code)
        rule = self.timetable.rule(service_code, place.unit_code, grid_class=place.grid_class)
        now = self._clock()
        due = None if rule is None else self.timetable.due(rule, now)
        note = deadline_words(rule, due, started=now, calendar=self.calendar)
        return Preview(
            place, owner, self.owner_title(owner), due.at if due else None,
            due.provisional if due else False, note, self.ground.about(place),
        )  # fmt: skip

    def owner_title(self, owner: str | None) -> Text:
        """Give the name of an owner.

        Parameters
        ----------
        owner
            Its id; None for nobody.

        Returns
        -------
        Text
            As the rules name it; a locality by its own name; the id itself where nothing is known of it.
        """
        if owner is None:
            return _NOBODY
        return self._titles.get(owner) or Text(zh=owner, en=owner)

    @cached_property
    def _titles(self) -> Mapping[str, Text]:
        named = {one.id: one.title for one in self.rules.routing.owner}
        fallback = self.rules.routing.fallback
        if fallback is None:
            return named
        localities = {}
        for place in self.ground.places:
            code = getattr(place, fallback.column, None)
            zh = place.names.get(fallback.level)
            if code and zh:
                localities[f"{fallback.level}:{code}"] = Text(zh=zh, en=place.names_en.get(fallback.level, zh))  # fmt: skip
        return localities | named

    def nearby(
        self,
        lon: float,
        lat: float,
        *,
        service_code: str | None = None,
        radius_m: float = 250.0,
        within: CaseFilter | None = None,
    ) -> list[Case]:
        """List open cases near a place, which may be the same problem.

        Parameters
        ----------
        lon, lat
            WGS84 degrees.
        service_code
            Only of this class.
        radius_m
            How far, in metres.
        within
            What the asker may see.

        Returns
        -------
        list of Case
            The nearest first, 200 at most.

        Raises
        ------
        InputError
            The radius is not from 0 to 5 000 metres.
        LedgerError
            The database does not answer.
        """
        if not 0 <= radius_m <= 5_000:
            raise InputError(f"radius_m is {radius_m!r} but must be from 0 to 5000 metres")
        up = radius_m / METRES_PER_DEGREE
        across = up / max(math.cos(math.radians(lat)), 0.01)
        wanted = CaseFilter(
            bbox=(max(lon - across, -180), max(lat - up, -90), min(lon + across, 180), min(lat + up, 90)),
            states=self.life_cycle.open_states,
            category_codes=None if service_code is None else (service_code,),
        )  # fmt: skip
        frame = self.ledger.cases(wanted, within=within, order="reported_at", limit=5 * _MOST_NEARBY)  # fmt: skip
        away = metres_between(lon, lat, frame["lon"].to_numpy(), frame["lat"].to_numpy())
        near = frame[away <= radius_m].assign(_away=away).sort_values(["_away", "case_id"])
        return [case_of_row(row) for row in near.drop(columns="_away").head(_MOST_NEARBY).to_dict("records")]  # fmt: skip

    def submit(
        self, report: Report, *, client_id: str, by: str, sent_at: dt.datetime | None = None
    ) -> Future[Accepted]:
        """Take a report: find its unit, its owner and its deadline, and write it into the ledger.

        Parameters
        ----------
        report
            The report.
        client_id
            The sender's id of this upload; sent again, it is taken once.
        by
            Who reports.
        sent_at
            What the sender's clock says now.

        Returns
        -------
        Future
            Gives the case when it is on the disk; raises ConflictError where the id was used for another report, LedgerError
            where the ledger takes nothing now.

        Raises
        ------
        ReportError
            It cannot be taken as it is; all fields at fault are told.
        InputError
            An id is none.
        LedgerError
            Closed or overcrowded.
        """
        check(report, self.services)
        checked_id(client_id, "client_id")
        now = self._clock()
        place = self.locate(report.lon, report.lat)
        event = self._event(report, place, client_id=client_id, by=by, now=now)
        accepted: Future[Accepted] = Future()
        accepted.set_running_or_notify_cancel()  # who no longer waits does not undo it

        def answer(taken: Future[Receipt]) -> None:
            try:
                receipt = taken.result()
            except ConflictError as error:
                self._aside.submit(_settle, accepted, self._again, report, client_id, by, error)
            except BaseException as error:  # noqa: BLE001 - whatever it is, the sender hears it
                accepted.set_exception(error)
            else:
                if self._live is not None:
                    self._live.wake()
                accepted.set_result(_accepted(event, place, receipt))

        self.ledger.submit(event, client_id=client_id, sent_at=sent_at).add_done_callback(answer)
        return accepted

    def report(
        self, report: Report, *, client_id: str, by: str, sent_at: dt.datetime | None = None
    ) -> Accepted:
        """Take a report and wait until it is on the disk.

        Parameters
        ----------
        report, client_id, by, sent_at
            As in `submit`.

        Returns
        -------
        Accepted
            The case.

        Raises
        ------
        ReportError
            It cannot be taken as it is; all fields at fault are told.
        ConflictError
            The client id was used for another report.
        LedgerError
            The ledger takes nothing now; sent again later it is taken once.
        """
        return self.submit(report, client_id=client_id, by=by, sent_at=sent_at).result()

    def act(
        self,
        case_id: str,
        kind: str,
        *,
        by: str,
        why: str = "",
        data: Mapping[str, Any] | None = None,
        expected: int | None = None,
        client_id: str | None = None,
        place: tuple[float, float] | None = None,
        at: dt.datetime | None = None,
    ) -> Receipt:
        """Do the next step of a case; what follows from the rules and was not said is added.

        A dispatch gets its owner and its deadline, a pause stops the clock, what ends it and an extension by an ``amount`` (in
        the unit of the deadline) reckon the deadline anew, a new place its units.

        Parameters
        ----------
        case_id
            The case.
        kind
            The step, as the life cycle names it.
        by
            Who does it.
        why
            The reason.
        data
            What belongs to it.
        expected
            The version of the case that the one who acts saw; when another one was faster, nothing is done.
        client_id
            The sender's id of this upload; sent again, it is done once.
        place
            Where, longitude and latitude in WGS84 degrees.
        at
            When, by the sender's clock; None for now.

        Returns
        -------
        Receipt
            The ledger's.

        Raises
        ------
        CaseNotFoundError
            There is no such case.
        TransitionError
            The step may not come next; the sentence names what may.
        ConflictError
            The case is not as expected, or the client id was used for something else.
        InputError
            A field breaks a rule.
        LedgerError
            The ledger takes nothing now.
        """
        step = self.life_cycle.step(kind)
        said = dict(data or {})
        for tries in range(_TRIES):
            case = self.ledger.case(case_id)
            moment = utc(at, "at") if at is not None else self._clock()
            full = self._steps.data_of(case, step, said, at=self._clock(), place=place)
            event = Event(case_id, kind, moment, by, place, why, full)
            seen = case.version if expected is None else expected
            try:
                receipt = self.ledger.append(event, client_id=client_id, expected={case_id: seen})
            except ConflictError as error:
                if not error.case_id:
                    return self._done_before(event, said, client_id, at=at, error=error)
                if expected is not None or tries + 1 == _TRIES:
                    raise
            else:
                if self._live is not None:
                    self._live.wake()
                return receipt
        raise AssertionError  # pragma: no cover - the last try returns or raises

    def case_id_of(self, client_id: str, day: dt.date) -> str:
        """Name the case that an upload makes.

        Parameters
        ----------
        client_id
            The sender's id of the upload.
        day
            The day on which the ledger took it.

        Returns
        -------
        str
            The day and ten letters and digits: the same in every worker.
        """
        digest = hashlib.sha256(client_id.encode("utf-8", "surrogatepass")).digest()
        return f"{day:%Y%m%d}-{b32encode(digest[:10])[:10].decode('ascii')}"

    def _event(
        self, report: Report, place: Place, *, client_id: str, by: str, now: dt.datetime
    ) -> Event:
        data = report.said()
        data |= {
            "category": self.services[report.service_code].category, "unit_code": place.unit_code,
            "community_code": place.community_code, "subdistrict_code": place.subdistrict_code,
            "owner": self.routing.owner(report.service_code, place.unit_code),
        }  # fmt: skip
        if place.outside:
            data["outside"] = True
        rule = self.timetable.rule(report.service_code, place.unit_code, grid_class=place.grid_class)  # fmt: skip
        if rule is not None:
            data["due_at"] = self.timetable.due(rule, now).at.isoformat()
        case_id = self.case_id_of(client_id, now.astimezone(self._zone).date())
        at = report.at if report.at is not None else now
        return Event(
            case_id, self.life_cycle.opens, at, by, (float(report.lon), float(report.lat)), "", data
        )

    def _again(self, report: Report, client_id: str, by: str, error: ConflictError) -> Accepted:
        """Give the case of an upload that was taken before, on another day or under other rules perhaps."""
        place = (float(report.lon), float(report.lat))
        before = self._events_of(client_id)
        if len(before) != 1 or not _is_same(before[0], self.life_cycle.opens, by=by, why="", place=place, at=report.at, said=report.said(), whole=True):  # fmt: skip
            raise error
        first = before[0]
        due = first["data"].get("due_at")
        return Accepted(
            first["case_id"], self.locate(*place), first["data"].get("owner"),
            None if due is None else dt.datetime.fromisoformat(due), _receipt_of(first), repeated=True,
        )  # fmt: skip

    def _done_before(
        self,
        event: Event,
        said: Mapping[str, Any],
        client_id: str | None,
        *,
        at: dt.datetime | None,
        error: ConflictError,
    ) -> Receipt:
        before = self._events_of(client_id or "")
        if len(before) != 1 or before[0]["case_id"] != event.case_id or not _is_same(before[0], event.kind, by=event.by, why=event.why, place=event.place, at=at, said=said):  # fmt: skip
            raise error
        return _receipt_of(before[0])

    def _events_of(self, client_id: str) -> list[dict[str, Any]]:
        found: list[dict[Any, Any]] = self.ledger.events(client_ids=(client_id,)).to_dict("records")
        return found


def case_of_row(row: Mapping[Any, Any]) -> Case:
    """Make a case of a row of the ledger's frame.

    Parameters
    ----------
    row
        A value for each column of a case.

    Returns
    -------
    Case
        What is missing is None.
    """
    return Case(**{str(name): _plain(value) for name, value in row.items()})


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a frame holds
    if value is None or value is pd.NaT or value is pd.NA or value != value:  # noqa: PLR0124 - NaN
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def _settle(future: Future[Accepted], act: Callable[..., Accepted], *arguments: object) -> None:
    try:
        future.set_result(act(*arguments))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the sender hears it
        future.set_exception(error)


def _accepted(event: Event, place: Place, receipt: Receipt) -> Accepted:
    due = event.data.get("due_at")
    at = None if due is None else dt.datetime.fromisoformat(due)
    return Accepted(event.case_id, place, event.data.get("owner"), at, receipt, receipt.repeated)


def _is_same(
    before: Mapping[str, Any],
    kind: str,
    *,
    by: str,
    why: str,
    place: tuple[float, float] | None,
    at: dt.datetime | None,
    said: Mapping[str, Any],
    whole: bool = False,
) -> bool:
    """Tell whether an event that was taken is the one that is sent again; what the rules added does not count."""
    there = None if pd.isna(before["lon"]) else (before["lon"], before["lat"])
    same = (before["kind"], before["by"], before["why"], there) == (kind, by, why, place)
    data = before["data"]
    equal = same and all(name in data and data[name] == value for name, value in said.items())
    if whole:
        own = {"description", "photos", "accuracy_m", "attributes", "same_as", "contact", "level_found"}  # fmt: skip
        equal = equal and not (own & set(data)) - set(said)
    return equal and (at is None or before["at"].to_pydatetime() == utc(at, "at"))


def _receipt_of(event: Mapping[str, Any]) -> Receipt:
    seq = int(event["seq"])
    versions = {event["case_id"]: int(event["version"])}
    return Receipt(event["client_id"], seq, seq, event["recorded_at"].to_pydatetime(), versions, repeated=True)  # fmt: skip


def _codes(rules: Rules) -> list[str]:
    """Give the codes of all classes of the rules' scheme and of those that can be reported."""
    codes = [one.code for one in rules.services]
    try:
        taxonomy = taxonomy_named(rules.routing.scheme)
    except InputError:
        return codes
    return list(dict.fromkeys([*codes, *(one.code for one in taxonomy.classes if not one.is_major)]))  # fmt: skip


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the folder {str(folder)!r} for the ledger of cases cannot be made ({error.strerror}); "
            "make the data folder writable, or name another ledger"
        ) from error
