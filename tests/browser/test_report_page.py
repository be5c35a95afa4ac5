"""The phone page in a real browser: three taps, no network, killed in the middle, refused, reported before."""

import io
import json
import re
import shutil
import socket
import threading
import time

import pytest
from PIL import Image

pytestmark = pytest.mark.browser
PATIENCE_MS = 60_000
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SMALL = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
SENT = "#done[data-state=sent]"
WAITING = "#done[data-state=waiting]"


class Phone:
    """A phone with the page open; everything that a playwright page can do, and what a finger does to this one."""

    def __init__(self, context, address, wrong):
        self.context, self.address, self.wrong = context, address, wrong
        self.posts = []
        context.on("request", lambda each: each.method == "POST" and self.posts.append(each))
        self.page = self.another_page()

    def __getattr__(self, name):
        return getattr(self.page, name)

    def another_page(self):
        page = self.context.new_page()
        page.on(
            "console",
            lambda each: each.type in {"error", "warning"} and self.wrong.append(each.text),
        )
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        return page

    def open(self):
        self.page.goto(f"{self.address}/report")
        self.ready()
        return self

    def ready(self):
        self.page.wait_for_selector("#send")
        self.page.wait_for_selector("body[data-ready=true]", state="attached")

    def here(self):
        """Wait until the phone knows where it is."""
        self.page.wait_for_function(
            "() => document.querySelector('#place strong').innerText !== '…'"
        )
        self.page.wait_for_function(
            r"() => /\d+ (米|m)/.test(document.querySelector('#place').innerText)"
        )

    def works_offline(self):
        """Wait until the worker is in charge and has everything that was on the screen."""
        self.page.wait_for_function("() => navigator.serviceWorker.controller !== null")
        self.page.wait_for_load_state("networkidle")

    def choose(self, at=0):
        self.page.locator(".class-grid button").nth(at).tap()

    def send(self):
        self.page.tap("#send")

    @property
    def reports(self):
        return [each for each in self.posts if each.url.endswith("/api/report")]

    def said(self, at=-1):
        """What was sent as a report."""
        return json.loads(self.reports[at].post_data)

    def kept(self):
        """The states of what the phone keeps."""
        return self.page.evaluate(
            """() => new Promise((done) => {
              const opening = indexedDB.open("gisgrid-report");
              opening.onsuccess = () => {
                const all = opening.result.transaction("reports").objectStore("reports").getAll();
                all.onsuccess = () => done(all.result.map(({ state }) => state));
              };
            })"""
        )

    def has_kept(self, field):
        """Wait until the phone keeps a report in which something is said: a reload forgets what is still on its way to the disk."""
        self.page.wait_for_function(
            """(field) => new Promise((done) => {
              const opening = indexedDB.open("gisgrid-report");
              opening.onsuccess = () => {
                const all = opening.result.transaction("reports").objectStore("reports").getAll();
                all.onsuccess = () => done(all.result.some((report) => Boolean(report[field])));
              };
            })""",
            arg=field,
        )

    def largest_photo(self):
        """The bytes of the largest photo that the phone keeps."""
        numbers = self.page.evaluate(
            """() => new Promise((done) => {
              const opening = indexedDB.open("gisgrid-report");
              opening.onsuccess = () => {
                const all = opening.result.transaction("photos").objectStore("photos").getAll();
                all.onsuccess = async () => {
                  const [first] = all.result.sort((left, right) => right.size - left.size);
                  done([...new Uint8Array(await first.arrayBuffer())]);
                };
              };
            })"""
        )
        return bytes(numbers)


def cases_at(phone, lon, lat):
    """The cases that the server knows at a place."""
    path = f"/api/report/here?lon={lon}&lat={lat}&radius_m=3"
    return phone.context.request.get(f"{phone.address}{path}").json()["nearby"]


