"""Which characters do these bytes mean: UTF-8, GB 18030 or UTF-16, tried in a strict order over the whole text.

Never by likelihood: what a statistical detector says of a short GBK file is often wrong. UTF-8 text of Chinese decodes as
GB 18030 without an error in half of all short strings, the reverse almost never; so UTF-8 comes first.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from gisgrid.errors import InputError
from gisgrid.intake.readers.packed import Content
from gisgrid.schema import Text

BLOCK: Final = 8 << 20
"""How many bytes are read at a time."""

_UTF_8_MARK: Final = codecs.BOM_UTF8
_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CHINESE: Final = re.compile("[\u2e80-\U0003ffff]")
_REPLACED: Final = "\ufffd"
_MOST_DAMAGED: Final = 0.01
"""Which share of the characters beyond ASCII may be damaged before a text is no text."""


@dataclass(frozen=True)
class Encoding:
    """How bytes become characters.

    Attributes
    ----------
    codec
        Python's name for it: ``utf-8-sig``, ``gb18030``, ``utf-16``, or what the user states.
    n_damaged
        How many characters cannot be read; each becomes U+FFFD and its record is refused.
    """

    codec: str
    n_damaged: int = 0

    @property
    def errors(self) -> str:
        """What the decoder does with a character that cannot be read."""
        return "replace" if self.n_damaged else "strict"

    @property
    def notes(self) -> tuple[Text, ...]:
        """What to say of it."""
        word = {"utf-8-sig": "UTF-8", "gb18030": "GB 18030 (GBK)"}.get(
            self.codec, self.codec.upper()
        )
        notes = [Text(zh=f"文字编码为 {word}", en=f"text is {word}")]
        if self.n_damaged:
            notes.append(
                Text(
                    zh=f"{self.n_damaged} 个字符损坏，所在的记录不收",
                    en=f"{self.n_damaged} characters are damaged, and their records refused",
                )
            )
        return tuple(notes)


def stated_encoding(name: str) -> Encoding:
    """Give the encoding that a user states.

    Parameters
    ----------
    name
        As Python knows it: ``gbk``, ``utf-8``, ``big5``, ``cp1252``.

    Returns
    -------
    Encoding
        GBK and GB 2312 are read as GB 18030, which contains them.

    Raises
    ------
    InputError
        Python does not know it, or it is no encoding of text.

    Examples
    --------
    >>> stated_encoding("GBK").codec, stated_encoding("utf8").codec
    ('gb18030', 'utf-8-sig')
    """
    try:
        found = codecs.lookup(name)
    except LookupError:
        found = None
    if found is None or not found._is_text_encoding:  # noqa: SLF001 - codecs has no public word for it
        raise InputError(
            f"encoding {name!r} is not known; write for example utf-8, gb18030, utf-16 or big5"
        )
    return Encoding(
        {"utf-8": "utf-8-sig", "gbk": "gb18030", "gb2312": "gb18030"}.get(found.name, found.name)
    )


def encoding_of(content: Content, stated: str | None) -> Encoding:
    """Give the encoding of a text: what the user states, if all of it obeys that, else what is found.

    Parameters
    ----------
    content
        The bytes; all of them are read.
    stated
        What the user states.

    Returns
    -------
    Encoding
        How the bytes become characters.

    Raises
    ------
    InputError
        An unknown encoding, one that the text does not obey, or no text.
    """
    if stated is None:
        return text_encoding(content)
    encoding = stated_encoding(stated)
    if encoding.codec == "utf-8-sig":
        if not _is_utf_8(content):
            raise _disobeyed(content.name, encoding.codec)
    else:
        for _ in utf_8_blocks(content, encoding):
            pass
    return encoding


def text_encoding(content: Content) -> Encoding:
    """Find the first encoding that every byte obeys.

    Parameters
    ----------
    content
        The bytes; all of them are read.

    Returns
    -------
    Encoding
        UTF-8, else GB 18030, else UTF-16 (by its mark or its zero bytes); where a few characters obey none, the one
        that fails least.

    Raises
    ------
    InputError
        It is no text, or text in none of these.
    """
    head = content.head(1 << 12)
    if head[:2] in _UTF_16_MARKS:
        return _if_it_decodes(content, "utf-16")
    if b"\0" in head and (codec := _unmarked_utf_16(head)):
        return _if_it_decodes(content, codec)
    if _is_utf_8(content):
        return Encoding("utf-8-sig")
    (share, n_damaged), codec = _damage(content, "gb18030"), "gb18030"
    if n_damaged:
        damage = (share, n_damaged), _damage(content, "utf-8-sig")
        (share, n_damaged), codec = min(zip(damage, ("gb18030", "utf-8-sig"), strict=True))
    if share > _MOST_DAMAGED:
        raise InputError(
            f"{content.name!r} is text neither in UTF-8 nor in GB 18030 (GBK), so its characters cannot be trusted; "
            "state the encoding with encoding= (--encoding), for example big5, or save it again as UTF-8"
        )
    return Encoding(codec, n_damaged)


def utf_8_blocks(
    content: Content, encoding: Encoding, *, block: int | None = None
) -> Iterator[tuple[bytes, float]]:
    """Read text in steps, as UTF-8 without a mark.

    Parameters
    ----------
    content
        The bytes.
    encoding
        What they mean.
    block
        How many bytes at a time; `BLOCK` where it is not given.

    Yields
    ------
    bytes
        UTF-8; a character may be cut between two blocks only where the source is UTF-8 itself.
    float
        How much is read so far, 0 to 1.

    Raises
    ------
    InputError
        A character that the encoding does not know.
    """
    block = block or BLOCK
    with content.open() as stream:
        if encoding.codec == "utf-8-sig" and not encoding.n_damaged:
            first = stream.read(block)
            yield first.removeprefix(_UTF_8_MARK), stream.share
            while data := stream.read(block):
                yield data, stream.share
            return
        decoder = codecs.getincrementaldecoder(encoding.codec)(encoding.errors)
        try:
            while data := stream.read(block):
                yield decoder.decode(data).encode(errors="replace"), stream.share
            yield decoder.decode(b"", final=True).encode(errors="replace"), 1.0
        except UnicodeError as error:
            raise _disobeyed(content.name, encoding.codec) from error


def is_utf_8(data: bytes) -> bool:
    """Tell whether bytes are UTF-8 from the first to the last.

    Parameters
    ----------
    data
        Any bytes.

    Returns
    -------
    bool
        True for ASCII too.

    Examples
    --------
    >>> is_utf_8("井盖".encode()), is_utf_8("井盖".encode("gbk"))
    (True, False)
    """
    offsets = pa.array([0, len(data)], pa.int64()).buffers()[1]
    text = pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(data))
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def value_encoding(values: Iterable[bytes], *, stated: str | None = None) -> str:
    """Find the first encoding that all these short texts obey, each perhaps cut in its last character.

    Parameters
    ----------
    values
        Fields of a fixed width, as a .dbf has them.
    stated
        What the file itself says, which may be wrong.

    Returns
    -------
    str
        UTF-8, else what is stated, else GB 18030, else Latin-1. Where GB 18030 is stated, text that makes sense only
        as two-byte UTF-8 without one Chinese character is GB 18030.

    Examples
    --------
    >>> value_encoding(["区县".encode("gbk")]), value_encoding(["办事处".encode()[:8]], stated="gb18030")
    ('gb18030', 'utf-8')
    """
    kept = [value for value in values if not value.isascii()]
    for codec in dict.fromkeys(("utf-8", stated or "gb18030", "gb18030")):
        try:
            texts = [cut_text(value, codec) for value in kept]
        except UnicodeDecodeError:
            continue
        if codec == "utf-8" and stated == "gb18030" and not any(map(_CHINESE.search, texts)):
            continue
        return codec
    return "latin-1" if kept else "utf-8"


def cut_text(value: bytes, codec: str) -> str:
    """Decode a text whose last character may be cut by the width of its field; the stump is left out.

    Parameters
    ----------
    value
        The field.
    codec
        Its encoding.

    Returns
    -------
    str
        The whole characters.

    Examples
    --------
    >>> cut_text("所属街道".encode()[:10], "utf-8")
    '所属街'
    """
    return codecs.getincrementaldecoder(codec)("strict").decode(value)


def _is_utf_8(content: Content) -> bool:
    rest = b""
    with content.open() as stream:
        while data := stream.read(BLOCK):
            if b"\0" in data:
                raise InputError(
                    f"{content.name!r} is no text: it holds zero bytes; name a file of a format that is read, or save "
                    "the table again as UTF-8"
                )
            whole, rest = _cut_at_character(rest + data)
            if not is_utf_8(whole):
                return False
    return not rest


def _cut_at_character(data: bytes) -> tuple[bytes, bytes]:
    """Cut before the last character where that may go on in the next block."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            break
        if byte >= 0xC0:
            n = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return (data[:-back], data[-back:]) if n > back else (data, b"")
    return data, b""


