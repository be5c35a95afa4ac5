"""Where are the areas that a method found, on one page: a folium map with everything it needs inside."""

from __future__ import annotations

import hashlib
import html
import re
from pathlib import Path
from typing import Any, Final, cast

import folium
import geopandas as gpd
import jinja2
import pandas as pd
from branca.element import Element, Figure

from gisgrid.analysis.significance import Correction
from gisgrid.crs import LONLAT, require_crs
from gisgrid.errors import ColumnError, InputError, OutputError, did_you_mean
from gisgrid.files import whole_file
from gisgrid.maps.panel import Subject, fill_of, page_file, panel
from gisgrid.maps.reading import Reading
from gisgrid.maps.readings import CORRECTED, reading_of
from gisgrid.maps.short_json import features, groups, lines, script_json
from gisgrid.maps.words import CHANCES, COLUMN_TEXTS, DIGITS, TEXTS, Language
from gisgrid.palette import GI_COLOURS, GROUND, LABEL_TEXTS, LABELS
from gisgrid.schema import Text

_MAX_HATCHED: Final = 3000
"""Up to so many areas are drawn as SVG with hatching, more on a canvas in plain colours."""
_FEW: Final = 500
"""Over so many areas their boundaries recede."""
_EVERYWHERE: Final = frozenset(
    {
        "n_incidents", "population", "incidents_per_1000", "area_km2", "incidents_per_km2", "length_km", "incidents_per_km",
    }
)  # fmt: skip
"""Columns that a pop-up shows for every method."""
_SCORED: Final = ("incidents_per_1000", "incidents_per_km2", "n_incidents")
_COLUMNS_IN: Final = re.compile(r"\{(\w+)\}")
_ASSETS: Final = Path(__file__).parents[1] / "assets"
_LOADS: Final = re.compile(
    r"""(?:<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)\s*=\s*["']?|url\(\s*["']?|@import\s+["']?"""
    r"""|tileLayer(?:\.wms)?\(\s*["'])((?:https?:)?//[^"'\s)>]+)""",
    re.IGNORECASE,
)


