"""What is out of date is built, and nothing else; equal inputs give equal bytes; a record says how it was made."""

import json
import sys
import types

import pytest

import gisgrid
from gisgrid.catalogue import Catalogue, Derivation, FolderStore, build, out_of_date
from gisgrid.catalogue import lineage as lineage_module
from gisgrid.errors import CatalogueError, InputError, LayerNotFoundError


def statuses(steps):
    return {step.layer: step.status for step in steps}


@pytest.fixture
def built(catalogue, store):
    steps = build(catalogue, store)
    assert statuses(steps) == {"community_issues": "built", "issue_months": "built"}
    return steps


def test_the_second_run_builds_nothing(catalogue, store, built):
    before = {path: path.stat().st_mtime_ns for path in store.folder.rglob("*.*")}
    steps = build(catalogue, FolderStore(store.folder))
    assert set(statuses(steps).values()) == {"current"}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert [step.n_rows for step in steps] == [step.n_rows for step in built]


def test_the_second_run_needs_no_function(catalogue, store, built, monkeypatch):
    monkeypatch.setattr(lineage_module.importlib, "import_module", pytest.fail)
    assert set(statuses(build(catalogue, store)).values()) == {"current"}


def test_a_step_says_what_was_left_out(built):
    counts = built[0]
    assert (counts.n_rows, counts.why) == (4, "it was not built yet")
    assert counts.excluded == {"reports that lie in none of the areas, or have no place": 1}


def test_equal_inputs_give_equal_bytes(catalogue, store, built):
    def contents():
        names = [f"derived/{layer}.{end}" for layer, end in
                 [("community_issues", "parquet"), ("community_issues", "provenance.json"), ("issue_months", "parquet")]]  # fmt: skip
        return [(store.folder / name).read_bytes() for name in names]

    before = contents()
    steps = build(catalogue, store, force=True)
    assert {step.why for step in steps} == {"asked for"}
    assert contents() == before


def test_a_record_says_from_what_how_and_by_which_versions(catalogue, store, built):
    record = store.provenance(catalogue["issue_months"])
    assert record.function == "gisgrid.derived:issue_months"
    assert record.parameters == {"key": "community_code", "timezone": "Asia/Shanghai"}
    assert record.inputs["issues"].n_rows == 5
    assert record.inputs["issues"].crs == "EPSG:4547 (metre)"
    assert record.inputs["issues"].sha256 == store.checksum(catalogue["reported_issues"])
    assert record.sha256 == store.checksum(catalogue["issue_months"])
    assert (record.n_rows, record.crs) == (8, None)
    assert sum(record.excluded.values()) == 2
    assert {"gisgrid", "geopandas", "shapely", "GEOS", "PROJ", "numpy"} <= set(record.versions)
    text = (store.folder / "derived" / "issue_months.provenance.json").read_text("utf8")
    assert json.loads(text)["layer"] == "issue_months"


def test_a_changed_input_makes_only_what_is_made_from_it(layers, change, catalogue, store, issues):
    change("issue_months", 'issues = "reported_issues", units', 'issues = "reported_issues", units')
    build(catalogue, store)
    issues.iloc[:4].to_parquet(store.folder / "reported_issues.parquet", index=False)
    steps = build(catalogue, store)
    assert {step.why for step in steps} == {"reported_issues has changed"}


def test_changed_parameters_make_only_their_layer(layers, change, store, catalogue, built):
    change("issue_months", 'key = "community_code" }', 'key = "community_code", timezone = "UTC" }')
    steps = build(Catalogue.read(layers), store)
    assert statuses(steps) == {"community_issues": "current", "issue_months": "built"}
    assert steps[1].why == "its parameters have changed"


def test_another_time_zone_of_the_city_makes_the_months_again(layers, store, catalogue, built):
    path = layers / "catalogue.toml"
    path.write_text(path.read_text("utf8").replace("Asia/Shanghai", "Asia/Urumqi"), "utf8")
    steps = build(Catalogue.read(layers), store)
    assert statuses(steps) == {"community_issues": "current", "issue_months": "built"}


def test_another_function_makes_the_layer_again(layers, change, catalogue, store, built):
    module = types.ModuleType("city_functions")
    module.counts = gisgrid.derived.unit_issues
    sys.modules["city_functions"] = module
    try:
        change("community_issues", "gisgrid.derived:unit_issues", "city_functions:counts")
        changed = Catalogue.read(layers)
        why = out_of_date(changed["community_issues"], changed, store)
        assert why == "it was made by gisgrid.derived:unit_issues"
        assert statuses(build(changed, store))["community_issues"] == "built"
    finally:
        del sys.modules["city_functions"]


def test_another_version_makes_everything_again(catalogue, store, built, monkeypatch):
    monkeypatch.setattr(lineage_module, "__version__", "99.0")
    assert (
        out_of_date(catalogue["community_issues"], catalogue, store)
        == f"it was made by gisgrid {gisgrid.__version__} and this is 99.0"
    )


