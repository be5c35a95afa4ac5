"""Which rows repeat others, and which lie on a point that is not the place, among the rows of all files?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from gisgrid.crs import LONLAT, is_metric
from gisgrid.intake.datums.detective import Reference
from gisgrid.intake.ingestion import Pile
from gisgrid.intake.pipeline.canonical import FLAG_BITS, REPEAT_COLUMN, is_blank, texts_of
from gisgrid.intake.pipeline.draft import Draft
from gisgrid.intake.pipeline.levels import in_crs
from gisgrid.intake.pipeline.plan import Plan
from gisgrid.intake.pipeline.rows import Gathering
from gisgrid.intake.repeats.duplicates import KINDS, Duplicates, find_duplicates
from gisgrid.intake.repeats.fallback import KINDS as FALLBACK_KINDS
from gisgrid.intake.repeats.fallback import FallbackPoints, fallback_points
from gisgrid.progress import Progress
from gisgrid.schema import Text

_N_PILES: Final = 20
_MOST_CENTRES: Final = 100_000
_EARTH_M: Final = 6_371_008.8
_DEGREE_M: Final = 111_320.0


@dataclass(frozen=True)
class Links:
    """What was found among all rows together.

    Attributes
    ----------
    duplicate_of, kind
        Shape (n,), the row that is repeated or -1, and how (positions in `gisgrid.intake.repeats.duplicates.KINDS`).
    fallback
        Shape (n,), positions in `gisgrid.intake.repeats.fallback.KINDS`; 0 is the place itself.
    stated
        Shape (n,), rows that the file itself names as repeats (in a column ``duplicate_of``).
    flags
        Shape (n,), bits of flags found here.
    piles
        The coordinates with the most reports, where that stands out.
    notes
        What was decided.
    """

    duplicate_of: NDArray[np.int64]
    kind: NDArray[np.uint8]
    fallback: NDArray[np.uint8]
    stated: NDArray[np.bool_]
    flags: NDArray[np.uint32]
    piles: tuple[Pile, ...]
    notes: tuple[Text, ...]

    @property
    def n_by_kind(self) -> dict[str, int]:
        """How many rows repeat another, by kind."""
        return {**_counted(self.kind, KINDS), "stated": int((self.stated & (self.kind == 0)).sum())}

    @property
    def n_incidents(self) -> int:
        """How many rows repeat no other."""
        return int(((self.duplicate_of < 0) & ~self.stated).sum())

    @property
    def n_by_fallback(self) -> dict[str, int]:
        """How many rows lie on a fallback point, by kind."""
        return _counted(self.fallback, FALLBACK_KINDS)

    @property
    def n_by_flag(self) -> Counter[str]:
        """How many rows have each flag found here."""
        return Counter(
            {
                code: n
                for code, bit in FLAG_BITS.items()
                if (n := int(((self.flags & bit) > 0).sum()))
            }
        )

    def fallback_texts(self, rows: slice) -> pa.Array:
        """Give the kind of fallback point of some rows as text.

        Parameters
        ----------
        rows
            Which rows.

        Returns
        -------
        pyarrow.Array
            Text, null where the point is the place.
        """
        return texts_of(FALLBACK_KINDS[1:], self.fallback[rows].astype(np.int64) - 1)


def link(
    gathering: Gathering,
    plans: Sequence[Plan],
    reference: Reference,
    *,
    find_repeats: bool,
    progress: Progress,
) -> Links:
    """Find repeats and fallback points among the rows of all files.

    Parameters
    ----------
    gathering
        The rows.
    plans
        Per file, how it was read.
    reference
        The units, whose centres may have been written for places.
    find_repeats
        Whether repeats are looked for.
    progress
        Told how far the work is.

    Returns
    -------
    Links
        What was found; the rows that show it are among the examples.
    """
    progress("repeats", 0.0)
    draft = gathering.draft
    points = _fallback_points(gathering, plans, reference)
    progress("repeats", 0.3)
    flags = np.zeros(draft.n_rows, np.uint32)
    duplicate_of, kind = np.full(draft.n_rows, -1, np.int64), np.zeros(draft.n_rows, np.uint8)
    notes = points.evidence
    if find_repeats:
        found = _duplicates(gathering, plans, points.kind == 0)
        duplicate_of, kind, notes = found.duplicate_of, found.kind, (*notes, *found.notes)
        flags[found.same_id_differs] |= FLAG_BITS["same_id_differs"]
    progress("repeats", 0.9)
    stated = _stated_repeats(draft, plans)
    links = Links(duplicate_of, kind, points.kind, stated, flags, _piles(points), notes)
    _show(links, gathering, plans)
    progress("repeats", 1.0)
    return links


def _duplicates(
    gathering: Gathering, plans: Sequence[Plan], is_place: NDArray[np.bool_]
) -> Duplicates:
    """Find repeats; a fallback point is no witness of an incident."""
    draft = gathering.draft
    x_m, y_m = _metres(gathering)
    return find_duplicates(
        x_m=np.where(is_place, x_m, np.nan), y_m=np.where(is_place, y_m, np.nan),
        reported_at=draft.kept("reported").view("datetime64[us]"),
        category=_texts(gathering.categories.values, draft.kept("category")),
        source=_texts(gathering.sources.values, draft.kept("source")),
        row_hash=draft.kept("row_hash"), issue_id=_ids(draft, plans),
        description=_column(draft, plans, "description"),
    )  # fmt: skip


def _fallback_points(
    gathering: Gathering, plans: Sequence[Plan], reference: Reference
) -> FallbackPoints:
    draft = gathering.draft
    units = {_unit_m(plan) for plan in plans}
    x, y = (
        (np.asarray(draft.column(name)) for name in ("x", "y")) if len(units) == 1 else (None, None)
    )
    # A place that was looked up by its address is marked already, and many may well share it.
    looked_up = (np.asarray(draft.column("flags")) & FLAG_BITS["place_from_address"]) > 0
    lon, lat = (np.where(looked_up, np.nan, draft.kept(name)) for name in ("lon", "lat"))
    return fallback_points(
        lon, lat, source_x=x, source_y=y, source_unit_m=units.pop(),
        category=_texts(gathering.categories.values, draft.kept("category")),
        reported_at=draft.kept("reported").view("datetime64[us]"),
        address=_column(draft, plans, "address"), centres=_centres(reference),
    )  # fmt: skip


def _unit_m(plan: Plan) -> float:
    """Give the metres in one unit of a file's coordinates."""
    datum = plan.datum
    if datum is None or datum.crs is None or datum.crs.is_geographic:
        return _DEGREE_M
    return float(datum.crs.axis_info[0].unit_conversion_factor)


