"""Which deadline holds for which case."""

import pandas as pd
import pytest

from gisgrid.casework.deadlines import DeadlineTable, deadlines, read_calendar, read_deadlines
from gisgrid.errors import ColumnError, InputError, NullResultWarning

CALENDAR = read_calendar()


def table(*rules, **more):
    return DeadlineTable.model_validate(
        {
            "title": {"zh": "表", "en": "table"},
            "taxonomy": "t",
            "deadline": [{"amount": 1, "unit": "working_days", **rule} for rule in rules],
            **more,
        }
    )


def cases(**columns):
    n = len(next(iter(columns.values())))
    at = pd.to_datetime(["2026-11-16T09:00+08:00"] * n, utc=True)
    plain = {
        "case_id": [f"c{i}" for i in range(n)],
        "category_code": ["0110"] * n,
        "unit_code": ["4198"] * n,
        "dispatched_at": at,
    }
    return pd.DataFrame({**plain, **columns})


def test_the_rule_that_describes_a_case_most_closely_holds():
    rules = table(
        {"amount": 9}, {"category_code": "01", "amount": 8}, {"category_code": "0110", "amount": 7},
        {"category_code": "0110", "unit_code": "419801", "amount": 6}, {"unit_code": "419801002", "amount": 5},
        {"category_code": "0110", "grid_class": "A", "amount": 4}, {"category_code": "0110", "urgency": "high", "amount": 3},
    )  # fmt: skip
    rows = cases(
        category_code=["0501", "0199", "0110", "0110", "0501", "0110", "0110", None],
        unit_code=["4198", "4198", "4197", "4198010", "4198010020", "4197", "4197", None],
        grid_class=["B", "B", "B", "A", "B", "A", "B", "B"],
        urgency=["low", "low", "low", "low", "low", "low", "high", "low"],
    )
    found = deadlines(rows, rules, calendar=CALENDAR, taxonomy="t")
    assert found["amount"].to_list() == [9, 8, 7, 6, 5, 4, 3, 9]
    assert found["rule"].to_list() == [0, 1, 2, 3, 4, 5, 6, 0]


def test_a_case_without_a_rule_is_never_due_and_that_is_said():
    with pytest.warns(NullResultWarning, match="1 of 2 cases"):
        found = deadlines(
            cases(category_code=["0110", "0201"]),
            table({"category_code": "01"}),
            calendar=CALENDAR,
            taxonomy="t",
        )
    assert found["due_at"].isna().to_list() == [False, True]
    assert found["rule"].isna().to_list() == [False, True]


def test_extensions_add_up_and_pauses_count():
    extensions = pd.DataFrame({"case_id": ["c1", "c1"], "amount": [1.0, 2.0]})
    pauses = pd.DataFrame({
        "case_id": ["c0"], "paused_at": pd.to_datetime(["2026-11-16T10:00+08:00"], utc=True),
        "resumed_at": pd.to_datetime(["2026-11-17T10:00+08:00"], utc=True),
    })  # fmt: skip
    rows = cases(category_code=["0110", "0110"]).set_index(pd.Index([7, 7]))
    found = deadlines(
        rows, table({}), calendar=CALENDAR, taxonomy="t", pauses=pauses, extensions=extensions
    )
    assert found["amount"].to_list() == [1.0, 4.0]
    assert found["due_at"].dt.tz_convert("Asia/Shanghai").dt.strftime("%d %H").to_list() == [
        "18 09",
        "20 09",
    ]
    with pytest.raises(InputError, match="not above 0"):
        deadlines(
            rows,
            table({}),
            calendar=CALENDAR,
            taxonomy="t",
            extensions=extensions.assign(amount=-1.0),
        )


def test_codes_of_another_taxonomy_are_refused():
    with pytest.raises(InputError, match="another class"):
        deadlines(
            cases(category_code=["0401"]),
            read_deadlines(),
            calendar=CALENDAR,
            taxonomy="cjt214-2007",
        )
    with pytest.raises(InputError, match="did you mean 'handle'"):
        deadlines(
            cases(category_code=["0401"]),
            read_deadlines(),
            calendar=CALENDAR,
            taxonomy="gbt30428-new",
            stage="handel",
        )
    with pytest.raises(ColumnError, match="dispatched_at"):
        deadlines(
            cases(category_code=["0401"]).drop(columns="dispatched_at"),
            read_deadlines(),
            calendar=CALENDAR,
            taxonomy="gbt30428-new",
        )


def test_the_example_covers_every_class_and_stage():
    rows = cases(category_code=["0110", "0501", "9999"]).assign(
        reported_at=pd.Timestamp("2026-11-16", tz="UTC")
    )
    for stage in ("dispatch", "handle", "verify"):
        found = deadlines(
            rows, read_deadlines(), calendar=CALENDAR, taxonomy="gbt30428-new", stage=stage
        )
        assert found["due_at"].notna().all()


def test_two_rules_for_the_same_cases_are_refused(tmp_path):
    path = tmp_path / "d.toml"
    path.write_text(
        'title = {zh = "a", en = "a"}\ntaxonomy = "t"\n'
        '[[deadline]]\namount = 1\nunit = "working_days"\n[[deadline]]\namount = 2\nunit = "working_days"\n', encoding="utf-8",
    )  # fmt: skip
    with pytest.raises(InputError, match="deadlines 1 and 2"):
        read_deadlines(path)
    path.write_text(
        'title = {zh = "a", en = "a"}\ntaxonomy = "t"\n[[deadline]]\namount = 0\nunit = "weeks"\n',
        encoding="utf-8",
    )
    with pytest.raises(InputError) as told:
        read_deadlines(path)
    assert {"amount", "unit"} <= {
        line.split(": ")[1].split(".")[-1] for line in str(told.value).splitlines()
    }
