"""What made this unit hot: which reports, which residents, which neighbours?"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Literal, cast

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy import sparse

from gisgrid.analysis.alignment import Floats, aligned
from gisgrid.analysis.autocorrelation.getis_ord import gi_star
from gisgrid.analysis.rates.crude import rate
from gisgrid.errors import ColumnError, IndexMismatchError
from gisgrid.palette import LABEL_TEXTS, LABELS, Label

Language = Literal["zh", "en"]

_N_TOLD: Final = 3


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a unit is hot, cold or neither, down to each neighbour's part in its score.

    Attributes
    ----------
    unit
        Its key.
    name
        What people call it; the key where there is no name.
    n_incidents
        Its own incidents.
    denominator
        Its own residents (or km²); NaN where there are none, or none were given.
    per, unit_zh, unit_en
        The base of the rates (1000 for residents), and what a rate is called, for example ``每千人`` and ``per 1000 residents``.
    rate
        Its own rate; its count where there is no denominator.
    observed, expected
        The rate of the unit with its neighbours together, and of all units together (mean counts without denominators).
    mean
        The mean of what was scored, over all units.
    z, p, q, label
        The score; `q` and `label` are missing (NaN, None) where no scores were given, all where there was no test.
    parts
        One row per unit of the neighbourhood, the unit itself among them, from the largest part in z to the least:
        `name`, `n_incidents`, `denominator`, `rate`, `value` (what was scored), `weight`, `contribution` (weight times
        value above the mean; their sum is the numerator of Gi*), `z` (the same in standard deviations; their sum is z).
    by_class, by_month
        The unit's incidents by class and by month, those with any, the most first and in the order of time; empty where
        they were not given.
    """

    unit: Hashable
    name: str
    n_incidents: int
    denominator: float
    per: float
    unit_zh: str
    unit_en: str
    rate: float
    observed: float
    expected: float
    mean: float
    z: float
    p: float
    q: float
    label: Label | None
    parts: pd.DataFrame
    by_class: pd.Series
    by_month: pd.Series

    @property
    def n_neighbours(self) -> int:
        """How many neighbours with a value it has."""
        return len(self.parts) - (self.unit in self.parts.index)

    def sentence(self, language: Language = "zh") -> str:
        """Say it in a few sentences.

        Parameters
        ----------
        language
            ``zh`` or ``en``.

        Returns
        -------
        str
            The finding, the figures behind it, the neighbours with the largest part, the classes and the busiest month.
        """
        said = [_finding(self, language), *_reasons(self, language)]
        return "".join(said) if language == "zh" else " ".join(said)

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON.

        Returns
        -------
        dict
            The attributes; missing numbers are None, `parts` a list of rows.
        """
        single = {
            name: _plain(getattr(self, name))
            for name in (
                "unit", "name", "n_incidents", "denominator", "per", "rate", "observed", "expected", "mean",
                "z", "p", "q", "label", "n_neighbours",
            )
        }  # fmt: skip
        rows = self.parts.rename_axis("unit").reset_index().to_dict("records")
        return {
            **single,
            "parts": [{str(k): _plain(v) for k, v in row.items()} for row in rows],
            "by_class": {str(k): int(v) for k, v in self.by_class.items()},
            "by_month": {str(k): int(v) for k, v in self.by_month.items()},
            "sentence": {"zh": self.sentence("zh"), "en": self.sentence("en")},
        }


def explanation(
    unit: Hashable,
    counts: pd.Series,
    graph: Graph,
    *,
    values: pd.Series | None = None,
    denominator: pd.Series | None = None,
    per: float = 1000.0,
    scores: pd.DataFrame | None = None,
    names: pd.Series | None = None,
    by_class: pd.DataFrame | None = None,
    by_month: pd.DataFrame | None = None,
) -> Explanation:
    """Say which reports, which residents and which neighbours made a unit hot or cold (Getis-Ord Gi*).

    Gi* is a sum over the unit and its neighbours, so each has an exact part in it: this says who brought how much.

    Parameters
    ----------
    unit
        The unit's key.
    counts
        Shape (n,), incidents, indexed by key.
    graph
        n nodes, the same names, as it was scored with.
    values
        Shape (n,), what was scored (a density, an excess); the counts where it is not given. Missing leaves a unit out.
    denominator
        Shape (n,), residents or km², for the rates that are told.
    per
        The base of those rates: 1000 for residents, 1 for km².
    scores
        Indexed by key, with `z`, `p`, `q`, `label` of the map (permutations, corrections); what is not there is worked
        out by the normal distribution, and `q` and `label` stay missing.
    names
        Shape (n,), what people call the units.
    by_class, by_month
        Shape (n, k), incidents by class or by month: the columns are the classes or months.

    Returns
    -------
    Explanation
        As data, and in words by `Explanation.sentence`.

    Raises
    ------
    ColumnError
        There is no such unit.
    IndexMismatchError
        The inputs do not name the same units.
    InputError
        Values that are no numbers or infinite, or weights that are negative.

    Notes
    -----
    The part of j in z_i is w_ij (x_j - x̄) / (s √((n S_i - W_i²) / (n - 1))), with the terms of `gi_star`; self-weights
    as there. CRS: none needed here. Checked against: `gi_star`.

    Examples
    --------
    >>> graph = Graph.from_arrays(["a", "b", "b", "c", "d"], ["b", "a", "c", "b", "d"], [1, 1, 1, 1, 0])
    >>> found = explanation("a", pd.Series([9, 7, 0, 4], index=["a", "b", "c", "d"]), graph)
    >>> round(found.z, 3), found.parts["z"].round(3).to_dict()
    (1.532, {'a': 1.022, 'b': 0.511})
    >>> found.sentence("en").split(": ")[0]
    'a (z = 1.53, p = 0.125)'
    """
    _require(unit, counts, denominator, names, by_class, by_month, scores)
    scored = counts.astype(float) if values is None else values
    parts, mean = _parts(unit, scored, graph)
    near = parts.index
    own_rates = counts.astype(float) if denominator is None else rate(counts, denominator, per=per)
    called = counts.index.to_series().astype("str") if names is None else names
    parts.insert(0, "name", called.reindex(near).to_numpy())
    parts.insert(1, "n_incidents", counts.reindex(near).to_numpy())
    people = pd.Series(np.nan, counts.index) if denominator is None else denominator.astype(float)
    parts.insert(2, "denominator", people.reindex(near).to_numpy())
    parts.insert(3, "rate", own_rates.reindex(near).to_numpy())
    at = int(cast("int", counts.index.get_loc(unit)))
    found = (gi_star(scored, graph) if scores is None else scores).iloc[at]
    observed, expected = _together(counts, denominator, scored, near, per)
    label = found.get("label")
    return Explanation(
        unit=unit, name=str(called.iloc[at]), n_incidents=int(counts.iloc[at]),
        denominator=float(people.iloc[at]), per=per, **_rate_words(denominator, per),
        rate=float(own_rates.iloc[at]), observed=observed, expected=expected, mean=mean,
        z=float(found["z"]), p=float(found["p"]), q=float(found.get("q", np.nan)),
        label=cast("Label", label) if label in LABELS else None,
        parts=parts, by_class=_those(at, by_class, most_first=True), by_month=_those(at, by_month),
    )  # fmt: skip


def _require(unit: Hashable, counts: pd.Series, *others: pd.Series | pd.DataFrame | None) -> None:
    if unit not in counts.index:
        close = get_close_matches(str(unit), [str(name) for name in counts.index], n=1)
        hint = (
            f"did you mean {close[0]!r}?" if close else f"they are named like {counts.index[0]!r}"
        )
        raise ColumnError(f"no unit {unit!r} among {len(counts)} units; {hint}")
    for other in others:
        if other is not None and not other.index.equals(counts.index):
            raise IndexMismatchError(
                f"{len(counts)} counts and {len(other)} rows about the same units are not indexed alike; "
                "index all by the same key, in one order"
            )


def _parts(unit: Hashable, values: pd.Series, graph: Graph) -> tuple[pd.DataFrame, float]:
    """Give each unit's weight and part in the score, and the mean."""
    given = aligned(values, graph)
    kept = given.index[given.there]
    columns = ["value", "weight", "contribution", "z"]
    mean = float(given.x.mean()) if len(given.x) else np.nan
    if unit not in kept:
        return pd.DataFrame(columns=columns, index=kept[:0], dtype=float), mean
    row = kept.get_loc(unit)
    weights, near = _row(given.weights, int(cast("int", row)))
    y = given.x - mean
    spread = float(np.sqrt((y * y).mean()))
    n, total, squares = len(y), weights.sum(), (weights**2).sum()
    room = n * squares - total**2
    scale = spread * np.sqrt(room / (n - 1)) if room > 1e-12 * total**2 and n > 1 else 0.0
    contribution = weights * y[near]
    z = contribution / scale if scale and len(near) > 1 else np.full(len(near), np.nan)
    frame = pd.DataFrame(
        {"value": given.x[near], "weight": weights, "contribution": contribution, "z": z},
        index=kept[near],
    )
    side = -1.0 if contribution.sum() < 0 else 1.0
    order = np.argsort(-side * frame["contribution"].to_numpy(), kind="stable")
    return frame.iloc[order], mean


