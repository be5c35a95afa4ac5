"""A desk to try, over a city of 16 units."""

import datetime as dt

import pytest
from pyproj import Transformer

from gisgrid.catalogue import Catalogue, FolderStore
from gisgrid.desk import Desk

NOON = dt.datetime(2026, 11, 20, 2, 0, tzinfo=dt.UTC)  # Friday, 10:00 in Shanghai


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.time = NOON

    def __call__(self):
        return self.time

    def go(self, **span):
        self.time += dt.timedelta(**span)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def lonlat():
    """Give the longitude and latitude of metres east and north of the city's corner."""
    to_degrees = Transformer.from_crs(4547, 4326, always_xy=True)

    def of(east, north):
        return to_degrees.transform(500_000.0 + east, 3_895_000.0 + north)

    return of


@pytest.fixture
def store(small_city):
    return FolderStore(small_city / "data")


@pytest.fixture
def catalogue(small_city):
    return Catalogue.read(small_city / "layers")


@pytest.fixture
def open_desk(catalogue, store, clock):
    """Open desks over the same city; all are closed at the end."""
    opened = []

    def make(**options):
        opened.append(Desk.open(catalogue, store, **{"clock": clock, **options}))
        return opened[-1]

    yield make
    for desk in opened:
        desk.close()


@pytest.fixture
def desk(open_desk):
    return open_desk()
