"""E games that play at the same time, and are started anew where they break."""
import logging
import os
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ding_qmix.spec import EnvFailure
from ding_qmix.starcraft2.battle import GameBattle
from ding_qmix.starcraft2.errors import GameLost
from ding_qmix.starcraft2.messages import Version

_LOG = logging.getLogger(__name__)


class GameFleet:
    """
    Overview:
        The games of a batch. Requests go out to all of them before the first answer is waited for, so that they play at
        the same time while one thread serves them. Only starting takes a thread per game.
    Interfaces:
        ``start``, ``play``, ``begin_episodes``, ``close``
    """

    def __init__(self, battles: Sequence[GameBattle], max_failures: int) -> None:
        """
        Arguments:
            - battles: one per env
            - max_failures: of one game in a row, without an episode played to its end, that fail the batch
        """
        self._battles = battles
        self._max_failures = max_failures
        self._finalizer = weakref.finalize(self, _stop, os.getpid(), battles)

    def start(self) -> Version:
        """
        Overview:
            Start all processes and return who they are.
        Raises:
            - GameRefused: the game cannot be played as it is installed
            - EnvFailure: a game failed too often
        """
        try:
            self._prepare(range(len(self._battles)), enter=False)
        except BaseException:
            self.close()
            raise
        version = self._battles[0].version
        assert version is not None
        return version

    def play(self, env_ids: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """
        Overview:
            Play an env step in these envs, int [K], with actions int64 [E, N].
        Returns:
            - played: int64 [K'], the envs where it was played; in the others the game broke
        Raises:
            - EnvFailure: a game failed too often
        """
        battles, given = self._battles, actions.tolist()
        played = self._exchange(env_ids.tolist(), lambda e: battles[e].send_step(given[e]), GameBattle.receive_step)
        return np.array(list(played), np.int64)

    def begin_episodes(self, env_ids: np.ndarray) -> None:
        """
        Overview:
            Begin an episode in these envs, int [K], in new games where those that run cannot.
        Raises:
            - GameRefused: the map is refused, or is not SMAC's
            - EnvFailure: a game failed too often
        """
        todo = [int(e) for e in env_ids]
        while todo:
            self._prepare([e for e in todo if self._battles[e].needs_game], enter=True)
            begun = self._exchange(todo, lambda e: self._battles[e].send_begin(), GameBattle.receive_begin)
            todo = [e for e in todo if not begun.get(e)]

    def close(self) -> None:
        """End all games; a second call does nothing."""
        self._finalizer()

    def _prepare(self, env_ids: Sequence[int], enter: bool) -> None:
        """Start processes, and games if ``enter`` is set, until all of these envs have one."""
        todo = list(env_ids)
        while todo:
            with ThreadPoolExecutor(len(todo)) as pool:
                errors = list(pool.map(lambda e: _attempt(self._battles[e].prepare, enter), todo))
            failed = [(e, error) for e, error in zip(todo, errors) if error is not None]
            for e, error in failed:
                self._note(e, error)
            todo = [e for e, _ in failed]

    def _exchange(self, env_ids: Sequence[int], send: Callable[[int], None],
                  receive: Callable[[GameBattle], bool]) -> dict[int, bool]:
        """Send to all of these envs, then receive from all; return what was received from those that did not break."""
        sent, received = [], {}
        for e in env_ids:
            error = _attempt(send, e)
            if error is None:
                sent.append(e)
            else:
                self._note(e, error)
        for e in sent:
            try:
                received[e] = receive(self._battles[e])
            except GameLost as error:
                self._note(e, error)
        return received

    def _note(self, e: int, error: GameLost) -> None:
        """Note that the game of env e broke. EnvFailure if that is too often."""
        battle = self._battles[e]
        battle.fail(error)
        _LOG.warning('game of env %d broke (%d of %d in a row): %s', e, battle.n_failures, self._max_failures, error)
        if battle.n_failures >= self._max_failures:
            raise EnvFailure(
                f'the game of env {e} broke {battle.n_failures} times in a row, the last time because: {error}. See '
                'docs/starcraft2.md, "When games break"'
            ) from error


def _attempt(function: Callable[..., None], *arguments: object) -> 'GameLost | None':
    """Call a function; return the error if the game broke."""
    try:
        function(*arguments)
    except GameLost as error:
        return error
    return None


def _stop(owner: int, battles: Sequence[GameBattle]) -> None:
    """End the games' processes, in the process that started them: one that was forked from it has them, too."""
    if os.getpid() == owner and battles:
        with ThreadPoolExecutor(len(battles)) as pool:
            list(pool.map(GameBattle.stop, battles))
