"""What does the panel of a saved map say: the finding, the legend, how sure it is, the most telling places?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2
import pandas as pd

from gisgrid.maps.reading import Reading, Shade
from gisgrid.maps.readings import CORRECTED, CORRECTION_TEXTS
from gisgrid.maps.words import CHANCES, COLUMN_TEXTS, DIGITS, HEAD_TEXTS, TEXTS, Language
from gisgrid.schema import Text

_N_PLACES: Final = 10


@dataclass(frozen=True)
class Subject:
    """What a page is about.

    Attributes
    ----------
    frame
        The areas.
    reading
        How they are read.
    classes
        The class of each; missing where it has none.
    key
        The column that names an area.
    names
        The columns with names, the first that is there is taken.
    language
        The language of the page.
    correction
        What was done about the many tests.
    """

    frame: pd.DataFrame
    reading: Reading
    classes: pd.Series
    key: str
    names: list[str]
    language: Language
    correction: str

    def said(self, text: Text) -> str:
        """Give words in the page's language."""
        return str(getattr(text, self.language))

    @property
    def telling(self) -> pd.DataFrame:
        """The areas to look at, the most telling first."""
        return self.reading.telling(self.frame)


def panel(subject: Subject, *, title: str, source: str, steps: bool = False) -> str:
    """Write the panel.

    Parameters
    ----------
    subject
        What the page is about.
    title
        Its heading.
    source
        A line on whose data these are.
    steps
        Whether there is a slider of time.

    Returns
    -------
    str
        HTML: the hatches that the map uses as well, and the panel.
    """
    reading, texts = subject.reading, TEXTS[subject.language]
    facts = _facts(subject)
    sure = _filled(subject.said(reading.unsure), facts)
    missing = len(subject.frame) - facts["n_all"]
    if missing and reading.tests:
        sure += ("" if subject.language == "zh" else " ") + texts["excluded"].format(
            n=f"{missing:,}"
        )
    environment = jinja2.Environment(autoescape=True)
    return environment.from_string(page_file("panel.html")).render(
        title=title,
        texts=texts,
        caption=_filled(subject.said(reading.legend), facts),
        hatches=[hatch_of(shade) for shade in reading.shades if shade.hatch],
        steps=steps,
        finding=_finding(subject, facts),
        legend=legend(subject),
        uncertainty=sure,
        heads=[_head(column, subject) for column in _table(subject)],
        places_caption=subject.said(reading.places),
        places=places(subject),
        source=source,
    )


def legend(subject: Subject) -> list[dict[str, object]]:
    """List the classes with how many areas each has.

    Parameters
    ----------
    subject
        What the page is about.

    Returns
    -------
    list of dict
        `text`, `n`, `n_text`, `fill`.
    """
    counts = subject.classes.value_counts()
    rows = []
    for shade in subject.reading.shades:
        n = int(counts.get(shade.name, 0))
        if n or subject.reading.whole_legend:
            row = {
                "text": subject.said(shade.text),
                "n": n,
                "n_text": f"{n:,}",
                "fill": fill_of(shade),
            }
            rows.append(row)
    return rows


def fill_of(shade: Shade) -> str:
    """Give the paint of a class.

    Parameters
    ----------
    shade
        The class.

    Returns
    -------
    str
        For an SVG's ``fill``.
    """
    if shade.colour is None:
        return "#ffffff"
    return f"url(#hatch-{shade.name})" if shade.hatch else shade.colour


def hatch_of(shade: Shade) -> dict[str, object]:
    """Describe the hatching of a class.

    Parameters
    ----------
    shade
        The class, with a hatching.

    Returns
    -------
    dict
        What the panel's template draws.
    """
    gap, ink, strength, angle = shade.hatch or (1, "none", 0.0, 0)
    return {
        "label": shade.name, "gap": gap, "ink": ink, "strength": strength, "angle": angle,
        "colour": shade.colour,
    }  # fmt: skip


def places(subject: Subject) -> list[dict[str, Any]]:
    """List the most telling areas.

    Parameters
    ----------
    subject
        What the page is about.

    Returns
    -------
    list of dict
        `key`, `name` and `cells`, the table's columns as words.
    """
    columns = _table(subject)
    rows = subject.telling.head(_N_PLACES).to_dict("records")
    return [
        {
            "key": str(row[subject.key]),
            "name": _name(row, subject),
            "cells": [written(row[column], column) for column in columns],
        }
        for row in rows
    ]