class _Verbatim(Element):
    """A piece of the page that is written as it is, never read as a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **kwargs: Any) -> str:  # noqa: ANN401, ARG002 - branca's signature
        """Give the text."""
        return self.text


class OfflineMap(folium.Map):
    """A folium map whose page holds Leaflet itself and asks no other host for anything.

    Layers of folium can be added as to any `folium.Map`; those that need more than Leaflet (icons, clusters, base
    maps) ask other hosts again, and `write_html` refuses them.
    """

    def __init__(self, *, head: str, body: str, data: str, language: Language) -> None:
        super().__init__(tiles=None)
        self._id = hashlib.sha256(f"{body}{data}".encode()).hexdigest()[:16]
        self.head, self.body, self.data = head, body, data
        # branca offers no way to state the page's language
        self.get_root()._template = jinja2.Template(  # noqa: SLF001
            page_file("page.html").replace("LANGUAGE", "zh-CN" if language == "zh" else "en")
        )

    def render(self, **kwargs: Any) -> str:  # noqa: ANN401 - branca's signature
        """Put the parts of the page into the figure, then what was added to the map."""
        name = self.get_name()
        body = f'<div class="folium-map" id="{name}"></div>{self.body}'
        script = (
            f'var {name} = L.map("{name}", {{zoomSnap: 0.25, zoomDelta: 0.5, maxZoom: 19, center: [0, 0], zoom: 2, '
            f'zoomControl: false}});\nL.control.zoom({{position: "topright"}}).addTo({name});\n'
            f"gisgridHotspots({name}, {self.data});"
        )
        figure = cast("Figure", self.get_root())
        figure.header.add_child(_Verbatim(self.head), name=name)
        figure.html.add_child(_Verbatim(body), name=name)
        figure.script.add_child(_Verbatim(script), name=name)
        for child in self._children.values():
            child.render(**kwargs)
        return script


def hotspot_map(
    hotspots: gpd.GeoDataFrame,
    *,
    title: Text | str,
    language: Language = "zh",
    key: str | None = None,
    name: str | None = None,
    column: str | None = None,
    reading: Reading | None = None,
    outline: gpd.GeoDataFrame | None = None,
    steps: pd.DataFrame | None = None,
    correction: Correction = "fdr",
    source: str = "",
) -> folium.Map:
    """Show the areas that a method found on a map that needs no network, in a notebook or as a file.

    Classes of the method (hot and cold at 90, 95 and 99 %, clusters and outliers, contrasts, patterns over time), each
    also told by its hatching; numbers in five classes; a legend with counts, the finding and its uncertainty in words,
    the most telling places as a table.

    Parameters
    ----------
    hotspots
        Areas or lines with the columns of a method: `label` (`hotspots`, Gi*), `cluster` (`local_moran`), `contrast`
        (local Geary), `pattern` (`emerging_hotspots`), `cluster_rank` (`scan`) or `cluster_id` (`dbscan`,
        `cluster_outlines`), and, where there are, counts, residents and rates. Any CRS.
    title
        What the page is about; a `Text` gives it in both languages.
    language
        The language of the page.
    key
        The column that names an area; the first column where it is not given.
    name
        The column of names; `name_zh` and `name_en`, or `name`, where it is not given.
    column
        A column of numbers to draw, in five classes of about as many areas each, instead of the method's classes.
    reading
        How other classes are read (`plain_reading`), instead of what the columns themselves tell.
    outline
        Boundaries to draw over the areas, for example communities over cells. Any CRS.
    steps
        For a slider of time: indexed by `key`, a column per step in the order of time, each value the ``label`` of the
        area at that step (missing where there was no test); as from `gisgrid.derived.step_labels`.
    correction
        What was done about the many tests, for the words: ``fdr``, ``bonferroni`` or ``none``.
    source
        A line on whose data these are and of when.

    Returns
    -------
    folium.Map
        Shown by notebooks as it is; `write_html` saves it.

    Raises
    ------
    ColumnError
        A column that the map needs is not there, or holds no numbers.
    CrsError
        `hotspots` or `outline` has no CRS.
    InputError
        There are no areas, or no such language or correction.
    OutputError
        The parts of the page (Leaflet) were not built.

    Notes
    -----
    Coordinates are written in degrees with 6 decimals (0.1 m): about 22 bytes per vertex, 1.2 MB for the 77 areas of
    Chicago with their 43 000 vertices. Up to 3 000 areas are hatched; more are drawn in plain colours, on a canvas.
    """
    if language not in TEXTS:
        raise InputError(f"language {language!r} is not spoken here; choose zh or en")
    if correction not in CORRECTED:
        raise InputError(
            f"there is no correction {correction!r}; choose one of {', '.join(CORRECTED)}"
        )
    if hotspots.empty:
        raise InputError(
            "a map of hotspots needs areas but there are 0 rows; check what was selected"
        )
    require_crs(hotspots, name="hotspots")
    columns = [str(c) for c in hotspots.columns if c != hotspots.geometry.name]
    if reading is None:
        reading, classes = reading_of(hotspots[columns], column)
    else:
        classes = hotspots[columns].get(reading.column)
    for needed in filter(
        None,
        (
            key,
            name,
            reading.group,
            None if classes is not None else reading.column,
            *_of_the_telling(reading, columns),
        ),
    ):
        if needed not in columns:
            raise ColumnError(
                f"no column {needed!r} among {len(columns)} columns of the hotspots{did_you_mean(needed, columns)}"
            )
    key = key or columns[0]
    names = [name] if name else _name_columns(columns, language)
    subject = Subject(hotspots[columns], reading, classes, key, names, language, correction)
    heading = title if isinstance(title, str) else getattr(title, language)
    return OfflineMap(
        head=_head(heading),
        body=panel(subject, title=heading, source=source, steps=steps is not None),
        data=script_json(_data(subject, hotspots, outline, steps)),
        language=language,
    )


def write_html(page: folium.Map, path: Path | str) -> None:
    """Save a map as one file that opens on any machine, also without a network.

    Parameters
    ----------
    page
        What `hotspot_map` gives, perhaps with more on it.
    path
        The file, ending in ``.html``; what stood there is replaced as a whole.

    Raises
    ------
    OutputError
        The folder does not exist, or the page would ask another host for something.
    """
    text = page.get_root().render()
    if found := sorted(set(_LOADS.findall(text))):
        raise OutputError(
            f"{Path(path).name!r} would load {len(found)} things from other hosts (first: {found[0]}), but a saved map "
            "must open without a network; take that layer off the map"
        )
    with whole_file(Path(path)) as draft:
        draft.write_text(text, encoding="utf-8")


def _name_columns(columns: list[str], language: Language) -> list[str]:
    order = ("name_zh", "name_en") if language == "zh" else ("name_en", "name_zh")
    return [column for column in (*order, "name") if column in columns]


def _of_the_telling(reading: Reading, columns: list[str]) -> tuple[str, ...]:
    """Name the columns without which the most telling areas cannot be told."""
    return (
        ()
        if reading.column not in columns
        else tuple(c for c in reading.table if c != "n_incidents")
    )


def _data(
    subject: Subject,
    hotspots: gpd.GeoDataFrame,
    outline: gpd.GeoDataFrame | None,
    steps: pd.DataFrame | None,
) -> dict[str, Any]:
    """Put together what the page's script draws."""
    reading, language = subject.reading, subject.language
    columns = [str(column) for column in subject.frame.columns]
    shown = [c for c in COLUMN_TEXTS if c in columns and (c in _EVERYWHERE or c in reading.shown)]
    sentences = {name: _measured(subject, text) for name, text in reading.sentences.items()}
    wanted = {c for text in sentences.values() for c in _COLUMNS_IN.findall(text) if c in columns}
    places = hotspots.to_crs(LONLAT).assign(class_=subject.classes)
    west, south, east, north = places.total_bounds
    few = len(places) <= _FEW
    hatched = len(places) <= _MAX_HATCHED
    kept = [subject.key, *subject.names, *shown, *sorted(wanted), *filter(None, [reading.group])]
    return {
        "areas": features(places, [*kept, "class_"]),
        "outline": None if outline is None else lines(outline),
        "bounds": [[south, west], [north, east]],
        "key": subject.key,
        "names": subject.names,
        "called": None if reading.called is None else subject.said(reading.called),
        "group": reading.group,
        "groups": [] if reading.group is None else groups(places, reading.group),
        "shown": [_shown_row(column, language) for column in shown],
        "digits": {column: DIGITS.get(column, 2) for column in sorted(wanted)},
        "classes": {
            shade.name: {
                "colour": shade.colour, "text": subject.said(shade.text),
                "fill": fill_of(shade) if hatched else shade.colour or "#ffffff", "swatch": fill_of(shade),
            }
            for shade in reading.shades
        },
        "sentences": sentences,
        "texts": {name: TEXTS[language][name] for name in ("no_value", "all_steps")},
        "steps": None if steps is None else _steps(steps, subject),
        "locale": "zh-CN" if language == "zh" else "en",
        "hatched": hatched,
        "hairline": 0.8 if few else 0.4,
        "faint": 0.55 if few else 0.35,
    }  # fmt: skip


