"""Which class a report is of: declared schemes, the exchanged majors, crosswalks, rules, cities' own files."""

import json
import tomllib

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import IndexMismatchError, InputError
from gisgrid.intake.classes.rules import Rule, rules_that_hold
from gisgrid.intake.classes.taxonomy import (
    CATEGORIES,
    TAXONOMIES,
    Taxonomy,
    classify,
    crosswalk,
    detect_taxonomy,
    full_codes,
    taxonomy_named,
)
from gisgrid.intake.reasons import FLAGS

OLD, NEW, FREE = (TAXONOMIES[name] for name in ("cjt214-2007", "gbt30428-new", "free-text"))


def texts(values):
    return None if values is None else pa.array(values, pa.string())


def classed(codes, names, taxonomy=NEW):
    got = classify(texts(codes), texts(names), taxonomy)
    return list(
        zip(
            got.category_code.to_pylist(),
            got.category.to_pylist(),
            got.flags.to_pylist(),
            strict=True,
        )
    )


def detected(codes, names, **options):
    return detect_taxonomy(texts(codes), texts(names), **options)


def minors(taxonomy, kind="event"):
    return [c for c in taxonomy.classes if c.kind == kind and not c.is_major]


# Declared data


def test_the_new_generation_keeps_the_catalogues_keys_words_and_codes(layers_dir):
    said = tomllib.loads((layers_dir / "reported_issues" / "layer.toml").read_text("utf-8"))
    fields = {field["name"]: field for field in said["fields"]}
    assert taxonomy_named(fields["category_scheme"]["allowed"][0]) is NEW
    for key, words in fields["category"]["labels"].items():
        assert (CATEGORIES[key].words.zh, CATEGORIES[key].words.en) == (words["zh"], words["en"])
        assert [c.code for c in minors(NEW) if c.category == key]


def test_the_synthetic_citys_codes_are_those_of_the_scheme():
    from gisgrid.testing.rhythm import CATEGORIES as CITY

    of_key = {c.category: c.code for c in minors(NEW)}
    assert {key: of_key[key] for key in CITY} == dict(CITY)
    assert classed(list(CITY.values()), list(CITY)) == [(CITY[key], key, "") for key in CITY]


@pytest.mark.parametrize("taxonomy", [OLD, NEW])
def test_a_scheme_is_whole(taxonomy):
    codes = [(c.kind, c.code) for c in taxonomy.classes]
    assert len({*codes}) == len(codes)
    assert taxonomy.code_length == 4
    events = [c.category for c in minors(taxonomy)]
    assert len({*events}) == len(events)  # else a crosswalk could not come back
    for c in taxonomy.classes:
        assert c.category in CATEGORIES
        assert c.words.zh
        assert c.words.en
    majors = {c.code[:2] for c in minors(taxonomy)}
    assert majors == {f"{n:02d}" for n in range(1, 1 + len(majors))}


def test_both_kinds_of_the_new_generation_have_their_majors():
    names = {c.words.zh for c in NEW.classes if c.kind == "component" and c.is_major}
    assert names == {"公用设施", "道路交通设施", "市容环境设施", "园林绿化设施", "其他部件"}


def test_wider_categories_exist_and_do_not_go_in_circles():
    for category in CATEGORIES.values():
        seen, at = set(), category
        while at.broader is not None:
            assert at.id not in seen
            seen.add(at.id)
            at = CATEGORIES[at.broader]


def test_schemes_are_asked_for_by_any_of_their_names(tmp_path):
    assert taxonomy_named("CJ/T 214-2007") is OLD
    assert taxonomy_named("gb/t 30428.2-2013") is NEW
    assert taxonomy_named("free-text") is FREE
    with pytest.raises(InputError, match="no taxonomy 'gbt30428'; did you mean 'gbt30428-new'"):
        taxonomy_named("gbt30428")
    with pytest.raises(InputError, match=r"'city.toml' cannot be read"):
        taxonomy_named("city.toml", folder=tmp_path)


# The trap


