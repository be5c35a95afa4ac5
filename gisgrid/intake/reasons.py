"""Why was a row refused, or kept with a mark? Every code that intake gives, in words.

Only the lack of a usable place, a record that cannot be read and a header in the middle of the rows refuse a row.
Everything else that is doubtful in it is a flag: the row is kept, and says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from gisgrid.errors import InputError, did_you_mean
from gisgrid.schema import Text


def _texts(*entries: tuple[str, str, str]) -> Mapping[str, Text]:
    return MappingProxyType({code: Text(zh=zh, en=en) for code, zh, en in entries})


REASONS: Final = _texts(
    ("no_place", "没有坐标", "no coordinates"),
    ("zero_place", "坐标为 0，系统常给没有位置的案件填 0", "the coordinates are 0, which exports write where there is no place"),
    ("lat_range", "纬度超出 -90 到 90", "the latitude is outside -90 to 90"),
    ("lon_range", "经度超出 -180 到 180", "the longitude is outside -180 to 180"),
    ("unreadable_place", "坐标无法读成数字或几何", "the coordinates cannot be read as numbers or as a geometry"),
    ("not_a_point", "几何不是点", "the geometry is not a point"),
    ("outside_crs", "坐标超出所用坐标系的有效范围", "the coordinates lie outside the reach of their coordinate reference system"),
    ("address_unknown", "没有坐标，地址也找不到对应的位置", "no coordinates, and the address is not found among the places given"),
    ("too_few_fields", "字段比表头少", "fewer fields than the header has"),
    ("too_many_fields", "字段比表头多", "more fields than the header has"),
    ("bad_quotes", "引号不成对", "its quotes do not pair"),
    ("bad_record", "记录无法读取", "the record cannot be read"),
    ("empty_row", "空行：有分隔符而没有任何值", "an empty row: delimiters, but no value"),
    ("repeated_header", "表头又出现了一次", "the header row again"),
)  # fmt: skip
"""Why a row is refused."""

FLAGS: Final = _texts(
    ("no_time", "没有上报时间", "no time of report"),
    ("unreadable_time", "时间无法读取", "a time cannot be read"),
    ("ambiguous_time", "时间可以有两种读法", "a time can be read in two ways"),
    ("day_only", "时间只到日", "the time is only a day"),
    ("implausible_year", "年份不可信，时间未采用", "the year is not to be believed, so the time is left out"),
    ("clock_change", "时间落在夏令时切换的时段", "the time falls where the clocks were changed"),
    ("closed_before_reported", "结案早于上报", "closed before it was reported"),
    ("uploaded_before_reported", "上传早于上报", "uploaded before it was reported"),
    ("in_the_future", "时间晚于导出时间", "a time is later than the export"),
    ("category_unknown", "类别不在分类标准中", "the class is not in the scheme"),
    ("category_missing", "没有类别", "no class"),
    ("category_ambiguous", "类别可以有多种理解", "the class can mean several things"),
    ("category_mismatch", "类别代码与名称不符", "the class's code and name disagree"),
    ("same_id_differs", "编号相同但内容不同", "the same id as another row, but not the same content"),
    ("outside_units", "不在任何单元内", "inside no unit"),
    ("place_from_address", "位置由地址查得", "the place was found by its address"),
)  # fmt: skip
"""What is doubtful in a row that was kept."""


REPEAT_TEXTS: Final = _texts(
    ("exact", "与另一行完全相同", "exact copy of another row"),
    ("same_id", "编号与另一行相同，内容不同", "same id as another row, with other content"),
    ("stated", "文件自己标明是重复", "named as a repeat by the file itself"),
    ("same_incident", "与另一条上报看来是同一事件", "seems to tell of the same incident as another report"),
)  # fmt: skip
"""How a row can repeat another; `duplicate_of` names that one."""

FALLBACK_TEXTS: Final = _texts(
    ("zero", "坐标为 0", "the coordinates are 0"),
    ("busy", "上报很多的地方（保留）", "a busy place (kept)"),
    ("pile", "大量上报堆在同一坐标（办事处、默认点等）", "a pile on one coordinate (an office, a default point)"),
    ("grid_centre", "坐标是单元的中心点，不是案发地点", "the centre of a unit instead of the place"),
    ("rounded", "坐标只有很少的小数位", "coordinates of few decimals"),
)  # fmt: skip
"""Why a point may not be the place: the column `fallback` says it."""


def register(codes: Iterable[str]) -> tuple[str, ...]:
    """See that codes have words, for a module that gives them.

    Parameters
    ----------
    codes
        Codes of reasons or flags.

    Returns
    -------
    tuple of str
        The same codes.

    Raises
    ------
    InputError
        A code without words.
    """
    known = {*REASONS, *FLAGS, *REPEAT_TEXTS, *FALLBACK_TEXTS}
    codes = tuple(codes)
    for code in codes:
        if code not in known:
            raise InputError(f"no words for the code {code!r}{did_you_mean(code, known)}")
    return codes


def words(code: str) -> Text:
    """Give the words for a code.

    Parameters
    ----------
    code
        Of a reason, a flag, a kind of repeat or of fallback point.

    Returns
    -------
    Text
        In both languages; the code itself where it has none.

    Examples
    --------
    >>> words("no_place").en
    'no coordinates'
    """
    for texts in (REASONS, FLAGS, REPEAT_TEXTS, FALLBACK_TEXTS):
        if code in texts:
            return texts[code]
    return Text(zh=code, en=code)
