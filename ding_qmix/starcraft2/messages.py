"""
The game's requests and answers, of which SMAC needs few.

A request is a message with one field that names what is asked; its answer has the same field. Field numbers are those
of Blizzard/s2client-proto s2clientprotocol/sc2api.proto, raw.proto, common.proto, debug.proto @ dd91ad3.
"""
from collections.abc import Iterable
from typing import NamedTuple, Union

import numpy as np

from ding_qmix.starcraft2.errors import GameLost, GameRefused, WireError
from ding_qmix.starcraft2.wire import bytes_field, float_field, int_field, read_fields, read_message

# What is asked: fields of Request and Response.
CREATE_GAME, JOIN_GAME, QUIT, GAME_INFO, OBSERVATION, ACTION, STEP, SAVE_REPLAY, PING, DEBUG = \
    1, 2, 8, 9, 10, 11, 12, 15, 19, 20
NAMES = {
    CREATE_GAME: 'create_game',
    JOIN_GAME: 'join_game',
    QUIT: 'quit',
    GAME_INFO: 'game_info',
    OBSERVATION: 'observation',
    ACTION: 'action',
    STEP: 'step',
    SAVE_REPLAY: 'save_replay',
    PING: 'ping',
    DEBUG: 'debug'
}
_ERROR, _STATUS = 98, 99  # fields of Response
IN_GAME, ENDED = 3, 5  # Status
RACES = {'T': 1, 'Z': 2, 'P': 3}
MOVE, ATTACK, STOP, HEAL = 16, 23, 4, 386  # abilities
_PARTICIPANT, _COMPUTER, _VERY_HARD = 1, 2, 7
_MAX_ERROR = 300  # [characters] of an error of the game that are shown


class Answer(NamedTuple):
    """What the game answered."""
    body: bytes  # the field of the request's name
    status: int  # Status, 0 where the game sent none


class Version(NamedTuple):
    """Who answers."""
    game_version: str  # such as '4.10.0.75689'
    data_version: str  # hash of the game's data

    def __str__(self) -> str:
        return f'{self.game_version} (data {self.data_version})'


class MapInfo(NamedTuple):
    """What the game says of a map."""
    pathable: np.ndarray  # bool [width, height], indexed [x, y]
    extent: tuple[float, float]  # [map units] of the playable area, along x and y


def create_game(map_path: str, map_data: bytes, enemy_race: str, seed: int) -> bytes:
    """Return the request for a game on a map of which the file's contents are sent; a computer plays the enemy."""
    local_map = bytes_field(1, map_path.encode()) + bytes_field(7, map_data)
    enemy = int_field(1, _COMPUTER) + int_field(2, RACES[enemy_race]) + int_field(3, _VERY_HARD)
    players = bytes_field(3, int_field(1, _PARTICIPANT)) + bytes_field(3, enemy)
    return bytes_field(CREATE_GAME, bytes_field(1, local_map) + players + int_field(5, seed) + int_field(6, 0))


def join_game(race: str) -> bytes:
    """Return the request to play the allies, and to be shown units, not pictures."""
    return bytes_field(JOIN_GAME, int_field(1, RACES[race]) + bytes_field(3, int_field(1, 1) + int_field(2, 0)))


def request(what: int) -> bytes:
    """Return a request without arguments."""
    return bytes_field(what, b'')


def step(n_loops: int) -> bytes:
    """Return the request to play some game loops."""
    return bytes_field(STEP, int_field(1, n_loops))


def kill_units(tags: Iterable[int]) -> bytes:
    """Return the request that units die."""
    return bytes_field(DEBUG, bytes_field(1, bytes_field(4, b''.join(int_field(1, tag) for tag in tags))))


def act(commands: Iterable[bytes]) -> bytes:
    """Return the request for units' commands, as ``command_point`` and its like make them."""
    return bytes_field(ACTION, b''.join(bytes_field(1, bytes_field(1, bytes_field(1, c))) for c in commands))


def command_stop(tag: int) -> bytes:
    """Return the command to stop, for the unit of this tag."""
    return int_field(1, STOP) + _of_unit(tag)


def command_move(tag: int, x: float, y: float) -> bytes:
    """Return the command to go to a point, [map units]."""
    return int_field(1, MOVE) + bytes_field(2, float_field(1, x) + float_field(2, y)) + _of_unit(tag)


