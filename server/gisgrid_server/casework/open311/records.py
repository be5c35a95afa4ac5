"""What does Open311 say of a case? A request, by the words of the standard."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

from gisgrid.casework.ledger import Case
from gisgrid.desk import Accepted, Desk, Place, Service
from gisgrid.schema import Text
from gisgrid_server.edge.rights import Rights

Language = Literal["zh", "en"]


@dataclass(frozen=True)
class _Said:
    """What was said of a case: its words, its first photo, and the reason of its last step."""

    description: str | None = None
    photo: str | None = None
    why: str = ""


_NOTHING = _Said()


class Records:
    """Tells of cases as Open311 does.

    Everybody hears the public fields: class, place, times, state, owner. What the reporter wrote and the reason of the last
    step are for who may see the case, or for everybody where the city says so; the photo is always for who may see the case.
    Who reported is told to nobody.

    Parameters
    ----------
    desk
        The cases.
    everybody_reads
        Whether what reporters wrote is for everybody.
    """

    def __init__(self, desk: Desk, *, everybody_reads: bool) -> None:
        self._desk, self._everybody_reads = desk, everybody_reads
        self._zone = ZoneInfo(desk.timezone)

    def requests(
        self,
        cases: Sequence[Case],
        rights: Rights,
        *,
        base: str,
        language: Language,
        extended: bool,
    ) -> list[dict[str, Any]]:
        """Tell of cases.

        Parameters
        ----------
        cases
            The cases.
        rights
            Who asks.
        base
            What addresses begin with.
        language
            Of names and sentences.
        extended
            Whether the fields of the bulk specification are told too.

        Returns
        -------
        list of dict
            In the order of the cases; fields without a value are None.

        Raises
        ------
        LedgerError
            The ledger does not answer.
        """
        seen = {case.case_id for case in cases if rights.sees(case)}
        read = {case.case_id for case in cases} if self._everybody_reads else seen
        said = self._said(read)
        made = []
        for case in cases:
            words = said.get(case.case_id, _NOTHING)
            request = self._request(case, words, language)
            if words.photo is not None and case.case_id in seen:
                request["media_url"] = f"{base}/media/{words.photo}.jpg"
            if extended:
                request |= self._more(case, language)
            made.append(request)
        return made

    def taken(self, accepted: Accepted, language: Language) -> dict[str, Any]:
        """Tell who reported what became of it.

        Parameters
        ----------
        accepted
            As the desk says.
        language
            Of the notice.

        Returns
        -------
        dict
            The id of the request, and who settles it by when.
        """
        owner = self._desk.owners.title(accepted.owner)
        if accepted.place.outside:
            notice = Text(zh="位置在本市网格之外，已登记。", en="The place lies outside the city's grid; the report is registered.")  # fmt: skip
        elif accepted.due_at is None:
            notice = Text(zh=f"由{owner.zh}处理。", en=f"It is settled by {owner.en}.")
        else:
            due = accepted.due_at.astimezone(self._zone)
            notice = Text(zh=f"由{owner.zh}处理，期限 {due:%Y-%m-%d %H:%M}。", en=f"It is settled by {owner.en} until {due:%Y-%m-%d %H:%M}.")  # fmt: skip
        return {"service_request_id": accepted.case_id, "service_notice": getattr(notice, language), "account_id": None}  # fmt: skip

    def _request(self, case: Case, words: _Said, language: Language) -> dict[str, Any]:
        place = self._places.get(case.unit_code or "")
        return {
            "service_request_id": case.case_id,
            "status": "open" if case.state in self._desk.life_cycle.open_states else "closed",
            "status_notes": "; ".join(part for part in (self._state(case.state, language), words.why) if part),
            "service_name": self._service_name(case, language),
            "service_code": case.category_code or "",
            "description": words.description,
            "agency_responsible": getattr(self._desk.owners.title(case.owner), language) if case.owner else None,
            "service_notice": None,
            "requested_datetime": self._moment(case.reported_at),
            "updated_datetime": self._moment(case.changed_at),
            "expected_datetime": self._moment(case.due_at),
            "address": None if place is None else _address(place, language),
            "address_id": case.unit_code,
            "zipcode": None,
            "lat": case.lat,
            "long": case.lon,
            "media_url": None,
        }  # fmt: skip

    def _more(self, case: Case, language: Language) -> dict[str, Any]:
        """Give the fields of the bulk specification."""
        is_open = case.state in self._desk.life_cycle.open_states
        service = self._service(case)
        return {
            "closed_date": None if is_open else self._moment(case.closed_at or case.state_at),
            "status_description": self._state(case.state, language),
            "source": case.source,
            "service_subtype": None if service is None else getattr(service.group, language),
        }

    def _said(self, case_ids: Iterable[str]) -> Mapping[str, _Said]:
        wanted = sorted(case_ids)
        if not wanted:
            return {}
        found: dict[str, _Said] = {}
        opens = self._desk.life_cycle.opens
        events = self._desk.ledger.events(case_ids=wanted)
        for case_id, kind, why, data in events[["case_id", "kind", "why", "data"]].itertuples(index=False, name=None):  # fmt: skip
            before = found.get(case_id, _NOTHING)
            photos = data.get("photos") or [None]
            description = data.get("description") if kind == opens else before.description
            found[case_id] = _Said(description, before.photo or photos[0], why)
        return found

    def _service(self, case: Case) -> Service | None:
        code, services = case.category_code, self._desk.services
        return None if code is None or code not in services else services[code]

    def _service_name(self, case: Case, language: Language) -> str:
        service = self._service(case)
        if service is not None:
            return str(getattr(service.name, language))
        return case.category or case.category_code or ""

    def _state(self, state: str, language: Language) -> str:
        return str(getattr(self._titles[state], language))

    @cached_property
    def _titles(self) -> Mapping[str, Text]:
        return {state.id: state.title for state in self._desk.life_cycle.state}

    @cached_property
    def _places(self) -> Mapping[str, Place]:
        return {place.unit_code: place for place in self._desk.ground.places if place.unit_code}

    def _moment(self, time: dt.datetime | None) -> str | None:
        return None if time is None else time.astimezone(self._zone).isoformat(timespec="seconds")


def _address(place: Place, language: Language) -> str | None:
    """Name a place from its smallest unit to its largest, as the standard wants it."""
    names = place.names_en if language == "en" and place.names_en else place.names
    told = [names[level] for level in ("unit", "community", "subdistrict") if names.get(level)]
    return ", ".join(told) or None
