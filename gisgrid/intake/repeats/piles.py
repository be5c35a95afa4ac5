"""Which coordinates hold more reports than a place can have? Piles, and busy places that are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.stats import chi2

from gisgrid.intake.repeats.rounding import LEAST_ROWS
from gisgrid.schema import Text

M_PER_DEGREE: Final = 111_320.0
"""Metres in a degree of latitude."""

_MOST_PILES, _NEAR_M = 200, 250.0


@dataclass(frozen=True)
class Spots:
    """The distinct coordinates, most reports first.

    Attributes
    ----------
    lon, lat, n
        Shape (k,), where each is and how many reports it has.
    rows, begin
        All rows, those of one coordinate together; where each begins, shape (k + 1,).
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    n: NDArray[np.int64]
    rows: NDArray[np.int64]
    begin: NDArray[np.int64]

    def members(self, spot: int) -> NDArray[np.int64]:
        """Give the rows on a coordinate, in their order."""
        return self.rows[self.begin[spot] : self.begin[spot + 1]]


def spots_of(lon: NDArray[np.float64], lat: NDArray[np.float64], known: NDArray[np.bool_]) -> Spots:
    """Gather rows by exactly equal coordinates.

    Parameters
    ----------
    lon, lat
        Shape (n,), degrees.
    known
        Shape (n,), which rows count.

    Returns
    -------
    Spots
        Most reports first; equally many west to east.
    """
    rows = np.flatnonzero(known)
    key = _coordinate_hash(lon[rows], lat[rows])
    sorted_rows = rows[np.argsort(key, kind="stable")]
    x, y = lon[sorted_rows], lat[sorted_rows]
    is_first = np.ones(len(rows), np.bool_)
    is_first[1:] = (x[1:] != x[:-1]) | (y[1:] != y[:-1])
    starts = np.flatnonzero(is_first)
    n = np.diff(np.append(starts, len(rows)))
    # Nearly all coordinates have one report: only the others are worth a sort by three keys.
    several, single = np.flatnonzero(n > 1), np.flatnonzero(n == 1)
    several = several[np.lexsort((y[starts[several]], x[starts[several]], -n[several]))]
    single = single[np.argsort(x[starts[single]], kind="stable")]
    order = np.concatenate([several, single])
    starts, n = starts[order], n[order]
    begin = np.concatenate([[0], np.cumsum(n)])
    by_spot = sorted_rows[np.repeat(starts - begin[:-1], n) + np.arange(len(rows))]
    return Spots(x[starts], y[starts], n, by_spot, begin)


