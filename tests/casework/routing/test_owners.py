"""Who owns what: by rule, by locality, by nobody, by two."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.casework.routing import Routing, RoutingRules, coverage, read_rules
from gisgrid.casework.routing.rules import BUILT_IN
from gisgrid.errors import ColumnError, InputError

WORDS = {"zh": "例", "en": "Example"}
CLASSES = ["0101", "0110", "0113", "0201"]
UNITS = pd.DataFrame(
    {
        "unit_code": ["a1x", "a1y", "a2x", "b1x"],
        "community_code": ["a1", "a1", "a2", "b1"],
        "subdistrict_code": ["a", "a", "a", "b"],
    }
)


def rules(*declared, fallback=True, owners=("roads", "waste", "market")):
    said = {"id": "city", "title": WORDS, "scheme": "gbt30428-new"}
    if fallback:
        said["fallback"] = {"level": "subdistrict", "column": "subdistrict_code"}
    said["owner"] = [{"id": owner, "level": "bureau", "title": WORDS} for owner in owners]
    said["rule"] = list(declared)
    return RoutingRules.model_validate(said)


def owners(declared, classes=CLASSES, units=UNITS):
    routing = Routing.of(declared, classes, units)
    return {
        (c, u): routing.owner(c, u)
        for c in classes
        for u in units["unit_code"]
        if routing.owner(c, u)
    }


def test_what_no_rule_covers_falls_back_to_the_locality():
    found = owners(rules({"owner": "roads", "classes": ["0113"]}))
    assert found["0113", "b1x"] == "roads"
    assert found["0110", "b1x"] == "subdistrict:b"
    assert len(found) == 16


def test_a_locality_may_have_a_name_of_its_own():
    said = rules().model_dump()
    said["fallback"]["owners"] = {"b": "roads"}
    assert owners(RoutingRules.model_validate(said))["0110", "b1x"] == "roads"


def test_a_rule_for_less_wins_whatever_the_order():
    wide = {"owner": "waste", "classes": ["01*"]}
    in_market = {"owner": "market", "where": {"community_code": ["a1"]}, "classes": ["01*"]}
    one_class = {"owner": "roads", "classes": ["0113"]}
    for declared in ([wide, in_market], [in_market, wide]):
        found = owners(rules(*declared))
        assert (found["0110", "a1x"], found["0110", "a2x"]) == ("market", "waste")
    assert owners(rules(one_class, wide))["0113", "a2x"] == "roads"


def test_two_rules_of_which_neither_holds_for_less_are_listed():
    in_market = {"owner": "market", "where": {"community_code": ["a1"]}}
    one_class = {"owner": "roads", "classes": ["0113"]}
    listed = coverage(rules(in_market, one_class), CLASSES, UNITS)
    assert listed.to_dict("list") == {
        "category_code": ["0113", "0113"],
        "unit_code": ["a1x", "a1y"],
        "n_owners": [2, 2],
        "owners": ["market;roads"] * 2,
        "rules": ["0;1"] * 2,
    }
    settled = {"owner": "roads", "classes": ["0113"], "where": {"community_code": ["a1"]}}
    assert coverage(rules(in_market, one_class, settled), CLASSES, UNITS).empty


def test_two_rules_for_one_owner_are_one_owner():
    first = {"owner": "roads", "where": {"community_code": ["a1"]}}
    second = {"owner": "roads", "classes": ["0113"]}
    assert coverage(rules(first, second), CLASSES, UNITS).empty


def test_without_fallback_what_no_rule_covers_is_listed():
    listed = coverage(rules({"owner": "roads", "classes": ["01*"]}, fallback=False), CLASSES, UNITS)
    assert listed["category_code"].unique().tolist() == ["0201"]
    assert listed["n_owners"].tolist() == [0] * 4


def test_a_unit_without_locality_is_listed():
    units = UNITS.assign(subdistrict_code=["a", None, "a", "b"])
    listed = coverage(rules({"owner": "roads", "classes": ["01*"]}), CLASSES, units)
    assert listed[["category_code", "unit_code"]].to_numpy().tolist() == [["0201", "a1y"]]


def test_many_reports_are_routed_at_once_and_say_why():
    routing = Routing.of(
        rules({"owner": "roads", "classes": ["0113"]}, {"owner": "market", "where": {"unit_code": ["a1x"]}}),
        CLASSES, UNITS,
    )  # fmt: skip
    classes = pd.Series(["0113", "0113", "0110", "9999", None, "0113"], index=list("uvwxyz"))
    units = ["b1x", "a1x", "a2x", "a2x", "b1x", "elsewhere"]
    found = routing.route(classes, units)
    assert found.index.tolist() == list("uvwxyz")
    assert found["basis"].tolist() == ["rule", "several", "locality", "unknown_class", "unknown_class", "outside"]  # fmt: skip
    assert found["owner"].fillna("-").tolist() == ["roads", "-", "subdistrict:a", "subdistrict:a", "subdistrict:b", "-"]  # fmt: skip
    assert found["rule"].fillna(-1).tolist() == [0, -1, -1, -1, -1, -1]
    one_by_one = [routing.owner(c, u) for c, u in zip(classes, units, strict=True)]
    assert [owner or "-" for owner in one_by_one] == found["owner"].fillna("-").tolist()


def test_no_reports_and_no_units_give_empty_frames():
    routing = Routing.of(rules(), [], UNITS.iloc[:0])
    assert routing.route([], []).empty
    assert routing.gaps().empty
    assert routing.owner("0113", "a1x") is None


@pytest.mark.parametrize(
    ("classes", "units", "error", "sentence"),
    [
        (CLASSES, UNITS.drop(columns="subdistrict_code"), ColumnError, "need the units' column 'subdistrict_code'"),
        ([*CLASSES, "0101"], UNITS, InputError, "the class '0101' comes twice among 5"),
        ([*CLASSES, None], UNITS, InputError, "1 of 5 codes of a class are missing"),
        (CLASSES, pd.concat([UNITS, UNITS]), InputError, "the unit 'a1x' comes twice"),
        (["0101"], UNITS, InputError, r"rule 1 of 'city' \(roads\) names '0113', which none of 1 codes fits"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_rules_is_refused(classes, units, error, sentence):
    with pytest.raises(error, match=sentence):
        Routing.of(rules({"owner": "roads", "classes": ["0113"]}), classes, units)


def test_reports_of_two_lengths_are_refused():
    with pytest.raises(InputError, match="2 classes and 1 units"):
        Routing.of(rules(), CLASSES, UNITS).route(["0101", "0110"], ["a1x"])


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('owner = "water"', 'owner = "watre"', r"names the owner 'watre'; did you mean 'water'\?"),
        ('id = "water"', 'id = "utilities"', "'utilities' is declared twice"),
        ('"0125"', '"01*25"', "rule.3.classes.0"),
        ('level = "bureau"', 'level = "office"', "owner.0.level"),
        ("[[rule]]", "[[ruel]]", "ruel: Extra inputs"),
    ],
)
def test_a_broken_declaration_is_refused(tmp_path, old, new, sentence):
    text = BUILT_IN.read_text("utf8")
    assert old in text
    path = tmp_path / "city.toml"
    path.write_text(text.replace(old, new, 1), "utf8")
    with pytest.raises(InputError, match=sentence):
        read_rules(path)


def test_the_built_in_rules_leave_no_gap_in_the_standards_classes():
    from gisgrid.intake.classes.files import TAXONOMIES

    declared = read_rules()
    scheme = TAXONOMIES[declared.scheme]
    codes = [each.code for each in scheme.classes if each.kind == "event" and not each.is_major]
    assert coverage(declared, codes, UNITS).empty


patterns = st.lists(st.sampled_from(["01*", "0101", "0110", "02*", "*"]), max_size=2)
places = st.fixed_dictionaries(
    {},
    optional={
        "community_code": st.just(["a1"]) | st.just(["a*"]),
        "subdistrict_code": st.sampled_from([["a"], ["b"], ["a", "b"]]),
    },
)
declared_rules = st.lists(
    st.fixed_dictionaries({"owner": st.sampled_from(["roads", "waste", "market"]), "classes": patterns, "where": places}),
    max_size=6,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(declared_rules, st.booleans(), st.randoms(use_true_random=False))
def test_every_pair_has_one_owner_or_is_listed_whatever_the_order(declared, fallback, random):
    first = rules(*declared, fallback=fallback)
    found = owners(first)
    listed = coverage(first, CLASSES, UNITS)
    pairs = set(zip(listed["category_code"], listed["unit_code"], strict=True))
    everything = {(c, u) for c in CLASSES for u in UNITS["unit_code"]}
    assert pairs | set(found) == everything
    assert not pairs & set(found)
    assert (listed["n_owners"] != 1).all()
    shuffled = list(declared)
    random.shuffle(shuffled)
    assert owners(rules(*shuffled, fallback=fallback)) == found
    if fallback:
        assert (listed["n_owners"] >= 2).all()


def test_a_large_city_is_listed_quickly_and_rightly():
    n = 20_000
    units = pd.DataFrame({"unit_code": [f"u{i:05d}" for i in range(n)], "subdistrict_code": [f"s{i % 40}" for i in range(n)]})  # fmt: skip
    classes = [f"{i:04d}" for i in range(300)]
    routing = Routing.of(
        rules({"owner": "roads", "classes": ["00*"]}, {"owner": "waste", "where": {"subdistrict_code": ["s7"]}}),
        classes, units,
    )  # fmt: skip
    assert len(routing.gaps()) == 100 * n // 40
    rng = np.random.default_rng(1)
    asked = rng.choice(classes, 50_000), rng.choice(units["unit_code"], 50_000)
    assert routing.route(*asked)["basis"].isin(["rule", "locality", "several"]).all()
