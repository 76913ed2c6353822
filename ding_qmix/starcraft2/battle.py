"""One env: a game, started anew where it breaks, and the episodes that are played in it."""
import time
from collections.abc import Sequence
from typing import Optional

import numpy as np

from ding_qmix.starcraft2.errors import GameLost
from ding_qmix.starcraft2.game import Game
from ding_qmix.starcraft2.messages import Version
from ding_qmix.starcraft2.options import GameOptions
from ding_qmix.starcraft2.unit_table import UnitTable

LOOPS_TO_WAIT = 64  # [game loops] for units to appear
_LONGEST_WAIT = 60.  # [seconds] between two restarts


class GameBattle:
    """
    Overview:
        The battles of one game. Calls that begin with ``send`` are each answered by the ``receive`` of the same name.
    Interfaces:
        ``seed``, ``prepare``, ``send_step``, ``receive_step``, ``send_begin``, ``receive_begin``, ``fail``, ``stop``
    Properties:
        ``needs_game``, ``version``, ``first_seed``, ``n_games``, ``n_failures``, ``cause``
    """

    def __init__(self, game: Game, table: UnitTable, options: GameOptions) -> None:
        """Note what to play; nothing is started."""
        self.game, self.table = game, table
        self.version: Optional[Version] = None  # None while no process runs
        self.n_games = 0  # begun with this seed
        self.first_seed = 0  # of all its games
        self.n_failures = 0  # since an episode was played to its end
        self.cause = ''  # of the latest failure
        self._options = options
        self._in_game = False
        self._fresh = False  # the game has just begun: its first units are the first episode's
        self._game_loop = 0
        self._n_waited = 0  # [game loops] for the units of the next episode

    @property
    def needs_game(self) -> bool:
        """Whether the next episode needs a new game: the old one broke, is too old, or has another seed."""
        return not self._in_game or self._game_loop > self._options.max_game_loop

    def seed(self, seed: int, n_games: int = 0) -> None:
        """Seed the games that begin from now on, of which there were ``n_games`` already."""
        self.first_seed, self.n_games, self._in_game = seed, n_games, False

    def prepare(self, enter: bool = True) -> None:
        """
        Overview:
            Start the process, if none runs, and begin a game, if one is needed and ``enter`` is set. A game that has
            become too old is begun in a new process, which frees the memory that the old one has gathered.
        Raises:
            - GameLost, GameRefused: it failed
        """
        if self._in_game and self.needs_game:
            self.stop()
        if self.version is None:
            if self.n_failures > 1:
                time.sleep(min(_LONGEST_WAIT, self._options.restart_wait * 2. ** (self.n_failures - 2)))
            self.game.stop()
            self.version = self.game.start()
        if enter and not self._in_game:
            self.game.discard_answers()
            self.table.enter_map(self.game.begin(game_seed(self.first_seed, self.n_games)))
            self.n_games += 1
            self._in_game = self._fresh = True
            self._game_loop = 0

    def send_step(self, actions: Sequence[int]) -> None:
        """Send an env step with one legal action per agent."""
        self.game.send_step(self.table.commands(actions))

    def receive_step(self) -> bool:
        """Write the units as they are after the step; return True."""
        units = self.game.receive_units()
        self._game_loop = units.game_loop
        self.table.update(units)
        return True

    def send_begin(self) -> None:
        """Let the next episode begin; until ``receive_begin`` returns True, again and again."""
        if self._n_waited > 0:
            self.game.send_wait()
            return
        self.game.discard_answers()  # of a step that was interrupted
        if self._fresh:
            self.game.send_observe()
        else:
            self.game.send_reset(self.table.retire())

    def receive_begin(self) -> bool:
        """Write the units of the next episode, and return whether all are there."""
        units = self.game.receive_units()
        self._game_loop = units.game_loop
        if self.table.number(units):
            self._fresh, self._n_waited = False, 0
            return True
        self._n_waited += 1
        if self._n_waited > LOOPS_TO_WAIT:
            n_allies, n_enemies = self.table.n_fresh(units)
            rules = self.table.rules
            raise GameLost(
                f'{LOOPS_TO_WAIT} game loops after its beginning an episode has {n_allies} of {rules.n_agents} allied '
                f'and {n_enemies} of {rules.n_enemies} enemy units'
            )
        return False

    def fail(self, error: GameLost) -> None:
        """Note that the game broke: the next episode needs another one."""
        self.n_failures += 1
        self.cause = str(error)
        self.version, self._in_game, self._n_waited = None, False, 0

    def stop(self) -> None:
        """End the game's process; a second call does nothing."""
        self.game.stop()
        self.version, self._in_game, self._n_waited = None, False, 0


def game_seed(seed: int, n_games: int) -> int:
    """Return the seed, a uint32, of the n-th game of an env, from 0: one that takes another's place is another game."""
    return int(np.random.SeedSequence([seed, n_games]).generate_state(1)[0])
