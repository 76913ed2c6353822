"""One game of StarCraft II on one map: what is asked of it, in its words."""
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ding_qmix.starcraft2 import messages
from ding_qmix.starcraft2.connection import Connection
from ding_qmix.starcraft2.errors import GameLost
from ding_qmix.starcraft2.install import Install
from ding_qmix.starcraft2.messages import MapInfo, Version
from ding_qmix.starcraft2.options import GameOptions
from ding_qmix.starcraft2.process import GameProcess
from ding_qmix.starcraft2.unit_decoder import UnitDecoder, Units

LOOPS_PER_RESET = 2  # [game loops] in which the map brings new units after the last has died; smac _restart
_CAPACITY = 128  # [units] of an observation at first


class BattleMap(NamedTuple):
    """What is played, and by whom."""
    path: Path  # of the map's file
    ally_race: str  # 'T', 'P' or 'Z'
    enemy_race: str


class Game:
    """
    Overview:
        A process of the game and the line to it. Requests that play are sent and their answers received by separate
        calls, so that many games play at the same time for one thread.
    Interfaces:
        ``start``, ``begin``, ``send_step``, ``send_reset``, ``send_observe``, ``send_wait``, ``receive_units``, \
        ``discard_answers``, ``save_replay``, ``stop``
    Properties:
        ``pid``
    """

    def __init__(self, install: Install, battle_map: BattleMap, options: GameOptions, loops_per_step: int = 8) -> None:
        """Note what to start, and how many game loops an env step has."""
        self._map, self._options, self._loops_per_step = battle_map, options, loops_per_step
        self._process = GameProcess(install)
        self._connection = Connection(options.answer_timeout)
        self._decoder = UnitDecoder(_CAPACITY)

    @property
    def pid(self) -> int:
        """Process id of the game's guard, 0 while none runs."""
        return self._process.pid or 0

    def start(self) -> Version:
        """
        Overview:
            Start the process, connect to it, and ask who it is.
        Raises:
            - GameLost, GameRefused: it did not start
        """
        self._process.start()
        self._connection.open(self._process.port, self._options.start_timeout, self._process.check_running)
        return messages.read_version(self._connection.ask(messages.PING).body)

    def begin(self, seed: int) -> MapInfo:
        """
        Overview:
            Begin a game of this seed, a uint32, in place of the one that runs, and return what it says of its map.
        Raises:
            - GameRefused: the map is refused
            - GameLost: the game broke
        """
        path, data = self._map.path, self._map.path.read_bytes()
        ask, timeout = self._connection.ask, self._options.start_timeout
        create = messages.create_game(f'SMAC_Maps/{path.name}', data, self._map.enemy_race, seed)
        with self._connection.patience(timeout):  # to load a map takes longer than to play
            messages.check_created(ask(messages.CREATE_GAME, create).body, str(path))
            messages.check_joined(ask(messages.JOIN_GAME, messages.join_game(self._map.ally_race)).body)
        return messages.read_map_info(ask(messages.GAME_INFO).body)

    def send_step(self, commands: Sequence[bytes]) -> None:
        """Send an env step: units' commands, game loops, and the question what there is then."""
        self._send(
            (messages.ACTION, messages.act(commands)), (messages.STEP, messages.step(self._loops_per_step)), _OBSERVE
        )

    def send_reset(self, tags: Sequence[int]) -> None:
        """Let the units of these tags die; the map then brings new ones."""
        self._send(
            (messages.DEBUG, messages.kill_units(tags)), (messages.STEP, messages.step(LOOPS_PER_RESET)), _OBSERVE
        )

    def send_observe(self) -> None:
        """Ask what there is."""
        self._send(_OBSERVE)

    def send_wait(self) -> None:
        """Let one game loop pass, and ask what there is then."""
        self._send((messages.STEP, messages.step(1)), _OBSERVE)

    def receive_units(self) -> Units:
        """
        Overview:
            Return the units that the last request saw; overwritten by the next call.
        Raises:
            - GameLost: the game broke or has ended
        """
        answer = self._connection.receive()
        while self._connection.n_waiting > 0:
            answer = self._connection.receive()
        units = self._decoder.read(answer.body)
        if units.has_result or answer.status == messages.ENDED:
            raise GameLost(f'the game ended by itself at game loop {units.game_loop}')
        return units

    def discard_answers(self) -> None:
        """Receive what an interrupted call has asked for."""
        while self._connection.n_waiting > 0:
            self._connection.receive()

    def save_replay(self) -> bytes:
        """Return the contents of a file .SC2Replay with all that was played since ``begin``."""
        return messages.read_replay(self._connection.ask(messages.SAVE_REPLAY).body)

    def stop(self) -> None:
        """End the game and its process; a second call does nothing."""
        self._connection.close()
        self._process.stop()

    def _send(self, *requests: tuple[int, bytes]) -> None:
        """Send requests; where the game has ended, the error says how."""
        try:
            self._connection.send(requests)
        except GameLost:
            self._process.check_running()
            raise


_OBSERVE = (messages.OBSERVATION, messages.request(messages.OBSERVATION))
