"""How do answers point at each other? Links as OGC API writes them, under the address that users know."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlencode

from gisgrid.schema import Text

JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
HTML: Final = "text/html"
SCHEMA: Final = "application/schema+json"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
OGC: Final = "http://www.opengis.net/def/rel/ogc/1.0"


def link(rel: str, href: str, media_type: str, title: str = "", **more: object) -> dict[str, Any]:
    """Write a link.

    Parameters
    ----------
    rel
        What is at its other end, as IANA or OGC call it.
    href
        The address.
    media_type
        In which form it answers.
    title
        What a reader sees.
    more
        Further members, for example `templated`.

    Returns
    -------
    dict
        The link.
    """
    titled = {"title": title} if title else {}
    return {"rel": rel, "href": href, "type": media_type, **titled, **more}


def here(
    base: str, path: str, *, form: str, media_type: str = JSON, **query: object
) -> list[dict[str, Any]]:
    """Link an answer to itself and to its other form.

    Parameters
    ----------
    base
        The server's address.
    path
        The answer's path, with a slash at its beginning.
    form
        The form it has now, json or html.
    media_type
        What its JSON is called.
    query
        Parameters that it was asked with; a value of None is left out.

    Returns
    -------
    list of dict
        ``self`` and ``alternate``.
    """
    as_json = link("self", address(base, path, f="json", **query), media_type, "JSON")
    as_html = link("self", address(base, path, f="html", **query), HTML, "HTML")
    first, second = (as_json, as_html) if form == "json" else (as_html, as_json)
    return [first, {**second, "rel": "alternate"}]


def address(base: str, path: str, **query: object) -> str:
    """Put an address together; a value of None is left out.

    Parameters
    ----------
    base
        The server's address.
    path
        The path, with a slash at its beginning.
    query
        Parameters.

    Returns
    -------
    str
        The address.

    Examples
    --------
    >>> address("http://map.example", "/collections/roads/items", limit=10, f=None)
    'http://map.example/collections/roads/items?limit=10'
    """
    said = [(name, str(value)) for name, value in query.items() if value is not None]
    return f"{base}{path}?{urlencode(said, quote_via=quote)}" if said else f"{base}{path}"


def both(text: Text) -> str:
    """Give words for a document that has one place for both languages.

    Parameters
    ----------
    text
        The words.

    Returns
    -------
    str
        Chinese, then English; once where they are the same.
    """
    return text.zh if text.zh == text.en else f"{text.zh} · {text.en}"
