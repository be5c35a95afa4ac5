"""What does somebody report by Open311? A form is read to a report."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile

from gisgrid.desk import Report, ReportError, Service, Services
from gisgrid_server.casework.open311.writing import Refusal

_ATTRIBUTE: Final = re.compile(r"^attribute\[([^\[\]]{1,100})\](\[\])?$")
_OWN_PHOTO: Final = re.compile(r"/media/([0-9a-f]{64})\.jpg(?:\?|$)")
_CHINESE: Final = re.compile(r"[\u3400-\u9fff]")
_NAMES: Final = {"lon": "long", "contact.name": "first_name and last_name", "contact.phone": "phone", "contact.email": "email"}  # fmt: skip
"""What the standard calls a field of a report."""


@dataclass(frozen=True)
class Sent:
    """A form of ``POST requests``.

    Attributes
    ----------
    report
        What is reported; photos that come with it are not in it yet.
    photos
        The photos that come with it.
    """

    report: Report
    photos: tuple[UploadFile, ...]


def read_form(form: FormData, services: Services) -> Sent:
    """Read a form.

    Parameters
    ----------
    form
        Its fields and files; what is empty counts as not said.
    services
        What can be reported.

    Returns
    -------
    Sent
        The report. A ``media_url`` of this server's own photos names them; others are not fetched and are not kept.

    Raises
    ------
    Refusal
        Something is missing or means nothing; all of it is told.

    Notes
    -----
    CRS: ``lat`` and ``long`` are WGS84 degrees.
    """
    said = {name: value.strip() for name, value in form.multi_items() if isinstance(value, str) and value.strip()}  # fmt: skip
    wrong: list[tuple[int, str]] = []
    service = _service(said.get("service_code"), services, wrong)
    lon, lat = _place(said, wrong)
    attributes = _attributes(form, service)
    if wrong:
        raise Refusal(*wrong)
    report = Report(
        lon, lat, said["service_code"], description=_description(said), source="open311",
        photos=tuple(_OWN_PHOTO.findall(said.get("media_url", "")))[:1], attributes=attributes, contact=dict(_contact(said)),
    )  # fmt: skip
    files = (value for _, value in form.multi_items() if isinstance(value, UploadFile))
    return Sent(report, tuple(file for file in files if file.size != 0))


def refusal_of(error: ReportError) -> Refusal:
    """Say in the standard's words what is wrong with a report.

    Parameters
    ----------
    error
        What the desk says.

    Returns
    -------
    Refusal
        One error per field.
    """
    found = []
    for name, sentence in error.faults:
        code = name.removeprefix("attributes.")
        called = _NAMES.get(name, name) if code == name else f"attribute[{code}]"
        found.append((400, sentence if sentence.startswith(called) else f"{called}: {sentence}"))
    return Refusal(*found)


def _service(code: str | None, services: Services, wrong: list[tuple[int, str]]) -> Service | None:
    if code is None:
        wrong.append((400, "service_code was not provided; GET services lists them"))
    elif code not in services:
        wrong.append((404, f"service_code {code[:60]!r} was not found; GET services lists them"))
    else:
        return services[code]
    return None


def _place(said: Mapping[str, str], wrong: list[tuple[int, str]]) -> tuple[float, float]:
    if "lat" in said and "long" in said:
        lon, lat = (_number(said[name]) for name in ("long", "lat"))
        if lon is not None and lat is not None:
            return lon, lat
        wrong.append((400, f"lat {said['lat'][:40]!r} and long {said['long'][:40]!r} are no degrees (WGS84); write 34.75 and 113.65"))  # fmt: skip
    elif "lat" in said or "long" in said:
        wrong.append((400, "lat and long go together, one of them was not provided; send both"))
    elif "address_string" in said or "address_id" in said:
        wrong.append((400, "an address alone is not looked up here; send lat and long of the place too, and the address for those who go there"))  # fmt: skip
    else:
        wrong.append((400, "no place was provided; send lat and long"))
    return 0.0, 0.0


def _attributes(form: FormData, service: Service | None) -> dict[str, Any]:
    """Read the answers to what the class asks: ``attribute[code]=value``, ``attribute[code][]=value`` for several."""
    kinds = {one.code: one.datatype for one in service.attributes} if service else {}
    found: dict[str, Any] = {}
    for name, value in form.multi_items():
        match = _ATTRIBUTE.match(name)
        if match is None or not isinstance(value, str) or not value.strip():
            continue
        code = match[1]
        if kinds.get(code) == "multivaluelist":
            found.setdefault(code, []).append(value.strip())
        elif kinds.get(code) == "number":
            number = _number(value)
            found[code] = value if number is None else number
        else:
            found[code] = value.strip()
    return found


def _number(text: str) -> float | None:
    try:
        return float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None


def _description(said: Mapping[str, str]) -> str:
    """Give the words of the report; how the reporter names the place belongs to them."""
    words, address = said.get("description", ""), said.get("address_string", "")
    return "\n".join(part for part in (words, address if address not in words else "") if part)


def _contact(said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    first, last = said.get("first_name", ""), said.get("last_name", "")
    name = f"{last}{first}" if _CHINESE.search(first + last) else f"{first} {last}".strip()
    for key, value in (("name", name), ("phone", said.get("phone", "")), ("email", said.get("email", ""))):  # fmt: skip
        if value:
            yield key, value
