"""Take in files of reports: every row is read right, or refused with its reason, and what was decided is said.

Three passes: a look at some rows of each file settles how it is read; then the rows stream through, batch by batch, to
a draft on disk; last, repeats and fallback points are found among all of them, and the result is written as a whole.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyproj import CRS

from gisgrid.crs import LONLAT
from gisgrid.errors import InputError, OutputError
from gisgrid.files import require_folder, whole_file
from gisgrid.intake.datums.detective import CONVERTED, Reference
from gisgrid.intake.ingestion import (
    FileCounts,
    Ingestion,
    MapSample,
    Problem,
    ProblemKind,
    UnsureError,
)
from gisgrid.intake.pipeline.draft import Draft, OwnColumns
from gisgrid.intake.pipeline.levels import Levels
from gisgrid.intake.pipeline.linking import link
from gisgrid.intake.pipeline.output import is_result, require_output, write_points
from gisgrid.intake.pipeline.placing import placed
from gisgrid.intake.pipeline.plan import Gazetteer, Plan, Stated, plan_of
from gisgrid.intake.pipeline.prefetch import ahead
from gisgrid.intake.pipeline.rejects import Rejects, require_table
from gisgrid.intake.pipeline.result import Result, taken_names
from gisgrid.intake.pipeline.rows import FileRows, Gathering
from gisgrid.intake.readers.source import Source, open_source
from gisgrid.intake.reasons import words
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text

NO_REFERENCE: Final = Reference(MappingProxyType({}), MappingProxyType({}))
"""No units and no streets: the datum is then decided by the file alone, and no unit is assigned."""

_N_INSIDE, _N_OUTSIDE = 3_000, 2_000


def ingest(
    files: Path | str | Source | Sequence[Path | str | Source],
    output: Path | str,
    *,
    reference: Reference = NO_REFERENCE,
    stated: Stated | None = None,
    gazetteer: Gazetteer | None = None,
    output_crs: CRS = LONLAT,
    rejects: Path | None = None,
    find_repeats: bool = True,
    progress: Progress = silent,
) -> Ingestion:
    """Take in files of reports.

    Parameters
    ----------
    files
        One file or several; anything that `gisgrid.intake.readers.source.open_source` opens, or opened sources.
    output
        Where the accepted rows go, by its suffix: GeoParquet, GeoPackage, GeoJSON or FlatGeobuf. Beside it, with the
        same stem, go ``.mapping.toml`` (what was found out, to be used again) and ``.rejects.csv``.
    reference
        The city's units, whose codes the rows get, and its streets; with them the datum is decided by fit.
    stated
        What the user says of the files; the rest is found out.
    gazetteer
        Named places, where rows without coordinates are looked up by their address; such rows are marked.
    output_crs
        The CRS of the points that are written.
    rejects
        Where the refused rows go instead.
    find_repeats
        Whether rows that repeat others, and fallback points, are looked for.
    progress
        Told how far the work is.

    Returns
    -------
    Ingestion
        The counts, what was found out, and what is wrong with which rows.

    Raises
    ------
    UnsureError
        The datum or the scheme of the classes cannot be told for certain; nothing is written.
    InputError
        A file that cannot be read, or none of whose rows has a usable place.
    ColumnError
        No column says where the rows are, or a column that was named is not there.
    OutputError
        The result cannot be written.

    Notes
    -----
    CRS: any; every row is brought to WGS84 by the datum that was found or stated, and each level is joined in its own
    CRS. Accepted and rejected rows add up to the rows read, for each file and for all. What is written takes its place
    as a whole or not at all. Memory: about 60 bytes per row, whatever the number of columns; the rows wait on disk,
    in the output's folder. The same files, options and version give the same bytes.
    """
    output, stated = Path(output), stated or Stated()
    table = rejects or output.with_name(f"{output.stem}.rejects.csv")
    require_output(output)
    require_table(table)
    for path in (output, table):
        require_folder(path)
    opened = _opened(files, stated, output)
    plans = _planned(opened, stated, reference, gazetteer, progress)
    levels = Levels.of(reference.units)
    own = OwnColumns.of([plan.schema for plan in plans], taken=taken_names(tuple(reference.units)))
    told = rejects is not None or table.exists()  # so that no rows of an earlier run stay behind
    with _staging(output) as folder:
        with (
            Draft(folder / "rows.arrow", own, tuple(reference.units)) as draft,
            Rejects(folder / table.name, own, always=told) as refused,
        ):
            gathering = Gathering(draft, refused, levels, stated.as_of or dt.datetime.now(dt.UTC))
            counts = [_gathered(plan, at, gathering, progress) for at, plan in enumerate(plans)]
            draft.finish()
        if not draft.n_rows:
            raise InputError(_none_usable(plans, counts))
        links = link(gathering, plans, reference, find_repeats=find_repeats, progress=progress)
        result = Result(gathering, plans, links, output_crs)
        _write(result, folder / output.name, progress)
        mappings = _write_mappings(plans, folder, output)
        kept = _put_rejects(refused, folder, table)
        for path in (*mappings, output):  # the result last: whoever sees it finds the rest
            _put(folder / path.name, path)
    return _ingestion(result, counts, output=output, rejects=kept, mappings=mappings)


def _opened(
    files: Path | str | Source | Sequence[Path | str | Source], stated: Stated, output: Path
) -> list[tuple[Source, tuple[str, ...]]]:
    """Open the files, each with what is known of it beside its rows."""
    given = [files] if isinstance(files, Path | str | Source) else list(files)
    if not given:
        raise InputError("no file of reports is given; name one at least")
    opened: list[tuple[Source, tuple[str, ...]]] = []
    for each in given:
        if isinstance(each, Source):
            opened.append((each, ()))
            continue
        if "://" not in str(each) and Path(each).resolve() == output.resolve():
            raise OutputError(f"{output.name!r} is also read; give the result another name")
        source = open_source(
            each, layer=stated.layer, delimiter=stated.delimiter, encoding=stated.encoding
        )
        opened.append((source, (CONVERTED,) if is_result(Path(each)) else ()))
    names = Counter(source.name for source, _ in opened)
    if (repeated := next((name for name, n in names.items() if n > 1), None)) is not None:
        raise InputError(
            f"{names[repeated]} files are called {repeated!r}, so their rows could not be told apart; "
            "rename one, or take them in one after the other"
        )
    return opened


def _planned(
    opened: Sequence[tuple[Source, tuple[str, ...]]],
    stated: Stated,
    reference: Reference,
    gazetteer: Gazetteer | None,
    progress: Progress,
) -> list[Plan]:
    progress("columns", 0.0)
    plans = []
    for at, (source, hints) in enumerate(opened, start=1):
        plans.append(plan_of(source, stated, reference, gazetteer=gazetteer, hints=hints))
        progress("columns", at / len(opened))
    unsure = [sentence for plan in plans for sentence in plan.unsure]
    if unsure:
        raise UnsureError("\n".join(unsure), [plan.findings for plan in plans])
    return plans


def _gathered(plan: Plan, at: int, gathering: Gathering, progress: Progress) -> FileCounts:
    """Take all rows of a file; the next batches are read, and placed, in threads of their own."""
    step = f"rows {plan.source.name}"
    progress(step, 0.0)
    rows = FileRows(plan, at, gathering)
    placing = (
        (placed(batch, plan, gathering.levels), share)
        for batch, share in ahead(plan.source.batches())
    )
    for found, share in ahead(placing):
        rows.take(found)
        progress(step, min(share, 1.0))
    progress(step, 1.0)
    return rows.tally.counts()


@contextmanager
def _staging(output: Path) -> Iterator[Path]:
    """Give a folder beside the output in which everything is made before it takes its place."""
    try:
        staging = tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.stem}-")
    except OSError as error:
        raise OutputError(
            f"{output.name!r} cannot be written to {str(output.parent)!r}: {error.strerror}"
        ) from error
    with staging as folder:
        yield Path(folder)


def _write(result: Result, path: Path, progress: Progress) -> None:
    progress("writing", 0.0)
    n_rows = max(result.draft.n_rows, 1)
    done = 0

    def tables() -> Iterator[pa.Table]:
        nonlocal done
        for table in ahead(result.tables(), waiting=1):
            yield table
            done += len(table)
            progress("writing", done / n_rows)

    write_points(tables(), result.schema, path, crs=result.crs, bbox=result.bbox(), layer=path.stem)
    progress("writing", 1.0)


def _write_mappings(plans: Sequence[Plan], folder: Path, output: Path) -> tuple[Path, ...]:
    """Write what was found out, to be used again: one file where all files are read alike."""
    mappings = [plan.findings.mapping for plan in plans]
    if all(mapping == mappings[0] for mapping in mappings):
        names = [f"{output.stem}.mapping.toml"]
        mappings = mappings[:1]
    else:
        names = [f"{output.stem}.{Path(plan.source.name).stem}.mapping.toml" for plan in plans]
    for name, mapping in zip(names, mappings, strict=True):
        mapping.write(folder / name)
    return tuple(output.with_name(name) for name in names)


def _put_rejects(refused: Rejects, folder: Path, table: Path) -> Path | None:
    """Put the table of refused rows in its place."""
    if not refused.is_written:
        return None
    if table.parent.resolve() == folder.parent.resolve():
        _put(folder / table.name, table)
    else:
        with whole_file(table) as draft:
            shutil.copyfile(folder / table.name, draft)
    return table


def _put(draft: Path, path: Path) -> None:
    """Let a file take its place when all of it is on the disk."""
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    draft.replace(path)


def _none_usable(plans: Sequence[Plan], counts: Sequence[FileCounts]) -> str:
    rejected: Counter[str] = Counter()
    for each in counts:
        rejected.update(each.rejected)
    why = "; ".join(f"{n} × {words(code).en}" for code, n in rejected.most_common(3))
    read = ", ".join(repr(column) for column in plans[0].findings.place_columns) or "the geometry"
    n_read = sum(each.n_read for each in counts)
    if not n_read:
        return f"{plans[0].source.name!r} has columns but no rows; check that the export finished"
    return (
        f"none of {n_read} rows of {plans[0].source.name!r} has a usable place in {read} ({why}); "
        "name other columns with --column lon=… --column lat=…, or state what they are with --datum"
    )


def _ingestion(
    result: Result, counts: Sequence[FileCounts], *, output: Path, rejects: Path | None, mappings: tuple[Path, ...]
) -> Ingestion:  # fmt: skip
    gathering, links = result.gathering, result.links
    draft = gathering.draft
    reported = draft.kept("reported")
    known = reported[reported != np.iinfo(np.int64).min]
    period = None
    if len(known):
        first, last = known.min().astype("datetime64[us]"), known.max().astype("datetime64[us]")
        period = (f"{first.astype('datetime64[s]')}Z", f"{last.astype('datetime64[s]')}Z")
    return Ingestion(
        counts=tuple(counts),
        findings=tuple(plan.findings for plan in result.plans),
        n_assigned=dict(gathering.n_assigned),
        n_incidents=links.n_incidents,
        duplicates=links.n_by_kind,
        fallback=links.n_by_fallback,
        problems=_problems(result, counts),
        piles=links.piles,
        sample=_sample(draft, has_units=bool(draft.levels)),
        notes=links.notes,
        advice=_advice(result),
        output=output,
        rejects=rejects,
        mappings=mappings,
        period=period,
    )


def _problems(result: Result, counts: Sequence[FileCounts]) -> tuple[Problem, ...]:
    """List what is wrong with which rows: the refused first, then the flags, repeats and fallback points."""
    examples = result.gathering.examples
    rejected: Counter[str] = Counter()
    for each in counts:
        rejected.update(each.rejected)
    found = [
        Problem(code, "rejected", words(code), n, examples.of(code))
        for code, n in rejected.most_common()
    ]
    flags = result.gathering.flags + result.links.n_by_flag
    found += [
        Problem(code, "flag", words(code), n, examples.of(code)) for code, n in flags.most_common()
    ]
    found += _repeats(result)
    return tuple(found)


def _advice(result: Result) -> tuple[Text, ...]:
    said = [
        text
        for plan in result.plans
        for text in (*plan.findings.recognition.doubts, *plan.findings.advice)
    ]
    if not result.draft.levels:
        said.append(
            Text(
                zh="没有给出网格或单元，案件没有归属，坐标基准也无从核对；请用 --units 文件[:编码列] 给出",
                en="no units are given, so no row has one and the datum could not be checked against them; "
                "give them with --units FILE[:KEY]",
            )
        )
    return tuple(dict.fromkeys(said))


def _sample(draft: Draft, *, has_units: bool) -> MapSample:
    lonlat = np.column_stack([draft.kept("lon"), draft.kept("lat")])
    outside = draft.kept("outside")
    n_outside = int(outside.sum()) if has_units else None
    return MapSample(
        _spread(lonlat[~outside], _N_INSIDE), _spread(lonlat[outside], _N_OUTSIDE), n_outside
    )


def _spread(points: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Choose points evenly from first to last."""
    if len(points) <= n:
        return points
    return points[np.linspace(0, len(points) - 1, n).astype(np.int64)]


def _repeats(result: Result) -> list[Problem]:
    examples, links = result.gathering.examples, result.links
    kinds: tuple[tuple[ProblemKind, dict[str, int]], ...] = (
        ("duplicate", links.n_by_kind), ("fallback", links.n_by_fallback)
    )  # fmt: skip
    return [
        Problem(code, kind, words(code), n, examples.of(code))
        for kind, counts in kinds
        for code, n in counts.items()
        if n
    ]
