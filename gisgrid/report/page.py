"""How does a report become a page: HTML in two languages on one page, or Markdown in one."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import jinja2
from markupsafe import Markup

from gisgrid.errors import OutputError
from gisgrid.files import whole_file
from gisgrid.schema import Text

Language = Literal["zh", "en"]
PAGE_SUFFIXES: Final = (".html", ".md")
"""What a page may end in."""

_LEAST_SHARE: Final = 0.001
_PAGES: Final = Path(__file__).parent / "pages"


def render_html(
    template: str, *, title: Text, language: Language, values: Mapping[str, Any]
) -> str:
    """Fill a page that holds both languages; the reader switches between them, without a script.

    In a template, ``{{ text | say }}`` writes a `Text` (or an already plain string) in both languages,
    ``{{ n | number }}`` groups digits, ``{{ share | percent }}`` writes a share, and ``{{ code | code }}`` sets a
    value in the fixed-width face. Everything else is escaped.

    Parameters
    ----------
    template
        The page's file among ``gisgrid/report/pages``, which extends ``base.html.j2`` (blocks ``lead`` and
        ``content``).
    title
        The page's title.
    language
        The language it opens in.
    values
        What the template names.

    Returns
    -------
    str
        The page: one file that asks no other host for anything.
    """
    made = environment(autoescape=True)
    made.filters["say"] = _say_both
    made.filters["code"] = lambda value: Markup("<code>{}</code>").format(value)
    return made.get_template(template).render(title=title, language=language, **values)


def render_markdown(
    template: str, *, title: Text, language: Language, values: Mapping[str, Any]
) -> str:
    """Fill a page of Markdown in one language.

    Filters as in `render_html`; ``say`` writes the one language, and ``cell`` makes a value fit a table's cell.

    Parameters
    ----------
    template
        The page's file among ``gisgrid/report/pages``.
    title
        The page's title.
    language
        The language.
    values
        What the template names.

    Returns
    -------
    str
        The page.
    """
    made = environment(autoescape=False)
    made.filters["say"] = lambda text: _one(text, language)
    made.filters["cell"] = _cell
    made.filters["code"] = lambda value: f"`{' '.join(str(value).split()).replace('`', chr(39))}`"
    return made.get_template(template).render(title=title, language=language, **values)


def write_page(
    name: str, path: Path, *, title: Text, language: Language, values: Mapping[str, Any]
) -> None:
    """Write a page by the suffix of its file.

    Parameters
    ----------
    name
        The page's templates: ``intake`` for ``intake.html.j2`` and ``intake.md.j2``.
    path
        Where it goes; ``.html`` or ``.md``. What stood there is replaced as a whole.
    title
        The page's title.
    language
        The language the HTML opens in, and the only one of the Markdown.
    values
        What the templates name.

    Raises
    ------
    OutputError
        Another suffix, or the folder cannot be written.
    """
    require_page_suffix(path)
    render = render_html if path.suffix == ".html" else render_markdown
    text = render(f"{name}{path.suffix}.j2", title=title, language=language, values=values)
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8")


def require_page_suffix(path: Path) -> None:
    """See that a page can be written by that name.

    Parameters
    ----------
    path
        Where it shall go.

    Raises
    ------
    OutputError
        Another suffix than those of pages.
    """
    if path.suffix not in PAGE_SUFFIXES:
        raise OutputError(
            f"{path.name!r} ends in {path.suffix!r}, but a report is a page; let it end in {' or '.join(PAGE_SUFFIXES)}"
        )


def environment(*, autoescape: bool) -> jinja2.Environment:
    """Make ready to fill the templates of ``gisgrid/report/pages``.

    Parameters
    ----------
    autoescape
        True for HTML, where every value is escaped that is no `Markup`.

    Returns
    -------
    jinja2.Environment
        With the filters ``number``, ``percent`` and ``moment``; a name that no value has is an error.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PAGES),
        autoescape=autoescape,  # noqa: S701 - Markdown is no HTML; its cells are escaped by `cell`
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters |= {"number": _number, "percent": _percent, "moment": _moment}
    return made


def _say_both(text: Text | str) -> Markup:
    if isinstance(text, str):
        return Markup("") + text
    if text.zh == text.en:
        return Markup("") + text.zh
    return Markup('<span lang="zh">{}</span><span lang="en">{}</span>').format(text.zh, text.en)


def _one(text: Text | str, language: Language) -> str:
    said = text if isinstance(text, str) else str(getattr(text, language))
    return _cell(said)


def _cell(value: object) -> str:
    """Make a value safe inside Markdown: no line breaks, no table borders, no HTML."""
    text = "" if value is None else str(value)
    text = html.escape(" ".join(text.split()), quote=False)
    for sign in "\\|*_`[]":
        text = text.replace(sign, f"\\{sign}")
    return text


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _percent(share: float | None) -> str:
    if share is None:
        return "–"
    if 0 < share < _LEAST_SHARE:
        return f"< {_LEAST_SHARE:.1%}".replace("%", " %")
    digits = 0 if share in {0, 1} else 1
    return f"{100 * share:.{digits}f} %"


def _moment(text: str) -> str:
    """Write a time of ISO 8601 for a reader: to the minute, the zone is said beside it."""
    return text[:16].replace("T", " ")