def command_target(tag: int, ability: int, target_tag: int) -> bytes:
    """Return the command to attack, or heal, a unit."""
    return int_field(1, ability) + int_field(3, target_tag) + _of_unit(tag)


def read_answer(message: bytes, what: int) -> Answer:
    """
    Overview:
        Return the answer to a request for ``what``.
    Raises:
        - GameLost: it reports errors, answers something else, or is no message
    """
    body, status, errors = None, 0, []
    try:
        for number, value in read_fields(message):
            if number == what and isinstance(value, bytes):
                body = value
            elif number == _STATUS and isinstance(value, int):
                status = value
            elif number == _ERROR:
                errors.append(_text(value))
    except WireError as error:
        raise GameLost(f'the answer to {NAMES[what]} cannot be read: {error}') from None
    if errors:
        raise GameLost(f'the game refused {NAMES[what]}: {"; ".join(errors)[:_MAX_ERROR]}')
    if body is None:
        raise GameLost(f'expected an answer to {NAMES[what]}, got one without it (status {status})')
    return Answer(body, status)


def check_created(body: bytes, map_path: str) -> None:
    """Raise GameRefused if the answer to create_game has an error."""
    _check_error(read_message(body), 1, f'the game refuses the map {map_path}', 'take the maps from oxwhirl/smac')


def check_joined(body: bytes) -> None:
    """Raise GameRefused if the answer to join_game has an error."""
    _check_error(read_message(body), 2, 'the game cannot be joined', 'see docs/starcraft2.md, Installation')


def read_version(body: bytes) -> Version:
    """Return who answered a ping."""
    fields = read_message(body)
    return Version(_text(fields.get(1, b'?')), _text(fields.get(2, b'?')))


def read_map_info(body: bytes) -> MapInfo:
    """
    Overview:
        Return what the answer to game_info says of the map.
    Raises:
        - GameRefused: there is no terrain in it
    Source: oxwhirl/smac starcraft2.py _launch @ d6aab33
    """
    raw = read_message(_part(read_message(body), 4, 'start_raw'))
    width, height = _point(_part(raw, 1, 'map_size'))
    grid = read_message(_part(raw, 2, 'pathing_grid'))
    data = np.frombuffer(_part(grid, 3, 'pathing_grid.data'), np.uint8)
    area = read_message(_part(raw, 5, 'playable_area'))
    (left, low), (right, high) = (_point(_part(area, i, 'playable_area')) for i in (1, 2))
    if grid.get(1) == 1:  # [bits] per cell, 1 = pathable, rows from y = 0 upwards
        pathable = np.unpackbits(data)[:width * height].reshape(height, width).T == 1
    else:  # older games: a byte per cell, 0 = pathable, rows from the top
        pathable = data.reshape(height, width)[::-1].T == 0
    return MapInfo(np.ascontiguousarray(pathable), (float(right - left), float(high - low)))


def read_replay(body: bytes) -> bytes:
    """Return the contents of a replay file from the answer to save_replay."""
    return _part(read_message(body), 1, 'save_replay.data')


def _of_unit(tag: int) -> bytes:
    """Return the end of a command: whose it is, and that it replaces the commands before it."""
    return int_field(4, tag) + int_field(5, 0)


def _check_error(fields: dict[int, Union[int, bytes]], number: int, what: str, remedy: str) -> None:
    """Raise GameRefused if an answer has an error in field ``number``; its details are in the next."""
    if number in fields:
        raise GameRefused(f'{what}: error {_text(fields[number])} {_text(fields.get(number + 1, b""))}; {remedy}')


def _part(fields: dict[int, Union[int, bytes]], number: int, name: str) -> bytes:
    """Return a field that must be there."""
    value = fields.get(number)
    if not isinstance(value, bytes):
        raise GameRefused(f'the game sends no {name}; is it StarCraft II 4.0 or later?')
    return value


def _point(message: bytes) -> tuple[int, int]:
    """Return x and y of a point or size of integers; zeros may be left out."""
    fields = read_message(message)
    return int(fields.get(1, 0)), int(fields.get(2, 0))


def _text(value: Union[int, bytes]) -> str:
    """Return a field as a person reads it."""
    return value.decode('utf-8', 'replace') if isinstance(value, bytes) else str(value)