@pytest.mark.parametrize(
    "codes",
    [["0401", "0505"], ["0401"] * 50 + ["0130"] * 50, ["401"], ["04"], ["0102"], ["0101", "0110"]],
)
def test_codes_of_two_meanings_are_refused_without_names(codes):
    found = detected(codes, None)
    assert found.taxonomy is None
    assert found.is_ambiguous
    assert found.confidence == 0
    assert "--taxonomy gbt30428-new" in found.evidence[-1].zh
    assert "--taxonomy cjt214-2007" in found.evidence[-1].en


@pytest.mark.parametrize(
    ("codes", "names", "scheme"),
    [
        (["0401"], ["路面塌陷"], "cjt214-2007"),
        (["0401"], ["无照经营游商"], "gbt30428-new"),
        (["0505", "0101"], ["机动车乱停放", "私搭乱建"], "cjt214-2007"),
        (["0505", "0101"], ["路面塌陷", "私搭乱建"], "gbt30428-new"),
        (["0102"] * 9 + ["0102"], ["暴露垃圾"] * 9 + ["?"], "cjt214-2007"),
        (["04", "04"], ["突发事件\n", "突发事件"], "cjt214-2007"),
        (["04"], ["街面秩序\n"], "gbt30428-new"),
        (["0101"], ["上水井盖"], "gbt30428-new"),
    ],
)
def test_names_beside_the_codes_settle_it(codes, names, scheme):
    found = detected(codes, names)
    assert found.taxonomy is TAXONOMIES[scheme]
    assert found.confidence >= 0.9


def test_every_class_of_each_generation_is_told_by_its_name():
    for taxonomy in (OLD, NEW):
        rows = minors(taxonomy)
        found = detected([c.code for c in rows], [c.words.zh for c in rows])
        assert found.taxonomy is taxonomy
        assert found.confidence == 1


def test_unknown_names_do_not_settle_it():
    found = detected(["0401", "0505", "0110"], ["甲", "乙", "丙"])
    assert found.taxonomy is None
    assert found.is_ambiguous


def test_codes_with_one_meaning_are_believed():
    assert detected(["0101", "0201"], None).taxonomy is NEW  # the same in both
    assert detected(["0130", "0128"], None).taxonomy is NEW  # only there


def test_codes_of_no_scheme_are_left_to_the_names():
    found = detected(["610", "620"], ["BURGLARY", "BURGLARY"])
    assert found.taxonomy is FREE
    assert "only the names are read" in found.evidence[0].en
    nothing = detected(["X1", "X2"], None)
    assert nothing.taxonomy is None
    assert not nothing.is_ambiguous
    assert "'X1'" in nothing.evidence[-1].en


def test_names_alone_have_no_trap():
    assert detected(None, ["暴露垃圾", "道路不洁"]).taxonomy is NEW
    assert detected(None, ["自来水管破裂", "占道广告牌"]).taxonomy is OLD
    assert detected(None, ["Rodent", "HEAT/HOT WATER"]).taxonomy is FREE
    assert detected(None, ["qq", "zz"]).taxonomy is None
    assert detected(["", None], [None, " "]).taxonomy is None


