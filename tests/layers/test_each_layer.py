"""The catalogue is the test list: every layer folder is one test of each rule."""

import inspect
import json
import re
from pathlib import Path

import pytest

from gisgrid import palette
from gisgrid.catalogue import Catalogue
from gisgrid.catalogue.description import cell_properties, style_properties
from gisgrid.catalogue.lineage import derivation_function

LAYERS = Path(__file__).parents[2] / "layers"
CATALOGUE = Catalogue.read(LAYERS)
IDS = [layer.id for layer in CATALOGUE]
STYLED = [layer.id for layer in CATALOGUE if layer.style]
SOURCES = [layer.id for layer in CATALOGUE if not layer.is_derived]
DERIVED = [layer.id for layer in CATALOGUE if layer.is_derived]

HATCHES = {"hatch-urban_village", "hatch-fringe"} | {
    f"hatch-{label}" for label in palette.LABELS if label != "not_significant"
}


def palette_colours():
    """Every colour that the palette names."""
    for name, value in vars(palette).items():
        if name.isupper():
            values = value.values() if isinstance(value, dict) else value
            for each in [values] if isinstance(values, str) else values:
                if isinstance(each, str) and each.startswith("#"):
                    yield each


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from strings(each)


def test_the_catalogue_has_the_layers_of_a_city():
    assert set(IDS) == {
        "subdistricts", "communities", "compounds", "streets", "urban_villages", "suburban_villages",
        "fringe_zones", "facilities", "assessment_points", "reported_issues", "subdistrict_issues",
        "community_issues", "compound_issues", "community_hotspots", "issue_hotspots", "issue_density",
        "issue_months", "community_outliers", "optimised_hotspots", "community_clusters", "emerging_hotspots",
        "space_time_clusters", "street_hotspots", "community_rebound", "relative_risk", "community_change", "zone_units", "toilet_service_areas",
        "toilet_coverage", "facility_gaps", "left_out", "night_lights", "built_up", "residents_grid", "fringe_breaks", "degurba_cells",
        "degurba_units", "zone_agreement", "zone_pairs", "issue_zones", "toilet_supply", "toilet_sites", "case_history", "cases", "authority", "patrol_fixes", "authority_gap",
        "authority_gap_classes", "blind_spots", "assessment_effect", "never_inspected", "case_rebound", "campaign_progress",
    }  # fmt: skip


def test_the_first_view_shows_the_hotspots_on_their_ground():
    visible = {layer.id for layer in CATALOGUE if layer.tiles and layer.tiles.visible}
    assert visible == {"subdistricts", "communities", "compounds", "issue_hotspots", "streets"}


@pytest.mark.parametrize("layer_id", IDS)
def test_a_layer_speaks_both_languages(layer_id):
    layer = CATALOGUE[layer_id]
    texts = [layer.title, layer.description]
    for field in layer.fields:
        texts += [field.description, *(field.labels or {}).values()]
    for text in texts:
        assert re.search(r"[\u4e00-\u9fff]", text.zh) or text.zh.isascii(), text
        assert text.en.strip()
        assert not re.search(r"[\u4e00-\u9fff]", text.en), text


@pytest.mark.parametrize("layer_id", IDS)
def test_a_layer_says_whence_it_is_and_how_far_to_trust_it(layer_id):
    text = (LAYERS / layer_id / "README.md").read_text("utf8")
    assert text.startswith(f"# {CATALOGUE[layer_id].title.zh} · {CATALOGUE[layer_id].title.en}\n")
    assert len(text) > 150
    assert re.search(r"[\u4e00-\u9fff]{6}", text.split("\n", 1)[1])


@pytest.mark.parametrize("layer_id", SOURCES)
def test_a_source_states_its_licence_and_whom_to_thank(layer_id):
    source = CATALOGUE[layer_id].source
    assert source.licence
    assert source.attribution
    assert source.acquired


@pytest.mark.parametrize("layer_id", DERIVED)
def test_a_derived_layer_s_function_is_there_and_takes_what_it_is_given(layer_id):
    function = derivation_function(CATALOGUE[layer_id])
    assert inspect.getdoc(function)


@pytest.mark.parametrize("layer_id", DERIVED)
def test_a_derived_layer_has_the_crs_of_what_it_is_made_from(layer_id):
    layer = CATALOGUE[layer_id]
    if layer.kind != "table":
        places = {CATALOGUE[name].crs for name in layer.inputs.values()} - {
            None
        }  # a table has none
        assert places == {layer.crs}


@pytest.mark.parametrize("layer_id", STYLED)
def test_a_style_uses_the_palette_s_colours_and_no_others(layer_id):
    text = json.dumps(CATALOGUE[layer_id].style)
    used = set(re.findall(r"#[0-9a-fA-F]{3,8}\b", text))
    assert used <= set(palette_colours())
    assert not re.search(r"\b(?:rgba?|hsla?)\(", text)


