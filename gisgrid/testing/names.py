"""What are places called? Made-up names in Chinese and pinyin, each once within its level.

Two syllables are combined from two tables; combinations that name a real city, county or district are left out.
"""

from __future__ import annotations

import numpy as np

Name = tuple[str, str]
"""The Chinese name and the English one."""

_FIRST = (
    "云Yun 槐Huai 枫Feng 桐Tong 竹Zhu 荷He 麦Mai 稻Dao 棠Tang 杏Xing 梨Li 鹭Lu 雁Yan 霞Xia 晴Qing 晨Chen 朗Lang 润Run "
    "澄Cheng 碧Bi 翠Cui 锦Jin 绣Xiu 瑞Rui 祥Xiang 福Fu 康Kang 宁Ning 睦Mu 嘉Jia 裕Yu 盛Sheng 恒Heng 永Yong 德De 仁Ren "
    "义Yi 信Xin 文Wen 书Shu 画Hua 琴Qin 棋Qi 松Song 柏Bai 兰Lan 菊Ju 梅Mei 桃Tao 柳Liu 茶Cha 苇Wei 榕Rong 杉Shan"
)
_SECOND = (
    "溪xi 泉quan 塘tang 坡po 冈gang 台tai 屯tun 桥qiao 渡du 湾wan 堤di 埂geng 圩wei 垄long 坪ping 丘qiu 岩yan 石shi 林lin "
    "园yuan 庭ting 阁ge 楼lou 轩xuan 坊fang 井jing 门men 里li 集ji 营ying 寨zhai 堡bao 铺pu 店dian 庄zhuang 窑yao 山shan "
    "岭ling 谷gu 川chuan 渠qu 沟gou 潭tan 池chi 洲zhou 和he 兴xing 华hua 光guang 昌chang 顺shun"
)
_REAL = (
    "兰溪 松溪 竹溪 云溪 竹山 文山 松山 雁山 兰山 霞山 桃山 福山 恒山 福泉 永川 永兴 永和 云和 仁和 德兴 嘉兴 永顺 德昌 文昌 "
    "瑞昌 柳林 云林 杏林 柏林 云岩 荷塘 裕华 茶陵 梅山 永泉 福州 锦州 柳州 永州 德州 兰州 桐庐 梅州 康店 翠屏 锦屏 义马"
)
_DIGITS = "零一二三四五六七八九"


def _syllables(table: str) -> list[Name]:
    return [(entry[0], entry[1:]) for entry in table.split()]


_PAIRS: tuple[Name, ...] = tuple(
    (first + second, upper + lower)
    for first, upper in _syllables(_FIRST)
    for second, lower in _syllables(_SECOND)
    if first + second not in _REAL and first != second
)


def place_names(n: int, rng: np.random.Generator) -> list[Name]:
    """Draw made-up names.

    Parameters
    ----------
    n
        How many; there are some 2 700.
    rng
        The source of chance.

    Returns
    -------
    list of Name
        Each once, in Chinese and in pinyin.

    Examples
    --------
    >>> names = place_names(500, np.random.default_rng(1))
    >>> len(set(zh for zh, _ in names)), len(set(en for _, en in names))
    (500, 500)
    """
    order = rng.permutation(len(_PAIRS))[:n]
    return [_PAIRS[i] for i in order]


def ordinal_zh(number: int) -> str:
    """Write a number from 1 to 99 in Chinese.

    Parameters
    ----------
    number
        1 to 99.

    Returns
    -------
    str
        As it is spoken.

    Examples
    --------
    >>> ordinal_zh(3), ordinal_zh(10), ordinal_zh(12), ordinal_zh(40), ordinal_zh(57)
    ('三', '十', '十二', '四十', '五十七')
    """
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else _DIGITS[tens] + "十")
    return head + (_DIGITS[ones] if ones else "")
