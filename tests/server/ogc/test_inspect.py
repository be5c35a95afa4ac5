"""The tile inspector and the API reference in a real browser."""

import shutil

import pytest
from gisgrid_server.pages import static_folder

CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)  # fmt: skip
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
    pytest.mark.skipif(
        not (static_folder() / "inspect.html").is_file(), reason="the pages are not built"
    ),
]


@pytest.fixture
def page():
    """A page that notes what it asks for and what goes wrong in it."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 800}, locale="en-GB")
        page.set_default_timeout(60_000)
        page.asked, page.faults = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        yield page
        browser.close()


def test_the_inspector_shows_tiles_their_sizes_and_the_features_under_a_click(page, live):
    page.goto(f"{live}/inspect")
    page.wait_for_selector("body[data-ready=true]", state="attached")
    page.wait_for_selector("#tiles tbody tr")
    assert page.inner_text("h1") == "Tile inspector"
    assert page.locator("#layers input").count() == 6
    row = page.locator("#tiles tbody tr").first.inner_text()
    assert "B" in row
    assert "ms" in row
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.45)
    page.wait_for_selector("#picked .feature")
    assert "community_code" in page.inner_text("#picked")
    page.fill("#filter-text", "nowhere = 1")
    page.click("#filter-go")
    page.wait_for_selector("#filter-fault:not([hidden])")
    assert "nowhere" in page.inner_text("#filter-fault")
    page.click("#language")
    assert page.inner_text("h1") == "瓦片检查"
    assert page.faults == []
    assert [url for url in page.asked if not url.startswith((live, "data:", "blob:"))] == []


def test_an_address_can_be_tried_out_in_the_reference(page, live):
    page.goto(f"{live}/docs?lang=en#items")
    form = page.locator("details[open] form")
    form.locator("[name=collectionId]").fill("reported_issues")
    form.locator("[name=limit]").fill("2")
    form.locator("button").click()
    page.locator("details[open] .answer", has_text="numberMatched").wait_for()
    assert "HTTP 200 application/geo+json" in page.inner_text("details[open] .answer")
    assert page.faults == []
    assert [url for url in page.asked if not url.startswith((live, "data:"))] == []
