"""What can a column be, and by which headers is it known, in Chinese and English?

The words are data: to teach a new header, add it to its role. A word stands here as `plain` leaves it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from gisgrid.schema import Text

Look = Literal["lon", "lat", "metres", "pair", "shape", "time", "id", "code", "class", "name", "text", "any"]  # fmt: skip
"""What the values of a column must look like to be taken for a role; `gisgrid.intake.columns.values` measures it."""


@dataclass(frozen=True)
class Role:
    """What a column can be.

    Attributes
    ----------
    id
        The role's name in a mapping file.
    words
        What it is called.
    look
        What its values look like.
    tiers
        Headers that name it, the surest first; words of one tier mean the same, an earlier tier is preferred.
    never
        What rules the role out where it stands before the word (处置结果描述 is no 问题描述).
    """

    id: str
    words: Text
    look: Look
    tiers: tuple[tuple[str, ...], ...]
    never: tuple[str, ...] = ()


@dataclass(frozen=True)
class HeaderFit:
    """How a header names a role.

    Attributes
    ----------
    strength
        0 to 1.
    tier
        Which tier of the role's words it is.
    word
        The word found.
    rest
        What stands before the word (``start`` in ``start_lng``): columns of a pair have the same.
    """

    strength: float
    tier: int
    word: str
    rest: str


TIER_STRENGTH: Final = (1.0, 0.95, 0.8, 0.65)
"""How sure a header of each tier is."""

_WITHIN = 0.92  # a word at the end of a longer header
_SHIFTED_STRENGTH = 0.9  # of two pairs, the one that is not called shifted is preferred

SHIFTED: Final = re.compile(
    r"gcj[\s_\-]?(?:0?2)?|bd[\s_\-]?0?9(?:ll|mc)?|火星|百度|高德|腾讯|国测局|baidu|amap|gaode|tencent"
)
"""Marks of a shifted datum in a header."""
_MARKS: Final = re.compile(
    SHIFTED.pattern + r"|wgs[\s_\-]?(?:19)?84|cgcs[\s_\-]?2000|天地图|国家2000|大地2000"
)
_BRACKETS: Final = re.compile(r"\(.*?\)|\[.*?\]|【.*?】|\{.*?\}")
_BETWEEN: Final = re.compile(r"[\s_\-.:/\\·*#?]+")
_TOKEN: Final = re.compile(r"[a-z]+|\d+|[^\W\d_a-z]+")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")

_PLACE_TEXT: Final = """
    坐标 经纬度 经纬度坐标 地理坐标 位置坐标 坐标位置 案件坐标 位置 定位 点位 lonlat lnglat latlng latlon latlong coordinates coordinate coord coords
    location location1 point gps geolocation geopoint position xy
