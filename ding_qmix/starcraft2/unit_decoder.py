"""Reads the units out of an observation of the game, compiled: a battle of 60 units has 600 fields to look at."""
from typing import Any, NamedTuple

import numpy as np

from ding_qmix.numba_kernel import inline_kernel, kernel
from ding_qmix.starcraft2.errors import WireError

# Columns of UnitList.bits
TYPE, OWNER, X, Y, HEALTH, HEALTH_MAX, SHIELD, SHIELD_MAX, ENERGY, COOLDOWN = range(10)
N_COLUMNS = 10

# Fields of ResponseObservation, Observation, ObservationRaw and Unit (Blizzard/s2client-proto sc2api.proto, raw.proto)
_OBSERVATION, _PLAYER_RESULT = 3, 4
_GAME_LOOP, _RAW_DATA = 9, 5
_UNITS = 2
_TAG, _POS = 3, 6
_INTEGERS = {4: TYPE, 5: OWNER}
# Unit has no float of the numbers 1 and 2: they are those of the message Point in its field pos.
_FLOATS = {1: X, 2: Y, 14: HEALTH, 15: HEALTH_MAX, 16: SHIELD, 36: SHIELD_MAX, 17: ENERGY, 30: COOLDOWN}
_COLUMNS = np.array([[kind.get(number, -1) for number in range(64)] for kind in (_INTEGERS, _FLOATS)], np.int8)

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
_BROKEN = -1  # the bytes are no message


class UnitList(NamedTuple):
    """Memory for the units of one observation."""
    tag: np.ndarray  # uint64 [K]
    bits: np.ndarray  # uint32 [K, N_COLUMNS]: integers as such, all else as float32's bits
    numbers: np.ndarray  # int64 [3]: units that there are, game loop, 1 if the game has a result


def make_unit_list(capacity: int) -> UnitList:
    """Return memory for up to ``capacity`` units."""
    return UnitList(np.zeros(capacity, np.uint64), np.zeros((capacity, N_COLUMNS), np.uint32), np.zeros(3, np.int64))


class Units(NamedTuple):
    """The units of one observation, in the game's order."""
    game_loop: int
    has_result: bool  # the game is over
    tag: np.ndarray  # uint64 [K]
    unit_type: np.ndarray  # uint32 [K], the game's number of the type
    owner: np.ndarray  # uint32 [K], 1 the allies, 2 the enemy
    real: np.ndarray  # float32 [K, N_COLUMNS]; columns TYPE and OWNER are to be read above


class UnitDecoder:
    """Reads observations, one at a time: what it returns is overwritten by the next."""

    def __init__(self, capacity: int) -> None:
        """Take observations of up to ``capacity`` units at first; memory grows with what comes."""
        self._list = make_unit_list(capacity)

    def read(self, body: bytes) -> Units:
        """Return the units in an answer to the request 'observation'. WireError if it is no message."""
        data = np.frombuffer(body, np.uint8)
        n_units = read_units(data, self._list, _COLUMNS)
        if n_units > len(self._list.tag):
            self._list = make_unit_list(2 * n_units)
            n_units = read_units(data, self._list, _COLUMNS)
        if n_units < 0:
            raise WireError(f'an observation of {len(body)} bytes cannot be read')
        tag, bits = self._list.tag[:n_units], self._list.bits[:n_units]
        _, game_loop, has_result = self._list.numbers.tolist()
        return Units(game_loop, bool(has_result), tag, bits[:, TYPE], bits[:, OWNER], bits.view(np.float32))


@kernel
def read_units(data: np.ndarray, out: UnitList, columns: np.ndarray) -> int:
    """
    Write the units of a ResponseObservation, uint8 [bytes]; return how many there are, -1 if it is no message. Those
    that do not fit are counted only. ``columns``, int8 [2, 64]: where integers and floats of a unit go, by number.
    """
    out.numbers[:] = 0
    n_bytes = data.shape[0]
    result, _ = _find(data, 0, n_bytes, _PLAYER_RESULT)
    start, end = _find(data, 0, n_bytes, _OBSERVATION)
    game_loop, _ = _find(data, start, end, _GAME_LOOP)
    at, raw_end = _find(data, start, end, _RAW_DATA)
    if start < 0 or at < 0:
        return _BROKEN
    out.numbers[1], out.numbers[2] = game_loop, result > 0
    n_units = 0
    while at < raw_end:
        number, kind, value, at = _read_field(data, at, raw_end)
        if at < 0:
            return _BROKEN
        if kind == _BYTES:
            if number == _UNITS:
                if n_units < out.tag.shape[0] and not _read_unit(data, at, at + value, n_units, out, columns):
                    return _BROKEN
                n_units += 1
            at += value
    out.numbers[0] = n_units
    return n_units


@kernel
def _find(data: np.ndarray, at: int, end: int, wanted: int) -> Any:
    """
    Return where the bytes of a message's field begin and end, or an integer's value and where it ends; 0, 0 if it is
    not there, -1, -1 if the bytes are no message.
    """
    while 0 <= at < end:
        number, kind, value, at = _read_field(data, at, end)
        if at >= 0 and number == wanted:
            return (at, at + value) if kind == _BYTES else (value, at)
        if at >= 0 and kind == _BYTES:
            at += value
    return (0, 0) if at >= 0 else (_BROKEN, _BROKEN)


@inline_kernel
def _read_unit(data: np.ndarray, at: int, end: int, row: int, out: UnitList, columns: np.ndarray) -> bool:
    """Write one unit into a row; return whether its bytes are a message."""
    bits = out.bits[row]
    bits[:] = 0
    out.tag[row] = 0
    while at < end:
        number, kind, value, at = _read_field(data, at, end)
        if at < 0:
            return False
        if kind == _BYTES:
            if number != _POS:  # which is read on into
                at += value
        elif kind == _VARINT and number == _TAG:
            out.tag[row] = value
        elif kind != _FIXED64 and number < columns.shape[1]:
            column = columns[1 if kind == _FIXED32 else 0, number]
            if column >= 0:
                bits[column] = value
    return True


@inline_kernel
def _read_field(data: np.ndarray, at: int, end: int) -> Any:
    """
    Return number, wire type and value of a field, and where it ends, -1 if it does not end before ``end``. The value of
    bytes is their number, and they begin at that end.
    """
    key, at = _read_varint(data, at, end)
    number, kind, value = key >> 3, key & 7, np.int64(0)
    if at < 0:
        return number, kind, value, at
    if kind == _VARINT:
        value, at = _read_varint(data, at, end)
    elif kind == _BYTES:
        value, at = _read_varint(data, at, end)
        if at >= 0 and (value < 0 or value > end - at):
            at = -1
    else:
        n_bytes = 4 if kind == _FIXED32 else 8
        if (kind != _FIXED32 and kind != _FIXED64) or at + n_bytes > end:
            return number, kind, value, -1
        for i in range(n_bytes):
            value |= np.int64(data[at + i]) << (8 * i)
        at += n_bytes
    return number, kind, value, at


@inline_kernel
def _read_varint(data: np.ndarray, at: int, end: int) -> Any:
    """Return the number that begins at a byte, the bits of a uint64, and where it ends, -1 if it does not."""
    value = np.int64(0)
    for i in range(10):
        if at >= end:
            return value, -1
        byte = np.int64(data[at])
        at += 1
        value |= (byte & 0x7f) << (7 * i)
        if byte < 0x80:
            return value, at
    return value, -1