# Classing


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        ("0401", "无照经营游商", ("0401", "unlicensed_vending", "")),
        ("401", None, ("0401", "unlicensed_vending", "")),
        (" 04-01 ", "", ("0401", "unlicensed_vending", "")),
        ("401.0", None, ("0401", "unlicensed_vending", "")),
        ("０４０１", None, ("0401", "unlicensed_vending", "")),
        ("0401", "路面塌陷", ("0505", "road_collapse", "category_mismatch")),
        ("0401", "夜间施工噪音", ("0401", "unlicensed_vending", "category_mismatch")),
        ("0410", "共享单车乱停", ("0410", "illegal_parking", "")),  # narrower, no contradiction
        ("0401", "其他问题", ("0401", "unlicensed_vending", "")),
        ("0101", None, ("0101", "illegal_building", "")),
        ("0101", "上水井盖", ("0101", "manhole_cover", "")),
        ("0137", "路灯", ("0137", "street_lamp", "")),
        ("01", "暴露垃圾", ("0110", "exposed_garbage", "")),
        ("0110", "市容环境", ("0110", "exposed_garbage", "")),
        ("0199", None, ("0199", "dry_toilet", "category_ambiguous")),
        ("0199", "旱厕问题", ("0199", "dry_toilet", "")),
        ("0199", "违规小产权房", ("0199", "illegal_building", "")),
        ("0188", "垃圾满溢", ("0188", "overflowing_bins", "")),
        ("0188", None, (None, None, "category_unknown")),
        ("9", "xyz", (None, None, "category_unknown")),
        (None, "街面秩序\n", ("04", "other_street_order", "")),
        (None, "市容环境>暴露垃圾", ("0110", "exposed_garbage", "")),
        (None, "0110 暴露生活垃圾", ("0110", "exposed_garbage", "")),
        (None, "早(夜)市管理", ("0402", "market_management", "")),
        (None, "exposed_garbage", ("0110", "exposed_garbage", "")),
        (None, "楼道里堆满杂物", ("0136", "clutter", "")),
        (None, "其他", (None, "other", "")),
        (None, None, (None, None, "category_missing")),
        ("  ", "\n", (None, None, "category_missing")),
    ],
)
def test_a_class_of_the_new_generation(code, name, expected):
    assert classed([code], [name]) == [expected]


def test_the_same_code_under_the_old_generation():
    assert classed(["0401", "0505", "0199"], None, OLD) == [
        ("0401", "road_collapse", ""),
        ("0505", "illegal_parking", ""),
        ("0199", "other_appearance", ""),
    ]
    assert classed(["0199", "0399"], ["其他", "其他"], OLD) == [
        ("0199", "other_appearance", ""),
        ("0399", "other_construction", ""),
    ]


@pytest.mark.parametrize("taxonomy", [OLD, NEW])
def test_every_class_is_itself_by_code_by_name_and_by_both(taxonomy):
    rows = minors(taxonomy)
    codes, names = [c.code for c in rows], [c.words.zh for c in rows]
    expected = [(c.code, c.category, "") for c in rows]
    assert classed(codes, names, taxonomy) == expected
    assert classed(None, names, taxonomy) == expected
    by_code = [(c.code, c.category, "category_ambiguous" if c.is_local else "") for c in rows]
    assert classed(codes, None, taxonomy) == by_code


def test_flags_have_words():
    from gisgrid.intake.classes.taxonomy import _FLAGS

    assert {flag for flag in _FLAGS if flag} <= {*FLAGS}


def test_majors_and_minors_in_two_columns_are_put_together():
    got = full_codes(texts(["01", "4", None, "04"]), texts(["02", "0401", None, None]))
    assert got.to_pylist() == ["0102", "0401", None, "04"]


def test_columns_of_any_form_are_read():
    codes = pa.chunked_array([texts(["0401"]), texts(["0110", None])])
    got = classify(codes, pa.array(["x", None, "x"]).dictionary_encode(), NEW)
    assert got.category.to_pylist() == ["unlicensed_vending", "exposed_garbage", None]
    assert classify(pa.array([401, 110]), None, NEW).category_code.to_pylist() == ["0401", "0110"]
    assert len(classify(texts([]), None, NEW).flags) == 0
    assert len(classify(None, pa.chunked_array([], pa.string()), FREE).flags) == 0


def test_columns_that_do_not_belong_together_are_refused():
    with pytest.raises(IndexMismatchError, match="1 codes and 2 names"):
        classify(texts(["1"]), texts(["a", "b"]), NEW)
    with pytest.raises(InputError, match="give one of them"):
        detect_taxonomy(None, None)