"""


def _role(  # noqa: PLR0917 - a table's columns
    role_id: str, zh: str, en: str, look: Look, tiers: str, never: str = ""
) -> Role:
    """Make a role of a line of the table; `tiers` are parted by bars."""
    words = tuple(tuple(tier.split()) for tier in tiers.split("|"))
    return Role(role_id, Text(zh=zh, en=en), look, words, tuple(never.split()))


_TABLE: Final = (
    _role("issue_id", "案件编号", "issue id", "id", """
        案件编号 案件号 案卷编号 案卷号 任务号 任务编号 工单号 工单编号 受理编号 受理号 问题编号 事件编号 案件id 任务id 工单id issueid servicerequestid
        servicerequestnumber servicerequestno requestnumber requestid srnumber caseid casenumber caseno ticketid
        ticketnumber caseenquiryid uniquekey incidentid incidentnumber complaintid complaintnumber
      | 流水号 登记编号 唯一标识 uniqueid referencenumber reportid
      | 编号 id uid uuid 序列号
      | 序号 key no objectid fid
    """, "网格 社区 街道 部门 单位 人员 用户 采集员 类别 大类 小类 关联 父 parent user agency device account"),
    _role("lon", "经度", "longitude", "lon", """
        经度 经度坐标 lng lon long longitude
    """),
    _role("lat", "纬度", "latitude", "lat", """
        纬度 纬度坐标 lat latitude
    """),
    _role("x", "东坐标", "easting", "metres", """
        xcoordinate xcoord coordx pointx easting 东坐标 横坐标 东向坐标 x坐标 坐标x
      | x x轴 utmx utme
    """),
    _role("y", "北坐标", "northing", "metres", """
        ycoordinate ycoord coordy pointy northing 北坐标 纵坐标 北向坐标 y坐标 坐标y
      | y y轴 utmy utmn
    """),
    _role("lonlat", "坐标文本", "coordinates as text", "pair", _PLACE_TEXT),
    _role("geometry", "几何", "geometry", "shape", """
        geometry geom wkt wkb thegeom wkbgeometry wktgeometry shape geojson 几何 图形 空间数据 空间字段
    """ + "|" + _PLACE_TEXT),
    _role("address", "地址", "address", "text", """
        发生地址 案发地址 事发地址 问题地址 详细地址 发生地点 案发地点 事发地点 问题地点 地址描述 位置描述 地点描述 incidentaddress streetaddress addressstring
        fulladdress
      | 地址 地点 address
      | 位置 location block street streetname 道路 路名
    """, "邮箱 ip mac email 联系 反映人 投诉人 举报人 家庭 户籍 网址 type id"),
    _role("reported_at", "上报时间", "time of report", "time", """
        发现时间 采集时间 案发时间 事发时间 发生时间 发生日期 incidentdate incidentdatetime incidenttime occurredat occurreddate datesingle
        offensedate
      | 上报时间 上报日期 举报时间 投诉时间 反映时间 来电时间 诉求时间 报案时间 提交时间 reportedat reporteddate reportedtime reporteddatetime reportdate
        reporttime datereported requesteddatetime requestedat requestdate requestdatetime daterequested createddate
        createdat createdtime createddatetime creationdate datecreated srcreatedate opendt opendate openeddate
        dateopened submittedat submitteddate submissiondate receiveddate datereceived
      | 受理时间 受理日期 登记时间 登记日期 创建时间 创建日期 录入时间 立案时间 立案日期
      | 时间 日期 date time datetime timestamp opened created reported
    """, "核查 核实 处置 处理 结案 办结 反馈 预计 截止 派遣 更新 修改 due expected updated update modified"),
    _role("uploaded_at", "上传时间", "time of upload", "time", """
        上传时间 上传日期 入库时间 uploadedat uploadtime uploaddate receivedat
      | 上报时间 上报日期 提交时间
    """, "核查 核实 处置 处理 结案"),
    _role("closed_at", "结案时间", "time of closing", "time", """
        结案时间 结案日期 办结时间 办结日期 关闭时间 关闭日期 closedat closeddate closedtime closeddatetime closeddt dateclosed completiondate
        completeddate completedat datecompleted
      | 完成时间 完成日期 处置完成时间 处理完成时间 resolvedat resolveddate dateresolved
      | closed 处置时间 处理时间 resolutiondate
    """, "预计 应结案 应办结 截止 时限 要求 计划 due expected target updated"),
    _role("major_code", "大类代码", "code of the major class", "code", """
        大类代码 大类编码 大类编号 问题大类代码 问题大类编码 majorcode
      | 大类 问题大类 案件大类 事件大类
    """),
    _role("category_code", "类别代码", "class code", "code", """
        小类代码 小类编码 小类编号 问题小类代码 问题小类编码 类别代码 类别编码 类别编号 问题类别代码 问题类别编码 案件类别代码 分类代码 分类编码 问题编码 国标代码 servicecode categorycode
        typecode srshortcode iucr issuecode classcode
      | fbicode offensecode
      | 小类 问题小类 案件小类 事件小类 问题类别 案件类别 类别 category type
    """, "地址 vehicle"),
    _role("major", "大类", "major class", "class", """
        大类名称 大类 问题大类 案件大类 事件大类 一级类别 一级分类 majorclass categorygroup servicegroup
      | typeofservicerequest
    """),
    _role("category", "问题类别", "class", "class", """
        小类名称 小类 问题小类 案件小类 事件小类 三级类别 三级分类 whatisthenatureofthiscodeviolation natureofcodeviolation
      | 问题类别 问题类别名称 案件类别 事件类别 投诉类别 诉求类别 类别名称 类别 分类 分类名称 complainttype servicename category issuecategory problemtype
        requesttype requestcategory srtype issuetype incidenttype primarytype offensetype
      | 问题类型 案件类型 事件类型 诉求类型 投诉类型 事项类型 typeofservicerequest casetitle servicesubtype kind
      | 类型 type reason subject 二级类别 二级分类
    """, "地址 address location channel facility vehicle"),
    _role("description", "问题描述", "description", "text", """
        问题描述 案件描述 事件描述 情况描述 问题内容 诉求内容 投诉内容 反映内容 举报内容 工单内容 案件内容 详细描述 complaintdescription problemdescription
        issuedescription requestdescription
      | 描述 description
      | descriptor details detail summary 内容 问题详情 comments
    """, "resolution location status 处置 处理 结案 办结 回复 核查 核实 位置 地址 地点"),
    _role("source", "问题来源", "source", "class", """
        问题来源 案件来源 信息来源 诉求来源 工单来源 来源渠道 上报渠道 受理渠道 上报来源 上报方式 opendatachanneltype methodreceived requestsource
        intakemethod
      | 来源 渠道 source channel origin
    """, "file 文件 data"),
    _role("status", "状态", "status", "class", """
        案件状态 问题状态 处理状态 办理状态 处置状态 工单状态 当前状态 案卷状态 casestatus requeststatus currentstatus
      | 状态 status
      | 案件阶段 当前阶段 办理阶段
    """, "notes description marital 网络 同步"),
    _role("district", "区县", "district", "name", """
        所属区 所属区县 所属城区 所在区 所在区县 行政区 行政区划 区县名称 区县 区名 adname borough districtname
      | 区 城区 辖区 district county
    """, "park taxi police council school code 代码 编码"),
    _role("subdistrict", "街道", "sub-district", "any", """
        所属街道 所属乡镇 所属街镇 所属镇街 所属街道办 所在街道 所在乡镇 街道名称 街道办 街道办事处 街道乡镇 乡镇街道 街镇 镇街 subdistrict subdistrictname township
        communityboard
      | 街道 乡镇 办事处 town
    """, "code 代码 编码"),
    _role("community", "社区", "community", "any", """
        所属社区 所属社区村 所属村居 所在社区 社区名称 社区村 社区居委会 村居 村社区 居委会 communityname communityarea
      | 社区 村 community neighborhood neighbourhood neighborhoodname ntaname village
    """, "code 代码 编码"),
    _role("grid_code", "网格编码", "grid code", "any", """
        网格编码 网格编号 网格代码 单元网格编码 单元网格编号 单元网格代码 责任网格编码 管理网格编码 gridcode gridid unitgridcode
      | 单元网格 所属网格 所属单元网格 所在网格 责任网格 管理网格 万米网格 网格号 网格 cellcode grid
    """, "员 名称 name"),
)  # fmt: skip

ROLES: Final[Mapping[str, Role]] = MappingProxyType({role.id: role for role in _TABLE})
"""Every role by its id, in the order in which equals are settled."""

PLACE_ROLES: Final = ("lon", "lat", "lonlat", "geometry", "x", "y")
"""Roles that say where a report is."""


def plain(header: str) -> str:
    """Reduce a header to what tells it apart: no case, spaces, underscores or bracketed remarks.

    Parameters
    ----------
    header
        A column's name as it stands in the file.

    Returns
    -------
    str
        The name to compare by; full-width letters are read as the ordinary ones.

    Examples
    --------
    >>> plain("X Coordinate (State Plane)"), plain(" 经度（°）"), plain("Lat_itude"), plain("ＬＮＧ")
    ('xcoordinate', '经度', 'latitude', 'lng')
    """
    return _BETWEEN.sub("", _BRACKETS.sub("", unicodedata.normalize("NFKC", header))).casefold()


def header_fit(header: str, role: Role) -> HeaderFit | None:
    """Tell how a header names a role.

    Parameters
    ----------
    header
        A column's name as it stands in the file.
    role
        One of `ROLES`.

    Returns
    -------
    HeaderFit or None
        None where it does not.

    Examples
    --------
    >>> header_fit("Incident Latitude", ROLES["lat"]).rest
    'incident'
    >>> header_fit("Due Date", ROLES["reported_at"]) is None
    True
    """
    name = unicodedata.normalize("NFKC", header)
    bare = _BETWEEN.sub("", _BRACKETS.sub("", name)).casefold()
    shifted = SHIFTED.search(name.casefold()) is not None
    unmarked = _MARKS.sub(" ", _CAMEL.sub(" ", _BRACKETS.sub(" ", name)).casefold())
    tokens = _TOKEN.findall(unmarked)
    for tier, words in enumerate(role.tiers):
        for word in words:
            rest = _rest(bare, tokens, word, whole=tier > 1)
            if rest is not None and not (rest and is_ruled_out(header, role)):
                strength = TIER_STRENGTH[tier] * (_WITHIN if rest else 1.0)
                return HeaderFit(
                    strength * (_SHIFTED_STRENGTH if shifted else 1.0), tier, word, rest
                )
    return None


def is_ruled_out(header: str, role: Role) -> bool:
    """Tell whether a part of a header rules a role out.

    Parameters
    ----------
    header
        A column's name as it stands in the file.
    role
        One of `ROLES`.

    Returns
    -------
    bool
        True where one of the role's `never` stands in it; English ones as whole words.

    Examples
    --------
    >>> is_ruled_out("updatedAt", ROLES["reported_at"]), is_ruled_out("应结案时间", ROLES["closed_at"])
    (True, True)
    """
    name = _CAMEL.sub(" ", unicodedata.normalize("NFKC", header)).casefold()
    tokens = _TOKEN.findall(name)
    return any(word in tokens if word.isascii() else word in name for word in role.never)


def _rest(bare: str, tokens: list[str], word: str, *, whole: bool) -> str | None:
    """Give what stands before a word that ends the header; None where it does not end it."""
    joined = "".join(tokens)
    if word in (bare, joined):
        return ""
    if whole or not joined.endswith(word):
        return None
    if word.isascii():
        if len(word) < 3 or not any("".join(tokens[at:]) == word for at in range(1, len(tokens))):
            return None
    elif len(word) < 2:
        return None
    return joined.removesuffix(word)
