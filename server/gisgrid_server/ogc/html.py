"""How do answers look to people? Pages in one language at a time that ask no other host for anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import jinja2
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from gisgrid.schema import Field, Text
from gisgrid_server.edge.addresses import base_url
from gisgrid_server.ogc.negotiation import Language, language_of
from gisgrid_server.ogc.words import WORDS
from gisgrid_server.pages import content_policy
from gisgrid_server.settings import Settings

FOLDER: Final = Path(__file__).parent / "pages"

_FONT: Final = """@font-face {{
  font-family: "Noto Sans SC"; font-weight: 400; font-display: swap; unicode-range: U+2E80-9FFF, U+F900-FAFF, U+FE30-FFEF;
  src: local("Noto Sans SC"), local("Noto Sans CJK SC"), local("PingFang SC"), local("Microsoft YaHei"),
    url("{base}/static/fonts/noto-sans-sc-chinese-simplified-400-normal.woff2") format("woff2");
}}
"""
"""Chinese where the machine has no font for it."""


class Pages:
    """Fills the pages of a city.

    Parameters
    ----------
    settings
        For the addresses in the pages.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def answer(
        self,
        request: Request,
        template: str,
        *,
        title: Text | str,
        city: Text,
        values: Mapping[str, Any] | None = None,
    ) -> HTMLResponse:
        """Answer with a page in the reader's language.

        Parameters
        ----------
        request
            The request.
        template
            The page's name, without its suffix.
        title
            The page's heading.
        city
            What the site is called.
        values
            What the page names; `links`, `path` and `as_json` are the frame's.

        Returns
        -------
        HTMLResponse
            The page.
        """
        language = language_of(request)
        other = "en" if language == "zh" else "zh"
        base = base_url(request, self._settings)
        frame = {
            "language": language,
            "title": _said(title, language),
            "city": city,
            "base": base,
            "css": Markup(_FONT.format(base=base) + _stylesheet()),  # noqa: S704 - our own file
            "words": SimpleNamespace(**WORDS),
            "links": (),
            "path": (),
            "as_json": None,
            "other_language": f"?{request.url.include_query_params(lang=other).query}",
        }
        page = _environment(language).get_template(f"{template}.html.j2")
        return HTMLResponse(
            page.render({**frame, **(values or {})}),
            headers={
                "Content-Language": "zh-CN" if language == "zh" else "en",
                "Content-Security-Policy": content_policy(None),
                "Vary": "Accept, Accept-Language, Authorization, X-API-Key",
                "Cache-Control": "private, no-cache",  # it may show layers that need a key
            },
        )


def pretty(document: object) -> str:
    """Write JSON for people.

    Parameters
    ----------
    document
        Any JSON.

    Returns
    -------
    str
        On several lines.
    """
    return json.dumps(document, ensure_ascii=False, indent=2)


@cache
def _stylesheet() -> str:
    return (FOLDER / "page.css").read_text("utf-8")


@cache
def _environment(language: Language) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["say"] = lambda text: _said(text, language)
    environment.filters["number"] = lambda n: f"{n:,}".replace(
        ",", " " if language == "zh" else ","
    )
    environment.filters["shown"] = lambda value, field: _shown(value, field, language)
    return environment


def _said(text: Text | str, language: Language) -> str:
    return text if isinstance(text, str) else (text.zh if language == "zh" else text.en)


def _shown(value: object, field: Field, language: Language) -> str:
    """Write a value for people: the word of its label, a dash where it is missing."""
    if value is None:
        return "–"
    if field.labels is not None and str(value) in field.labels:
        return _said(field.labels[str(value)], language)
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
