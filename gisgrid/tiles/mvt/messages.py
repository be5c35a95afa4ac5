"""What does a message of protocol buffers hold? Its fields, one by one, or why it is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from gisgrid.errors import InputError

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


class Field(NamedTuple):
    """One field: its number, how it is written, and its content.

    Attributes
    ----------
    number
        The field's number.
    wire
        Its wire type.
    value
        A number, or the bytes of the field.
    """

    number: int
    wire: int
    value: Any


def packed(one: Field, where: str) -> Iterator[int]:
    """Read a field of many numbers.

    Parameters
    ----------
    one
        The field.
    where
        What it belongs to, for the error's sentence.

    Yields
    ------
    int
        Numbers of 32 bits.

    Raises
    ------
    InputError
        It is not that, or not whole.
    """
    content, at = as_bytes(one, where), 0
    while at < len(content):
        number, at = read_varint(content, at, where)
        if number >= 1 << 32:
            raise refusal(
                where, f"has the number {number}", "tags and commands have 32 bits", "4.3.1"
            )
        yield number


def fields(content: bytes, where: str) -> Iterator[Field]:
    """Take a message apart.

    Parameters
    ----------
    content
        Its bytes.
    where
        What it is, for the error's sentence.

    Yields
    ------
    Field
        In their order.

    Raises
    ------
    InputError
        It is not that, or not whole.
    """
    at = 0
    while at < len(content):
        head, at = read_varint(content, at, where)
        number, wire = head >> 3, head & 7
        if wire == _VARINT:
            value, at = read_varint(content, at, where)
            yield Field(number, wire, value)
            continue
        if wire == _BYTES:
            length, at = read_varint(content, at, where)
        elif wire in (_EIGHT, _FOUR):
            length = 8 if wire == _EIGHT else 4
        else:
            raise refusal(
                where, f"has the wire type {wire}", "protocol buffers know 0, 1, 2 and 5", "3"
            )
        if at + length > len(content):
            raise refusal(
                where,
                f"ends {at + length - len(content)} bytes early",
                "a field must be whole",
                "3",
            )
        yield Field(number, wire, content[at : at + length])
        at += length


def read_varint(content: bytes, at: int, where: str) -> tuple[int, int]:
    """Read one number.

    Parameters
    ----------
    content
        Bytes.
    at
        Where it begins.
    where
        What it belongs to, for the error's sentence.

    Returns
    -------
    tuple of int
        The number, and where the next byte is.

    Raises
    ------
    InputError
        It is not that, or not whole.
    """
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            break
        number |= (content[at] & 0x7F) << shift
        at += 1
        if content[at - 1] < 0x80:
            return number & (1 << 64) - 1, at
    raise refusal(where, "has a number without an end", "a varint takes ten bytes at most", "3")


def as_bytes(one: Field, where: str) -> bytes:
    """Say what a field of bytes holds.

    Parameters
    ----------
    one
        The field.
    where
        What it belongs to, for the error's sentence.

    Returns
    -------
    bytes
        Its content.

    Raises
    ------
    InputError
        It is not that, or not whole.
    """
    if one.wire != _BYTES:
        raise refusal(
            where, f"has field {one.number} of wire type {one.wire}", "it is of type 2", "4"
        )
    return bytes(one.value)


def as_text(one: Field, where: str) -> str:
    """Say what a field of text holds.

    Parameters
    ----------
    one
        The field.
    where
        What it belongs to, for the error's sentence.

    Returns
    -------
    str
        Its content.

    Raises
    ------
    InputError
        It is not that, or not whole.
    """
    try:
        return as_bytes(one, where).decode()
    except UnicodeDecodeError as error:
        raise refusal(
            where, f"has a text that is no UTF-8 ({error.reason})", "texts are UTF-8", "4"
        ) from error


def as_number(one: Field, where: str) -> int:
    """Say what a field of one number holds.

    Parameters
    ----------
    one
        The field.
    where
        What it belongs to, for the error's sentence.

    Returns
    -------
    int
        Its content.

    Raises
    ------
    InputError
        It is not that, or not whole.
    """
    if one.wire != _VARINT:
        raise refusal(
            where, f"has field {one.number} of wire type {one.wire}", "it is a number", "4"
        )
    return int(one.value)


def refusal(where: str, found: str, rule: str, section: str) -> InputError:
    """Say why a tile is refused.

    Parameters
    ----------
    where
        What was read.
    found
        What is wrong with it.
    rule
        What the specification says.
    section
        Where it says so.

    Returns
    -------
    InputError
        To be raised.
    """
    return InputError(f"{where} {found} but {rule} (MVT 2.1, {section}); write the tile anew")
