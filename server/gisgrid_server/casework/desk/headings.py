"""The headings of a file of cases, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gisgrid.schema import Text

HEADINGS: Final[Mapping[str, Text]] = {
    "case_id": Text(zh="案件编号", en="Case"),
    "state": Text(zh="状态代码", en="State code"),
    "category_code": Text(zh="类别代码", en="Class code"),
    "category": Text(zh="归类", en="Category"),
    "unit_code": Text(zh="单元网格", en="Unit"),
    "community_code": Text(zh="社区代码", en="Community"),
    "subdistrict_code": Text(zh="街道代码", en="Sub-district"),
    "owner": Text(zh="责任单位代码", en="Owner code"),
    "source": Text(zh="来源", en="Source"),
    "level_found": Text(zh="发现层级", en="Level that found it"),
    "urgency": Text(zh="紧急程度", en="Urgency"),
    "reported_at": Text(zh="发现时间", en="Seen"),
    "uploaded_at": Text(zh="上报时间", en="Uploaded"),
    "filed_at": Text(zh="立案时间", en="Filed"),
    "dispatched_at": Text(zh="派遣时间", en="Dispatched"),
    "handled_at": Text(zh="处置时间", en="Handled"),
    "due_at": Text(zh="截止时间", en="Due"),
    "closed_at": Text(zh="结案时间", en="Closed"),
    "n_returns": Text(zh="回退次数", en="Times sent back"),
    "n_reworks": Text(zh="返工次数", en="Times done again"),
    "n_hand_overs": Text(zh="移交次数", en="Times handed over"),
    "n_reopenings": Text(zh="重开次数", en="Times opened anew"),
    "duplicate_of": Text(zh="重复于", en="Repeats"),
    "lon": Text(zh="经度（WGS84）", en="Longitude (WGS84)"),
    "lat": Text(zh="纬度（WGS84）", en="Latitude (WGS84)"),
    "state_title": Text(zh="状态", en="State"),
    "class_title": Text(zh="类别", en="Class"),
    "owner_title": Text(zh="责任单位", en="Owner"),
    "description": Text(zh="描述", en="Description"),
    "contact_name": Text(zh="联系人", en="Contact"),
    "contact_phone": Text(zh="联系电话", en="Phone"),
    "contact_email": Text(zh="电子邮件", en="E-mail"),
}
"""Of every column, in no order."""
