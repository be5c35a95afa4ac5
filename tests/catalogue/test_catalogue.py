"""A catalogue is whole or it is refused; its order follows from what is made from what."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.catalogue import About, Catalogue, Derived, Layer, Source
from gisgrid.errors import CatalogueError, LayerNotFoundError
from gisgrid.schema import Text

WORDS = Text(zh="字", en="words")
ABOUT_GRID = About(title=WORDS, timezone="UTC", crs="EPSG:4547", groups={"grid": WORDS})


def table(name, *inputs):
    """A layer that is made from others, without a place."""
    origin = (
        {"derived": Derived(function="m:f", inputs={f"i{n}": i for n, i in enumerate(inputs)})}
        if inputs
        else {"source": Source(path=f"{name}.csv")}
    )
    return Layer(id=name, title=WORDS, description=WORDS, group="grid", geometry="none", **origin)


def read_faults(layers):
    with pytest.raises(CatalogueError) as caught:
        Catalogue.read(layers)
    return str(caught.value)


def test_a_catalogue_is_known_by_its_ids(catalogue):
    assert len(catalogue) == 4
    assert {layer.id for layer in catalogue} >= {"communities", "reported_issues"}
    assert catalogue["communities"].title.en == "Communities"
    assert "communities" in catalogue
    assert "nothing" not in catalogue


def test_layers_stand_in_the_order_of_their_groups(catalogue):
    assert [layer.group for layer in catalogue] == ["grid", "grid", "reports", "reports"]


def test_an_unknown_layer_is_answered_with_the_likeliest(catalogue):
    with pytest.raises(
        LayerNotFoundError,
        match=r"no layer 'comunities' among 4 layers; did you mean 'communities'\?",
    ):
        catalogue["comunities"]


def test_adding_gives_another_catalogue(catalogue):
    more = catalogue.adding(table("extra").model_copy(update={"group": "grid"}))
    assert len(more) == 5
    assert len(catalogue) == 4
    assert "extra" in more
    with pytest.raises(CatalogueError, match="'extra' is there 2 times"):
        more.adding(table("extra"))


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    assert "gisgrid init" in read_faults(tmp_path / "nowhere")


def test_a_folder_without_layers_is_refused(layers, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "catalogue.toml").write_text((layers / "catalogue.toml").read_text("utf8"), "utf8")
    assert "has no layer in it" in read_faults(empty)


def test_hidden_folders_are_passed_over(layers):
    (layers / ".git").mkdir()
    (layers / "_drafts").mkdir()
    assert len(Catalogue.read(layers)) == 4


def test_the_faults_of_all_files_are_said_together(layers, change):
    change("communities", "title = ", "titel = ")
    change("reported_issues", "status", "state")
    (layers / "reported_issues" / "layer.toml").write_text("id = 3", "utf8")
    (layers / "catalogue.toml").write_text("titel = 1", "utf8")
    text = read_faults(layers)
    assert "communities" in text
    assert "reported_issues" in text
    assert "catalogue.toml has the key 'titel'" in text


@pytest.mark.parametrize(
    ("layer", "old", "new", "sentence"),
    [
        ("community_issues", '"communities"', '"comunities"', "which is no layer; did you mean 'communities'?"),
        ("communities", 'group = "grid"', 'group = "gird"', "which catalogue.toml does not list; did you mean 'grid'?"),
        ("communities", 'primary_key = "community_code"', 'primary_key = "code"', "primary_key = 'code', which is none of its fields"),
        ("communities", '"name_zh"]', '"nam_zh"]', "tiles.properties = 'nam_zh', which is none of its fields; did you mean 'name_zh'?"),
        ("communities", 'crs = "EPSG:4547"', 'crs = "EPSG:1"', "is not a coordinate reference system that PROJ knows"),
        ("communities", 'crs = "EPSG:4547"\n', "", "lacks the key 'crs'"),
        ("communities", 'primary_key = "community_code"\n', "", "lacks the key 'primary_key'"),
        ("communities", "minzoom = 8", "minzoom = 15", "minzoom = 15 above tiles.maxzoom = 14"),
        ("communities", 'path = "communities.parquet"', 'path = "../secret.parquet"', "leaves the data folder"),
        ("communities", 'geometry = "Polygon"', 'geometry = "Point"', "only areas can cover"),
        ("communities", "coverage = true", 'inside = { layer = "nowhere", by = "name_zh" }', "contract.inside.layer = 'nowhere', which is no layer"),
        ("communities", "coverage = true", 'inside = { layer = "reported_issues", by = "name_zh" }', "which has no areas"),
        ("communities", "coverage = true", 'inside = { layer = "communities", by = "parent" }', "contract.inside.by = 'parent', which is none"),
        ("communities", "[tiles]", '[derived]\nfunction = "m:f"\ninputs = {}\n[tiles]', "both [source] and [derived]"),
        ("issue_months", 'geometry = "none"', 'geometry = "none"\ncrs = "EPSG:4547"', "a table lies nowhere"),
        ("issue_months", "[contract]", "[tiles]\n[contract]", "a table cannot be drawn"),
        ("issue_months", '"month"]]', '"year"]]', "contract.unique = 'year', which is none of its fields"),
        ("community_issues", 'key = "community_code" }', 'key = "community_code", units = 3 }', "among derived.inputs and derived.parameters"),
    ],
)  # fmt: skip
def test_a_description_that_does_not_agree_with_itself_is_refused(
    *, layers, change, layer, old, new, sentence
):
    change(layer, old, new)
    text = read_faults(layers)
    assert sentence in text
    assert f"{layer}" in text
    assert "layer.toml" in text


def test_a_field_described_twice_is_refused(layers, change):
    change("communities", 'name = "name_en"', 'name = "name_zh"')
    assert "describes the field 'name_zh' 2 times" in read_faults(layers)


def test_free_text_is_never_shown(layers, change):
    change("communities", 'name = "name_en"', 'name = "remark"')
    change("communities", '"name_zh"]', '"remark"]')
    assert "shows 'remark' in tiles.properties, which is free text" in read_faults(layers)


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ({"id": "communities-a", "type": "line", "filter": ["==", ["get", "population"], 1]}, "reads 'population', which tiles.properties does not show"),
        ({"id": "communities-a", "type": "line", "paint": {"line-width": ["case", ["has", "nam_zh"], 1, 2]}}, "did you mean 'name_zh'?"),
        ({"id": "lines", "type": "line"}, "whose id must begin with 'communities'"),
        ({"id": "communities-a", "type": "lines"}, "did you mean 'line'?"),
        ({"id": "communities-a", "type": "line", "source": "x"}, "which the server fills in"),
    ],
)  # fmt: skip
def test_a_style_names_only_what_is_shown(layers, part, sentence):
    (layers / "communities" / "style.json").write_text(json.dumps([part]), "utf8")
    assert sentence in read_faults(layers)


def test_a_style_layer_has_its_own_name(layers):
    part = {"id": "communities-a", "type": "line"}
    (layers / "communities" / "style.json").write_text(json.dumps([part, part]), "utf8")
    assert "'communities-a' is there 2 times" in read_faults(layers)


def test_a_style_without_tiles_draws_nothing_and_is_refused(layers):
    part = {"id": "reported_issues-a", "type": "circle"}
    (layers / "reported_issues" / "style.json").write_text(json.dumps([part]), "utf8")
    assert "has a style.json but no [tiles]" in read_faults(layers)


def test_areas_are_drawn_under_lines_and_lines_under_words(layers):
    kinds = ["symbol", "line", "fill", "circle"]
    parts = [{"id": f"communities-{kind}", "type": kind} for kind in kinds]
    (layers / "communities" / "style.json").write_text(json.dumps(parts), "utf8")
    drawn = [part["type"] for _, part in Catalogue.read(layers).drawing_order()]
    assert drawn == ["fill", "line", "circle", "symbol"]


def test_layers_made_from_each_other_in_a_circle_are_refused():
    with pytest.raises(CatalogueError, match=r"in a circle \(a → b → c → a\)"):
        Catalogue(ABOUT_GRID, (table("a", "b"), table("b", "c"), table("c", "a")))
    with pytest.raises(CatalogueError, match=r"in a circle \(a → a\)"):
        Catalogue(ABOUT_GRID, (table("a", "a"),))


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.data())
def test_a_layer_is_made_after_those_it_is_made_from(data):
    names = [f"l{n}" for n in range(data.draw(st.integers(1, 8)))]
    made = [
        table(name, *data.draw(st.lists(st.sampled_from(names[:n]), unique=True)) if n else ())
        for n, name in enumerate(names)
    ]
    shuffled = data.draw(st.permutations(made))
    catalogue = Catalogue(ABOUT_GRID, tuple(shuffled))
    order = [layer.id for layer in catalogue.build_order()]
    assert sorted(order) == sorted(layer.id for layer in made if layer.is_derived)
    for earlier, later in itertools.combinations(order, 2):
        assert later not in catalogue[earlier].inputs.values()
    assert order == [layer.id for layer in Catalogue(ABOUT_GRID, tuple(made)).build_order()]