VALUE = st.sampled_from(["0401", "401", "0505", "0199", "01", "x", "", None])
NAME = st.sampled_from(["路面塌陷", "无照经营游商", "其他", "垃圾", "市容环境", "?", " ", None])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(VALUE, NAME), min_size=1, max_size=30), st.randoms())
def test_rows_are_classed_alone_whatever_stands_around_them(rows, random):
    alone = [classed([code], [name])[0] for code, name in rows]
    codes, names = zip(*rows, strict=True)
    assert classed(codes, names) == alone
    order = list(range(len(rows)))
    random.shuffle(order)
    assert classed([codes[i] for i in order], [names[i] for i in order]) == [alone[i] for i in order]  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(max_size=12) | st.none(), max_size=20))
def test_any_text_is_classed_or_flagged(names):
    for taxonomy in (NEW, OLD, FREE):
        for (_, category, flag), name in zip(classed(None, names, taxonomy), names, strict=True):
            if category is None:
                assert flag in ("category_unknown", "category_missing")
            else:
                assert category in CATEGORIES
                assert name


# Crosswalks


def test_a_crosswalk_comes_back_but_for_what_it_lists():
    walk = crosswalk(OLD, NEW)
    lost = {(entry.taxonomy, entry.code) for entry in walk.lost}
    for taxonomy, there, back in ((OLD, walk.forward, walk.back), (NEW, walk.back, walk.forward)):
        for c in minors(taxonomy):
            returned = back.get(there.get(c.code))
            assert (returned == c.code) != ((taxonomy.id, c.code) in lost)
    assert walk.forward["0401"] == "0505"
    assert walk.back["0401"] == "0501"
    assert len(lost) < len(minors(OLD)) + len(minors(NEW)) - 60


def test_a_crosswalk_lists_what_is_merged_and_what_is_missing():
    lost = {(entry.taxonomy, entry.code): entry for entry in crosswalk(OLD, NEW).lost}
    bicycles = lost["cjt214-2007", "0506"]
    assert bicycles.comes_back == "0505"
    assert "0410" in bicycles.why.en
    fumes = lost["cjt214-2007", "0116"]
    assert fumes.comes_back is None
    assert "没有对应类别" in fumes.why.zh


def test_a_crosswalk_the_other_way_is_the_same_turned_round():
    there, here = crosswalk(OLD, NEW), crosswalk(NEW, OLD)
    assert (there.forward, there.back) == (here.back, here.forward)
    assert {*there.lost} == {*here.lost}
    same = crosswalk(NEW, NEW)
    assert all(code == other for code, other in same.forward.items())
    assert not same.lost


def test_columns_of_codes_are_translated():
    walk = crosswalk(OLD, NEW)
    assert walk.translate(texts(["0401", "0116", None])).to_pylist() == ["0505", None, None]


# Free text


def test_rules_hold_in_their_order_and_from_the_beginning_of_a_word():
    rules = [Rule("a", ("rat",), ("rate",)), Rule("b", ("garbage", "垃圾"))]
    said = [
        "Rats in garbage",
        "rate of garbage",
        "degenerate",
        "ＧＡＲＢＡＧＥ",
        "有垃圾",
        "",
        None,
    ]
    assert rules_that_hold(texts(said), rules).tolist() == [0, 1, -1, 1, 1, -1, -1]
    assert rules_that_hold(texts([]), rules).tolist() == []
    assert rules_that_hold(texts(["a"]), []).tolist() == [-1]


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("小区门口有人占道摆摊卖菜", "street_vending"), ("车辆违停堵住消防通道", "fire_lane_blocked"), ("路灯不亮", "street_lamp"),
        ("楼下垃圾成堆无人清理", "exposed_garbage"), ("夜间施工扰民", "construction_nuisance"), ("污水横流", "sewage"),
        ("井盖丢失", "manhole_cover"), ("墙上贴满小广告", "illegal_adverts"), ("楼顶违建", "illegal_building"),
        ("公厕没水", "public_toilet"), ("旱厕未改造", "dry_toilet"), ("路面坑洼", "damaged_road"), ("有老鼠", "vector_breeding"),
        ("Illegal Parking", "illegal_parking"), ("Blocked Driveway", "illegal_parking"), ("Rodent", "vector_breeding"),
        ("HEAT/HOT WATER", "heating"), ("Noise - Residential", "noise"), ("Derelict Vehicles", "abandoned_vehicle"),
        ("Street Condition", "damaged_road"), ("Graffiti", "graffiti"), ("Street Light Condition", "street_lamp"),
        ("Dirty Condition", "dirty_road"), ("Sewer", "drain_blocked"), ("Food Establishment", "food_safety"),
        ("Root/Sewer/Sidewalk Condition", "damaged_road"), ("Oil or Gas Spill", "hazardous_material"),
        ("street_lights_out", "street_lamp"), ("Sanitation Code Violation", "exposed_garbage"),
    ],
)  # fmt: skip
def test_free_text_leads_to_a_category(text, category):
    assert classed(None, [text], FREE) == [(None, category, "")]


