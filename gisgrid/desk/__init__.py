"""A city's cases at work: where is it, whose is it, by when, and what happens next?

The ledger, the rules, the grid and the live layer put together, without HTTP: the server, the weekly brief and the
simulated city stand on it.
"""

from gisgrid.desk.desk import Desk
from gisgrid.desk.nearby import cases_near
from gisgrid.desk.owners import Owners
from gisgrid.desk.places import Ground, Place
from gisgrid.desk.reports import Accepted, Preview, Report, ReportError
from gisgrid.desk.rules import Rules, read_city_rules
from gisgrid.desk.services import Attribute, Service, Services, read_services

__all__ = [
    "Accepted",
    "Attribute",
    "Desk",
    "Ground",
    "Owners",
    "Place",
    "Preview",
    "Report",
    "ReportError",
    "Rules",
    "Service",
    "Services",
    "cases_near",
    "read_city_rules",
    "read_services",
]
