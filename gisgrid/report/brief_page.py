"""How does a brief become a page of HTML, or a PDF that carries its own fonts?"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from gisgrid.errors import OutputError
from gisgrid.files import whole_file
from gisgrid.palette import GI_COLOURS, LABEL_TEXTS
from gisgrid.report.brief import Brief, Measure, Verdict
from gisgrid.report.brief_maps import (
    LEGEND,
    VERDICT_COLOURS,
    bars,
    change_map,
    hot_map,
    locator_map,
)
from gisgrid.report.page import Language, environment
from gisgrid.schema import Text

if TYPE_CHECKING:
    from types import ModuleType

BRIEF_SUFFIXES: Final = (".html", ".pdf")
"""What a brief may end in."""

FONTS: Final = tuple(
    (
        weight,
        Path(__file__).parents[1]
        / "assets"
        / f"noto-sans-sc-chinese-simplified-{weight}-normal.woff2",
    )
    for weight in (400, 700)
)
"""Noto Sans SC with 7 000 characters, as the web map has it: by weight, the file."""

_VERDICTS: Final[dict[Verdict, Text]] = {
    "rose": Text(zh="明显增加", en="more"),
    "fell": Text(zh="明显减少", en="fewer"),
    "no_change": Text(zh="在偶然波动之内", en="within chance"),
    "unknown": Text(zh="无可比数据", en="nothing to compare"),
}
_WEEKDAYS: Final = "一二三四五六日"


class Voice:
    """Says words, numbers and days in one language.

    Parameters
    ----------
    language
        The language.
    """

    def __init__(self, language: Language) -> None:
        self.language = language

    def t(self, zh: str, en: str) -> str:
        """Choose of two sentences."""
        return zh if self.language == "zh" else en

    def say(self, text: Text) -> str:
        """Give a text in the language."""
        return str(getattr(text, self.language))

    def number(self, value: float | None, digits: int = 0) -> str:
        """Group the digits; a dash for what is not known."""
        return "–" if value is None else f"{value:,.{digits}f}"

    def measure(self, measure: Measure, value: float | None) -> str:
        """Write a value of a measure with its unit."""
        if value is None:
            return "–"
        match measure.kind:
            case "count":
                return f"{value:,.0f}"
            case "share":
                return f"{100 * value:.1f}%" if self.language == "zh" else f"{100 * value:.1f} %"
            case "hours":
                return self.t(f"{value:,.1f} 小时", f"{value:,.1f} h")
            case "minutes":
                return self.t(f"{value:,.0f} 分钟", f"{value:,.0f} min")

    def change(self, measure: Measure, before: float | None) -> str:
        """Write the change since before: of counts and times relative, of shares in points."""
        if measure.value is None or before is None:
            return "–"
        difference = measure.value - before
        if measure.kind == "share":
            return f"{_signed(100 * difference, 1)} {self.t('个百分点', 'points')}"
        if before == 0:
            return _signed(difference, 0) if measure.kind == "count" else "–"
        return f"{_signed(100 * difference / before, 0)}{self.t('%', ' %')}"

    def day(self, day: dt.date, brief: Brief) -> str:
        """Write a day; with its year where that is not the period's."""
        if day.year != brief.period.first.year:
            return self.t(f"{day.year}年{day.month}月{day.day}日", f"{day:%-d %b %Y}")
        return self.t(f"{day.month}月{day.day}日", f"{day:%-d %b}")

    def days(self, first: dt.date, after: dt.date) -> str:
        """Write the days of a period, both ends included."""
        last = after - dt.timedelta(days=1)
        if self.language == "en":
            return (
                f"{first:%a %-d %b %Y}" if first == last else f"{first:%-d %b} – {last:%-d %b %Y}"
            )
        if first == last:
            return f"{first.year}年{first.month}月{first.day}日（周{_WEEKDAYS[first.weekday()]}）"
        until = (
            f"{last.month}月{last.day}日"
            if last.year == first.year
            else f"{last.year}年{last.month}月{last.day}日"
        )
        return f"{first.year}年{first.month}月{first.day}日 – {until}"

    def period(self, brief: Brief) -> str:
        """Name the period."""
        year, week, _ = brief.period.first.isocalendar()
        first = brief.period.first
        match brief.period.kind:
            case "week":
                return self.t(f"{year} 年第 {week} 周", f"week {week} of {year}")
            case "day":
                return self.days(first, brief.period.after)
            case "month":
                return self.t(f"{first.year} 年 {first.month} 月", f"{first:%B %Y}")
            case "quarter":
                quarter = (first.month + 2) // 3
                return self.t(
                    f"{first.year} 年第 {quarter} 季度", f"quarter {quarter} of {first.year}"
                )
            case "year":
                return self.t(f"{first.year} 年", f"{first.year}")

    def verdict(self, verdict: Verdict) -> str:
        """Say what a change means."""
        return self.say(_VERDICTS[verdict])

    def label(self, label: str) -> str:
        """Say a class of hot or cold."""
        return LABEL_TEXTS[label][self.language] if label in LABEL_TEXTS else ""