@pytest.fixture(scope="session")
def middle(address):
    """A place in the city where nothing has been reported yet, a new one for each test."""
    import httpx

    west, south, east, north = httpx.get(f"{address}/api/catalogue", timeout=60).json()["bbox"]
    used = iter(range(10_000))

    def place():
        step = next(used)
        return {
            "longitude": round((west + east) / 2 + 0.002 * (step % 9 - 4), 6),
            "latitude": round((south + north) / 2 + 0.002 * (step // 9 - 4), 6),
            "accuracy": 8,
        }

    return place


@pytest.fixture
def phone(browser, address, middle):
    """Make a phone at a place of its own; afterwards no error may have been seen that was not expected."""
    made = []

    def make(*, expected="$^", like=PHONE, language="zh-CN", at=address, located=True, **options):
        place = middle()
        if located:
            options |= {"geolocation": place, "permissions": ["geolocation"]}
        context = browser.new_context(locale=language, **like, **options)
        context.set_default_timeout(PATIENCE_MS)
        one = Phone(context, at, [])
        made.append((one, expected))
        one.place = (place["longitude"], place["latitude"])
        return one

    yield make
    for one, _ in made:
        one.context.close()
    assert [told for one, expected in made for told in one.wrong if not re.search(expected, told)] == []  # fmt: skip


def jpeg(width=3000, height=2000, *, lon=None, lat=None):
    """A photo as a camera writes it, with its place where one is given."""
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    if lon is not None:
        degrees = lambda value: (float(int(value)), float(int(value % 1 * 60)), value * 60 % 1 * 60)  # noqa: E731
        exif.get_ifd(0x8825).update({1: "N", 2: degrees(lat), 3: "E", 4: degrees(lon)})
    written = io.BytesIO()
    picture.save(written, "JPEG", exif=exif)
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": written.getvalue()}


def test_from_opening_to_sent_in_three_taps(phone, keep_picture):
    one = phone().open()
    one.here()
    keep_picture(one.page, "report-zh-light")
    with one.page.expect_file_chooser() as camera:
        one.tap("#take-photo")  # 1
    camera.value.set_files(jpeg())
    one.wait_for_selector(".photo img")
    one.choose()  # 2
    one.wait_for_selector("#deadline")
    assert re.search(r"\d 个?(工作日|自然日|工作小时|紧急小时)", one.inner_text("#deadline"))
    assert re.fullmatch(r"\d{12,15}", one.inner_text("#facts .code"))
    keep_picture(one.page, "report-zh-class")
    one.send()  # 3
    one.wait_for_selector(SENT)
    lon, lat = one.place
    case = cases_at(one, lon, lat)[0]
    assert case["case_id"] == one.inner_text("#case-id")
    said = one.said()
    assert (said["lon"], said["lat"], said["accuracy_m"]) == (lon, lat, 8)
    assert len(said["photos"]) == 1
    assert case["service_code"] == said["service_code"]
    keep_picture(one.page, "report-zh-sent")


def test_a_photo_is_made_small_and_forgets_its_camera(phone):
    one = phone().open()
    one.set_input_files("#camera", jpeg(4000, 1000))
    one.wait_for_selector(".photo img")
    picture = Image.open(io.BytesIO(one.largest_photo()))
    assert picture.format == "JPEG"
    assert picture.size == (2048, 512)
    assert not picture.getexif()


def test_the_place_of_a_photo_is_offered_and_never_taken_unasked(phone):
    one = phone().open()
    one.here()
    lon, lat = one.place
    one.set_input_files("#album", jpeg(lon=lon + 0.003, lat=lat))
    one.wait_for_selector("#photo-place")
    assert re.search(r"2\d\d 米", one.inner_text("#photo-place"))
    one.tap("#photo-place .pill.strong")
    one.wait_for_selector("#photo-place", state="detached")
    assert "取自照片" in one.inner_text("#place")
    one.choose()
    one.send()
    one.wait_for_selector(SENT)
    assert one.said()["lon"] == pytest.approx(lon + 0.003, abs=2e-5)


def test_a_photo_without_a_place_and_a_file_that_is_no_photo_are_told(phone):
    one = phone(language="en-GB").open()
    one.set_input_files("#album", jpeg())
    one.wait_for_selector("text=The photo names no place")
    broken = {"name": "IMG_1.HEIC", "mimeType": "image/heic", "buffer": b"no picture"}
    one.set_input_files("#album", broken)
    one.wait_for_selector("#photo-fault")
    assert "image/heic" in one.inner_text("#photo-fault")
    assert one.locator(".photo img").count() == 1


def test_without_a_network_it_waits_and_is_sent_once(phone, keep_picture):
    one = phone().open()
    one.here()
    one.works_offline()
    one.context.set_offline(True)
    one.wait_for_selector("#offline.notice")
    one.set_input_files("#camera", jpeg())
    one.wait_for_selector(".photo img")
    one.choose()
    one.send()
    one.wait_for_selector(WAITING)
    keep_picture(one.page, "report-zh-waiting")
    assert one.kept() == ["waiting"]
    one.context.set_offline(False)
    one.wait_for_selector(SENT)
    one.page.wait_for_timeout(1_000)
    assert len(cases_at(one, *one.place)) == 1
    assert one.kept() == ["sent"]
    assert len(one.reports) == 1


def test_it_opens_in_aeroplane_mode_after_the_first_visit(phone):
    one = phone(expected="504|ERR_INTERNET_DISCONNECTED").open()
    one.here()
    one.works_offline()
    name = one.inner_text("#place strong")
    one.context.set_offline(True)
    one.page.reload()
    one.ready()
    one.page.wait_for_function(
        "name => document.querySelector('#place strong').innerText === name", arg=name
    )
    one.choose()
    one.send()
    one.wait_for_selector(WAITING)
    one.page.close()  # killed with a report on the way
    one.context.set_offline(False)
    one.page = one.another_page()
    one.open()
    one.tap("#open-outbox")
    one.wait_for_selector("#outbox li[data-state=sent]")
    assert len(cases_at(one, *one.place)) == 1


def test_an_answer_that_is_lost_does_not_make_two_cases(phone):
    one = phone(expected="ERR_FAILED").open()
    one.here()
    lost = []

    def lose(route):
        if not lost:
            lost.append(route.fetch().status)
            return route.abort()
        return route.continue_()

    one.page.route("**/api/report", lose)
    one.choose()
    one.send()
    one.wait_for_selector(SENT)
    assert lost == [201]
    assert "没有重复立案" in one.inner_text("#done")
    assert len(cases_at(one, *one.place)) == 1


def test_a_draft_is_kept_at_every_change(phone):
    one = phone().open()
    one.here()
    one.set_input_files("#camera", jpeg())
    one.wait_for_selector(".photo img")
    one.choose(2)
    chosen = one.inner_text("#chosen-class strong")
    one.fill("#note", "就在公交站后面")
    one.has_kept("description")
    one.page.reload()
    one.ready()
    assert one.input_value("#note") == "就在公交站后面"
    assert one.inner_text("#chosen-class strong") == chosen
    one.wait_for_selector(".photo img")
    assert "上次的草稿" in one.inner_text(".restored")
    one.tap(".restored button")
    one.wait_for_selector(".class-grid")
    assert one.kept() == []


def test_a_refused_report_shows_the_field_and_can_be_mended(phone, keep_picture):
    one = phone(expected="400").open()
    one.here()

    def spoil(route):
        said = route.request.post_data_json | {"description": "长" * 5_000, "lat": 95}
        route.continue_(post_data=json.dumps(said))

    one.page.route("**/api/report", spoil)
    one.choose()
    one.fill("#note", "说明")
    one.send()
    one.wait_for_selector("#done[data-state=refused]")
    assert one.kept() == ["refused"]
    said = one.inner_text("#done .fault")
    assert "图钉" in said, "one of two fields at fault was not told"
    assert "说明" in said
    assert not re.search("[a-z]", said), f"the server's English is shown: {said}"
    keep_picture(one.page, "report-zh-refused")
    one.tap("#correct")
    one.wait_for_selector("#note-fault")
    assert one.get_attribute("#note", "aria-invalid") == "true"
    one.page.unroute("**/api/report")
    one.fill("#note", "短")
    one.wait_for_selector("#note-fault", state="detached")
    one.send()
    one.wait_for_selector(SENT)
    assert one.said()["description"] == "短"
    assert len({one.said(at)["client_id"] for at in range(len(one.reports))}) == 1


def test_what_waits_can_be_opened_again(phone):
    one = phone().open()
    one.here()
    one.context.set_offline(True)
    one.choose()
    one.send()
    one.wait_for_selector(WAITING)
    one.tap("#open-outbox")
    one.tap("#outbox li[data-state=waiting] .pill.strong")
    one.wait_for_selector("#outbox", state="detached")
    one.fill("#note", "补充")
    one.context.set_offline(False)
    one.wait_for_selector("#offline:not(.notice)", state="attached")
    assert one.reports == []
    one.send()
    one.wait_for_selector(SENT)
    assert one.said()["description"] == "补充"


def test_a_report_that_may_be_the_same_is_shown_and_never_blocks(phone):
    one = phone().open()
    one.here()
    one.choose()
    one.send()
    one.wait_for_selector(SENT)
    first = one.inner_text("#case-id")
    one.tap("#another")
    one.choose()
    one.wait_for_selector("#nearby li")
    one.tap("#nearby li .pill.strong")
    assert first in one.inner_text("#nearby")
    assert one.get_attribute("#nearby li button", "aria-pressed") == "true"
    one.send()
    one.wait_for_selector(SENT)
    assert one.said()["same_as"] == first
    one.tap("#another")
    one.choose()
    one.wait_for_selector("#nearby li")
    one.send()
    one.wait_for_selector(SENT)
    assert one.said()["same_as"] is None


def test_the_map_moves_the_pin(phone):
    one = phone().open()
    one.here()
    box = one.locator(".map-view").bounding_box()
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 2
    one.mouse.move(x, y)
    one.mouse.down()
    one.mouse.move(x + 60, y + 40, steps=5)
    one.mouse.up()
    one.wait_for_selector("#place:has-text('地图上放置')")
    one.choose()
    one.has_kept("service_code")
    one.page.reload()
    one.ready()
    assert "地图上放置" in one.inner_text("#place")
    one.send()
    one.wait_for_selector(SENT)
    said = one.said()
    assert said["accuracy_m"] is None
    assert said["lon"] < one.place[0]
    assert said["lat"] > one.place[1]


def test_without_permission_for_the_position_the_map_is_asked_for(phone):
    one = phone(located=False, language="en-GB").open()
    one.wait_for_selector("#place:has-text('No permission')")
    one.choose()
    one.send()
    one.wait_for_selector("#place-fault")
    one.focus(".maplibregl-canvas")
    one.keyboard.press("ArrowLeft")
    one.wait_for_selector("#place:has-text('placed on the map')")
    one.send()
    one.wait_for_selector(SENT)


def test_what_is_missing_is_said_where_it_is(phone):
    one = phone(language="en-GB").open()
    one.here()
    one.send()
    one.wait_for_selector("#class-fault")
    one.wait_for_function("() => document.activeElement.closest('#classes') !== null")


def test_every_class_is_found_by_a_search_in_either_language(phone):
    one = phone().open()
    one.tap("#all-classes")
    n = one.locator("#class-dialog [data-code]").count()
    assert f"{n} 类" in one.inner_text("#all-classes")
    one.fill("#class-search", "dirty road")
    one.wait_for_function("() => document.querySelectorAll('#class-dialog [data-code]').length < 5")
    one.locator("#class-dialog [data-code]").first.tap()
    assert one.inner_text("#chosen-class strong") == "道路不洁"


def test_a_full_phone_says_so_and_still_sends(phone):
    one = phone()
    one.context.add_init_script(
        """IDBObjectStore.prototype.put = () => {
          throw new DOMException("no room", "QuotaExceededError");
        };"""
    )
    one.open()
    one.here()
    one.choose()
    one.wait_for_selector("#unkept")
    assert "空间不足" in one.inner_text("#unkept")
    one.send()
    one.wait_for_selector(SENT)
    assert len(cases_at(one, *one.place)) == 1


def test_the_language_changes_without_a_reload(phone):
    one = phone().open()
    one.choose()
    one.page.evaluate("window.sameAsBefore = true")
    one.tap("#language")
    assert one.inner_text("#send") == "Send"
    assert one.get_attribute("html", "lang") == "en"
    assert one.page.evaluate("window.sameAsBefore") is True
    assert one.locator("#chosen-class").count() == 1


def test_a_key_is_kept_on_the_phone_and_goes_with_every_request(phone):
    one = phone(expected="401").open()
    one.here()
    one.tap("#open-settings")
    one.fill("#worker-key", "k" * 43)
    with one.page.expect_request("**/api/desk/me") as asked:
        one.locator("#settings form").first.locator("button").tap()
    assert asked.value.headers["authorization"] == f"Bearer {'k' * 43}"
    one.wait_for_selector("#key-told:has-text('不认识')")
    one.keyboard.press("Escape")
    one.page.reload()
    one.ready()
    one.tap("#open-settings")
    assert one.input_value("#worker-key") == "k" * 43


def test_it_can_be_installed(phone):
    one = phone().open()
    one.works_offline()
    devtools = one.context.new_cdp_session(one.page)
    manifest = devtools.send("Page.getAppManifest")
    assert manifest["errors"] == []
    told = json.loads(manifest["data"])
    for icon in told["icons"]:
        answer = one.context.request.get(f"{one.address}/{icon['src']}")
        assert answer.ok
        assert len(answer.body()) < 100_000
        if icon["type"] == "image/png":
            side = int(icon["sizes"].split("x")[0])
            assert Image.open(io.BytesIO(answer.body())).size == (side, side)
    found = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [each["errorId"] for each in found if each["errorId"] != "in-incognito"] == []


@pytest.fixture
def other_version(project, layers_dir, city_data, tmp_path, monkeypatch):
    """A server of its own whose page can be replaced by a newer one."""
    import uvicorn
    from gisgrid_server import app as application
    from gisgrid_server.settings import Settings

    folder = tmp_path / "static"
    shutil.copytree(project / "server/gisgrid_server/static", folder)
    monkeypatch.setattr(application, "static_folder", lambda: folder)
    settings = Settings(
        layers=layers_dir, data=city_data, cases=f"sqlite:///{tmp_path}/cases.db", media=tmp_path
    )
    server = uvicorn.Server(uvicorn.Config(application.create_app(settings), log_level="warning"))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start within a minute"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}", folder
    server.should_exit = True
    thread.join(10)


def test_a_new_version_waits_until_it_is_wanted_and_keeps_the_draft(phone, other_version):
    address, folder = other_version
    one = phone(at=address).open()
    one.works_offline()
    one.fill("#note", "半条")
    worker = folder / "sw.js"
    text = worker.read_text("utf-8")
    build = re.search(r"gisgrid-report-files-.{0,20}?([0-9a-f]{8})", text)
    assert build is not None
    worker.write_text(text.replace(build[1], "0ther000"), "utf-8")
    page = folder / "report.html"
    page.write_text(page.read_text("utf-8").replace("<body ", '<body data-version="2" '), "utf-8")
    one.page.evaluate("navigator.serviceWorker.getRegistration().then((each) => each.update())")
    one.wait_for_selector("#update")
    assert one.locator("body[data-version]").count() == 0
    one.tap("#update button")
    one.page.wait_for_selector("body[data-version='2']", state="attached")
    one.ready()
    assert one.input_value("#note") == "半条"


@pytest.fixture(scope="session")
def axe(project):
    """The rules of axe-core, as a script."""
    script = project / "server/web/node_modules/axe-core/axe.min.js"
    if not script.is_file():
        pytest.skip("axe-core is not installed (make assets)")
    return script.read_text(encoding="utf-8")


def violations(one, axe):
    one.page.evaluate(axe)
    found = one.page.evaluate(
        "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })"
    )
    return [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in found["violations"]]  # fmt: skip


def small_targets(one):
    return one.page.evaluate(
        """() => [...document.querySelectorAll("button, a, input:not([type=radio]), textarea, .choice-row label")]
          .filter((each) => each.checkVisibility() && each.getBoundingClientRect().width > 0)
          .filter((each) => !each.closest(".maplibregl-ctrl"))
          .filter((each) => {
            const { width, height } = each.getBoundingClientRect();
            return Math.min(width, height) < 43.5;
          })
          .map((each) => each.outerHTML.slice(0, 90))"""
    )


@pytest.mark.parametrize(("language", "scheme"), [("zh-CN", "light"), ("en-GB", "dark")])
def test_everybody_can_use_it(phone, axe, keep_picture, language, scheme):
    one = phone(like=SMALL, language=language, color_scheme=scheme).open()
    one.here()

    def look(name):
        assert violations(one, axe) == []
        assert small_targets(one) == []
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 360
        keep_picture(one.page, f"report-360-{language[:2]}-{scheme}-{name}")

    look("open")
    one.tap("#all-classes")
    look("classes")
    one.keyboard.press("Escape")
    one.set_input_files("#camera", jpeg())
    one.wait_for_selector(".photo img")
    one.choose()
    one.wait_for_selector("#deadline")
    look("class")
    one.send()
    one.wait_for_selector(SENT)
    look("sent")
    one.tap("#open-outbox")
    look("outbox")
    one.keyboard.press("Escape")
    one.tap("#open-settings")
    look("settings")


def test_the_keyboard_reaches_everything(phone):
    one = phone(language="en-GB").open()
    one.here()
    order = []
    for _ in range(16):
        one.keyboard.press("Tab")
        order.append(
            one.page.evaluate("document.activeElement.id || document.activeElement.className")
        )
    for name in (
        "language",
        "open-outbox",
        "open-settings",
        "take-photo",
        "all-classes",
        "note",
        "send",
    ):
        assert name in order
