"""What `gisgrid validate-grids` does: read the levels, find out how they hang together, examine, mend, write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import geopandas as gpd
from pyproj import CRS

from gisgrid.crs import crs_label, is_metric, local_metric_crs, parse_crs
from gisgrid.errors import ColumnError, CrsError, InputError, OutputError, did_you_mean
from gisgrid.files import FRAME_SUFFIXES, require_folder, whole_file, write_frame
from gisgrid.grids.codes.scheme import CodeScheme, code_scheme
from gisgrid.grids.validation.grid_report import GridReport, Relations, validate
from gisgrid.grids.validation.levels import code_text
from gisgrid.grids.validation.mending import Repaired, repair
from gisgrid.grids.validation.rules import Limits
from gisgrid.intake import Drawn, read_drawn
from gisgrid.progress import Progress, silent
from gisgrid.report import require_page_suffix, write_grid_report
from gisgrid.schema import Text

PLACE: Final = "place"
"""What ``--parent LEVEL=place`` says: the units above are told by place alone."""
_BY_CODE: Final = "code_of_parent"
_NEARLY_ALL = 0.95


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    layers: tuple[str, ...]
    keys: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    crs: str | None = None
    metric_crs: str | None = None
    tolerance_m: float = 0.01
    sliver_m: float = 1.0
    nesting_m: float = 0.5
    fill_m2: float | None = None
    output: Path | None = None
    report: Path | None = None
    repair: Path | None = None
    language: Literal["zh", "en"] = "zh"


@dataclass(frozen=True, eq=False)
class Done:
    """What was found and written.

    Attributes
    ----------
    report
        What was found.
    repaired
        What was mended, where that was asked for.
    notes
        What was decided on the way.
    files
        What was written.
    """

    report: GridReport
    repaired: Repaired | None
    notes: tuple[Text, ...]
    files: tuple[Path, ...]


def run(request: Request, *, progress: Progress = silent) -> Done:
    """Do what the user asked for.

    Parameters
    ----------
    request
        What the user asked for.
    progress
        Told how far the work is, as ``level: step``.

    Returns
    -------
    Done
        What came of it; it is written already.

    Raises
    ------
    InputError, ColumnError, CrsError, OutputError
        A file, a column, a CRS or an output that cannot be used.
    """
    _require_outputs(request)
    limits = Limits(
        tolerance_m=request.tolerance_m, sliver_m=request.sliver_m, nesting_m=request.nesting_m
    )
    drawn = _read(request, progress)
    notes = [Text(zh=note, en=note) for each in drawn.values() for note in each.notes]
    notes += [
        Text(zh=f"{name}的编码在“{each.key}”栏", en=f"units of {name} are named by {each.key!r}")
        for name, each in drawn.items()
    ]
    frames = _in_metres(drawn, request.metric_crs, notes)
    keys = {name: each.key for name, each in drawn.items()}
    relations = _relations(request, frames, keys, notes)
    raw = {name: each.raw for name, each in drawn.items()}
    found = validate(
        frames, keys=keys, relations=relations, limits=limits, raw=raw, progress=progress
    )
    mended = None
    if request.repair is not None:
        mended = repair(
            frames, found, keys=keys, relations=relations, fill_m2=request.fill_m2,
            progress=lambda level, share: progress(f"{level}: repair", share),
        )  # fmt: skip
    progress("writing", 0.0)
    files = tuple(_written(request, found, frames, mended, notes))
    progress("writing", 1.0)
    return Done(found, mended, tuple(notes), files)


def _require_outputs(request: Request) -> None:
    """Refuse what could not be written before anything is read."""
    for path in (request.output, request.report, request.repair):
        if path is not None:
            require_folder(path)
    if request.output is not None and request.output.suffix not in FRAME_SUFFIXES:
        raise OutputError(
            f"{request.output.name!r} ends in {request.output.suffix!r}, which is not written; "
            f"choose one of {', '.join(FRAME_SUFFIXES)}"
        )
    if request.report is not None:
        require_page_suffix(request.report)
    if request.repair is not None and request.repair.suffix != ".gpkg":
        raise OutputError(
            f"{request.repair.name!r} ends in {request.repair.suffix!r}, but mended levels go together in one GeoPackage; "
            "let it end in .gpkg"
        )


def _read(request: Request, progress: Progress) -> dict[str, Drawn]:
    places = [
        (Path(file), layer or None)
        for file, _, layer in (text.partition("#") for text in request.layers)
    ]
    names = [layer or path.name.split(".")[0] for path, layer in places]
    repeated = [name for at, name in enumerate(names) if name in names[:at]]
    if repeated:
        raise InputError(
            f"{len(repeated) + 1} levels are called {repeated[0]!r}; give each level a file or a layer of its own name"
        )
    keys = _by_level(request.keys, names, option="key", alone=True)
    drawn = {}
    for name, (path, layer) in zip(names, places, strict=True):
        progress(f"{name}: reading", 0.0)
        drawn[name] = read_drawn(path, key=keys.get(name), crs=request.crs, layer=layer)
        progress(f"{name}: reading", 1.0)
    return drawn


def _by_level(
    texts: Sequence[str], names: Sequence[str], *, option: str, alone: bool = False
) -> dict[str, str]:
    """Read ``LEVEL=VALUE``; a value alone is meant for every level where that makes sense."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign and alone:
            found |= dict.fromkeys(names, text)
        elif not sign or not value:
            raise InputError(
                f"--{option} {text!r} names no level; write LEVEL=…, for example --{option} {names[-1]}=…"
            )
        elif name not in names:
            raise InputError(
                f"--{option} {text!r} names no level among {len(names)}{did_you_mean(name, names)}"
            )
        else:
            found[name] = value
    return found


