"""A saved map in a real browser with no network: it draws, it answers, it asks nobody."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from gisgrid.maps import hotspot_map, write_html

pytestmark = pytest.mark.browser

LABELS = ["hot_99", "hot_95", "hot_90", "not_significant", "cold_90", "cold_95", "cold_99"]


def city(n=49):
    k = np.arange(n)
    west, south = 500_000 + (k % 7) * 500, 3_900_000 + (k // 7) * 500
    labels = pd.Series([LABELS[row] for row in k // 7], dtype="str")
    return gpd.GeoDataFrame(
        {
            "community_code": [f"4108010{n:05d}" for n in k],
            "name_zh": [f"第{n}社区" for n in k],
            "name_en": [f"Community {n}" for n in k],
            "n_incidents": 1000 + k, "population": 2000, "incidents_per_1000": 500.5, "observed": 90.25,
            "expected": 20.5, "z": 5.0 - k / 5, "p": 0.00001, "q": 0.0123, "label": labels, "n_neighbours": 8,
            "n_units": n,
        },
        geometry=box(west, south, west + 500, south + 500),
        crs=4547,
    )  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    for language, title in (("zh", "三月热点"), ("en", "Hotspots in March")):
        page = hotspot_map(
            city(), title=title, language=language, outline=city(7), source="Test city"
        )
        write_html(page, folder / f"{language}.html")
        (folder / f"notebook_{language}.html").write_text(
            f"<!DOCTYPE html><meta charset=utf-8><body>{page._repr_html_()}", encoding="utf-8"
        )
    return folder


@pytest.fixture
def visit(browser, saved):
    """Open a saved page; remember what it asked for and what went wrong in it."""
    pages = []

    def visited(name, width=1440, height=900):
        page = browser.new_page(viewport={"width": width, "height": height})
        page.asked, page.wrong = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on(
            "console",
            lambda message: page.wrong.append(message.text) if message.type == "error" else None,
        )
        page.goto((saved / name).as_uri())
        pages.append(page)
        return page

    yield visited
    for page in pages:
        page.close()


def test_every_area_is_drawn_and_nothing_is_asked_for(visit, saved, project):
    page = visit("zh.html")
    page.wait_for_selector("path.leaflet-interactive")
    fills = page.eval_on_selector_all(
        "path.leaflet-interactive", "all => all.map(p => p.getAttribute('fill'))"
    )
    assert len(fills) == 49
    assert {fill: fills.count(fill) for fill in fills} == {
        **{f"url(#hatch-{label})": 7 for label in LABELS if label != "not_significant"},
        "#ffffff": 7,
    }
    assert page.locator("pattern").count() == 6
    assert page.asked == [(saved / "zh.html").as_uri()]
    assert page.wrong == []
    (project / "ci-output").mkdir(exist_ok=True)
    page.screenshot(path=project / "ci-output" / "folium-map.png")


def test_the_whole_city_lies_beside_the_panel(visit):
    page = visit("en.html")
    page.wait_for_selector("path.leaflet-interactive")
    panel = page.locator(".panel").bounding_box()
    boxes = page.eval_on_selector_all(
        "path.leaflet-interactive", "all => all.map(p => p.getBoundingClientRect().toJSON())"
    )
    assert min(each["left"] for each in boxes) >= panel["x"] + panel["width"]
    assert max(each["right"] for each in boxes) <= 1440
    assert min(each["top"] for each in boxes) >= 0
    assert max(each["bottom"] for each in boxes) <= 900


def test_hovering_says_what_is_there_in_both_names(visit):
    page = visit("en.html")
    page.locator("path.leaflet-interactive").first.hover()
    said = page.locator(".leaflet-tooltip").inner_text()
    for words in (
        "Community 0", "第0社区", "410801000000", "Hot, 99 %", "1,000", "500.50", "5.00", "< 0.001", "0.012",
        "Issues per 1 000 residents: this unit and its 8 neighbours average 90.3, all units 20.5.",
    ):  # fmt: skip
        assert words in said


def test_a_place_in_the_list_opens_on_the_map_by_keyboard(visit):
    page = visit("zh.html")
    page.locator(".places button").nth(1).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".leaflet-popup-content")
    assert "第1社区" in page.locator(".leaflet-popup-content").inner_text()
    popup = page.locator(".leaflet-popup-content-wrapper").bounding_box()
    assert popup["y"] >= 0
    assert page.wrong == []


def test_a_notebook_draws_the_map_in_its_frame(visit):
    page = visit("notebook_en.html")
    frame = page.frame_locator("iframe")
    frame.locator("path.leaflet-interactive").first.wait_for()
    assert frame.locator("path.leaflet-interactive").count() == 49
    assert frame.locator("h1").inner_text() == "Hotspots in March"
    assert len([url for url in page.asked if url.startswith("http")]) == 0
    assert page.wrong == []


def test_a_phone_shows_map_and_legend_without_scrolling_sideways(visit):
    page = visit("zh.html", width=360, height=740)
    page.wait_for_selector("path.leaflet-interactive")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    panel, ground = (
        page.locator(".panel").bounding_box(),
        page.locator(".folium-map").bounding_box(),
    )
    assert panel["y"] >= 0.5 * 740
    assert abs(ground["height"] - panel["y"]) <= 12
    assert page.locator(".legend tr").count() == 7
    assert page.locator(".places button").first.bounding_box()["height"] >= 44


def test_print_keeps_the_legend_and_drops_the_buttons(visit):
    page = visit("zh.html", width=1062, height=733)
    page.emulate_media(media="print")
    assert page.locator(".legend").is_visible()
    assert not page.locator(".leaflet-control-zoom").is_visible()
