"""Is this the same place under two names: 太阳宫镇 and 太阳宫地区?"""

from __future__ import annotations

from typing import Final

import pandas as pd

from gisgrid.errors import IndexMismatchError

KINDS: Final = (
    "地区办事处", "街道办事处", "办事处", "社区居民委员会", "社区居委会", "居民委员会", "居委会", "村民委员会",
    "村委会", "民族镇", "民族乡", "地区", "街道", "社区", "镇", "乡", "村", "里",
)  # fmt: skip
"""What a name ends in that says the kind of a unit and not which one."""

# The peoples whose names stand before 乡 and 镇 in the north; a city adds its own by another word for the kind.
_PEOPLES: Final = "(?:满|回|蒙古|朝鲜|土家|苗|壮|侗|瑶|彝|白|藏|维吾尔|哈萨克|锡伯|达斡尔|鄂温克|鄂伦春|畲|布依|土|羌)族"


def bare_names(names: pd.Series) -> pd.Series:
    """Take from each name the word that says its kind.

    Parameters
    ----------
    names
        Shape (n,), text.

    Returns
    -------
    Series
        Indexed like `names`; a name that is nothing but a kind stays.

    Examples
    --------
    >>> bare_names(pd.Series(["太阳宫镇", "太阳宫地区", "檀营满族蒙古族乡", "杨镇镇"])).to_list()
    ['太阳宫', '太阳宫', '檀营', '杨镇']
    """
    text = names.astype("str").str.strip()
    kinds = "|".join(sorted(KINDS, key=len, reverse=True))
    return text.str.replace(f"^(.+?)(?:(?:{_PEOPLES})*(?:{kinds}))$", r"\1", regex=True)


def match_names(
    names: pd.Series,
    known: pd.Series,
    *,
    within: pd.Series | None = None,
    known_within: pd.Series | None = None,
) -> pd.DataFrame:
    """Find the unit of each name among known ones: by the name as it stands, then without the word for its kind.

    Parameters
    ----------
    names
        Shape (n,), the names to find.
    known
        Shape (m,), the names there are, indexed by what identifies them (their codes).
    within, known_within
        The names of the larger units in which each lies, indexed like `names` and `known`; then only names of one
        larger unit are compared.

    Returns
    -------
    DataFrame
        Indexed like `names`: `match`, the index of the known one, null where there is none or more than one; `how`,
        ``exact``, ``bare``, ``ambiguous`` or ``none``.

    Raises
    ------
    IndexMismatchError
        Larger units are given for one side only, or not indexed alike.

    Examples
    --------
    >>> known = pd.Series({"110105401": "太阳宫地区", "110101001": "东华门街道"})
    >>> match_names(pd.Series(["太阳宫镇", "东华门街道", "新区"]), known)
           match    how
    0  110105401   bare
    1  110101001  exact
    2        NaN   none
    """
    frames = []
    for text, larger in ((names, within), (known, known_within)):
        if (within is None) != (known_within is None) or (
            larger is not None and not larger.index.equals(text.index)
        ):
            raise IndexMismatchError(
                f"'within' and 'known_within' belong to 'names' ({len(names)} rows) and 'known' ({len(known)} rows); "
                "give both, indexed alike, or none"
            )
        place = pd.Series("", index=text.index) if larger is None else larger
        frames.append(
            pd.DataFrame(
                {"exact": text.astype("str").str.strip(), "bare": bare_names(text), "in": place}
            )
        )
    mine, theirs = frames
    found = pd.DataFrame({"match": None, "how": "none"}, index=names.index, dtype="str")
    for how in ("exact", "bare"):
        keys = theirs[["in", how]].dropna()
        once = keys[~keys.duplicated(keep=False)]
        table = pd.Series(once.index, index=pd.MultiIndex.from_frame(once))
        several = pd.MultiIndex.from_frame(keys[keys.duplicated()])
        asked = pd.MultiIndex.from_frame(mine[["in", how]])
        open_ = (found["how"] == "none").to_numpy() & mine[how].notna().to_numpy()
        at = table.index.get_indexer(asked)
        hit = open_ & (at >= 0)
        found.loc[hit, "match"] = table.to_numpy(dtype=object)[at[hit]]
        found.loc[hit, "how"] = how
        found.loc[open_ & asked.isin(several), "how"] = "ambiguous"
    return found