@pytest.mark.data
def test_chicagos_natures_of_violation_are_classed(shared_data):
    frame = pd.read_parquet(shared_data / "chicago" / "chicago_sanitation_2011_2014.parquet")
    natures = pa.array(frame["What_is_the_Nature_of_this_Code_Violation"], from_pandas=True)
    assert detect_taxonomy(None, natures).taxonomy is FREE
    counts = pd.Series(classify(None, natures, FREE).category.to_pylist()).value_counts()
    assert counts.to_dict() == {
        "other": 27_022, "exposed_garbage": 13_838 + 11_600, "overflowing_bins": 5_803 + 5_495, "dog_fouling": 3_994,
        "site_fence": 2_307, "standing_water": 546, "graffiti": 43,
    }  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize("file", ["nyc_311_20230228_raw.csv.gz", "nyc_311_animals_raw.csv.gz"])
def test_new_yorks_complaint_types_are_classed(file, shared_data):
    frame = pd.read_csv(shared_data / "nyc" / file, dtype=str, usecols=["Complaint Type"])
    types = pa.array(frame["Complaint Type"], pa.string())
    found = detect_taxonomy(None, types)
    assert found.taxonomy is FREE
    assert found.confidence > 0.99
    known = classify(None, types, FREE).category.drop_null()
    assert len(known) > 0.99 * len(types)


# Files of cities and of Open311

CITY = """
base = "gbt30428-new"
title = { zh = "某市扩展", en = "A city's extension" }
remove = ["0498"]
[categories]
illegal_flat = { zh = "违规小产权房", en = "Flat without title", broader = "illegal_building" }
[event.classes]
"0199" = { key = "illegal_flat", zh = "违规小产权房", en = "Flat without title" }
"0492" = { key = "shared_bicycles", zh = "共享单车管理", en = "Shared bicycles", names = ["单车"] }
"""


def city(tmp_path, text=CITY):
    (tmp_path / "某市.toml").write_text(text, encoding="utf-8")
    return Taxonomy.from_file(tmp_path / "某市.toml")


