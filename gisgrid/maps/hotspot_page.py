"""Where are the hot areas, on one page: a folium map with everything it needs inside."""

from __future__ import annotations

import hashlib
import html
import re
from pathlib import Path
from typing import Any, Final, cast

import folium
import geopandas as gpd
import jinja2
from branca.element import Element, Figure

from gisgrid.crs import LONLAT, require_crs
from gisgrid.errors import ColumnError, InputError, OutputError, did_you_mean
from gisgrid.files import whole_file
from gisgrid.maps.short_json import features, lines, script_json
from gisgrid.maps.words import COLUMN_TEXTS, TEXTS, Language
from gisgrid.palette import GI_COLOURS, GROUND, LABEL_TEXTS, LABELS, Label
from gisgrid.schema import Text

_HATCHES: Final[dict[str, tuple[int, str, float]]] = {  # gap in pixels, ink, strength
    "hot_99": (5, "#ffffff", 0.4),
    "hot_95": (8, "#b2182b", 0.5),
    "hot_90": (12, "#b2182b", 0.35),
    "cold_90": (12, "#2166ac", 0.35),
    "cold_95": (8, "#053061", 0.4),
    "cold_99": (5, "#ffffff", 0.4),
}
_DIGITS: Final = {"n_incidents": 0, "population": 0, "z": 2}
_MAX_HATCHED: Final = 3000
"""Up to so many areas are drawn as SVG with hatching, more on a canvas in plain colours."""
_FEW: Final = 500
"""Over so many areas their boundaries recede."""
_N_PLACES: Final = 10
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
            _page_file("page.html").replace("LANGUAGE", "zh-CN" if language == "zh" else "en")
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
    outline: gpd.GeoDataFrame | None = None,
    source: str = "",
) -> folium.Map:
    """Show the hot and cold areas on a map that needs no network, in a notebook or as a file.

    Fixed classes (hot and cold at 90, 95 and 99 %), each also told by its hatching; a legend with counts, the finding
    and its uncertainty in words, the hottest places as a table. Not a map of counts: those want other classes.

    Parameters
    ----------
    hotspots
        Polygons with `label`, `z`, `p`, `q`, `observed`, `expected`, `n_neighbours` (`gisgrid.analysis.hotspots`) and,
        where there are, `n_incidents`, `population`, `incidents_per_1000`, `area_km2`, `incidents_per_km2`. Any CRS.
    title
        What the page is about; a `Text` gives it in both languages.
    language
        The language of the page.
    key
        The column that names an area; the first column where it is not given.
    name
        The column of names; `name_zh` and `name_en`, or `name`, where it is not given.
    outline
        Boundaries to draw over the areas, for example communities over cells. Any CRS.
    source
        A line on whose data these are and of when.

    Returns
    -------
    folium.Map
        Shown by notebooks as it is; `write_html` saves it.

    Raises
    ------
    ColumnError
        A column that the map needs is not there.
    CrsError
        `hotspots` or `outline` has no CRS.
    InputError
        There are no areas.
    OutputError
        The parts of the page (Leaflet) were not built.

    Notes
    -----
    Coordinates are written in degrees with 6 decimals (0.1 m): about 22 bytes per vertex, 1.2 MB for the 77 areas of
    Chicago with their 43 000 vertices. Up to 3 000 areas are hatched; more are drawn in plain colours, on a canvas.
    """
    if language not in TEXTS:
        raise InputError(f"language {language!r} is not spoken here; choose zh or en")
    if hotspots.empty:
        raise InputError(
            "a map of hotspots needs areas but there are 0 rows; check what was selected"
        )
    require_crs(hotspots, name="hotspots")
    columns = [str(c) for c in hotspots.columns if c != hotspots.geometry.name]
    for column in (
        "label",
        "z",
        "p",
        "q",
        "observed",
        "expected",
        "n_neighbours",
        *filter(None, (key, name)),
    ):
        if column not in columns:
            raise ColumnError(
                f"no column {column!r} among {len(columns)} columns of the hotspots{did_you_mean(column, columns)}"
            )
    key = key or columns[0]
    names = [name] if name else _name_columns(columns, language)
    texts = TEXTS[language]
    places = hotspots.to_crs(LONLAT)
    west, south, east, north = places.total_bounds
    data = {
        "areas": features(
            places, [key, *names, *_shown(columns), "label", "observed", "expected", "n_neighbours"]
        ),
        "outline": None if outline is None else lines(outline),
        "bounds": [[south, west], [north, east]],
        "key": key,
        "names": names,
        "shown": [_shown_row(column, language) for column in _shown(columns)],
        "classes": {
            label: {"colour": GI_COLOURS[label], "text": LABEL_TEXTS[label][language]}
            for label in LABELS
        },
        "texts": {
            "sentence": texts["sentence"].replace("{measure}", _measure(columns, language)),
            "no_value": texts["no_value"],
        },
        "locale": "zh-CN" if language == "zh" else "en",
        "hatched": len(hotspots) <= _MAX_HATCHED,
        "hairline": 0.8 if len(hotspots) <= _FEW else 0.4,
        "faint": 0.55 if len(hotspots) <= _FEW else 0.35,
    }
    heading = title if isinstance(title, str) else getattr(title, language)
    return OfflineMap(
        head=_head(heading),
        body=_panel(hotspots, heading, key=key, names=names, language=language, source=source),
        data=script_json(data),
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


def _shown(columns: list[str]) -> list[str]:
    return [column for column in COLUMN_TEXTS if column in columns]


def _measure(columns: list[str], language: Language) -> str:
    """Name what was scored: the rate or density where there is one, else the count."""
    scored = next(
        c for c in ("incidents_per_1000", "incidents_per_km2", "n_incidents", "z") if c in columns
    )
    return COLUMN_TEXTS[scored][language]


def _shown_row(column: str, language: Language) -> dict[str, Any]:
    return {
        "column": column,
        "text": COLUMN_TEXTS[column][language],
        "kind": "chance" if column in {"p", "q"} else "number",
        "digits": _DIGITS.get(column, 2),
    }


def _panel(
    hotspots: gpd.GeoDataFrame,
    title: str,
    *,
    key: str,
    names: list[str],
    language: Language,
    source: str,
) -> str:
    texts = TEXTS[language]
    counts = hotspots["label"].value_counts()
    legend = [
        {
            "text": LABEL_TEXTS[label][language],
            "n": int(counts.get(label, 0)),
            "n_text": f"{int(counts.get(label, 0)):,}",
            "fill": f"url(#hatch-{label})" if GI_COLOURS[label] else "#fff",
        }
        for label in LABELS
    ]
    n_tested = int(hotspots["z"].notna().sum())
    uncertainty = texts["uncertainty"].format(
        n=f"{n_tested:,}", chance=f"{round(0.05 * n_tested):,}"
    )
    if n_tested < len(hotspots):
        uncertainty += " " + texts["excluded"].format(n=f"{len(hotspots) - n_tested:,}")
    environment = jinja2.Environment(autoescape=True)
    return environment.from_string(_page_file("panel.html")).render(
        title=title,
        texts=texts,
        hatches=[_hatch(label) for label in LABELS if GI_COLOURS[label]],
        finding=_finding(hotspots, n_tested, key=key, names=names, language=language),
        legend=legend,
        uncertainty=uncertainty,
        places=_hottest(hotspots, key=key, names=names),
        source=source,
    )


def _finding(
    hotspots: gpd.GeoDataFrame, n_tested: int, *, key: str, names: list[str], language: Language
) -> str:
    """Say in a sentence what the map shows."""
    texts = TEXTS[language]
    n_hot = int(
        hotspots["label"].isin([label for label in LABELS if label.startswith("hot")]).sum()
    )
    n_cold = int(
        hotspots["label"].isin([label for label in LABELS if label.startswith("cold")]).sum()
    )
    if n_hot + n_cold == 0:
        return texts["nothing"].format(n=f"{n_tested:,}")
    said = texts["finding"].format(n=f"{n_tested:,}", n_hot=f"{n_hot:,}", n_cold=f"{n_cold:,}")
    if n_hot:
        top = _hottest(hotspots, key=key, names=names)[0]
        said += texts["hottest"].format(name=top["name"], z=top["z"])
    return said


def _hottest(hotspots: gpd.GeoDataFrame, *, key: str, names: list[str]) -> list[dict[str, str]]:
    """List the places with the highest scores among those that are hot."""
    hot = hotspots[hotspots["label"].isin(LABELS[:3])].sort_values(
        "z", ascending=False, kind="stable"
    )
    rows = hot.head(_N_PLACES).to_dict("records")
    return [
        {
            "key": str(row[key]),
            "name": str(
                next((row[column] for column in names if isinstance(row[column], str)), row[key])
            ),
            "n": f"{row['n_incidents']:,}" if "n_incidents" in row else "",
            "z": f"{row['z']:.2f}",
            "q": "< 0.001" if row["q"] < 0.001 else f"{row['q']:.3f}",
        }
        for row in rows
    ]


def _hatch(label: Label) -> dict[str, object]:
    gap, ink, strength = _HATCHES[label]
    return {
        "label": label,
        "gap": gap,
        "ink": ink,
        "strength": strength,
        "angle": 45 if label.startswith("hot") else -45,
        "colour": GI_COLOURS[label],
    }


def _head(title: str) -> str:
    css = _page_file("map.css").replace("GROUND", GROUND)
    return (
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title>"
        f"<style>{_leaflet_css()}</style><style>{css}</style>"
        f"<script>{_leaflet_js()}</script><script>{_page_file('map.js')}</script>"
    )


def _page_file(name: str) -> str:
    return (Path(__file__).parent / "page" / name).read_text(encoding="utf-8")


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
