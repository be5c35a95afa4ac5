"""Which column of a file says what: where, when, which class?

Recognised by the header, in Chinese and English, and by what the values look like; what stays doubtful is said, with
the option that settles it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from gisgrid.errors import ColumnError, did_you_mean
from gisgrid.intake.columns.places import PlaceColumns, place_of
from gisgrid.intake.columns.roles import PLACE_ROLES, ROLES, HeaderFit, header_fit, is_ruled_out
from gisgrid.intake.columns.values import Look, look
from gisgrid.schema import Text

OPTION: Final = "--column"
"""How a user names a column on the command line: ``--column lon=经度``."""

_ENOUGH = 0.45
_SAME = 0.02
_FEW = 20  # with fewer values, nothing is made of how often they repeat


@dataclass(frozen=True)
class Match:
    """The column that was taken for a role.

    Attributes
    ----------
    column
        Its name in the file.
    confidence
        0 to 1; 1 where the user named it.
    why
        What speaks for it.
    """

    column: str
    confidence: float
    why: Text


@dataclass(frozen=True)
class Recognition:
    """What the columns of a file mean.

    Attributes
    ----------
    matches
        Role to column. At most one way to say where: longitude and latitude, one column of both, a geometry as text,
        or easting and northing, in this order; none where the file carries geometry.
    doubts
        What could be meant otherwise, each with the option that settles it.
    unused
        Columns without a role, in the file's order.
    """

    matches: Mapping[str, Match]
    doubts: tuple[Text, ...]
    unused: tuple[str, ...]

    @property
    def columns(self) -> dict[str, str]:
        """Role to column's name, as a mapping file keeps it."""
        return {role: match.column for role, match in self.matches.items()}


@dataclass(frozen=True)
class _Claim:
    role: str
    column: str
    confidence: float
    fit: HeaderFit


def require_column(name: str, columns: Iterable[str], *, option: str, source: str) -> str:
    """Give the column that an option names, or say which there are.

    Parameters
    ----------
    name
        What the option says.
    columns
        The columns of the file.
    option
        The option's name, for the error.
    source
        The file's name, for the error.

    Returns
    -------
    str
        `name`.

    Raises
    ------
    ColumnError
        There is no such column.
    """
    known = [str(column) for column in columns]
    if name not in known:
        raise ColumnError(
            f"no column {name!r} (--{option}) among {len(known)} columns of {source!r}"
            f"{did_you_mean(name, known)}"
        )
    return name


def recognise(
    sample: pa.Table, *, has_geometry: bool, fixed: Mapping[str, str] = MappingProxyType({})
) -> Recognition:
    """Recognise what the columns of a file mean.

    Parameters
    ----------
    sample
        Some thousand rows of the file; text or typed columns.
    has_geometry
        Whether the file carries geometry of its own, so that no column need say where.
    fixed
        Role to column, as the user or a mapping file names them; an empty name leaves the role out.

    Returns
    -------
    Recognition
        What was found, with its confidence and reason, and what stays in doubt.

    Raises
    ------
    ColumnError
        `fixed` names a role or a column that there is not, or one column for two roles.

    Notes
    -----
    Cost: the values of at most 2000 rows are looked at, whatever the sample. CRS: none; whether the numbers are what
    they are called is the question of `gisgrid.intake.datums.detective`.

    Examples
    --------
    >>> table = pa.table({"案件编号": ["A1", "A2"], "经度": ["116.40", "116.41"], "纬度": ["39.90", "39.91"]})
    >>> recognise(table, has_geometry=False).columns
    {'issue_id': '案件编号', 'lon': '经度', 'lat': '纬度'}
    """
    _check_fixed(fixed, sample.column_names)
    looks = {name: look(sample[name]) for name in sample.column_names}
    matches = {
        role: Match(column, 1.0, Text(zh="由用户指定", en="named by the user"))
        for role, column in fixed.items()
        if column
    }
    taken = {match.column for match in matches.values()}
    place = PlaceColumns()
    if not has_geometry or any(role in fixed for role in PLACE_ROLES):
        place = place_of(sample, looks, fixed=fixed, option=OPTION)
    for role, (column, confidence, why) in place.found.items():
        matches.setdefault(role, Match(column, confidence, why))
        taken.add(column)
    claims = _claims(looks, taken=taken, closed={*fixed, *matches, *PLACE_ROLES})
    doubts = [*place.doubts]
    for claim in _assigned(claims):
        matches[claim.role] = _match(claim, looks[claim.column])
        doubts += _rivals(claim, claims, matches)
    if "reported_at" not in {*matches, *fixed}:
        doubts += _lonely_time(looks, matches)
    ordered = {role: matches[role] for role in ROLES if role in matches}
    used = {match.column for match in ordered.values()}
    unused = tuple(name for name in sample.column_names if name not in used)
    return Recognition(MappingProxyType(ordered), tuple(doubts), unused)


