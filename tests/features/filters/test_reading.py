"""CQL2 as it is written: text and JSON mean the same, and whatever is wrong says what and where."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.features.filters import MAX_CHARACTERS, MAX_DEPTH, MAX_LITERALS, Filter, FilterError
from gisgrid.features.filters.times import interval_span, time_span

FIELDS = {"severity": "integer", "score": "number", "category": "text", "类别": "text", "open": "boolean", "at": "time", "t": "time", "x": "number", "date": "time", "面积（亩）": "number"}  # fmt: skip


def key(text, language="cql2-text"):
    return Filter.parse(text, fields=FIELDS, language=language).key


def prop(name):
    return {"property": name}


def op(name, *args):
    return {"op": name, "args": list(args)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("severity = 3", op("=", prop("severity"), 3)),
        ("severity <> 3", op("<>", prop("severity"), 3)),
        ("category = 'it''s'", op("=", prop("category"), "it's")),
        ("类别 = '道路'", op("=", prop("类别"), "道路")),
        ("open = true", op("=", prop("open"), True)),
        ("severity = 1 AND score > 2 AND open", op("and", op("=", prop("severity"), 1), op(">", prop("score"), 2), prop("open"))),
        ("severity = 1 OR NOT score > 2", op("or", op("=", prop("severity"), 1), op("not", op(">", prop("score"), 2)))),
        ("category LIKE 'a%'", op("like", prop("category"), "a%")),
        ("CASEI(category) LIKE CASEI('a%')", op("like", op("casei", prop("category")), op("casei", "a%"))),
        ("ACCENTI(category) = ACCENTI('é')", op("=", op("accenti", prop("category")), op("accenti", "é"))),
        ("severity BETWEEN 1 AND 3", op("between", prop("severity"), 1, 3)),
        ("severity IN (1, 2)", op("in", prop("severity"), [1, 2])),
        ("severity NOT IN (1, 2)", op("not", op("in", prop("severity"), [1, 2]))),
        ("score IS NULL", op("isNull", prop("score"))),
        ("score IS NOT NULL", op("not", op("isNull", prop("score")))),
        ("score * 2 + 1 > severity - 1", op(">", op("+", op("*", prop("score"), 2), 1), op("-", prop("severity"), 1))),
        ("score ^ 2 = severity div 2", op("=", op("^", prop("score"), 2), op("div", prop("severity"), 2))),
        ("at > TIMESTAMP('2026-01-01T00:00:00Z')", op(">", prop("at"), {"timestamp": "2026-01-01T00:00:00Z"})),
        ("at = DATE('2026-01-01')", op("=", prop("at"), {"date": "2026-01-01"})),
        ("T_AFTER(at, DATE('2026-01-01'))", op("t_after", prop("at"), {"date": "2026-01-01"})),
        ("T_DURING(at, INTERVAL('2026-01-01', '..'))", op("t_during", prop("at"), {"interval": ["2026-01-01", ".."]})),
        ("T_MEETS(INTERVAL(at, t), INTERVAL('..', '2026-01-01T00:00:00Z'))", op("t_meets", {"interval": [prop("at"), prop("t")]}, {"interval": ["..", "2026-01-01T00:00:00Z"]})),
        ("S_INTERSECTS(geometry, POINT(1 2))", op("s_intersects", prop("geometry"), {"type": "Point", "coordinates": [1, 2]})),
        ("S_WITHIN(geometry, BBOX(1, 2, 3, 4))", op("s_within", prop("geometry"), {"bbox": [1, 2, 3, 4]})),
        ("S_CROSSES(LINESTRING(0 0, 1 1), geometry)", op("s_crosses", {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, prop("geometry"))),
        ("S_DISJOINT(geometry, GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 1)))", op("s_disjoint", prop("geometry"), {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1, 2]}, {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}]})),
    ],
)  # fmt: skip
def test_text_and_json_mean_the_same(text, said):
    assert (
        key(text)
        == key(json.dumps(said), "cql2-json")
        == Filter.parse(said, fields=FIELDS, language="cql2-json").key
    )
    assert key(key(text)) == key(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("severity = 1 and score > 2", "score>2 AND severity=1"),
        ("severity = 1 and (score > 2 and open)", "open and severity = 1 and score > 2"),
        ("3 < severity", "severity > 3"),
        ("severity in (2, 1)", "severity IN (1,2,1)"),
        ("not not open", "open = true"),
        ("category = 'a'", "\"category\" = 'a'"),
        ("x = 1", '"x" = +1'),
        ("x = -1", "x = - - - 1"),
        ("x = .5", "x = 5e-1"),
        ("面积（亩） > 1", '"面积（亩）" > 1'),
        ("t > TIMESTAMP('2026-01-01T08:00:00+08:00')", "t > TIMESTAMP('2026-01-01T00:00:00.000Z')"),
        ("T_AFTER(date, DATE('2026-01-01'))", "date > DATE('2026-01-01')"),
        ("severity between 1 and 2 or open", "open or (severity >= 1 and severity <= 2)"),
        (
            "S_CONTAINS(POLYGON((0 0, 1 0, 1 1, 0 0)), geometry)",
            "s_within(geom, polygon z ((0 0 5, 1 0 5, 1 1 5, 0 0 5)))",
        ),
        ("severity = 1 AND TRUE", "severity = 1"),
        ("(open OR severity = 1.0) AND (severity = 1 OR open)", "open OR severity = 1"),
        ("x IN (2, 1.0) OR x IN (1, 2)", "x IN (1, 2)"),
        ("FALSE AND severity = 1", "1 = 2"),
    ],
)
def test_what_means_the_same_is_equal(one, other):
    first, second = (Filter.parse(text, fields=FIELDS) for text in (one, other))
    assert first.key == second.key or {first.key, second.key} == {"FALSE", "1 = 2"}
    assert (first == second) == (first.key == second.key)
    assert first.key != second.key or hash(first) == hash(second)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("severty = 1", "there is no property 'severty'; did you mean 'severity'"),
        ("colour = 'red'", "the ones to filter by are 'at', 'category'"),
        (
            "severity = 'high'",
            "only values of one kind can be compared; put numbers without quotes",
        ),
        ("category = 3", "only values of one kind can be compared"),
        ("open > TRUE", "knows no >"),
        ("severity", "stands where a condition must"),
        ("severity + 1", "a calculation stands where a condition must"),
        ("category + 1 = 2", "is no number"),
        ("severity LIKE 'a'", "which is no text"),
        ("category LIKE severity", "no text in quotes"),
        ("category IN ()", "empty list"),
        ("severity = 1 = 2", "compares twice"),
        ("severity = ", "a value must stand"),
        ("severity = 1 severity", "goes on after its end"),
        ("(severity = 1", "')' must stand"),
        ("severity = 1)", "goes on after its end"),
        ("severity IS 1", "IS without NULL"),
        ("severity NOT 1", "NOT without LIKE"),
        ("severity = #", "cannot be read at '#'"),
        ("category = 'open", "cannot be read at"),
        ('category = "open', "cannot be read at"),
        ("avg(score) = 1", "there is no function 'avg'"),
        ("CASEI(severity) = 1", "which is no text"),
        ("CASEI(category, category) = 'a'", "has 2 values and takes 1"),
        ("T_AFTER(severity, DATE('2026-01-01'))", "which is no time"),
        ("T_DURING(at, INTERVAL('2026-02-01', '2026-01-01'))", "ends before it begins"),
        ("at > DATE('2026-13-01')", "is no time"),
        ("at > 'yesterday'", "'yesterday' is no time"),
        ("S_INTERSECTS(severity, POINT(1 2))", "compares the geometry with a shape"),
        ("S_INTERSECTS(geometry, POINT(1))", "is no shape"),
        ("S_INTERSECTS(geometry, POINT(nan 1))", "shape without coordinates"),
        ("S_INTERSECTS(geometry, POINT EMPTY)", "shape without coordinates"),
        ("S_INTERSECTS(geometry, BBOX(1, 2, 3))", "takes 4 or 6"),
        ("S_INTERSECTS(geometry, BBOX(1, 20, 3, 4))", "is none: south must not exceed north"),
        ("S_INTERSECTS(geometry, BBOX(1, 2, 3, 400))", "degrees lie within"),
        ("S_INTERSECTS(geometry, POINT(1 2)", "where ')' must stand"),
        ("S_INTERSECTS(geometry, POLYGON((0 0, 1 1", "ends within a shape"),
        ("x = 1e999", "beyond what can be calculated"),
        ("x = ['a']", "a list in [ ]"),
        ("A_CONTAINS(x, 1)", "there is no function 'A_CONTAINS'"),
        ("geometry = 1", "stands where a single value must"),
        ("AND", "a value must stand"),
        ("", "a value must stand"),
        ("category = '\ud800'", "half a character"),
    ],
)
def test_what_is_wrong_is_said(text, sentence):
    with pytest.raises(
        FilterError,
        match=sentence.replace("(", r"\(")
        .replace(")", r"\)")
        .replace("[", r"\[")
        .replace("+", r"\+"),
    ):
        key(text)


@pytest.mark.parametrize(
    "said",
    [
        "", "{", "[]", "null", "1", '"a"', '{"op": "="}', '{"op": "=", "args": []}', '{"op": "=", "args": [1]}',
        '{"op": "no", "args": [1, 2]}', '{"op": 1, "args": []}', '{"property": "nope"}', '{"op": "=", "args": [{"property": 1}, 1]}',
        '{"op": "in", "args": [{"property": "severity"}, 1]}', '{"op": "and", "args": []}', '{"op": "=", "args": [{"property": "x"}, NaN]}',
        '{"op": "=", "args": [{"property": "x"}, 1e999]}', '{"op": "=", "args": [{"property": "x"}, ' + "9" * 5000 + "]}",
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": ["a"]}]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Nothing", "coordinates": []}]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [1, 2, 3]}]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [1, 2, 3, "4"]}]}',
        '{"op": "=", "args": [{"property": "category"}, "\\ud800"]}',
        '{"function": {"name": "avg", "args": []}}', '{"interval": ["2026-01-01"]}',
    ],
)  # fmt: skip
def test_json_that_is_no_filter_is_refused(said):
    with pytest.raises(FilterError):
        key(said, "cql2-json")


def test_another_language_is_refused():
    with pytest.raises(FilterError, match="'sql' is not read"):
        key("1 = 1", "sql")


# --- how large ----------------------------------------------------------------------------------


def test_length_depth_and_number_are_limited_before_reading():
    with pytest.raises(FilterError, match=f"at most {MAX_CHARACTERS}"):
        key("x = " + "1" * MAX_CHARACTERS)
    assert key("(" * MAX_DEPTH + "x = 1" + ")" * MAX_DEPTH) == key("x = 1")
    with pytest.raises(FilterError, match="nests 51 deep"):
        key("(" * 51 + "x = 1" + ")" * 51)
    key(f"x IN ({', '.join(['1'] * MAX_LITERALS)})")
    with pytest.raises(FilterError, match="names 1001 values"):
        key(f"x IN ({', '.join(['1'] * (MAX_LITERALS + 1))})")
    with pytest.raises(FilterError, match="operators and at most 200"):
        key(" OR ".join(["x = 1"] * 150))
    with pytest.raises(FilterError, match="compares with 11 shapes"):
        key(" OR ".join(["S_INTERSECTS(geom, POINT(1 2))"] * 11))
    deep = '{"op": "not", "args": [' * 51 + '{"property": "open"}' + "]}" * 51
    with pytest.raises(FilterError, match="nests"):
        key(deep, "cql2-json")
    with pytest.raises(FilterError, match="nests"):
        key("[" * 4000, "cql2-json")


@pytest.mark.parametrize(
    "text",
    [
        "NOT " * 1900 + "open", "-" * 7000 + "1 = x", "(" * 7000, ")" * 7000, "x" + "+1" * 3900 + "=1", "x" + "^2" * 3900 + "=1",
        "x=" * 3900, "'" * 7999, '"' * 7999, "\\" * 7999, "1e" * 3999, "CASEI(" * 1300, "POINT(" * 1300, "[" * 7999,
        "category LIKE '" + "%_" * 3900 + "'", "category LIKE '" + "_" * 7900 + "'", "x IN (" + "(" * 3000, "AND " * 1999,
        "GEOMETRYCOLLECTION(" * 400, "INTERVAL('','')=" * 400, "x IS " * 1500, "x NOT " * 1300, ".." * 3999, "x BETWEEN " * 700,
    ],
)  # fmt: skip
def test_what_is_meant_to_hurt_is_answered_at_once(text):
    assert len(answer(text)) < 10_000


def answer(text):
    """The filter written out, or what is wrong with it."""
    try:
        return Filter.parse(text, fields=FIELDS).key
    except FilterError as error:
        return str(error)


PARTS = st.sampled_from(
    ["severity", "score", "category", "类别", "open", "at", '"x"', "geometry", "1", "2.5", "-3", "'a'", "'2026-01-01'", "TRUE",
     "=", "<>", "<", ">=", "AND", "OR", "NOT", "LIKE", "BETWEEN", "IN", "IS", "NULL", "(", ")", ",", "+", "-", "*", "/", "^", "%", "div",
     "CASEI", "ACCENTI", "DATE", "TIMESTAMP", "INTERVAL", "S_INTERSECTS", "S_WITHIN", "T_AFTER", "T_DURING", "BBOX", "POINT",
     "POLYGON", "(0 0, 1 0, 1 1, 0 0)", "(1 2)", "EMPTY", "'", '"', "\\", "\x00", "['", "🙂"]
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.one_of(st.lists(PARTS, max_size=25).map(" ".join), st.text(max_size=60)))
def test_no_text_does_anything_but_read_or_refuse(text):
    try:
        found = Filter.parse(text, fields=FIELDS)
    except FilterError:
        return
    assert Filter.parse(found.key, fields=FIELDS).key == found.key


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from([prop("severity"), prop("category"), prop("open"), prop("geometry"), prop("at")])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.builds(op, st.sampled_from(["and", "or", "not", "=", "<", "like", "in", "between", "isNull", "+", "/", "casei", "s_intersects", "t_after", "x"]), inner, inner),
        st.builds(lambda name, value: {name: value}, st.sampled_from(["op", "args", "property", "date", "timestamp", "interval", "bbox", "type", "coordinates"]), inner),
        st.builds(lambda kind, inside: {"type": kind, "coordinates": inside}, st.sampled_from(["Point", "Polygon", "x"]), st.lists(inner, max_size=3)),
    ),
    max_leaves=12,
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=150)
@given(VALUES)
def test_no_json_does_anything_but_read_or_refuse(said):
    for one in (json.dumps(said), said):
        try:
            found = Filter.parse(one, fields=FIELDS, language="cql2-json")
        except FilterError:
            continue
        assert Filter.parse(found.key, fields=FIELDS).key == found.key


# --- times and properties -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sought"),
    [
        ("2026-01-01T00:00:00Z", "at = TIMESTAMP('2026-01-01T00:00:00Z')"),
        ("2026-01-01", "at = DATE('2026-01-01')"),
        ("2026-01-01/..", "at >= TIMESTAMP('2026-01-01T00:00:00Z')"),
        ("2026-01-01/", "at >= TIMESTAMP('2026-01-01T00:00:00Z')"),
        ("../2026-01-31", "at <= TIMESTAMP('2026-01-31T23:59:59.999999Z')"),
        ("2026-01-01/2026-01-31", "at BETWEEN DATE('2026-01-01') AND DATE('2026-01-31')"),
        ("../..", "TRUE"),
    ],
)
def test_datetime_is_read_as_the_standard_says(text, sought):
    assert Filter.from_datetime(text, field="at") == Filter.parse(sought, fields=FIELDS)


@pytest.mark.parametrize("text", ["", "x", "2026", "2026-02-30", "2026-01-01T25:00:00Z", "2026-01-02/2026-01-01", "a/b", "2026-01-01/2026-01-02/2026-01-03", "0000-01-01", "2026-01-01T00:00:00+99:00", "９９９９-01-01"])  # fmt: skip
def test_what_is_no_datetime_is_refused(text):
    with pytest.raises(FilterError):
        Filter.from_datetime(text, field="at")


def test_times_reach_from_their_first_to_their_last_microsecond():
    assert time_span("1970-01-02") == (86_400_000_000, 2 * 86_400_000_000 - 1)
    assert time_span("1970-01-01T00:00:00.5Z") == (500_000, 500_000)
    assert time_span("1969-12-31t23:59:59z")[0] == -1_000_000
    assert time_span("0001-01-01T00:00:00Z")[0] < 0 < time_span("9999-12-31T23:59:59.999999999Z")[0]
    assert interval_span("1970-01-01/1970-01-01") == time_span("1970-01-01")


def test_properties_are_read_by_their_kind():
    def read(**wanted):
        return Filter.from_properties(wanted, fields=FIELDS)

    assert read(severity="3", category="a,b") == Filter.parse(
        "severity = 3 AND category = 'a,b'", fields=FIELDS
    )
    assert read(category=["a", "b"]) == Filter.parse("category IN ('a', 'b')", fields=FIELDS)
    assert read(open="TRUE") == Filter.parse("open = TRUE", fields=FIELDS)
    assert read(score="2.50") == Filter.parse("score = 2.5", fields=FIELDS)
    assert read(at="2026-01-01/..") == Filter.from_datetime("2026-01-01/..", field="at")
    assert read().is_all
    for wrong in (
        {"severity": "x"},
        {"severity": "nan"},
        {"open": "maybe"},
        {"at": "x"},
        {"nope": "1"},
        {"score": "9" * 9000},
    ):
        with pytest.raises(FilterError):
            read(**wrong)
    with pytest.raises(FilterError, match="1001 values"):
        read(category=["a"] * 1001)


def test_filters_are_joined():
    joined = (
        Filter.parse("severity = 1", fields=FIELDS)
        & Filter.from_properties({"category": "a"}, fields=FIELDS)
        & Filter()
    )
    assert joined == Filter.parse("category = 'a' AND severity = 1", fields=FIELDS)
    assert (Filter() & Filter()).is_all
