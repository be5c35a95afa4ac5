"""What event does a report make? Its case, its unit, its owner and its deadline, all by the city's rules."""

from __future__ import annotations

import datetime as dt
import hashlib
from base64 import b32encode
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gisgrid.casework.ledger import Event, EventKind
from gisgrid.casework.routing import Routing
from gisgrid.desk.due import Timetable
from gisgrid.desk.places import Place
from gisgrid.desk.reports import Report
from gisgrid.desk.services import Services


@dataclass(frozen=True)
class Incoming:
    """What a city's rules make of a report.

    Attributes
    ----------
    services
        What can be reported.
    routing
        Who owns what.
    timetable
        When what is due.
    zone
        Where the administration's clocks hang.
    opens
        The kind of event that begins a case.
    """

    services: Services
    routing: Routing
    timetable: Timetable
    zone: ZoneInfo
    opens: EventKind

    def event(
        self, report: Report, place: Place, *, client_id: str, by: str, now: dt.datetime
    ) -> Event:
        """Make the event that a report is.

        Parameters
        ----------
        report
            The report, as `check` lets it through.
        place
            Where it lies in the grid.
        client_id
            The sender's id of the upload.
        by
            Who reports.
        now
            The ledger's time.

        Returns
        -------
        Event
            With all that follows from the rules.

        Raises
        ------
        InputError
            An id is none, or the deadline lies in a year whose holidays are not known.
        """
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
        case_id = case_id_of(client_id, now.astimezone(self.zone).date())
        at = report.at if report.at is not None else now
        return Event(case_id, self.opens, at, by, (float(report.lon), float(report.lat)), "", data)


def case_id_of(client_id: str, day: dt.date) -> str:
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