def render_brief(brief: Brief, languages: tuple[Language, ...], *, faces: str = "") -> str:
    """Write a brief as one page of HTML that needs nothing else.

    Parameters
    ----------
    brief
        The brief.
    languages
        One language, or two: the second begins on a new sheet.
    faces
        ``@font-face`` rules of the fonts to embed; the reader's own fonts where there are none.

    Returns
    -------
    str
        The page.
    """
    parts = [
        {
            "language": language, "voice": Voice(language), "locator": locator_map(brief, language),
            "hot_map": hot_map(brief, language), "change_map": change_map(brief, language), "bars": bars(brief, language),
        }
        for language in languages
    ]  # fmt: skip
    return environment(autoescape=True).get_template("brief.html.j2").render(
        brief=brief, parts=parts, faces=Markup(faces), colours=GI_COLOURS, legend=LEGEND, verdicts=VERDICT_COLOURS  # noqa: S704 - our own rules
    )  # fmt: skip


def write_brief(brief: Brief, path: Path, *, languages: tuple[Language, ...]) -> None:
    """Write a brief by the suffix of its file.

    Parameters
    ----------
    brief
        The brief.
    path
        ``.html`` or ``.pdf``. What stood there is replaced as a whole.
    languages
        As in `render_brief`.

    Raises
    ------
    OutputError
        Another suffix, WeasyPrint or the fonts are not there, or the folder cannot be written.
    """
    require_brief_suffix(path)
    if path.suffix == ".html":
        text = render_brief(brief, languages)
        with whole_file(path) as draft:
            draft.write_text(text, encoding="utf-8")
        return
    pdf = (
        _weasyprint()
        .HTML(string=render_brief(brief, languages, faces=_faces()), base_url=None)
        .write_pdf(pdf_tags=True)
    )
    with whole_file(path) as draft:
        draft.write_bytes(pdf)


def require_brief_suffix(path: Path) -> None:
    """See that a brief can be written by that name, before anything is reckoned.

    Parameters
    ----------
    path
        Where it shall go.

    Raises
    ------
    OutputError
        Another suffix, or a PDF without what makes one.
    """
    if path.suffix not in BRIEF_SUFFIXES:
        raise OutputError(
            f"{path.name!r} ends in {path.suffix!r}, but a brief is a page; let it end in {' or '.join(BRIEF_SUFFIXES)}"
        )
    if path.suffix == ".pdf":
        _weasyprint()
        _faces()


def _signed(value: float, digits: int) -> str:
    """Write a difference with its sign; what rounds to nothing has none."""
    rounded = round(value, digits)
    return f"{rounded:+,.{digits}f}" if rounded else f"{0:.{digits}f}"


def _weasyprint() -> ModuleType:
    try:
        import weasyprint  # noqa: PLC0415 - an extra, and slow to load
    except (ImportError, OSError) as error:
        raise OutputError(
            f"a PDF is made by WeasyPrint, which cannot be loaded ({str(error).splitlines()[0]}); "
            "install it with pip install 'gisgrid[pdf]', or write .html and print that"
        ) from error
    module: ModuleType = weasyprint
    return module


def _faces() -> str:
    """Write the rules that embed the project's Chinese font."""
    missing = next((path for _, path in FONTS if not path.is_file()), None)
    if missing is not None:
        raise OutputError(
            f"a PDF carries its Chinese font, and {missing.name!r} is not in {missing.parent}; "
            "build it with make assets, or write .html and print that"
        )
    return "\n".join(
        f'@font-face {{ font-family: "Noto Sans SC"; font-weight: {weight}; src: url("{path.as_uri()}"); }}'
        for weight, path in FONTS
    )