@pytest.mark.parametrize("layer_id", STYLED)
def test_a_style_s_hatches_are_those_the_page_draws(layer_id):
    for part in CATALOGUE[layer_id].style:
        pattern = part.get("paint", {}).get("fill-pattern")
        if isinstance(pattern, str):
            assert pattern in HATCHES
        elif pattern is not None:
            assert pattern == ["concat", "hatch-", ["get", "label"]]


@pytest.mark.parametrize("layer_id", STYLED)
def test_a_style_names_only_what_is_shown(layer_id):
    layer = CATALOGUE[layer_id]
    exposed = {field.name for field in layer.exposed} | cell_properties(layer)
    assert style_properties(list(layer.style)) <= exposed


@pytest.mark.parametrize("layer_id", STYLED)
def test_the_values_that_a_style_matches_are_values_of_the_field(layer_id):
    fields = {field.name: field for field in CATALOGUE[layer_id].fields}

    def matches(value):
        if isinstance(value, list | tuple):
            if value and value[0] == "match" and value[1][0] == "get":
                wanted = value[2:-1:2]
                yield (
                    value[1][1],
                    [
                        w
                        for each in wanted
                        for w in (each if isinstance(each, list | tuple) else [each])
                    ],
                )
            elif len(value) == 3 and value[0] == "==" and value[1][0] == "get":
                yield value[1][1], [value[2]]
            for each in value:
                yield from matches(each)
        elif isinstance(value, dict):
            for each in value.values():
                yield from matches(each)

    for name, values in matches(list(CATALOGUE[layer_id].style)):
        assert set(values) <= set(fields[name].allowed_values), name


@pytest.mark.parametrize("layer_id", [layer.id for layer in CATALOGUE if layer.kind != "table"])
def test_a_layer_with_a_place_is_drawn(layer_id):
    layer = CATALOGUE[layer_id]
    assert layer.style
    assert layer.tiles.minzoom <= layer.tiles.maxzoom
    kinds = {part["type"] for part in layer.style}
    expected = {"Point": "circle", "LineString": "line", "Polygon": "line", "raster": "raster"}
    assert expected[layer.geometry] in kinds


@pytest.mark.parametrize(
    "layer_id",
    [
        "community_hotspots",
        "issue_hotspots",
        "optimised_hotspots",
        "community_clusters",
        "space_time_clusters",
    ],
)
def test_hotspots_have_their_fixed_classes_and_what_is_not_significant_has_no_fill(layer_id):
    fill = next(part for part in CATALOGUE[layer_id].style if part["id"] == f"{layer_id}-fill")
    colours = fill["paint"]["fill-color"]
    given = dict(zip(colours[2:-1:2], colours[3:-1:2], strict=True))
    assert given == {k: v for k, v in palette.GI_COLOURS.items() if v is not None}
    assert fill["filter"][2] == list(given)
    field = next(field for field in CATALOGUE[layer_id].fields if field.name == "label")
    assert tuple(field.labels) == palette.LABELS
    assert {k: v.model_dump() for k, v in field.labels.items()} == palette.LABEL_TEXTS


def test_the_level_of_the_grid_is_told_by_the_weight_of_its_line():
    def width(layer_id):
        (line,) = [part for part in CATALOGUE[layer_id].style if part["type"] == "line"]
        return line["paint"]["line-width"]

    assert [width(name) for name in ("subdistricts", "communities", "compounds")] == [1.6, 0.8, 0.4]


def test_one_level_of_the_grid_speaks_at_a_time():
    ranges = []
    for name in ("subdistricts", "communities", "compounds"):
        for kind in ("hit", "label"):
            (part,) = [p for p in CATALOGUE[name].style if p["id"] == f"{name}-{kind}"]
            ranges.append((part.get("minzoom"), part.get("maxzoom")))
    assert ranges == [(None, 11.5)] * 2 + [(11.5, 13.5)] * 2 + [(13.5, None)] * 2


def test_a_tile_has_the_features_of_every_zoom_that_its_style_draws():
    for layer in CATALOGUE:
        for part in layer.style:
            if "minzoom" in part:
                assert part["minzoom"] >= layer.tiles.minzoom, part["id"]


def test_words_on_the_map_are_chinese_until_the_page_switches_them():
    for layer in CATALOGUE:
        for part in layer.style:
            if part["type"] == "symbol":
                assert part["layout"]["text-field"] == ["get", "name_zh"]
                assert part["layout"]["text-font"] == ["Noto Sans Regular"]
                assert {"name_zh", "name_en"} <= {field.name for field in layer.exposed}


def test_nobody_can_be_found_out_by_free_text():
    exposed = {field.name for field in CATALOGUE["reported_issues"].exposed}
    assert "duplicate_of" not in exposed
