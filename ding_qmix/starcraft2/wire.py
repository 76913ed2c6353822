"""
Protocol buffers' wire format, as much of it as the game's messages use.

The messages are few and flat, so they are written field by field. The package protobuf is not needed: its releases take
each other's generated code only in part, and DI-engine's dependencies decide which one is installed.

Source: protobuf.dev/programming-guides/encoding
"""
import struct
from collections.abc import Iterator
from typing import Union

from ding_qmix.starcraft2.errors import WireError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
_FIXED = {FIXED64: 8, FIXED32: 4}  # [bytes]


def varint(value: int) -> bytes:
    """Return a number of 0 or more in groups of 7 bits, the low ones first."""
    groups = bytearray()
    while value > 0x7f:
        groups.append(value & 0x7f | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def int_field(number: int, value: int) -> bytes:
    """Return a field with an integer of 0 or more, an enum or a bool."""
    return varint(number << 3 | VARINT) + varint(value)


def float_field(number: int, value: float) -> bytes:
    """Return a field with a float32."""
    return varint(number << 3 | FIXED32) + struct.pack('<f', value)


def bytes_field(number: int, value: bytes) -> bytes:
    """Return a field with bytes, a text or a message."""
    return varint(number << 3 | BYTES) + varint(len(value)) + value


def read_fields(message: bytes) -> Iterator[tuple[int, Union[int, bytes]]]:
    """
    Overview:
        Yield number and value of each field of a message: integers as such, all else as bytes.
    Raises:
        - WireError: the bytes end within a field, or have a wire type that the format does not know
    """
    at, end = 0, len(message)
    while at < end:
        key, at = _read_varint(message, at)
        number, wire_type = key >> 3, key & 7
        value: Union[int, bytes]
        if wire_type == VARINT:
            value, at = _read_varint(message, at)
        else:
            if wire_type == BYTES:
                length, at = _read_varint(message, at)
            elif wire_type in _FIXED:
                length = _FIXED[wire_type]
            else:
                raise WireError(f'field {number} at byte {at} has wire type {wire_type}')
            if at + length > end:
                raise WireError(f'field {number} has {length} bytes, but only {end - at} are left')
            value, at = message[at:at + length], at + length
        yield number, value


def read_message(message: bytes) -> dict[int, Union[int, bytes]]:
    """Return a message's fields by number; of repeated ones the last."""
    return dict(read_fields(message))


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise WireError('the message ends within a number')
        byte = message[at]
        at += 1
        value |= (byte & 0x7f) << shift
        if byte < 0x80:
            return value, at
    raise WireError(f'a number of more than 10 bytes at byte {at}')
