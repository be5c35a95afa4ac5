"""What `gisgrid ingest` is asked for, option by option, and what that means for the library."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from gisgrid.errors import ColumnError, InputError
from gisgrid.files import require_folder
from gisgrid.intake import ColumnMapping, Stated
from gisgrid.report import require_page_suffix


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    files: tuple[str, ...]
    output: Path
    units: tuple[str, ...] = ()
    units_crs: str | None = None
    streets: Path | None = None
    places: str | None = None
    layers: Path | None = None
    data: Path | None = None
    mapping: Path | None = None
    columns: tuple[str, ...] = ()
    datum: str | None = None
    timezone: str | None = None
    day_first: bool | None = None
    taxonomy: str | None = None
    as_of: str | None = None
    layer: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    output_crs: str | None = None
    report: Path | None = None
    rejects: Path | None = None
    language: Literal["zh", "en"] = "zh"

    @property
    def page(self) -> Path:
        """Where the page goes."""
        return self.report or self.output.with_name(f"{self.output.stem}.intake.html")

    @property
    def provenance(self) -> Path:
        """Where it is written how the result was made."""
        return self.output.with_name(f"{self.output.name}.provenance.json")


def check(request: Request) -> None:
    """Refuse, before anything is read, a page that could not be written.

    Parameters
    ----------
    request
        What the user asked for.
    """
    require_page_suffix(request.page)
    require_folder(request.page)


def stated(request: Request, *, timezone: str | None) -> Stated:
    """Say what the user states of the files.

    Parameters
    ----------
    request
        What the user asked for.
    timezone
        The city's, where a catalogue says it.

    Returns
    -------
    Stated
        For `gisgrid.intake.ingest`.

    Raises
    ------
    InputError
        ``--as-of`` is no date.
    """
    mapping = None if request.mapping is None else ColumnMapping.read(request.mapping)
    kept = None if mapping is None else mapping.timezone
    zone = request.timezone or kept or timezone
    return Stated(
        columns=columns_stated(request.columns), datum=request.datum, timezone=zone,
        taxonomy=request.taxonomy, day_first=request.day_first, as_of=_moment(request.as_of, zone), mapping=mapping,
        layer=request.layer, delimiter=request.delimiter, encoding=request.encoding,
    )  # fmt: skip


def columns_stated(options: Iterable[str]) -> dict[str, str]:
    """Read what the user says of columns.

    Parameters
    ----------
    options
        Each ``role=name``, as ``--column`` has it.

    Returns
    -------
    dict
        Role to column.

    Raises
    ------
    ColumnError
        One of them names no role.

    Examples
    --------
    >>> columns_stated(["lon=经度", "lat=纬度"])
    {'lon': '经度', 'lat': '纬度'}
    """
    return dict(_role_and_name(text) for text in options)


def _role_and_name(text: str) -> tuple[str, str]:
    role, sign, name = text.partition("=")
    if not sign or not role.strip():
        raise ColumnError(
            f"--column {text!r} names no role; write role=name, for example --column lon=经度"
        )
    return role.strip(), name.strip()


def _moment(text: str | None, timezone: str | None) -> dt.datetime | None:
    """Read when the files were exported; a day lasts until its end, in the zone of the times."""
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"--as-of {text!r} is no date; write 2026-03-04 or 2026-03-04T18:00+08:00"
        ) from error
    if len(text) == len("2026-03-04"):
        moment += dt.timedelta(days=1, microseconds=-1)
    if moment.tzinfo is not None:
        return moment
    try:
        return moment.replace(tzinfo=ZoneInfo(timezone or "UTC"))
    except (KeyError, ValueError) as error:
        raise InputError(
            f"--timezone {timezone!r} is no time zone; write for example Asia/Shanghai"
        ) from error