def _row(weights: sparse.csr_array, row: int) -> tuple[Floats, np.ndarray]:
    """Give the weights of a unit's neighbourhood, its own first as `gi_star` gives it."""
    begin, end = weights.indptr[row], weights.indptr[row + 1]
    near, given = weights.indices[begin:end], weights.data[begin:end].astype(float)
    if row in near:
        return given, near
    own = given.max(initial=0.0)
    return np.r_[own, given], np.r_[row, near]


def _together(
    counts: pd.Series, denominator: pd.Series | None, values: pd.Series, near: pd.Index, per: float
) -> tuple[float, float]:
    """Give the rate of a neighbourhood and of all units, each as one whole."""
    tested = values.notna()
    if denominator is None:
        return float(counts.reindex(near).mean()), float(counts[tested].mean())
    known = tested & (denominator > 0)
    inside = known & known.index.isin(near)
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.float64(counts[inside].sum()) / denominator[inside].sum() * per
        expected = np.float64(counts[known].sum()) / denominator[known].sum() * per
    return float(observed), float(expected)


def _rate_words(denominator: pd.Series | None, per: float) -> dict[str, str]:
    if denominator is None:
        return {"unit_zh": "件", "unit_en": "incidents"}
    if per == 1:
        return {"unit_zh": "件/km²", "unit_en": "per km²"}
    return {
        "unit_zh": "件/千人" if per == 1000 else f"件/{per:g} 人",
        "unit_en": f"per {per:g} residents",
    }


