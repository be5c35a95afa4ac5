"""The desk: reports come in, steps are taken, and everything that follows from the city's rules is done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from gisgrid.casework.deadlines import WorkCalendar
from gisgrid.casework.ledger import (
    ConflictError,
    Event,
    Ledger,
    LifeCycle,
    Receipt,
)
from gisgrid.casework.ledger.events import checked_id, utc, utc_now
from gisgrid.casework.routing import Routing
from gisgrid.catalogue import Catalogue, FolderStore
from gisgrid.desk.before import Before
from gisgrid.desk.due import Timetable
from gisgrid.desk.incoming import Incoming
from gisgrid.desk.ledger_file import open_ledger
from gisgrid.desk.live import LAYER, LiveCases
from gisgrid.desk.owners import Owners, class_codes
from gisgrid.desk.places import Ground, Place
from gisgrid.desk.reports import Accepted, Preview, Report, check
from gisgrid.desk.rules import Rules, read_city_rules
from gisgrid.desk.services import Services
from gisgrid.desk.steps import Steps
from gisgrid.desk.wording import deadline_words

_TRIES: Final = 5


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
    timetable
        When what is due.
    owners
        What those are called who own cases.
    """

    def __init__(
        self,
        ledger: Ledger,
        rules: Rules,
        ground: Ground,
        *,
        live: LiveCases | None = None,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self.ledger, self.rules, self.ground = ledger, rules, ground
        self._live, self._clock = live, clock
        self.routing = Routing.of(rules.routing, class_codes(rules), ground.units)
        self.timetable = Timetable(rules.deadlines, rules.calendar)
        self.timetable.warm(clock())
        self._incoming = Incoming(
            rules.services, self.routing, self.timetable, ZoneInfo(rules.calendar.timezone), rules.life_cycle.opens
        )  # fmt: skip
        self.owners, self._before = Owners(rules, ground), Before(ledger, self.locate)
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
        clock: Callable[[], dt.datetime] = utc_now,
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
        opened = open_ledger(store, said, ledger, clock=clock)
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
            place, owner, self.owners.title(owner), due.at if due else None,
            due.provisional if due else False, note, self.ground.about(place),
        )  # fmt: skip

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
        event = self._incoming.event(report, place, client_id=client_id, by=by, now=now)
        accepted: Future[Accepted] = Future()
        accepted.set_running_or_notify_cancel()  # who no longer waits does not undo it

        def answer(taken: Future[Receipt]) -> None:
            try:
                receipt = taken.result()
            except ConflictError as error:
                self._aside.submit(
                    _settle, accepted, self._before.report, report, client_id, by, error
                )
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
        sent_at: dt.datetime | None = None,
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
        sent_at
            What the sender's clock says now; a clock that is wrong by more than two minutes is corrected by it.

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
                receipt = self.ledger.append(
                    event, client_id=client_id, expected={case_id: seen},
                    sent_at=None if at is None else sent_at,
                )  # fmt: skip
            except ConflictError as error:
                if not error.case_id:
                    return self._before.step(event, said, client_id, at=at, error=error)
                if expected is not None or tries + 1 == _TRIES:
                    raise
            else:
                if self._live is not None:
                    self._live.wake()
                return receipt
        raise AssertionError  # pragma: no cover - the last try returns or raises

    def done_before(
        self,
        case_id: str,
        kind: str,
        *,
        by: str,
        client_id: str,
        why: str = "",
        data: Mapping[str, Any] | None = None,
        place: tuple[float, float] | None = None,
        at: dt.datetime | None = None,
    ) -> Receipt | None:
        """Look whether a step was done already: after a hand-over its sender may see the case no more, and sends it again.

        Parameters
        ----------
        case_id, kind, by, client_id, why, data, place, at
            As in `act`.

        Returns
        -------
        Receipt or None
            Of the first time; None where there was none, or the id was used for something else.

        Raises
        ------
        InputError
            A field breaks a rule.
        LedgerError
            The ledger does not answer.
        """
        said = dict(data or {})
        event = Event(case_id, kind, self._clock() if at is None else at, by, place, why, said)
        return self._before.find(event, said, client_id, at=at)


def _settle(future: Future[Accepted], act: Callable[..., Accepted], *arguments: object) -> None:
    try:
        future.set_result(act(*arguments))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the sender hears it
        future.set_exception(error)


def _accepted(event: Event, place: Place, receipt: Receipt) -> Accepted:
    due = event.data.get("due_at")
    at = None if due is None else dt.datetime.fromisoformat(due)
    return Accepted(event.case_id, place, event.data.get("owner"), at, receipt, receipt.repeated)
