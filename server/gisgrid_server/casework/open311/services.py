"""What does Open311 say of the classes that can be reported, and of the server itself?"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Final, Literal

import gisgrid
from gisgrid.desk import Attribute, Service, Services
from gisgrid.schema import Text
from gisgrid_server.casework.open311.writing import FORMS, NotHereError
from gisgrid_server.casework.service import Casework

Language = Literal["zh", "en"]

SPECIFICATION: Final = "http://wiki.open311.org/GeoReport_v2"
PATH: Final = "/open311/v2"

_OPEN: Final = Text(zh="任何人都可以不带密钥上报；密钥请向运行者申请。", en="Everybody may report without a key; ask the operator for one.")  # fmt: skip
_BY_KEY: Final = Text(zh="上报需要密钥，请向运行者申请。", en="Reports need a key; ask the operator for one.")  # fmt: skip


def services_content(services: Services, language: Language) -> list[dict[str, Any]]:
    """List the classes that can be reported.

    Parameters
    ----------
    services
        The classes.
    language
        Of their words.

    Returns
    -------
    list of dict
        In their order. All are ``realtime``: whoever reports hears the id of the request at once.
    """
    return [
        {
            "service_code": one.code,
            "service_name": getattr(one.name, language),
            "description": getattr(one.description or one.name, language),
            "metadata": bool(one.attributes),
            "type": "realtime",
            "keywords": ",".join(one.keywords),
            "group": getattr(one.group, language),
        }
        for one in services
    ]


def definition_content(services: Services, code: str, language: Language) -> dict[str, Any]:
    """Tell what is asked about a report of a class.

    Parameters
    ----------
    services
        The classes.
    code
        The code of one.
    language
        Of its words.

    Returns
    -------
    dict
        The class and its attributes.

    Raises
    ------
    NotHereError
        There is no such class.
    """
    if code not in services:
        raise NotHereError(f"service_code {code[:60]!r} was not found; GET services lists them")
    service: Service = services[code]
    attributes = [_attribute(one, i, language) for i, one in enumerate(service.attributes, 1)]
    return {"service_code": code, "attributes": attributes}


def discovery_content(casework: Casework, base: str, language: Language) -> dict[str, Any]:
    """Tell where the server's interfaces are.

    Parameters
    ----------
    casework
        The cases.
    base
        What addresses begin with.
    language
        Of its sentences.

    Returns
    -------
    dict
        One endpoint, in both forms.
    """
    settings = casework.settings
    changed = _changed(settings.cases_rules).isoformat(timespec="seconds")
    title = getattr(casework.catalogue.about.title, language)
    endpoint = {
        "specification": SPECIFICATION,
        "url": f"{base}{PATH}",
        "changeset": changed,
        "type": "production",
        "formats": list(FORMS.values()),
    }
    return {
        "changeset": changed,
        "contact": settings.open311_contact or f"{title}: {base}/",
        "key_service": getattr(_OPEN if settings.public_reports else _BY_KEY, language),
        "endpoints": [endpoint],
    }


def _attribute(one: Attribute, order: int, language: Language) -> dict[str, Any]:
    found: dict[str, Any] = {
        "variable": one.variable,
        "code": one.code,
        "datatype": one.datatype,
        "required": one.required,
        "datatype_description": getattr(one.hint, language) if one.hint is not None else None,
        "order": order,
        "description": getattr(one.description, language),
    }
    if one.values:
        found["values"] = [{"key": value.key, "name": getattr(value.name, language)} for value in one.values]  # fmt: skip
    return found


def _changed(rules: Path | None) -> dt.datetime:
    """Tell when what can be reported changed last: the city's rules, or the program."""
    files = list(rules.glob("*.toml")) if rules is not None else []
    times = [file.stat().st_mtime for file in files or [Path(gisgrid.__file__)]]
    return dt.datetime.fromtimestamp(max(times), tz=dt.UTC)