def _coordinate_hash(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Give equal coordinates equal numbers; others of the same number would only be taken apart again."""
    parts = [
        np.ascontiguousarray(values + 0.0).view(np.uint64) for values in (x, y)
    ]  # -0.0 becomes 0.0
    mixed: NDArray[np.uint64] = parts[0] * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed += parts[1]
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(32))


def judged_spots(
    spots: Spots,
    category: pa.Array | None,
    reported_at: NDArray[np.datetime64] | None,
    address: pa.Array | None,
) -> pd.DataFrame:
    """Judge the coordinates with the most reports, by the rule of `fallback_points`.

    Parameters
    ----------
    spots
        All coordinates.
    category, reported_at, address
        Shape (n,), of all rows, where known.

    Returns
    -------
    DataFrame
        A row for each that is a pile, and for the ten largest that are not (``busy``); `spot` is its place in `spots`.
    """
    n_busy = int(np.searchsorted(-spots.n, -LEAST_ROWS, side="right"))
    most = min(n_busy, _MOST_PILES)
    strong, weak = _gaps(spots.n, most)
    classes = _codes(category, spots)
    addresses = _addresses(address)
    near = _n_near(spots, most)
    span = None if reported_at is None else _middle_half(reported_at[spots.rows])
    rows: list[dict[str, object]] = []
    for spot in range(most):
        members = spots.members(spot)
        distinct, top_share = _address_counts(addresses, members)
        goes_on = (
            span is None or reported_at is None or _middle_half(reported_at[members]) >= 0.1 * span
        )
        many = distinct is not None and distinct >= 10 and top_share < 0.2
        one = distinct is not None and top_share >= 0.9
        apart = spot < strong and not one
        likely = spot < weak and classes is not None and _like_the_city(classes, members)
        kind = "pile" if goes_on and (many or apart or likely) else "busy"
        why = _why(spots, spot, strong, weak, distinct, (many, apart, likely, goes_on))
        rows.append(
            {"spot": spot, "lon": spots.lon[spot], "lat": spots.lat[spot], "n": int(spots.n[spot]),
             "n_near": int(near[spot]), "n_addresses": distinct, "kind": kind,
             "first_row": int(members[0]), "why_zh": why.zh, "why_en": why.en}
        )  # fmt: skip
    columns = [
        "spot",
        "lon",
        "lat",
        "n",
        "n_near",
        "n_addresses",
        "kind",
        "first_row",
        "why_zh",
        "why_en",
    ]
    table = pd.DataFrame(rows, columns=columns)
    table["n_addresses"] = table["n_addresses"].astype("Int64")
    keep = (table["kind"] == "pile") | (table.index < 10)
    return table[keep].astype(
        {"spot": "int64", "n": "int64", "n_near": "int64", "first_row": "int64"}
    )


def _gaps(n: NDArray[np.int64], most: int) -> tuple[int, int]:
    """Find below which of the largest coordinates there is a gap: a wide one, and one that is worth a second look.

    Of a Pareto tail with index a, the ratio of the m-th largest to the next exceeds r with probability r^(-m a).
    """
    strong = weak = 0
    tail = max(LEAST_ROWS, len(n) // 100)
    for m in range(1, most + 1):
        rest = n[m : m + tail + 1].astype(np.float64)
        if len(rest) < 2:
            continue
        excess = float(np.log(rest[:-1] / rest[-1]).sum())
        index = (len(rest) - 1) / max(excess, 0.1 * (len(rest) - 1))
        ratio = (n[m - 1] - 0.5) / (rest[0] + 0.5)
        if ratio <= 1.0:
            continue
        p = ratio ** (-m * index)
        strong = m if ratio >= 3.0 and p < 1e-4 else strong
        weak = m if ratio >= 3.0 or (ratio >= 2.0 and p < 1e-2) else weak
    return strong, max(weak, strong)


def _codes(
    values: pa.Array | None, spots: Spots
) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
    """Give the class of each row a number, and the share of each class in the city; None where there are under three."""
    if values is None:
        return None
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    codes = pc.fill_null(pc.cast(values.indices, pa.int64()), len(values.dictionary))
    numbers = np.asarray(codes.to_numpy(zero_copy_only=False))
    counts = np.bincount(numbers[spots.rows], minlength=len(values.dictionary) + 1)
    if (counts > 0).sum() < 3:
        return None
    return numbers, counts / counts.sum()


def _like_the_city(
    classes: tuple[NDArray[np.int64], NDArray[np.float64]], members: NDArray[np.int64]
) -> bool:
    """Tell whether the classes of some rows could be drawn from the whole city's, as far as 200 of them can tell.

    Rare classes are taken together. No mixture is exactly the city's, so more rows would always find a difference.
    """
    numbers, share = classes
    n = min(len(members), 200)
    seen = np.bincount(numbers[members], minlength=len(share)) * (n / len(members))
    expected = share * n
    rare = expected < 5.0
    if (~rare).sum() < 2:
        return False
    if expected[rare].sum() > 0.5:
        seen, expected = (np.append(v[~rare], v[rare].sum()) for v in (seen, expected))
    else:
        seen, expected = seen[~rare], expected[~rare]
    statistic = float(((seen - expected) ** 2 / expected).sum())
    return bool(chi2.sf(statistic, len(seen) - 1) >= 0.01)


def _addresses(address: pa.Array | None) -> pa.Array | None:
    if address is None:
        return None
    if isinstance(address, pa.ChunkedArray):
        address = address.combine_chunks()
    if pa.types.is_dictionary(address.type):
        address = address.dictionary_decode()
    return address


def _address_counts(
    address: pa.Array | None, members: NDArray[np.int64]
) -> tuple[int | None, float]:
    """Count the addresses on a coordinate, and the share of the commonest; case, spaces and blanks do not count."""
    if address is None:
        return None, 0.0
    texts = pc.drop_null(address.take(pa.array(members)))
    texts = pc.utf8_upper(pc.replace_substring_regex(texts, pattern=r"\s+", replacement=""))
    texts = texts.filter(pc.not_equal(texts, ""))
    if len(texts) < 0.5 * len(members):
        return None, 0.0
    counts = pc.value_counts(texts).field("counts")
    return len(counts), pc.max(counts).as_py() / len(texts)


def _n_near(spots: Spots, most: int) -> NDArray[np.int64]:
    """Count the other reports within 250 m of the largest spots."""
    by_lat = np.argsort(spots.lat)
    lats, reach = spots.lat[by_lat], _NEAR_M / M_PER_DEGREE
    near = np.zeros(most, np.int64)
    for spot in range(most):
        low, high = np.searchsorted(lats, [spots.lat[spot] - reach, spots.lat[spot] + reach])
        others = by_lat[low:high]
        dx = (spots.lon[others] - spots.lon[spot]) * np.cos(np.radians(spots.lat[spot]))
        within = dx**2 + (spots.lat[others] - spots.lat[spot]) ** 2 <= reach**2
        near[spot] = spots.n[others][within].sum() - spots.n[spot]
    return near


def _middle_half(times: NDArray[np.datetime64]) -> float:
    known = times[~np.isnat(times)].astype("datetime64[us]").astype(np.int64)
    if len(known) == 0:
        return 0.0
    low, high = np.quantile(known, [0.25, 0.75])
    return float(high - low)


def _why(  # noqa: PLR0917 - what was weighed
    spots: Spots,
    spot: int,
    strong: int,
    weak: int,
    distinct: int | None,
    signs: tuple[bool, bool, bool, bool],
) -> Text:
    """Say why a coordinate is taken for a pile or for a busy place."""
    many, apart, likely, goes_on = signs
    n = int(spots.n[spot])
    following = spots.n[max(strong, weak, spot + 1) :][:3].tolist() or [0]
    listed = ", ".join(map(str, following))
    zh, en = [f"{n} 条上报在同一坐标"], [f"{n} reports on one coordinate"]
    if many:
        zh.append(f"有 {distinct} 个不同地址")
        en.append(f"with {distinct} different addresses")
    if apart or likely:
        zh.append(f"其后的坐标只有 {listed} 条")
        en.append(f"where the next have {listed}")
    if likely:
        zh.append("类别构成与全市相同")
        en.append("its classes are those of the whole city")
    if not (many or apart or likely):
        zh.append(f"其后的坐标有 {listed} 条，没有断层" + ("，地址一致" if distinct == 1 else ""))
        en.append(
            f"the next have {listed}, so it does not stand apart"
            + ("; all with one address" if distinct == 1 else "")
        )
    elif not goes_on:
        zh.append("但时间集中，像一次事件")
        en.append("but within a short time, like one event")
    return Text(zh="，".join(zh), en=", ".join(en))
