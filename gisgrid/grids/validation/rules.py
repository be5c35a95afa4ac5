"""What can be wrong with a city's units: every rule, its weight and its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from gisgrid.schema import Text

Severity = Literal["error", "warning", "note"]
Subject = Literal["shape", "coverage", "nesting", "code", "order"]

SEVERITIES: Final[Mapping[Severity, Text]] = MappingProxyType(
    {
        "error": Text(zh="错误", en="error"),
        "warning": Text(zh="警告", en="warning"),
        "note": Text(zh="提示", en="note"),
    }
)
"""An error makes counts wrong; a warning may be meant; a note is only said."""

SUBJECTS: Final[Mapping[Subject, Text]] = MappingProxyType(
    {
        "shape": Text(zh="单元图形", en="Shapes of units"),
        "coverage": Text(zh="无缝无叠", en="No gaps, no overlaps"),
        "nesting": Text(zh="上下级关系", en="Levels inside levels"),
        "code": Text(zh="编码", en="Codes"),
        "order": Text(zh="编号与相邻", en="Numbering and adjacency"),
    }
)


@dataclass(frozen=True)
class Rule:
    """One rule that a grid keeps or breaks.

    Attributes
    ----------
    id
        The word that stands in the table of faults.
    subject
        What it is about.
    severity
        How grave a breach is, where the breach itself does not say otherwise.
    title
        The name of the fault.
    meaning
        What counts as this fault.
    """

    id: str
    subject: Subject
    severity: Severity
    title: Text
    meaning: Text


def _rule(
    name: str,
    subject: Subject,
    severity: Severity,
    titles: tuple[str, str],
    meanings: tuple[str, str],
) -> Rule:
    zh, en = titles
    meaning = Text(zh=meanings[0], en=meanings[1])
    return Rule(name, subject, severity, Text(zh=zh, en=en), meaning)


# fmt: off
_ALL: Final = (
    _rule("missing_geometry", "shape", "error", ("无图形", "No shape"),
          ("单元没有图形，或图形为空。", "The unit has no geometry, or an empty one.")),
    _rule("wrong_kind", "shape", "error", ("不是面", "Not an area"),
          ("单元的图形是点、线或混合集合。", "The unit is a point, a line or a mixed collection.")),
    _rule("not_finite", "shape", "error", ("坐标不是数", "Coordinates are no numbers"),
          ("坐标为 NaN 或无穷大。", "A coordinate is NaN or infinite.")),
    _rule("unclosed_ring", "shape", "error", ("环未闭合", "Unclosed ring"),
          ("边界环的末点不等于首点（按文件原始坐标）。", "A ring's last vertex is not its first, in the file's own bytes.")),
    _rule("self_crossing", "shape", "error", ("自相交", "Self-crossing"),
          ("边界与自身相交。", "A boundary crosses itself.")),
    _rule("invalid_shape", "shape", "error", ("图形无效", "Invalid shape"),
          ("边界不自交但图形仍无效：孔在外环之外、孔相互重叠、内部不连通等。",
           "No boundary crosses itself, but the shape is invalid all the same: a hole outside, nested holes, a split inside.")),
    _rule("multipart", "shape", "warning", ("多部分", "Several parts"),
          ("一个单元由不相连的几部分组成。", "One unit is made of parts that do not touch along a border.")),
    _rule("hole", "shape", "note", ("有孔", "Hole"),
          ("单元中有孔。若孔内无其他单元，另报空隙。", "The unit has a hole; where no other unit fills it, a gap is listed too.")),
    _rule("z_values", "shape", "warning", ("含高程", "Heights"),
          ("坐标带 Z 值，面积和拓扑只看平面。", "Coordinates have a Z; areas and topology are those of the plane.")),
    _rule("area_outlier", "shape", "warning", ("面积异常", "Unusual area"),
          ("面积远离同级单元：超出四分位数之外 k 个四分位距（按面积对数）。",
           "Far from its level: more than k interquartile ranges beyond the quartiles of the logarithm of area.")),
    _rule("thin_unit", "shape", "warning", ("狭长单元", "Sliver unit"),
          ("单元处处窄于碎条宽度。", "The unit is nowhere wider than a sliver.")),
    _rule("gap", "coverage", "error", ("空隙", "Gap"),
          ("同级单元围住一块不属于任何单元的地面。", "Units of a level enclose ground that belongs to none of them.")),
    _rule("overlap", "coverage", "error", ("重叠", "Overlap"),
          ("同一地面属于同级的两个单元。", "Ground belongs to two units of a level.")),
    _rule("sliver", "coverage", "error", ("碎条", "Sliver"),
          ("处处窄于碎条宽度的空隙或重叠。", "A gap or an overlap that is nowhere wider than a sliver.")),
    _rule("unmatched_edges", "coverage", "note", ("边线不一致", "Edges that do not match"),
          ("相邻单元的边线顶点不同，但差异小于容差。", "Neighbours' edges have other vertices, though nothing wider than the tolerance lies between.")),
    _rule("orphan", "nesting", "error", ("无上级", "Orphan"),
          ("单元所写的上级不存在，或没有写上级，或不在任何上级之内。",
           "The parent that a unit names is not there, or it names none, or it lies in none.")),
    _rule("wrong_parent", "nesting", "error", ("上级不符", "Wrong parent"),
          ("单元大半位于另一个上级之内。", "Most of the unit lies in another parent than the one it names.")),
    _rule("two_parents", "nesting", "error", ("两个上级", "Two parents"),
          ("同一编码写了两个上级，或编码与上级栏不一致。", "One code names two parents, or the code says one and the column another.")),
    _rule("outside_parent", "nesting", "error", ("超出上级", "Outside its parent"),
          ("单元有一部分不在任何上级之内。", "Part of the unit lies in no parent at all.")),
    _rule("crosses_parent", "nesting", "error", ("跨越上级边界", "Crosses a border"),
          ("单元跨入另一个上级（如单元网格跨社区）。", "The unit reaches into another parent, as a unit grid into another community.")),
    _rule("parent_not_filled", "nesting", "error", ("上级未铺满", "Parent not filled"),
          ("上级的一块地面没有下级单元。", "Ground of a parent has no unit of the level below.")),
    _rule("childless", "nesting", "warning", ("无下级", "No children"),
          ("上级没有任何下级单元。", "No unit of the level below belongs to this one.")),
    _rule("missing_code", "code", "error", ("缺编码", "No code"),
          ("单元没有编码。", "The unit has no code.")),
    _rule("duplicate_code", "code", "error", ("编码重复", "Repeated code"),
          ("同级两个单元编码相同。", "Two units of a level have one code.")),
    _rule("ill_formed_code", "code", "error", ("编码不合规", "Ill-formed code"),
          ("编码不符合声明的编码方案；未声明时，与同级其他编码的位数或字符类别不同。",
           "The code breaks its scheme; where none is stated, it is built unlike nearly all codes of its level.")),
    _rule("numbering_order", "order", "warning", ("编号顺序", "Numbering out of order"),
          ("社区内编号不是自西向东、由北向南。", "Inside a parent, numbers do not run west to east, then north to south.")),
    _rule("not_adjacent", "order", "error", ("不相邻", "Not adjacent"),
          ("同属一个管理网格（或上级）的单元不连成一片。", "The units of one management grid (or parent) are not one connected set.")),
)
# fmt: on

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.id: rule for rule in _ALL})
"""Every rule by its id, in the order in which a report lists them."""


@dataclass(frozen=True)
class Limits:
    """How far from perfect a grid may be before it is a fault.

    Attributes
    ----------
    tolerance_m
        Gaps and overlaps that are nowhere wider are rounding. The width of a place is the diameter of the largest circle
        that fits in.
    sliver_m
        Gaps and overlaps, and units, that are nowhere wider are slivers.
    nesting_m
        What reaches out of a parent and is nowhere wider is no fault of nesting.
    share_inside
        A unit of which at least this share lies in its parent is listed as a warning, otherwise as an error.
    outlier_spread
        How many interquartile ranges of log area beyond the quartiles a unit's area may lie. The range counts as
        log 1.5 at least, so that a level of equal cells has no outliers by rounding.
    pattern_share
        Where no scheme is stated: codes must be built like the others if at least this share of them is built alike.
    """

    tolerance_m: float = 0.01
    sliver_m: float = 1.0
    nesting_m: float = 0.5
    share_inside: float = 0.95
    outlier_spread: float = 4.0
    pattern_share: float = 0.95
