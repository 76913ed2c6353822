"""The line to a game, against the test server and against nobody."""
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from game_install import GameInstall, is_running

from ding_qmix.starcraft2 import messages
from ding_qmix.starcraft2.connection import Connection
from ding_qmix.starcraft2.errors import GameLost, GameRefused
from ding_qmix.starcraft2.game import BattleMap, Game
from ding_qmix.starcraft2.install import find_game
from ding_qmix.starcraft2.options import make_game_options


@pytest.fixture
def install(tmp_path: Path) -> GameInstall:
    return GameInstall(tmp_path / 'game')


@pytest.fixture
def game(install: GameInstall) -> Iterator[Game]:
    """A game on 3m that waits to be started."""
    options = make_game_options(install.options(start_timeout=20., answer_timeout=20.))
    game = Game(find_game('4.10', str(install.root)), BattleMap(install.map_dir / '3m.SC2Map', 'T', 'T'), options)
    yield game
    game.stop()


@pytest.mark.unittest
def test_game_tells_its_version_map_and_units_and_saves_a_replay(game: Game, install: GameInstall) -> None:
    install.plan(dict(kind='not_ready', value=2))  # and is ready only at the third attempt to connect
    assert game.start().game_version == '4.10.0.75689'
    info = game.begin(5)
    assert info.pathable.shape == (32, 32) and info.extent == (28., 28.)
    game.send_observe()
    units = game.receive_units()
    assert sorted(units.owner.tolist()) == [1, 1, 1, 2, 2, 2] and units.game_loop == 1
    game.send_wait()
    assert game.receive_units().game_loop == 2
    assert game.save_replay() == b'replay of 3m, 0 actions'
    game.stop()
    assert not any(map(is_running, install.pids()))


@pytest.mark.unittest
@pytest.mark.parametrize(
    'fault, word', [
        (dict(kind='hang'), 'no answer to step within 1 s'),
        (dict(kind='crash'), 'connection broke|closed the connection'),
        (dict(kind='exit'), 'connection broke|closed the connection'),
        (dict(kind='hang_up'), 'connection broke|closed the connection'),
        (dict(kind='error'), 'refused step: cannot step now'),
        (dict(kind='garbage'), 'the answer to step cannot be read'),
        (dict(kind='wrong_answer'), 'expected an answer to step'),
        (dict(kind='ended'), 'ended by itself'),
    ]
)
def test_game_that_breaks_in_a_step_is_lost_by_name(game: Game, install: GameInstall, fault: dict, word: str) -> None:
    install.plan(fault)
    game.start()
    game.begin(5)
    game._connection._answer_timeout = 1.
    game._connection._set_timeout()
    with pytest.raises(GameLost, match=word):
        game.send_step([])
        game.receive_units()


@pytest.mark.unittest
def test_map_that_the_game_refuses_is_no_lost_game(game: Game, install: GameInstall) -> None:
    install.plan(dict(kind='refuse', request='create_game'))
    game.start()
    with pytest.raises(GameRefused, match=r'3m\.SC2Map: error 2 e_fileCorruptRepairable'):
        game.begin(5)


@pytest.mark.unittest
def test_game_that_ends_at_its_start_is_lost_at_once_with_what_it_said(game: Game, install: GameInstall) -> None:
    install.plan(dict(kind='no_start'))
    with pytest.raises(GameLost, match=r'exit code 1\): cannot open the data'):
        game.start()


@pytest.mark.unittest
def test_game_that_is_never_ready_is_lost_in_time(install: GameInstall, game: Game) -> None:
    install.plan(dict(kind='never_ready'))
    game._options = game._options._replace(start_timeout=3.)
    with pytest.raises(GameLost, match='not ready after 3 s'):
        game.start()


@pytest.mark.unittest
def test_port_that_somebody_else_has_is_a_lost_game(game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        monkeypatch.setattr('ding_qmix.starcraft2.process._free_port', lambda: other.getsockname()[1])
        game._options = game._options._replace(start_timeout=6.)
        with pytest.raises(GameLost, match=r'has ended.*Address already in use|not ready after'):
            game.start()


@pytest.mark.unittest
def test_answers_of_an_interrupted_call_are_discarded(game: Game) -> None:
    game.start()
    game.begin(5)
    game.send_step([])  # and nobody asks what came of it
    game.discard_answers()
    game.send_wait()
    assert game.receive_units().game_loop == 10


@pytest.mark.unittest
def test_closed_connection_says_so() -> None:
    with pytest.raises(GameLost, match='the connection is closed'):
        Connection(1.).ask(messages.PING)


@pytest.mark.unittest
def test_missing_websocket_client_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'websocket', None)
    with pytest.raises(ImportError, match='pip install websocket-client'):
        Connection(1.)
