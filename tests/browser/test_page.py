"""What a person would do with the map, in a real browser."""

import re

import pytest

pytestmark = pytest.mark.browser
CLASSES = ["hot_99", "hot_95", "hot_90", "not_significant", "cold_90", "cold_95", "cold_99"]


def test_the_first_view_says_where_the_hot_areas_are_and_how_sure_that_is(open_page, keep_picture):
    page = open_page(width=1440, height=900)
    findings = page.answer("api/findings")
    assert page.inner_text("#finding p >> nth=0") in findings["zh"]
    assert "95%" in page.inner_text("#finding")
    assert page.locator("#places button").count() > 0
    assert "2025年" in page.inner_text(".as-of")
    assert page.drawn("issue_hotspots-fill") > 0
    assert page.locator(".maplibregl-ctrl-scale").inner_text().endswith(("km", "m"))
    keep_picture(page, "map-zh-light")


def test_the_legend_counts_every_class_as_the_server_does(open_page):
    page = open_page("#lang=en")
    counts = page.answer("api/layers/issue_hotspots/counts?by=label")
    page.wait_for_function(
        "() => document.querySelector('ul[data-layer=issue_hotspots] .legend-count').innerText !== '…'"
    )
    rows = page.locator("ul[data-layer=issue_hotspots] li")
    numbers = [
        int(each.replace(",", "")) for each in rows.locator(".legend-count").all_inner_texts()
    ]
    assert numbers[: len(CLASSES)] == [counts["counts"][label] for label in CLASSES]
    assert sum(numbers) == counts["n"]
    assert rows.locator(".legend-name").first.inner_text() == "Hot, 99 %"


def test_the_key_stays_in_sight_whatever_is_scrolled(open_page):
    page = open_page()
    page.evaluate("document.getElementById('panel-body').scrollTo(0, 1e6)")
    assert page.locator("#key li").count() == len(CLASSES)
    box = page.locator("#key").bounding_box()
    assert box["y"] + box["height"] <= 760


def test_layers_are_switched_on_and_off(open_page):
    page = open_page()
    assert page.drawn("community_hotspots-fill") == 0
    page.check("input[name=community_hotspots]")
    page.ready()
    assert page.drawn("community_hotspots-hit") > 100
    page.uncheck("input[name=issue_hotspots]")
    page.ready()
    assert page.drawn("issue_hotspots-fill") == 0
    assert "layers=" in page.hash
    assert "issue_hotspots" not in page.hash


def test_an_empty_map_says_why_and_how_to_fill_it(open_page):
    page = open_page("#lang=en&layers=")
    assert "Every layer is switched off" in page.inner_text("#nothing-shown")
    page.click("#nothing-shown button")
    page.ready()
    assert page.drawn("issue_hotspots-fill") > 0


def test_a_hover_highlights_and_a_click_explains(open_page):
    page = open_page("#lang=en&layers=community_hotspots,subdistricts")
    hot = page.evaluate(
        """() => {
          const { map } = window.gisgrid;
          for (let x = 400; x < 1150; x += 20) for (let y = 60; y < 640; y += 20) {
            const [found] = map.queryRenderedFeatures([x, y], { layers: ["community_hotspots-fill"] });
            if (found) return { x, y, code: found.properties.community_code };
          }
        }"""
    )
    page.mouse.move(hot["x"], hot["y"])
    source = {
        "source": "community_hotspots",
        "sourceLayer": "community_hotspots",
        "id": hot["code"],
    }
    page.wait_for_function(
        "target => window.gisgrid.map.getFeatureState(target).hover === true", arg=source
    )
    page.mouse.click(hot["x"], hot["y"])
    page.wait_for_selector("#drawer #score")
    row = next(
        each
        for each in page.answer("api/layers/community_hotspots/rows?limit=1000")["rows"]
        if each["community_code"] == hot["code"]
    )
    assert page.inner_text("#drawer-title") == row["name_en"]
    score = page.inner_text("#score")
    z = row["z"]
    assert (f"{z:.1f}" if abs(z) >= 10 else f"{z:.2f}").replace("-", "−") in score
    for word in ("Observed", "Expected", "z", "p", "q (after FDR)", "Neighbours", "Units tested"):
        assert word in score
    assert "against" in page.inner_text("#explanation")
    assert "by chance alone" in page.inner_text("#uncertainty")
    assert f"at=community_hotspots/{hot['code']}" in page.hash
    page.wait_for_selector("#drawer .others button")
    page.click("#close-drawer")
    page.wait_for_selector("#drawer", state="detached")


def test_few_incidents_are_flagged(open_page):
    page = open_page()
    rows = page.answer("api/layers/issue_hotspots/rows?limit=1000&sort=n_incidents")["rows"]
    page.evaluate(
        "hash => (window.location.hash = hash)", f"#lang=en&at=issue_hotspots/{rows[0]['cell_id']}"
    )
    assert "use it with care" in page.inner_text("#small-count")


def test_the_places_list_needs_no_mouse(open_page):
    page = open_page("#lang=en", reduced_motion="reduce")
    first = page.locator("#places button").first
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#drawer #score")
    page.wait_for_function("() => document.activeElement.id === 'drawer-title'")
    assert "Hot" in page.inner_text("#class")
    page.keyboard.press("Escape")
    page.wait_for_selector("#drawer", state="detached")
    assert first.evaluate("button => button === document.activeElement")


def test_the_map_itself_answers_the_enter_key(open_page):
    page = open_page("#lang=en&layers=communities&map=12.2/35.19/114.0")
    page.locator(".maplibregl-canvas").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#drawer")
    page.wait_for_function("() => document.activeElement.id === 'drawer-title'")
    assert page.inner_text("#live") == page.inner_text("#drawer-title")