def _those(row: int, table: pd.DataFrame | None, *, most_first: bool = False) -> pd.Series:
    if table is None:
        return pd.Series([], dtype="int64", name="n_incidents")
    own = table.iloc[row]
    own = own[own > 0].astype("int64").rename("n_incidents")
    return own.sort_values(ascending=False, kind="stable") if most_first else own


def _finding(said: Explanation, language: Language) -> str:
    zh = language == "zh"
    called = said.name if said.name == str(said.unit) else f"{said.name} {said.unit}"
    if np.isnan(said.z):
        if said.unit not in said.parts.index:
            why = "没有可检验的数值" if zh else "it has no value that could be tested"
        elif said.n_neighbours == 0:
            why = "没有邻居" if zh else "it has no neighbours"
        else:
            why = "所有单元数值相同" if zh else "every unit has the same value"
        return f"{called}未参加检验：{why}。" if zh else f"{called} was not tested: {why}."
    sure = _chance("p", said.p) if np.isnan(said.q) else _chance("q", said.q)
    verdict = "" if said.label is None else LABEL_TEXTS[said.label][language]
    if zh:
        figures = "，".join([*filter(None, [verdict]), f"z = {said.z:.2f}", sure])
        return f"{called}（{figures}）：{_figures(said, language)}。"
    figures = ", ".join([*filter(None, [verdict]), f"z = {said.z:.2f}", sure])
    return f"{called} ({figures}): {_figures(said, language)}."


def _figures(said: Explanation, language: Language) -> str:
    n, near = said.n_incidents, said.n_neighbours
    own, around, all_ = (f"{x:,.1f}" for x in (said.rate, said.observed, said.expected))
    if np.isnan(said.denominator):
        if language == "zh":
            return f"本单元 {n:,} 件，连同 {near} 个邻居平均 {around} 件，全部单元平均 {all_} 件"
        return f"{n:,} incidents; with its {near} neighbours {around} on average, all units {all_}"
    base = f"{said.denominator:,.0f} 人" if said.per != 1 else f"{said.denominator:,.2f} km²"
    if language == "zh":
        return (
            f"本单元 {n:,} 件（{base}，{own} {said.unit_zh}），"
            f"连同 {near} 个邻居为 {around}，全市为 {all_} {said.unit_zh}"
        )
    base = f"{said.denominator:,.0f} residents" if said.per != 1 else base
    return (
        f"{n:,} incidents on {base}, {own} {said.unit_en}; with its {near} neighbours {around}, "
        f"the whole city {all_}"
    )


def _reasons(said: Explanation, language: Language) -> list[str]:
    zh = language == "zh"
    reasons = []
    parts = said.parts
    if not np.isnan(said.z) and len(parts):
        own = parts["z"].get(said.unit, 0.0)
        side = -1.0 if said.z < 0 else 1.0
        others = parts.drop(index=[said.unit])
        others = others[side * others["z"] > 0].head(_N_TOLD)
        listed = [f"{name} {z:+.2f}" for name, z in zip(others["name"], others["z"], strict=True)]
        if zh:
            reasons.append(
                f"z 中本单元占 {own:+.2f}"
                + (f"，邻居中占得最多的是{'、'.join(listed)}。" if listed else "。")
            )
        else:
            most = f", the neighbours with the largest part {', '.join(listed)}" if listed else ""
            reasons.append(f"Of z, the unit itself brings {own:+.2f}{most}.")
    if len(said.by_class):
        listed = [f"{name} {n:,}" for name, n in said.by_class.head(_N_TOLD).items()]
        reasons.append(
            f"主要类别：{'、'.join(listed)}。" if zh else f"Most are {', '.join(listed)}."
        )
    if len(said.by_month):
        month, n = said.by_month.idxmax(), int(said.by_month.max())
        reasons.append(
            f"最多的月份：{month}（{n:,} 件）。" if zh else f"The busiest month is {month} ({n:,})."
        )
    return reasons


def _chance(name: str, value: float) -> str:
    return f"{name} < 0.001" if value < 0.001 else f"{name} = {value:.3f}"


def _plain(value: Any) -> Any:  # noqa: ANN401 - any cell of a frame
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value if isinstance(value, str | int | float | bool) else str(value)
