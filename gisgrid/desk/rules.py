"""Which rules does a city run its cases by? A folder of declared tables; what it leaves out is built in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gisgrid.casework.deadlines import DeadlineTable, WorkCalendar, read_calendar, read_deadlines
from gisgrid.casework.ledger import LifeCycle, read_life_cycle
from gisgrid.casework.routing import RoutingRules, read_rules
from gisgrid.desk.services import Services, read_services
from gisgrid.errors import InputError
from gisgrid.intake.classes.taxonomy import taxonomy_named

FILES: Final = ("routing.toml", "deadlines.toml", "calendar.toml", "life_cycle.toml", "services.toml")  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """What a city declares about its cases.

    Attributes
    ----------
    routing
        Who owns what.
    deadlines
        By when.
    calendar
        When the administration works.
    life_cycle
        What may follow what.
    services
        What can be reported.
    """

    routing: RoutingRules
    deadlines: DeadlineTable
    calendar: WorkCalendar
    life_cycle: LifeCycle
    services: Services


def read_city_rules(folder: str | Path | None = None) -> Rules:
    """Read a city's folder of rules.

    Parameters
    ----------
    folder
        With any of ``routing.toml``, ``deadlines.toml``, ``calendar.toml``, ``life_cycle.toml``, ``services.toml``; without
        it all is as it is built in. Without ``services.toml`` every class of the routing's scheme can be reported.

    Returns
    -------
    Rules
        All five, of one scheme of classes.

    Raises
    ------
    InputError
        The folder is not there or holds another file, a table breaks a rule, or two speak of different schemes of classes.

    Examples
    --------
    >>> read_city_rules().services["0110"].name.zh
    '暴露生活垃圾'
    """
    place = None if folder is None else Path(folder)
    if place is not None:
        _refuse_strangers(place)

    def own(name: str) -> Path | None:
        return place / name if place is not None and (place / name).is_file() else None

    routing = read_rules(path) if (path := own("routing.toml")) else read_rules()
    deadlines = read_deadlines(path) if (path := own("deadlines.toml")) else read_deadlines()
    calendar = read_calendar(own("calendar.toml"))
    cycle = read_life_cycle(path) if (path := own("life_cycle.toml")) else read_life_cycle()
    services = read_services(path) if (path := own("services.toml")) else Services.of(taxonomy_named(routing.scheme))  # fmt: skip
    _demand_one_scheme(services.scheme, routing.scheme, deadlines.taxonomy)
    return Rules(routing, deadlines, calendar, cycle, services)


def _refuse_strangers(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"the folder of rules {str(folder)!r} is not there; make it, or name none")
    strange = sorted(path.name for path in folder.glob("*.toml") if path.name not in FILES)
    if strange:
        raise InputError(
            f"the folder of rules {str(folder)!r} holds {strange[0]!r}, which is none of {', '.join(FILES)}; rename it"
        )


def _demand_one_scheme(services: str, routing: str, deadlines: str) -> None:
    def known(name: str) -> str:
        try:
            return taxonomy_named(name).id
        except InputError:
            return name

    for what, other in (("routing.toml", routing), ("deadlines.toml", deadlines)):
        if known(other) != known(services):
            raise InputError(
                f"the services are of the scheme {services!r} and {what} is of {other!r}, where the same code is another class; "
                "bring both to one scheme"
            )