def _damage(content: Content, codec: str) -> tuple[float, int]:
    """Give the share of characters beyond ASCII that a codec cannot read, and their number."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    n_damaged = n_beyond = 0
    with content.open() as stream:
        while data := stream.read(BLOCK):
            text = decoder.decode(data)
            n_damaged += text.count(_REPLACED)
            n_beyond += len(text) - len(text.encode("ascii", "ignore"))
    end = decoder.decode(b"", final=True)
    n_damaged, n_beyond = n_damaged + len(end), n_beyond + len(end)
    return n_damaged / max(1, n_beyond), n_damaged


def _unmarked_utf_16(head: bytes) -> str | None:
    """Tell which half of the bytes are zero, as ASCII in UTF-16 has it."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    n = len(head) // 2
    if odd > 0.2 * n and even == 0:
        return "utf-16-le"
    return "utf-16-be" if even > 0.2 * n and odd == 0 else None


def _if_it_decodes(content: Content, codec: str) -> Encoding:
    for text, _ in utf_8_blocks(content, Encoding(codec)):
        if b"\0" in text:
            raise InputError(
                f"{content.name!r} is no text: it holds zero bytes; save the table again as UTF-8"
            )
    return Encoding(codec)


def _disobeyed(name: str, codec: str) -> InputError:
    return InputError(
        f"{name!r} holds bytes that are no {codec.removesuffix('-sig')} text, so its characters cannot be trusted; state "
        "another encoding, or none to have it found"
    )
