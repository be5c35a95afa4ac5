"""A small city with a few cases, and the people who work on them."""

import datetime as dt
import uuid

import pytest
from gisgrid_server.edge.keys import new_key
from pyproj import Transformer

from gisgrid.catalogue import Catalogue, FolderStore
from gisgrid.desk import Desk, Report

HOLDERS = {
    "centre": {"role": "system", "owners": ["*"], "grids": ["*"], "classes": ["*"]},
    "district": {"role": "district", "grids": ["*"], "classes": ["*"]},
    "parks": {"role": "bureau", "owners": ["urban_management"], "grids": ["*"], "classes": ["*"]},
    "water": {"role": "bureau", "owners": ["water"], "grids": ["*"], "classes": ["*"]},
    "west": {"role": "subdistrict", "owners": ["subdistrict:419801001"], "grids": ["419801001"], "classes": ["*"]},
    "walker": {"role": "collector", "grids": ["419801001"], "classes": ["02"]},
    "reader": {},
}  # fmt: skip
PARKS = "0117"


@pytest.fixture(scope="session")
def place():
    """Longitude and latitude of metres east and north of the city's corner; east of 400 is the other sub-district."""
    to_degrees = Transformer.from_crs(4547, 4326, always_xy=True)
    return lambda east=100, north=100: to_degrees.transform(500_000.0 + east, 3_895_000.0 + north)


class Office:
    """The server of a small city, the keys of its people, and its desk as another worker has it."""

    def __init__(self, root, client, keys, desk, place):
        self.root, self.client, self.keys, self.desk, self.place = root, client, keys, desk, place

    def ask(self, path, holder="centre", *, method="GET", **options):
        key = self.keys.get(holder)
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return self.client.request(method, f"/api/desk/{path}", headers=headers, **options)

    def get(self, path, holder="centre", **params):
        answer = self.ask(path, holder, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def report(self, code=PARKS, *, east=100, north=100, **said):
        lon, lat = self.place(east, north)
        report = Report(lon=lon, lat=lat, service_code=code, **said)
        return self.desk.report(report, client_id=str(uuid.uuid4()), by="walker").case_id

    def act(self, case_id, kind, holder="centre", *, expected=None, **said):
        version = expected if expected is not None else self.desk.ledger.case(case_id).version
        return self.ask(
            f"cases/{case_id}/events", holder, method="POST", json={"kind": kind, "expected": version, **said}
        )  # fmt: skip

    def brought_to(self, state, code=PARKS, **said):
        """A case that has come as far as a state."""
        case_id = self.report(code, **said)
        for kind in ("filed", "dispatched", "handled", "feedback", "verified", "closed"):
            if self.desk.ledger.case(case_id).state == state:
                break
            self.desk.act(case_id, kind, by="centre")
        return case_id

    def listed(self, holder="centre", **params):
        return [case["case_id"] for case in self.get("cases", holder, **params)["cases"]]


@pytest.fixture
def ledger_address(request):
    """Where the cases are kept: beside the data, or for who asks by the parameter "postgresql" in a database of its own."""
    if getattr(request, "param", "sqlite") == "postgresql":
        return request.getfixturevalue("postgresql_url")
    return None


@pytest.fixture
def office(small_city, serve, place, ledger_address):
    made = {name: new_key(name, **rights) for name, rights in HOLDERS.items()}
    file = small_city / "keys.toml"
    file.write_text("\n".join(lines for _, lines in made.values()), "utf-8")
    client = serve(small_city, keys_file=file, cases=ledger_address)
    store = FolderStore(small_city / "data")
    catalogue = Catalogue.read(small_city / "layers")
    with Desk.open(catalogue, store, ledger=ledger_address, follow=False) as desk:
        keys = {name: key for name, (key, _) in made.items()}
        yield Office(small_city, client, keys, desk, place)


@pytest.fixture
def now():
    return dt.datetime.now(tz=dt.UTC)
