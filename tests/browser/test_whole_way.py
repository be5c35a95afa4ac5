"""The whole way of a report: phone, map, desk, owner, closing, indicators and the weekly page; on SQLite and on PostgreSQL.

A real server of two processes serves two browsers, and everything is seen as the people see it.
"""

import datetime as dt
import io
import os
import re
import subprocess
import sys
import time
from zoneinfo import ZoneInfo

import httpx
import mapbox_vector_tile
import pandas as pd
import pytest
from PIL import Image
from pyproj import Transformer

from gisgrid.casework.deadlines import due_times, read_calendar, read_deadlines
from gisgrid.tiles import bbox_tiles

pytestmark = pytest.mark.browser
PATIENCE_S = 60
LON, LAT = Transformer.from_crs(4547, 4326, always_xy=True).transform(500_100.0, 3_895_100.0)
UNIT, SUBDISTRICT = "419801001001001", "419801001"


class City:
    """A served city, the keys of its people, and what programs see of it."""

    def __init__(self, address, ledger, folder, keys):
        self.address, self.ledger, self.folder, self.keys = address, ledger, folder, keys

    def ask(self, path, holder="centre", **query):
        headers = {"X-API-Key": self.keys[holder]}
        answer = httpx.get(f"{self.address}{path}", params=query, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer

    def drawn(self, holder="centre"):
        """The cases in a tile of the map, by id."""
        z, x, y = next(bbox_tiles((LON, LAT, LON, LAT), 16))
        body = self.ask(f"/tiles/cases/{z}/{x}/{y}.mvt", holder).content
        features = mapbox_vector_tile.decode(body)["cases"]["features"] if body else []
        return {one["properties"]["case_id"]: one["properties"] for one in features}

    def figures(self, period):
        """The indicators of a period for the whole city."""
        (row,) = self.ask("/api/desk/indicators", period=period).json()["rows"] or [{"values": {}}]
        return row["values"]


@pytest.fixture(params=["sqlite", "postgresql"])
def city(request, project, small_city):
    if not (project / "server/gisgrid_server/static/desk.html").is_file():
        pytest.skip("the pages have not been built (make assets)")
    from gisgrid_server.edge.keys import new_key

    ledger = f"sqlite:///{small_city}/data/cases.db"
    if request.param == "postgresql":
        ledger = request.getfixturevalue("postgresql_url")
    everywhere = {"grids": ["*"], "classes": ["*"]}
    made = {
        "centre": new_key("centre", role="system", owners=["*"], **everywhere),
        "owner": new_key("owner", role="bureau", owners=["natural_resources"], **everywhere),
        "water": new_key("water", role="bureau", owners=["water"], **everywhere),
    }
    (small_city / "keys.toml").write_text("\n".join(lines for _, lines in made.values()), "utf-8")
    environment = {
        **os.environ, "GISGRID_CASES": ledger, "GISGRID_KEYS_FILE": str(small_city / "keys.toml"),
        "GISGRID_WARM": "false", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    words = [
        "--layers",
        small_city / "layers",
        "--data",
        small_city / "data",
        "--port",
        "0",
        "--workers",
        "2",
    ]
    with (small_city / "said.log").open("wb") as said:
        server = subprocess.Popen(
            [sys.executable, "-m", "gisgrid.cli", "serve", *words],
            stdout=subprocess.PIPE, stderr=said, text=True, env=environment,
        )  # fmt: skip
        try:
            line = "-"
            while line and "http://" not in line:
                line = server.stdout.readline()
            found = re.search(r"http://[^/\s]+", line)
            assert found, (small_city / "said.log").read_text("utf-8")
            keys = {name: key for name, (key, _) in made.items()}
            served = City(found[0], ledger, small_city, keys)
            wait_for(lambda: answers(served))
            yield served
        finally:
            server.terminate()
            server.wait(30)
            server.stdout.close()
    sys.stderr.write((small_city / "said.log").read_text("utf-8"))


def answers(city):
    try:
        return city.ask("/readyz").json()["status"] == "ready"
    except httpx.HTTPError:
        return False


def wait_for(is_so):
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not become so"
        time.sleep(0.1)


@pytest.fixture
def opened(browser, city):
    """Open pages; afterwards no error of any may have been seen."""
    contexts, wrong = [], []

    def make(path, holder=None, **options):
        context = browser.new_context(locale="zh-CN", **options)
        context.set_default_timeout(PATIENCE_S * 1000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        if holder:
            page.add_init_script(
                f"sessionStorage.setItem('gisgrid.desk.key', '{city.keys[holder]}')"
            )
        page.goto(f"{city.address}{path}")
        return page

    yield make
    for context in contexts:
        context.close()
    assert wrong == []


def reported(phone):
    """Report an illegal building with a photo from the phone page; gives the case's id."""
    phone.wait_for_selector("body[data-ready=true]", state="attached")
    photo = io.BytesIO()
    Image.new("RGB", (640, 480), "olive").save(photo, "JPEG")
    phone.set_input_files(
        "#camera",
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue()},
    )
    phone.wait_for_selector(".photo img")
    phone.tap(".class-grid [data-code='0101']")
    phone.wait_for_selector("#deadline")
    phone.tap("#send")
    phone.wait_for_selector("#done[data-state=sent]")
    return phone.inner_text("#case-id")


def steps(page, case_id, *ways):
    """Take steps at a desk, each by its key or its button, until the desk shows what they led to."""
    for step, state in ways:
        page.wait_for_selector("#case .steps")
        if len(step) == 1:
            page.keyboard.press(step)
        else:
            page.click(f"#case [data-step={step}]")
        page.press(".step-dialog textarea", "Control+Enter")
        page.wait_for_selector(".step-dialog", state="detached")
        page.wait_for_function(
            "([id, state]) => window.gisgrid.store.state.rows.find((row) => row.case_id === id)?.state === state",
            arg=[case_id, state],
        )


def fifteen_working_days_after(*moments):
    """When an illegal building is due: reckoned as for whole tables, not as the desk does it."""
    started = pd.Series(pd.to_datetime(list(moments), utc=True))
    reckoning = read_deadlines().reckoning
    due = due_times(started, 15, "working_days", calendar=read_calendar(), reckoning=reckoning)
    return due["due_at"].dt.to_pydatetime()


def test_a_report_goes_from_the_phone_to_the_weekly_page(city, opened, keep_picture, tmp_path):
    phone = opened(
        "/report", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, permissions=["geolocation"],
        geolocation={"longitude": LON, "latitude": LAT, "accuracy": 6},
    )  # fmt: skip
    case_id = reported(phone)

    wait_for(lambda: case_id in city.drawn())  # whichever worker answers
    assert city.drawn()[case_id]["unit_code"] == UNIT
    (case,) = [
        one for one in city.ask("/api/desk/cases").json()["cases"] if one["case_id"] == case_id
    ]
    assert case["owner"] == "natural_resources"
    assert case_id not in city.drawn("water"), "another bureau's map shows it"
    assert city.ask("/api/desk/cases", "water").json()["cases"] == []
    here = dt.datetime.fromisoformat(case["reported_at"]).astimezone(ZoneInfo("Asia/Shanghai"))
    week = f"{here:%G-W%V}"
    before = city.figures(week)
    assert (before["n_reported"], before["n_closed"]) == (1, 0)

    centre = opened(
        f"/desk#lang=zh&case={case_id}", "centre", viewport={"width": 1440, "height": 900}
    )
    centre.wait_for_selector(f".row[data-id='{case_id}']")
    steps(centre, case_id, ("d", "dispatched"))
    dispatched = city.ask(f"/api/desk/cases/{case_id}").json()
    (step,) = [one for one in dispatched["events"] if one["kind"] == "dispatched"]
    first, last = fifteen_working_days_after(step["at"], step["recorded_at"])
    assert first <= dt.datetime.fromisoformat(dispatched["due_at"]) <= last
    owner = opened(
        f"/desk#lang=zh&case={case_id}", "owner", viewport={"width": 1440, "height": 900}
    )
    owner.wait_for_selector(f".row[data-id='{case_id}']")
    owner.wait_for_selector("#case .deadline [data-stands]")
    keep_picture(owner, f"whole-way-owner-{request_name(city)}")
    steps(owner, case_id, ("h", "handled"))
    centre.wait_for_selector("#case [data-step=feedback]")  # news of the other desk
    steps(centre, case_id, ("v", "verified"), ("closed", "closed"))

    wait_for(lambda: city.drawn()[case_id]["state"] == "closed")
    after = city.figures(week)
    assert {name for name in after if before.get(name) != after[name]} >= {
        "n_filed",
        "n_handled",
        "n_closed",
    }
    assert (after["n_reported"], after["n_closed"]) == (1, 1)
    centre.keyboard.press("i")
    centre.click("#figures [data-kind=week]")
    centre.wait_for_selector("#figures tr.whole td:has-text('1')")
    keep_picture(centre, f"whole-way-figures-{request_name(city)}")
    page = tmp_path / "brief.html"
    folders = ["--layers", city.folder / "layers", "--data", city.folder / "data"]
    done = subprocess.run(
        [sys.executable, "-m", "gisgrid.cli", "brief", "--unit", SUBDISTRICT, "--period", week, "--cases", city.ledger, "-o", page, *folders],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 reported, 0 overdue" in done.stdout
    assert "街道419801001" in page.read_text("utf-8")


def request_name(city):
    return city.ledger.partition(":")[0]