def _check_fixed(fixed: Mapping[str, str], columns: list[str]) -> None:
    users: dict[str, str] = {}
    for role, column in fixed.items():
        if role not in ROLES:
            raise ColumnError(
                f"no role {role!r} that a column can have among {len(ROLES)}{did_you_mean(role, ROLES)}"
            )
        if not column:
            continue
        if column not in columns:
            raise ColumnError(
                f"no column {column!r} for {role!r} among {len(columns)} columns{did_you_mean(column, columns)}"
            )
        if column in users:
            raise ColumnError(
                f"column {column!r} is named for {users[column]!r} and for {role!r} but can have one role; remove one"
            )
        users[column] = role


def _claims(looks: Mapping[str, Look], *, taken: set[str], closed: set[str]) -> list[_Claim]:
    """List which column could have which role, the surest first."""
    claims = []
    for role in ROLES.values():
        if role.id in closed:
            continue
        for column, values in looks.items():
            fit = None if column in taken else header_fit(column, role)
            share = _FITS[role.look](values, fit, role.id) if fit and values.n else None
            if fit is None or share == 0.0:
                continue
            confidence = round(fit.strength * (0.6 if share is None else 0.6 + 0.4 * share), 3)
            if confidence >= _ENOUGH:
                claims.append(_Claim(role.id, column, confidence, fit))
    order = list(ROLES)
    columns = list(looks)
    return sorted(
        claims, key=lambda c: (-c.confidence, order.index(c.role), columns.index(c.column))
    )


def _assigned(claims: list[_Claim]) -> list[_Claim]:
    """Give each role one column and each column one role, the surest claim first."""
    roles: set[str] = set()
    columns: set[str] = set()
    kept = []
    for claim in claims:
        if claim.role not in roles and claim.column not in columns:
            kept.append(claim)
            roles.add(claim.role)
            columns.add(claim.column)
    return kept


def _time_fit(values: Look, _fit: HeaderFit, _role: str) -> float:
    share = max(values.shares.get("time", 0.0), values.shares.get("serial", 0.0))
    return share if share >= 0.5 else 0.0


def _id_fit(values: Look, _fit: HeaderFit, _role: str) -> float:
    if values.n < _FEW:
        return 1.0
    return values.share_distinct if values.share_distinct > 0.3 else 0.0


def _code_fit(values: Look, fit: HeaderFit, role: str) -> float:
    """Judge codes: where the header speaks of a class and not of its code, only digits are taken for codes."""
    says_code = fit.tier == 0 or (fit.tier == 1 and role == "category_code")
    share = values.shares.get("code" if says_code else "digits", 0.0)
    repeated = values.n < _FEW or values.share_distinct < 0.5
    return share if share >= 0.8 and repeated else 0.0


def _class_fit(values: Look, _fit: HeaderFit, _role: str) -> float:
    shares = values.shares
    odd = max(shares.get("time", 0.0), shares.get("pair", 0.0), shares.get("decimals", 0.0))
    if shares.get("digits", 0.0) >= 0.8 or odd >= 0.5:
        return 0.0
    if values.n < _FEW:
        return 1.0
    if values.share_distinct > 0.5:
        return 0.25
    return 0.8 if values.n_distinct == 1 else 1.0  # one value for all rows says little