def _steps(steps: pd.DataFrame, subject: Subject) -> dict[str, Any]:
    """Give the class of every area at every step, and the classes of hot and cold."""
    labels = steps.reindex(subject.frame[subject.key])
    code = {label: k for k, label in enumerate(LABELS)}
    codes = labels.apply(lambda column: column.map(code)).fillna(-1).astype(int)
    return {
        "names": [str(name) for name in steps.columns],
        "labels": codes.to_numpy().T.tolist(),
        "classes": [
            {"colour": GI_COLOURS[label], "text": LABEL_TEXTS[label][subject.language]}
            for label in LABELS
        ],
    }


def _measured(subject: Subject, sentence: Text) -> str:
    """Name what was scored: what the reading knows, else the rate or density where there is one, else the count."""
    measures = {**COLUMN_TEXTS, **subject.reading.measures}
    order = (*subject.reading.measures, *_SCORED)
    scored = next((column for column in order if column in subject.frame), "z")
    return subject.said(sentence).replace("{measure}", subject.said(measures[scored]))


def _shown_row(column: str, language: Language) -> dict[str, Any]:
    return {
        "column": column,
        "text": getattr(COLUMN_TEXTS[column], language),
        "kind": "chance" if column in CHANCES else "number",
        "digits": DIGITS.get(column, 2),
    }


def _head(title: str) -> str:
    css = page_file("map.css").replace("GROUND", GROUND)
    return (
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title>"
        f"<style>{_leaflet_css()}</style><style>{css}</style>"
        f"<script>{_leaflet_js()}</script><script>{page_file('map.js')}</script>"
    )


def _leaflet_js() -> str:
    """Give Leaflet without the links that its own code holds; its licence stays."""
    text = _asset("leaflet.js").replace('href="https://leafletjs.com" ', "")
    return re.sub(r"//# sourceMappingURL=\S+", "", text)


def _leaflet_css() -> str:
    """Give Leaflet's style without the pictures of controls that are not used here."""
    return re.sub(r"url\([^)]*\)", "none", _asset("leaflet.css"))


def _asset(name: str) -> str:
    try:
        return (_ASSETS / name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise OutputError(
            f"a map needs {name!r} but gisgrid's assets were not built; run `make assets` in the project's folder"
        ) from error