def _centres(reference: Reference) -> NDArray[np.float64] | None:
    """Give the middles of the units of all levels, where a system may put what it cannot place."""
    points = []
    for frame in reference.units.values():
        if len(frame) <= _MOST_CENTRES:
            shapes = frame.geometry.to_numpy()
            middles = np.concatenate([shapely.centroid(shapes), shapely.point_on_surface(shapes)])
            points.append(
                gpd.GeoSeries(middles, crs=frame.crs).to_crs(LONLAT).get_coordinates().to_numpy()
            )
    return np.concatenate(points) if points else None


def _piles(points: FallbackPoints) -> tuple[Pile, ...]:
    """Give the largest piles; the table's columns are those of `FallbackPoints.piles`."""
    shown = points.piles.head(_N_PILES).to_dict("records")
    return tuple(
        Pile(each["lon"], each["lat"], int(each["n"]), each["kind"], Text(zh=each["why_zh"], en=each["why_en"]))
        for each in shown
    )  # fmt: skip


def _metres(gathering: Gathering) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give places in metres: the units' own where they are metric, else on a plane that touches the city."""
    lon, lat = gathering.draft.kept("lon"), gathering.draft.kept("lat")
    metric = next(
        (index.crs for index in gathering.levels.indexes.values() if is_metric(index.crs)), None
    )
    if metric is not None:
        xy = in_crs(lon, lat, metric)
        return np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1])
    scale = np.cos(np.radians(np.median(lat)))
    return np.radians(lon) * (_EARTH_M * scale), np.radians(lat) * _EARTH_M