def _name_fit(values: Look, _fit: HeaderFit, _role: str) -> float:
    return 0.0 if values.shares.get("number", 0.0) >= 0.5 else 1.0


def _text_fit(values: Look, _fit: HeaderFit, _role: str) -> float:
    odd = max((values.shares.get(share, 0.0) for share in ("number", "pair", "shape")), default=1.0)
    return 0.0 if odd >= 0.5 or not values.shares else 1.0 - odd


_FITS: Final[Mapping[str, Callable[[Look, HeaderFit, str], float]]] = {
    "time": _time_fit,
    "id": _id_fit,
    "code": _code_fit,
    "class": _class_fit,
    "name": _name_fit,
    "text": _text_fit,
    "any": lambda _values, _fit, _role: 1.0,
}
"""How well the values of a column suit what a role looks like: 0 (it cannot be) to 1."""


_SEEN: Final[Mapping[str, Callable[[Look], tuple[str, str]]]] = {
    "time": lambda v: (
        f"{max(v.shares.get('time', 0), v.shares.get('serial', 0)):.0%} 的值像时间",
        f"{max(v.shares.get('time', 0), v.shares.get('serial', 0)):.0%} of the values look like times",
    ),
    "id": lambda v: (
        f"{v.share_distinct:.0%} 的值互不相同",
        f"{v.share_distinct:.0%} of the values are different",
    ),
    "code": lambda v: (f"{v.n_distinct} 种代码", f"{v.n_distinct} different codes"),
    "class": lambda v: (f"{v.n_distinct} 种值", f"{v.n_distinct} different values"),
}


def _match(claim: _Claim, values: Look) -> Match:
    role = ROLES[claim.role]
    zh = f"列名表示“{role.words.zh}”"
    en = f"the header says {role.words.en}"
    if not values.n:
        zh, en = f"{zh}，抽样中没有值", f"{en}; the sample holds no values"
    elif role.look in _SEEN:
        seen = _SEEN[role.look](values)
        zh, en = f"{zh}，{seen[0]}", f"{en}; {seen[1]}"
    return Match(claim.column, claim.confidence, Text(zh=zh, en=en))


def _rivals(claim: _Claim, claims: list[_Claim], matches: Mapping[str, Match]) -> list[Text]:
    """Say which other columns could have the role just as well."""
    used = {match.column for role, match in matches.items() if role != claim.role}
    rivals = [
        other.column
        for other in claims
        if other.role == claim.role
        and other.column not in {*used, claim.column}
        and other.fit.tier == claim.fit.tier
        and claim.confidence - other.confidence <= _SAME
    ]
    if not rivals:
        return []
    words = ROLES[claim.role].words
    others_zh = "、".join(f"“{name}”" for name in rivals)
    others_en = ", ".join(map(repr, rivals))
    return [
        Text(
            zh=f"“{words.zh}”取自“{claim.column}”，但 {others_zh} 也可能是；用 {OPTION} {claim.role}=列名 指定",
            en=f"{words.en} is read from {claim.column!r}, but {others_en} could be meant as well; "
            f"name it with {OPTION} {claim.role}=COLUMN",
        )
    ]


def _lonely_time(looks: Mapping[str, Look], matches: dict[str, Match]) -> list[Text]:
    """Take the only column of times for the time of report where no header says it."""
    used = {match.column for match in matches.values()}
    role = ROLES["reported_at"]
    found = [
        name
        for name, values in looks.items()
        if values.shares.get("time", 0.0) >= 0.95 and values.n >= 0.5 * values.n_rows
    ]
    if len(found) != 1 or found[0] in used or is_ruled_out(found[0], role):
        return []
    name = found[0]
    why = Text(zh="唯一一列时间", en="the only column of times")
    matches["reported_at"] = Match(name, 0.5, why)
    return [
        Text(
            zh=f"唯一的时间列“{name}”被当作上报时间；如不对，用 {OPTION} reported_at=列名 指定",
            en=f"{name!r}, the only column of times, is taken for the time of report; "
            f"name another with {OPTION} reported_at=COLUMN",
        )
    ]