def test_a_city_extends_a_scheme(tmp_path):
    taxonomy = city(tmp_path)
    assert taxonomy.id == "city:某市"
    assert classed(["0199", "0492", None, "0401", "0498"], [None, None, "单车", None, None], taxonomy) == [
        ("0199", "illegal_flat", ""), ("0492", "shared_bicycles", ""), ("0492", "shared_bicycles", ""),
        ("0401", "unlicensed_vending", ""), (None, None, "category_unknown"),
    ]  # fmt: skip
    assert taxonomy.words("illegal_flat").zh == "违规小产权房"
    assert len(minors(NEW)) == len(minors(taxonomy))  # one removed, one replaced, one added
    assert taxonomy_named("某市.toml", folder=tmp_path).id == "city:某市"
    both = {**TAXONOMIES, taxonomy.id: taxonomy}
    found = detected(["0199", "0492"], ["违规小产权房", "单车"], taxonomies=both)
    assert found.taxonomy is taxonomy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('bases = "x"', r"unknown key 'bases'; did you mean 'base'\?"),
        ('base = "gbt30428"', r"base = 'gbt30428', which is no taxonomy; did you mean 'gbt30428-new'\?"),
        ('[event.classes]\n"0101" = { key = "graffitti", zh = "a", en = "b" }', r"'0101' has key = 'graffitti', which is no category; did you mean 'graffiti'\?"),
        ('[event.classes]\n"0101" = { key = "graffiti", zh = "a" }', r"'0101' needs its words in both languages"),
        ('[event.classes]\n"0101" = "graffiti"', r"'0101' is 'graffiti' but a class is"),
        ("[event.klasses]", r"in \[event\] has the unknown key 'klasses'; did you mean 'classes'\?"),
        ('[[rules]]\nkey = "graffiti"\nwords = ["x"]', r"unknown key 'words'"),
        ('title = { zh = "a", en = "b" }', r"has neither classes nor rules"),
        ('title = "a"', r"needs its words in both languages|has neither"),
        ("base = ", r"is no TOML in UTF-8"),
    ],
)  # fmt: skip
def test_a_file_that_breaks_a_rule_is_refused(text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        city(tmp_path, text)


SERVICES = [
    {"service_code": "001", "service_name": "Cans left out 24x7", "group": "sanitation", "keywords": "trash, carts"},
    {"service_code": "002", "service_name": "Construction plate shifted", "description": "A plate moved"},
    {"service_code": "006", "service_name": "Graffiti removal"},
]  # fmt: skip


def services(tmp_path, suffix, text):
    path = tmp_path / f"services.{suffix}"
    path.write_text(text, encoding="utf-8")
    return path


def as_xml(rows):
    inner = "".join(
        "<service>" + "".join(f"<{k}>{v}</{k}>" for k, v in row.items()) + "</service>"
        for row in rows
    )
    return f'<?xml version="1.0" encoding="utf-8"?><services>{inner}</services>'


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("json", json.dumps(SERVICES)),
        ("json", json.dumps({"services": SERVICES})),
        ("json", json.dumps(SERVICES).replace('"001"', "001").replace('"006"', "006")),
        ("xml", as_xml(SERVICES)),
    ],
)
def test_a_list_of_open311_services_is_a_scheme(suffix, text, tmp_path):
    taxonomy = Taxonomy.from_file(services(tmp_path, suffix, text))
    assert taxonomy.id == "open311:services"
    assert classed(["001", "002", "006", "6", None], [None, None, None, None, "Graffiti removal"], taxonomy) == [
        ("001", "exposed_garbage", ""), ("002", "service_002", ""), ("006", "graffiti", ""),
        (None, None, "category_unknown"), ("006", "graffiti", ""),
    ]  # fmt: skip
    assert taxonomy.words("service_002").en == "Construction plate shifted"


@pytest.mark.parametrize(
    ("suffix", "text", "message"),
    [
        ("json", "[]", "holds no services"),
        ("json", "{", "is not JSON"),
        ("json", '{"a": 1}', "is no list of services"),
        ("json", '[{"service_code": "1"}]', "without service_code or service_name"),
        ("json", json.dumps([SERVICES[0]] * 2), "'001' more than once"),
        ("xml", "<services>", "is not XML"),
        ("xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><services/>", "could expand without end"),
        ("xml", "<a/>", "holds no services"),
    ],
)
def test_a_list_that_is_none_is_refused(suffix, text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        Taxonomy.from_file(services(tmp_path, suffix, text))


def test_a_list_that_is_not_there_or_not_utf8_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"'none.json' cannot be read"):
        Taxonomy.from_file(tmp_path / "none.json")
    (tmp_path / "gbk.xml").write_bytes("<services>垃圾</services>".encode("gbk"))
    with pytest.raises(InputError, match=r"not text in UTF-8"):
        Taxonomy.from_file(tmp_path / "gbk.xml")


def test_many_rows_of_few_classes_are_themselves():
    rng = np.random.default_rng(3)
    rows = minors(NEW)
    at = rng.integers(0, len(rows), 200_000)
    codes = pa.array(np.array([c.code for c in rows])[at])
    got = classify(codes, pa.array(np.array([c.words.zh for c in rows])[at]), NEW)
    assert got.category_code.equals(codes)
    assert set(got.flags.unique().to_pylist()) == {""}
