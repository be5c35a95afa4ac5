"""A layer describes itself to a reader, in both languages or in one."""

from gisgrid.catalogue import build, describe


def test_a_source_says_what_it_is(catalogue):
    text = describe(catalogue["communities"])
    assert text.startswith("communities · 社区 · Communities\n")
    for word in (
        "Polygon in EPSG:4547",
        "communities.parquet",
        "no gaps and no overlaps",
        "* name_zh",
    ):
        assert word in text
    assert "  name_en" in text


def test_one_language_is_one_language(catalogue):
    assert "Communities" not in describe(catalogue["communities"], language="zh")
    assert "社区" not in describe(catalogue["communities"], language="en")


def test_a_derived_layer_says_how_it_was_made_and_what_was_left_out(catalogue, store):
    layer = catalogue["issue_months"]
    assert "made by      gisgrid.derived:issue_months" in describe(layer)
    build(catalogue, store)
    text = describe(layer, record=store.provenance(layer))
    assert "rows         8" in text
    assert "left out     1: reports that repeat an earlier one" in text
    assert "note         months begin at midnight in Asia/Shanghai" in text
    assert "no repeated community_code with month" in text
