"""What is a report, and what does its sender hear?"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gisgrid.casework.ledger import Receipt
from gisgrid.casework.ledger.events import checked_id, checked_text, utc
from gisgrid.desk.places import Place
from gisgrid.desk.services import Attribute, Services
from gisgrid.errors import InputError
from gisgrid.schema import Text

CONTACT: Final = ("name", "phone", "email")
_PHOTO: Final = re.compile(r"^[0-9a-f]{64}$")
_MOST_PHOTOS: Final = 10
_LONGEST: Final = 4_000
_LONGEST_CONTACT: Final = 200
_LONGEST_ANSWER: Final = 1_000


_RULES_ZH: Final = {
    "client_id": "每次上报需要一个 UUID；重发时保持不变",
    "lon": "应为 -180 至 180 之间的经度（WGS84，单位：度）",
    "lat": "应为 -90 至 90 之间的纬度（WGS84，单位：度）",
    "service_code": "应为可上报的问题类别代码，见 /api/report/services",
    "description": f"应为文字，最多 {_LONGEST} 个字符",
    "at": "应为带时区的 ISO 8601 时间，例如 2026-11-22T08:00:00+08:00",
    "sent_at": "应为带时区的 ISO 8601 时间，例如 2026-11-22T08:00:00+08:00",
    "source": "应为来源代码；未使用密钥的上报不要填写",
    "level_found": "应为发现层级；未使用密钥的上报不要填写",
    "photos": f"应为已上传照片的编号列表，最多 {_MOST_PHOTOS} 张",
    "accuracy_m": "应为 0 至 1 000 000 之间的米数",
    "attributes": "应为该类别所问问题的答案",
    "same_as": "应为已有案件的编号",
    "contact": "只能包含 name、phone、email，且应为文字",
}  # fmt: skip


def rule_zh(field: str) -> str:
    """Say in Chinese what a field of a report must be.

    Parameters
    ----------
    field
        Its name; a part of a field is named after a dot.

    Returns
    -------
    str
        The rule.

    Examples
    --------
    >>> rule_zh("contact.phone"), rule_zh("colour")
    ('只能包含 name、phone、email，且应为文字', '上报中没有这个字段，请删去')
    """
    return _RULES_ZH.get(field.partition(".")[0], "上报中没有这个字段，请删去")


class ReportError(InputError):
    """A report cannot be taken as it is.

    Attributes
    ----------
    faults
        The fields at fault and what is wrong with each.
    """

    def __init__(self, faults: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{name}: {sentence}" for name, sentence in faults))
        self.faults = faults


@dataclass(frozen=True)
class Report:
    """A problem that somebody saw.

    Attributes
    ----------
    lon, lat
        Where, WGS84 degrees.
    service_code
        The class, see `Services`.
    description
        In the reporter's words.
    at
        When it was seen, by the reporter's clock; None for now.
    source
        How it came: ``app``, ``collector``, ``hotline``, ``video``, ``open311``, …
    level_found
        The level of who saw it: ``community``, ``subdistrict``, ``district``, ``bureau``.
    photos
        SHA-256 of photos that were uploaded before.
    accuracy_m
        How exact the place is, metres.
    attributes
        Answers to what the class asks, by code.
    same_as
        A case that the reporter believes to be the same.
    contact
        ``name``, ``phone``, ``email`` of the reporter: kept in the ledger, shown to nobody without the right to see it.
    """

    lon: float
    lat: float
    service_code: str
    description: str = ""
    at: dt.datetime | None = None
    source: str = "app"
    level_found: str | None = None
    photos: tuple[str, ...] = ()
    accuracy_m: float | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    same_as: str | None = None
    contact: Mapping[str, str] = field(default_factory=dict)

    def said(self) -> dict[str, Any]:
        """Give what the reporter said, as the event keeps it; what was not said is left out."""
        found: dict[str, Any] = {"category_code": self.service_code, "source": self.source}
        if self.description:
            found["description"] = self.description
        if self.level_found is not None:
            found["level_found"] = self.level_found
        if self.photos:
            found["photos"] = list(self.photos)
        if self.accuracy_m is not None:
            found["accuracy_m"] = float(self.accuracy_m)
        if self.attributes:
            found["attributes"] = dict(self.attributes)
        if self.same_as is not None:
            found["same_as"] = self.same_as
        if self.contact:
            found["contact"] = dict(self.contact)
        return found


@dataclass(frozen=True)
class Accepted:
    """What the sender of a report hears.

    Attributes
    ----------
    case_id
        The case.
    place
        Where it lies in the grid.
    owner
        Who settles such problems there; None where nobody is declared.
    due_at
        By when, if it is dispatched at once; None where nothing is declared for its class.
    receipt
        The ledger's.
    repeated
        Whether this very upload had been taken before.
    """

    case_id: str
    place: Place
    owner: str | None
    due_at: dt.datetime | None
    receipt: Receipt
    repeated: bool


@dataclass(frozen=True)
class Preview:
    """What would become of a report.

    Attributes
    ----------
    place
        Where it would lie in the grid.
    owner, owner_title
        Who would settle it, and that one's name.
    due_at
        By when, if it were dispatched now.
    provisional
        Whether the deadline runs through a year whose holidays are not published yet.
    calendar_note
        A sentence on how the deadline was reckoned.
    unit
        What may be shown of the unit.
    """

    place: Place
    owner: str | None
    owner_title: Text
    due_at: dt.datetime | None
    provisional: bool
    calendar_note: Text
    unit: Mapping[str, Any]


def check(report: Report, services: Services) -> None:
    """See that a report can be taken.

    Parameters
    ----------
    report
        The report.
    services
        What can be reported.

    Raises
    ------
    ReportError
        It cannot; all fields at fault are told.
    """
    if faults := tuple(_faults(report, services)):
        raise ReportError(faults)


def _faults(report: Report, services: Services) -> Iterator[tuple[str, str]]:
    yield from (fault for name in ("lon", "lat") if (fault := _degrees(getattr(report, name), name)))  # fmt: skip
    if not isinstance(report.service_code, str) or report.service_code not in services:
        yield "service_code", _sentence(services, report.service_code)
    else:
        yield from _answers(report.attributes, services[report.service_code].attributes)
    for name, longest in (("description", _LONGEST),):
        if told := _refusal(checked_text, getattr(report, name), name, longest):
            yield name, told
    for name in ("source", "level_found", "same_as"):
        value = getattr(report, name)
        if (value is not None or name == "source") and (told := _refusal(checked_id, value, name)):
            yield name, told
    if report.at is not None and (told := _refusal(utc, report.at, "at")):
        yield "at", told
    accuracy = report.accuracy_m
    if accuracy is not None and (_number(accuracy) is None or not 0 <= accuracy <= 1e6):
        yield "accuracy_m", f"accuracy_m is {accuracy!r} but must be metres from 0 to 1 000 000"
    yield from _photos(report.photos)
    yield from _contact(report.contact)


def _degrees(value: object, name: str) -> tuple[str, str] | None:
    most = 180 if name == "lon" else 90
    number = _number(value)
    if number is None or abs(number) > most:
        return name, f"{name} is {value!r:.60} but must be degrees from -{most} to {most} (WGS84)"
    return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _sentence(services: Services, code: object) -> str:
    if not isinstance(code, str):
        return f"service_code is {code!r:.60} but must be text, for example {services.all[0].code!r}"  # fmt: skip
    try:
        services[code]
    except InputError as error:
        return str(error)
    return ""  # pragma: no cover - asked for unknown codes only


def _refusal(rule: Any, *arguments: object) -> str:  # noqa: ANN401 - one of the ledger's own checks
    try:
        rule(*arguments)
    except InputError as error:
        return str(error)
    return ""


def _photos(photos: object) -> Iterator[tuple[str, str]]:
    if not isinstance(photos, tuple) or len(photos) > _MOST_PHOTOS:
        yield "photos", f"photos must be a list of at most {_MOST_PHOTOS} ids"
    elif wrong := [one for one in photos if not isinstance(one, str) or not _PHOTO.match(one)]:
        yield "photos", f"photo {wrong[0]!r:.80} is no id of an uploaded photo; send the photo first and give its id"  # fmt: skip


def _contact(contact: object) -> Iterator[tuple[str, str]]:
    if not isinstance(contact, Mapping):
        yield "contact", "contact must be an object with name, phone, email"
        return
    for key, value in contact.items():
        if key not in CONTACT:
            yield "contact", f"contact has {str(key)[:40]!r}; it may have {', '.join(CONTACT)}"
        elif told := _refusal(checked_text, value, f"contact.{key}", _LONGEST_CONTACT):
            yield f"contact.{key}", told


def _answers(given: object, asked: tuple[Attribute, ...]) -> Iterator[tuple[str, str]]:
    if not isinstance(given, Mapping):
        yield "attributes", "attributes must be an object of answers by code"
        return
    known = {one.code: one for one in asked}
    for code in given:
        if code not in known:
            yield "attributes", f"this class asks for no attribute {str(code)[:40]!r}; leave it out"
    for code, one in known.items():
        value = given.get(code)
        if value is None or value in ("", []):
            if one.required and one.variable:
                yield f"attributes.{code}", f"{one.description.en}: an answer is needed"
        elif told := _answer(value, one):
            yield f"attributes.{code}", told


def _answer(value: object, one: Attribute) -> str:
    """Say what is wrong with an answer; nothing where nothing is."""
    match one.datatype:
        case "number":
            fits = _number(value) is not None
            return "" if fits else f"{value!r:.60} is no number"
        case "datetime":
            return _refusal(utc, value, one.code)
        case "singlevaluelist" | "multivaluelist":
            chosen = value if isinstance(value, list | tuple) else [value]
            keys = [choice.key for choice in one.values]
            wrong = [part for part in chosen if part not in keys]
            if one.datatype == "singlevaluelist" and len(chosen) != 1:
                return f"one value is chosen, not {len(chosen)}"
            return f"{wrong[0]!r:.60} is none of {', '.join(keys)}" if wrong else ""
    return _refusal(checked_text, value, one.code, _LONGEST_ANSWER)
