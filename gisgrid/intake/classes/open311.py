"""Which services does a city answer by Open311? A list as GeoReport v2 gives it, XML or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from gisgrid.errors import InputError

_LARGEST_BYTES: Final = 20_000_000
_BARE_CODE: Final = re.compile(r'("service_code"\s*:\s*)(-?\d+)(?=\s*[,}])')


@dataclass(frozen=True)
class Service:
    """A service of an Open311 list.

    Attributes
    ----------
    code
        Its ``service_code``, as text.
    name
        Its ``service_name``.
    text
        Name, group, keywords and description in one, to class it by.
    """

    code: str
    name: str
    text: str


def read_services(path: Path) -> tuple[Service, ...]:
    """Read a list of services.

    Parameters
    ----------
    path
        ``services.xml`` or ``services.json``. Codes written as numbers keep their leading zeros.

    Returns
    -------
    tuple of Service
        In the file's order.

    Raises
    ------
    InputError
        There is no such file, it is no list of services, or a code occurs twice.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InputError(
                f"{path.name!r} has {path.stat().st_size / 1e6:.0f} MB, which is no list of services; name services.xml or services.json"
            )
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"the services {path.name!r} cannot be read ({error.strerror}); check the spelling and the folder"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"the services {path.name!r} are not text in UTF-8 ({error.reason}); save them as UTF-8"
        ) from error
    records = _from_json(text, path.name) if path.suffix.lower() == ".json" else _from_xml(text, path.name)  # fmt: skip
    services = []
    for record in records:
        code, name = (str(record.get(k) or "").strip() for k in ("service_code", "service_name"))
        if not code or not name:
            raise InputError(
                f"{path.name!r} has a service without service_code or service_name (found {dict(record)!r}); "
                "every service needs both"
            )
        more = (str(record.get(k) or "") for k in ("group", "keywords", "description"))
        services.append(Service(code, name, " ".join((name, *more))))
    if not services:
        raise InputError(f"{path.name!r} holds no services; save the answer to GET /services")
    codes = [service.code for service in services]
    if len({*codes}) < len(codes):
        twice = next(code for code in codes if codes.count(code) > 1)
        raise InputError(
            f"{path.name!r} has the service_code {twice!r} more than once; a code names one service"
        )
    return tuple(services)


def _from_json(text: str, name: str) -> list[Mapping[str, Any]]:
    try:
        said = json.loads(_BARE_CODE.sub(r'\1"\2"', text))
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{name!r} is not JSON: {error}; save the answer again") from error
    rows = said.get("services") if isinstance(said, dict) else said
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(
            f"{name!r} is no list of services; it begins {text[:40]!r}, where GET /services.json answers [{{…}}, …]"
        )
    return rows


def _from_xml(text: str, name: str) -> list[Mapping[str, Any]]:
    if re.search(r"<!(?:DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise InputError(
            f"{name!r} declares a document type or entities, which could expand without end; remove the declaration"
        )
    try:
        root = ET.fromstring(text.encode())  # noqa: S314 - without entities
    except (ET.ParseError, RecursionError) as error:
        raise InputError(f"{name!r} is not XML: {error}; save the answer again") from error
    return [{child.tag: child.text for child in service} for service in root.iter("service")]