def test_an_output_that_was_touched_or_removed_is_made_again(catalogue, store, built):
    path = store.path(catalogue["community_issues"])
    path.write_bytes(path.read_bytes() + b" ")
    steps = build(catalogue, store)
    assert statuses(steps) == {"community_issues": "built", "issue_months": "current"}
    assert steps[0].why == "its file is not the one that was built"
    path.unlink()
    assert build(catalogue, store)[0].why == "it was not built yet"


def test_a_layer_waits_for_a_file_that_is_not_there_and_the_rest_is_built(layers, change, store):
    change("issue_months", 'units = "communities"', 'units = "villages"')
    text = (
        (layers / "communities" / "layer.toml").read_text("utf8").replace("communities", "villages")
    )
    (layers / "villages").mkdir()
    (layers / "villages" / "layer.toml").write_text(text, "utf8")
    steps = build(Catalogue.read(layers), store)
    assert statuses(steps) == {"community_issues": "built", "issue_months": "waiting"}
    assert "it is made from villages, whose file" in steps[1].why


def test_a_layer_that_fails_keeps_only_its_followers_from_being_built(layers, change, store):
    change("community_issues", '{ key = "community_code"', '{ key = "code"')
    change("issue_months", 'units = "communities"', 'units = "community_issues"')
    steps = build(Catalogue.read(layers), store)
    assert statuses(steps) == {"community_issues": "failed", "issue_months": "waiting"}
    assert "no column 'code' among 6 columns of 'units'" in steps[0].why
    assert steps[1].why == "it is made from community_issues, which is failed"
    assert not (store.folder / "derived" / "community_issues.parquet").exists()


def test_a_result_that_breaks_its_description_is_not_written(layers, change, store):
    change("community_issues", 'name = "n_open"', 'name = "n_closed"')
    step = build(Catalogue.read(layers), store)[0]
    assert step.status == "failed"
    assert "column 'n_closed' is described but not in the data" in step.why
    assert not (store.folder / "derived").exists() or not list(
        (store.folder / "derived").glob("community*")
    )


def test_inputs_in_another_crs_than_described_are_refused(catalogue, store, units):
    units.to_crs(4490).to_parquet(store.folder / "communities.parquet")
    step = build(catalogue, store)[0]
    assert step.status == "failed"
    assert "'communities' is described in EPSG:4547 but" in step.why
    assert "EPSG:4490 (degree)" in step.why


def test_only_what_is_asked_for_is_built_with_what_it_needs(layers, change, store):
    change("issue_months", 'units = "communities"', 'units = "community_issues"')
    catalogue = Catalogue.read(layers)
    assert list(statuses(build(catalogue, store, only=["community_issues"]))) == [
        "community_issues"
    ]
    assert list(statuses(build(catalogue, store, only=["issue_months"]))) == [
        "community_issues",
        "issue_months",
    ]
    with pytest.raises(LayerNotFoundError, match="did you mean 'issue_months'"):
        build(catalogue, store, only=["issue_month"])
    with pytest.raises(
        CatalogueError, match="'communities' is a source, which is given and not made"
    ):
        build(catalogue, store, only=["communities"])


def test_progress_hears_of_every_layer(catalogue, store):
    heard = []
    build(catalogue, store, progress=lambda step, share: heard.append((step, share)))
    assert heard == [
        (name, share) for name in ("community_issues", "issue_months") for share in (0.0, 1.0)
    ]
    heard.clear()
    build(catalogue, store, progress=lambda step, share: heard.append((step, share)))
    assert heard == [("community_issues", 1.0), ("issue_months", 1.0)]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("gisgrid.derived:", "gisgrid.derivde:", "there is no module 'gisgrid.derivde'"),
        (":unit_issues", ":unit_isues", "gisgrid.derived has no function 'unit_isues'; did you mean 'unit_issues'?"),
        ("{ key = ", "{ kee = ", "which takes no 'kee'; did you mean 'key'?"),
        ("parameters = { key", "# { key", "which needs 'key'"),
    ],
)  # fmt: skip
def test_a_function_that_is_not_there_or_takes_something_else_is_said(
    *, layers, change, store, old, new, sentence
):
    change("community_issues", old, new)
    step = build(Catalogue.read(layers), store, only=["community_issues"])[0]
    assert (step.status, sentence in step.why) == ("failed", True)


def test_an_interrupted_build_leaves_no_half_layer(catalogue, store, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(FolderStore, "write_provenance", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build(catalogue, store)
    monkeypatch.undo()
    assert statuses(build(catalogue, store)) == {
        "community_issues": "built",
        "issue_months": "built",
    }


def test_a_mistake_in_a_function_is_not_hidden(catalogue, store, monkeypatch):
    def broken(**_):
        raise ZeroDivisionError

    monkeypatch.setattr(gisgrid.derived, "unit_issues", broken)
    with pytest.raises(ZeroDivisionError):
        build(catalogue, store)


def test_a_function_may_refuse_its_inputs(catalogue, store, monkeypatch):
    def refuse(**_):
        raise InputError("these inputs are of no use; bring others")

    monkeypatch.setattr(gisgrid.derived, "unit_issues", refuse)
    assert build(catalogue, store)[0].why == "these inputs are of no use; bring others"


def test_a_derivation_is_a_value():
    assert Derivation(None).excluded == {}