def _texts(values: Sequence[str], numbers: NDArray[np.int32]) -> pa.Array | None:
    if not len(values):
        return None
    return pa.DictionaryArray.from_arrays(
        pa.array(numbers, mask=numbers < 0), pa.array(values, pa.string())
    )


def _ids(draft: Draft, plans: Sequence[Plan]) -> pa.Array | None:
    """Give the ids by their hashes: a tenth of the memory of their texts."""
    if not any("issue_id" in plan.roles for plan in plans):
        return None
    hashes = draft.kept("id_hash")
    return pa.array(hashes, mask=hashes == 0)


def _column(draft: Draft, plans: Sequence[Plan], role: str) -> pa.ChunkedArray | None:
    """Give the column that has a role in each file, mapped from the disk; None where no file has it."""
    return _own_column(draft, plans, [plan.roles.get(role) for plan in plans])


def _own_column(
    draft: Draft, plans: Sequence[Plan], columns: Sequence[str | None]
) -> pa.ChunkedArray | None:
    own = {
        at: draft.own.positions[at][plan.schema.names.index(column)]
        for at, (plan, column) in enumerate(zip(plans, columns, strict=True))
        if column is not None
    }
    if not own:
        return None
    chunks = []
    for batch in draft.batches():
        at = own.get(int(batch.column("file")[0].as_py()))
        values = pa.nulls(batch.num_rows, pa.string()) if at is None else batch.column(at)
        chunks.append(values if pa.types.is_string(values.type) else values.cast(pa.string()))
    return pa.chunked_array(chunks, pa.string())


def _stated_repeats(draft: Draft, plans: Sequence[Plan]) -> NDArray[np.bool_]:
    """Tell which rows a file itself names as repeats, as a result of this very function does."""
    named = [REPEAT_COLUMN if REPEAT_COLUMN in plan.schema.names else None for plan in plans]
    said = _own_column(draft, plans, named)
    if said is None:
        return np.zeros(draft.n_rows, np.bool_)
    return ~np.concatenate([np.asarray(is_blank(chunk)) for chunk in said.chunks])


def _show(links: Links, gathering: Gathering, plans: Sequence[Plan]) -> None:
    """Collect the rows that show what was found here."""
    wanted: list[tuple[str, NDArray[np.int64]]] = [
        (code, np.flatnonzero(links.kind == at)) for at, code in enumerate(KINDS) if code
    ]
    wanted += [
        (code, np.flatnonzero(links.fallback == at))
        for at, code in enumerate(FALLBACK_KINDS)
        if code
    ]
    wanted += [
        (code, np.flatnonzero(links.flags & FLAG_BITS[code])) for code in ("same_id_differs",)
    ]
    rows = {code: at[: gathering.examples.wanted(code)] for code, at in wanted}
    start = 0
    for batch in gathering.draft.batches():
        stop = start + batch.num_rows
        for code, at in rows.items():
            here = at[(at >= start) & (at < stop)] - start
            if len(here):
                _add_example(code, batch.take(pa.array(here)), gathering, plans)
        start = stop


def _add_example(
    code: str, batch: pa.RecordBatch, gathering: Gathering, plans: Sequence[Plan]
) -> None:
    file = int(batch.column("file")[0].as_py())
    plan, positions = plans[file], gathering.draft.own.positions[file]
    table = pa.table([batch.column(at) for at in positions], names=plan.schema.names)
    gathering.examples.add(
        code, plan.source.name, batch.column("row").to_pylist(), table, plan.roles
    )


def _counted(numbers: NDArray[np.uint8], codes: Sequence[str]) -> dict[str, int]:
    counts = np.bincount(numbers, minlength=len(codes))
    return {code: int(n) for code, n in zip(codes, counts, strict=True) if code}
