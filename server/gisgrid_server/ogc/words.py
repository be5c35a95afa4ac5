"""The words of the pages, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gisgrid.schema import Text

WORDS: Final[Mapping[str, Text]] = {
    name: Text(zh=zh, en=en)
    for name, zh, en in (
        ("skip", "跳到正文", "Skip to the content"),
        ("site", "本站", "This site"),
        ("map", "地图", "Map"),
        ("collections", "数据", "Data"),
        ("inspect", "瓦片检查", "Tile inspector"),
        ("docs", "接口说明", "API reference"),
        ("landing", "按网格管理的城市的图层：可以在地图上看，按条件取出，或作为瓦片接入别的程序。",
         "Layers of a city that is managed by grid: to look at on a map, to ask for, to take into other programs."),
        ("same", "同样内容的机器可读格式：", "The same for programs:"),
        ("conformance", "遵循的标准", "Standards it keeps"),
        ("schemes", "瓦片方案", "Tiling schemes"),
        ("styles", "样式", "Styles"),
        ("tiles", "瓦片", "Tiles"),
        ("items", "要素", "Features"),
        ("queryables", "可查询的属性", "Queryables"),
        ("schema", "属性定义", "Schema"),
        ("landing_title", "开放接口", "Open interfaces"),
        ("landing_collections", "每个图层的说明、要素和瓦片。", "Every layer: what it is, its features, its tiles."),
        ("landing_map", "热点与图层的地图。", "The map of hotspots and layers."),
        ("landing_inspect", "看瓦片的边界、大小和其中的要素。", "See the outlines of tiles, their size and what is in them."),
        ("landing_docs", "每个地址、参数和回答，可以直接试用。", "Every address, parameter and answer, to be tried out."),
        ("landing_schemes", "瓦片如何划分世界。", "How tiles cut up the world."),
        ("landing_styles", "给 MapLibre 和 QGIS 的样式。", "Styles for MapLibre and QGIS."),
        ("landing_conformance", "OGC API 的一致性类。", "Conformance classes of the OGC APIs."),
        ("landing_wmts", "给 QGIS 等桌面软件的图片瓦片。", "Picture tiles for QGIS and other desktop programs."),
        ("vector", "要素", "features"),
        ("raster", "图片", "pictures"),
        ("table", "表", "table"),
        ("rows", "行", "rows"),
        ("id", "标识", "Id"),
        ("count", "行数", "Rows"),
        ("where", "范围", "Extent"),
        ("when", "时间", "Time"),
        ("crs", "坐标参照系", "CRS"),
        ("attribution", "来源", "Attribution"),
        ("licence", "许可", "Licence"),
        ("properties", "属性", "Properties"),
        ("name", "名称", "Name"),
        ("type", "类型", "Type"),
        ("meaning", "含义", "Meaning"),
        ("values", "取值", "Values"),
        ("ask", "查询", "Ask"),
        ("matched", "条符合", "match"),
        ("here", "，本页", ", on this page:"),
        ("pages", "翻页", "Pages"),
        ("prev", "上一页", "Previous page"),
        ("next", "下一页", "Next page"),
        ("place", "位置", "Place"),
        ("docs_lead", "每个地址、参数和回答。机器可读的说明：", "Every address, parameter and answer. For programs:"),
        ("parameter", "参数", "Parameter"),
        ("place_of", "位置", "In"),
        ("try_value", "试用", "Try"),
        ("try", "发送请求", "Send"),
        ("status", "状态", "Status"),
        ("form", "格式", "Form"),
        ("schemas", "数据结构", "Schemas"),
    )
}  # fmt: skip
