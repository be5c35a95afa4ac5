"""What a unit's score is made of adds up to the score, in figures and in words."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.graph import Graph

from gisgrid.analysis import excess, gi_star, hotspots
from gisgrid.analysis.reasons import explanation
from gisgrid.errors import ColumnError, IndexMismatchError


def lattice(n, weights=None):
    """Queen neighbours on n × n cells called c000, c001, …"""
    x, y = np.divmod(np.arange(n * n), n)
    near = (abs(x[:, None] - x) <= 1) & (abs(y[:, None] - y) <= 1)
    np.fill_diagonal(near, val=False)
    names = np.array([f"c{i:03}" for i in range(n * n)])
    focal, neighbour = np.nonzero(near)
    weight = np.ones(len(focal)) if weights is None else weights[focal, neighbour]
    return Graph.from_arrays(names[focal], names[neighbour], weight), pd.Index(names)


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=36, max_size=36), st.integers(0, 35), st.booleans())
def test_the_parts_add_up_to_the_score(counts, which, weighted):
    rng = np.random.default_rng(1)
    graph, names = lattice(6, rng.uniform(0.1, 2, (36, 36)) if weighted else None)
    values = pd.Series(counts, index=names, dtype=float)
    found = explanation(names[which], values.astype(int), graph)
    score = gi_star(values, graph).loc[names[which]]
    if np.isnan(score["z"]):
        assert found.parts["z"].isna().all()
    else:
        assert found.parts["z"].sum() == pytest.approx(score["z"], abs=1e-9)
    assert found.z == pytest.approx(score["z"], nan_ok=True)
    assert found.n_neighbours == score["n_neighbours"]
    by_hand = found.parts["weight"] * (found.parts["value"] - values.mean())
    assert found.parts["contribution"].to_numpy() == pytest.approx(by_hand.to_numpy(), abs=1e-9)
    assert found.parts["n_incidents"].to_list() == values[found.parts.index].to_list()


@pytest.fixture
def city():
    graph, names = lattice(8)
    counts = pd.Series(np.random.default_rng(3).poisson(10, 64), index=names)
    counts[["c000", "c001", "c008", "c009"]] = [60, 90, 55, 70]
    residents = pd.Series(1000.0, index=names)
    residents["c063"] = 0
    values = excess(counts, residents)
    return graph, counts, residents, values, hotspots(values, graph)


def test_the_sentence_says_the_finding_its_figures_and_its_reasons(city):
    graph, counts, residents, values, scores = city
    classes = pd.DataFrame({"garbage": counts // 2, "street_vending": counts - counts // 2})
    months = pd.DataFrame({"2026-01": counts // 4, "2026-02": counts - counts // 4})
    found = explanation(
        "c001", counts, graph,
        values=values, denominator=residents, scores=scores,
        names=counts.index.to_series().map("Unit {}".format), by_class=classes, by_month=months,
    )  # fmt: skip
    around = ["c000", "c001", "c002", "c008", "c009", "c010"]
    pooled = counts[around].sum() / 6
    assert found.observed == pytest.approx(pooled)
    assert found.expected == pytest.approx(1000 * counts[:-1].sum() / 63_000)
    assert found.label == "hot_99"
    assert list(found.parts.index[:2]) == ["c001", "c009"]
    assert found.by_class.to_dict() == {"garbage": 45, "street_vending": 45}
    said = found.sentence("en")
    assert said.startswith("Unit c001 c001 (Hot, 99 %, z = ")
    assert "90 incidents on 1,000 residents, 90.0 per 1000 residents" in said
    assert f"with its 5 neighbours {pooled:.1f}, the whole city" in said
    assert "the neighbours with the largest part Unit c009 +" in said
    assert "Most are garbage 45, street_vending 45." in said
    assert "The busiest month is 2026-02 (68)." in said
    zh = found.sentence("zh")
    assert zh.startswith("Unit c001 c001（热点 99%，z = ")
    for words in (
        "90 件",
        "1,000 人",
        "件/千人",
        "连同 5 个邻居",
        "主要类别：",
        "最多的月份：2026-02",
    ):
        assert words in zh
    plain = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert sum(part["z"] for part in plain["parts"]) == pytest.approx(plain["z"])
    assert plain["sentence"]["zh"] == zh


def test_a_cold_unit_names_those_that_make_it_cold():
    graph, names = lattice(8)
    counts = pd.Series(np.random.default_rng(3).poisson(60, 64), index=names)
    counts[["c000", "c001", "c008", "c009"]] = [2, 0, 9, 5]
    found = explanation("c000", counts, graph, scores=hotspots(counts.astype(float), graph))
    assert found.z < 0
    assert found.parts["z"].is_monotonic_increasing
    assert "the neighbours with the largest part c001 -" in found.sentence("en")
    assert "冷点" in found.sentence("zh")


def test_what_was_not_tested_says_why(city):
    graph, counts, residents, values, scores = city
    found = explanation("c063", counts, graph, values=values, denominator=residents, scores=scores)
    assert found.sentence("en") == "c063 was not tested: it has no value that could be tested."
    assert "没有可检验的数值" in found.sentence("zh")
    assert found.parts.empty
    alone = Graph.from_arrays(["a", "b", "c"], ["b", "a", "c"], [1, 1, 0])
    lonely = explanation("c", pd.Series([1, 2, 3], index=["a", "b", "c"]), alone)
    assert lonely.sentence("en") == "c was not tested: it has no neighbours."
    same = explanation("a", pd.Series([2, 2, 2], index=["a", "b", "c"]), alone)
    assert "every unit has the same value" in same.sentence("en")
    assert same.as_dict()["z"] is None


def test_a_unit_that_is_not_there_is_named_and_others_are_offered(city):
    graph, counts, *_ = city
    with pytest.raises(
        ColumnError, match=r"no unit 'c0633' among 64 units; did you mean 'c0\d\d'\?"
    ):
        explanation("c0633", counts, graph)
    with pytest.raises(IndexMismatchError, match="not indexed alike"):
        explanation("c000", counts, graph, denominator=counts[::-1])