def written(value: object, column: str) -> str:
    """Write a number as its column has it.

    Parameters
    ----------
    value
        The number; missing or None for none.
    column
        Its column.

    Returns
    -------
    str
        With grouped digits; very small chances as such; an en dash for none.

    Examples
    --------
    >>> written(1234.5, "n_incidents"), written(0.00001, "q"), written(None, "z")
    ('1,234', '< 0.001', '–')
    """
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return "–"
    number = float(value)  # type: ignore[arg-type]
    if column in CHANCES:
        return "< 0.001" if number < 0.001 else f"{number:.3f}"
    return f"{number:,.{DIGITS.get(column, 2)}f}"


def page_file(name: str) -> str:
    """Read a part of the page.

    Parameters
    ----------
    name
        The file's name.

    Returns
    -------
    str
        Its text.
    """
    return (Path(__file__).parent / "page" / name).read_text(encoding="utf-8")


def _table(subject: Subject) -> list[str]:
    return [column for column in subject.reading.table if column in subject.frame.columns]


def _head(column: str, subject: Subject) -> str:
    text = HEAD_TEXTS.get(column) or COLUMN_TEXTS.get(column)
    return column if text is None else subject.said(text)


def _name(row: Mapping[Any, Any], subject: Subject) -> str:
    reading = subject.reading
    at = f"{int(row[reading.group])}. " if reading.group else ""
    named = next((row[column] for column in subject.names if isinstance(row[column], str)), None)
    if named is None and reading.called is not None:
        named = subject.said(reading.called).format(row[subject.key])
    return at + str(row[subject.key] if named is None else named)


def _facts(subject: Subject) -> dict[str, Any]:
    """Count what the sentences speak of."""
    frame, classes = subject.frame, subject.classes
    counts = {str(name): int(n) for name, n in classes.value_counts().items()}
    n = sum(counts.values())
    hot = {name for name in counts if name.startswith("hot_") or name.endswith("_hot")}
    cold = {name for name in counts if name.startswith("cold_") or name.endswith("_cold")}
    numbers = {
        "n": n, "n_hot": sum(counts[name] for name in hot), "n_cold": sum(counts[name] for name in cold),
        "n_out": counts.get("high_low", 0) + counts.get("low_high", 0), "chance": round(0.05 * n),
        "n_found": sum(counts.get(shade.name, 0) for shade in subject.reading.shades if shade.colour),
        **{f"n_{shade.name}": counts.get(shade.name, 0) for shade in subject.reading.shades},
    }  # fmt: skip
    if subject.reading.group:
        inside = frame[subject.reading.group]
        numbers |= {"n_groups": inside.nunique(), "n_inside": int(inside.notna().sum())}
    if "n_incidents" in frame:
        numbers["total"] = int(frame["n_incidents"].sum())
    facts: dict[str, Any] = {name: f"{value:,}" for name, value in numbers.items()} | {"n_all": n}
    facts["correction"] = subject.said(CORRECTION_TEXTS[subject.correction])
    facts["corrected"] = _filled(subject.said(CORRECTED[subject.correction]), facts)
    return facts


def _finding(subject: Subject, facts: dict[str, Any]) -> str:
    """Say in a sentence what the map shows."""
    reading, top = subject.reading, subject.telling
    if facts["n_found"] == "0":
        return _filled(subject.said(reading.nothing), facts)
    said = _filled(subject.said(reading.finding), facts | _spread(subject))
    if len(top):
        row = top.iloc[0].to_dict()
        numbers = {column: written(row[column], column) for column in COLUMN_TEXTS if column in row}
        shade = next(each for each in reading.shades if each.name == subject.classes[top.index[0]])
        about = {"name": _name(row, subject), "class": subject.said(shade.text)}
        said += _filled(subject.said(reading.top), facts | numbers | about)
    return said


def _spread(subject: Subject) -> dict[str, str]:
    column = subject.reading.table[-1]
    if subject.reading.tests or column not in subject.frame:
        return {}
    values = subject.frame[column].astype(float)
    return {
        "median": written(values.median(), column),
        "highest": written(values.max(), column),
    }


def _filled(text: str, facts: Mapping[str, Any]) -> str:
    return text.format_map(facts)