def _in_metres(
    drawn: Mapping[str, Drawn], metric_crs: str | None, notes: list[Text]
) -> dict[str, gpd.GeoDataFrame]:
    """Bring all levels to one CRS in metres, and say so."""
    finest = list(drawn.values())[-1].frame
    if metric_crs is not None:
        target = parse_crs(metric_crs, name="--metric-crs")
    else:
        target = CRS(finest.crs) if is_metric(CRS(finest.crs)) else local_metric_crs(finest)
    if not is_metric(target):
        raise CrsError(
            f"--metric-crs {metric_crs!r} is in {crs_label(target)}, no metres on the ground; "
            f"give a projected one, for example {local_metric_crs(finest).to_string()}"
        )
    frames = {}
    for name, each in drawn.items():
        frame = each.frame
        if not target.equals(frame.crs, ignore_axis_order=True):
            notes.append(
                Text(
                    zh=f"{name}由{crs_label(CRS(frame.crs))}换算到{crs_label(target)}后量算",
                    en=f"{name} is measured in {crs_label(target)}, reprojected from {crs_label(CRS(frame.crs))}",
                )
            )
        frames[name] = frame.to_crs(target)
    return frames


def _relations(
    request: Request,
    frames: dict[str, gpd.GeoDataFrame],
    keys: Mapping[str, str],
    notes: list[Text],
) -> dict[str, Relations]:
    names = list(frames)
    stated = _by_level(request.parents, names, option="parent")
    groups = [
        (name, value)
        for text in request.groups
        for name, value in _by_level((text,), names, option="group").items()
    ]
    schemes = {
        name: _scheme(text)
        for name, text in _by_level(request.schemes, names, option="scheme").items()
    }
    if names[0] in stated:
        raise InputError(
            f"--parent names {names[0]!r}, which is the coarsest level and has none; leave it out"
        )
    relations = {}
    for at, name in enumerate(names):
        parent = stated.get(name)
        if at and parent is None:
            parent = _parent_column(frames, keys, names[at - 1], name, notes)
        elif parent is not None and parent != PLACE and parent not in frames[name]:
            columns = list(map(str, frames[name].columns))
            raise ColumnError(
                f"no column {parent!r} (--parent) among {len(columns)} columns of {name!r}{did_you_mean(parent, columns)}"
            )
        scheme, part = schemes.get(name, (None, None))
        relations[name] = Relations(
            parent=None if parent == PLACE else parent,
            groups=tuple(value for level, value in groups if level == name),
            scheme=scheme,
            scheme_level=part,
        )
    return relations


def _scheme(text: str) -> tuple[CodeScheme, str | None]:
    name, _, part = text.partition(":")
    return code_scheme(name), part or None


def _parent_column(
    frames: dict[str, gpd.GeoDataFrame],
    keys: Mapping[str, str],
    above: str,
    name: str,
    notes: list[Text],
) -> str | None:
    """Find the column that names the unit above: called like its key, or holding its codes; or the code's own beginning."""
    frame, known = frames[name], {code for code in code_text(frames[above][keys[above]]) if code}
    columns = [str(each) for each in frame.columns if each not in {frame.geometry.name, keys[name]}]

    def names_parents(column: str) -> bool:
        codes = [code for code in code_text(frame[column]) if code]
        return bool(codes) and sum(code in known for code in codes) >= _NEARLY_ALL * len(codes)

    found = (
        [keys[above]]
        if keys[above] in columns
        else [each for each in columns if names_parents(each)]
    )
    if len(found) == 1:
        notes.append(
            Text(
                zh=f"{name}的上级由“{found[0]}”栏说明",
                en=f"the parents of {name} are named by {found[0]!r}",
            )
        )
        return found[0]
    lengths = {len(code) for code in known}
    codes = code_text(frame[keys[name]])
    if len(lengths) == 1 and not found:
        (n,) = lengths
        begins = sum(code[:n] in known and len(code) > n for code in codes)
        if begins >= _NEARLY_ALL * len(codes):
            frames[name] = frame.assign(**{_BY_CODE: [code[:n] for code in codes]})
            notes.append(
                Text(
                    zh=f"{name}的上级取编码的前{n}位",
                    en=f"the parents of {name} are the first {n} characters of its codes",
                )
            )
            return _BY_CODE
    return None


def _written(
    request: Request,
    found: GridReport,
    frames: Mapping[str, gpd.GeoDataFrame],
    mended: Repaired | None,
    notes: Sequence[Text],
) -> Iterator[Path]:
    if request.output is not None:
        write_frame(found.faults, request.output)
        yield request.output
    if request.repair is not None and mended is not None:
        with whole_file(request.repair) as draft:
            for name, frame in mended.frames.items():
                frame.drop(columns=_BY_CODE, errors="ignore").to_file(
                    draft, driver="GPKG", layer=name, index=False
                )
            mended.moved.to_file(draft, driver="GPKG", layer="moved", index=False)
        yield request.repair
    if request.report is not None:
        write_grid_report(
            found,
            frames,
            request.report,
            language=request.language,
            notes=notes,
            repaired=mended,
        )
        yield request.report
