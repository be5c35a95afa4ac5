"""Makes what nothing installed here writes: a workbook of the old kind (.xls)."""

import struct

import pytest


def record(kind, data):
    return struct.pack("<HH", kind, len(data)) + data


def sheet_records(cells, merged):
    out = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    rows, columns = (max(one[at] for one in cells) + 1 for at in (0, 1))
    out += record(0x0200, struct.pack("<IIHHH", 0, rows, 0, columns, 0))
    for row, column, value in cells:
        if isinstance(value, str):
            text = value.encode("utf-16-le")
            out += record(0x0204, struct.pack("<HHHHB", row, column, 0, len(value), 1) + text)
        else:
            number, style = value if isinstance(value, tuple) else (value, 0)
            out += record(0x0203, struct.pack("<HHHd", row, column, style, number))
    if merged:
        ranges = b"".join(struct.pack("<HHHH", *one) for one in merged)
        out += record(0x00E5, struct.pack("<H", len(merged)) + ranges)
    return out + record(0x000A, b"")


def compound_file(stream):
    """Wrap one stream as OLE2: a header, a table of sectors, a folder, the stream."""
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    n = len(stream) // 512
    chain = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 2 + n), 0xFFFFFFFE]
    table = struct.pack("<128I", *chain, *[0xFFFFFFFF] * (128 - len(chain)))

    def entry(name, kind, child, start, size):
        text = (name + "\0").encode("utf-16-le")
        head = text.ljust(64, b"\0") + struct.pack(
            "<HBBIII", len(text), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child
        )
        return head.ljust(116, b"\0") + struct.pack("<III", start, size, 0)

    folder = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry(
        "Workbook", 2, 0xFFFFFFFF, 2, len(stream)
    )
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(6)
    )
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    return header + table + folder.ljust(512, b"\0") + stream


@pytest.fixture
def xls():
    """A function that gives the bytes of an .xls: cells (row, column, text, number or (serial, 1) for a time)."""

    def made(cells, merged=(), name="案件"):
        text = name.encode("utf-16-le")
        begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
        begin += record(0x0042, struct.pack("<H", 1200))
        begin += record(0x00E0, struct.pack("<HHH", 0, 0, 0).ljust(20, b"\0"))
        begin += record(0x00E0, struct.pack("<HHH", 0, 22, 0).ljust(20, b"\0"))
        size = len(begin) + 4 + 8 + len(text) + 4
        begin += record(0x0085, struct.pack("<IBBBB", size, 0, 0, len(name), 1) + text)
        return compound_file(begin + record(0x000A, b"") + sheet_records(cells, merged))

    return made
