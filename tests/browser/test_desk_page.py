"""The desk in a real browser: a report goes its way to its end, two desks meet, news come in, a phone and a screen reader are enough."""

import datetime as dt
import socket
import threading
import time
import uuid

import openpyxl
import pytest
from pyproj import Transformer

pytestmark = pytest.mark.browser

PARKS = "0117"


class Office:
    """A running server of a small city, its keys, and a desk beside it that acts without a page."""

    def __init__(self, address, keys, desk):
        self.address, self.keys, self.desk = address, keys, desk
        self._place = Transformer.from_crs(4547, 4326, always_xy=True)

    def report(self, code=PARKS, *, east=100, **said):
        from gisgrid.desk import Report

        lon, lat = self._place.transform(500_000.0 + east, 3_895_100.0)
        report = Report(lon=lon, lat=lat, service_code=code, **said)
        return self.desk.report(report, client_id=str(uuid.uuid4()), by="walker").case_id

    def state(self, case_id):
        return self.desk.ledger.case(case_id).state


@pytest.fixture
def office(project, small_city):
    if not (project / "server/gisgrid_server/static/desk.html").is_file():
        pytest.skip("the desk page has not been built (make assets)")
    import uvicorn
    from gisgrid_server.app import create_app
    from gisgrid_server.edge.keys import new_key
    from gisgrid_server.settings import Settings

    from gisgrid.catalogue import Catalogue, FolderStore
    from gisgrid.desk import Desk

    all_ = {"grids": ["*"], "classes": ["*"]}
    made = {
        "centre": new_key("centre", role="system", owners=["*"], **all_),
        "parks": new_key("parks", role="bureau", owners=["urban_management"], **all_),
    }
    (small_city / "keys.toml").write_text("\n".join(lines for _, lines in made.values()), "utf-8")
    settings = Settings(
        layers=small_city / "layers", data=small_city / "data", keys_file=small_city / "keys.toml", warm=False
    )  # fmt: skip
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(settings), log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start within a minute"
        time.sleep(0.05)
    store = FolderStore(small_city / "data")
    with Desk.open(Catalogue.read(small_city / "layers"), store, follow=False) as desk:
        keys = {name: key for name, (key, _) in made.items()}
        yield Office(f"http://127.0.0.1:{listening.getsockname()[1]}", keys, desk)
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def sit_down(browser, office):
    """Open the desk with a key; afterwards no error of the page may have been seen."""
    contexts, wrong = [], []

    def opened(hash_="#lang=en", *, holder="centre", width=1440, height=900, **options):
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", **options
        )
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        if holder is not None:
            key = office.keys[holder]
            page.add_init_script(f"sessionStorage.setItem('gisgrid.desk.key', '{key}')")
        page.goto(f"{office.address}/desk{hash_}")
        page.wait_for_selector("#found:not(:empty)" if holder else "#key", state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def press(page, keys, *, then):
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_selector(then)


def send(page, why=""):
    page.wait_for_selector(".step-dialog textarea")
    if why:
        page.fill(".step-dialog textarea", why)
    page.press(".step-dialog textarea", "Control+Enter")
    page.wait_for_selector(".step-dialog", state="detached")


def test_who_comes_without_a_key_is_asked_for_one(sit_down, office, keep_picture):
    page = sit_down("#lang=zh", holder=None)
    page.fill("#key", "not-a-key")
    page.click("button[type=submit]")
    page.wait_for_selector("form .notice.failed")
    keep_picture(page, "desk-key")
    page.fill("#key", office.keys["parks"])
    page.click("button[type=submit]")
    page.wait_for_selector(".filters")
    assert office.keys["parks"] not in page.url
    page.click("#leave")
    page.wait_for_selector("#key")
    assert page.evaluate("sessionStorage.length") == 0


def test_a_report_goes_its_way_by_the_keyboard(sit_down, office, keep_picture):
    case_id = office.report(description="井盖破损")
    page = sit_down()
    page.wait_for_selector(f".row[data-id='{case_id}']")
    page.keyboard.press("j")
    press(page, ["Enter"], then="#case .history li")
    assert "井盖破损" in page.inner_text("#case")
    keep_picture(page, "desk-case")
    for letter, state in (("d", "dispatched"), ("h", "handled"), ("v", "verified")):
        page.keyboard.press(letter)
        send(page)
        page.wait_for_function(
            "([id, state]) => window.gisgrid.store.state.rows.find((row) => row.case_id === id)?.state === state",
            arg=[case_id, state],
        )
        assert office.state(case_id) == state
    page.click("#case [data-step=closed]")
    send(page)
    page.wait_for_selector("#case .deadline [data-stands=met]")
    assert office.state(case_id) == "closed"
    kinds = office.desk.ledger.events(case_ids=[case_id])["kind"].to_list()
    assert kinds == ["reported", "filed", "dispatched", "handled", "feedback", "verified", "closed"]


def test_a_return_demands_its_reason(sit_down, office):
    case_id = office.report()
    for kind in ("filed", "dispatched"):
        office.desk.act(case_id, kind, by="centre")
    page = sit_down(f"#lang=en&case={case_id}", holder="parks")
    page.wait_for_selector("#case [data-step=returned]")
    page.keyboard.press("r")
    page.press(".step-dialog textarea", "Control+Enter")
    page.wait_for_selector(".step-dialog .notice.failed")
    assert office.state(case_id) == "dispatched"
    send(page, "不属于本单位")
    page.wait_for_selector("#case .said")
    assert "不属于本单位" in page.inner_text("#case .history")
    assert office.state(case_id) == "filed"


def test_letters_speak_of_the_open_case_even_where_the_list_does_not_hold_it(sit_down, office):
    case_id = office.report()
    page = sit_down(f"#lang=en&class=0125&case={case_id}")
    page.wait_for_selector("#case .steps button")
    page.wait_for_selector(".empty .chip")
    page.keyboard.press("d")
    send(page)
    page.wait_for_selector("#case [data-step=handled]")
    assert office.state(case_id) == "dispatched"
    page.keyboard.press("h")  # the letters know what came of the last one
    send(page)
    page.wait_for_selector("#case [data-step=feedback]")
    assert page.locator(".row").count() == 0


def figures_of(page):
    """The table of indicators as it is shown: headings, and the cells of each row by its name."""
    lines = page.locator("#figures tr").all()
    texts = [[cell.inner_text() for cell in line.locator("th, td").all()] for line in lines]
    return texts[0], {line[0]: line[1:] for line in texts[1:]}


def test_the_indicators_of_a_period_are_told_apart(sit_down, office, keep_picture):
    for kind, east in ((PARKS, 100), (PARKS, 120), ("0125", 500)):
        case_id = office.report(kind, east=east)
        for step in ("filed", "dispatched"):
            office.desk.act(case_id, step, by="centre")
    for step in ("handled", "feedback", "verified", "closed"):
        office.desk.act(case_id, step, by="centre")
    page = sit_down("#lang=en")
    page.wait_for_selector(".row")
    page.keyboard.press("i")
    page.wait_for_selector("#figures .whole")
    headings, rows = figures_of(page)
    at = headings.index("Filed") - 1
    assert {name: cells[at] for name, cells in rows.items()} == {
        "Together": "3",
        "Urban management bureau": "2",
        "Water bureau": "1",
    }
    closed = headings.index("Closed") - 1
    assert [rows[name][closed] for name in ("Together", "Water bureau")] == ["1", "1"]
    keep_picture(page, "desk-figures")
    assert page.locator("#figures .change").count() == 0
    page.click("#figures [data-kind=week]")
    page.wait_for_selector("#period[data-written*=W]")
    page.select_option("#figures-by", "subdistrict_code")
    page.wait_for_selector("#figures tbody tr:nth-child(3)")
    assert {cells[at] for cells in figures_of(page)[1].values()} == {"3", "2", "1"}
    page.click("#period-before")
    page.wait_for_selector("#figures-none")
    assert page.is_enabled("#period-after")
    page.click("#period-after")
    page.wait_for_selector("#figures .whole")
    assert page.is_disabled("#period-after")
    page.click("#figures tbody tr:nth-child(3) .link")
    page.wait_for_selector("#figures", state="detached")
    page.wait_for_function("() => window.gisgrid.store.state.filters.unit.length === 9")


def test_the_indicators_are_compared_with_the_period_before(
    sit_down, office, monkeypatch, keep_picture
):
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    for n, at in ((2, yesterday), (3, None)):
        if at is not None:
            monkeypatch.setattr(office.desk.ledger, "_clock", lambda at=at: at)
        for i in range(n):
            office.report(east=100 * i + 100)
        monkeypatch.undo()
    page = sit_down("#lang=en")
    page.wait_for_selector(".row")
    page.keyboard.press("i")
    page.click("#figures [data-kind=day]")
    page.wait_for_selector("#period[data-written*='-']")
    page.check("#figures-compare")
    page.wait_for_selector("#figures .change")
    headings, rows = figures_of(page)
    assert rows["Together"][headings.index("Reported") - 1].split("\n") == ["3", "before: +50 %"]
    keep_picture(page, "desk-figures-compared")
    page.click("#period-before")
    page.wait_for_selector("#figures .change", state="detached")


def test_the_colours_of_states_are_those_of_the_map(sit_down, office):
    case_id = office.report()
    page = sit_down()
    page.wait_for_selector(f".row[data-id='{case_id}'] .state i")
    seen = page.evaluate(
        "getComputedStyle(document.querySelector('.row .state i')).backgroundColor"
    )
    layers = page.request.get(f"{office.address}/api/catalogue").json()["layers"]
    (style,) = next(layer["style"] for layer in layers if layer["id"] == "cases")
    match = style["paint"]["circle-color"]
    red, green, blue = bytes.fromhex(match[match.index("reported") + 1].removeprefix("#"))
    assert seen == f"rgb({red}, {green}, {blue})"


def test_the_second_of_two_desks_is_told_and_keeps_what_it_wrote(sit_down, office, keep_picture):
    case_id = office.report()
    office.desk.act(case_id, "filed", by="centre")
    page = sit_down(f"#lang=en&case={case_id}")
    page.click("#case [data-step=void]")
    page.fill(".step-dialog textarea", "a prank")
    office.desk.act(case_id, "dispatched", by="the other desk")
    page.press(".step-dialog textarea", "Control+Enter")
    page.wait_for_selector("#conflict")
    said = page.inner_text("#conflict")
    assert "the other desk" in said
    assert "Dispatch" in said
    assert page.input_value(".step-dialog textarea") == "a prank"
    assert page.is_disabled(".step-dialog button[type=submit]")
    keep_picture(page, "desk-conflict")
    assert office.state(case_id) == "dispatched"


def test_news_come_in_without_moving_the_list(sit_down, office, keep_picture):
    first = office.report()
    page = sit_down()
    page.wait_for_selector(".line[data-line=live]")
    second = office.report(east=500)
    page.wait_for_selector("#fresh")
    assert page.locator(".row").count() == 1
    keep_picture(page, "desk-news")
    office.desk.act(first, "filed", by="another worker")
    page.wait_for_selector(f".row[data-id='{first}']:has-text('Filed')")
    page.click("#fresh")
    page.wait_for_selector(f".row[data-id='{second}']")
    assert page.locator("#fresh").count() == 0


def test_several_are_dispatched_together(sit_down, office):
    cases = [office.report(east=100 + 20 * i) for i in range(3)]
    page = sit_down()
    for box in page.locator(".row input").all():
        box.check()
    page.click("#bulk")
    page.click(".step-dialog button[type=submit]")
    page.wait_for_selector(".step-dialog", state="detached")
    assert {office.state(case_id) for case_id in cases} == {"dispatched"}
    assert page.locator(".bulk").count() == 0


def test_filters_are_in_the_address_and_what_is_filtered_is_saved(sit_down, office, tmp_path):
    case_id = office.report()
    office.report("0125")
    page = sit_down()
    page.select_option("#service", PARKS)
    page.wait_for_function("() => window.gisgrid.store.state.rows.length === 1")
    assert f"class={PARKS}" in page.url
    page.reload()
    page.wait_for_selector(f".row[data-id='{case_id}']")
    assert page.locator(".row").count() == 1
    page.click("#export")
    with page.expect_download() as download:
        page.click(".step-dialog button[type=submit]")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    rows = list(openpyxl.load_workbook(path).worksheets[0].values)
    assert [row[0] for row in rows[1:]] == [case_id]
    page.click(".chip[data-due=provisional]")
    page.wait_for_selector(".empty .chip")
    page.go_back()
    page.wait_for_selector(".row")


@pytest.mark.parametrize("look", ["zh-light", "zh-dark", "en-light", "en-dark"])
def test_axe_finds_nothing(sit_down, office, project, keep_picture, look):
    language, scheme = look.split("-")
    script = project / "server/web/node_modules/axe-core/axe.min.js"
    if not script.is_file():
        pytest.skip("axe-core is not installed (make assets)")
    case_id = office.report(description="路面破损")
    office.desk.act(case_id, "filed", by="centre")
    page = sit_down(f"#lang={language}", color_scheme=scheme)
    axe = script.read_text(encoding="utf-8")

    def violations():
        page.evaluate(axe)
        found = page.evaluate(
            "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })"
        )
        return [(each["id"], [node["html"][:160] for node in each["nodes"][:3]]) for each in found["violations"]]  # fmt: skip

    page.wait_for_selector(".row")
    assert violations() == []
    page.click(f".row[data-id='{case_id}'] .open")
    page.wait_for_selector("#case .history li")
    assert violations() == []
    page.click("#case [data-step=dispatched]")
    page.wait_for_selector(".step-dialog")
    assert violations() == []
    page.keyboard.press("Escape")
    page.click("#help")
    assert violations() == []
    keep_picture(page, f"desk-{look}")
    page.keyboard.press("Escape")
    page.click("#open-figures")
    page.wait_for_selector("#figures .whole")
    assert violations() == []
    keep_picture(page, f"desk-figures-{look}")


def test_the_other_language_comes_without_a_reload(sit_down, office):
    office.report()
    page = sit_down("#lang=zh")
    page.evaluate("window.kept = true")
    page.click("#language")
    page.wait_for_selector("h1:has-text('Desk')")
    assert page.get_attribute("html", "lang") == "en"
    assert page.evaluate("window.kept")


def test_a_phone_has_room_for_fingers(sit_down, office, keep_picture):
    case_id = office.report()
    page = sit_down("#lang=zh", width=390, height=844, has_touch=True, is_mobile=True)
    page.wait_for_selector(".row")

    def fits():
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, select")]
              .filter((each) => each.checkVisibility({ visibilityProperty: true }))
              .filter((each) => each.getBoundingClientRect().height < 43.5)
              .map((each) => each.outerHTML.slice(0, 120))"""
        )
        assert small == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

    fits()
    keep_picture(page, "desk-phone")
    page.click(f".row[data-id='{case_id}'] .open")
    page.wait_for_selector("#case .steps button")
    fits()
    keep_picture(page, "desk-phone-case")
    page.click("#close-case")
    page.click("#open-figures")
    page.wait_for_selector("#figures .whole")
    fits()
    keep_picture(page, "desk-phone-figures")
    page.click("#figures header button")
    page.click(".tabs button >> nth=1")
    page.wait_for_selector(".stage canvas")
    fits()
