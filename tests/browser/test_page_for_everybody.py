"""Phones, colour-blind and dark-adapted readers, screen readers, failing networks, machines without Chinese fonts."""

import json

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def axe(project):
    """The rules of axe-core, as a script."""
    script = project / "server/web/node_modules/axe-core/axe.min.js"
    if not script.is_file():
        pytest.skip("axe-core is not installed (make assets)")
    return script.read_text(encoding="utf-8")


def violations(page, axe):
    page.evaluate(axe)
    found = page.evaluate(
        "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })"
    )
    return [
        (each["id"], [node["html"][:120] for node in each["nodes"][:3]])
        for each in found["violations"]
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, axe, keep_picture, language, scheme):
    page = open_page(f"#lang={language}", width=1440, height=900, color_scheme=scheme)
    assert page.get_attribute("html", "data-theme") == scheme
    assert violations(page, axe) == []
    page.locator("#places button").first.click()
    page.wait_for_selector("#drawer #score")
    page.locator(".about").first.evaluate("about => (about.open = true)")
    page.ready()
    assert violations(page, axe) == []
    keep_picture(page, f"drawer-{language}-{scheme}")


def test_axe_finds_nothing_in_a_table_and_in_a_month(open_page, axe):
    page = open_page("#lang=en&month=2025-08")
    assert violations(page, axe) == []
    page.click("li:has(input[name=communities]) .table-button")
    page.locator("#table tbody tr").first.wait_for()
    assert violations(page, axe) == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_phone_has_a_sheet_of_three_heights_and_room_for_fingers(
    open_page, axe, keep_picture, language
):
    page = open_page(f"#lang={language}", width=360, height=740, has_touch=True, is_mobile=True)
    still = "() => !document.querySelector('.panel').getAnimations().length"
    heights = []
    for _ in range(3):
        page.wait_for_function(still)
        heights.append(page.locator(".panel").bounding_box()["height"])
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.locator(".sheet-handle").click()
    page.wait_for_function(still)
    assert heights == sorted(heights)
    assert len(set(heights)) == 3
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, summary, label:has(input)")]
          .filter((each) => each.checkVisibility() && each.getBoundingClientRect().width > 0)
          .filter((each) => each.getBoundingClientRect().height < 43.5)
          .map((each) => each.outerHTML.slice(0, 90))"""
    )
    assert small == []
    assert violations(page, axe) == []
    keep_picture(page, f"phone-{language}")


def test_a_tap_on_a_phone_opens_the_drawer_as_a_sheet(open_page, keep_picture):
    page = open_page(
        "#lang=zh&layers=communities&map=12.0/35.19/114.0", width=390, height=844, has_touch=True
    )
    page.touchscreen.tap(150, 200)
    page.wait_for_selector("#drawer")
    box = page.locator("#drawer").bounding_box()
    assert box["x"] <= 1
    assert box["y"] > 844 / 3
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep_picture(page, "phone-drawer")


def test_twice_the_text_size_is_usable(open_page):
    page = open_page("#lang=en", width=640, height=400)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    page.locator(".sheet-handle").click()
    page.locator(".sheet-handle").click()
    page.locator("#places button").first.scroll_into_view_if_needed()
    assert page.locator("#places button").first.is_visible()


def test_reduced_motion_means_no_flight(open_page):
    page = open_page("#lang=en", reduced_motion="reduce")
    moved = page.evaluate(
        """() => {
          const before = window.gisgrid.map.getZoom();
          document.querySelector("#places button").click();
          return [before, window.gisgrid.map.getZoom(), window.gisgrid.map.isMoving()];
        }"""
    )
    assert moved[1] > moved[0]
    assert moved[2] is False


def test_forced_colours_keep_the_classes(open_page, keep_picture):
    page = open_page("#lang=en", forced_colors="active")
    assert (
        page.locator(".legend .swatch").first.evaluate(
            "each => getComputedStyle(each).forcedColorAdjust"
        )
        == "none"
    )
    keep_picture(page, "forced-colours")


def test_dark_mode_turns_the_map_and_its_legend_alike(open_page, project):
    page = open_page("#lang=en")
    page.click("#theme")
    page.ready()
    night = json.loads((project / "server/web/src/night.json").read_text(encoding="utf-8"))
    colours = page.evaluate(
        "JSON.stringify(window.gisgrid.map.getPaintProperty('issue_hotspots-fill', 'fill-color'))"
    )
    fills = page.locator("ul[data-layer=issue_hotspots] li >> nth=0").inner_html()
    assert night["#b2182b"] in colours
    assert "#b2182b" not in colours
    assert night["#b2182b"] in fills


def test_chinese_is_drawn_on_a_machine_without_chinese_fonts(open_page):
    page = open_page("#lang=zh&map=12.0/35.19/114.0")
    loaded = page.evaluate(
        "[...document.fonts].filter((face) => face.status === 'loaded').map((face) => face.family)"
    )
    assert any("Noto Sans SC" in family for family in loaded), loaded
    families = [f'"{family.strip(chr(34))}"' for family in loaded]
    # A missing glyph is the same box for every character; drawn ones differ.
    ink = page.evaluate(
        """(family) => ["社", "村", "街"].map((character) => {
          const pen = Object.assign(document.createElement("canvas"), { width: 32, height: 32 }).getContext("2d");
          pen.font = `28px ${family}`;
          pen.fillText(character, 2, 27);
          return [...pen.getImageData(0, 0, 32, 32).data].join("");
        })""",
        ", ".join(families),
    )
    assert len(set(ink)) == 3
    asked = page.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
    assert any("chinese-simplified" in url for url in asked)


def test_tiles_that_fail_leave_the_others_working_and_can_be_asked_again(open_page):
    broken = {"now": True}

    def fail(page):
        page.route(
            "**/tiles/issue_hotspots/*/**",
            lambda route: (
                route.fulfill(status=500, body="broken") if broken["now"] else route.continue_()
            ),
        )

    page = open_page("#lang=en", strict=False, before=fail)
    notice = page.locator("li:has(> .layer-line input[name=issue_hotspots]) .failed")
    notice.wait_for()
    assert page.drawn("communities-boundary") > 0
    broken["now"] = False
    notice.locator("button").click()
    page.ready()
    page.wait_for_function(
        "() => window.gisgrid.map.queryRenderedFeatures({ layers: ['issue_hotspots-fill'] }).length > 0"
    )
    assert notice.count() == 0


def test_a_map_that_cannot_open_says_what_failed(browser, address):
    context = browser.new_context(locale="en")
    page = context.new_page()
    problem = {
        "title": "Not ready",
        "status": 503,
        "detail": "the data are being read",
        "detail_zh": "正在读取数据",
    }
    page.route("**/api/catalogue", lambda route: route.fulfill(status=503, json=problem))
    page.goto(address)
    page.wait_for_selector(".notices .failed")
    assert "the data are being read (status 503)" in page.inner_text(".notices")
    page.unroute("**/api/catalogue")
    page.click(".notices button")
    page.wait_for_selector("body[data-ready=true]", state="attached")
    assert page.locator("#finding").count() == 1
    context.close()


def test_a_browser_without_webgl_still_has_the_tables(open_page):
    def without_webgl(page):
        page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null;")

    page = open_page("#lang=en", strict=False, before=without_webgl)
    assert "no WebGL" in page.inner_text(".no-map")
    page.click("li:has(input[name=communities]) .table-button")
    page.locator("#table tbody tr").first.wait_for()
    assert page.locator("#table tbody tr").count() == 50


def test_every_layer_says_its_source_and_what_was_left_out(open_page):
    page = open_page("#lang=en")
    layer = next(
        each for each in page.answer("api/catalogue")["layers"] if each["id"] == "issue_hotspots"
    )
    about = page.locator("li:has(> .layer-line input[name=issue_hotspots]) .about")
    about.locator("summary").click()
    said = about.inner_text()
    for reason, n in layer["excluded"].items():
        assert f"{reason} {n:,}" in said
    assert "Data as of" in said