def test_every_layer_on_the_map_has_a_table(open_page):
    page = open_page("#lang=en")
    layers = page.answer("api/catalogue")["layers"]
    on_map = [
        each for each in layers if each["kind"] == "vector" and each["tilejson"] and each["ready"]
    ]
    assert page.locator(".table-button").count() == len(on_map)
    page.click("li:has(input[name=community_hotspots]) .table-button")
    rows = page.locator("#table tbody tr")
    rows.first.wait_for()
    n = next(each["n_rows"] for each in layers if each["id"] == "community_hotspots")
    assert page.inner_text("#table .pager span") == f"Rows 1–50 of {n}"
    assert page.locator("#table th[aria-sort=descending]").count() == 1
    name = rows.first.locator("th button").inner_text()
    rows.first.locator("th button").click()
    page.wait_for_selector("#drawer")
    page.wait_for_selector("#table", state="detached")
    page.wait_for_function(
        "name => document.getElementById('drawer-title').innerText === name", arg=name
    )


def test_the_language_changes_without_a_reload(open_page, keep_picture):
    page = open_page("#lang=zh", width=1440, height=900)
    page.evaluate("window.sameDocument = true")
    assert page.get_attribute("html", "lang") == "zh-CN"
    assert "图层与图例" in page.inner_text("#layers-title")
    page.click("#language")
    page.wait_for_selector("html[lang=en]", state="attached")
    assert page.inner_text("#layers-title") == "Layers and legend"
    page.ready()
    words = page.evaluate(
        "window.gisgrid.map.queryRenderedFeatures({ layers: ['communities-label', 'subdistricts-label'] })"
        ".map((each) => each.layer.layout['text-field'].toString())"
    )
    assert words
    assert not [each for each in words if re.search("[一-鿿]", each)]
    assert page.evaluate("window.sameDocument")
    assert "lang=en" in page.hash
    assert not re.search("[一-鿿]", page.inner_text("#panel-body"))
    keep_picture(page, "map-en-light")


def test_a_link_shows_another_person_the_same(open_page):
    said = "#map=12.30/35.20000/114.01000&layers=community_issues,communities&month=2025-08&measure=count&lang=en"
    page = open_page(said)
    assert page.hash == said
    state = page.state
    assert (state["month"], state["measure"], state["language"]) == ("2025-08", "count", "en")
    assert state["layers"] == ["community_issues", "communities"]
    assert page.inner_text("#month-text strong") == "August 2025"
    assert abs(page.evaluate("window.gisgrid.map.getZoom()") - 12.3) < 0.01


def test_the_back_button_undoes_one_step(open_page):
    page = open_page("#lang=en")
    before = page.hash
    page.check("input[name=urban_villages]")
    page.ready()
    assert "urban_villages" in page.hash
    page.go_back()
    page.ready()
    assert page.hash == before
    assert not page.is_checked("input[name=urban_villages]")


def test_a_month_colours_the_communities_by_its_own_counts(open_page):
    page = open_page("#lang=en&measure=count")
    months = page.answer("api/months")
    page.locator("#month").focus()
    page.keyboard.press("ArrowLeft")
    chosen = months["months"][-2]
    assert page.state["month"] == chosen
    code, counts = next(iter(months["counts"].items()))
    target = {"source": "communities", "sourceLayer": "communities", "id": code}
    painted = "([target, n]) => window.gisgrid.map.getFeatureState(target).month === n"
    page.wait_for_function(painted, arg=[target, counts[-2]])
    page.ready()
    assert page.drawn("month-fill") > 100
    assert page.drawn("issue_hotspots-fill") == 0
    assert "is about all months" in page.inner_text(
        "li:has(> .layer-line input[name=issue_hotspots])"
    )
    listed = page.locator("ul[data-layer=month] .legend-count").all_inner_texts()
    assert sum(int(each) for each in listed) == len(months["counts"])
    page.keyboard.press("End")
    assert "so far" in page.inner_text("#month-text")
    page.click("#all-months")
    page.ready()
    assert page.drawn("issue_hotspots-fill") > 0
    assert page.state["month"] is None


def test_the_months_play_and_pause(open_page):
    page = open_page("#lang=en&month=2025-01")
    page.click("[data-icon=play]")
    page.wait_for_function("() => window.gisgrid.store.state.month >= '2025-03'")
    page.click("[data-icon=pause]")
    assert page.locator("[data-icon=play]").count() == 1


def test_counts_and_rates_are_one_choice_apart(open_page):
    page = open_page("#lang=en&layers=community_issues&measure=rate")
    colour = (
        "JSON.stringify(window.gisgrid.map.getPaintProperty('community_issues-fill', 'fill-color'))"
    )
    assert "incidents_per_1000" in page.evaluate(colour)
    page.check("#measure input[value=count]")
    page.wait_for_function(f"() => {colour}.includes('n_incidents')")
    page.ready()
    assert page.drawn("community_issues-fill") > 100
    assert "incidents" in page.inner_text(".legend-heading")


def test_the_three_levels_of_the_grid_change_with_the_zoom(open_page):
    page = open_page("#lang=zh&layers=subdistricts,communities,compounds&map=9.50/35.19/114.00")
    seen = {}
    for zoom in (9.5, 12, 14.5):
        page.zoom_to(zoom)
        seen[zoom] = [
            name
            for name in ("subdistricts", "communities", "compounds")
            if page.drawn(f"{name}-label") > 0
        ]
    assert seen == {9.5: ["subdistricts"], 12: ["communities"], 14.5: ["compounds"]}
    page.zoom_to(9.5)
    assert "zoom" not in page.inner_text("#layers").lower()
    assert "请放大地图" in page.inner_text("li:has(> .layer-line input[name=compounds])")
