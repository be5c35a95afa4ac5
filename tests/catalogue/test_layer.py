"""One folder describes one layer, and what is wrong with it is said in one sentence each."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from gisgrid.catalogue import Layer
from gisgrid.errors import CatalogueError


@pytest.fixture(autouse=True)
def in_the_city_s_folder(layers, monkeypatch):
    monkeypatch.chdir(layers.parent)


def faults(layer="communities"):
    with pytest.raises(CatalogueError) as caught:
        Layer.from_folder(Path("layers") / layer)
    return str(caught.value).splitlines()


def test_a_layer_is_read_as_it_is_written():
    layer = Layer.from_folder("layers/communities")
    assert (layer.id, layer.title.zh, layer.geometry, layer.kind) == (
        "communities", "社区", "Polygon", "vector",
    )  # fmt: skip
    assert [field.name for field in layer.exposed] == ["community_code", "name_zh"]
    assert not layer.is_derived
    assert layer.inputs == {}
    assert layer.contract.coverage


def test_a_layer_cannot_be_changed():
    layer = Layer.from_folder("layers/communities")
    with pytest.raises(ValidationError, match="frozen"):
        layer.group = "other"


def test_a_key_that_no_rule_knows_names_the_one_that_was_meant(change):
    change("communities", "title = ", "titel = ")
    assert faults() == [
        f"{Path('layers/communities/layer.toml')} has the key 'titel' that no rule knows; did you mean 'title'?"
    ]


def test_a_wrong_key_deep_inside_is_found_where_it_stands(change):
    change("communities", "minzoom", "minzom")
    change("communities", 'unit = "km²"', 'units = "km²"')
    change("communities", 'zh = "四个社区"', 'cn = "四个社区"')
    text = "\n".join(faults())
    assert "'tiles.minzom' that no rule knows; did you mean 'minzoom'?" in text
    assert "'fields[5].units' that no rule knows; did you mean 'unit'?" in text
    assert "'description.cn' that no rule knows; there are: en, zh" in text


def test_all_faults_are_said_at_once(change):
    change("communities", 'geometry = "Polygon"', 'geometry = "Poligon"')
    change("communities", 'group = "grid"', "group = 7")
    change("communities", 'id = "communities"', 'id = "Communities"')
    said = faults()
    assert len(said) == 3
    assert any(
        "geometry = 'Poligon'" in line and "did you mean 'Polygon'?" in line for line in said
    )
    assert any("group = 7 but it must be a valid string" in line for line in said)
    assert all(line.startswith(str(Path("layers/communities/layer.toml"))) for line in said)


def test_a_missing_key_is_named(change):
    change("communities", 'group = "grid"\n', "")
    assert faults() == [
        f"{Path('layers/communities/layer.toml')} lacks the key 'group' that is needed there; add it"
    ]


def test_the_style_stands_in_its_own_file_and_not_in_the_description(change):
    change("communities", 'group = "grid"', 'group = "grid"\nstyle = []')
    assert len(faults()) == 1
    assert "'style' that no rule knows" in faults()[0]


def test_a_folder_is_called_as_its_layer(change):
    change("communities", 'id = "communities"', 'id = "community"')
    assert "id = 'community' but its folder is called 'communities'" in faults()[0]


def test_a_file_that_is_no_toml_says_the_line(change):
    change("communities", 'group = "grid"', "group = grid")
    assert "is not TOML" in faults()[0]
    assert "line 5" in faults()[0]


def test_a_description_in_gbk_is_refused_by_name(layers):
    path = layers / "communities" / "layer.toml"
    path.write_bytes(path.read_text("utf8").replace("²", "2").encode("gbk"))
    assert "is not UTF-8" in faults()[0]
    assert "GBK" in faults()[0]


def test_a_byte_order_mark_does_no_harm(layers):
    path = layers / "communities" / "layer.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert Layer.from_folder("layers/communities").id == "communities"


def test_a_folder_without_a_description_says_so(layers):
    (layers / "empty").mkdir()
    assert "there is no file" in faults("empty")[0]


@pytest.mark.parametrize("text", ["{}", "[1]", '"x"'])
def test_a_style_is_a_list_of_layers(layers, text):
    (layers / "communities" / "style.json").write_text(text, "utf8")
    assert "holds no list of MapLibre layers" in faults()[0]


def test_a_style_that_is_no_json_says_the_line(layers):
    (layers / "communities" / "style.json").write_text("[\n{,}]", "utf8")
    assert "is not JSON" in faults()[0]
    assert "line 2" in faults()[0]


def test_a_style_is_part_of_the_layer(layers):
    style = [{"id": "communities-line", "type": "line"}]
    (layers / "communities" / "style.json").write_text(json.dumps(style), "utf8")
    assert list(Layer.from_folder("layers/communities").style) == style
